"""Ensembles and their parameters; no solver is imported here."""
