"""compare: the time evolution of an ensemble at several levels of theory, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model.ensembles import Ensemble
from spinsync.model.realizability import Validity
from spinsync.problems.observed import Observed
from spinsync.questions.errors import error_messages
from spinsync.questions.evolution import check_times_memory
from spinsync.questions.initial_states import initial_value_problem
from spinsync.results.datasets import dataset, theories_record, theory_label
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import TRAJECTORY
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import Theory, check_theory, seed_matters


@question
def compare(ensemble: Ensemble, times: Any, *, theories: Iterable[Theory], initial: Any = None, seed: int = 0) -> xr.Dataset:
    """Time evolution of one ensemble at several levels of theory, from the same initial state.

    Parameters
    ----------
    ensemble : Ensemble
    times : array of shape (time,)
        Increasing, in units of 1/rate. The initial state holds at times[0].
    theories : list of MeanField, Cumulants, TruncatedWigner, Exact, Trajectories, BruteForce
        At least one, each once.
    initial : real array of shape (group, 3), optional
        Bloch vectors m = (2 Re s, -2 Im s, z) of length at most 1, one per group, of a product state at finite N. None: the
        small random coherence of `evolve`.
    seed : int
        Seed of this coherence, and of theories that draw random numbers, as in `evolve`. Must be 0 where nothing is drawn.

    Returns
    -------
    xarray.Dataset
        All variables of `evolve` with the additional first dim theory, whose coordinate are the theories as text; variables
        that a theory does not have are NaN there (in `status`: the code -1). The coordinate spins (theory) holds the number
        of spins, infinite in mean field.

    Raises
    ------
    InputError
        If theories are none or equal, one of them does not answer `evolve`, or the arguments do not fit one of them.
    IntegrationError
        If too many or too small time steps are needed.

    Notes
    -----
    It takes the time of all runs together; see `evolve`. The page on validity shows where each level of theory fails.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> levels = ss.compare(one, np.linspace(0, 5, 51), theories=[ss.MeanField(), ss.Exact(10), ss.Exact(100)])
    >>> levels.order_parameter.sel(time=5.0).to_series().round(3).to_dict()
    {'MeanField': 0.333, 'Exact(10)': 0.0, 'Exact(100)': 0.299}
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    listed = _checked_theories(theories)
    times, seed = checks.increasing("times", times), checks.seed(seed)
    if isinstance(initial, xr.Dataset):
        raise InputError("Argument `initial` must be Bloch vectors, from which every theory can start, but is a Dataset.")
    seeds = [seed if seed_matters(theory, "evolve", initial is not None) else 0 for theory in listed]
    if seed and not any(seeds):
        raise checks.argument_error("seed", "left at 0 where `initial` is given, as nothing else is random", seed)
    started = [initial_value_problem(ensemble, one, initial, its, False) for one, its in zip(listed, seeds, strict=True)]
    for problem, _ in started:
        check_times_memory(problem, times)
    record, coordinates, runs = started[0][1], dict[str, Any](), list[Observed]()
    for theory, its in zip(listed, seeds, strict=True):
        problem, _ = started.pop(0)  # not kept longer than needed: problems hold their matrices
        with error_messages(theory):
            runs.append(problem.motion(times, its))
        coordinates |= problem.coordinates
    coordinates |= {
        "time": ("time", times), "theory": ("theory", np.array([theory_label(one) for one in listed])),
        "spins": ("theory", np.array([float(getattr(one, "spins", np.inf)) for one in listed])),
    }  # fmt: skip
    return dataset(
        side_by_side(runs), coordinates, "compare", ensemble, theories=theories_record(listed), seed=seed,
        origin=float(times[0]), initial=record,
    )  # fmt: skip


def _checked_theories(theories: Any) -> list[Theory]:
    """The theories with the options that they are run with. Raises InputError unless they are different ones."""
    if isinstance(theories, Mapping) or not checks.has_entries(theories) or isinstance(theories, type):
        raise checks.argument_error("theories", "a list of theories, such as [MeanField(), Exact(100)]", theories)
    listed = list(theories)
    if not listed:
        raise InputError("Argument `theories` must hold at least one theory, but is empty.")
    for one in listed:
        check_theory(one, "evolve")
    listed = [with_defaults(one, TRAJECTORY) for one in listed]
    labels = [theory_label(one) for one in listed]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise InputError(
            f"Argument `theories` must hold each theory once, but holds {twice[0]} {labels.count(twice[0])} times."
        )
    return listed


def side_by_side(runs: Sequence[Observed]) -> Observed:
    """The variables of all runs along a first dim theory; NaN where a run has none, and NOT_TESTED in `status`."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: _stacked(name, [run.get(name) for run in runs]) for name in names}


def _stacked(name: str, found: Sequence[tuple[tuple[str, ...], Array] | None]) -> tuple[tuple[str, ...], Array]:
    """One variable of all runs, as `side_by_side` returns it."""
    dims, example = next(one for one in found if one is not None)
    if name == "status":
        dtype, missing = np.dtype(np.int8), float(Validity.NOT_TESTED)
    else:
        dtype = np.result_type(float, *[np.asarray(one[1]).dtype for one in found if one is not None])
        missing = np.nan
    out = np.full((len(found), *np.shape(example)), missing, dtype)
    for i, one in enumerate(found):
        if one is not None:
            out[i] = one[1]
    return ("theory", *dims), out
