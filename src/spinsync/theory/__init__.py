"""Levels of theory: each turns a model into a mathematical problem, which `spinsync.problems` solves."""
