"""phase_diagram: the long-time motion over a grid of any parameters that `replace` takes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.base.memory import check_memory
from spinsync.base.parallel import map_with_progress
from spinsync.base.progress import part
from spinsync.model.ensembles import Ensemble, varied
from spinsync.model.parameters import checked_axis
from spinsync.problems.outcome import NoAnswerError, TooLargeError
from spinsync.questions.errors import error_messages
from spinsync.questions.options import check_distributions, checked_seed, warn_of_cavities, warn_of_other_spins
from spinsync.questions.regimes import batch, checked_start, regime_coordinates, regime_variables
from spinsync.regimes.codes import Status
from spinsync.regimes.engines import engine
from spinsync.regimes.summary import blank
from spinsync.results.datasets import axes_record, dataset, initial_record, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import Theory, check_theory

Answer = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # variables, coordinates, and further options to record
NUMBERS_PER_GROUP, NUMBERS_PER_PAIR = 20, 15  # numbers in memory for each point


@question
def phase_diagram(
    ensemble: Ensemble,
    axes: Mapping[str, Any],
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
    device: str = "cpu",
    threads: int | None = None,
) -> xr.Dataset:
    """The long-time motion at every point of a grid of parameters, or the steady state at a finite number of spins.

    Parameters
    ----------
    ensemble : Ensemble
        Gives all parameters that are not on an axis.
    axes : mapping of str to array
        One or more parameters that `Ensemble.replace` takes, and their values: numbers, or for a frequency a list of
        distributions, which are labelled by their text in the result. The result calls the axis `frequency` A.frequency.
    theory : MeanField or Exact
        MeanField gives regimes; its default tolerances here are rtol=1e-6 and atol=1e-8. At a finite number of spins the
        phase diffuses, so that there is no regime: Exact gives steady states.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Initial Bloch vectors, or a result of mean field whose last state is used; the same at every point. None: the
        seeded initial state of `ensemble`. Mean field only.
    seed : int
        Seed of that initial state; 0 where `initial` is given and at finite N.
    device : str
        "cpu", or "cuda" for an NVIDIA graphics processor, for regimes of up to three groups of one frequency each. Both give
        the same to within rounding. "cuda" needs ``pip install 'numba-cuda[cu12]'`` and is faster for many points only.
    threads : int, optional
        Largest number of threads; by default all that this process may use. The result does not depend on it.

    Returns
    -------
    xarray.Dataset
        In mean field the variables of `regime`, with the axes as their first dims: regime, frequency, amplitude, inversion,
        order_parameter, phase_locking, phase_difference, lyapunov, lyapunov_error, period, order_parameter_range, settled,
        status; NaN as documented there. At finite N the variables of `steady_state`: inversion, order_parameter, correlation,
        inversion_correlation; and settled, False where they are NaN because the steady state is not unique, or cannot be
        resolved in double precision: `steady_state` of that point tells the reason.

    Raises
    ------
    InputError
        If an axis is unknown, varies the same parameter as another axis, or has invalid values, if the device cannot be
        used, the theory has no diagrams, or `initial` is given at finite N.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4). For two or three groups of one frequency each, `period` and
    `order_parameter_range` are computed in diagrams of up to 16 points, and are NaN in larger ones. If several regimes are
    stable at once, the common initial state decides.

    Time on one core: a pair with 512 x 512 points 10 s in mean field; a group with a Lorentzian distribution 30 ms a point;
    with Exact(100) 9 ms a point. With n threads it is an n-th of that.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> diagram = ss.phase_diagram(one, {"coupling": [2.0, 12.0]})
    >>> diagram.amplitude.values[:, 0].round(6)
    array([0.      , 0.166667])

    For 40 spins the transition is a crossover:

    >>> few = ss.phase_diagram(one, {"coupling": [2.0, 4.0, 12.0]}, theory=ss.Exact(40))
    >>> few.order_parameter.values.round(3)
    array([0.223, 0.305, 0.265])
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, "phase_diagram")
    if theory.maps == "regimes":  # type: ignore[attr-defined]
        check_theory(theory, "regime")
    values = _checked_axes(ensemble, axes)
    _check_memory(values, len(ensemble.groups))
    theory, seed = with_defaults(theory, MAPS), checked_seed(theory, "phase_diagram", initial, seed)
    warn_of_other_spins(ensemble, theory)
    warn_of_cavities(ensemble, values)
    compute = {"regimes": _regimes, "steady states": _steady_states}[theory.maps]  # type: ignore[attr-defined]
    with one_blas_thread():
        variables, coordinates, recorded = compute(ensemble, values, theory, initial, seed, device)
    for name, axis in zip(_dims(values), values.values(), strict=True):
        coordinates[name] = (name, axis if axis.dtype != object else np.array([repr(one) for one in axis]))
    return dataset(
        variables, coordinates, "phase_diagram", ensemble, theory=theory_record(theory), seed=seed,
        axes=axes_record(values), device=device, **recorded,
    )  # fmt: skip


def _dims(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the axes in the result, which differ from the names of its variables."""
    return tuple("A.frequency" if name == "frequency" else name for name in values)


def _checked_axes(ensemble: Ensemble, axes: Any) -> dict[str, Any]:
    """The checked values of each axis."""
    if not isinstance(axes, Mapping) or not axes:
        raise checks.argument_error("axes", "a mapping of at least one parameter to its values", axes)
    for name in axes:
        ensemble.recipe.checked_name("axes", name)
    for name in axes:
        single = [] if "." in name else ensemble.recipe.dotted_names(name)
        if single and set(single) <= axes.keys():
            both = f"{name} and {', '.join(single)}"
            raise checks.InputError(f"Argument `axes` must vary each parameter once, but has {both}.")
    return {name: checked_axis(name, axis) for name, axis in axes.items()}


def _check_memory(values: Mapping[str, Any], groups: int) -> None:
    """Raise an InputError if the parameters, motions and results of all points do not fit into memory."""
    numbers = 2 * len(values) + NUMBERS_PER_GROUP * groups + NUMBERS_PER_PAIR * groups**2
    check_memory("axes", prod(axis.size for axis in values.values()), 8.0 * numbers, "points")


def _regimes(ensemble: Ensemble, values: Mapping[str, Any], theory: Any, initial: Any, seed: int, device: str) -> Answer:
    """The long-time motions at all points; those that share their frequency distributions are computed in one batch."""
    engine(device, theory, ensemble.recipe.distributions(values))
    listed = [one for axis in values.values() if axis.dtype == object for one in axis.ravel()]
    check_distributions(theory, (*ensemble.recipe.distributions(values), *listed))
    start, shape = checked_start(ensemble, theory, initial, seed), tuple(axis.size for axis in values.values())
    disorder = [name for name, axis in values.items() if axis.dtype == object]
    numeric = {name: axis for name, axis in values.items() if name not in disorder}
    moved = [list(values).index(name) for name in disorder]
    indices = np.moveaxis(np.arange(prod(shape)).reshape(shape), moved, range(len(moved)))
    found = blank(prod(shape), len(ensemble.groups), Status.FAILED)
    samples = indices.shape[: len(disorder)]
    for number, chosen in enumerate(np.ndindex(samples)):
        model = varied(ensemble, {name: values[name][k] for name, k in zip(disorder, chosen, strict=True)})
        grid = dict(zip(numeric, np.meshgrid(*numeric.values(), indexing="ij"), strict=True))
        rates = model.recipe.rates(**{name: axis.reshape(-1) for name, axis in grid.items()})
        distributions = model.recipe.distributions(numeric)
        points = batch(model, distributions, rates if grid else rates.at(None), theory, start)
        with part(number / prod(samples), (number + 1) / prod(samples)):
            found[indices[chosen].ravel()] = engine(device, theory, distributions)(points)
    recorded = {} if initial is None else {"initial": initial_record(start)}
    return regime_variables(found, _dims(values), shape), regime_coordinates(ensemble), recorded


@in_background
def _steady_states(ensemble: Ensemble, values: Mapping[str, Any], theory: Any, initial: Any, seed: int, device: str) -> Answer:
    """The steady state at each point, NaN where there is none. An error of memory concerns all points and is raised."""
    if initial is not None:
        raise checks.argument_error("initial", "None at finite N, where the steady state does not depend on it", initial)
    if device != "cpu":
        raise checks.argument_error("device", "'cpu' at finite N", device)
    if "spins" in values:
        raise checks.InputError("Argument `axes` must not vary spins at finite N, where the theory sets the number of spins.")

    def solve(index: tuple[int, ...]) -> Any:
        model = varied(ensemble, {name: axis[k] for (name, axis), k in zip(values.items(), index, strict=True)})
        problem = theory.lower(model, None, seed, False)
        try:
            return problem.coordinates, problem.steady_state(seed)
        except TooLargeError:
            raise
        except NoAnswerError as error:
            return error

    dims, shape = _dims(values), tuple(axis.size for axis in values.values())
    with error_messages(theory):
        answers = map_with_progress(solve, list(np.ndindex(shape)))
        solved = [not isinstance(answer, NoAnswerError) for answer in answers]
        if not any(solved):
            raise answers[0]
    coordinates, first = answers[solved.index(True)]
    variables: dict[str, Any] = {"settled": (dims, np.reshape(solved, shape))}
    for name, (group_dims, template) in first.items():
        missing = np.full_like(template, np.nan)
        listed = [answer[1][name][1] if ok else missing for answer, ok in zip(answers, solved, strict=True)]
        variables[name] = ((*dims, *group_dims), np.reshape(listed, (*shape, *template.shape)))
    return variables, dict(coordinates), {}
