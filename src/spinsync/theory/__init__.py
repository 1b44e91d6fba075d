"""Levels of theory: each lowers a model to a Flow or a Linear problem. No time stepping here."""
