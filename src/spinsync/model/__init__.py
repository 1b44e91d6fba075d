"""Ensembles and their parameters; knows no solver."""
