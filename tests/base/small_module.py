"""The source of a module with one compiled function, for tests of the cache."""

SMALL = """
from spinsync.base.compiled import compiled

FACTOR = 2.0


@compiled({given})
def times(x):
    return FACTOR * x
"""
