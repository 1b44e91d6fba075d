"""Levels of theory: each lowers a model to a problem. No time stepping here."""
