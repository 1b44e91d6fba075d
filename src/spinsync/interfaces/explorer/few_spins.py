"""Few spins, without approximation: their light, and how two of them are correlated."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import one_group
from spinsync.interfaces.explorer.controls import Values, equation, shown

if TYPE_CHECKING:
    import xarray as xr

COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 44, 60)  # of the curve over N
POINTS = 241  # of the spectrum
UNRELATED = 5e-4  # a correlation that is 0.000 in three digits
WIDE = 1.0  # least half width of a spectrum


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of gain + damping."""
    return one_group.ensemble(values)


def correlation(model: ss.Ensemble, spins: int) -> float:
    """c, the correlation of two spins in the steady state; negative where they point against each other."""
    rest = ss.steady_state(model, theory=ss.Exact(spins))
    return float(rest.correlation[0, 0].real)


def limit(values: Values) -> float:
    """|s|^2, the correlation of two of infinitely many spins (4.4)."""
    return float(ss.limit_cycle(ensemble(values)).amplitude) ** 2


def line(values: Values) -> xr.Dataset:
    """Frequency and width of the line."""
    return ss.linewidth(ensemble(values), theory=ss.Exact(int(values["N"])))


def light(values: Values, found: xr.Dataset | None = None) -> xr.Dataset:
    """The spectrum about the line."""
    found = line(values) if found is None else found
    reach = max(WIDE, 4 * float(found.linewidth))
    around = float(found.frequency) + np.linspace(-reach, reach, POINTS)
    return ss.emission_spectrum(ensemble(values), around, theory=ss.Exact(int(values["N"])))


def first_words(values: Values) -> str:
    """What closed forms tell before the spins are computed."""
    return f"<b>{int(values['N'])} spins, exactly.</b> {_many(values)} The few spins are being computed."


def words(values: Values, found: xr.Dataset, c: float) -> str:
    """What few spins do, and what infinitely many would, in HTML."""
    towards = "point the same way" if c > 0 else "point opposite ways"
    meaning = f"they tend to {towards}" if abs(c) >= UNRELATED else "they know nothing of each other"
    return (
        f"<b>{int(values['N'])} spins, exactly.</b> The correlation of two is {equation('c', c, 3)}: "
        f"{meaning}. Their light has a line at "
        f"{equation('ν', float(found.frequency))} relative to a spin alone, {shown(float(found.linewidth))} wide. "
        f"{_many(values)}"
    )


def _many(values: Values) -> str:
    cycle = ss.limit_cycle(ensemble(values))
    if bool(cycle.synchronized):
        return (
            f"Infinitely many spins synchronize: {equation('c = R²/4', limit(values), 3)}, a line at "
            f"{equation('ν', float(cycle.frequency))} and no width: the more spins, the slower their phase wanders."
        )
    below = (
        "With few, <i>c</i> may even be larger than above the threshold."
        if isfinite(ss.critical_coupling(ensemble(values)))
        else ""
    )
    told = "Infinitely many spins stay incoherent here: <i>c</i> goes to zero, the line keeps a width."
    return f"{told} {below}".rstrip()


def code(values: Values) -> str:
    """A Python program that makes line, spectrum and correlation, and a figure."""
    return (
        "import matplotlib.pyplot as plt\nimport numpy as np\nimport spinsync as ss\n\n"
        f"{one_group.head(values)}"
        "ensemble = ss.Ensemble.single(\n"
        f"    gain=r / (1 + r), damping=1 / (1 + r), coupling={values['V']!r}, theta={values['theta']!r} * np.pi,\n"
        f"    dephasing={values['dephasing']!r},\n)\n"
        f"theory = ss.Exact({int(values['N'])})\n"
        "rest = ss.steady_state(ensemble, theory=theory)\n"
        "line = ss.linewidth(ensemble, theory=theory)\n"
        f"reach = max({WIDE}, 4 * float(line.linewidth))\n"
        f"frequencies = float(line.frequency) + np.linspace(-reach, reach, {POINTS})\n"
        "light = ss.emission_spectrum(ensemble, frequencies, theory=theory)\n"
        'print(f"correlation {rest.correlation[0, 0].real:.6f}, line at {line.frequency:.6f}, width {line.linewidth:.6f}")\n\n'
        'figure, ax = plt.subplots(layout="constrained")\n'
        "ax.plot(light.frequency, light.emission)\n"
        'ax.set(xlabel="frequency ν/(κ+γ)", ylabel="emission S(ν) (κ+γ)")\n'
        'ss.plot.save(figure, "spinsync-few-spins.png")\n'
    )
