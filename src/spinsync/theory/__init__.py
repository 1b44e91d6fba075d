"""Levels of theory: each turns a model into a problem, which `spinsync.problems` solves."""
