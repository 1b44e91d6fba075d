"""Argument checks. Every sentence names the argument, what it must be and what it is."""

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

MANY, NEAR = 40, 8  # names that a sentence lists: all, or where there are more the nearest
TIMES = (np.datetime64, np.timedelta64)
LONGEST = 1200  # characters of a sentence


class InputError(ValueError):
    """Bad input: one sentence that names the argument, what it must be and what it is."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(_sentence(sentence))


class IntegrationError(RuntimeError):
    """A run that could not be finished; the sentence says why and what helps."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(_sentence(sentence))


def _printable(text: str) -> str:
    """Text in one line that any terminal can print, whatever names and paths are in it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _sentence(text: str) -> str:
    """A sentence, also where a name in it is longer than a page."""
    text = _printable(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 3 :]}"


def shown(value: object, most: int = 80) -> str:
    """The repr of a value in one line of at most so many characters, whatever the object's own code does."""
    if isinstance(value, np.generic) and not isinstance(value, TIMES):
        value = value.item()
    try:
        text = repr(value)
    except Exception:  # an integer of thousands of digits, or an object whose own code fails
        text = f"an object of type {type(value).__name__}"
    return line(text, most)


def line(text: str, most: int = 80) -> str:
    """Text in one printable line, blanks put together, and cut."""
    flat = " ".join(_printable(text).split())
    return flat if len(flat) <= most else flat[: most - 3] + "..."


def complain(name: str, must: str, value: object) -> InputError:
    """The one shape of an error sentence; `raise complain(...)`."""
    return InputError(f"Argument `{name}` must be {must}, but is {name}={shown(value)}.")


def is_real(value: object) -> bool:
    """Whether Python and numpy both take this for a real number; to numpy a time span is an integer, to Python True is one."""
    return type(value) is float or (isinstance(value, (Real, Decimal)) and not isinstance(value, (bool, np.timedelta64)))


def real(name: str, value: Any) -> float:
    """A finite real number."""
    if not is_real(value):
        raise complain(name, "a real number", value)
    try:
        number = float(value)
    except (OverflowError, ValueError):
        raise complain(name, "finite", value) from None
    if not isfinite(number):
        raise complain(name, "finite", value)
    return number


def non_negative(name: str, value: Any) -> float:
    number = real(name, value)
    if number < 0:
        raise complain(name, "non-negative", value)
    return number


def positive(name: str, value: Any) -> float:
    number = real(name, value)
    if number <= 0:
        raise complain(name, "positive", value)
    return number


def whole(name: str, value: Any, least: int, most: int | None = None, *, bits: int = 63, beyond: str = "") -> int:
    """A whole number from `least` to `most`, or to what a signed integer of the machine holds.

    beyond : what helps who needs a larger one
    """
    limits = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    whole_float = isinstance(value, (float, np.floating)) and float(value).is_integer()  # 1e5 is a way to write a number
    if not is_real(value) or not (isinstance(value, Integral) or whole_float):
        raise complain(name, limits, value)
    number = int(value)
    if beyond and most is not None and number > most:
        raise InputError(f"{str(complain(name, limits, value)).removesuffix('.')}: {beyond}.")
    if number < least or (most is not None and number > most):
        raise complain(name, limits, value)
    if number.bit_length() > bits:
        raise complain(name, f"{limits}, below 2^{bits}", value)
    return number


def flag(name: str, value: Any) -> bool:
    """True or False, and not what Python takes for one of them."""
    if not isinstance(value, (bool, np.bool_)):
        raise complain(name, "True or False", value)
    return bool(value)


def path(name: str, value: Any) -> Path:
    """Where a file is or is to be."""
    try:
        plain = b"\0" not in os.fsencode(value) and isinstance(os.fspath(value), str) and Path(value).name not in ("", "..")
    except (TypeError, ValueError):  # no path, or text that no file system takes
        plain = False
    if not plain:
        raise complain(name, "the path of a file", value)
    return Path(value)


def word(name: str, value: Any) -> str:
    """A name that can stand in a dotted parameter."""
    plain = isinstance(value, str) and value and "." not in value and value == value.strip()
    if not plain or value.encode(errors="replace").decode() != value:  # half of a surrogate pair: no file can hold it
        raise complain(name, "a word without dots or outer blanks", value)
    return str(value)


def text(name: str, value: Any) -> str:
    """Something to write in a picture."""
    if not isinstance(value, str) or not value.isprintable():
        raise complain(name, "one line of text", value)
    return value


def _hidden(value: Any) -> bool:
    """Whether a list holds what numpy takes for a number in silence: a masked entry, or True."""
    if isinstance(value, np.ma.MaskedArray):
        return bool(np.ma.is_masked(value))
    if not isinstance(value, (list, tuple)):
        return isinstance(value, (bool, np.bool_)) or getattr(getattr(value, "dtype", None), "kind", "") == "b"
    kinds = set(map(type, value))  # a long list of plain numbers is looked through once
    return not kinds <= {int, float, complex} and any(map(_hidden, value))


def numbers(name: str, value: Any, dtype: type, described: str) -> NDArray[Any]:
    """An array of numbers, of any shape; infinite ones may be among them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a masked entry in a list: numpy warns, and makes it NaN
            raw = np.asarray(value)
    except Exception:  # whatever an object's own conversion raises: ragged lists, missing values, no array at all
        raise complain(name, described, value) from None
    if raw.dtype.kind == "O" and raw.size and all(map(is_real, raw.ravel())):  # integers beyond 64 bits
        raw = np.array([real(name, entry) for entry in raw.ravel()]).reshape(raw.shape)
    if (raw.size and raw.dtype.kind not in ("iufc" if dtype is complex else "iuf")) or _hidden(value):
        raise complain(name, described, value)
    with np.errstate(over="ignore"):  # longer floats can be beyond double precision
        return np.array(raw, dtype=dtype)


def array(name: str, value: Any, dtype: type, shape: tuple[int | None, ...], described: str) -> NDArray[Any]:
    """A finite array of the given shape (None: any length); `described` says it in words."""
    result = numbers(name, value, dtype, described)
    if result.ndim != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, result.shape, strict=True)
    ):
        raise InputError(f"Argument `{name}` must be {described}, but has shape {result.shape}.")
    if not np.all(np.isfinite(result)):
        raise InputError(f"Argument `{name}` must be finite, but has the entry {result[~np.isfinite(result)][0]}.")
    return result


def dims(value: Any) -> int:
    """How many dims an array is given with; 1 for what is none, which `array` will then refuse."""
    try:
        return int(np.ndim(value))
    except Exception:  # ragged lists, datasets, objects whose own code fails
        return 1


def increasing(name: str, value: Any) -> NDArray[np.float64]:
    """Times, frequencies or angles."""
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


def known(name: str, value: Any, names: Iterable[str]) -> str:
    """One of `names`; the sentence lists them, or the nearest where they are many, and suggests the nearest."""
    names = list(names)
    if isinstance(value, str) and value in names:
        return str(value)
    text = value if isinstance(value, str) else shown(value)
    near = get_close_matches(text, names, n=NEAR)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    some = names if len(names) <= MANY else [one for one in names if one in near] or names[:NEAR]
    listed = ", ".join(map(line, some)) + (f", ... ({len(names)} names)" if len(names) > len(some) else "")
    raise InputError(f"Argument `{name}` must be one of {listed}, but is {name}={shown(value)}{hint}.")


def seed(value: Any) -> int:
    return whole("seed", value, 0, bits=128)  # as many as numpy's own seeds have


def instance(name: str, value: Any, kind: type | tuple[type, ...], described: str) -> Any:
    if not isinstance(value, kind):
        raise complain(name, described, value)
    return value
