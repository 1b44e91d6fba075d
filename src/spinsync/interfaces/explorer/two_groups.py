"""Two groups: from the controls to their run, regime, tongue, frequencies, words and code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer.controls import (
    COUPLING,
    DEPHASING,
    DETUNING,
    RATIO,
    THETA,
    UNTIL,
    Control,
    Values,
    angle,
    moments,
    shown,
)

ALIKE = Control("alike", "between the groups as within them", 0, 1, 1, 1, "tick")
CROSS = Control("cross_coupling", "cross coupling V×/γ", 0, 30, 0.1, 4)
CROSS_THETA = Control("cross_theta", "cross phase θ×/π", -1, 1, 0.01, -0.5)
CONTROLS = (
    DETUNING, replace(COUPLING, start=20.0), RATIO, THETA, DEPHASING, ALIKE, CROSS, CROSS_THETA, UNTIL
)  # fmt: skip
GRID, SHARES = 64, 8  # points of the tongue along an axis; in how many parts it is computed
SWEEP = 61  # detunings of the frequencies

MEANINGS = {
    ss.Regime.UNDECIDED: "<b>Undecided.</b> The motion does not tell its regime within the longest run, as close to a "
    "boundary.",
    ss.Regime.INCOHERENT: "<b>Incoherent.</b> Neither group keeps a common phase; the spins rest on the axis.",
    ss.Regime.FULL: "<b>Full harmony.</b> Both groups turn at one frequency, and their phases keep a constant distance. "
    "The light of both is one line.",
    ss.Regime.PHASE_TRAPPED: "<b>Phase-trapped.</b> The groups swing about each other: the phase difference oscillates, but no "
    "turn is ever lost, so the mean frequencies are equal.",
    ss.Regime.PARTIAL: "<b>Partial harmony.</b> Each group is synchronized within itself, but keeps a frequency of its own: "
    "one overtakes the other again and again.",
    ss.Regime.IRREGULAR: "<b>Irregular.</b> The motion never repeats, and small deviations grow: chaos.",
    ss.Regime.PULSATING: "<b>Pulsating.</b> One group alone keeps a phase, and its amplitude swells and shrinks.",
}


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of the damping rate."""
    cross: dict[str, Any] = (
        {} if values["alike"] else {"cross_coupling": values["cross_coupling"], "cross_theta": angle(values["cross_theta"])}
    )
    return ss.Ensemble.pair(
        detuning=values["detuning"], gain=values["ratio"], damping=1.0, coupling=values["coupling"],
        theta=angle(values["theta"]), dephasing=values["dephasing"], **cross,
    )  # fmt: skip


def run(values: Values) -> xr.Dataset:
    """The two groups from a weak random coherence, the same from which the regime is found."""
    return ss.evolve(ensemble(values), np.linspace(0, values["until"], moments(values)))


def code(values: Values) -> str:
    """Python that makes run, regime and tongue again."""
    cross = (
        ""
        if values["alike"]
        else f"    cross_coupling={values['cross_coupling']!r}, cross_theta={values['cross_theta']!r} * np.pi,\n"
    )
    across = sweep_name(values)
    return (
        "import numpy as np\nimport spinsync as ss\n\n"
        "pair = ss.Ensemble.pair(\n"
        f"    detuning={values['detuning']!r}, gain={values['ratio']!r}, damping=1.0, coupling={values['coupling']!r},\n"
        f"    theta={values['theta']!r} * np.pi, dephasing={values['dephasing']!r},\n{cross})\n"
        f"run = ss.evolve(pair, np.linspace(0, {values['until']!r}, {moments(values)}))\n"
        "found = ss.regime(pair)\n"
        "print(ss.label(found.regime), found.frequency.values)\n"
        f'axes = {{"detuning": np.linspace(0, {DETUNING.high:g}, {GRID}),\n'
        f'        "{across}": np.linspace(0, {COUPLING.high:g}, {GRID})}}\n'
        "tongue = ss.phase_diagram(pair, axes)\n"
        "ss.plot.phase_diagram(tongue)\n"
        "ss.show(run)  # in a notebook; ss.plot.bloch_sphere(run) anywhere\n"
    )


def words(found: xr.Dataset) -> str:
    """The regime, what it means, and the numbers behind it, in HTML."""
    regime = ss.Regime(int(found.regime))
    first, second = (float(f) for f in found.frequency.values)
    if regime is ss.Regime.INCOHERENT:
        return MEANINGS[regime]
    numbers = (
        f"Observed frequencies <i>Ω</i><sub>A</sub>/<i>γ</i> = {_number(first)}, <i>Ω</i><sub>B</sub>/<i>γ</i> = "
        f"{_number(second)}; phase locking {float(found.phase_locking[0, 1]):.3f}"
    )
    if regime is ss.Regime.FULL:
        numbers += f"; A leads by {shown(found.phase_difference[0, 1] / np.pi, 3)} <i>π</i>"
    if regime is ss.Regime.IRREGULAR:
        numbers += f"; Lyapunov exponent {float(found.lyapunov):.3f} <i>γ</i>"
    return f"{MEANINGS[regime]} {numbers}."


def _number(value: float) -> str:
    return "undefined (dark)" if np.isnan(value) else shown(value)


def sweep_name(values: Values) -> str:
    """The parameter on the vertical axis of the tongue: coupling, or that between the groups where it is one of its own."""
    return "coupling" if values["alike"] else "cross_coupling"


def tongue_key(values: Values) -> tuple[float, ...]:
    """What the tongue depends on."""
    cross = () if values["alike"] else (values["coupling"], values["cross_theta"])
    return values["theta"], values["dephasing"], values["ratio"], values["alike"], *cross


def sweep_key(values: Values) -> tuple[float, ...]:
    """What the frequencies over the detuning depend on."""
    return tuple(values[name] for name in sorted(values) if name not in ("detuning", "until"))


def tongue(values: Values) -> Iterator[np.ndarray]:
    """Regimes over detuning and coupling, shape (coupling, detuning), as they get known; other rows repeat the nearest."""
    model, name = ensemble(values), sweep_name(values)
    detunings = np.linspace(DETUNING.low, DETUNING.high, GRID)
    strengths = np.linspace(COUPLING.low, COUPLING.high, GRID)
    codes, known = np.zeros((GRID, GRID), np.int8), np.zeros(GRID, bool)
    for share in (0, 4, 2, 6, 1, 3, 5, 7):  # coarse first, then in between
        rows = np.arange(share, GRID, SHARES)
        part = ss.phase_diagram(model, {name: strengths[rows], "detuning": detunings}, threads=1)
        codes[rows], known[rows] = part.regime.values, True
        there = np.flatnonzero(known)
        yield codes[there[np.abs(np.arange(GRID)[:, None] - there).argmin(1)]]


def frequencies(values: Values) -> xr.Dataset:
    """Observed frequencies over the detuning."""
    return ss.phase_diagram(
        ensemble(values), {"detuning": np.linspace(DETUNING.low, DETUNING.high, SWEEP)}, threads=1
    )  # fmt: skip
