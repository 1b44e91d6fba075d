"""Linear master equations."""
