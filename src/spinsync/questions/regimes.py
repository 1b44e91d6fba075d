"""regime: the regime of the long-time motion of an ensemble, and its frequencies, amplitudes and phases."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.codes import flags
from spinsync.model import bloch_vectors
from spinsync.model.distributions import Distributions
from spinsync.model.ensembles import Ensemble
from spinsync.model.rates import Rates
from spinsync.questions.initial_states import initial_vectors
from spinsync.questions.options import check_distributions, checked_seed
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.engines import lanes
from spinsync.regimes.movers import Batch
from spinsync.regimes.summary import Motions
from spinsync.results.datasets import dataset, initial_record, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import Theory, check_theory


def batch(
    ensemble: Ensemble, distributions: Distributions, rates: Rates, theory: Any, start: Array, total: int | None = None
) -> Batch:
    """The points of `rates` as input of the engines; default accuracies where the options of the theory are None.

    total : points of the diagram that they are a part of; None: they are all
    """
    accuracy = {name: getattr(theory, name, value) for name, value in MAPS.items()}
    return Batch(
        rates=rates, distributions=distributions, names=ensemble.names, initial=start, theory=theory, total=total, **accuracy
    )


def checked_start(ensemble: Ensemble, theory: Theory, initial: Any, seed: int) -> Array:
    """Initial Bloch vectors, shape (group, 3): from `initial`, or from the seed and the rates of `ensemble`."""
    given = None if initial is None else initial_vectors(initial, ensemble, type(theory))
    return bloch_vectors.start_vectors(ensemble.rates, given, seed)


def regime_variables(motions: Motions, dims: tuple[str, ...] = (), shape: tuple[int, ...] = ()) -> dict[str, Any]:
    """The variables of `regime` with additional leading dims of sizes `shape`, from the motions of all points in order."""

    def shaped(values: Array, *more: str) -> Any:
        return ((*dims, *more), values.reshape((*shape, *values.shape[1:])))

    locking = motions.locking
    difference = np.where(np.isnan(locking), np.nan, np.angle(locking))
    return {
        "regime": (*shaped(motions.regime), flags(Regime)),
        "frequency": shaped(motions.frequency, "group"),
        "amplitude": shaped(motions.amplitude, "group"),
        "inversion": shaped(motions.inversion, "group"),
        "order_parameter": shaped(motions.order_parameter),
        "phase_locking": shaped(np.minimum(abs(locking), 1.0), "group", "other_group"),
        "phase_difference": shaped(difference, "group", "other_group"),
        "lyapunov": shaped(motions.lyapunov),
        "lyapunov_error": shaped(motions.lyapunov_error),
        "period": shaped(motions.period),
        "order_parameter_range": shaped(motions.extremes, "bound"),
        "settled": shaped(motions.status == Status.SETTLED),
        "status": (*shaped(motions.status), {"long_name": "why the regime is undecided"} | flags(Status)),
    }


def regime_coordinates(ensemble: Ensemble) -> dict[str, Any]:
    """The coordinates of `regime_variables`."""
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
    """Regime of the long-time motion, with its frequencies, amplitudes and phases.

    Parameters
    ----------
    ensemble : Ensemble
        Any number of groups, with or without distributions of frequencies.
    theory : MeanField
        Where rtol and atol are None they are 1e-6 and 1e-8, larger than in `evolve`. At a finite number of spins the phase
        diffuses, and regimes are not defined.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Initial Bloch vectors, or a result of the same theory at its last time, as in `evolve`; several regimes can be stable
        for the same parameters. None: a small random coherence (from `seed`), and the inversion of uncoupled spins.
    seed : int
        Seed of this coherence, as in `evolve`; 0 where `initial` is given.

    Returns
    -------
    xarray.Dataset
        Scalars regime (int8; `label` gives its name), order_parameter (time mean), lyapunov (largest Lyapunov exponent, without
        the zero exponent of the common phase) and lyapunov_error, period (of the order parameter, if the motion repeats
        itself up to a common phase within ten relaxation times; else NaN), settled (whether the motion has converged) and
        status (int8: the reason if the regime is UNDECIDED); (bound): order_parameter_range, its least and largest value, NaN
        where `period` is; (group): frequency (angular, mean winding rate of the phase; NaN where the coherence of a group
        is negligible compared with the largest one, or passes through zero), amplitude (time mean of |s|), inversion (time
        mean); (group, other_group): phase_locking (1 where the phase difference is constant) and phase_difference (its
        circular mean), both NaN for a group with negligible coherence. Where the run failed, or a group does not relax, every
        number is NaN. lyapunov and its error are not computed, and NaN, at fixed points with hundreds of frequency classes.

    Raises
    ------
    InputError
        If `ensemble` is not an Ensemble, `initial` does not fit, or the theory has no regimes.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4), (5.9). A run ends at a fixed point (in a rotating frame), or when averages over
    two successive windows, the second twice as long, agree. A motion that reaches an unstable fixed point is perturbed, except
    if there is no coherence at all, as mean field has no noise.

    Time on one core: some 10 ms, and seconds for irregular or very slow motion of many groups or frequency classes.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> ss.label(ss.regime(pair).regime)
    'partial'
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, "regime")
    theory = with_defaults(theory, MAPS)
    seed = checked_seed(theory, "regime", initial, seed)
    start = checked_start(ensemble, theory, initial, seed)
    distributions = tuple(group.distribution for group in ensemble.groups)
    check_distributions(theory, distributions)
    with one_blas_thread():
        found = lanes(batch(ensemble, distributions, ensemble.rates.at(None), theory, start))
    record = None if initial is None else initial_record(start)
    variables, coordinates = regime_variables(found), regime_coordinates(ensemble)
    return dataset(variables, coordinates, "regime", ensemble, theory=theory_record(theory), seed=seed, initial=record)
