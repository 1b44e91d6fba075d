"""What `translation.py` makes instructions of, as Python: a function that uses it runs interpreted, too, lane after lane."""

from __future__ import annotations

import struct


def together(lanes: int) -> range:
    """All lanes; one after the other here, at once in machine code."""
    return range(lanes)


def count(test: bool) -> int:
    """In how many lanes a test holds."""
    return int(test)


def bits(value: float) -> int:
    """The bits of a float as a whole number."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def number(value: int) -> float:
    """The float with these bits."""
    return float(struct.unpack("<d", struct.pack("<q", value))[0])
