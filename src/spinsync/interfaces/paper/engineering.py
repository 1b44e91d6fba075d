"""Locking controlled by interaction phases: in phase, antiphase, none; unequal groups; tilted edges."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.kept import phase_diagram
from spinsync.interfaces.paper.panels import NEWTON, add_legend, add_letters, key, listed, occurring, regime_keys

V, THETA = 24.0, -pi / 2
PAIR = ss.Ensemble.pair(detuning=0.0, gain=3.0, damping=1.0, coupling=V, theta=THETA, cross_coupling=1.0)
PHASES = {"in phase": THETA, "antiphase": THETA + pi, "none": THETA + pi / 2}  # theta_x = theta, theta + pi, theta + pi/2
UNEQUAL = ss.Ensemble.pair(
    detuning=0.0, gain=(3.0, 4.0), damping=1.0, coupling=V, theta=-1.0, cross_coupling=1.0, cross_theta=(-1.0, -0.2),
    weights=(2, 3),
)  # fmt: skip


def edge(pair: ss.Ensemble, sign: int) -> float:
    """The detuning at which locking ends on one side, in units of the closed form (5.7).

    At this saddle-node bifurcation the slowest rate of the full state vanishes as a square root, so the square of that rate
    (K^2 - Delta^2 in Adler's equation) crosses zero smoothly and is extrapolated.
    """
    weak = ss.locking_range(pair)
    centre, half_width = -float(weak.effective_detuning), float(weak.locking_range)
    inside = np.array([0.84, 0.89, 0.94])
    rates = [float(ss.regime(pair.replace(detuning=centre + sign * x * half_width)).lyapunov) for x in inside.tolist()]
    parabola = np.polynomial.Polynomial.fit(inside, np.square(rates), 2)
    return float(max(np.real(parabola.roots())))


def wrong_regimes(margin: float, ratio: float, count: int) -> int:
    """Number of wrong regimes slightly inside and outside of the locking range (5.7), for pairs with random phases."""
    wrong = 0
    for k in range(count):
        theta, mean, difference = np.random.default_rng([3, k]).uniform([-2.2, -0.5, -pi], [-0.9, 0.5, pi])
        cross_theta = (float(theta + mean + difference), float(theta + mean - difference))
        pair = PAIR.replace(theta=float(theta), cross_theta=cross_theta, cross_coupling=ratio * V)
        half_width = float(ss.locking_range(pair).locking_range)
        for side in (1 - margin, 1 + margin):
            found = ss.regime(pair.replace(detuning=(-1) ** k * side * half_width)).regime
            wrong += int(found) != (ss.Regime.FULL if side < 1 else ss.Regime.PARTIAL)
    return wrong


def chapter(quick: bool, advance: Advance) -> Chapter:
    size = 30 if quick else 80
    # an odd number of detunings contains 0, where a strip of any width shows
    axes = {"detuning": np.linspace(-1.0, 1.0, size + 1), "cross_coupling": np.linspace(0.1, 6.0, size)}
    data = {}
    for name, phase in PHASES.items():
        own = f"tongue-{name.replace(' ', '-')}"
        data[own] = phase_diagram(own, PAIR.replace(cross_theta=phase), axes)
        advance(len(data) / 8)
    shifted = axes | {"detuning": np.linspace(-2.4, 2.0, size)}
    data["tongue-unequal"] = phase_diagram("tongue-unequal", UNEQUAL, shifted)
    by_phase = {"detuning": np.linspace(-0.28, 0.28, size), "cross_theta": np.linspace(-pi, pi, size)}
    data["range-by-phase"] = phase_diagram("range-by-phase", PAIR.replace(cross_coupling=1.2), by_phase)
    advance(0.75)
    return Chapter(
        title="Interaction phases control the locking",
        text="<p>Two groups that synchronize by themselves, and a weaker coupling between them. Its phase decides whether "
        "they lock: at <i>θ</i><sub>×</sub> = <i>θ</i> in phase, at <i>θ</i> + π in antiphase, and halfway between not at "
        "all, except in a narrow range of second order in the cross coupling. The closed form (5.7), Adler's equation with "
        "the shear of the cycles, is exact in the limit of weak coupling; for stronger coupling the edges of the tongue of "
        "unequal groups tilt away from it. It has its tip where their own synchronized frequencies, not their natural ones, "
        "are equal.</p>",
        figures={"engineering": _figure(data)},
        captions={
            "engineering": f"Locking ranges of two groups by the cross coupling <i>V</i><sub>×</sub> and its phase, {size} × "
            f"{size} trajectories per panel (one detuning more in (a) to (c), to include 0), κ = 3γ, <i>V</i> = 24γ, "
            "<i>θ</i> = −π/2. Dashed: edges by (5.7), where its estimated error is below 10 %. Cross phase (a) <i>θ</i>, (b) "
            "<i>θ</i> + π and (c) <i>θ</i> + π/2, which does not lock at first order in <i>V</i><sub>×</sub>; the strip of "
            f"full synchronization in (c) is of second order. {_strip(data['tongue-none'])} (d) Unequal groups (gain 3γ and "
            "4γ, weights 2 to 3, <i>θ</i> = −1, cross phases −1 and −0.2), whose edges "
            f"tilt{_upper_right(data['tongue-unequal'])}. (e) Locking range by cross phase at <i>V</i><sub>×</sub> = 0.05 "
            "<i>V</i>. (f) Locked phase difference for the same parameters; hatched: not locked. " + NEWTON
        },
        data=data,
        claims=tuple(_claims()),
    )


def _strip(none: xr.Dataset) -> str:
    """What the grid shows of the locking of second order, a strip around zero detuning."""
    columns = (none.regime == ss.Regime.FULL).sum("detuning")
    how = "over its whole height" if int(columns.max()) == 1 else "in its lower part"
    told = f"It reaches down to <i>V</i><sub>×</sub> = 0; {how} it is narrower than the grid, and only points at Δ = 0 show it."
    slow = none.cross_coupling.values[none.regime.sel(detuning=0, method="nearest").values == ss.Regime.PHASE_TRAPPED]
    if slow.size:
        told += f" Those up to <i>V</i><sub>×</sub> = {slow.max():.1f}γ approach the locked state more slowly than they are "
        told += "followed, and count as phase-trapped."
    return told


def _upper_right(unequal: xr.Dataset) -> str:
    """Other regimes than full and partial at the upper right edge of the tongue of unequal groups, and crosses."""
    others = {regime: ss.label(regime) for regime in (ss.Regime.PHASE_TRAPPED, ss.Regime.IRREGULAR)}
    also = listed(others, unequal)
    edge = f"; at the upper right edge the motion is also {also}" if also else ""
    return edge + "; cross: undecided" * (ss.Regime.UNDECIDED in occurring(unequal))


def _claims() -> list[Claim]:
    small = PAIR.replace(cross_coupling=0.24, detuning=0.0)
    inside = float(ss.regime(small.replace(cross_theta=THETA)).phase_difference[0, 1])
    anti = abs(float(ss.regime(small.replace(cross_theta=THETA + pi)).phase_difference[0, 1]))
    moved = float(ss.regime(small.replace(cross_theta=(THETA - 0.4, THETA + 0.4))).phase_difference[0, 1])
    none = PAIR.replace(cross_coupling=0.24, cross_theta=THETA + pi / 2, detuning=0.004)
    strengths = (0.02, 0.04)
    right, left = ([edge(UNEQUAL.replace(cross_coupling=ratio * V), sign) for ratio in strengths] for sign in (1, -1))
    symmetry = "equal groups: exact by symmetry"
    return [
        Claim("cross phase theta: locked phase difference", 0, inside, 1e-7, symmetry),
        Claim("cross phase theta + pi: locked phase difference", pi, anti, 1e-7, symmetry),
        Claim("cross phases theta ∓ 0.4: locked phase difference", 0.4, moved, 0.02,
              "relative order cross coupling / coupling"),
        Claim("cross phase theta + pi/2: regime at a detuning of k/5 is partial (code)", 3,
              int(ss.regime(none).regime), 0, "an integer code"),
        Claim("random phases, cross coupling 0.02 V: wrong regimes 4 % inside and outside of the range (5.7)", 0,
              wrong_regimes(0.04, 0.02, 5), 0, "corrections are of relative order 0.02"),
        Claim("unequal groups, cross coupling 0.04 V: half the width of the range, relative to (5.7)", 1,
              (right[1] + left[1]) / 2, 0.02, "corrections of first order nearly cancel"),
        Claim("unequal groups: shift of the edges in units of K, relative to that at half the cross coupling", 2,
              (right[1] - left[1]) / (right[0] - left[0]), 0.1, "first order in cross coupling / coupling = 0.02 and 0.04"),
    ]  # fmt: skip


def _figure(data: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(2, 3, figsize=(7.0, 4.9), layout="constrained")
    titles = {"tongue-in-phase": "in phase", "tongue-antiphase": "antiphase", "tongue-none": r"$\theta_\times=\theta+\pi/2$"}
    titles |= {"tongue-unequal": "unequal groups", "range-by-phase": "cross phase"}
    for ax, (name, title) in zip(axes.flat, titles.items(), strict=False):
        ss.plot.phase_diagram(data[name], ax, unit="damping").set_title(title)
    ss.plot.phase_diagram(data["range-by-phase"], axes[1, 2], variable="phase_difference", unit="damping")
    axes[1, 2].set_title("locked phase")
    for ax in (axes[0, 1], axes[0, 2], axes[1, 2]):
        ax.set_ylabel("")
    add_letters(axes.flat)
    add_legend(figure, key("closed form (5.7)", ls=(0, (4, 2)), lw=1.1), *regime_keys(*(data[name] for name in titles)))
    return figure
