"""Argument checks. Every error message names the argument, what it must be and what it is."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MANY, NEAR = 40, 8  # a message lists up to MANY names in full, of more only the NEAR closest
TIMES = (np.datetime64, np.timedelta64)
LONGEST = 1200  # characters of a message


class InputError(ValueError):
    """Bad input: one message that names the argument, what it must be and what it is."""

    def __init__(self, message: str = "") -> None:
        super().__init__(_shortened(message))


class IntegrationError(RuntimeError):
    """A run that could not be finished; the message says why and what helps."""

    def __init__(self, message: str = "") -> None:
        super().__init__(_shortened(message))


def _printable(text: str) -> str:
    """Text in one line that any terminal can print, whatever names and paths are in it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _shortened(text: str) -> str:
    """A printable message of limited length, whatever names are in it."""
    text = _printable(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 3 :]}"


def short_repr(value: object, most: int = 80) -> str:
    """The repr of a value in one line of at most `most` characters, even if the object's own `__repr__` fails."""
    if isinstance(value, np.generic) and not isinstance(value, TIMES):
        value = value.item()
    try:
        text = repr(value)
    except Exception:  # an integer with thousands of digits, or a failing __repr__
        text = f"an object of type {type(value).__name__}"
    return one_line(text, most)


def one_line(text: str, most: int = 80) -> str:
    """The text in one printable line of at most `most` characters, with single blanks."""
    flat = " ".join(_printable(text).split())
    return flat if len(flat) <= most else flat[: most - 3] + "..."


def argument_error(name: str, must: str, value: object) -> InputError:
    """The common form of an error message; use as `raise argument_error(...)`."""
    return InputError(f"Argument `{name}` must be {must}, but is {name}={short_repr(value)}.")


def is_real(value: object) -> bool:
    """Whether this is a real number; neither a numpy time span (an integer to numpy) nor True (an integer to Python)."""
    return type(value) is float or (isinstance(value, (Real, Decimal)) and not isinstance(value, (bool, np.timedelta64)))


def real(name: str, value: Any) -> float:
    """A finite real number."""
    if not is_real(value):
        raise argument_error(name, "a real number", value)
    try:
        number = float(value)
    except (OverflowError, ValueError):
        raise argument_error(name, "finite", value) from None
    if not isfinite(number):
        raise argument_error(name, "finite", value)
    return number


def non_negative(name: str, value: Any) -> float:
    number = real(name, value)
    if number < 0:
        raise argument_error(name, "non-negative", value)
    return number


def positive(name: str, value: Any) -> float:
    number = real(name, value)
    if number <= 0:
        raise argument_error(name, "positive", value)
    return number


def whole(name: str, value: Any, least: int, most: int | None = None, *, bits: int = 63, beyond: str = "") -> int:
    """A whole number from `least` to `most`, of at most `bits` bits.

    beyond : text appended to the message for a larger number: what to do instead
    """
    limits = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    whole_float = isinstance(value, (float, np.floating)) and float(value).is_integer()  # such as 1e5
    if not is_real(value) or not (isinstance(value, Integral) or whole_float):
        raise argument_error(name, limits, value)
    number = int(value)
    if beyond and most is not None and number > most:
        raise InputError(f"{str(argument_error(name, limits, value)).removesuffix('.')}: {beyond}.")
    if number < least or (most is not None and number > most):
        raise argument_error(name, limits, value)
    if number.bit_length() > bits:
        raise argument_error(name, f"{limits}, below 2^{bits}", value)
    return number


def flag(name: str, value: Any) -> bool:
    """True or False; other objects are refused, whatever their truth value."""
    if not isinstance(value, (bool, np.bool_)):
        raise argument_error(name, "True or False", value)
    return bool(value)


def path(name: str, value: Any) -> Path:
    """The path of a file that exists or will be written."""
    try:
        plain = b"\0" not in os.fsencode(value) and isinstance(os.fspath(value), str) and Path(value).name not in ("", "..")
    except (TypeError, ValueError):  # not a path, or text that no file system accepts
        plain = False
    if not plain:
        raise argument_error(name, "the path of a file", value)
    return Path(value)


def plain_name(name: str, value: Any) -> str:
    """A name that can be part of a dotted parameter name such as "A.gain"."""
    plain = isinstance(value, str) and value and "." not in value and value == value.strip()
    if not plain or value.encode(errors="replace").decode() != value:  # half a surrogate pair can't be written to a file
        raise argument_error(name, "a word without dots or outer blanks", value)
    return str(value)


def one_line_text(name: str, value: Any) -> str:
    """A text without line breaks or control characters, such as a label in a figure."""
    if not isinstance(value, str) or not value.isprintable():
        raise argument_error(name, "one line of text", value)
    return value


def _has_converted(value: Any) -> bool:
    """Whether a list contains entries that numpy silently converts to numbers: masked ones, or booleans."""
    if isinstance(value, np.ma.MaskedArray):
        return bool(np.ma.is_masked(value))
    if not isinstance(value, (list, tuple)):
        return isinstance(value, (bool, np.bool_)) or getattr(getattr(value, "dtype", None), "kind", "") == "b"
    kinds = set(map(type, value))  # fast for a long list of plain numbers
    return not kinds <= {int, float, complex} and any(map(_has_converted, value))


def numbers(name: str, value: Any, dtype: type, described: str) -> NDArray[Any]:
    """An array of numbers of any shape, which may be infinite or NaN."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of a masked entry, and makes it NaN
            raw = np.asarray(value)
    except Exception:  # any error of the conversion: ragged lists, missing values, other objects
        raise argument_error(name, described, value) from None
    if raw.dtype.kind == "O" and raw.size and all(map(is_real, raw.ravel())):  # integers beyond 64 bits
        raw = np.array([real(name, entry) for entry in raw.ravel()]).reshape(raw.shape)
    if (raw.size and raw.dtype.kind not in ("iufc" if dtype is complex else "iuf")) or _has_converted(value):
        raise argument_error(name, described, value)
    with np.errstate(over="ignore"):  # longer floats may exceed double precision
        return np.array(raw, dtype=dtype)


def array(name: str, value: Any, dtype: type, shape: tuple[int | None, ...], described: str) -> NDArray[Any]:
    """A finite array of the given type and shape (None: any length); `described` is their text for the message."""
    result = numbers(name, value, dtype, described)
    if result.ndim != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, result.shape, strict=True)
    ):
        raise InputError(f"Argument `{name}` must be {described}, but has shape {result.shape}.")
    if not np.all(np.isfinite(result)):
        raise InputError(f"Argument `{name}` must be finite, but has the entry {result[~np.isfinite(result)][0]}.")
    return result


def dims(value: Any) -> int:
    """Number of dimensions; 1 for an object that is not an array, which `array` then refuses."""
    try:
        return int(np.ndim(value))
    except Exception:  # ragged lists, datasets, failing objects
        return 1


def has_entries(value: object) -> bool:
    """Whether a value can be listed; an array without axes has `__iter__`, and refuses it."""
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0


def increasing(name: str, value: Any) -> NDArray[np.float64]:
    """A strictly increasing array of times, frequencies or angles, shape (n,)."""
    noun = "time" if name == "times" else "number"
    result: NDArray[np.float64] = array(name, value, float, (None,), f"a list of increasing {noun}s")
    if result.size == 0:
        raise InputError(f"Argument `{name}` must hold at least one {noun}, but is empty.")
    down = np.flatnonzero(result[1:] <= result[:-1])
    if down.size:
        raise InputError(f"Argument `{name}` must increase, but has {result[down[0]]:g} before {result[down[0] + 1]:g}.")
    if result[-1] / 2 - result[0] / 2 > np.finfo(float).max / 2:
        raise InputError(f"Argument `{name}` must span a finite range, but goes from {result[0]:g} to {result[-1]:g}.")
    return result


def one_of(name: str, value: Any, names: Iterable[str]) -> str:
    """One of `names`; the message lists them, or the closest of very many, and suggests the closest."""
    names = list(names)
    if isinstance(value, str) and value in names:
        return str(value)
    text = value if isinstance(value, str) else short_repr(value)
    near = get_close_matches(text, names, n=NEAR)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    some = names if len(names) <= MANY else [one for one in names if one in near] or names[:NEAR]
    listed = ", ".join(map(one_line, some)) + (f", ... ({len(names)} names)" if len(names) > len(some) else "")
    raise InputError(f"Argument `{name}` must be one of {listed}, but is {name}={short_repr(value)}{hint}.")


def seed(value: Any) -> int:
    return whole("seed", value, 0, bits=128)  # as numpy's own seeds


def instance(name: str, value: Any, kind: type | tuple[type, ...], described: str) -> Any:
    if not isinstance(value, kind):
        raise argument_error(name, described, value)
    return value
