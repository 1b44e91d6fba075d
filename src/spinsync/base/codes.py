"""Integer codes that carry their meaning as text."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """An integer, as kernels and files store it, with a text."""

    text: str

    def __new__(cls, value: int, text: str = "") -> Code:
        code = int.__new__(cls, value)
        code._value_, code.text = value, text
        return code
