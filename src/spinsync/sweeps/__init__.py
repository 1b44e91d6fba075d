"""The same question at many points."""
