"""Odd values that users, files and other programs may pass instead of a number, a list, a name or a path."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import spinsync as ss


class Lines:
    """An object whose repr has two lines and a control character."""

    def __repr__(self) -> str:
        return "first\nsecond\x1b[31m"


class Long:
    """An object whose repr is 5000 characters long."""

    def __repr__(self) -> str:
        return "x" * 5000


class Broken:
    """An object all of whose methods fail."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no array")


class Hidden(float):
    """A number with a repr of its own."""

    def __repr__(self) -> str:
        return "a\nb"


ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
LOOP: list[Any] = []
LOOP.append(LOOP)

SCALARS: list[Any] = [
    None, True, False, np.bool_(True), 0, -1, 1, 2, 3, -0.0, 0.5, -2.5, np.nan, np.inf, -np.inf, np.float32(0.3), np.float16(2),
    np.longdouble("1e4000"), np.int8(3), np.uint64(2**63), 1e-320, 5e-324, 1e-300, 1e300, -1e300, 1.7e308, 10**30, 10**400,
    -(10**400), 10**5000, Fraction(1, 3), Decimal("0.5"), Decimal("NaN"), Decimal("sNaN"), 1j, 2 + 0j, np.complex64(2 + 3j),
    np.complex128(1), np.clongdouble(1j), np.timedelta64(1, "s"), np.timedelta64(3), np.timedelta64("NaT"),
    np.datetime64("2026-01-01"), np.datetime64("NaT"), datetime(2026, 1, 1), timedelta(1), pd.Timestamp(0), pd.Timedelta(1),
    pd.NA, pd.NaT, np.ma.masked, np.ma.array(2.0), np.ma.array(2.0, mask=True), np.array(3.0), np.array(3), np.array(True),
    np.array("a"), xr.DataArray(2.0), Hidden(1.5), Hidden(-1.5),
]  # fmt: skip
TEXTS: list[Any] = [
    "", "1", "1.0", "nan", "a", "A", "regime", "gain", "x y", "a\nb", "a\0b", "\ud800", "\udcff", "é", "１", "$x", "$\\foo$",
    "${", "%s{}", "x" * 5000, "None", "mean", "group", "red", "C0", "#12345", "0.5", b"a", bytearray(b"a"), np.str_("a"),
    np.bytes_(b"a"), ".", "..", "/", "~", "no/such/folder/x", Path("a\0b"), Path(""), "a" * 300,
]  # fmt: skip
LISTS: list[Any] = [
    [], (), {}, set(), [[]], [1.0], [1.0, 2.0], (1.0, 2.0), [2.0, 1.0], [1.0, 1.0], [0.0, np.nan], [0.0, np.inf], [1, True],
    [1.0, None], [1.0, "a"], ["a", "b"], [[1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0]], [1.0, [2.0]], [1.0, 10**400], [10**30, 1],
    [1.0, 1j], [1.0, np.ma.masked], np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 2.0]),
    np.ma.array([1.0, 2.0], mask=[0, 0]), [np.ma.array([1.0], mask=[1]), [2.0]], np.array([1.0, 2.0], object),
    np.array([1.0, None], object), np.array(["1", "2"]), np.array([1, 2], "m8[s]"), np.array([1, 2], "M8[s]"),
    np.array([True, False]), np.array([1.0, 2.0], np.complex64), np.array([1.0, 2.0], np.float16),
    np.array([1.0, 2.0], np.longdouble), np.zeros((2, 2)), np.zeros((1, 3)), np.zeros((2, 3)), np.zeros((0, 3)),
    np.zeros((1, 1, 3)), np.eye(3), np.zeros(2, [("a", float)]), range(3), iter([1.0]), pd.Series([1.0, 2.0]),
    pd.Series([1.0, pd.NA]), pd.Series([1, 2], dtype="Int64"), pd.Series([1, pd.NA], dtype="Int64"), pd.Series(["a"]),
    pd.DataFrame({"a": [1.0]}), pd.Index([1.0, 2.0]), pd.date_range("2026", periods=2), pd.Categorical(["a"]),
    xr.DataArray([1.0, 2.0]), xr.DataArray([1.0, 2.0], dims="time"), xr.Dataset({"a": ("x", [1.0])}), LOOP, [[1e300, 0, 0]],
    [-1e308, 1e308], [1e300, -1e300], [[0.0, 0.0, 2.0]], [[np.nan, 0, 0]], [[0, 0, 1j]], "ab", {"a": 1}, {"coupling": [1.0]},
    {"gain": [1.0, "a"]}, {"gain": None}, {1: [1.0]}, {"coupling": np.ma.masked}, {"theta": [[1.0]]}, {"a\nb": [1.0]},
    {Long(): 1},
]  # fmt: skip
OBJECTS: list[Any] = [
    Lines(), Long(), Broken(), object(), int, ss.Exact, ss.Exact(2), ss.Exact(3), ss.MeanField(), ss.BruteForce(2), ONE,
    ss.Group(1, 1), ss.Lorentzian(0.5), ss.Samples([1.0]), ss.Regime.FULL, ss.Regime, len, lambda: 1, NotImplemented, ...,
    [Broken()], [Lines()], [Long()], {"a": Broken()}, ONE.rates, memoryview(b"ab"), slice(3),
]  # fmt: skip
VALUES: list[Any] = [*SCALARS, *TEXTS, *LISTS, *OBJECTS]
