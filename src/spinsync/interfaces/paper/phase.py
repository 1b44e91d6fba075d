"""Amplitude, inversion and frequency against the interaction phase."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim

STRENGTH, FREQUENCY = 12.0, 1.5
CASES = {"minus": (3.0, 1.0, "gain 3, damping 1"), "plus": (1.0, 3.0, "gain 1, damping 3")}


def chapter(quick: bool, advance: Advance) -> Chapter:
    count = 25 if quick else 49
    cuts = {}
    for name, (gain, damping, _) in CASES.items():
        one = ss.Ensemble.single(gain=gain, damping=damping, coupling=STRENGTH, theta=pi / 2, frequency=FREQUENCY)
        low, high = (-pi, 0.0) if name == "minus" else (0.0, pi)
        cuts[f"theta-{name}"] = ss.phase_diagram(one, {"theta": np.linspace(low, high, count)})
        advance(len(cuts) / 2)
    return Chapter(
        title="Frequency and amplitude against the interaction phase",
        text="<p>The phase <i>θ</i> of the interaction sets the frequency of the synchronized ensemble, "
        "Ω = ω + Γ<sub>⊥</sub> cot <i>θ</i>, equation (4.3); only its sine contributes to synchronization. At "
        "<i>θ</i> = ±π/2 the frequency is the natural one.</p>",
        figures={"theta": _figure(cuts)},
        captions={
            "theta": f"Order parameter, inversion and frequency at <i>V</i> = {STRENGTH:g}, natural frequency "
            f"{FREQUENCY}. Circles: simulation. Lines: closed "
            "forms (4.2) to (4.4). Blue: gain 3, damping 1 (<i>θ</i> &lt; 0); orange: gain 1, damping 3 (<i>θ</i> &gt; 0)."
        },
        data=cuts,
        claims=tuple(claim for name in CASES for claim in _claims(name, cuts[f"theta-{name}"])),
    )


def _figure(cuts: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 2.3), layout="constrained")
    for ax, variable in zip(axes, ("order_parameter", "inversion", "frequency"), strict=True):
        for cut, colour in zip(cuts.values(), ("#0072B2", "#D55E00"), strict=True):
            ss.plot.cut(cut, ax, variable=variable, color=colour)
        ax.set_xlim(-pi, pi)
        ax.set_xticks([-pi, -pi / 2, 0, pi / 2, pi], ["−π", "−π/2", "0", "π/2", "π"])
    return figure


def _claims(name: str, cut: xr.Dataset) -> list[Claim]:
    model, gaps = ss.model_of(cut), {"amplitude": [0.0], "inversion": [0.0], "frequency": [0.0]}
    for theta in cut.theta.values:
        one = model.replace(theta=float(theta))
        expected, point = ss.limit_cycle(one), cut.sel(theta=theta).isel(group=0)
        if abs(STRENGTH / ss.critical_coupling(one) - 1) >= 0.05:
            for variable, gap in gaps.items():
                if variable != "frequency" or expected.synchronized:
                    gap.append(abs(float(point[variable]) - float(expected[variable])))
    sign = "-" if name == "minus" else "+"
    middle = float(cut.sel(theta=float(f"{sign}{pi / 2}"), method="nearest").frequency[0])
    why = f"{len(gaps['amplitude']) - 1} points at least 5 % from the threshold; 100 rtol"
    case = f"{CASES[name][2]}: largest deviation of"
    # np.max propagates NaN, with which no claim holds
    claims = [Claim(f"{case} {v} over theta", 0, float(np.max(gap)), 1e-6, why) for v, gap in gaps.items()]
    natural = f"theta = {sign}pi/2: synchronized frequency (the natural one)"
    return [*claims, Claim(natural, FREQUENCY, middle, 1e-6, "100 rtol")]
