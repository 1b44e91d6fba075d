"""Where a run begins: Bloch vectors, the end of another run, or a steady state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import spins_per_group
from spinsync.model.samples import Samples
from spinsync.questions.sentences import in_words
from spinsync.results.datasets import (
    CLASSES,
    CORRELATIONS,
    bloch,
    initial_record,
    recorded_model,
    recorded_theory,
    result_record,
    whole_at,
)  # fmt: skip
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.protocol import Theory, answers, refuse

if TYPE_CHECKING:
    from spinsync.problems.linear.sectors import Sectors

TRACE = 1e-6  # by which a state's trace may differ from 1
SAME = 1e-9  # relative distance of two classes that are one
WAY_ON: Mapping[str, str] = {
    CORRELATIONS: "`evolve` goes on from the run itself with keep_state=True, and `.values` of the vectors are a product state",
    CLASSES: "`evolve` goes on from a run with each=True, and in `.values` of the vectors all classes are alike",
}


def asked(ensemble: Ensemble, theory: Theory, question: str) -> Any:
    """The problem of a theory that answers this question of the steady state; others refuse."""
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, question)
    with in_words(theory):
        return theory.lower(ensemble, None, 0, False)


def lowered(ensemble: Ensemble, theory: Theory, initial: Any, seed: int, each: bool) -> tuple[Any, str | None]:
    """The problem of a run that begins at `initial`, and the record of that start."""
    if isinstance(initial, xr.Dataset) and not any(kind.start_decides for kind in theory.kinds):
        _check_origin(initial, ensemble, type(theory))
        if not _product_state(initial):
            return _continued(ensemble, theory, initial, seed, each)
    start = None if initial is None else vectors(initial, ensemble, type(theory))
    if _from_single_spins(initial):
        _check_spins(initial, ensemble, theory, each)
    with in_words(theory):
        return theory.lower(ensemble, start, seed, each), initial_record(start)


def vectors(initial: Any, ensemble: Ensemble, theory: type = MeanField) -> Array:
    """Bloch vectors at the start, of shape (any, 3): given ones, or those at the last time of a result.
    Raises InputError if they are no vectors, or come from a result whose state they do not hold."""
    found = initial
    if isinstance(initial, xr.Dataset):
        _check_origin(initial, ensemble, theory)
        found = bloch(initial)
        found = found.isel(time=-1) if "time" in found.dims else found
    if isinstance(found, xr.DataArray) and "lost" in found.attrs and _time(found) != found.attrs.get("whole_at"):
        lost = found.attrs["lost"]
        raise InputError(
            f"Argument `initial` must be a whole state, but its Bloch vectors have lost {lost} of their run: {WAY_ON[lost]}."
        )
    return bloch_vectors.checked(found)


def _time(result: xr.Dataset | xr.DataArray) -> float | None:
    """The last time of a result; None where it has none."""
    return float(np.atleast_1d(result["time"])[-1]) if "time" in result.coords and result["time"].size else None


def _product_state(result: xr.Dataset) -> bool:
    """Whether a result of a finite number of spins ends where its run began, with Bloch vectors."""
    time = _time(result)
    return time is not None and time == whole_at(result) and "coherence" in result


def _check_origin(result: xr.Dataset, ensemble: Ensemble, theory: type) -> None:
    """A result to go on from is one run, at the same level of theory, of the same groups."""
    model, made_by = recorded_model(result, "initial"), result.attrs.get("verb")
    if made_by not in ("evolve", "steady_state"):
        raise InputError(
            f"Argument `initial` must be Bloch vectors or a result of evolve or steady_state, but is one of {made_by}."
        )
    if "spins" in result.dims:
        raise InputError("Argument `initial` must be of one run, but is of several numbers of spins.")
    if result.sizes.get("time") == 0:
        raise InputError("Argument `initial` must hold a time to go on from, but holds none.")
    recorded = recorded_theory(result.attrs["theory"])
    if type(recorded) is not theory:
        raise InputError(
            f"Argument `initial` must be a result of {theory.__name__} to go on from, but is one of {type(recorded).__name__}; "
            "`ss.bloch` gives Bloch vectors."
        )
    if model.names != ensemble.names:
        there, here = ", ".join(model.names), ", ".join(ensemble.names)
        raise InputError(f"Argument `initial` must be a result of the groups {here}, but is one of {there}.")


def _from_single_spins(initial: Any) -> bool:
    return isinstance(initial, (xr.Dataset, xr.DataArray)) and "spin_frequency" in initial.coords


def _check_spins(initial: Any, ensemble: Ensemble, theory: Theory, each: bool) -> None:
    """Single spins of a result go on as what they are; the classes of a smooth distribution move with the rates."""
    if initial.sizes["spin"] == len(ensemble.groups):
        return
    if not each:
        raise InputError(
            f"Argument `initial` must hold one Bloch vector for each group unless each=True, but holds {initial.sizes['spin']}."
        )
    smooth = [g.name for g in ensemble.groups if g.distribution is not None and not isinstance(g.distribution, Samples)]
    if smooth:
        classes = theory.lower(ensemble, None, 0, each).coordinates
    for name in smooth:
        there = _places(initial["spin_frequency"].values, initial["spin_weight"].values, initial["spin_group"].values == name)
        here = _places(classes["spin_frequency"][1], classes["spin_weight"][1], classes["spin_group"][1] == name)
        if there.shape != here.shape or np.any(abs(there - here) > SAME * abs(here).max(axis=1, keepdims=True)):
            raise InputError(
                f"Argument `initial` must have the frequency classes of group {name!r}, but has others: those of a smooth "
                "distribution are chosen by the rates, and only Samples of it stay the same spins when rates change."
            )


def _places(frequency: Array, weight: Array, mine: Array) -> Array:
    """Frequencies of a group's classes from their mean, and shares of the group."""
    share = weight[mine] / weight[mine].sum()
    return np.stack([frequency[mine] - share @ frequency[mine], share])


def _continued(ensemble: Ensemble, theory: Theory, result: xr.Dataset, seed: int, each: bool) -> tuple[Any, str]:
    """The problem of a finite number of spins that begins with the state of a result."""
    if not answers(type(theory), "keep_state"):
        raise InputError(
            f"Argument `initial` must be Bloch vectors for {type(theory).__name__}, which keeps no state to go on from."
        )
    with in_words(theory):
        problem: Any = theory.lower(ensemble, None, seed, each)
    before, model = recorded_theory(result.attrs["theory"]), recorded_model(result, "initial")
    there, here = (spins_per_group(one, of.spins).tolist() for one, of in ((model, before), (ensemble, theory)))  # type: ignore[attr-defined]
    if there != here:
        raise InputError(f"Argument `initial` must be a result of as many spins in each group, {here}, but is one of {there}.")
    settled = result.attrs["verb"] == "steady_state"
    kept = _settled(before, model, result) if settled else _kept(problem.sectors, result)
    return problem.starting(kept), json.dumps(result_record(result), default=str)


def _kept(sectors: Sectors, result: xr.Dataset) -> Mapping[int, Array]:
    """The density matrix that a run has kept, one vector for each charge."""
    names = {q: f"state_{q}" for q in sectors.charges}
    if not set(names.values()) <= set(result.data_vars):
        raise InputError(
            "Argument `initial` must be a run with keep_state=True to go on at a finite number of spins, but has kept no "
            "state; `.values` of its Bloch vectors begin a product state."
        )
    if (time := _time(result)) != result.attrs["end"]:
        now = "has no time" if time is None else f"ends at {time:.6g}"
        raise InputError(
            f"Argument `initial` must reach the last time {result.attrs['end']:.6g} of its run, whose state is kept, but {now}."
        )
    kept = {q: np.ascontiguousarray(result[name].values) for q, name in names.items()}
    sizes = {0: sectors.trace.size, 1: sectors.receiver.size}
    fits = all(vector.shape == (sizes[q],) and np.all(np.isfinite(vector)) for q, vector in kept.items())
    if not fits or not abs(kept[0] @ sectors.trace - 1) <= TRACE:
        raise InputError("Argument `initial` must hold the state as it was kept, of trace 1, but it has been changed.")
    return kept


def _settled(theory: Theory, model: Ensemble, result: xr.Dataset) -> Mapping[int, Array]:
    """The steady state, found once more from its model: it keeps nothing, and has no coherence."""
    problem: Any = theory.lower(model, None, 0, False)
    with in_words(theory):
        states: Mapping[int, Array] = problem.state_at_rest()
    seen = problem.sectors.observe({0: states[0][None]})["inversion"][1][0]
    if "inversion" in result and not np.allclose(seen, result["inversion"], rtol=0, atol=TRACE):
        raise InputError("Argument `initial` must be a steady state of the model that it records, but is one of another.")
    return states
