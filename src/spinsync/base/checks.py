"""Argument checks. Every sentence names the argument, what it must be and what it is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Number
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class InputError(ValueError):
    """Bad input: one sentence that names the argument, what it must be and what it is."""


class IntegrationError(RuntimeError):
    """A run that could not be finished; the sentence says why and what helps."""


def complain(name: str, must: str, value: object) -> InputError:
    """The one shape of an error sentence; `raise complain(...)`."""
    if isinstance(value, np.generic):
        value = value.item()
    shown = repr(value).replace("\n", " ")
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return InputError(f"Argument `{name}` must be {must}, but is {name}={shown}.")


def real(name: str, value: Any) -> float:
    """A finite real number."""
    if isinstance(value, bool) or not isinstance(value, Number) or isinstance(value, complex):
        raise complain(name, "a real number", value)
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise complain(name, "finite", value) from None
    if not np.isfinite(number):
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


def whole(name: str, value: Any, least: int, most: int | None = None, beyond: str = "") -> int:
    """A whole number from `least` to `most`; `beyond` says what helps who needs a larger one."""
    limits = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    whole_float = isinstance(value, (float, np.floating)) and float(value).is_integer()  # 1e5 is a way to write a number
    if isinstance(value, bool) or not (isinstance(value, Integral) or whole_float):
        raise complain(name, limits, value)
    number = int(value)
    if beyond and most is not None and number > most:
        raise InputError(f"{str(complain(name, limits, value)).removesuffix('.')}: {beyond}.")
    if number < least or (most is not None and number > most):
        raise complain(name, limits, value)
    return number


def flag(name: str, value: Any) -> bool:
    """True or False, and not what Python takes for one of them."""
    if not isinstance(value, (bool, np.bool_)):
        raise complain(name, "True or False", value)
    return bool(value)


def path(name: str, value: Any) -> Path:
    """Where a file is or is to be."""
    if not isinstance(value, (str, os.PathLike)) or not Path(value).name:
        raise complain(name, "the path of a file", value)
    return Path(value)


def word(name: str, value: Any) -> str:
    """A name that can stand in a dotted parameter."""
    if not isinstance(value, str) or not value or "." in value or value != value.strip():
        raise complain(name, "a word without dots or outer blanks", value)
    return value


def array(name: str, value: Any, dtype: type, shape: tuple[int | None, ...], described: str) -> NDArray[Any]:
    """A finite array of the given shape (None: any length); `described` says it in words."""
    result: NDArray[Any]
    try:
        raw = np.asarray(value)
        if raw.size and raw.dtype.kind not in ("iufc" if dtype is complex else "iuf"):
            raise complain(name, described, value)
        result = np.array(raw, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise complain(name, described, value) from None
    if result.ndim != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, result.shape, strict=True)
    ):
        raise InputError(f"Argument `{name}` must be {described}, but has shape {result.shape}.")
    if not np.all(np.isfinite(result)):
        raise InputError(f"Argument `{name}` must be finite, but has the entry {result[~np.isfinite(result)][0]}.")
    return result


def increasing(name: str, value: Any) -> NDArray[np.float64]:
    """Times, frequencies or angles."""
    noun = "time" if name == "times" else "number"
    result: NDArray[np.float64] = array(name, value, float, (None,), f"a list of increasing {noun}s")
    if result.size == 0:
        raise InputError(f"Argument `{name}` must hold at least one {noun}, but is empty.")
    down = np.flatnonzero(np.diff(result) <= 0)
    if down.size:
        raise InputError(f"Argument `{name}` must increase, but has {result[down[0]]:g} before {result[down[0] + 1]:g}.")
    return result


def known(name: str, value: Any, names: Iterable[str]) -> str:
    """One of `names`; the sentence lists them and suggests the nearest."""
    names = list(names)
    if value in names:
        return str(value)
    near = get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(names) if len(names) <= 40 else ", ".join(names[:40]) + f", ... ({len(names)} names)"
    raise InputError(f"Argument `{name}` must be one of {listed}, but is {name}={value!r}{hint}.")


def seed(value: Any) -> int:
    return whole("seed", value, 0)


def instance(name: str, value: Any, kind: type | tuple[type, ...], described: str) -> Any:
    if not isinstance(value, kind):
        raise complain(name, described, value)
    return value
