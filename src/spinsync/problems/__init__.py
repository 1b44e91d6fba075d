"""Kinds of mathematical problem, and their solvers."""
