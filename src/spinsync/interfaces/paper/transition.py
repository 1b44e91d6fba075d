"""The transition: square-root law and critical slowing down."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.kept import phase_diagram
from spinsync.interfaces.paper.panels import BLUE, LONG_TIME, ORANGE, add_legend, add_letters, circle_key, key

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=4.0, theta=-pi / 2)
NONLINEAR = "a perturbation of 1e-4 is not infinitesimal, and at t = 4/slow the fast exponent still contributes"
PRECISE = ss.MeanField(rtol=1e-10, atol=1e-13)


def relaxation(strength: float) -> float:
    """Decay rate of a small deviation of |s| from its stationary value, from a run."""
    model = ONE.replace(coupling=strength)
    state, slow = ss.limit_cycle(model), abs(strength - 4.0) + 0.05
    amplitude, z = float(state.amplitude), float(state.inversion)
    perturbation = 1e-5 if amplitude == 0 else 1e-4 * amplitude
    until = 4.0 / slow
    run = ss.evolve(model, [0.0, until, until + 1.0], initial=[[2 * (amplitude + perturbation), 0, z]], theory=PRECISE)
    gap = abs(run.coherence.values[1:, 0]) - amplitude
    return float(np.log(gap[0] / gap[1]))


def expected_relaxation(strength: float) -> float:
    """Minus the slow Floquet exponent above threshold (4.6), minus the growth rate below it (4.1)."""
    state = ss.limit_cycle(ONE.replace(coupling=strength))
    if not state.synchronized:
        return ONE.groups[0].gamma_perp * (1 - strength / 4.0)
    return float(-state.floquet_exponent.values[1].real)


def exponent() -> float:
    """d ln|s| / d ln(V/V_c - 1) at threshold: slopes between 1, 2 and 4 % above it, extrapolated to 0."""
    distances = np.array([0.01, 0.02, 0.04])
    amplitudes = []
    for e in distances:
        run = ss.evolve(ONE.replace(coupling=4 * (1 + float(e))), [0.0, 1500.0], initial=[[0.1, 0.0, 0.45]])
        amplitudes.append(abs(run.coherence.values[-1, 0]))
    slopes = np.diff(np.log(amplitudes)) / np.log(2)
    return float(2 * slopes[0] - slopes[1])  # the first correction is linear in the distance


def chapter(quick: bool, advance: Advance) -> Chapter:
    cut = phase_diagram("transition", ONE, {"coupling": np.linspace(2.0, 8.0, 31 if quick else 61)})
    advance(0.3)
    strengths = np.concatenate([np.linspace(2.0, 3.8, 10), np.linspace(4.2, 4.9, 8)])
    rates = np.array([relaxation(float(v)) for v in strengths])
    times = np.geomspace(0.1, 1e4, 121)
    decay = ss.evolve(ONE, np.concatenate([[0.0], times]), initial=[[0.5, 0.0, 0.5]], theory=PRECISE)
    advance(0.8)
    late = abs(decay.coherence.values[-31::30, 0])
    power = float(np.log(late[1] / late[0]) / np.log(times[-1] / times[-31]))
    expected = np.array([expected_relaxation(float(v)) for v in strengths])
    worst = float(abs(rates / expected - 1).max())
    claims = (
        Claim("exponent of |s| above threshold", 0.5, exponent(), 2e-3, "extrapolated: the next correction is about 1e-3"),
        Claim("exponent of the decay of |s| in time at threshold", -0.5, power, 2e-3, "corrections of order 1/t at t = 1e3"),
        Claim("largest relative deviation of the relaxation rate from its closed form", 0, worst, 5e-3, NONLINEAR),
    )
    slowing = _table(strengths, rates, expected)
    return Chapter(
        title="The transition",
        text="<p>The order parameter rises continuously, as the square root of the distance from the threshold. Near the "
        "threshold relaxation slows down: its rate vanishes linearly from both sides, and at the threshold itself the "
        "coherence decays as <i>t</i><sup>−1/2</sup>.</p>",
        figures={"transition": _figure(cut, slowing, decay)},
        captions={
            "transition": "The transition at <i>V</i><sub>c</sub> = 4γ, κ = 3γ, <i>θ</i> = −π/2. (a) Order parameter; line: "
            "(4.4). (b) Relaxation rate λ of a small deviation of |<i>s</i>|, from runs; line: minus the growth rate of (4.1) "
            "below the threshold and minus the slow exponent of (4.6) above it. (c) Decay of the amplitude at the threshold, "
            "<i>V</i> = <i>V</i><sub>c</sub>, in a run. Dashed: (a) the square-root law <i>R</i> = 2|<i>s</i>| = "
            "[(<i>V</i>/<i>V</i><sub>c</sub> − 1)/2]<sup>1/2</sup>, (c) slope −1/2. Circles in (a): " + LONG_TIME
        },
        data={"transition-order": cut, "transition-slowing": slowing, "transition-decay": decay},
        claims=claims,
    )


def _table(strengths: np.ndarray, rates: np.ndarray, expected: np.ndarray) -> xr.Dataset:
    unit = {"units": "angular frequency"}
    return xr.Dataset(
        {
            "relaxation": ("coupling", rates, {"long_name": "relaxation rate of |s|, simulated"} | unit),
            "closed_form": ("coupling", expected, {"long_name": "relaxation rate of |s|, closed form"} | unit),
        },
        {"coupling": ("coupling", strengths, {"long_name": "coupling strength V"} | unit)},
    )


def _figure(cut: xr.Dataset, slowing: xr.Dataset, decay: xr.Dataset) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 2.7), layout="constrained")
    ss.plot.cut(cut, axes[0], unit="damping")
    near = np.linspace(4.0, 5.2, 100)
    axes[0].plot(near, 2 * np.sqrt((near / 4 - 1) / 8), "--", color=ORANGE)
    axes[1].plot(slowing.coupling, slowing.relaxation, "o", ms=3.2, mfc="white", mec=BLUE, mew=0.9)
    for part in (slowing.coupling < 4, slowing.coupling > 4):
        ends = slowing.coupling.values[part.values]
        fine = np.linspace(min(ends.min(), 4.0), max(ends.max(), 4.0), 101)[1:-1]
        axes[1].plot(fine, [expected_relaxation(float(v)) for v in fine], color="black", lw=1.0, zorder=1)
    axes[1].set(xlabel=r"coupling  $V/\gamma$", ylabel=r"relaxation rate  $\lambda/\gamma$", ylim=(0, None))
    time, size = decay.time.values[1:], abs(decay.coherence.values[1:, 0])
    axes[2].loglog(time, size, color=BLUE)
    axes[2].loglog(time[60:], size[-1] * np.sqrt(time[-1] / time[60:]), "--", color=ORANGE)
    axes[2].set(xlabel=r"time  $\gamma t$", ylabel=r"amplitude  $|s|$")
    add_letters(axes)
    add_legend(figure, circle_key("simulation"), key("closed form"), key("run at the threshold", color=BLUE, lw=1.2),
               key("power law", color=ORANGE, ls="--", lw=1.2))  # fmt: skip
    return figure
