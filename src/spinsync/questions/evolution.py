"""evolve: the motion in time, at any level of theory; rerun repeats a recorded one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.base.memory import afford
from spinsync.base.precision import in_range
from spinsync.model.ensembles import Ensemble
from spinsync.questions.initial_states import lowered
from spinsync.questions.sentences import in_words
from spinsync.results.datasets import dataset, model_of, recorded_theory, theory_record, times_of
from spinsync.theory.mean_field.theory import TRAJECTORY, MeanField
from spinsync.theory.options import completed
from spinsync.theory.protocol import Problem, Theory, answers, refuse

COMPLEX, REAL = 16, 8  # bytes


def afford_times(problem: Problem, times: Array) -> None:
    """Refuse more times than memory can hold states or results of.

    Raises
    ------
    InputError
        With the estimate.
    """
    groups = problem.coordinates["group"][1].size
    results = REAL + groups * (COMPLEX + REAL + groups * (COMPLEX + REAL))
    afford("times", len(times), problem.bytes_per_time(results), "times")


@in_range
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
    theory = completed(theory, TRAJECTORY)
    moments, seed = checks.increasing("times", times), checks.seed(seed)
    each, keep_state = checks.flag("each", each), checks.flag("keep_state", keep_state)
    if keep_state and not answers(type(theory), "keep_state"):
        raise InputError(f"Argument `keep_state` must be False for {type(theory).__name__}, {theory.why['keep_state']}.")
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


@in_range
def rerun(result: xr.Dataset) -> xr.Dataset:
    """The same run again, from a result's attributes; one that went on from others begins with these.

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
    model_of(result)
    if (made_by := result.attrs.get("verb")) != "evolve":
        raise InputError(f"Argument `result` must be a result of evolve, but is one of {checks.line(str(made_by))}.")
    if "spins" in result.dims:
        raise InputError("Argument `result` must be of one run, but is of several numbers of spins.")
    return _again(result.attrs, times_of(result, "result"))


def _again(recorded: Mapping[str, Any], times: Array) -> xr.Dataset:
    """The run of these attributes, and the runs that it went on from before; the result holds `times`."""
    for name in ("model", "theory", "seed", "each", "origin"):
        if name not in recorded:
            raise InputError(f"Argument `result` must record {name}, but does not.")
    keep_state, origin = bool(recorded.get("keep_state", 0)), checks.real("origin", recorded["origin"])
    each = bool(checks.whole("each", recorded["each"], 0, 1))
    first = [origin] if times[0] != origin else []  # the start belongs to the first time of the run
    end = checks.real("end", recorded.get("end")) if keep_state else times[-1]
    last = [end] if times[-1] != end else []  # and what is kept to the last
    again = evolve(
        model_of(xr.Dataset(attrs={"model": recorded["model"]})), np.concatenate([first, times, last]),
        theory=recorded_theory(recorded["theory"]), initial=_recorded_start(recorded.get("initial")),
        seed=checks.seed(recorded["seed"]), each=each, keep_state=keep_state,
    )  # fmt: skip
    return again.isel(time=slice(len(first), len(first) + len(times))) if first or last else again


def _recorded_start(recorded: Any) -> Any:
    """What `initial` was: nothing, Bloch vectors, or a result that a run went on from, made again."""
    try:
        start = json.loads(recorded) if isinstance(recorded, str) else recorded
        if not isinstance(start, dict):
            return start
        return _again(start, np.array(start["times"])) if start["verb"] == "evolve" else xr.Dataset(attrs=start)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError):
        raise checks.complain("initial", "recorded in the result as evolve wrote it", recorded) from None
