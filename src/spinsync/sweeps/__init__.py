"""Questions at many points of a grid of parameters."""
