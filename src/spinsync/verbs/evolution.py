"""evolve: the motion in time, at any level of theory; rerun repeats a recorded one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.checks import IntegrationError
from spinsync.base.interrupts import aside
from spinsync.base.threads import one_thread
from spinsync.data import bloch_vectors
from spinsync.data.ensembles import Ensemble
from spinsync.data.problems import Crowd, Flow, Jumps, Linear, Observed
from spinsync.data.rates import Array
from spinsync.numerics import coupled, exponential_adams, krylov, linear_flow, stepping, waveform
from spinsync.numerics.elimination import afford
from spinsync.theory.mean_field import MeanField
from spinsync.theory.protocol import Theory, refuse
from spinsync.verbs.averages import mean_motion
from spinsync.verbs.costs import afford_times
from spinsync.verbs.finite_size import in_words
from spinsync.verbs.results import dataset, initial_record, model_of, recorded_theory, theory_record

MOST_STEPS, MOST_WORK = 20e6, 6e8  # time steps of a run, and steps times components
SAFETY = 5.0  # times the distance from a coarser run, which a few classes can underestimate


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
    solution = waveform.integrate(
        problem.equation, problem.omega, problem.rates, problem.coupling, problem.start, times, frame=problem.frame,
        rtol=problem.rtol, atol=problem.atol, each=problem.each, threads=os.cpu_count() or 1,
    )  # fmt: skip
    if solution.status != exponential_adams.DONE:
        raise not_finished(solution.status, solution.steps)
    return problem.observe(solution.means, solution.singles if problem.each else None)


def _run_large(linear: Linear, runs: list[Iterator[Array]]) -> Observed:
    """Each time is observed as soon as it is reached: all states together would not fit."""
    rows = []
    for now in zip(*runs, strict=True):
        states = {q: v[None] for q, v in zip(linear.charges, now, strict=True)}
        trace = float((states[0][0] @ linear.trace).real)
        _check_trace(trace)
        states[0] = states[0] / trace  # the one eigenvalue that is known exactly
        rows.append(linear.observe(states))
    return {name: (dims, np.concatenate([row[name][1] for row in rows])) for name, (dims, _) in rows[0].items()}


@aside
def _run_linear(linear: Linear, times: Array) -> Observed:
    if (lattice := linear.lattice) is not None:
        afford(lattice.whole, 16, krylov.MOST)
        return _run_large(
            linear, [krylov.motion(linear.block(q), lattice.sites(q), linear.start(q), times) for q in linear.charges]
        )
    if (parts := linear.parts) is not None:
        return _run_large(linear, [coupled.motion(parts, q, linear.start(q), times, linear.trace) for q in linear.charges])
    states = {
        q: linear_flow.propagate(linear.block(q), linear.start(q), times, None if q else linear.trace) for q in linear.charges
    }
    _check_trace(states[0] @ linear.trace)
    return linear.observe(states)


def _check_trace(trace: Any) -> None:
    if not np.allclose(trace, 1, rtol=0, atol=1e-6):  # NaN included
        raise IntegrationError("The trace of the density matrix was lost: the rates are too large for double precision.")


def evolve(
    ensemble: Ensemble,
    times: Any,
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
    each: bool = False,
) -> xr.Dataset:
    """How the ensemble moves.

    Parameters
    ----------
    ensemble : Ensemble
    times : array of shape (time,)
        Increasing; in units of 1/rate. `initial` holds at times[0].
    theory : MeanField, Exact, Trajectories or BruteForce
        The level of theory.
    initial : real array of shape (group, 3), optional
        Bloch vectors m = (2 Re s, -2 Im s, z), length at most 1; with each=True also one per spin, (spin, 3): the
        classes of a distribution, or any number of equal spins per group, ordered group by group. None: a small
        random coherence (from `seed`) beside the uncoupled inversion.
    seed : int
        Of that coherence, where group a's depends on (seed, a) alone, and of trajectories, each by (seed, index) alone.
    each : bool
        Add every spin: each group's, its frequency classes, or those that `initial` lists.

    Returns
    -------
    xarray.Dataset
        (time, group): coherence (complex <sigma^->), inversion; (time): order_parameter. A smooth distribution of
        frequencies adds coherence_error and inversion_error, from a coarser run beside this one (not where `initial`
        lists single spins); a finite number of spins adds correlation and inversion_correlation (time, group,
        other_group). Trajectories have no coherence; they add the standard error of each variable, their number in
        trajectories, and whether it sufficed in converged. each=True adds spin_coherence and spin_inversion
        (time, spin) with coordinates spin_group, spin_frequency, spin_weight.

    Raises
    ------
    InputError
        If times do not increase, `initial` does not fit, or the theory does not take the ensemble.
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
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, "evolve")
    moments, seed = checks.increasing("times", times), checks.seed(seed)
    start = None if initial is None else bloch_vectors.checked(initial)
    each = checks.flag("each", each)
    problem = theory.lower(ensemble, start, seed, each)
    afford_times(problem, moments)
    if isinstance(problem, Crowd):
        observed = _run_crowd(problem, moments)
    elif isinstance(problem, Flow):
        observed = _run_flow(problem, moments)
    elif isinstance(problem, Jumps):
        observed = mean_motion(problem, moments, seed)
    else:
        with one_thread(), in_words(theory, growth=2):
            observed = _run_linear(problem, moments)
    coordinates = {"time": ("time", moments), **problem.coordinates}
    return dataset(
        observed, coordinates, "evolve", ensemble, theory=theory_record(theory), seed=seed,
        each=int(each), origin=float(moments[0]),
        initial=initial_record(start),
    )  # fmt: skip


def rerun(result: xr.Dataset) -> xr.Dataset:
    """The same run again, from a result's attributes.

    Parameters
    ----------
    result : xarray.Dataset
        A result of `evolve`, also one read back from disk.

    Raises
    ------
    InputError
        If the dataset records no run, or runs of several numbers of spins are put together in it.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, [0.0, 1.0, 2.0], seed=3)
    >>> ss.rerun(run).identical(run)
    True
    """
    ensemble, recorded = model_of(result), result.attrs
    if recorded.get("verb") != "evolve":
        raise checks.InputError(f"Argument `result` must be a result of evolve, but is one of {recorded.get('verb')}.")
    if "spins" in result.dims:
        raise checks.InputError("Argument `result` must be of one run, but is of several numbers of spins.")
    initial = json.loads(recorded["initial"]) if "initial" in recorded else None
    times, origin = np.atleast_1d(result["time"]), recorded["origin"]
    part = times[0] != origin  # the start belongs to the first time of the whole run
    again = evolve(
        ensemble, np.concatenate([[origin], times]) if part else times, theory=recorded_theory(recorded["theory"]),
        initial=initial, seed=int(recorded["seed"]), each=bool(recorded["each"]),
    )  # fmt: skip
    return again.isel(time=slice(1, None)) if part else again
