"""regime: one word for the long-time motion of an ensemble, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.data import bloch_vectors
from spinsync.data.ensembles import Ensemble
from spinsync.data.rates import Array
from spinsync.data.regimes import REASONS, Regime, Status, flags
from spinsync.theory.mean_field import MeanField
from spinsync.verbs.long_time import Motion, long_time
from spinsync.verbs.results import dataset, initial_record, theory_record


def checked_start(ensemble: Ensemble, initial: Any, seed: int) -> Array:
    """Bloch vectors of the groups at the start: the given ones, or the seeded ones of `ensemble`."""
    start = bloch_vectors.seeded(ensemble.rates, checks.seed(seed)) if initial is None else bloch_vectors.checked(initial)
    if len(start) != len(ensemble.groups):
        raise checks.InputError(f"Argument `initial` must have shape ({len(ensemble.groups)}, 3), but has shape {start.shape}.")
    return start


def described(motions: Sequence[Motion], dims: tuple[str, ...] = (), shape: tuple[int, ...] = ()) -> dict[str, Any]:
    """The variables of `regime` over `dims`, from the motions of all points in order."""

    def over(name: str, *more: str, kind: Any = float) -> Any:
        values = np.array([getattr(m, name) for m in motions])
        return ((*dims, *more), values.reshape((*shape, *values.shape[1:])).astype(kind))

    locking = over("locking", "group", "other_group", kind=complex)
    status = over("status", kind=np.int8)
    return {
        "regime": (dims, over("regime", kind=np.int8)[1], flags(Regime)),
        "frequency": over("frequency", "group"),
        "amplitude": over("amplitude", "group"),
        "inversion": over("inversion", "group"),
        "order_parameter": over("order_parameter"),
        "phase_locking": (locking[0], abs(locking[1])),
        "phase_difference": (locking[0], np.where(np.isnan(locking[1]), np.nan, np.angle(locking[1]))),
        "lyapunov": over("lyapunov"),
        "lyapunov_error": over("lyapunov_error"),
        "settled": (dims, status[1] == Status.SETTLED),
        "status": (*status, flags(Status) | {"flag_descriptions": "; ".join(REASONS.values())}),
    }


def regime(ensemble: Ensemble, *, initial: Any = None, seed: int = 0) -> xr.Dataset:
    """What the ensemble does in the end, in mean field: its regime, frequencies and phases.

    Parameters
    ----------
    ensemble : Ensemble
        Any number of groups, with distributions of frequencies or without.
    initial : real array of shape (group, 3), optional
        Bloch vectors at the start: several regimes can be stable at once. None: a small coherence from `seed`.
    seed : int
        Of that start, as in `evolve`.

    Returns
    -------
    xarray.Dataset
        Scalars regime (int8; `label` gives the word), order_parameter, lyapunov (the largest Lyapunov exponent beside the
        zero of the common phase) with lyapunov_error, settled, and status (int8: why a regime is UNDECIDED);
        (group): frequency (mean winding rate of the phase; NaN where amplitude < 1e-3), amplitude (time mean of |s|),
        inversion; (group, other_group): phase_locking (1 where the difference of the phases is constant) and
        phase_difference (its circular mean), both NaN beside a dark group.

    Raises
    ------
    InputError
        If `ensemble` is none, or `initial` does not fit.

    Notes
    -----
    Equations (3.1), (3.3), (3.4), (5.9). The run is as long as the motion asks for: until it rests, or until its
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
    start = checked_start(ensemble, initial, seed)
    theory = MeanField()
    flow = theory.lower(ensemble, start, seed)
    return dataset(
        described([long_time(flow, ensemble.rates.weight)]),
        {"group": ("group", np.array(ensemble.names)), "other_group": ("other_group", np.array(ensemble.names))},
        "regime",
        ensemble,
        theory=theory_record(theory),
        seed=seed,
        initial=None if initial is None else initial_record(start),
    )
