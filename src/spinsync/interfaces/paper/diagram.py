"""The phase diagram over coupling and gain-to-damping ratio."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim

CASES = {"minus": (-pi / 2, 20.0, 12.0), "plus": (pi / 2, 6.0, 1.2)}  # theta, largest V, largest r


def ensemble(theta: float) -> ss.Ensemble:
    return ss.Ensemble.single(gain=3.0, damping=1.0, coupling=1.0, theta=theta)


def growth(one: ss.Ensemble, strength: float) -> float:
    """Growth rate of a small coherence at the uncoupled inversion, from a run."""
    model = one.replace(coupling=strength)
    z0, s = model.groups[0].z0, 1e-7
    run = ss.evolve(model, [0.0, 0.5], initial=[[2 * s, 0, z0 * np.sqrt(1 - 4 * s**2)]], theory=ss.MeanField(atol=1e-17))
    return float(np.log(abs(run.coherence.values[1, 0] / s))) / 0.5


def threshold(one: ss.Ensemble) -> float:
    """The coupling at which the growth rate, a linear function of it, changes sign."""
    low, high = growth(one, 1.0), growth(one, 3.0)
    return 1.0 - 2.0 * low / (high - low)


def tip() -> tuple[float, float]:
    """(V, r) of the smallest simulated threshold at theta = -pi/2: a quartic through five points around it."""
    ratios = np.linspace(2.9, 3.1, 5)
    thresholds = [threshold(ensemble(-pi / 2).replace(gain=float(r))) for r in ratios]
    quartic = np.polynomial.Polynomial.fit(ratios, thresholds, 4)
    roots = np.asarray(quartic.deriv().roots(), complex)
    best = next(float(x.real) for x in roots if 2.9 < x.real < 3.1 and abs(x.imag) < 1e-9)
    return float(quartic(best)), best


def chapter(quick: bool, advance: Advance) -> Chapter:
    size = 40 if quick else 96
    diagrams = {}
    for name, (theta, strongest, highest) in CASES.items():
        axes = {"coupling": np.linspace(0, strongest, size), "gain": np.linspace(0, highest, size)}
        diagrams[f"diagram-{name}"] = ss.phase_diagram(ensemble(theta), axes)
        advance(len(diagrams) / 2.2)
    tip_v, tip_r = tip()
    lowest = threshold(ensemble(pi / 2).replace(gain=0.0))
    why = "threshold from growth rates of a coherence of 1e-7 over t = 0.5, errors of the steps: 10 rtol / t = 2e-7"
    claims = [
        Claim("theta = -pi/2: smallest threshold V/gamma (the tip)", 4.0, tip_v, 1e-6, why),
        Claim("theta = -pi/2: gain-to-damping ratio r at the tip", 3.0, tip_r, 1e-3,
              "at the minimum of the quartic: square root of the error of V"),
        Claim("theta = +pi/2: smallest threshold V/gamma, at r = 0", 0.5, lowest, 1e-6, why),
    ]  # fmt: skip
    for name, diagram in diagrams.items():
        claims += _compare(f"theta = {'-' if name.endswith('minus') else '+'}pi/2", diagram)
    advance(1.0)
    return Chapter(
        title="Phase diagram",
        text="<p>Amplitude |<i>s</i>| in the long-time limit, from one trajectory per point, "
        "and the closed-form threshold <i>V</i><sub>c</sub> = Γ<sub>⊥</sub>/(−<i>z</i><sub>0</sub> sin <i>θ</i>), "
        "equation (4.5). At <i>θ</i> = −π/2 synchronization needs more gain than damping and is re-entrant: a very "
        "large gain dephases faster than the coupling aligns. At <i>θ</i> = +π/2 gain and damping exchange their roles.</p>",
        figures={"phase-diagram": _figure(diagrams)},
        captions={
            "phase-diagram": "Amplitude over coupling and gain-to-damping ratio. Left: <i>θ</i> = −π/2, with the tip "
            "of the boundary at <i>V</i> = 4<i>γ</i>, <i>r</i> = 3 (dot). Right: <i>θ</i> = +π/2. Black line: closed form."
        },
        data=diagrams,
        claims=tuple(claims),
    )


def _figure(diagrams: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 2.9), layout="constrained")
    for ax, (name, title) in zip(axes, (("minus", r"$\theta=-\pi/2$"), ("plus", r"$\theta=+\pi/2$")), strict=True):
        ss.plot.phase_diagram(diagrams[f"diagram-{name}"], ax, variable="amplitude")
        ax.set_title(title)
    axes[0].plot(4, 3, "o", ms=5, mfc="white", mec="black", mew=1.0)
    return figure


def _compare(theta: str, diagram: xr.Dataset) -> list[Claim]:
    """Compare with closed forms at all points at least 5 % away from the threshold."""
    model, wrong, gaps = ss.model_of(diagram), 0, [0.0]
    amplitudes = diagram.amplitude.transpose("gain", "coupling", "group").values[..., 0]
    for gain, row in zip(diagram.gain.values.tolist(), amplitudes.tolist(), strict=True):
        one = model.replace(gain=gain)
        critical = ss.critical_coupling(one)
        for strength, measured in zip(diagram.coupling.values.tolist(), row, strict=True):
            if np.isfinite(critical) and abs(strength / critical - 1) < 0.05:
                continue
            wrong += (measured > 1e-3) != (strength > critical)
            gaps.append(abs(measured - float(ss.limit_cycle(one.replace(coupling=strength)).amplitude)))
    where = f"{len(gaps) - 1} of {diagram.order_parameter.size} points, at least 5 % from the threshold"
    return [
        Claim(f"{theta}: points on the wrong side of the closed-form boundary", 0, wrong, 0, where),
        Claim(f"{theta}: largest deviation of |s| from the closed form", 0, float(np.max(gaps)), 1e-6, f"{where}; 100 rtol"),
    ]
