"""Random processes whose mean is the state."""
