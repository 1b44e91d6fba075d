"""The array type, and dataclasses of arrays whose first axis is the point of a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Batched:
    """A dataclass of arrays, or of such dataclasses, whose first axis is the point."""

    def __getitem__(self, chosen: Array) -> Self:
        """A copy with the chosen points only, given as indices or as a mask."""
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        # `take`, since indexing a structured array copies field by field
        chosen_rows = {name: x[index] if isinstance(x, Batched) else x.take(index, axis=0) for name, x in arrays.items()}
        return replace(self, **chosen_rows)  # type: ignore[type-var]

    def __setitem__(self, chosen: Any, others: Self) -> None:
        """Overwrite the chosen points."""
        for field in fields(self):  # type: ignore[arg-type]
            getattr(self, field.name)[chosen] = getattr(others, field.name)


Record = TypeVar("Record", bound=Batched)


def joined(records: Sequence[Record]) -> Record:
    """Concatenate the points of all records."""
    arrays = {field.name: [getattr(record, field.name) for record in records] for field in fields(records[0])}  # type: ignore[arg-type]
    rows = {name: joined(xs) if isinstance(xs[0], Batched) else np.concatenate(xs) for name, xs in arrays.items()}
    return replace(records[0], **rows)  # type: ignore[type-var]
