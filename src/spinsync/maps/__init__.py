"""Many points at once: diagrams over parameters."""
