"""Mean field: infinitely many spins per group."""
