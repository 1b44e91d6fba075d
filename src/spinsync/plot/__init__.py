"""Pictures: each function takes a result and an optional `ax` and returns the axes."""

__all__: list[str] = []
