"""A few distinguishable spins."""
