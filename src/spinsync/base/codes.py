"""Codes that say themselves what they mean."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """A whole number, as kernels and files hold it, with its text."""

    text: str

    def __new__(cls, value: int, text: str = "") -> Code:
        code = int.__new__(cls, value)
        code._value_, code.text = value, text
        return code
