"""steady_state: the stationary state of an ensemble at long times."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble
from spinsync.questions.errors import error_messages
from spinsync.questions.initial_states import initial_value_problem
from spinsync.questions.options import checked_seed
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import TRAJECTORY, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import Theory, check_theory


@question
def steady_state(
    ensemble: Ensemble,
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
    threads: int | None = None,
) -> xr.Dataset:
    """Steady state: in mean field a fixed point in a rotating frame, at finite N the null vector of the Lindblad generator.

    Parameters
    ----------
    ensemble : Ensemble
    theory : MeanField, TruncatedWigner, Exact, Trajectories or BruteForce
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Initial Bloch vectors, or a result at its last time, as in `evolve`. Only in mean field, where several steady states
        can be stable.
    seed : int
        Seed of the random initial state and of trajectories, as in `evolve`; 0 where neither is drawn.
    threads : int, optional
        Largest number of threads for trajectories, as in `evolve`.

    Returns
    -------
    xarray.Dataset
        (group): inversion; scalar order_parameter. Mean field adds (group): coherence (complex, of arbitrary common phase) and
        frequency (angular; NaN where a group has no coherence), and the scalar stable (not with a thousand or more frequency
        classes). A finite number of spins adds (group, other_group): correlation and inversion_correlation, both NaN with
        their errors within a group of one spin. TruncatedWigner adds the error of each variable, and
        converged (whether two windows of its time averages agree); Trajectories the errors, and the scalars trajectories
        (their number) and converged (whether they are stationary and all tolerances are met). Cumulants and TruncatedWigner
        add the scalar status, as in `evolve`.

    Raises
    ------
    InputError
        If `initial` does not fit or is given at finite N, a group does not relax, or the steady state is not unique.
    IntegrationError
        If the motion does not converge to a fixed point in a rotating frame.

    Notes
    -----
    Time on one core: milliseconds in mean field; with Exact one group of 1000 spins 1 s, of 4000 spins 7 s, two groups of 20
    spins 2 s; with Trajectories one group of 10000 spins at rtol = 1e-3 4 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> round(float(ss.steady_state(one).inversion[0]), 6)
    0.166667
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, "steady_state")
    theory = with_defaults(theory, TRAJECTORY)
    seed = checked_seed(theory, "steady_state", initial, seed)
    problem, record = initial_value_problem(ensemble, theory, initial, seed, False)
    if initial is not None and not problem.start_decides:
        raise checks.argument_error("initial", "None at finite N, where the steady state does not depend on it", initial)
    with error_messages(theory):
        observed = problem.steady_state(seed)
    return dataset(
        observed, problem.coordinates, "steady_state", ensemble, theory=theory_record(theory), seed=seed, initial=record
    )
