"""Few spins, without approximation: their light, and how the order grows with their number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer.controls import COUPLING, DEPHASING, RATIO, THETA, Control, Values, angle, shown

SPINS = Control("spins", "number of spins N", 2, 60, 1, 20)
CONTROLS = (SPINS, COUPLING, RATIO, THETA, DEPHASING)
COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 44, 60)  # of the curve of order against N
POINTS = 241  # of the spectrum


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of the damping rate."""
    return ss.Ensemble.single(
        gain=values["ratio"], damping=1.0, coupling=values["coupling"], theta=angle(values["theta"]),
        dephasing=values["dephasing"],
    )  # fmt: skip


def order(model: ss.Ensemble, spins: int) -> float:
    """R = 2 sqrt(c), c the correlation of two spins in the steady state."""
    rest = ss.steady_state(model, theory=ss.Exact(spins))
    return float(2 * np.sqrt(max(0.0, float(rest.correlation[0, 0].real))))


def line(values: Values) -> xr.Dataset:
    """Frequency and width of the line."""
    return ss.linewidth(ensemble(values), theory=ss.Exact(int(values["spins"])))


def light(values: Values, found: xr.Dataset) -> xr.Dataset:
    """The spectrum about the line."""
    reach = max(2.0, 4 * float(found.linewidth))
    around = float(found.frequency) + np.linspace(-reach, reach, POINTS)
    return ss.emission_spectrum(ensemble(values), around, theory=ss.Exact(int(values["spins"])))


def orders(values: Values) -> Iterator[tuple[int, float]]:
    """N and R(N), one after the other."""
    model = ensemble(values)
    for spins in COUNTS:
        yield spins, order(model, spins)


def words(values: Values, found: xr.Dataset, order: float) -> str:
    """What few spins do, and what infinitely many would, in HTML."""
    spins, cycle = int(values["spins"]), ss.limit_cycle(ensemble(values))
    width = float(found.linewidth)
    here = (
        f"<b>{spins} spins, all quantum noise in.</b> <i>R</i> = {order:.4f}; the line has the "
        f"frequency "
        f"{shown(found.frequency)} <i>γ</i> and the width {width:.4g} <i>γ</i>: <i>N</i> × width = {spins * width:.4g} "
        "<i>γ</i>."
    )
    if bool(cycle.synchronized):
        return (
            f"{here} Infinitely many spins synchronize with <i>R</i> = {shown(cycle.order_parameter)} at the frequency "
            f"{shown(cycle.frequency)} <i>γ</i>, and their line has no width: it closes as 1/<i>N</i>, because a phase of "
            "many spins diffuses slowly."
        )
    return f"{here} Infinitely many spins stay incoherent here: <i>R</i> goes to zero, and the line stays wide."


def code(values: Values) -> str:
    """Python that makes line, spectrum and order again."""
    return (
        "import numpy as np\nimport spinsync as ss\n\n"
        "ensemble = ss.Ensemble.single(\n"
        f"    gain={values['ratio']!r}, damping=1.0, coupling={values['coupling']!r}, theta={values['theta']!r} * np.pi,\n"
        f"    dephasing={values['dephasing']!r},\n)\n"
        f"theory = ss.Exact({int(values['spins'])})\n"
        "rest = ss.steady_state(ensemble, theory=theory)\n"
        "R = 2 * np.sqrt(max(0, float(rest.correlation[0, 0].real)))\n"
        "line = ss.linewidth(ensemble, theory=theory)\n"
        "reach = max(2.0, 4 * float(line.linewidth))\n"
        f"frequencies = float(line.frequency) + np.linspace(-reach, reach, {POINTS})\n"
        "light = ss.emission_spectrum(ensemble, frequencies, theory=theory)\n"
        'print(f"R = {R:.6f}, line at {line.frequency:.6f}, width {line.linewidth:.6f}")\n'
    )
