"""Finite numbers of spins, exactly, by permutation symmetry."""
