"""Python versions, lane by lane, of the functions that `translation.py` compiles to vector instructions."""

from __future__ import annotations

import struct


def simd(lanes: int) -> range:
    """The SIMD lanes: sequential in Python, one vector in machine code."""
    return range(lanes)


def count_true(test: bool) -> int:
    """Number of lanes in which a test holds."""
    return int(test)


def float_bits(value: float) -> int:
    """The bits of a float as an integer."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def bits_to_float(value: int) -> float:
    """The float with these bits."""
    return float(struct.unpack("<d", struct.pack("<q", value))[0])
