"""Initial states of runs: Bloch vectors, the last time of another run, or a steady state."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import split_by_weight
from spinsync.model.samples import Samples
from spinsync.questions.errors import error_messages
from spinsync.questions.options import check_distributions, warn_of_other_spins
from spinsync.results import datasets
from spinsync.results.datasets import bloch, initial_record, recorded_model, recorded_theory, result_record, whole_at
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.protocol import Theory, answers, check_theory, who_answers

STATE_ERROR = 1e-6  # allowed difference of the inversion of a state from that of its result
CLASS_ERROR = 1e-9  # allowed relative difference of frequencies and weights of equal frequency classes
SPINS = ("spin_frequency", "spin_weight", "spin_group")  # coordinates of single spins
ADVICE: Mapping[str, str] = {
    datasets.CORRELATIONS: "`evolve` continues the run itself with keep_state=True, and `.values` of the vectors define a "
    "product state",
    datasets.CLASSES: "`evolve` continues a run with each=True, and `.values` of the vectors define a state with equal classes",
}


def steady_state_problem(ensemble: Ensemble, theory: Theory, question: str) -> Any:
    """The problem for a question about the steady state. Raises InputError if the theory does not answer it."""
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, question)
    warn_of_other_spins(ensemble, theory)
    with error_messages(theory):
        return theory.lower(ensemble, None, 0, False)


def initial_value_problem(ensemble: Ensemble, theory: Theory, initial: Any, seed: int, each: bool) -> tuple[Any, str | None]:
    """The problem of a run that starts at `initial`, and the record of this initial state for the result."""
    check_distributions(theory, (group.distribution for group in ensemble.groups))
    warn_of_other_spins(ensemble, theory)
    if isinstance(initial, xr.Dataset) and not any(kind.start_decides for kind in theory.kinds):
        _check_origin(initial, ensemble, type(theory))
        if not _product_state(initial):
            return _continued(ensemble, theory, initial, seed, each)
    start = None if initial is None else initial_vectors(initial, ensemble, type(theory))
    if isinstance(initial, (xr.Dataset, xr.DataArray)) and "spin_frequency" in initial.coords:
        _check_spins(initial, ensemble, theory, each)
    with error_messages(theory):
        return theory.lower(ensemble, start, seed, each), initial_record(start)


def initial_vectors(initial: Any, ensemble: Ensemble, theory: type = MeanField) -> Array:
    """Initial Bloch vectors, shape (group or spin, 3): the given ones, or those at the last time of a result.
    Raises InputError if they are not Bloch vectors, or not the complete state of the result that they come from."""
    found = initial
    if isinstance(initial, xr.Dataset):
        _check_origin(initial, ensemble, theory)
        found = bloch(initial)
        found = found.isel(time=-1) if "time" in found.dims else found
    if isinstance(found, xr.DataArray) and "lost" in found.attrs and _time(found) != found.attrs.get("whole_at"):
        lost = checks.one_line(str(found.attrs["lost"]))
        advice = f": {ADVICE[lost]}" if lost in ADVICE else ""
        raise InputError(
            f"Argument `initial` must be a complete state, but its Bloch vectors have lost {lost} of their run{advice}."
        )
    return bloch_vectors.checked(found)


def _time(result: xr.Dataset | xr.DataArray) -> float | None:
    """The last time of a result; None where it has none."""
    return float(np.atleast_1d(result["time"])[-1]) if "time" in result.coords and result["time"].size else None


def _product_state(result: xr.Dataset) -> bool:
    """Whether the last time of a result at finite N is the start of its run from Bloch vectors, i.e. a product state."""
    time = _time(result)
    return time is not None and time == whole_at(result) and "coherence" in result


def _check_origin(result: xr.Dataset, ensemble: Ensemble, theory: type) -> None:
    """Check that a result to continue is one run with the same theory and the same groups."""
    model, made_by = recorded_model(result, "initial"), result.attrs.get("verb")
    if made_by not in ("evolve", "steady_state"):
        raise InputError(
            f"Argument `initial` must be Bloch vectors or a result of evolve or steady_state, but is one of {made_by}."
        )
    if "spins" in result.dims:
        raise InputError("Argument `initial` must be of one run, but is of several numbers of spins.")
    if result.sizes.get("time") == 0:
        raise InputError("Argument `initial` must hold a time to go on from, but holds none.")
    recorded = recorded_theory(result.attrs.get("theory"))
    if type(recorded) is not theory:
        raise InputError(
            f"Argument `initial` must be a result of {theory.__name__} to go on from, but is one of {type(recorded).__name__}; "
            "`ss.bloch` gives Bloch vectors."
        )
    if model.names != ensemble.names:
        there, here = ", ".join(model.names), ", ".join(ensemble.names)
        raise InputError(f"Argument `initial` must be a result of the groups {here}, but is one of {there}.")


def _check_spins(initial: Any, ensemble: Ensemble, theory: Theory, each: bool) -> None:
    """Check that single spins of a result fit the ensemble: frequency classes of a smooth distribution depend on its rates."""
    if initial.sizes["spin"] == len(ensemble.groups):
        return
    if not each:
        raise InputError(
            f"Argument `initial` must hold one Bloch vector for each group unless each=True, but holds {initial.sizes['spin']}."
        )
    given = {name: initial[name].values for name in SPINS}
    _check_classes(ensemble, given, lambda: theory.lower(ensemble, None, 0, each).coordinates)


def _check_classes(ensemble: Ensemble, given: Mapping[str, Array], coordinates: Callable[[], Any]) -> None:
    """Check that given single spins are the classes of the ensemble with these coordinates, where a distribution is smooth."""
    smooth = [g.name for g in ensemble.groups if g.distribution is not None and not isinstance(g.distribution, Samples)]
    if smooth:
        found = coordinates()
        classes = {name: found[name][1] for name in SPINS}
    for group in smooth:
        there, here = (_classes(spins, group) for spins in (given, classes))
        if there.shape != here.shape or np.any(abs(there - here) > CLASS_ERROR * abs(here).max(axis=1, keepdims=True)):
            raise InputError(
                f"Argument `initial` must have the frequency classes of group {group!r}, but has others: those of a smooth "
                "distribution are chosen by the rates, and only Samples of it stay the same spins when rates change."
            )


def _classes(spins: Mapping[str, Array], group: str | None) -> Array:
    """Frequencies relative to their mean and normalized weights of the classes of one group, shape (2, class)."""
    frequency, weight = (spins[name][spins["spin_group"] == group] for name in ("spin_frequency", "spin_weight"))
    share = weight / weight.sum()
    return np.stack([frequency - share @ frequency, share])


def _continued(ensemble: Ensemble, theory: Theory, result: xr.Dataset, seed: int, each: bool) -> tuple[Any, str]:
    """The problem of N spins that starts from the state that a result keeps, and the record of that result."""
    if not answers(type(theory), "keep_state"):
        raise InputError(
            f"Argument `initial` must be Bloch vectors for {type(theory).__name__}, which keeps no state to go on from; "
            f"{who_answers('keep_state')} keeps one."
        )
    symmetric = "anomalous_covariance" not in result  # a start with coherence asks for all the moments that are kept
    start = None if symmetric else bloch_vectors.random_start(ensemble.rates, 0)
    with error_messages(theory):
        problem: Any = theory.lower(ensemble, start, seed, each)
    before, model = recorded_theory(result.attrs.get("theory")), recorded_model(result, "initial")
    there, here = (split_by_weight(one, of.spins).tolist() for one, of in ((model, before), (ensemble, theory)))  # type: ignore[attr-defined]
    if there != here:
        raise InputError(f"Argument `initial` must be a result of as many spins in each group, {here}, but is one of {there}.")
    if any(group.distribution is not None for group in ensemble.groups):
        before_spins = before.lower(model, None, 0, True).coordinates
        given = {name: before_spins[name][1] for name in SPINS}
        _check_classes(ensemble, given, lambda: theory.lower(ensemble, None, 0, True).coordinates)
    is_steady = result.attrs["verb"] == "steady_state"
    state = _steady_state(before, model, result) if is_steady else _kept_state(problem, result)
    return problem.with_state(state), json.dumps(result_record(result), default=str)


def _kept_state(problem: Any, result: xr.Dataset) -> Mapping[str, Array]:
    """The state at the end of a run with keep_state=True, as vectors with names."""
    sizes: Mapping[str, int] = problem.state_sizes
    if not set(sizes) <= set(result.data_vars):
        raise InputError(
            "Argument `initial` must be a run with keep_state=True to go on at a finite number of spins, but has kept no "
            "state; `.values` of its Bloch vectors begin a product state."
        )
    if (time := _time(result)) != (end := checks.real("end", result.attrs.get("end"))):
        now = "has no time" if time is None else f"ends at {time:.6g}"
        raise InputError(f"Argument `initial` must reach the last time {end:.6g} of its run, whose state is kept, but {now}.")
    kept = {name: np.ascontiguousarray(result[name].values) for name in sizes}
    fits = all(vector.shape == (sizes[name],) and np.all(np.isfinite(vector)) for name, vector in kept.items())
    if not fits or not _same_inversion(problem, kept, np.atleast_2d(result["inversion"])[-1]):
        raise InputError("Argument `initial` must hold the state as it was kept, but it has been changed.")
    return kept


def _steady_state(theory: Theory, model: Ensemble, result: xr.Dataset) -> Mapping[str, Array]:
    """The state of a steady state, computed again from the recorded model, as the result does not contain it."""
    problem: Any = theory.lower(model, None, 0, False)
    with error_messages(theory):
        state: Mapping[str, Array] = problem.steady_state_vectors()
    if "inversion" in result and not _same_inversion(problem, state, result["inversion"]):
        raise InputError("Argument `initial` must be a steady state of the model that it records, but is one of another.")
    return state


def _same_inversion(problem: Any, state: Mapping[str, Array], inversion: Any) -> bool:
    """Whether a state is one, and has this inversion of the groups."""
    return problem.is_state(state) and np.allclose(problem.inversion_of(state), inversion, rtol=0, atol=STATE_ERROR)
