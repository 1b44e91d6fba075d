"""Amplitude, inversion and frequency against the interaction phase."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.kept import phase_diagram
from spinsync.interfaces.paper.panels import BLUE, CIRCLES, ORANGE, add_legend, add_letters, circle_key, key

FREQUENCY = 1.5
#: gain, coupling, colour, as text; the damping is 1. Equal ratios of the larger rate to the smaller one and of V to the larger
CASES = {"minus": (3.0, 12.0, BLUE, "gain 3"), "plus": (1 / 3, 4.0, ORANGE, "gain 1/3")}


def chapter(quick: bool, advance: Advance) -> Chapter:
    count = 25 if quick else 49
    cuts = {}
    for name, (gain, coupling, _, _) in CASES.items():
        one = ss.Ensemble.single(gain=gain, damping=1.0, coupling=coupling, theta=pi / 2, frequency=FREQUENCY)
        low, high = (-pi, 0.0) if name == "minus" else (0.0, pi)
        cuts[f"theta-{name}"] = phase_diagram(f"theta-{name}", one, {"theta": np.linspace(low, high, count)})
        advance(len(cuts) / 2)
    return Chapter(
        title="Frequency and amplitude against the interaction phase",
        text="<p>The phase <i>θ</i> of the interaction sets the frequency of the synchronized ensemble, Ω = ω + Γ<sub>⊥</sub> "
        "cot <i>θ</i>, (4.3); only its sine contributes to synchronization. At <i>θ</i> = ±π/2 the frequency is the natural "
        "one.</p>",
        figures={"theta": _figure(cuts)},
        captions={
            "theta": "One group over the interaction phase: (a) order parameter (4.4), (b) inversion (4.2) and (c) frequency "
            "(4.3). <i>θ</i> &lt; 0: κ = 3γ, <i>V</i> = 12γ. <i>θ</i> &gt; 0: κ = γ/3, <i>V</i> = 4γ. Natural frequency "
            f"{FREQUENCY}γ. Without synchronization there is no frequency. " + CIRCLES
        },
        data=cuts,
        claims=tuple(claim for name in CASES for claim in _claims(name, cuts[f"theta-{name}"])),
    )


def _figure(cuts: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 2.6), layout="constrained")
    limits = {"order_parameter": (-0.02, 0.4), "inversion": (-0.55, 0.55), "frequency": (-4.7, 7.7)}
    for ax, (variable, limit) in zip(axes, limits.items(), strict=True):
        ax.set_ylim(limit)  # before the first cut, which would take those of its own values
        for cut, (_, _, colour, _) in zip(cuts.values(), CASES.values(), strict=True):
            ss.plot.cut(cut, ax, variable=variable, color=colour, unit="damping" if variable == "frequency" else "rate")
        ax.set_xlim(-pi - 0.15, pi + 0.15)  # whole circles at the ends
        ax.set_xticks([-pi, -pi / 2, 0, pi / 2, pi], ["−π", "−π/2", "0", "π/2", "π"])
    add_letters(axes)
    circles = (
        circle_key(rf"$\kappa/\gamma={ratio}$, simulation", color=colour) for ratio, colour in (("3", BLUE), ("1/3", ORANGE))
    )
    add_legend(figure, *circles, key("closed forms (4.2) to (4.4)"))
    return figure


def _claims(name: str, cut: xr.Dataset) -> list[Claim]:
    model, gaps = ss.model_of(cut), {"amplitude": [0.0], "inversion": [0.0], "frequency": [0.0]}
    for theta in cut.theta.values:
        one = model.replace(theta=float(theta))
        expected, point = ss.limit_cycle(one), cut.sel(theta=theta).isel(group=0)
        if abs(CASES[name][1] / ss.critical_coupling(one) - 1) >= 0.05:
            for variable, gap in gaps.items():
                if variable != "frequency" or expected.synchronized:
                    gap.append(abs(float(point[variable]) - float(expected[variable])))
    sign = "-" if name == "minus" else "+"
    middle = float(cut.sel(theta=float(f"{sign}{pi / 2}"), method="nearest").frequency[0])
    why = f"{len(gaps['amplitude']) - 1} points at least 5 % from the threshold; 100 rtol"
    case = f"{CASES[name][3]}: largest deviation of"
    # np.max propagates NaN, with which no claim holds
    claims = [Claim(f"{case} {v} over theta", 0, float(np.max(gap)), 1e-6, why) for v, gap in gaps.items()]
    natural = f"theta = {sign}pi/2: synchronized frequency (the natural one)"
    return [*claims, Claim(natural, FREQUENCY, middle, 1e-6, "100 rtol")]
