"""phase_diagram: the long-time motion over a grid of any parameters that `replace` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import joined
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.base.memory import check_memory
from spinsync.base.parallel import map_with_progress
from spinsync.model.ensembles import Ensemble, varied
from spinsync.model.parameters import checked_axis
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NoAnswerError, TooLargeError
from spinsync.questions.errors import error_messages
from spinsync.questions.light import LINE, line_variables
from spinsync.questions.options import check_distributions, checked_seed, warn_of_cavities, warn_of_other_spins
from spinsync.questions.regimes import checked_start, regime_coordinates, regime_variables
from spinsync.regimes.engines import engine, motions_of_batches
from spinsync.results.datasets import axes_record, dataset, initial_record, theory_record
from spinsync.results.registry import question
from spinsync.sweeps.realizations import DIM, Disorder, averaged, checked_disorder, regime_axis
from spinsync.sweeps.regimes_at_points import batches_at_points, motions_at_points
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import Theory, check_theory

Answer = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # variables, coordinates, and further options to record
NUMBERS_PER_GROUP, NUMBERS_PER_PAIR = 20, 15  # numbers in memory for each point
NUMBERS_OF_OBJECTS = 200  # the same for the objects of a point that is advanced alone, as those of realizations are


@question
def phase_diagram(
    ensemble: Ensemble,
    axes: Mapping[str, Any],
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    realizations: int | None = None,
    spins: int | None = None,
    linewidth: bool = False,
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
    theory : MeanField, Cumulants or Exact
        MeanField gives regimes; its default tolerances here are rtol=1e-6 and atol=1e-8. At a finite number of spins the
        phase diffuses, so that there is no regime: Exact and Cumulants give steady states.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Initial Bloch vectors, or a result of mean field whose last state is used; the same at every point. None: the
        seeded initial state of `ensemble`. Mean field only.
    realizations : int, optional
        Number of realizations of the frequency disorder, at least 2. Each one has random frequencies in place of every
        Lorentzian, Gaussian and Uniform distribution of the ensemble, the same ones at all points of the diagram, and the
        result holds means over the realizations. Realization k depends on `seed` and k only. Mean field only; takes as long
        as so many diagrams of `Samples`: with 400 spins about a second per realization and point.
    spins : int, optional
        Number of random frequencies of one realization. Given with `realizations`; it must split over the groups by weight.
    linewidth : bool
        Whether the result also holds the variables of `ss.linewidth`. Exact and Cumulants only, and with Cumulants of second
        order: above the threshold its width is off by a factor, to either side (`ss.linewidth`).
    seed : int
        Seed of that initial state and of the realizations; 0 where nothing is random: without realizations where `initial` is
        given, and at finite N.
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
        inversion_correlation, with Cumulants also inversion_covariance and stable; and settled, False where they are NaN
        because the steady state is not unique, or cannot be resolved in double precision: `steady_state` of that point tells
        the reason. With `linewidth` also frequency, linewidth (angular, full width at half maximum), frequency_error,
        linewidth_error and degenerate, NaN and False where no line is found: `linewidth` of that point tells the reason.

        With realizations: each number is the mean over the realizations that have a value, with its standard error
        `<name>_error` (of the phase difference circular mean and error) and their number `<name>_count`; regime_fraction, the
        share of the realizations in each regime, over an additional dim of the regime codes, takes the place of regime,
        settled and status; there is no numerical error of the Lyapunov exponent.

    Raises
    ------
    InputError
        If an axis is unknown, varies the same parameter as another axis, or has invalid values, if the device cannot be
        used, the theory has no diagrams, `initial` is given at finite N, or `linewidth` in mean field. With realizations: if
        no frequency has a distribution with a density, `spins` are not given or do not split over the groups, or an axis
        varies a weight or holds distributions; `spins` without realizations.

    Notes
    -----
    Mean field: equations (3.1), (3.3), (3.4). For two or three groups of one frequency each, `period` and
    `order_parameter_range` are computed in diagrams of up to 16 points, and are NaN in larger ones. If several regimes are
    stable at once, the common initial state decides.

    Time on one core: a pair with 512 x 512 points 10 s in mean field; a group with a Lorentzian distribution 30 ms a point;
    with Exact(100) 9 ms a point, 35 ms with the line; with Cumulants of any number 7 and 14 ms. With n threads it is an n-th
    of that.

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

    The line of a million spins, broad below the threshold and narrow above, where second order is 1.9 times too broad here:

    >>> many = ss.phase_diagram(one, {"coupling": [2.0, 12.0]}, theory=ss.Cumulants(10**6), linewidth=True)
    >>> many.linewidth.values.round(6)
    array([2.000018e+00, 8.000000e-05])

    Twenty random frequencies, mean and standard error over five realizations; infinitely many have R = 0.315:

    >>> wide = one.replace(frequency=ss.Gaussian(1.0))
    >>> drawn = ss.phase_diagram(wide, {"coupling": [8.0]}, realizations=5, spins=20)
    >>> [float(x[0].round(3)) for x in (drawn.order_parameter, drawn.order_parameter_error)]
    [0.32, 0.005]
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, "phase_diagram")
    if theory.maps == "regimes":  # type: ignore[attr-defined]
        check_theory(theory, "regime")
    values = checked_axes(ensemble, axes)
    disorder = checked_disorder(ensemble, values, theory, realizations, spins, checks.seed(seed))
    _check_memory(values, len(ensemble.groups), disorder)
    seed = checked_seed(theory, "phase_diagram", initial, seed) if disorder is None else disorder.seed
    theory = with_defaults(theory, MAPS)
    warn_of_other_spins(ensemble, theory)
    warn_of_cavities(ensemble, values)
    lines = checks.flag("linewidth", linewidth)
    if lines and theory.maps == "regimes":  # type: ignore[attr-defined]
        raise checks.argument_error("linewidth", f"False for {type(theory).__name__}, whose diagrams hold regimes", linewidth)
    kinds: Mapping[str, Callable[..., Answer]] = {
        "regimes": _regimes, "steady states": partial(_steady_states, lines=lines),
    }  # fmt: skip
    compute = kinds[theory.maps]  # type: ignore[attr-defined]
    with one_blas_thread():
        variables, coordinates, recorded = compute(ensemble, values, theory, initial, seed, device, disorder)
    for name, axis in zip(dims_of(values), values.values(), strict=True):
        coordinates[name] = (name, axis if axis.dtype != object else np.array([repr(one) for one in axis]))
    return dataset(
        variables, coordinates, "phase_diagram", ensemble, theory=theory_record(theory), seed=seed,
        axes=axes_record(values), device=device, realizations=realizations, spins=spins,
        linewidth=1 if lines else None, **recorded,
    )  # fmt: skip


def dims_of(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the axes in the result, which differ from the names of its variables."""
    return tuple("A.frequency" if name == "frequency" else name for name in values)


def checked_axes(ensemble: Ensemble, axes: Any) -> dict[str, Any]:
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


def _check_memory(values: Mapping[str, Any], groups: int, disorder: Disorder | None) -> None:
    """Raise an InputError if the parameters, motions and results of all points do not fit into memory."""
    numbers = 2 * len(values) + NUMBERS_PER_GROUP * groups + NUMBERS_PER_PAIR * groups**2
    if disorder is not None:
        numbers = (numbers + NUMBERS_OF_OBJECTS) * disorder.realizations
    check_memory("axes", prod(axis.size for axis in values.values()), 8.0 * numbers, "points")


def _regimes(
    ensemble: Ensemble, values: Mapping[str, Any], theory: Any, initial: Any, seed: int, device: str, disorder: Disorder | None
) -> Answer:
    """The long-time motions at all points, or the averages of their realizations."""
    distributions = ensemble.recipe.distributions(values)
    engine(device, theory, distributions)
    listed = [one for axis in values.values() if axis.dtype == object for one in axis.ravel()]
    check_distributions(theory, (*(distributions if disorder is None else disorder.drawn(distributions, 0)), *listed))
    start, shape = checked_start(ensemble, theory, initial, seed), tuple(axis.size for axis in values.values())
    columns = dict(zip(values, (axis.ravel() for axis in np.meshgrid(*values.values(), indexing="ij")), strict=True))
    recorded = {} if initial is None else {"initial": initial_record(start)}
    coordinates, dims = regime_coordinates(ensemble), dims_of(values)
    if disorder is None:
        found = motions_at_points(ensemble, columns, theory, start, device=device)
        return regime_variables(found, dims, shape), coordinates, recorded
    count = range(disorder.realizations)
    (whole,), _ = batches_at_points(ensemble, columns, theory, start)
    drawn = [replace(whole, distributions=disorder.drawn(distributions, k)) for k in count]
    everywhere = joined(motions_of_batches(drawn, device))
    means = averaged(regime_variables(everywhere, (DIM, *dims), (len(count), *shape)))
    return means, coordinates | {"regime": regime_axis()}, recorded


@in_background
def _steady_states(
    ensemble: Ensemble,
    values: Mapping[str, Any],
    theory: Any,
    initial: Any,
    seed: int,
    device: str,
    disorder: None,
    lines: bool,
) -> Answer:
    """The steady state at each point, NaN where there is none. An error of memory concerns all points and is raised.

    lines : whether each also has the variables of its line
    """
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
            found = problem.steady_state(seed)
            return problem.coordinates, found | _line(model, problem) if lines else found
        except TooLargeError:
            raise
        except NoAnswerError as error:
            return error

    dims, shape = dims_of(values), tuple(axis.size for axis in values.values())
    with error_messages(theory):
        answers = map_with_progress(solve, list(np.ndindex(shape)))
        solved = [not isinstance(answer, NoAnswerError) for answer in answers]
        if not any(solved):
            raise answers[0]
    coordinates, first = answers[solved.index(True)]
    variables: dict[str, Any] = {"settled": (dims, np.reshape(solved, shape))}
    for name, (group_dims, template) in first.items():
        missing = np.full_like(template, np.nan) if np.issubdtype(template.dtype, np.inexact) else np.zeros_like(template)
        listed = [answer[1][name][1] if ok else missing for answer, ok in zip(answers, solved, strict=True)]
        variables[name] = ((*dims, *group_dims), np.reshape(listed, (*shape, *template.shape)))
    return variables, dict(coordinates), {}


def _line(model: Ensemble, problem: Any) -> Observed:
    """The variables of the line of a model, NaN and False where it has none."""
    try:
        found = line_variables(model, problem.lines(1))
    except TooLargeError:
        raise
    except (NoAnswerError, OverflowError):
        found = {name: np.array([False if name == "degenerate" else np.nan]) for name in LINE}
    return {name: ((), values[0]) for name, values in found.items()}
