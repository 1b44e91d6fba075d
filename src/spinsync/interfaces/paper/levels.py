"""One model at five levels of theory: what each of them leaves out, measured against the exact solution."""

from __future__ import annotations

from math import exp, pi
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import add_legend, add_letters

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-pi / 2)
SPINS = 100
START = [[0.1, 0.0, 0.5]]  # the inversion of uncoupled spins, and an order parameter of 0.1
TIMES = np.linspace(0, 4, 161)
SAMPLES = 1000
#: level of theory -> its name, from the coarsest to the exact one
LEVELS: dict[Any, str] = {
    ss.MeanField(): "mean field",
    ss.Cumulants(SPINS): "second-order cumulants",
    ss.TruncatedWigner(SPINS, SAMPLES): "truncated Wigner",
    ss.Trajectories(SPINS): "trajectories",
    ss.Exact(SPINS): "exact",
}
MANY = (400, 800)  # spins: there a distance from the exact steady state is a power law
INVERSION = 0.163935  # of 100 spins, by the second code in tests/interfaces/paper/test_reference_numbers.py
NAMES = ("order_parameter", "inversion")


def chapter(quick: bool, advance: Advance) -> Chapter:
    data = {"levels": ss.compare(ONE, TIMES, theories=list(LEVELS), initial=START)}
    advance(0.7)
    data |= {f"levels-steady-state-{n}": ss.steady_state(ONE, theory=ss.Exact(n)) for n in (SPINS, *MANY)}
    data |= {f"levels-second-order-{n}": ss.steady_state(ONE, theory=ss.Cumulants(n)) for n in MANY}
    advance(0.9)
    return Chapter(
        title="One model at five levels of theory",
        text="<p>Mean field leaves out all noise. Second-order cumulants have the correlations of two spins and leave out "
        "those of three and more, at a cost that does not depend on <i>N</i>. Truncated Wigner follows classical spins with "
        "the noise of the quantum ones. Trajectories and the exact solution leave out nothing; trajectories have an error of "
        "sampling. All five follow one model here, of 100 spins where a theory knows their number, from one weakly "
        "synchronized state.</p><p>Quantum noise drives the spins away from the incoherent state as strongly as the weak "
        "start does: mean field, which has none, is late. In its steady state the order parameter is too large, by an error of "
        "1/<i>N</i>. Second order is closer in the order parameter, but not in the inversion, which is too low: here its "
        "error is several times that of mean field. Both errors of both theories fall as 1/<i>N</i> for many spins.</p>",
        figures={"levels": _figure(data["levels"])},
        captions={
            "levels": "One ensemble at five levels of theory: κ = 3γ, <i>V</i> = 12γ, <i>θ</i> = −π/2, 100 spins (infinitely "
            f"many of mean field; {int(data['levels'].trajectories.max())} trajectories), from a product state with order "
            "parameter 0.1 and the inversion of uncoupled spins. (a) "
            "Order parameter and (b) inversion. (c) Distance of the order parameter from the exact one; mean field leaves the "
            f"panel. Bands: one standard error, of {SAMPLES} samples or of the trajectories. Pale: second order from where "
            "<code>status</code> tells that the phase has diffused, soon after the weakly synchronized start; the mean "
            "coherence of this theory does not follow that, but order parameter and inversion do not depend on the phase."
        },
        data=data,
        claims=tuple(_claims(data)),
    )


def distances(levels: xr.Dataset, index: int) -> dict[str, xr.DataArray]:
    """Order parameter and inversion at one level of theory, less the exact ones, over time."""
    return {name: (levels[name].isel(theory=index) - levels[name].isel(theory=-1)).squeeze(drop=True) for name in NAMES}


def _figure(levels: xr.Dataset) -> Figure:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.0, 3.0), layout="constrained")
    away = levels.assign(order_parameter=levels.order_parameter - levels.order_parameter.isel(theory=-1))
    for ax, shown, name in ((left, levels, "order_parameter"), (middle, levels, "inversion"), (right, away, "order_parameter")):
        ss.plot.compare(shown, ax, variable=name, unit="damping")
    right.set(ylabel=r"distance  $R - R_\mathrm{exact}$", ylim=(-0.06, 0.06))
    for line in (line for ax in figure.axes for line in ax.lines):
        line.set_linewidth(0.7 * line.get_linewidth())  # of small panels
    keys = {line.get_label(): line for line in left.lines}
    for theory, label in zip(levels.theory.values.tolist(), LEVELS.values(), strict=True):
        keys[theory].set_label(label)
    add_letters((left, middle, right))
    add_legend(figure, *(line for line in keys.values() if not line.get_label().startswith("_")), columns=3)
    return figure


def _claims(data: dict[str, xr.Dataset]) -> list[Claim]:
    levels, rest = data["levels"], data[f"levels-steady-state-{SPINS}"]
    end = levels.isel(theory=-1, time=-1)
    slowest = float(np.sort(ss.limit_cycle(ONE).floquet_exponent.values.real)[-2])  # the largest is that of the free phase
    left = abs(START[0][2] - float(rest.inversion[0])) * exp(slowest * TIMES[-1])
    claims = [
        Claim("exact, 100 spins: inversion of the steady state", INVERSION, float(rest.inversion[0]), 1e-6,
              "six decimals of a second code: SuperLU on the rate equation of all states |j, m>, without truncation"),
        Claim("exact, 100 spins: inversion at the end of the run, against the steady state", float(rest.inversion[0]),
              float(end.inversion[0]), left, "what is left of the approach by the slowest Floquet exponent of (4.6)"),
    ]  # fmt: skip
    return claims + _sampled(levels) + _with_many_spins(data)


def _sampled(levels: xr.Dataset) -> list[Claim]:
    """Truncated Wigner and trajectories against the exact run."""
    claims = []
    for i, (theory, label) in enumerate(LEVELS.items()):
        if not isinstance(theory, (ss.TruncatedWigner, ss.Trajectories)):
            continue
        for name, away in distances(levels, i).items():
            error = levels[f"{name}_error"].isel(theory=i).squeeze(drop=True)
            claim = f"{label}: largest distance of the {name.replace('_', ' ')} from the exact one at all times"
            tolerance, why = 4 * float(error.max()), "4 standard errors, as 161 times are compared"
            if isinstance(theory, ss.TruncatedWigner):
                tolerance, why = tolerance + 2 / SPINS, f"{why}, and 2/N for what classical spins do not have"
            claims.append(Claim(claim, 0, float(abs(away).max()), tolerance, why))
    return claims


def _with_many_spins(data: dict[str, xr.Dataset]) -> list[Claim]:
    """Mean field and second order in the steady state: an error of 1/N."""
    cycle, claims = ss.limit_cycle(ONE), []
    half, most = MANY
    correction = 1 / (half * float(cycle.amplitude) ** 2)
    for label in ("mean field", "second-order cumulants"):
        for name in NAMES:
            away = []
            for n in MANY:
                found = cycle if label == "mean field" else data[f"levels-second-order-{n}"]
                away.append(abs(float(found[name].squeeze()) - float(data[f"levels-steady-state-{n}"][name].squeeze())))
            claim = (
                f"{label}: distance of the steady {name.replace('_', ' ')} from the exact one, {half} relative to {most} spins"
            )
            claims.append(Claim(claim, 2, away[0] / away[1], 2 * correction, "relative corrections of order 1/(N|s|^2) = 36/N"))
    return claims
