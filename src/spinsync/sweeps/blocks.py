"""Blocks of results: the values that a function returned at several points, stacked along the points.

A layout says which variables a function returns: their names, dims, sizes and types. It is found at the first points and
holds for all; a point that returns anything else has failed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array

NUMBERS = {"f": np.dtype(float), "i": np.dtype(float), "u": np.dtype(float), "c": np.dtype(complex), "b": np.dtype(bool)}
CODES = np.dtype(np.int8)  # of variables with CF flags
RESERVED = ("point_status", "point_failure", "sweep", "zarr.json")  # names of a store's own variables and files
CONVERTING = ("_FillValue", "missing_value", "scale_factor", "add_offset", "dtype", "calendar", "coordinates", "_Unsigned")


class UnfitError(Exception):
    """A function returned something that a sweep can't store, or not the same variables as at other points."""


@dataclass(frozen=True)
class Spec:
    """A variable at one point: dims, sizes, type, and attributes that describe it."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attrs: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def fill(self) -> Any:
        """The value where there is no result: NaN, False, or of codes the one that means failed or undecided."""
        if self.dtype.kind == "f":
            return np.nan
        if self.dtype.kind == "c":
            return complex(np.nan, np.nan)
        if self.dtype.kind == "b":
            return False
        meanings = str(self.attrs.get("flag_meanings", "")).split()
        values = np.atleast_1d(self.attrs.get("flag_values", -1)).tolist()
        return next((v for v, text in zip(values, meanings, strict=False) if text in ("failed", "undecided")), min(values))

    def blank(self, points: int) -> Array:
        return np.full((points, *self.shape), self.fill, self.dtype)


@dataclass(frozen=True)
class Layout:
    """The variables of a function at one point, and its coordinates, which are the same at all points.

    digest : a text that differs if variables or coordinates differ
    """

    variables: Mapping[str, Spec]
    coordinates: xr.Dataset
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", self._digest())

    def _digest(self) -> str:
        parts = [f"{name} {v.dims} {v.shape} {v.dtype}" for name, v in sorted(self.variables.items())]
        for name, one in sorted(self.coordinates.variables.items(), key=str):
            parts.append(f"{name} {one.dims} {one.dtype} {one.values.tolist()}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def bytes(self) -> int:
        """Bytes of the numbers of one point."""
        return sum(int(np.prod(v.shape, dtype=int)) * v.dtype.itemsize for v in self.variables.values())


@dataclass
class Block:
    """Results at several points, and for each point why it failed, an empty text where it did not.

    layout : None if all points failed
    variables : name -> array of shape (point, ...)
    """

    layout: Layout | None
    variables: dict[str, Array]
    failures: list[str]


def select(layout: Layout, names: Sequence[str]) -> Layout:
    """The layout of some of the variables, with the coordinates that belong to them."""
    specs = {name: layout.variables[name] for name in names if name in layout.variables}
    dims = {dim for spec in specs.values() for dim in spec.dims}
    coords = layout.coordinates.drop_vars([n for n, c in layout.coordinates.coords.items() if not set(c.dims) <= dims])
    return Layout(specs, coords)


def stacked(
    outcomes: Sequence[Any], name: str, layout: Layout | None = None, variables: Sequence[str] | None = None,
    dims: Sequence[str] = (),
) -> Block:  # fmt: skip
    """What a function returned at several points, or the exceptions that it raised, as a block.

    name : of the variable, if the function returns a number or an array
    layout : known from earlier points
    variables : names of those that are kept; None: all
    dims : names of the axes, of which a point may have its own values as coordinates, as after a selection
    """
    known = layout is None or list(layout.variables) == [name]
    if known and set(map(type, outcomes)) <= {float, np.float64} and not unfit_name(name):
        plain = Layout({name: Spec((), (), NUMBERS["f"])}, xr.Dataset())
        if layout is None or layout.digest == plain.digest:
            return Block(layout or plain, {name: np.array(outcomes, float)}, [""] * len(outcomes))
    failures, results = [""] * len(outcomes), list[dict[str, Array] | None]([None] * len(outcomes))
    digest = None if layout is None else layout.digest
    for k, outcome in enumerate(outcomes):
        try:
            if isinstance(outcome, Exception):
                raise outcome
            own, values = _described(outcome, name, dims)
            own = _fitted(own if variables is None else select(own, variables), layout)
            if layout is None:
                layout, digest = own, own.digest
            elif own.digest != digest:
                raise UnfitError(_difference(own, layout))
            results[k] = {variable: values[variable] for variable in own.variables}
        except Exception as error:
            failures[k] = reason(error)
    if layout is None:
        return Block(None, {}, failures)
    arrays = {n: spec.blank(len(outcomes)) for n, spec in layout.variables.items()}
    for k, result in enumerate(results):
        for variable, value in (result or {}).items():
            arrays[variable][k] = value
    return Block(layout, arrays, failures)


def unstacked(results: xr.Dataset, dim: str) -> Block:
    """A block from a Dataset that already holds all points along its dim `dim`."""
    one = results.isel({dim: 0})
    specs = {str(n): _spec(str(n), v.values, tuple(map(str, v.dims)), v.attrs) for n, v in one.data_vars.items()}
    coordinates = _coordinates(one)
    arrays = {n: np.ascontiguousarray(results[n].transpose(dim, *spec.dims).values, spec.dtype) for n, spec in specs.items()}
    return Block(Layout(specs, coordinates), arrays, [""] * results.sizes[dim])


def concatenated(blocks: Sequence[Block]) -> Block:
    """One block with the points of all."""
    failures = [text for block in blocks for text in block.failures]
    layout = next((block.layout for block in blocks if block.layout is not None), None)
    if layout is None:
        return Block(None, {}, failures)
    filled = [block.variables or {n: v.blank(len(block.failures)) for n, v in layout.variables.items()} for block in blocks]
    return Block(layout, {name: np.concatenate([one[name] for one in filled]) for name in layout.variables}, failures)


def reason(error: BaseException) -> str:
    """Why a point failed, in one line."""
    text = checks.one_line(str(error), 400)
    if isinstance(error, (checks.InputError, checks.IntegrationError, UnfitError)):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _described(outcome: Any, name: str, axes: Sequence[str]) -> tuple[Layout, dict[str, Array]]:
    """Layout and values of what a function returned: a number, an array, a tuple of numbers, or a Dataset."""
    if isinstance(outcome, xr.DataArray):
        outcome = outcome.to_dataset(name=name if outcome.name is None else outcome.name)
    if isinstance(outcome, xr.Dataset):
        if not outcome.data_vars:
            raise UnfitError("the function must return at least one variable, but the Dataset has none")
        found = {str(n): v for n, v in outcome.data_vars.items()}
        specs = {n: _spec(n, v.values, tuple(map(str, v.dims)), v.attrs) for n, v in found.items()}
        own = [dim for dim in axes if dim in outcome.coords and not outcome[dim].dims]
        return Layout(specs, _coordinates(outcome.drop_vars(own))), {
            n: np.asarray(v.values, specs[n].dtype) for n, v in found.items()
        }
    values = np.ma.filled(outcome * 1.0, np.nan) if isinstance(outcome, np.ma.MaskedArray) else np.asarray(outcome)
    dims = tuple(f"{name}_{k}" for k in range(values.ndim))
    spec = _spec(name, values, dims, {})
    return Layout({name: spec}, xr.Dataset()), {name: np.asarray(values, spec.dtype)}


def _coordinates(results: xr.Dataset) -> xr.Dataset:
    """The coordinates of results, as a store returns them: text of any length, and attributes that are JSON."""
    found = results.coords.to_dataset()
    found.attrs = {}
    for name, one in results.coords.items():
        if unfit_name(str(name)):
            raise UnfitError(f"the function must return coordinates with plain names, but has {str(name)!r}")
        values = one.values
        if values.dtype.kind in "UO":
            if not all(isinstance(text, str) for text in values.ravel().tolist()):
                raise UnfitError(f"the function must return coordinates of numbers or text, but {name} holds others")
            found = found.assign_coords({name: (one.dims, values.astype(np.dtypes.StringDType()), one.attrs)})
        if one.attrs:
            found[name].attrs = plain_attributes(one.attrs)
    return found


def unfit_name(name: str) -> bool:
    """Whether a store can't hold a variable or coordinate of this name beside its own ones."""
    return name in RESERVED or not name.strip(".") or "/" in name or "\\" in name or name.startswith("__")


def plain_attributes(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON, without those by which readers of a store would convert the numbers."""
    listed = {str(name): getattr(value, "tolist", lambda value=value: value)() for name, value in attrs.items()}
    return {name: json.loads(json.dumps(value, default=str)) for name, value in listed.items() if name not in CONVERTING}


def _spec(name: str, values: Array, dims: tuple[str, ...], attrs: Mapping[str, Any]) -> Spec:
    kind, attrs = values.dtype.kind, plain_attributes(attrs)
    if kind not in NUMBERS:
        raise UnfitError(f"the function must return numbers, arrays or a Dataset of them, but {name} is {values.dtype}")
    for one in (name, *dims):
        if unfit_name(one):
            raise UnfitError(f"the function must return variables and dims with plain names, but has {one!r}")
    codes = kind in "iu" and "flag_values" in attrs
    if codes and values.size and not np.iinfo(CODES).min <= values.min() <= values.max() <= np.iinfo(CODES).max:
        raise UnfitError(f"the function must return flags from -128 to 127, but {name} has others")
    return Spec(dims, values.shape, CODES if codes else NUMBERS[kind], attrs)


def _fitted(own: Layout, layout: Layout | None) -> Layout:
    """The same variables in the types of the layout, where no digit is lost: a real number is also a complex one."""
    if layout is None or set(own.variables) != set(layout.variables):
        return own
    specs = dict(own.variables)
    for name, spec in layout.variables.items():
        if spec.dtype != specs[name].dtype and np.can_cast(specs[name].dtype, spec.dtype, "safe"):
            specs[name] = Spec(specs[name].dims, specs[name].shape, spec.dtype, specs[name].attrs)
    return Layout(specs, own.coordinates)


def _difference(own: Layout, layout: Layout) -> str:
    """In which way the variables of a point differ from those of the first one."""
    for name, spec in layout.variables.items():
        other = own.variables.get(name)
        if other is None:
            return f"the function must return the same variables at all points, but here {name} is missing"
        if other != spec:
            is_ = f"{other.dtype} of shape {other.shape} and dims {other.dims}"
            return f"{name} must be {spec.dtype} of shape {spec.shape} and dims {spec.dims} as at other points, but is {is_}"
    extra = [name for name in own.variables if name not in layout.variables]
    return f"the function must return the same {'variables' if extra else 'coordinates'} at all points, but here it does not"
