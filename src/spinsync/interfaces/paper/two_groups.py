"""Two groups: full, phase-trapped and partial synchronization."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import BLUE, GREEN, ORANGE, add_legend, add_letters, circle_key, key

PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=20.0, theta=-pi / 2)
CASES = {"full": (2.0, ss.Regime.FULL), "phase-trapped": (5.7, ss.Regime.PHASE_TRAPPED), "partial": (8.0, ss.Regime.PARTIAL)}
UNTIL, SHOWN = 400.0, 12.0  # transients have decayed long before the time that is drawn


def chapter(quick: bool, advance: Advance) -> Chapter:
    times = np.linspace(0, UNTIL, 16001)
    runs = {name: ss.evolve(PAIR.replace(detuning=detuning), times) for name, (detuning, _) in CASES.items()}
    advance(0.4)
    found = {name: ss.regime(PAIR.replace(detuning=detuning)) for name, (detuning, _) in CASES.items()}
    advance(0.8)
    return Chapter(
        title="Two groups: full, phase-trapped and partial",
        text="<p>Two equal groups of different natural frequency, coupled as strongly to each other as within themselves. "
        "With a small detuning they oscillate with one frequency and a fixed phase difference: <b>full</b> synchronization. "
        "With a larger one it oscillates but stays bounded: <b>phase-trapped</b>. Beyond, each group keeps its own frequency, "
        "and the phase difference grows with the beat: <b>partial</b> synchronization.</p>",
        figures={"harmony": _figure(runs)},
        captions={
            "harmony": f"Two groups at the end of runs of length {UNTIL:g}/γ, κ = 3γ, <i>θ</i> = −π/2, all couplings 20γ, in "
            "columns for the detunings 2γ, 5.7γ and 8γ. (a) to (c) Both groups on the Bloch sphere during the last "
            f"{SHOWN:g}/γ, in the frame of their mean field. Open circles show where this window starts, dots where it ends; "
            "in (a) they coincide. In (c) the mean field passes through zero in every beat and its frame jumps by half a turn "
            "there, so that the orbits are open arcs. (d) to (f) Their phase difference in the same window, whose start is "
            "the time 0; dashed in (d): (5.1). (g) to (i) Power spectrum of the mean coherence in the second half of the run, "
            "relative to its strongest line: one line, then sidebands around it, then a comb of beats. The sidebands in (h) "
            "are 3γ apart, half the angular frequency of the oscillation in (e): the groups exchange their amplitudes after "
            "every half of the common period, and the phase difference is then the same."
        },
        data={f"harmony-{name}": run.isel(time=slice(-801, None)) for name, run in runs.items()}
        | {f"harmony-{name}-regime": regime for name, regime in found.items()},
        claims=tuple(_claims(runs, found)),
    )


def _figure(runs: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(3, 3, figsize=(7.0, 6.8), layout="constrained", height_ratios=(1.25, 1, 1))
    for column, (name, run) in enumerate(runs.items()):
        late = run.sel(time=slice(UNTIL - SHOWN, None))
        ss.plot.bloch_sphere(late, axes[0, column], frame="mean").set_title(name)
        ss.plot.phase_difference(
            late.assign_coords(time=late.time - late.time[0]), axes[1, column], color=GREEN, unit="damping"
        )
        ss.plot.beat_spectrum(run, axes[2, column], frequencies=(-22.0, 22.0), unit="damping").lines[0].set_color(GREEN)
        if column:
            axes[1, column].set_ylabel("")
            axes[2, column].set_ylabel("")
    add_letters(axes.flat)
    keys = []
    for name, colour in {"A": BLUE, "B": ORANGE}.items():
        keys += [key(f"group {name}", color=colour, lw=1.2), circle_key(f"{name}, start", color=colour)]
        keys += [circle_key(f"{name}, end", color=colour, fill=colour)]
    add_legend(figure, *keys, key("both groups", color=GREEN, lw=1.2), key("closed form (5.1)", ls="--", lw=0.8), columns=3)
    return figure


def _claims(runs: dict[str, xr.Dataset], found: dict[str, xr.Dataset]) -> list[Claim]:
    codes = [Claim(f"detuning {detuning:g}: regime is {name} (code)", int(code), int(found[name].regime), 0, "an integer code")
             for name, (detuning, code) in CASES.items()]  # fmt: skip
    closed, full = ss.symmetric_pair(PAIR.replace(detuning=CASES["full"][0])), found["full"]
    newton = "Newton's method converges to rounding errors"
    beats = "mean frequencies agree to 1e-4 of the detuning; the run adds an oscillation averaged over 380 units of time"
    return [
        *codes,
        Claim("full: phase difference", float(closed.phase_difference), float(full.phase_difference[0, 1]), 1e-7, newton),
        Claim("full: amplitude", float(closed.amplitude), float(full.amplitude[0]), 1e-7, newton),
        Claim("full: common frequency", float(closed.frequency), float(full.frequency[0]), 1e-7, newton),
        Claim("phase-trapped: difference of the frequencies", 0, _difference(found["phase-trapped"]), 1e-3, beats),
        Claim("partial: difference of the frequencies, regime against a run", _beat(runs["partial"]),
              _difference(found["partial"]), 5e-3, beats),
    ]  # fmt: skip


def _difference(result: xr.Dataset) -> float:
    return float(result.frequency[0] - result.frequency[1])


def _beat(run: xr.Dataset) -> float:
    """Mean rate of the phase difference in the later part of a run."""
    late = run.sel(time=slice(20.0, None))
    s = late.coherence.values
    phase = np.unwrap(-np.angle(s[:, 0] * s[:, 1].conj()))
    return float((phase[-1] - phase[0]) / (late.time[-1] - late.time[0]))
