"""The phase diagram over coupling and gain-to-damping ratio at three interaction phases."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.kept import phase_diagram
from spinsync.interfaces.paper.panels import NEWTON, add_legend, add_letters, circle_key, key

#: name -> theta, as text, largest V and largest r of the axes
CASES = {
    "minus": (-pi / 2, "-pi/2", 20.0, 12.0),
    "tilted": (-pi / 6, "-pi/6", 20.0, 12.0),
    "plus": (pi / 2, "+pi/2", 6.0, 1.2),
}


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


def tip(theta: float) -> tuple[float, float]:
    """(V, r) of the smallest simulated threshold for sin(theta) < 0: a quartic through five points around it."""
    ratios = np.linspace(2.9, 3.1, 5)
    thresholds = [threshold(ensemble(theta).replace(gain=float(r))) for r in ratios]
    quartic = np.polynomial.Polynomial.fit(ratios, thresholds, 4)
    roots = np.asarray(quartic.deriv().roots(), complex)
    best = next(float(x.real) for x in roots if 2.9 < x.real < 3.1 and abs(x.imag) < 1e-9)
    return float(quartic(best)), best


def closed_forms(theta: float, v: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V_c of (4.5), inf where there is none, and |s| of (4.4), 0 below it, of shape (r, V); damping 1, no dephasing."""
    v, r = v[None, :], r[:, None]
    gamma_1, z0 = 1 + r, (r - 1) / (1 + r)
    with np.errstate(divide="ignore", invalid="ignore"):
        critical = np.where(-z0 * np.sin(theta) > 0, gamma_1 / 2 / (-z0 * np.sin(theta)), np.inf)
        z = -gamma_1 / 2 / (v * np.sin(theta))
        amplitude = np.where(v > critical, np.sqrt(np.maximum(z * (z0 - z) / 2, 0)), 0.0)
    return critical, amplitude


def chapter(quick: bool, advance: Advance) -> Chapter:
    size, diagrams = 96 if quick else 256, {}
    for name, (theta, _, strongest, highest) in CASES.items():
        axes = {"coupling": np.linspace(0, strongest, size), "gain": np.linspace(0, highest, size)}
        diagrams[f"diagram-{name}"] = phase_diagram(f"diagram-{name}", ensemble(theta), axes)
        advance(len(diagrams) / 4)
    (tip_v, tip_r), (tilted_v, _) = tip(-pi / 2), tip(-pi / 6)
    lowest = threshold(ensemble(pi / 2).replace(gain=0.0))
    why = "threshold from growth rates of a coherence of 1e-7 over t = 0.5, errors of the steps: 10 rtol / t = 2e-7"
    claims = [
        Claim("theta = -pi/2: smallest threshold V/gamma (the tip)", 4.0, tip_v, 1e-6, why),
        Claim("theta = -pi/2: gain-to-damping ratio r at the tip", 3.0, tip_r, 1e-3,
              "at the minimum of the quartic: square root of the error of V"),
        Claim("theta = -pi/6: smallest threshold relative to that at -pi/2, 1/|sin theta|", 2.0, tilted_v / tip_v, 1e-6, why),
        Claim("theta = +pi/2: smallest threshold V/gamma, at r = 0", 0.5, lowest, 1e-6, why),
    ]  # fmt: skip
    for name, (theta, text, _, _) in CASES.items():
        claims += _compare(theta, f"theta = {text}", diagrams[f"diagram-{name}"])
    advance(1.0)
    return Chapter(
        title="Phase diagram",
        text="<p>The amplitude |<i>s</i>| in the long-time limit and the closed-form threshold (4.5). At <i>θ</i> = −π/2 "
        "synchronization needs more gain than damping and is re-entrant: a very large gain dephases faster than the coupling "
        "aligns. Only <i>V</i> sin <i>θ</i> matters for it, so that at <i>θ</i> = −π/6 all thresholds are twice as high: "
        "<i>V</i><sub>c</sub> ∝ 1/|sin <i>θ</i>|. At <i>θ</i> = +π/2 gain and damping exchange their roles.</p>",
        figures={"phase-diagram": _figure(diagrams)},
        captions={
            "phase-diagram": f"Phase diagram of one group, {size} × {size} trajectories per panel: amplitude over coupling and "
            "gain-to-damping ratio for (a) <i>θ</i> = −π/2, (b) <i>θ</i> = −π/6 and (c) <i>θ</i> = +π/2. Black line: the "
            "threshold (4.5). Circles: its tip at <i>r</i> = 3, <i>V</i> = 4γ/|sin <i>θ</i>|. Axes and colours of (a) and (b) "
            "are the same. " + NEWTON
        },
        data=diagrams,
        claims=tuple(claims),
    )


def _figure(diagrams: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 2.7), layout="constrained")
    titles = (r"$\theta=-\pi/2$", r"$\theta=-\pi/6$", r"$\theta=+\pi/2$")
    for ax, diagram, title in zip(axes, diagrams.values(), titles, strict=True):
        ss.plot.phase_diagram(diagram, ax, variable="amplitude", unit="damping")
        ax.set_title(title)
    for ax, strength in zip(axes, (4, 8), strict=False):
        ax.plot(strength, 3, "o", ms=5, mfc="white", mec="black", mew=1.0)
    axes[0].collections[0].colorbar.remove()  # that of the neighbour serves both
    axes[1].collections[0].set_clim(axes[0].collections[0].get_clim())
    for ax in axes[1:]:
        ax.set_ylabel("")
    add_letters(axes)
    add_legend(figure, key(r"threshold $V_\mathrm{c}$, closed form (4.5)", lw=1.2), circle_key("tip", color="black", ms=5))
    return figure


def _compare(theta: float, text: str, diagram: xr.Dataset) -> list[Claim]:
    """Compare with closed forms at all points at least 5 % away from the threshold."""
    v, r = diagram.coupling.values, diagram.gain.values
    measured = diagram.amplitude.isel(group=0).transpose("gain", "coupling").values
    critical, expected = closed_forms(theta, v, r)
    far = abs(v[None, :] / critical - 1) >= 0.05
    wrong = int(np.sum(far & ((measured > 1e-3) != (v[None, :] > critical))))
    gap = float(np.max(abs(measured - expected)[far]))
    where = f"{int(far.sum())} of {far.size} points, at least 5 % from the threshold"
    return [
        Claim(f"{text}: points on the wrong side of the closed-form boundary (4.5)", 0, wrong, 0, where),
        Claim(f"{text}: largest deviation of |s| from the closed form (4.4)", 0, gap, 1e-6, f"{where}; 100 rtol"),
    ]
