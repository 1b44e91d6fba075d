"""One ensemble: from the controls to its run, its place in the diagram, words and code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer.controls import (
    COUPLING,
    DEPHASING,
    RATIO,
    THETA,
    UNTIL,
    Control,
    Values,
    angle,
    moments,
    shown,
)

SPREAD = Control("spread", "disorder width (std) σ/γ", 0, 5, 0.05, 0)
CONTROLS = (COUPLING, RATIO, THETA, DEPHASING, SPREAD, replace(UNTIL, start=20.0))
SPINS = 14  # at random places, where all spins are equal
GRID, COARSE = 96, 24  # points of the diagram along an axis; with disorder, which costs a hundred times more


def places(count: int = SPINS) -> np.ndarray:
    """Random places on the sphere, uniform, shape (spin, 3)."""
    m = np.random.default_rng(0).normal(size=(count, 3))
    return np.asarray(m / np.linalg.norm(m, axis=1, keepdims=True))


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of the damping rate."""
    return ss.Ensemble.single(
        gain=values["ratio"], damping=1.0, coupling=values["coupling"], theta=angle(values["theta"]),
        dephasing=values["dephasing"], frequency=ss.Gaussian(values["spread"]) if values["spread"] > 0 else 0.0,
    )  # fmt: skip


def run(values: Values) -> xr.Dataset:
    """Equal spins from random places; with disorder, classes of spins from a common weak coherence."""
    times = np.linspace(0, values["until"], moments(values))
    return ss.evolve(ensemble(values), times, initial=None if values["spread"] > 0 else places(), each=True)


def code(values: Values) -> str:
    """Python that makes the run and the diagram again."""
    frequency = f", frequency=ss.Gaussian({values['spread']!r})" if values["spread"] > 0 else ""
    start = (
        "run = ss.evolve(ensemble, times, each=True)\n"
        if values["spread"] > 0
        else f"start = np.random.default_rng(0).normal(size=({SPINS}, 3))  # {SPINS} spins at random places\n"
        "start /= np.linalg.norm(start, axis=1, keepdims=True)\n"
        "run = ss.evolve(ensemble, times, initial=start, each=True)\n"
    )
    return (
        "import numpy as np\nimport spinsync as ss\n\n"
        "ensemble = ss.Ensemble.single(\n"
        f"    gain={values['ratio']!r}, damping=1.0, coupling={values['coupling']!r}, theta={values['theta']!r} * np.pi,\n"
        f"    dephasing={values['dephasing']!r}{frequency},\n)\n"
        f"times = np.linspace(0, {values['until']!r}, {moments(values)})\n{start}"
        "cycle = ss.limit_cycle(ensemble)  # closed form\n"
        'print(f"R = {run.order_parameter[-1]:.6f}, closed form {cycle.order_parameter:.6f}")\n'
        "ss.show(run)  # in a notebook; ss.plot.bloch_sphere(run) anywhere\n"
    )


def words(values: Values, seen: xr.Dataset) -> str:
    """What the ensemble does, and why, in HTML."""
    model = ensemble(values)
    cycle, critical = ss.limit_cycle(model), ss.critical_coupling(model)
    reached = float(seen.order_parameter[-1])
    numbers = f"At the end of this run <i>R</i> = {reached:.4f}"
    if bool(cycle.synchronized):
        return (
            "<b>Synchronized.</b> The spins turn together, although nothing sets the rhythm from outside: "
            f"closed form <i>R</i> = {shown(cycle.order_parameter)}, frequency <i>Ω</i>/<i>γ</i> = "
            f"{shown(cycle.frequency)}, inversion <i>z</i> = {shown(cycle.inversion)}. {_against(values, critical)} "
            f"{numbers}."
        )
    z0 = model.groups[0].z0
    return (
        "<b>Incoherent.</b> No common phase lasts: in the end every spin rests on the axis, at inversion "
        f"<i>z</i> = {z0:.4f}. {_against(values, critical)} {numbers}."
    )


def _against(values: Values, critical: float) -> str:
    if not np.isfinite(critical):
        sine = -np.sin(angle(values["theta"]))
        if abs(sine) < 1e-12:
            return "At <i>θ</i> = 0 or ±<i>π</i> no coupling synchronizes: it only exchanges excitations."
        needs = "more gain than damping, <i>r</i> &gt; 1" if sine > 0 else "less gain than damping, <i>r</i> &lt; 1"
        return f"No coupling synchronizes here: for this sign of <i>θ</i> it takes {needs}."
    side = "above" if values["coupling"] > critical else "below" if values["coupling"] < critical else "at"
    return f"<i>V</i>/<i>γ</i> is {side} the critical coupling {critical:.4g}."


def diagram_key(values: Values) -> tuple[float, ...]:
    """What the diagram depends on."""
    return values["theta"], values["dephasing"], values["spread"]


def diagram(values: Values) -> Iterator[np.ndarray]:
    """Order parameter over coupling and ratio, shape (ratio, coupling), as it fills: NaN where it is not known yet."""
    model = ensemble(values)
    size = COARSE if values["spread"] > 0 else GRID
    couplings, ratios = (np.linspace(c.low, c.high, size) for c in (COUPLING, RATIO))
    order = np.full((size, size), np.nan)
    for rows in np.array_split(np.arange(size), size // 2 if values["spread"] > 0 else 2):
        part = ss.phase_diagram(model, {"gain": ratios[rows], "coupling": couplings}, threads=1)
        order[rows] = part.order_parameter.values
        yield order.copy()


def boundary(values: Values) -> tuple[list[float], list[float]]:
    """Closed form: couplings and ratios where the incoherent state loses its stability (4.5), NaN where there is none."""
    near = np.linspace(0.0, 2.0, 101)  # where it runs off to infinity, at r = 1
    model, ratios = ensemble(values), np.unique([*near, *np.linspace(RATIO.low, RATIO.high, 61)]).tolist()
    critical = [ss.critical_coupling(model.replace(gain=ratio)) for ratio in ratios]
    return [v if np.isfinite(v) else np.nan for v in critical], ratios
