"""Long-time motions at any points of the parameters of a model, in batches that share their frequency distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.ensembles import Ensemble, varied
from spinsync.questions.regimes import batch
from spinsync.regimes.codes import Status
from spinsync.regimes.engines import motions_of_batches
from spinsync.regimes.movers import Batch
from spinsync.regimes.summary import Motions, blank

Columns = Mapping[str, Array]


def batches_at_points(
    ensemble: Ensemble, columns: Columns, theory: Any, start: Array, *, total: int | None = None
) -> tuple[list[Batch], list[Array]]:
    """The points that share their frequency distributions, as batches, and the indices of their points among all points.

    columns : parameter -> its value at each point, (point,); of dtype object for distributions of frequencies
    start : Bloch vectors at the start, (group, 3)
    total : points of the whole diagram, if these are part of one, so that the parts are computed like the whole
    """
    count = len(next(iter(columns.values())))
    disorder = {name: values.tolist() for name, values in columns.items() if values.dtype == object}
    numeric = {name: values for name, values in columns.items() if name not in disorder}
    shared: dict[tuple[Any, ...], list[int]] = {}  # points by their distributions
    for point, chosen in enumerate(zip(*disorder.values(), strict=True)):
        shared.setdefault(chosen, []).append(point)
    batches, places = [], []
    for chosen, points in shared.items() if disorder else [((), range(count))]:
        place = np.array(points)
        model = varied(ensemble, dict(zip(disorder, chosen, strict=True)))
        rates = model.recipe.rates(**{name: values[place] for name, values in numeric.items()})
        rates = rates if numeric else rates.at(None).at(np.zeros(len(place), int))
        batches.append(batch(model, model.recipe.distributions(numeric), rates, theory, start, total))
        places.append(place)
    return batches, places


def motions_at_points(
    ensemble: Ensemble, columns: Columns, theory: Any, start: Array, *, total: int | None = None, device: str = "cpu"
) -> Motions:
    """The motions at all points, in order; arguments as in `batches_at_points`."""
    batches, places = batches_at_points(ensemble, columns, theory, start, total=total)
    found = blank(len(next(iter(columns.values()))), len(ensemble.groups), Status.FAILED)
    for place, motions in zip(places, motions_of_batches(batches, device), strict=True):
        found[place] = motions
    return found
