"""Emission of a finite ensemble: linewidth and spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.memory import check_memory
from spinsync.model.ensembles import Ensemble
from spinsync.questions.errors import error_messages
from spinsync.questions.initial_states import steady_state_problem
from spinsync.questions.options import checked_seed, warn_of_other_spins
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.protocol import Theory, check_theory

if TYPE_CHECKING:
    from spinsync.problems.linear.lines import Line

MOST_FREQUENCY = 1e100  # squares of much larger numbers overflow
NEGATIVE = 1e-8  # allowed negative emission by rounding errors, in units of the largest
MOST_ERROR = 0.02  # relative error of a linewidth
LINE = ("frequency", "linewidth", "frequency_error", "linewidth_error", "degenerate")  # the variables of a line


@question
def linewidth(ensemble: Ensemble, *, theory: Theory, modes: int | None = None, spins: int | None = None) -> xr.Dataset:
    """Frequency and width of the emission line: the slowest mode of sector +1 that contributes to <J_->, equation (9.7).

    frequency = -Im lambda_1, linewidth = -2 Re lambda_1 (full width at half maximum), both angular. A linewidth that vanishes
    as 1/N is the finite-N sign of spontaneously broken U(1) symmetry. Cumulants takes the modes of the first-order regression
    (10.23), whose width is off by a factor above threshold, at any number of spins: 2.5 collective decay rates at the optimum
    of the superradiant laser, where the exact width is 1.5, and too narrow with strong exchange. MeanField answers for many
    spins, by the phase diffusion (4.7).

    Parameters
    ----------
    ensemble : Ensemble
        In mean field one group of one frequency.
    theory : MeanField, Cumulants, Exact or BruteForce
    modes : int, optional
        Number of lines, the narrowest first, lines of equal width by descending frequency; by default only the first, and
        in mean field there is no other.
    spins : int, optional
        Number of spins in mean field, at least 100/|s|^2; by default that of `Ensemble.cavity`. Other theories have their own.

    Returns
    -------
    xarray.Dataset
        frequency and linewidth (angular, full width at half maximum); frequency_error and linewidth_error, numerical errors;
        degenerate, whether another line has the same width within the errors. Scalars; with `modes` all have the dim mode.
        Mean field has no numerical errors; its linewidth is too small by two to three times 1/(N|s|^2), relative to it.

    Raises
    ------
    InputError
        If the theory does not answer this question or does not support the ensemble, there are too many spins for the memory,
        or fewer lines than `modes`; with Cumulants if the frequencies of a group are spread so far that there is no line
        between those of free spins; in mean field if there is no limit cycle, or if the noise is not small, 1/(N|s|^2) > 0.01.
    IntegrationError
        If the slowest modes nearly coincide, the rates differ by too many orders of magnitude for double precision, or the
        coupling is too strong for the iteration of several groups.

    Notes
    -----
    A line is an eigenvalue of sector +1 that contributes to <J_->(t) for some initial state that is symmetric under
    permutations within groups. Modes that do not contribute because of a symmetry, such as two equal groups in antiphase, are
    left out. In a mirror-symmetric pair two lines can have equal widths, at frequencies above and below the centre: the first
    one is that of the higher frequency, and `degenerate` is true.

    The mode of a cavity is eliminated: the line of a kept one is narrower, by (1 + 2 Gamma_perp/kappa_c)^2 with a cavity on
    resonance and many spins. Where `CavityWarning` is given, this factor is large.

    Time on one core with Exact, three times above the threshold: one group of 1000 spins 2 s, of 3000 spins 8 s at theta =
    -pi/2 and 14 s at other angles, where all frequencies are searched; two groups of 10 spins 1 s, of 20 spins 4 s, ten far
    above the threshold. Each further line of `modes` takes about as long as the first one. MeanField takes milliseconds, and
    so does Cumulants for a few groups; 200 sampled frequencies take 0.3 s, 1000 10 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> [round(n * float(ss.linewidth(one, theory=ss.Exact(n)).linewidth), 1) for n in (60, 120, 240)]
    [103.8, 87.2, 63.6]

    Second order, for a broad line of ten thousand spins:

    >>> broad = one.replace(frequency=ss.Gaussian(1.0))
    >>> round(10**4 * float(ss.linewidth(broad, theory=ss.Cumulants(10**4)).linewidth))
    151

    A million spins:

    >>> many = ss.linewidth(one, theory=ss.MeanField(), spins=10**6)
    >>> round(10**6 * float(many.linewidth), 6)
    42.0

    A million strontium atoms in a cavity, in 1/s; the linewidth in mHz (the page "A strontium laser in Hz" has more):

    >>> line, cavity = 2 * np.pi * 1e-3, 2 * np.pi * 150e3
    >>> g = np.sqrt(0.41 * line * cavity) / 2
    >>> strontium = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=g, cavity_decay=cavity, gain=1288.0, damping=line)
    >>> round(float(ss.linewidth(strontium, theory=ss.MeanField()).linewidth) / (2 * np.pi) * 1e3, 3)
    0.615

    Two lines at opposite frequencies:

    >>> pair = ss.Ensemble.pair(detuning=2.0, gain=0.5, damping=0.1, coupling=1.0, theta=-np.pi / 2)
    >>> both = ss.linewidth(pair, theory=ss.Exact(4), modes=2)
    >>> both.frequency.round(6).values.tolist(), both.degenerate.values.tolist()
    ([1.042846, -1.042846], [True, True])
    """
    if isinstance(theory, MeanField):
        return _many_spin_linewidth(ensemble, theory, modes, spins)
    if spins is not None:
        check_theory(theory, "linewidth")
        raise checks.argument_error("spins", f"None for {theory!r}, which has its own number of spins", spins)
    number = 1 if modes is None else checks.whole("modes", modes, 1)
    problem = steady_state_problem(ensemble, theory, "linewidth")
    with error_messages(theory):
        found = problem.lines(number)
    listed = line_variables(ensemble, found)
    variables = {name: (("mode",), array) if modes is not None else ((), array[0]) for name, array in listed.items()}
    return dataset(variables, {}, "linewidth", ensemble, theory=theory_record(theory), modes=modes)


def _many_spin_linewidth(ensemble: Any, theory: MeanField, modes: Any, spins: Any) -> xr.Dataset:
    """The linewidth in mean field, whose number of spins is given or that of a cavity."""
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    if modes is not None:
        raise checks.argument_error("modes", "None for MeanField, which has one line", modes)
    own = ensemble.recipe.parameters.get("spins")
    if spins is None and own is None:
        raise checks.InputError(
            "Argument `spins` must be given for MeanField, as the ensemble is no cavity with spins of its own, but is missing."
        )
    number = checks.whole("spins", own if spins is None else spins, 1)
    warn_of_other_spins(ensemble, theory, number)
    frequency, width = theory.lines(ensemble, number)
    variables = {"frequency": frequency, "linewidth": width, "degenerate": False}
    return dataset(variables, {"spins": number}, "linewidth", ensemble, theory=theory_record(theory), spins=number)


def line_variables(ensemble: Ensemble, found: list[Line]) -> dict[str, Array]:
    """The variables of lines, each of shape (mode,).

    Raises OverflowError if the error of a line exceeds MOST_ERROR of its half width, or of the least Gamma_perp if larger.
    """
    relaxing = ensemble.rates.gamma_perp[ensemble.rates.gamma_perp > 0]
    least = float(relaxing.min()) if relaxing.size else np.inf
    if any(line.error > MOST_ERROR * max(abs(line.value.real), least) for line in found):
        raise OverflowError
    values, errors = np.array([line.value for line in found]), np.array([line.error for line in found])
    degenerate = np.array([line.degenerate for line in found])
    return dict(zip(LINE, (-values.imag, -2 * values.real, errors, 2 * errors, degenerate), strict=True))


@question
def emission_spectrum(ensemble: Ensemble, frequencies: Any, *, theory: Theory, seed: int = 0) -> xr.Dataset:
    """Spectrum of the collective emission in the steady state, equation (9.8).

    S(nu) = 2 Re integral_0^inf exp(i nu tau) <J_+(0) J_-(tau)> d tau, has its peak at the frequency of the line, and
    its integral over d nu / 2 pi is <J_+ J_->. With Cumulants (10.23): of a line whose width is off by a factor above
    threshold, as in `linewidth`, and without the light of the tails of a Lorentzian distribution that no frequency class
    holds.

    Parameters
    ----------
    ensemble : Ensemble
    frequencies : array of shape (frequency,)
        Increasing; angular frequencies nu.
    theory : Cumulants, TruncatedWigner, Exact or BruteForce
    seed : int
        Seed of the samples of TruncatedWigner; 0 for other theories.

    Returns
    -------
    xarray.Dataset
        (frequency): emission S(nu), in units of 1/rate. TruncatedWigner adds emission_error; where there is little light,
        S may be negative within it.

    Raises
    ------
    InputError
        If frequencies do not increase or exceed 1e100, the theory does not answer this question or does not support the
        ensemble, or the steady state is not unique.
    IntegrationError
        If the rates are too large for double precision, or differ by too many orders of magnitude; with TruncatedWigner if the
        light stays coherent for more than a thousand relaxation times.

    Notes
    -----
    Time on one core, nearly independent of the number of frequencies: one group of 800 spins 4 s; two groups of 10 spins 8 s;
    with Cumulants as long as a steady state; with 100 samples of TruncatedWigner 100 spins 3 s, 1000 spins, whose line is
    narrower, some 100 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2, frequency=5.0)
    >>> light = ss.emission_spectrum(one, np.linspace(0, 10, 101), theory=ss.Exact(200))
    >>> bool(abs(light.emission.idxmax() - ss.limit_cycle(one).frequency) < 0.2)
    True
    """
    problem = steady_state_problem(ensemble, theory, "emission_spectrum")
    nu = checks.increasing("frequencies", frequencies)
    check_memory("frequencies", nu.size, 20 * 8.0, "numbers")
    if abs(nu).max() > MOST_FREQUENCY:
        raise checks.argument_error("frequencies", f"at most {MOST_FREQUENCY:g} in size", nu[np.argmax(abs(nu))])
    seed = checked_seed(theory, "steady_state", None, seed)
    with error_messages(theory):
        if problem.stochastic:
            variables = problem.response(nu, seed)
        else:
            variables = {"emission": (("frequency",), 2 * problem.response(nu).real)}
    emission = variables["emission"][1]
    if not problem.stochastic and emission.min() < -NEGATIVE * emission.max():
        raise OverflowError
    return dataset(
        variables, {"frequency": ("frequency", nu)}, "emission_spectrum", ensemble, theory=theory_record(theory),
        seed=seed if problem.stochastic else None,
    )  # fmt: skip
