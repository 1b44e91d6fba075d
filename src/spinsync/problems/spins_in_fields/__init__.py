"""Very many spins that couple only through mean fields."""
