"""(j) Beyond the article: exact quantum mechanics of N spins, and how mean field emerges from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log2, pi
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.report.claims import Advance, Claim, Section

#: the superradiant laser: no damping, collective decay Gc = 2 V/N; the unit of rates is 2 V = N Gc
LASER = ss.Ensemble.single(gain=0.5, damping=0.0, coupling=0.5, theta=-pi / 2)
DETUNED = LASER.replace(theta=-1.2)
GAINS = {"synchronized": 0.5, "threshold": 1.0, "incoherent": 2.0}
#: N -> inversion, pair correlation, leading eigenvalue of sector 1 in units of Gc: an independent solution of these sectors
KNOWN = {100: (0.509407, 0.116264, -1.005510), 1000: (0.501000, 0.124124, -0.766518)}
GIVEN = "six digits are given"


def over_spins(ask: Callable[..., xr.Dataset], *given: Any, sizes: Sequence[int]) -> xr.Dataset:
    """A question at several numbers of spins, in one dataset."""
    return xr.concat([ask(*given, theory=ss.Exact(n)) for n in sizes], "spins")


def chapter(quick: bool, advance: Advance) -> Section:
    sizes = (10, 14, 20, 28, 50, 100, 200) if quick else (10, 14, 20, 28, 50, 70, 100, 200, 500, 1000)
    data = {}
    for name, model in {"laser": LASER, "detuned-laser": DETUNED}.items():
        data[f"{name}-rest"] = over_spins(ss.steady_state, model, sizes=sizes)
        advance(0.2 * len(data))
    for name, gain in GAINS.items():
        model = LASER.replace(gain=gain)
        data[f"line-{name}"] = over_spins(ss.linewidth, model, sizes=sizes)
        advance(0.4 + 0.05 * len(data))
    data["line-detuned"] = over_spins(ss.linewidth, DETUNED, sizes=sizes)
    close = 0.5 * np.sinh(9 * np.linspace(-1, 1, 201)) / np.sinh(9)  # dense around the line
    places = float(ss.limit_cycle(DETUNED).frequency) + close
    few = (10, 40, 160) if quick else (10, 100, 1000)
    data["spectra"] = over_spins(ss.emission_spectrum, DETUNED, places, sizes=few)
    advance(0.9)
    return Section(
        title="Beyond the article: finite numbers of spins",
        text="<p>The article's equation holds for infinitely many spins. The same model with <i>N</i> spins is a Lindblad "
        "master equation, which permutation symmetry solves without approximation up to thousands of spins. The example is "
        "the superradiant laser: no damping, <i>θ</i> = −π/2, coupling <i>V</i> = <i>N</i>Γ<sub>c</sub>/2 from a collective "
        "decay Γ<sub>c</sub>. Rates are in units of 2<i>V</i>. At the gain 0.5 it shines brightest; from the "
        "gain 1 on it is pumped too hard to synchronize.</p>"
        "<p>At finite <i>N</i> no phase is preferred: the mean coherence vanishes, and order is in the correlation of pairs. "
        "Order parameter, inversion and frequency tend to their mean-field values, in the end as 1/<i>N</i>; the "
        "last two overshoot before. Noise scatters the phase, so that the line has a width. In the synchronized ensemble it "
        "closes as 1/<i>N</i> (4.7): the symmetry breaks. In the incoherent one it stays finite. On the threshold between "
        "them it closes as the root of 1/<i>N</i>. "
        "No two spins are entangled in the synchronized steady states.</p>",
        figures={"approach": _approach(data), "line": _line(data)},
        captions={
            "approach": "Order parameter, inversion and frequency of the detuned laser (<i>θ</i> = −1.2) against 1/<i>N</i>; "
            "black: mean field.",
            "line": "Left: linewidth on resonance; dashed: the law (4.7) of many spins, and the damping of a small coherence. "
            "Right: spectrum of the detuned laser's light; dashed: mean-field frequency (4.3).",
        },
        data=data,
        claims=tuple(_claims(data)),
    )


def _last_two(data: xr.DataArray) -> tuple[float, float]:
    """At half the largest number of spins, and at the largest."""
    most = int(data.spins.max())
    return float(data.sel(spins=most // 2).squeeze()), float(data.sel(spins=most).squeeze())


def _extrapolated(data: xr.DataArray) -> float:
    """To 1/N = 0 along a straight line."""
    half, most = _last_two(data)
    return 2 * most - half


def _claims(data: dict[str, xr.Dataset]) -> list[Claim]:
    rest, line = data["laser-rest"], data["line-synchronized"]
    claims = []
    for n in sorted(set(KNOWN) & set(rest.spins.values.tolist())):
        z, c, eigenvalue = KNOWN[n]
        here, width = rest.sel(spins=n), float(line.linewidth.sel(spins=n))
        claims += [
            Claim(f"superradiant laser, N = {n}: inversion", z, float(here.inversion[0]), 1e-6, GIVEN),
            Claim(f"superradiant laser, N = {n}: pair correlation", c, float(here.correlation[0, 0].real), 1e-6, GIVEN),
            Claim(f"superradiant laser, N = {n}: leading eigenvalue of sector 1 in units of the collective decay",
                  eigenvalue, -n * width / 2, 1e-6, GIVEN),
        ]  # fmt: skip
    return claims + _approaches(data) + _widths(data) + [_judged(), _entangled(data)]


def _approaches(data: dict[str, xr.Dataset]) -> list[Claim]:
    cycle, claims = ss.limit_cycle(LASER), []
    n = int(data["laser-rest"].spins.max()) // 2
    noise = 8 / n
    for name in ("order_parameter", "inversion"):
        half, most = _last_two(abs(data["laser-rest"][name] - cycle[name]))
        said = f"superradiant laser: distance of the {name.replace('_', ' ')} from mean field, that at N = {n} over N = {2 * n}"
        claims.append(Claim(said, 2, half / most, 2 * noise, "relative corrections of order 1/(N|s|^2) = 8/N"))
    expected = float(ss.limit_cycle(DETUNED).frequency)
    found = _extrapolated(data["line-detuned"].frequency)
    width = data["line-detuned"].linewidth.sel(spins=n) * n / ss.limit_cycle(DETUNED).phase_diffusion
    why = "curvature: square of the relative correction to the linewidth, which converges last"
    return [*claims, Claim("detuned laser: frequency for 1/N to 0", expected, found,
                           abs(expected) * (float(width) - 1) ** 2, why)]  # fmt: skip


def _widths(data: dict[str, xr.Dataset]) -> list[Claim]:
    lines = {name: data[f"line-{name}"].linewidth for name in GAINS}
    law = float(ss.limit_cycle(LASER).phase_diffusion)
    scaled = lines["synchronized"] * lines["synchronized"].spins
    left = 2 * LASER.replace(gain=2.0).groups[0].gamma_perp - 2 * float(LASER.replace(gain=2.0).groups[0].z0) * 0.5
    half, most = _last_two(lines["threshold"])
    why = "curvature: square of the correction that is taken out"
    return [
        Claim("synchronized: N x linewidth for 1/N to 0, by (4.7)", law, _extrapolated(scaled),
              law * (_last_two(scaled)[0] / law - 1) ** 2, why),
        Claim("incoherent: linewidth for 1/N to 0, twice the damping of a small coherence (4.1)", left,
              _extrapolated(lines["incoherent"]), left * (_last_two(lines["incoherent"])[0] / left - 1) ** 2, why),
        Claim("threshold: linewidth falls as this power of 1/N", 0.5, log2(half / most),
              (2 / int(scaled.spins.max())) ** 0.5, "corrections of relative order N^(-1/2)"),
    ]  # fmt: skip


def _judged() -> Claim:
    """Permutation symmetry against matrices of all 4^N elements."""
    gap = 0.0
    for verb, names in ((ss.steady_state, ("inversion", "correlation")), (ss.linewidth, ("frequency", "linewidth"))):
        exact, judge = (verb(DETUNED, theory=theory) for theory in (ss.Exact(4), ss.BruteForce(4)))
        gap = max(gap, *(float(abs(exact[name] - judge[name]).max()) for name in names))
    return Claim("4 spins: largest difference from brute force", 0, gap, 1e-11, "rounding of 4^4 equations")


def _entangled(data: dict[str, xr.Dataset]) -> Claim:
    each = [rest.isel(spins=i) for rest in (data["laser-rest"], data["detuned-laser-rest"]) for i in range(rest.sizes["spins"])]
    largest = max(float(ss.pair_measures(state).concurrence.max()) for state in each)
    return Claim("largest concurrence of two spins in the synchronized steady states", 0, largest, 0, "it is max(0, ...)")


def _approach(data: dict[str, xr.Dataset]) -> Figure:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.0, 2.4), layout="constrained")
    ss.plot.finite_size(data["detuned-laser-rest"], left)
    ss.plot.finite_size(data["detuned-laser-rest"], middle, variable="inversion")
    ss.plot.finite_size(data["line-detuned"], right, variable="frequency")
    right.set_ylabel(r"frequency  $\Omega/2V$")
    return figure


def _line(data: dict[str, xr.Dataset]) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 2.8), layout="constrained")
    for name, gain in GAINS.items():
        ss.plot.linewidths(data[f"line-{name}"], left, label=f"{name}, gain {gain:g}")
    left.legend(loc="lower left")
    left.set_ylabel(r"linewidth, FWHM / $2V$")
    ss.plot.spectra(data["spectra"], right)
    right.set(xlabel=r"frequency  $\nu/2V$", ylabel=r"emission  $S(\nu)\,2V/N^2$")
    return figure
