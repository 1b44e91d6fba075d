"""A few smooth variables."""
