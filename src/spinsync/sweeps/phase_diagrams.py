"""phase_diagram: the long-time motion over any parameters that `replace` takes."""

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
from spinsync.base.progress import ProgressLine, map_with_progress, progress
from spinsync.model.ensembles import Ensemble
from spinsync.model.parameters import checked_axis
from spinsync.problems.outcome import NoAnswerError, TooLargeError
from spinsync.questions.regimes import batch, checked_start, described, places
from spinsync.questions.sentences import in_words
from spinsync.regimes.codes import Status
from spinsync.regimes.engines import engine
from spinsync.regimes.summary import blank
from spinsync.results.datasets import axes_record, dataset, initial_record, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import completed
from spinsync.theory.protocol import Theory, refuse

Shown = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # variables, coordinates, and what else is recorded
GROUP, PAIR = 20, 15  # numbers that a point takes for each group, and for each two of them


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
        Gives every parameter that is no axis.
    axes : mapping of str to array
        One or more parameters that `Ensemble.replace` takes, and their values: numbers, or for a frequency a list of
        distributions, which the result calls by their text. In the result the axis `frequency` is called by its other
        name, A.frequency.
    theory : MeanField or Exact
        MeanField shows regimes; its accuracy is 1e-6 and 1e-8 where it leaves them open. At a finite number of spins the
        phase diffuses, and there is no regime: Exact shows steady states.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors at the start, or a result of mean field whose last state they are; the same
        at every point. None: the seeded start of `ensemble`. Mean field only.
    seed : int
        Of that start.
    device : str
        "cpu", or "cuda" for an NVIDIA graphics processor, which takes regimes of up to three groups of one frequency each;
        both give the same to within rounding. It needs ``pip install 'spinsync[cuda]'``, and pays for many points.
    threads : int, optional
        At most so many; by default all that this process may use. Without influence on the result.

    Returns
    -------
    xarray.Dataset
        In mean field the variables of `regime`, with the axes as their first dims: regime, frequency, amplitude, inversion,
        order_parameter, phase_locking, phase_difference, lyapunov, lyapunov_error, period, order_parameter_range, settled,
        status; NaN where it says. At finite N those of `steady_state`: inversion, order_parameter, correlation,
        inversion_correlation; and settled, False where they are NaN because a point has no unique steady state, or none that
        double precision can tell: `steady_state` of that point says which.

    Raises
    ------
    InputError
        If an axis is unknown, varies what another one varies, or holds values that its parameter does not take, the device
        cannot be used, the theory shows no diagrams, or `initial` is given at finite N.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4). Of two or three groups of one frequency each, `period` and
    `order_parameter_range` are found in diagrams of up to 16 points, and are NaN in larger ones. Where several regimes are
    stable at once, the common start decides.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> diagram = ss.phase_diagram(one, {"coupling": [2.0, 12.0]})
    >>> diagram.amplitude.values[:, 0].round(6)
    array([0.      , 0.166667])

    A transition of 40 spins is no line:

    >>> few = ss.phase_diagram(one, {"coupling": [2.0, 4.0, 12.0]}, theory=ss.Exact(40))
    >>> few.order_parameter.values.round(3)
    array([0.223, 0.305, 0.265])
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, "phase_diagram")
    values = _checked_axes(ensemble, axes)
    _afford(values, len(ensemble.groups))
    theory, seed = completed(theory, MAPS), checks.seed(seed)
    show = {"regimes": _regimes, "steady states": _steady_states}[theory.maps]  # type: ignore[attr-defined]
    with one_blas_thread(), progress("phase diagram") as line:
        variables, coordinates, recorded = show(ensemble, values, theory, initial, seed, device, line)
    for name, axis in zip(_dims(values), values.values(), strict=True):
        coordinates[name] = (name, axis if axis.dtype != object else np.array([repr(one) for one in axis]))
    return dataset(
        variables, coordinates, "phase_diagram", ensemble, theory=theory_record(theory), seed=seed,
        axes=axes_record(values), device=device, **recorded,
    )  # fmt: skip


def _dims(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The axes as the result calls them: none by the name of a variable."""
    return tuple("A.frequency" if name == "frequency" else name for name in values)


def _checked_axes(ensemble: Ensemble, axes: Any) -> dict[str, Any]:
    """The values of each axis."""
    if not isinstance(axes, Mapping) or not axes:
        raise checks.argument_error("axes", "a mapping of at least one parameter to its values", axes)
    for name in axes:
        ensemble.recipe.known("axes", name)
    for name in axes:
        single = [] if "." in name else ensemble.recipe.entries(name)
        if single and set(single) <= axes.keys():
            both = f"{name} beside {', '.join(single)}"
            raise checks.InputError(f"Argument `axes` must vary each parameter once, but has {both}.")
    return {name: checked_axis(name, axis) for name, axis in axes.items()}


def _afford(values: Mapping[str, Any], groups: int) -> None:
    """Refuse more points than memory can hold parameters, motions and results of."""
    numbers = 2 * len(values) + GROUP * groups + PAIR * groups**2
    check_memory("axes", prod(axis.size for axis in values.values()), 8.0 * numbers, "points")


def _regimes(
    ensemble: Ensemble, values: Mapping[str, Any], theory: Any, initial: Any, seed: int, device: str, line: ProgressLine
) -> Shown:
    """The long-time motion at all points: all of those at once that share their distributions of frequencies."""
    engine(device, theory, ensemble.recipe.distributions(values))
    start, shape = checked_start(ensemble, theory, initial, seed), tuple(axis.size for axis in values.values())
    spreads = [name for name, axis in values.items() if axis.dtype == object]
    numbers = {name: axis for name, axis in values.items() if name not in spreads}
    order = np.moveaxis(np.arange(prod(shape)).reshape(shape), [list(values).index(n) for n in spreads], range(len(spreads)))
    found = blank(prod(shape), len(ensemble.groups), Status.FAILED)
    for which in np.ndindex(order.shape[: len(spreads)]):
        here = ensemble.replace(**{name: values[name][k] for name, k in zip(spreads, which, strict=True)})
        grid = dict(zip(numbers, np.meshgrid(*numbers.values(), indexing="ij"), strict=True))
        rates = here.recipe.rates(**{name: one.reshape(-1) for name, one in grid.items()})
        spread = here.recipe.distributions(numbers)
        shared = batch(here, spread, rates if grid else rates.at(None), theory, start, line)
        found[order[which].ravel()] = engine(device, theory, spread)(shared)
    recorded = {} if initial is None else {"initial": initial_record(start)}
    return described(found, _dims(values), shape), places(ensemble), recorded


@in_background
def _steady_states(
    ensemble: Ensemble, values: Mapping[str, Any], theory: Any, initial: Any, seed: int, device: str, line: ProgressLine
) -> Shown:
    """The steady state at each point, NaN where there is none; memory is missed by all points alike."""
    if initial is not None:
        raise checks.argument_error("initial", "None at finite N, where the steady state does not depend on it", initial)
    if device != "cpu":
        raise checks.argument_error("device", "'cpu' at finite N", device)
    if "spins" in values:
        raise checks.InputError("Argument `axes` must not vary spins at finite N, where the theory says how many there are.")

    def one(place: tuple[int, ...]) -> Any:
        here = ensemble.replace(**{name: axis[k] for (name, axis), k in zip(values.items(), place, strict=True)})
        problem = theory.lower(here, None, seed, False)
        try:
            return problem.coordinates, problem.rest(seed)
        except TooLargeError:
            raise
        except NoAnswerError as error:
            return error

    dims, shape = _dims(values), tuple(axis.size for axis in values.values())
    with in_words(theory):
        found = map_with_progress(one, list(np.ndindex(shape)), line)
        settled = [not isinstance(one, NoAnswerError) for one in found]
        if not any(settled):
            raise found[0]
    coordinates, first = found[settled.index(True)]
    variables: dict[str, Any] = {"settled": (dims, np.reshape(settled, shape))}
    for name, (own, like) in first.items():
        listed = [one[1][name][1] if there else np.full_like(like, np.nan) for one, there in zip(found, settled, strict=True)]
        variables[name] = ((*dims, *own), np.reshape(listed, (*shape, *like.shape)))
    return variables, dict(coordinates), {}
