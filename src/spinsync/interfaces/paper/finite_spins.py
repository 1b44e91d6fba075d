"""Beyond the article: exact quantum mechanics of N spins, and how mean field emerges from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log2, pi
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import BLUE, GREEN, ORANGE, add_legend, add_letters, key

#: the superradiant laser: no damping, collective decay Gc = 2 V/N; rates in units of N Gc = 2 V
LASER = ss.Ensemble.single(gain=0.5, damping=0.0, coupling=0.5, theta=-pi / 2)
DETUNED = LASER.replace(theta=-1.2)
UNIT = (r"$N\Gamma_\mathrm{c}$", 1.0)  # of the figures
COLOURS = {"synchronized": BLUE, "threshold": ORANGE, "incoherent": GREEN}
GAINS = {"synchronized": 0.5, "threshold": 1.0, "incoherent": 2.0}
#: N -> inversion, pair correlation, leading eigenvalue of coherence order 1 in units of Gc, by the second code in
#: tests/interfaces/paper/test_reference_numbers.py
REFERENCE = {100: (0.509407, 0.116264, -1.005510), 1000: (0.501000, 0.124124, -0.766518)}
DIGITS = "six decimals of a second code: SuperLU and ARPACK on all states |j, m><j, m'|, without truncation"


def over_spins(question: Callable[..., xr.Dataset], *arguments: Any, sizes: Sequence[int]) -> xr.Dataset:
    """The results of a question for several numbers of spins, along the dim `spins`."""
    return xr.concat([question(*arguments, theory=ss.Exact(n)) for n in sizes], "spins")


def chapter(quick: bool, advance: Advance) -> Chapter:
    sizes = (10, 14, 20, 28, 50, 100, 200, 400) if quick else (10, 14, 20, 28, 50, 70, 100, 200, 500, 1000)
    data = {}
    for name, model in {"laser": LASER, "detuned-laser": DETUNED}.items():
        data[f"{name}-steady-state"] = over_spins(ss.steady_state, model, sizes=sizes)
        advance(0.2 * len(data))
    for name, gain in GAINS.items():
        model = LASER.replace(gain=gain)
        data[f"line-{name}"] = over_spins(ss.linewidth, model, sizes=sizes)
        if name != "synchronized":
            data[f"laser-{name}-steady-state"] = over_spins(ss.steady_state, model, sizes=sizes)
        advance(0.4 + 0.05 * len(data))
    data["line-detuned"] = over_spins(ss.linewidth, DETUNED, sizes=sizes)
    offsets = 0.5 * np.sinh(9 * np.linspace(-1, 1, 201)) / np.sinh(9)  # dense around the line
    frequencies = float(ss.limit_cycle(DETUNED).frequency) + offsets
    few = (10, 40, 160) if quick else (10, 100, 1000)
    data["spectra"] = over_spins(ss.emission_spectrum, DETUNED, frequencies, sizes=few)
    advance(0.9)
    return Chapter(
        title="Beyond the article: finite numbers of spins",
        text="<p>The nonlinear equation (3.3), (3.4) holds for infinitely many spins. The same model with <i>N</i> spins is a "
        "Lindblad master equation, which permutation symmetry solves without approximation up to thousands of spins. The "
        "example is the superradiant laser: no damping, <i>θ</i> = −π/2, coupling <i>V</i> = <i>N</i>Γ<sub>c</sub>/2 from a "
        "collective decay Γ<sub>c</sub>. Rates and frequencies of this chapter are in units of <i>N</i>Γ<sub>c</sub> = "
        "2<i>V</i>. The laser emits most light at the gain 0.5; from the gain 1 on it is pumped too strongly to "
        "synchronize.</p><p>At finite <i>N</i> no phase is preferred: the mean coherence vanishes, and synchronization shows "
        "in the correlation of pairs. Order parameter, inversion and frequency converge to their mean-field values, "
        "asymptotically as 1/<i>N</i>; the last two overshoot before. Phase diffusion gives the line a width. In the "
        "synchronized ensemble it vanishes as 1/<i>N</i> (4.7): the symmetry breaks. In the incoherent one it stays finite. "
        "At the threshold between them it vanishes as the square root of 1/<i>N</i>. No two spins are entangled in the steady "
        "states shown here.</p>",
        figures={"approach": _approach(data), "line": _line(data)},
        captions={
            "approach": "Approach to mean field of the detuned laser, <i>θ</i> = −1.2 at the same <i>V</i>, so that its "
            "collective decay is 2<i>V</i>|sin <i>θ</i>|/<i>N</i> = 0.93 Γ<sub>c</sub>; gain 0.5 <i>N</i>Γ<sub>c</sub>: (a) "
            "order parameter, (b) inversion and (c) frequency of its line against 1/<i>N</i>. Circles: exact, joined to guide "
            "the eye. Dots and dashed lines: mean field, (4.2) to (4.4).",
            "line": "The light of <i>N</i> spins. (a) Linewidth (FWHM of the slowest mode) on resonance at three gains, "
            "exact, joined to guide the eye. Dashed: the asymptote for many spins, (4.7) of the synchronized ensemble (gain "
            "0.5) and twice the damping of a small coherence (4.1) of the incoherent one (gain 2). (b) Emission spectrum of "
            "the detuned laser, <i>θ</i> = −1.2, at gain 0.5. Dashed: mean-field frequency (4.3).",
        },
        data=data,
        claims=tuple(_claims(data)),
    )


def _last_two(data: xr.DataArray) -> tuple[float, float]:
    """The values at half the largest number of spins, and at the largest."""
    most = int(data.spins.max())
    return float(data.sel(spins=most // 2).squeeze()), float(data.sel(spins=most).squeeze())


def _extrapolated(data: xr.DataArray) -> float:
    """Linear extrapolation to 1/N = 0."""
    half, most = _last_two(data)
    return 2 * most - half


def _claims(data: dict[str, xr.Dataset]) -> list[Claim]:
    steady, line = data["laser-steady-state"], data["line-synchronized"]
    claims = []
    for n in sorted(set(REFERENCE) & set(steady.spins.values.tolist())):
        z, c, eigenvalue = REFERENCE[n]
        one, width = steady.sel(spins=n), float(line.linewidth.sel(spins=n))
        claims += [
            Claim(f"superradiant laser, N = {n}: inversion", z, float(one.inversion[0]), 1e-6, DIGITS),
            Claim(f"superradiant laser, N = {n}: pair correlation", c, float(one.correlation[0, 0].real), 1e-6, DIGITS),
            Claim(f"superradiant laser, N = {n}: leading eigenvalue of coherence order 1 in units of the collective decay",
                  eigenvalue, -n * width / 2, 1e-6, DIGITS),
        ]  # fmt: skip
    return claims + _convergence(data) + _widths(data) + [_brute_force(), _concurrence(data)]


def _convergence(data: dict[str, xr.Dataset]) -> list[Claim]:
    cycle, claims = ss.limit_cycle(LASER), []
    n = int(data["laser-steady-state"].spins.max()) // 2
    correction = 8 / n
    for name in ("order_parameter", "inversion"):
        half, most = _last_two(abs(data["laser-steady-state"][name] - cycle[name]))
        claim = f"superradiant laser: distance of the {name.replace('_', ' ')} from mean field, N = {n} relative to N = {2 * n}"
        claims.append(Claim(claim, 2, half / most, 2 * correction, "relative corrections of order 1/(N|s|^2) = 8/N"))
    expected = float(ss.limit_cycle(DETUNED).frequency)
    found = _extrapolated(data["line-detuned"].frequency)
    width = data["line-detuned"].linewidth.sel(spins=n) * n / ss.limit_cycle(DETUNED).phase_diffusion
    why = "next order: square of the relative correction to the linewidth, which converges last"
    return [*claims, Claim("detuned laser: frequency for 1/N to 0", expected, found,
                           abs(expected) * (float(width) - 1) ** 2, why)]  # fmt: skip


def _widths(data: dict[str, xr.Dataset]) -> list[Claim]:
    lines = {name: data[f"line-{name}"].linewidth for name in GAINS}
    asymptote = float(ss.limit_cycle(LASER).phase_diffusion)
    scaled = lines["synchronized"] * lines["synchronized"].spins
    incoherent = 2 * LASER.replace(gain=2.0).groups[0].gamma_perp - 2 * float(LASER.replace(gain=2.0).groups[0].z0) * 0.5
    half, most = _last_two(lines["threshold"])
    why = "next order: square of the extrapolated correction"
    return [
        Claim("synchronized: N x linewidth for 1/N to 0, by (4.7)", asymptote, _extrapolated(scaled),
              asymptote * (_last_two(scaled)[0] / asymptote - 1) ** 2, why),
        Claim("incoherent: linewidth for 1/N to 0, twice the damping of a small coherence (4.1)", incoherent,
              _extrapolated(lines["incoherent"]), incoherent * (_last_two(lines["incoherent"])[0] / incoherent - 1) ** 2, why),
        Claim("threshold: exponent of 1/N with which the linewidth falls", 0.5, log2(half / most),
              (2 / int(scaled.spins.max())) ** 0.5, "corrections of relative order N^(-1/2)"),
    ]  # fmt: skip


def _brute_force() -> Claim:
    """Permutation symmetry against full density matrices with 4^N elements."""
    gap = 0.0
    for question, names in ((ss.steady_state, ("inversion", "correlation")), (ss.linewidth, ("frequency", "linewidth"))):
        exact, full = (question(DETUNED, theory=theory) for theory in (ss.Exact(4), ss.BruteForce(4)))
        gap = max(gap, *(float(abs(exact[name] - full[name]).max()) for name in names))
    return Claim("4 spins: largest difference from brute force", 0, gap, 1e-11, "rounding of 4^4 equations")


def _concurrence(data: dict[str, xr.Dataset]) -> Claim:
    datasets = [dataset for name, dataset in data.items() if name.endswith("steady-state")]
    states = [dataset.isel(spins=i) for dataset in datasets for i in range(dataset.sizes["spins"])]
    largest = max(float(ss.pair_measures(state).concurrence.max()) for state in states)
    return Claim("largest concurrence of two spins in all steady states", 0, largest, 0, "exact: concurrence is max(0, ...)")


def _approach(data: dict[str, xr.Dataset]) -> Figure:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.0, 2.6), layout="constrained")
    ss.plot.finite_size(data["detuned-laser-steady-state"], left)
    ss.plot.finite_size(data["detuned-laser-steady-state"], middle, variable="inversion")
    ss.plot.finite_size(data["line-detuned"], right, variable="frequency", unit=UNIT)
    add_letters((left, middle, right))
    add_legend(figure, key("exact (lines guide the eye)", color=BLUE, marker="o", ms=3.6, mfc="white", lw=0.8),
               key("mean field", marker="o", ms=4.5, ls="--", lw=0.8))  # fmt: skip
    return figure


def _line(data: dict[str, xr.Dataset]) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.1), layout="constrained")
    keys = []
    for name, gain in GAINS.items():
        ss.plot.linewidths(data[f"line-{name}"], left, color=COLOURS[name], unit=UNIT)
        keys.append(key(f"{name}, gain {gain:g}", color=COLOURS[name], marker="o", ms=3.6, mfc="white", lw=0.8))
    ss.plot.spectra(data["spectra"], right, unit=UNIT)
    add_letters((left, right))
    add_legend(figure, *keys, key("closed form", ls="--", lw=0.8))
    right.legend(handles=[line for line in right.lines if line.get_label().startswith("$N")], loc="upper right")
    return figure
