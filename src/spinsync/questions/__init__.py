"""What one can ask of an ensemble."""
