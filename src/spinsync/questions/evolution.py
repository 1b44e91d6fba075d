"""evolve: the time evolution of an ensemble, at any level of theory."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.base.memory import check_memory
from spinsync.model.ensembles import Ensemble
from spinsync.questions.errors import error_messages
from spinsync.questions.initial_states import initial_value_problem
from spinsync.questions.options import checked_seed
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import TRAJECTORY, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import Problem, Theory, answers, check_theory, who_answers

COMPLEX, REAL = 16, 8  # bytes


def check_times_memory(problem: Problem, times: Array) -> None:
    """Check that states and results at all times fit into memory. Raises InputError with the estimate otherwise."""
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
    """Time evolution of the ensemble.

    Parameters
    ----------
    ensemble : Ensemble
    times : array of shape (time,)
        Increasing, in units of 1/rate. The initial state holds at times[0].
    theory : MeanField, Cumulants, TruncatedWigner, Exact, Trajectories or BruteForce
        The level of theory.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors m = (2 Re s, -2 Im s, z) of length at most 1, one per group. With each=True they may instead be one per
        spin, shape (spin, 3), ordered by group: one per frequency class of a distribution, or as many as you like, the same
        number for each group. At finite N they define a product state. Or a result of the same theory, which the run continues,
        also with other rates: of `evolve` at its last time (at finite N with keep_state=True), or of `steady_state`. None: a
        small random coherence (from `seed`), and the inversion of uncoupled spins.
    seed : int
        Seed of this coherence, which for group a depends on (seed, a) alone, and of trajectories and samples, each of which
        depends on (seed, index) alone. Must be 0 where neither is drawn, as it would have no influence.
    each : bool
        Add the variables of single spins: one spin per group, its frequency classes, or the spins that `initial` lists.
    keep_state : bool
        Add the density matrix at the last time, or all moments of Cumulants, so that another run can continue from it. In mean
        field Bloch vectors are the state (with each=True if a frequency is distributed), and trajectories keep none.
    threads : int, optional
        Largest number of threads, used for very many sampled spins and for trajectories; by default all that this process
        may use. The result does not depend on it.

    Returns
    -------
    xarray.Dataset
        (time, group): coherence (complex <sigma^->), inversion <sigma^z>; (time): order_parameter.
        A smooth distribution of frequencies adds coherence_error and inversion_error, estimated by a coarser run (not where
        `initial` lists single spins). A finite number of spins adds (time, group, other_group): correlation
        <sigma^+_i sigma^-_j> and inversion_correlation <sigma^z_i sigma^z_j>, i != j, both NaN with their errors within a
        group of one spin. With Exact and BruteForce a coherence of `initial` adds, with the same dims, anomalous_covariance
        <sigma^-_i sigma^-_j> - s_a s_b and coherence_inversion_covariance <sigma^-_i sigma^z_j> - s_a z_b. TruncatedWigner
        adds them too, and the error of each variable. Trajectories have no coherence; they add the error of each variable,
        and the scalars trajectories (their number) and converged (whether all tolerances are met). each=True adds (time,
        spin): spin_coherence and spin_inversion, with the coordinates spin_group, spin_frequency, spin_weight.
        keep_state=True adds state_0 and state_1, and state_2 where `initial` has a
        coherence, the elements of the density matrix between states whose numbers of excited spins differ by 0, 1 and 2, in
        the order of the theory: for one group <j,m|rho|j,m-q>, summed over equal representations j, ordered by j, then m.
        Cumulants adds state_moments instead. Only where `initial` has a coherence do its runs have one, valid for times short
        against 1/linewidth, as `status` tells; they add (time, group, other_group): coherence_covariance, anomalous_covariance
        and coherence_inversion_covariance, the connected parts of <sigma^+_i sigma^-_j>, <sigma^-_i sigma^-_j> and
        <sigma^-_i sigma^z_j>, i != j. Cumulants and TruncatedWigner add status (time), a code: whether a quantum state can have
        such moments, of frequency classes in Cumulants and of groups in TruncatedWigner; its attributes explain the codes.

    Raises
    ------
    InputError
        If times do not increase, `initial` does not fit or is not a complete state, keep_state has no effect, or the theory
        does not support the ensemble.
    IntegrationError
        If too many or too small time steps are needed.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4). Source of the model: arXiv:2511.10920.

    Time on one core at rates of about 10: in mean field 60000 units of time of two groups that beat 3 s, 60 units of 200000
    sampled spins 3 s; with Exact to t = 20 one group of 300 spins 2 s, of 1000 spins 12 s, and to t = 2 two groups of 10 spins
    1 s, of 20 spins 17 s; with Trajectories to t = 5 one group of 3000 spins 3 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, np.linspace(0, 30, 301))
    >>> round(float(run.order_parameter[-1]), 6)
    0.333333

    The gain of 20 spins is switched off at t = 5:

    >>> pumped = ss.evolve(one, [0.0, 5.0], theory=ss.Exact(20), keep_state=True)
    >>> decay = ss.evolve(one.replace(gain=0.0), [5.0, 5.1, 9.0], theory=ss.Exact(20), initial=pumped)
    >>> decay.order_parameter.values.round(3)
    array([0.2  , 0.127, 0.   ])
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, "evolve")
    theory = with_defaults(theory, TRAJECTORY)
    times, seed = checks.increasing("times", times), checked_seed(theory, "evolve", initial, seed)
    each, keep_state = checks.flag("each", each), checks.flag("keep_state", keep_state)
    if keep_state and not answers(type(theory), "keep_state"):
        why = theory.hints.get("keep_state", "which keeps none")
        raise InputError(
            f"Argument `keep_state` must be False for {type(theory).__name__}, {why}; "
            f"with {who_answers('keep_state')} it may be True."
        )
    problem, record = initial_value_problem(ensemble, theory, initial, seed, each)
    check_times_memory(problem, times)
    with error_messages(theory):
        observed = problem.motion_and_state(times) if keep_state else problem.motion(times, seed)
    kept = {"keep_state": 1, "end": float(times[-1])} if keep_state else {}
    coordinates = {"time": ("time", times), **problem.coordinates}
    return dataset(
        observed, coordinates, "evolve", ensemble, theory=theory_record(theory), seed=seed,
        each=int(each), origin=float(times[0]), initial=record, **kept,
    )  # fmt: skip
