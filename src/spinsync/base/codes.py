"""Integer codes that carry their meaning as text."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np


class Code(IntEnum):
    """An integer, as kernels and files store it, with a text."""

    text: str

    def __new__(cls, value: int, text: str = "") -> Code:
        code = int.__new__(cls, value)
        code._value_, code.text = value, text
        return code


def flags(codes: type[IntEnum]) -> dict[str, Any]:
    """CF attributes of a variable that holds codes: flag_values, flag_meanings, and of codes with texts flag_descriptions."""
    found: dict[str, Any] = {"flag_values": np.array([code.value for code in codes], np.int8)}
    found["flag_meanings"] = " ".join(code.name.lower() for code in codes)
    if issubclass(codes, Code):
        found["flag_descriptions"] = "; ".join(code.text for code in codes)
    return found
