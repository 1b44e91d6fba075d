"""Very many spins in a common field."""
