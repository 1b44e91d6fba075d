"""The light of a finite ensemble: its linewidth and its spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.memory import check_memory
from spinsync.model.ensembles import Ensemble
from spinsync.questions.initial_states import asked
from spinsync.questions.sentences import in_words
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.protocol import Theory

if TYPE_CHECKING:
    from spinsync.problems.linear.lines import Line

FARTHEST = 1e100  # frequency: squares of much larger ones overflow
NEGATIVE = 1e-8  # of the largest emission: none is below zero
BLURRED = 0.02  # relative error of a width


@question
def linewidth(ensemble: Ensemble, *, theory: Theory, modes: int | None = None) -> xr.Dataset:
    """Frequency and width of the ensemble's line: the slowest mode of sector +1 that <J_-> shows, equation (9.7).

    frequency = -Im lambda_1, linewidth = -2 Re lambda_1 (full width at half maximum). Its closing as 1/N is the
    spontaneous breaking of the U(1) symmetry.

    Parameters
    ----------
    ensemble : Ensemble
    theory : Exact or BruteForce
    modes : int, optional
        How many lines, the narrowest first, and those of one width by descending frequency; by default only the first one.

    Returns
    -------
    xarray.Dataset
        frequency, linewidth (angular); frequency_error, linewidth_error, an estimate of what rounding and the method cost;
        degenerate, whether another line is as narrow, within the errors. With `modes` each has the dimension mode.

    Raises
    ------
    InputError
        If the theory does not answer this, does not take the ensemble, the spins are too many for the memory, or there are
        fewer lines than `modes`.
    IntegrationError
        If the slowest modes nearly coincide, the rates differ by too many orders for double precision, or the coupling is
        too strong for the iteration of several groups.

    Notes
    -----
    A line is an eigenvalue of sector +1 with which <J_-> moves from some start that is symmetric under permutations within
    groups. A mode that a symmetry hides from J_-, as that of two equal groups in opposite phase, is none.
    In a mirror-symmetric pair two lines can be equally narrow, one above and one below the centre: the first one is that of
    the higher frequency, and `degenerate` is true.

    Two groups of 20 spins take two to five seconds on one core, and ten far above the threshold; one group of 3000 some ten.
    A line on standard error tells how far it is.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> [round(n * float(ss.linewidth(one, theory=ss.Exact(n)).linewidth), 1) for n in (60, 120, 240)]
    [103.8, 87.2, 63.6]

    Two lines that mirror each other:

    >>> pair = ss.Ensemble.pair(detuning=2.0, gain=0.5, damping=0.1, coupling=1.0, theta=-np.pi / 2)
    >>> both = ss.linewidth(pair, theory=ss.Exact(4), modes=2)
    >>> both.frequency.round(6).values.tolist(), both.degenerate.values.tolist()
    ([1.042846, -1.042846], [True, True])
    """
    number = 1 if modes is None else checks.whole("modes", modes, 1)
    problem = asked(ensemble, theory, "linewidth")
    with in_words(theory):
        found = problem.lines(number)
    _sharp(ensemble, found)
    values, errors = np.array([line.value for line in found]), np.array([line.error for line in found])
    listed = {
        "frequency": -values.imag, "linewidth": -2 * values.real, "frequency_error": errors, "linewidth_error": 2 * errors,
        "degenerate": np.array([line.degenerate for line in found]),
    }  # fmt: skip
    variables = {name: (("mode",), of_all) if modes is not None else ((), of_all[0]) for name, of_all in listed.items()}
    return dataset(variables, {}, "linewidth", ensemble, theory=theory_record(theory), modes=modes)


def _sharp(ensemble: Ensemble, found: list[Line]) -> None:
    """Widths beside large frequencies are known to some digits, or not told; a width of zero is one beside that of a spin."""
    relaxing = ensemble.rates.gamma_perp[ensemble.rates.gamma_perp > 0]
    least = float(relaxing.min()) if relaxing.size else np.inf
    if any(line.error > BLURRED * max(abs(line.value.real), least) for line in found):
        raise OverflowError


@question
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
        If frequencies do not increase or exceed 1e100, the theory does not answer this or does not take the ensemble, or the
        steady state is not unique.
    IntegrationError
        If the rates are too large for double precision, or differ by too many orders.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2, frequency=5.0)
    >>> light = ss.emission_spectrum(one, np.linspace(0, 10, 101), theory=ss.Exact(200))
    >>> bool(abs(light.emission.idxmax() - ss.limit_cycle(one).frequency) < 0.2)
    True
    """
    problem = asked(ensemble, theory, "emission_spectrum")
    places = checks.increasing("frequencies", frequencies)
    check_memory("frequencies", places.size, 20 * 8.0, "numbers")
    if abs(places).max() > FARTHEST:
        raise checks.argument_error("frequencies", f"at most {FARTHEST:g} in size", places[np.argmax(abs(places))])
    with in_words(theory):
        emission = 2 * problem.response(places).real
    if emission.min() < -NEGATIVE * emission.max():
        raise OverflowError
    variables: dict[str, Any] = {"emission": (("frequency",), emission)}
    return dataset(variables, {"frequency": ("frequency", places)}, "emission_spectrum", ensemble, theory=theory_record(theory))
