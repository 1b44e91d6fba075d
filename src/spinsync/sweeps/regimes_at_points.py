"""Long-time motions at any points of the parameters of a model, in batches that share their frequency distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import ProgressLine
from spinsync.model.ensembles import Ensemble, varied
from spinsync.questions.regimes import batch
from spinsync.regimes.codes import Status
from spinsync.regimes.engines import engine
from spinsync.regimes.summary import Motions, blank


def motions_at_points(
    ensemble: Ensemble, columns: Mapping[str, Array], theory: Any, start: Array, *, device: str = "cpu",
    total: int | None = None, line: ProgressLine | None = None,
) -> Motions:  # fmt: skip
    """The motions at all points, in order.

    columns : parameter -> its value at each point, (point,); of dtype object for distributions of frequencies
    start : Bloch vectors at the start, (group, 3)
    total : points of the whole diagram, if these are part of one, so that the parts are computed like the whole
    """
    count = len(next(iter(columns.values())))
    disorder = {name: values.tolist() for name, values in columns.items() if values.dtype == object}
    numeric = {name: values for name, values in columns.items() if name not in disorder}
    shared: dict[tuple[Any, ...], list[int]] = {}  # points by their distributions
    for point, chosen in enumerate(zip(*disorder.values(), strict=True) if disorder else [()] * count):
        shared.setdefault(chosen, []).append(point)
    found = blank(count, len(ensemble.groups), Status.FAILED)
    for chosen, points in shared.items():
        model = varied(ensemble, dict(zip(disorder, chosen, strict=True)))
        rates = model.recipe.rates(**{name: values[points] for name, values in numeric.items()})
        distributions = model.recipe.distributions(numeric)
        rates = rates if numeric else rates.at(None).at(np.zeros(len(points), int))
        own = batch(model, distributions, rates, theory, start, line, total or count)
        found[np.array(points)] = engine(device, theory, distributions)(own)
    return found
