"""The light of a finite ensemble: its linewidth and its spectrum."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.base.precision import in_range
from spinsync.base.threads import one_thread
from spinsync.data.ensembles import Ensemble
from spinsync.data.problems import Linear
from spinsync.data.rates import Array
from spinsync.numerics import coupled, leading, markov, resolvent
from spinsync.numerics.boxes import core
from spinsync.theory.protocol import Theory
from spinsync.verbs.finite_size import at_rest, in_words, linear_problem
from spinsync.verbs.results import dataset, theory_record

LARGE = 20_000  # components, from where on the slowest mode is first looked for in the core of the steady state
OUTSIDE = 1e-6  # of the steady state beyond each side of that core


@in_range
def linewidth(ensemble: Ensemble, *, theory: Theory) -> xr.Dataset:
    """Frequency and width of the ensemble's line: the slowest mode of sector +1, equation (9.7).

    frequency = -Im lambda_1, linewidth = -2 Re lambda_1 (full width at half maximum). Its closing as 1/N is the
    spontaneous breaking of the U(1) symmetry.

    Parameters
    ----------
    ensemble : Ensemble
    theory : Exact or BruteForce

    Returns
    -------
    xarray.Dataset
        frequency, linewidth; Exact with one group: frequency_error, linewidth_error, an estimate of what rounding and the
        window cost.

    Raises
    ------
    InputError
        If the theory does not answer this, does not take the ensemble, or the spins are too many for the memory.
    IntegrationError
        If the slowest modes nearly coincide, or the rates are too large for double precision.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> [round(n * float(ss.linewidth(one, theory=ss.Exact(n)).linewidth), 1) for n in (60, 120, 240)]
    [103.8, 87.2, 63.6]
    """
    problem = linear_problem(ensemble, theory, "linewidth")
    with one_thread(), in_words(theory, growth=1):
        value, error = _leading(problem)
    variables: dict[str, Any] = {"frequency": ((), -value.imag), "linewidth": ((), -2 * value.real)}
    if error is not None:
        variables |= {"frequency_error": ((), error), "linewidth_error": ((), 2 * error)}
    return dataset(variables, {}, "linewidth", ensemble, theory=theory_record(theory))


@in_range
def emission_spectrum(ensemble: Ensemble, frequencies: Any, *, theory: Theory) -> xr.Dataset:
    """Spectrum of the light that the ensemble emits collectively in its steady state, equation (9.8).

    S(nu) = 2 Re integral_0^inf exp(i nu tau) <J_+(0) J_-(tau)> d tau, peaked at nu = +frequency of the line; its
    integral over d nu / 2 pi is <J_+ J_->.

    Parameters
    ----------
    ensemble : Ensemble
    frequencies : array of shape (frequency,)
        Increasing, angular.
    theory : Exact or BruteForce

    Returns
    -------
    xarray.Dataset
        (frequency): emission.

    Raises
    ------
    InputError
        If frequencies do not increase, the theory does not answer this or does not take the ensemble, or the steady state
        is not unique.
    IntegrationError
        If the rates are too large for double precision.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2, frequency=5.0)
    >>> light = ss.emission_spectrum(one, np.linspace(0, 10, 101), theory=ss.Exact(200))
    >>> bool(abs(light.emission.idxmax() - ss.limit_cycle(one).frequency) < 0.2)
    True
    """
    problem = linear_problem(ensemble, theory, "emission_spectrum")
    places = checks.increasing("frequencies", frequencies)
    # products of M groups have about N^(3M - 1) components
    with one_thread(), in_words(theory, growth=3 * len(ensemble.groups) - 1 if problem.parts else 1):
        part, rho = at_rest(problem)
        answer = _response(part, part.lowered(rho), places)
    variables: dict[str, Any] = {"emission": (("frequency",), 2 * answer.real)}
    return dataset(variables, {"frequency": ("frequency", places)}, "emission_spectrum", ensemble, theory=theory_record(theory))


def _response(part: Linear, sender: Array, frequencies: Array) -> Array:
    if part.parts is not None:
        return coupled.response(part.parts, sender, part.lowering, frequencies)
    sites = None if part.lattice is None else part.lattice.sites(1)
    return resolvent.response(part.block(1), sites, sender, part.lowering, frequencies)


def _leading(problem: Linear) -> tuple[complex, float | None]:
    """The eigenvalue, and its error where it is known."""
    if problem.parts is not None and problem.lowering.size > leading.DENSE:
        _, rho = at_rest(problem)
        return coupled.slowest_visible(problem.parts, problem.lowered(rho), problem.lowering), None
    if problem.lattice is None:
        return leading.slowest_visible(problem.block(1), problem.lowering), None
    rest = markov.steady(problem.lattice)
    boxes = [rest.box]
    if rest.probability.size > LARGE:
        boxes.insert(0, core(markov.lattice_of(rest.problem).sites(0), rest.probability, OUTSIDE))
    mode = leading.slowest_mode(problem, *boxes)
    return mode.value, mode.error
