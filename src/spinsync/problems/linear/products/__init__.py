"""Operators on tensor products."""
