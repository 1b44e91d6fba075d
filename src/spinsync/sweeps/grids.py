"""The points of a sweep: named axes, cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array

REALIZATION = "realization"  # the dim of disorder realizations
MOST_CHUNKS = 128  # by default, as long as chunks stay below MOST_POINTS: few enough to write, many enough to share
MOST_POINTS = 2**14  # of a chunk, by default
BATCH = 2**10, 2**16  # least and most points of a chunk whose points are computed together

Index = tuple[int, ...]  # position of a chunk among the chunks, one number per dim
Slices = tuple[slice, ...]  # where the points of a chunk are among all points


@dataclass(frozen=True)
class Grid:
    """All combinations of the values of named axes, in chunks of one shape, of which the last along an axis may be cut.

    axes : dim -> its values, one-dimensional; of dtype object for distributions
    chunk : points of a chunk along each dim
    """

    axes: Mapping[str, Array]
    chunk: tuple[int, ...]

    @cached_property
    def dims(self) -> tuple[str, ...]:
        return tuple(self.axes)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes.values())

    @property
    def points(self) -> int:
        return prod(self.shape)

    @cached_property
    def chunks(self) -> tuple[int, ...]:
        """Number of chunks along each dim."""
        return tuple(-(-size // step) for size, step in zip(self.shape, self.chunk, strict=True))

    def indices(self) -> Iterator[Index]:
        return np.ndindex(self.chunks)

    def slices(self, index: Index) -> Slices:
        """Where the points of a chunk are among all points."""
        limits = zip(index, self.chunk, self.shape, strict=True)
        return tuple(slice(k * step, min((k + 1) * step, size)) for k, step, size in limits)

    def columns(self, index: Index) -> dict[str, Array]:
        """The values at all points of a chunk, the last dim fastest: dim -> (point,)."""
        parts = [axis[where] for axis, where in zip(self.axes.values(), self.slices(index), strict=True)]
        positions = np.indices([part.size for part in parts]).reshape(len(parts), -1)
        return {name: part[at] for name, part, at in zip(self.axes, parts, positions, strict=True)}


def chunk_shape(shape: tuple[int, ...], points: int | None, *, batch: bool = False) -> tuple[int, ...]:
    """The shape of chunks of at most `points` points: the longest side is halved until they are small enough.

    It depends on nothing but its arguments, so that a sweep that was interrupted is stored like one that was not.

    batch : whether the points of a chunk are computed together, which takes hardly longer for many than for few
    """
    least, most = BATCH if batch else (1, MOST_POINTS)
    target = points or min(max(-(-prod(shape) // MOST_CHUNKS), least), most)
    sides = list(shape)
    while prod(sides) > target:
        longest = sides.index(max(sides))
        sides[longest] = -(-sides[longest] // 2)
    return tuple(sides)


def checked_axis(name: str, values: Any) -> Array:
    """The values of an axis of a function: a list of numbers, texts or truth values, all different."""
    must = "a list of at least one number or text"
    if isinstance(values, (str, bytes, Mapping)):
        raise checks.argument_error(name, must, values)
    try:
        listed = list(values)
        found = np.array(listed)
    except (TypeError, ValueError):
        raise checks.argument_error(name, must, values) from None
    if found.dtype.kind not in "fiubU" or found.ndim != 1 or found.size == 0:
        raise checks.argument_error(name, must, values)
    kinds = {isinstance(one, str) + 2 * isinstance(one, (bool, np.bool_)) for one in listed}
    if not isinstance(values, np.ndarray) and len(kinds) > 1:  # numpy would convert 1 beside "a" to "1"
        raise checks.argument_error(name, "a list of values of one kind: numbers, texts or truth values", values)
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise checks.argument_error(name, "a list without NaN", values)
    if np.unique(found).size < found.size:
        raise checks.argument_error(name, "a list of different values", values)
    return found.astype(np.dtypes.StringDType()) if found.dtype.kind == "U" else found
