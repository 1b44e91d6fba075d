"""Dissipation, interaction and both on the Bloch sphere."""

from __future__ import annotations

from math import log, pi
from string import ascii_lowercase

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import BLUE, add_legend, add_letters, circle_key, key

SPINS = 14
#: theta, gain, coupling, frequency and the slow time of dissipation, in units of the damping: mirror images, because
#: exchanging gain and damping is exchanging up and down
CASES = {"minus": (-pi / 2, 3.0, 12.0, 2.5, 1.0), "plus": (pi / 2, 1 / 3, 4.0, 2.5 / 3, 3.0)}
#: whether there is a coupling, whether there are gain and damping, length of the run in units of the slow time
KINDS = {"dissipation": (False, True, 12.0), "interaction": (True, False, 2.0), "both": (True, True, 15.0)}


def random_vectors() -> np.ndarray:
    """Random unit vectors (spin, 3), uniform on the sphere; vector k does not depend on SPINS."""
    m = np.array([np.random.default_rng([5, k]).normal(size=3) for k in range(SPINS)])
    return np.asarray(m / np.linalg.norm(m, axis=1, keepdims=True))


def ensemble(case: str, kind: str) -> ss.Ensemble:
    theta, gain, coupling, frequency, _ = CASES[case]
    coupled, damped, _ = KINDS[kind]
    return ss.Ensemble.single(
        gain=gain * damped, damping=1.0 * damped, coupling=coupling * coupled, theta=theta, frequency=frequency
    )


def chapter(quick: bool, advance: Advance) -> Chapter:
    runs = {}
    for case in CASES:
        for kind, (_, _, until) in KINDS.items():
            times = until * CASES[case][-1] * np.linspace(0, 1, 201) ** 1.5  # denser at the start, where paths bend
            runs[f"spheres-{case}-{kind}"] = ss.evolve(ensemble(case, kind), times, initial=random_vectors(), each=True)
            advance(len(runs) / 7)
    return Chapter(
        title="Spins on the Bloch sphere",
        text="<p>Fourteen spins start at random points. <b>Dissipation alone</b> (gain and damping) drives every spin to the "
        "same point on the axis: there is no phase. <b>Interaction alone</b> keeps the length of each "
        "Bloch vector. At these two phases it is collective decay or pumping: the common coherence decays, the state that "
        "remains depends on the start, and there is no limit cycle. <b>Both together</b> bring all spins to one limit cycle "
        "with one common phase: the ensemble oscillates spontaneously. "
        "For <i>θ</i> = −π/2 this needs gain, for <i>θ</i> = +π/2 damping.</p>",
        figures={"spheres": _figure(runs, quick)},
        captions={
            "spheres": "Fourteen spins on the Bloch sphere, from random points (open circles) to the end of the run (dots). "
            "(a) to (c) <i>θ</i> = −π/2, κ = 3γ, <i>V</i> = 12γ, ω = 2.5γ. (d) to (f) <i>θ</i> = +π/2, κ = γ/3, <i>V</i> = "
            "4γ, ω = 0.83γ, the same with gain and damping exchanged, in units of the damping. (a), (d) Dissipation alone, "
            "<i>V</i> = 0. (b), (e) Interaction alone, without gain and damping; γ is that of the other panels. (c), (f) Both. "
            f"The runs last, in units of 1/γ: {_durations()}. Black ring: the limit cycle by (4.2) to (4.4)."
        },
        data=runs,
        claims=tuple(claim for case in CASES for claim in _claims(case, runs)),
    )


def _durations() -> str:
    """Lengths of the runs in the order of the panels."""
    lengths = [until * CASES[case][-1] for case in CASES for _, _, until in KINDS.values()]
    return ", ".join(f"({letter}) {length:g}" for letter, length in zip(ascii_lowercase, lengths, strict=False))


def _figure(runs: dict[str, xr.Dataset], quick: bool) -> Figure:
    figure, axes = plt.subplots(2, 3, figsize=(7.0, 5.3), layout="constrained")
    titles = {"dissipation": "dissipation alone", "interaction": "interaction alone", "both": "both together"}
    for row, (case, label) in enumerate((("minus", r"$\theta=-\pi/2$"), ("plus", r"$\theta=+\pi/2$"))):
        for column, (kind, title) in enumerate(titles.items()):
            ax = ss.plot.bloch_sphere(runs[f"spheres-{case}-{kind}"], axes[row, column])
            for path in ax.collections:
                path.set_rasterized(quick)  # thousands of strokes take a second to write as vectors
            if row == 0:
                ax.set_title(title)
            if column == 0:
                ax.text(-0.02, 0.5, label, transform=ax.transAxes, rotation=90, va="center", ha="right")
    add_letters(axes.flat)
    add_legend(figure, circle_key("start"), circle_key("end", fill=BLUE), key("path of a spin", color=BLUE, lw=0.7),
               key("limit cycle, closed form", lw=1.6))  # fmt: skip
    return figure


def _claims(case: str, runs: dict[str, xr.Dataset]) -> list[Claim]:
    theta = "theta = -pi/2" if case == "minus" else "theta = +pi/2"
    end = {kind: runs[f"spheres-{case}-{kind}"].isel(time=-1) for kind in KINDS}
    z0 = ensemble(case, "dissipation").groups[0].z0
    distance = float(np.linalg.norm(ss.bloch(end["dissipation"]) - [0, 0, z0], axis=-1).max())
    length = np.linalg.norm(ss.bloch(runs[f"spheres-{case}-interaction"]), axis=-1)
    late = runs[f"spheres-{case}-interaction"].isel(time=[-11, -1], group=0)
    decay = log(abs(late.coherence[0] / late.coherence[1])) / float(late.time[1] - late.time[0])
    expected = CASES[case][2] * abs(float(late.inversion[1]))
    both, cycle = end["both"], ss.limit_cycle(ensemble(case, "both"))
    target = both.coherence.values[0] / abs(both.coherence.values[0]) * float(cycle.amplitude)
    gaps = both.spin_coherence - target, both.spin_inversion - cycle.inversion
    spread = max(float(abs(gap).max()) for gap in gaps)
    steps = "error of the time steps: 100 rtol"
    return [
        Claim(f"dissipation alone, {theta}: distance of the spins from s = 0, z = z0 at the end", 0, distance, 1e-6, steps),
        Claim(f"interaction alone, {theta}: change of a spin's Bloch length", 0, float(abs(length - 1).max()), 1e-6, steps),
        Claim(
            f"interaction alone, {theta}: decay rate of the common coherence at the end, V|z|",
            expected,
            decay,
            1e-3 * expected,
            "the inversion still changes by relative order |s|",
        ),
        Claim(f"both together, {theta}: distance of the spins from one point of the limit cycle", 0, spread, 1e-6, steps),
    ]
