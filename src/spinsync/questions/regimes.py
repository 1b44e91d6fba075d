"""regime: one word for the long-time motion of an ensemble, and the numbers behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.progress import ProgressLine, progress
from spinsync.model import bloch_vectors
from spinsync.model.distributions import Distribution
from spinsync.model.ensembles import Ensemble
from spinsync.model.rates import Rates
from spinsync.questions.initial_states import vectors
from spinsync.regimes.codes import Regime, Status, flags
from spinsync.regimes.engines import lanes
from spinsync.regimes.movers import Batch
from spinsync.regimes.summary import Motions
from spinsync.results.datasets import dataset, initial_record, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import completed
from spinsync.theory.protocol import Theory, refuse


def batch(
    ensemble: Ensemble, spread: tuple[Distribution | None, ...], rates: Rates, theory: Any, start: Array,
    line: ProgressLine | None = None,
) -> Batch:  # fmt: skip
    """Points whose motion a theory is asked for; what its options leave open is the engines' own."""
    accuracy = {name: getattr(theory, name, value) for name, value in MAPS.items()}
    return Batch(rates=rates, spread=spread, names=ensemble.names, initial=start, theory=theory, line=line, **accuracy)


def checked_start(ensemble: Ensemble, theory: Theory, initial: Any, seed: int) -> Array:
    """Bloch vectors of the groups at the start: the given ones, or the seeded ones of `ensemble`."""
    seed, given = checks.seed(seed), None if initial is None else vectors(initial, ensemble, type(theory))
    return bloch_vectors.per_group(ensemble.rates, given, seed)


def described(motions: Motions, dims: tuple[str, ...] = (), shape: tuple[int, ...] = ()) -> dict[str, Any]:
    """The variables of `regime` over `dims`, from the motions of all points in order."""

    def over(values: Array, *more: str) -> Any:
        return ((*dims, *more), values.reshape((*shape, *values.shape[1:])))

    locking = motions.locking
    difference = np.where(np.isnan(locking), np.nan, np.angle(locking))
    return {
        "regime": (*over(motions.regime), flags(Regime)),
        "frequency": over(motions.frequency, "group"),
        "amplitude": over(motions.amplitude, "group"),
        "inversion": over(motions.inversion, "group"),
        "order_parameter": over(motions.order_parameter),
        "phase_locking": over(np.minimum(abs(locking), 1.0), "group", "other_group"),
        "phase_difference": over(difference, "group", "other_group"),
        "lyapunov": over(motions.lyapunov),
        "lyapunov_error": over(motions.lyapunov_error),
        "period": over(motions.period),
        "order_parameter_range": over(motions.extremes, "bound"),
        "settled": over(motions.status == Status.SETTLED),
        "status": (*over(motions.status), flags(Status) | {"flag_descriptions": "; ".join(status.text for status in Status)}),
    }


def places(ensemble: Ensemble) -> dict[str, Any]:
    """The coordinates of these variables."""
    names = np.array(ensemble.names)
    return {"group": ("group", names), "other_group": ("other_group", names), "bound": ("bound", np.array(["low", "high"]))}


@question
def regime(
    ensemble: Ensemble,
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
) -> xr.Dataset:
    """What the ensemble does in the end: its regime, frequencies and phases.

    Parameters
    ----------
    ensemble : Ensemble
        Any number of groups, with distributions of frequencies or without.
    theory : MeanField
        Its accuracy is 1e-6 and 1e-8 where it leaves them open: a regime asks for less than a trajectory. At a finite number
        of spins the phase diffuses, and there is no regime.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors at the start, or a result of the same theory whose last state they are, as in `evolve`:
        several regimes can be stable at once. None: a small coherence from `seed`.
    seed : int
        Of that start, as in `evolve`.

    Returns
    -------
    xarray.Dataset
        Scalars regime (int8; `label` gives the word), order_parameter, lyapunov (the largest Lyapunov exponent beside the
        zero of the common phase) with lyapunov_error, period (of the order parameter, in motion that repeats itself up to a
        common phase within ten relaxation times; NaN elsewhere), settled, and status (int8: why a regime
        is UNDECIDED); (bound): order_parameter_range, its least and largest value, NaN beside `period`; (group): frequency
        (mean winding rate of the phase; NaN where a group is dark beside the brightest one, or runs through zero),
        amplitude (time mean of |s|), inversion; (group, other_group): phase_locking (1 where the difference of the phases is
        constant) and phase_difference (its circular mean), both NaN beside a dark group. Where the run failed, or a group
        forgets nothing, status says so and every number is NaN; lyapunov and its error also are at rest of hundreds of
        frequency classes, whose exponents are not computed.

    Raises
    ------
    InputError
        If `ensemble` is none, `initial` does not fit, or the theory knows no regimes.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4), (5.9). The run is as long as the motion asks for: until it rests, or until its
    averages over two windows, the second twice as long, agree. Rest on an unstable state is nudged off it, except
    without any coherence, where the equations know no noise.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> ss.label(ss.regime(pair).regime)
    'partial'
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, "regime")
    theory = completed(theory, MAPS)
    start = checked_start(ensemble, theory, initial, seed)
    spread = tuple(group.distribution for group in ensemble.groups)
    with one_blas_thread(), progress("regime") as line:
        found = lanes(batch(ensemble, spread, ensemble.rates.at(None), theory, start, line))
    record = None if initial is None else initial_record(start)
    variables, coordinates = described(found), places(ensemble)
    return dataset(variables, coordinates, "regime", ensemble, theory=theory_record(theory), seed=seed, initial=record)
