"""steady_state: the state that an ensemble settles to."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble
from spinsync.questions.initial_states import lowered
from spinsync.questions.sentences import in_words
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import TRAJECTORY, MeanField
from spinsync.theory.options import completed
from spinsync.theory.protocol import Theory, refuse


@question
def steady_state(
    ensemble: Ensemble,
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
    threads: int | None = None,
) -> xr.Dataset:
    """The state that the ensemble settles to: fixed in mean field's rotating frame, or the null vector at finite N.

    Parameters
    ----------
    ensemble : Ensemble
    theory : MeanField, Exact, Trajectories or BruteForce
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors at the start, or a result whose last state they are, as in `evolve` (mean field
        only: several states can coexist).
    seed : int
        Of the random start and of trajectories, as in `evolve`.
    threads : int, optional
        At most so many for trajectories, as in `evolve`.

    Returns
    -------
    xarray.Dataset
        (group): inversion; order_parameter; mean field: coherence (its phase is arbitrary), frequency (NaN where
        a group has no coherence) and stable (unless there are a thousand frequency classes); finite N:
        correlation and inversion_correlation (group, other_group), NaN with their errors within a group of one spin.
        Trajectories add the standard error of each, their number in trajectories, and in converged whether they came to
        rest with the errors asked for.

    Raises
    ------
    InputError
        If `initial` does not fit or is given at finite N, a group does not relax, or the steady state is not unique.
    IntegrationError
        If the motion does not come to rest in a rotating frame.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> round(float(ss.steady_state(one).inversion[0]), 6)
    0.166667
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, "steady_state")
    theory = completed(theory, TRAJECTORY)
    seed = checks.seed(seed)
    problem, record = lowered(ensemble, theory, initial, seed, False)
    if initial is not None and not problem.start_decides:
        raise checks.argument_error("initial", "None at finite N, where the steady state does not depend on it", initial)
    with in_words(theory):
        observed = problem.rest(seed)
    return dataset(
        observed, problem.coordinates, "steady_state", ensemble, theory=theory_record(theory), seed=seed, initial=record
    )
