"""Populations and coherences on a lattice of collective states."""
