"""Infinitely many spins per group."""
