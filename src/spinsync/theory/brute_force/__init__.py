"""A few spins, each by itself."""
