"""Argument checks and files: what every other layer may use."""
