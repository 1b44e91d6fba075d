"""Spontaneous synchronization: hundreds of spins from random points, in one group and in two."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import BLUE, GREEN, ORANGE, add_legend, add_letters, key

SPINS, SHOWN, UNTIL = 200, 6.0, 20.0  # all spins together; transients have decayed long before the end
ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2, frequency=2.5)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=20.0, theta=-pi / 2)
STARTS = {0: BLUE, 1: ORANGE, 2: GREEN}  # seed -> colour
DETUNINGS = {"full": 2.0, "partial": 8.0}
TURN = 1.0  # angle by which a start is turned, in radians


def random_vectors(seed: int) -> np.ndarray:
    """Random unit vectors (spin, 3), uniform on the sphere; vector k depends on `seed` and k alone."""
    m = np.array([np.random.default_rng([4, seed, k]).normal(size=3) for k in range(SPINS)])
    return np.asarray(m / np.linalg.norm(m, axis=1, keepdims=True))


def turned(m: np.ndarray, angle: float) -> np.ndarray:
    """Vectors (spin, 3), turned about the z axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(m @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]))


def chapter(quick: bool, advance: Advance) -> Chapter:
    times = np.concatenate([np.linspace(0, SHOWN, 121), [UNTIL - 0.1, UNTIL]])
    runs = {f"random-start-{seed}": ss.evolve(ONE, times, initial=random_vectors(seed), each=True) for seed in STARTS}
    advance(0.4)
    runs["random-start-turned"] = ss.evolve(ONE, times, initial=turned(random_vectors(0), TURN), each=True)
    for name, detuning in DETUNINGS.items():
        model = PAIR.replace(detuning=detuning)
        runs[f"random-start-{name}"] = ss.evolve(model, times, initial=random_vectors(0), each=True)
    advance(0.8)
    return Chapter(
        title="Spontaneous synchronization from a random start",
        text="<p>Two hundred single spins start in pure states at random points of the sphere, without a common phase: the "
        "order parameter (8.1) is of the order of <i>N</i><sup>−1/2</sup>. No phase is prescribed and nothing drives them. "
        "Within a few 1/γ all of them have one phase and one frequency. <i>R</i> and Ω are those of the closed form from "
        "every start. The phase is not: it was chosen by the start, and a start that is turned about the <i>z</i> axis ends "
        "with a phase turned by the same angle. The symmetry is broken spontaneously. These are runs in time to the very end, "
        "without a search for fixed points.</p><p>In two groups each spin finds the phase of its group. Whether the two "
        "phases then lock depends on the detuning.</p>",
        figures={"random-starts": _figure(runs)},
        captions={
            "random-starts": f"Synchronization of {SPINS} spins from random points of the Bloch sphere. (a) Order parameter "
            "from three starts, and the limit cycle (4.4): κ = 3γ, <i>V</i> = 12γ, <i>θ</i> = −1.2, ω = 2.5γ. (b) Phases of "
            f"all spins for start 1, in the frame that rotates with Ω (4.3). (c) Phases of two groups of {SPINS // 2} spins, κ "
            "= 3γ, all couplings 20γ, <i>θ</i> = −π/2, Δ = 2γ, in the frame of the mean natural frequency: full "
            "synchronization. (d) The same with Δ = 8γ: partial synchronization."
        },
        data=runs,
        claims=tuple(_claims(runs)),
    )


def _figure(runs: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(2, 2, figsize=(7.0, 4.6), layout="constrained")
    cycle, first = ss.limit_cycle(ONE), axes[0, 0]
    shown = {name: run.sel(time=slice(0, SHOWN)) for name, run in runs.items()}
    for seed, colour in STARTS.items():
        run = shown[f"random-start-{seed}"]
        first.plot(run.time, run.order_parameter, color=colour)
    first.axhline(float(cycle.order_parameter), color="black", lw=1.0, ls="--")
    first.set(xlabel=r"time  $\gamma t$", ylabel=r"order parameter  $R$", xlim=(0, SHOWN), ylim=(0, None))
    ss.plot.phases(shown["random-start-0"], axes[0, 1], frame=float(cycle.frequency), unit="damping")
    for ax, name in zip(axes[1], DETUNINGS, strict=True):
        ss.plot.phases(shown[f"random-start-{name}"], ax, unit="damping")
        _mark_groups(ax)
    axes[1, 0].collections[0].colorbar.remove()  # that of the neighbour serves both
    for ax, title in zip(axes.flat, ("one group", "one group, start 1", "full", "partial"), strict=True):
        ax.set_title(title)
    add_letters(axes.flat)
    add_legend(figure, *(key(f"start {seed + 1}", color=colour) for seed, colour in STARTS.items()),
               key("closed form (4.4)", ls="--"))  # fmt: skip
    return figure


def _mark_groups(ax: Axes) -> None:
    """A white line between the spins of both groups, and their names."""
    ax.axhline(SPINS / 2 - 0.5, color="white", lw=1.6)
    ax.set_yticks([SPINS / 4, 3 * SPINS / 4], ["A", "B"])
    ax.set_ylabel("spins of group")


def _claims(runs: dict[str, xr.Dataset]) -> list[Claim]:
    cycle, ones = ss.limit_cycle(ONE), [runs[f"random-start-{seed}"] for seed in STARTS]
    amplitude = max(abs(float(run.order_parameter[-1] - cycle.order_parameter)) for run in ones)
    spread = max(float(abs(_spin_phases(run)).max()) for run in runs.values())
    last, turned_last = (runs[f"random-start-{name}"].coherence.values[-2:, 0] for name in ("0", "turned"))
    frequency = -float(np.angle(last[1] / last[0])) / float(np.diff(ones[0].time.values[-2:])[0])
    full = runs["random-start-full"]
    locked = float(-np.angle(full.coherence[-1, 0] * full.coherence[-1, 1].conj()))
    steps = "error of the time steps: 100 rtol"
    return [
        Claim("one group: largest distance of R from (4.4) at the end of three runs", 0, amplitude, 1e-6, steps),
        Claim("all runs: largest distance of a spin's phase from that of its group at the end", 0, spread, 1e-6, steps),
        Claim("one group: frequency at the end, by (4.3)", float(cycle.frequency), frequency, 2e-5,
              "difference of two phases of error 100 rtol, 0.1 units of time apart"),
        Claim("a start turned by 1 rad: angle by which the final phase is turned", TURN,
              -float(np.angle(turned_last[1] / last[1])), 1e-6, steps),
        Claim("two groups, full: phase difference at the end, by (5.1)",
              float(ss.symmetric_pair(PAIR.replace(detuning=DETUNINGS["full"])).phase_difference), locked, 1e-6, steps),
    ]  # fmt: skip


def _spin_phases(run: xr.Dataset) -> np.ndarray:
    """Phases of all spins relative to their groups at the end."""
    end = run.isel(time=-1)
    return np.asarray(np.angle(end.spin_coherence * end.coherence.sel(group=end.spin_group).conj().values))
