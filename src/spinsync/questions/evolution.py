"""evolve: the motion in time, at any level of theory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError, IntegrationError
from spinsync.base.interrupts import aside
from spinsync.base.memory import available
from spinsync.base.threads import one_thread
from spinsync.model.ensembles import Ensemble
from spinsync.problems.flow import exponential_adams, stepping
from spinsync.problems.flow.record import Flow
from spinsync.problems.linear import dense, krylov
from spinsync.problems.linear.lattice.sparse_lu import TooLargeError, afford
from spinsync.problems.linear.products import solvers
from spinsync.problems.linear.products.operator import needed
from spinsync.problems.linear.record import Linear
from spinsync.problems.many_spins import waveform_relaxation
from spinsync.problems.many_spins.record import Crowd
from spinsync.problems.observed import Observed
from spinsync.problems.sampled.record import Jumps
from spinsync.questions.costs import afford_times
from spinsync.questions.finite_n import in_words
from spinsync.questions.initial_states import lowered
from spinsync.questions.statistics import mean_motion
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.protocol import Theory, refuse

MOST_STEPS, MOST_WORK = 20e6, 6e8  # time steps of a run, and steps times components
SAFETY = 5.0  # times the distance from a coarser run, which a few classes can underestimate

_VECTORS = "whose Bloch vectors are its state: `initial` takes any of its runs, with each=True where a frequency is distributed"
NO_STATE: Mapping[type, str] = {Flow: _VECTORS, Crowd: _VECTORS, Jumps: "which has no state to keep; Exact has"}


def not_finished(status: int, steps: int) -> IntegrationError:
    """The sentence of a run whose time steps got too many or too small."""
    return IntegrationError(stepping.ADVICE[status].format(steps=steps).capitalize() + ".")


def integrate_flow(flow: Flow, start: Array, times: Array) -> stepping.Solution:
    """The flow in its rotating frame at `times`."""
    return stepping.integrate(
        flow.nonlinear, flow.decay, start, times, table=flow.table, coupling=flow.coupling, rtol=flow.rtol, atol=flow.atol,
        max_steps=int(min(MOST_STEPS, MOST_WORK / start.size)),
    )  # fmt: skip


def _run_flow(flow: Flow, times: Array) -> Observed:
    solution = integrate_flow(flow, flow.start, times)
    if solution.status != exponential_adams.DONE:
        raise not_finished(solution.status, solution.steps)
    observed = flow.observe(solution.states, times - times[0])
    if flow.companion is not None:
        rough = _run_flow(flow.companion, times)
        for name in ("coherence", "inversion"):
            dims, values = observed[name]
            away = np.maximum.accumulate(abs(values - rough[name][1]), axis=0)  # what is once off stays off
            observed[f"{name}_error"] = (dims, SAFETY * away + 10 * flow.rtol * abs(values) + flow.atol)
    return observed


@aside
def _run_crowd(problem: Crowd, times: Array) -> Observed:
    solution = waveform_relaxation.integrate(
        problem.equation, problem.omega, problem.rates, problem.coupling, problem.start, times, frame=problem.frame,
        rtol=problem.rtol, atol=problem.atol, each=problem.each, threads=os.cpu_count() or 1,
    )  # fmt: skip
    if solution.status != exponential_adams.DONE:
        raise not_finished(solution.status, solution.steps)
    return problem.observe(solution.means, solution.singles if problem.each else None)


def _afford(linear: Linear, keep_state: bool) -> None:
    """Refuse a run, and a state that is kept, that memory can't hold."""
    if linear.lattice is not None:
        afford(linear.lattice.whole, 16, krylov.MOST + len(linear.charges) * keep_state)
    elif linear.parts is not None and keep_state:
        memory = needed(linear.parts.sizes) + 16.0 * (linear.trace.size + linear.lowering.size)
        if memory > available():
            raise TooLargeError(memory, available())


def _state(linear: Linear, states: Mapping[int, Array]) -> Observed:
    """The density matrix at the last of `states`; charge -1 is the conjugate of 1, and no other is ever asked for."""
    return {f"state_{q}": ((f"component_{q}",), states[q][-1].copy()) for q in linear.charges}


def _run_large(linear: Linear, runs: list[Iterator[Array]], keep_state: bool) -> Observed:
    """Each time is observed as soon as it is reached: all states together would not fit."""
    rows = []
    for now in zip(*runs, strict=True):
        states = {q: v[None] for q, v in zip(linear.charges, now, strict=True)}
        trace = float((states[0][0] @ linear.trace).real)
        _check_numbers(trace, states)
        states[0] = states[0] / trace  # the one eigenvalue that is known exactly
        rows.append(linear.observe(states))
    observed = {name: (dims, np.concatenate([row[name][1] for row in rows])) for name, (dims, _) in rows[0].items()}
    return observed | (_state(linear, states) if keep_state else {})


@aside
def _run_linear(linear: Linear, times: Array, keep_state: bool) -> Observed:
    _afford(linear, keep_state)
    if (lattice := linear.lattice) is not None:
        runs = [krylov.motion(linear.block(q), lattice.sites(q), linear.start(q), times) for q in linear.charges]
        return _run_large(linear, runs, keep_state)
    if (parts := linear.parts) is not None:
        runs = [solvers.motion(parts, q, linear.start(q), times, linear.trace) for q in linear.charges]
        return _run_large(linear, runs, keep_state)
    states = moved(linear, times)
    return linear.observe(states) | (_state(linear, states) if keep_state else {})


def moved(linear: Linear, times: Array) -> dict[int, Array]:
    """All states of a small problem at `times`, (time, component) for each charge."""
    states = {q: dense.propagate(linear.block(q), linear.start(q), times, None if q else linear.trace) for q in linear.charges}
    _check_numbers(states[0] @ linear.trace, states)
    return states


def _check_numbers(trace: Any, states: Mapping[int, Array]) -> None:
    """Traces are 1, and what has none is finite."""
    if not np.allclose(trace, 1, rtol=0, atol=1e-6) or not all(np.all(np.isfinite(rho)) for rho in states.values()):
        raise IntegrationError("The trace of the density matrix was lost: the rates are too large for double precision.")


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
    moments, seed = checks.increasing("times", times), checks.seed(seed)
    each, keep_state = checks.flag("each", each), checks.flag("keep_state", keep_state)
    problem, record = lowered(ensemble, theory, initial, seed, each)
    if keep_state and not isinstance(problem, Linear):
        raise InputError(f"Argument `keep_state` must be False for {type(theory).__name__}, {NO_STATE[type(problem)]}.")
    afford_times(problem, moments)
    if isinstance(problem, Crowd):
        observed = _run_crowd(problem, moments)
    elif isinstance(problem, Flow):
        observed = _run_flow(problem, moments)
    elif isinstance(problem, Jumps):
        observed = mean_motion(problem, moments, seed)
    else:
        with one_thread(), in_words(theory, growth=2):
            observed = _run_linear(problem, moments, keep_state)
    kept = {"keep_state": 1, "end": float(moments[-1])} if keep_state else {}
    coordinates = {"time": ("time", moments), **problem.coordinates}
    return dataset(
        observed, coordinates, "evolve", ensemble, theory=theory_record(theory), seed=seed,
        each=int(each), origin=float(moments[0]), initial=record, **kept,
    )  # fmt: skip
