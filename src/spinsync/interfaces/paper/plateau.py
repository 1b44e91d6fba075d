"""Observed frequencies against the detuning: locking plateaus, Hopf line, Adler's law."""

from __future__ import annotations

from math import pi, sqrt

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.kept import phase_diagram
from spinsync.interfaces.paper.panels import CIRCLES, ORANGE, add_legend, add_letters, circle_key, key

PAIR = ss.Ensemble.pair(detuning=0.0, gain=3.0, damping=1.0, coupling=10.0, theta=-pi / 2)
STRENGTHS = (10.0, 20.0)
BISTABLE = 4.4  # detuning of PAIR, between the end of the plateau from the weak start and the Hopf line at 4.4406
NATURAL = "#6b747d"  # colour of natural frequencies in `plot.frequency`
RATIO = 0.02  # cross coupling / coupling of the weakly coupled pair
WEAK = ss.Ensemble.pair(detuning=0.0, gain=3.0, damping=1.0, coupling=24.0, theta=-pi / 2, cross_coupling=24.0 * RATIO)


def close_to_full(pair: ss.Ensemble) -> np.ndarray:
    """Bloch vectors (group, 3) near the full state, relative distance 1e-3, whether it is stable or not."""
    full = ss.symmetric_pair(pair)
    phase, size, z = float(full.phase_difference), 2 * float(full.amplitude), float(full.inversion)
    azimuth = np.array([phase / 2, -phase / 2])
    return np.stack([size * np.cos(azimuth) * [1.001, 0.999], size * np.sin(azimuth), [z, z]], axis=1)


def before_hopf() -> tuple[float, int]:
    """Where two motions are stable: difference of the frequencies, started close to full, and regime from the weak start."""
    pair = PAIR.replace(detuning=BISTABLE)
    full = ss.regime(pair, initial=close_to_full(pair))
    return float(full.frequency[0] - full.frequency[1]), int(ss.regime(pair).regime)


def wrong_at_hopf() -> tuple[int, int]:
    """Numbers of wrong and of all regimes, one percent below and above the Hopf line."""
    wrong = total = 0
    for strength in (10.0, 14.0, 20.0, 30.0):
        pair = PAIR.replace(coupling=strength)
        hopf = float(ss.symmetric_pair(pair.replace(detuning=1.0)).hopf_detuning)
        for side in (0.99, 1.01):
            near = pair.replace(detuning=side * hopf)
            found = ss.regime(near, initial=close_to_full(near)).regime
            wrong += (int(found) == ss.Regime.FULL) != (side < 1)
            total += 1
    return wrong, total


def chapter(quick: bool, advance: Advance) -> Chapter:
    size = 31 if quick else 91
    diagrams = {}
    for strength in STRENGTHS:
        axis = {"detuning": np.linspace(0, 9, size)}
        diagrams[f"plateau-{strength:g}"] = phase_diagram(f"plateau-{strength:g}", PAIR.replace(coupling=strength), axis)
        advance(len(diagrams) / 5)
    half_width = float(ss.locking_range(WEAK).locking_range)
    diagrams["plateau-adler"] = phase_diagram(
        "plateau-adler", WEAK, {"detuning": half_width * np.linspace(-3, 3, 30 if quick else 60)}
    )
    advance(0.7)
    wrong, regimes = wrong_at_hopf()
    difference, from_weak = before_hopf()
    start = f"V = 10, detuning {BISTABLE:g}, before the Hopf line at 4.44"
    order = f"corrections are of relative order cross coupling / coupling = {RATIO}"
    claims = (
        Claim("locked by (5.4): largest observed frequency on the plateaus", 0, _plateau(diagrams), 1e-7, "Newton's method"),
        Claim("wrong regimes 1 % below and above the Hopf line, started close to full", 0, wrong, 0, f"{regimes} regimes"),
        Claim(f"{start}: difference of the frequencies, started close to full", 0, difference, 1e-7, "Newton's method"),
        Claim(f"{start}: regime from the weak start is partial (code)", 3, from_weak, 0, "an integer code"),
        Claim("weak coupling: largest deviation of the beat rate from (5.8), in units of K", 0, _adler(diagrams, half_width),
              RATIO, order),
    )  # fmt: skip
    return Chapter(
        title="Frequencies against detuning",
        text="<p>While the groups are locked their observed frequencies coincide. At <i>V</i> = 10γ the full state is stable "
        "up to the Hopf line, Δ = 4.44γ. Partial synchronization is stable slightly before it too, and the weak common start "
        f"of this figure leads there: its plateau ends {_end(diagrams['plateau-10'])}, where the frequencies jump apart. From "
        "a start close to the full state they jump at the Hopf line. At <i>V</i> = 20γ they coincide beyond it, too, but the "
        "motion is phase-trapped there: the mean frequencies are equal, while phases and amplitudes oscillate, so that the "
        "light is not one line but has sidebands. Far from locking, the frequencies of the groups at <i>V</i> = 20γ slightly "
        "<i>repel</i> each other, those at 10γ still attract. Weakly coupled groups follow Adler's law: the beat rate grows "
        "from zero as the square root of the distance from the edge.</p>",
        figures={"plateau": _figure(diagrams)},
        captions={
            "plateau": "Observed frequencies of two groups over their detuning, κ = 3γ, <i>θ</i> = −π/2. With all couplings "
            "equal, (a) <i>V</i> = 10γ and (b) <i>V</i> = 20γ; line: frequency of the full state (5.1) where it is "
            "stable by (5.4), in (a) also where the weak start leads to partial synchronization. Beyond its end in (b), "
            f"circles that coincide are phase-trapped motion. (c) Cross coupling {RATIO:g} <i>V</i>, <i>V</i> = 24γ, "
            "difference of the frequencies; line: (5.8). Dotted: natural "
            "frequencies, in (c) their difference. " + CIRCLES
        },
        data=diagrams,
        claims=claims,
    )


def _figure(diagrams: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 2.9), layout="constrained")
    for ax, strength in zip(axes, STRENGTHS, strict=False):
        ss.plot.frequency(diagrams[f"plateau-{strength:g}"], ax, unit="damping").set_title(rf"$V={strength:g}\,\gamma$")
    axes[1].set_ylabel("")
    ss.plot.frequency(diagrams["plateau-adler"], axes[2], difference=True, unit="damping").set_title(
        "weak cross coupling", loc="right"
    )
    add_letters(axes)
    add_legend(figure, circle_key("group A, in (c) A minus B"), circle_key("group B", color=ORANGE, fill=ORANGE, ms=1.8),
               key("closed form"), key("natural frequencies", color=NATURAL, ls=":", lw=0.9))  # fmt: skip
    return figure


def _end(diagram: xr.Dataset) -> str:
    """Between which detunings of the grid full synchronization ends."""
    full = diagram.regime.values == ss.Regime.FULL
    last = int(np.flatnonzero(full).max())
    low, high = diagram.detuning.values[last : last + 2].tolist()
    return f"between {low:.1f}γ and {high:.1f}γ"


def _plateau(diagrams: dict[str, xr.Dataset]) -> float:
    """Largest frequency where the closed form is stable, with a margin of 3 %: other motions are stable close to its end."""
    largest = 0.0
    for strength in STRENGTHS:
        diagram = diagrams[f"plateau-{strength:g}"]
        hopf = float(ss.symmetric_pair(PAIR.replace(coupling=strength, detuning=1.0)).hopf_detuning)
        largest = max(largest, float(abs(diagram.frequency.sel(detuning=slice(None, 0.97 * hopf))).max()))
    return largest


def _adler(diagrams: dict[str, xr.Dataset], half_width: float) -> float:
    """Largest deviation of the observed beat rate from Adler's law, outside the vicinity of its square-root edge."""
    diagram = diagrams["plateau-adler"]
    deviations = []
    for detuning, a, b in zip(diagram.detuning.values, *diagram.frequency.values.T, strict=True):
        if abs(abs(detuning) / half_width - 1) > 2 * RATIO:
            expected = np.sign(detuning) * sqrt(max(detuning**2 - half_width**2, 0.0))
            deviations.append(abs(a - b - expected) / half_width)
    return float(np.max(deviations))
