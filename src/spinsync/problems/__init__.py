"""Kinds of mathematics and their solvers; they know no spin."""
