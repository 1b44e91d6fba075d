"""evolve: the motion in time, at any level of theory."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.base.memory import check_memory
from spinsync.model.ensembles import Ensemble
from spinsync.questions.initial_states import lowered
from spinsync.questions.sentences import in_words
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import TRAJECTORY, MeanField
from spinsync.theory.options import completed
from spinsync.theory.protocol import Problem, Theory, answers, refuse

COMPLEX, REAL = 16, 8  # bytes


def afford_times(problem: Problem, times: Array) -> None:
    """Refuse more times than memory can hold states or results of. Raises InputError with the estimate."""
    groups = problem.coordinates["group"][1].size
    results = REAL + groups * (COMPLEX + REAL + groups * (COMPLEX + REAL))
    check_memory("times", len(times), problem.bytes_per_time(results), "times")


@question
def evolve(
    ensemble: Ensemble,
    times: Any,
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
    each: bool = False,
    keep_state: bool = False,
    threads: int | None = None,
) -> xr.Dataset:
    """How the ensemble moves.

    Parameters
    ----------
    ensemble : Ensemble
    times : array of shape (time,)
        Increasing; in units of 1/rate. `initial` holds at times[0].
    theory : MeanField, Exact, Trajectories or BruteForce
        The level of theory.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors m = (2 Re s, -2 Im s, z), length at most 1; with each=True also one per spin, (spin, 3): the
        classes of a distribution, or any number of equal spins per group, ordered group by group. At finite N they are
        those of a product state. Or a result of the same theory to go on from, with other rates if wanted: of `evolve`,
        at its last time (at finite N it must have kept its state), or of `steady_state`. None: a small random coherence
        (from `seed`) beside the uncoupled inversion.
    seed : int
        Of that coherence, where group a's depends on (seed, a) alone, and of trajectories, each by (seed, index) alone.
    each : bool
        Add every spin: each group's, its frequency classes, or those that `initial` lists.
    keep_state : bool
        Add the density matrix at the last time, for a run that goes on from here. Exact and BruteForce only: in mean
        field Bloch vectors are the state (with each=True where a frequency is distributed), and trajectories keep none.
    threads : int, optional
        At most so many for very many sampled spins or for trajectories; by default all that this process may use. Without
        influence on the result.

    Returns
    -------
    xarray.Dataset
        (time, group): coherence (complex <sigma^->), inversion; (time): order_parameter. A smooth distribution of
        frequencies adds coherence_error and inversion_error, from a coarser run beside this one (not where `initial`
        lists single spins); a finite number of spins adds correlation and inversion_correlation (time, group,
        other_group). Trajectories have no coherence; they add the standard error of each variable, their number in
        trajectories, and whether it sufficed in converged. correlation and inversion_correlation are NaN within a group
        of one spin, and so are their errors. each=True adds spin_coherence and spin_inversion (time, spin) with
        coordinates spin_group, spin_frequency, spin_weight. keep_state=True adds state_0 and state_1, the elements of the
        density matrix between states whose numbers of excited spins differ by 0 and by 1, as the theory orders them: for
        one group <j,m|rho|j,m-q> summed over the copies of j, ordered by j, then m.

    Raises
    ------
    InputError
        If times do not increase, `initial` does not fit or has lost a part of its state, keep_state has no effect, or the
        theory does not take the ensemble.
    IntegrationError
        If the time steps get too many or too small.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4). Source of the model: arXiv:2511.10920.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, np.linspace(0, 30, 301))
    >>> round(float(run.order_parameter[-1]), 6)
    0.333333

    The pump is switched off during a run of 20 spins:

    >>> bright = ss.evolve(one, [0.0, 5.0], theory=ss.Exact(20), keep_state=True)
    >>> decay = ss.evolve(one.replace(gain=0.0), [5.0, 5.1, 9.0], theory=ss.Exact(20), initial=bright)
    >>> decay.order_parameter.values.round(3)
    array([0.2  , 0.127, 0.   ])
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, "evolve")
    theory = completed(theory, TRAJECTORY)
    moments, seed = checks.increasing("times", times), checks.seed(seed)
    each, keep_state = checks.flag("each", each), checks.flag("keep_state", keep_state)
    if keep_state and not answers(type(theory), "keep_state"):
        why = theory.why.get("keep_state", "which keeps none")
        raise InputError(f"Argument `keep_state` must be False for {type(theory).__name__}, {why}.")
    problem, record = lowered(ensemble, theory, initial, seed, each)
    afford_times(problem, moments)
    with in_words(theory):
        observed = problem.motion_and_state(moments) if keep_state else problem.motion(moments, seed)
    kept = {"keep_state": 1, "end": float(moments[-1])} if keep_state else {}
    coordinates = {"time": ("time", moments), **problem.coordinates}
    return dataset(
        observed, coordinates, "evolve", ensemble, theory=theory_record(theory), seed=seed,
        each=int(each), origin=float(moments[0]), initial=record, **kept,
    )  # fmt: skip
