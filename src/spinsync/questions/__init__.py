"""The public functions that answer questions about an ensemble or a result."""
