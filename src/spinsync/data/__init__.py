"""The model and everything that describes it: no time stepping, no pictures."""
