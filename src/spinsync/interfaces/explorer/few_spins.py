"""From two spins to a million: their light, and how two are correlated; exact for few, in second order for many."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import one_group
from spinsync.interfaces.explorer.controls import EXACT_UP_TO, NO_BREAK, Values, brief, equation

if TYPE_CHECKING:
    import xarray as xr

COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 44, 60, 80, EXACT_UP_TO)  # of the exact curve over N
MANY = (10, 14, 20, 30, 44, 60, 100, 200, 400, 1000, 3000, 10_000, 100_000, 1_000_000)  # of that in second order
POINTS = 241  # of the spectrum
UNRELATED = 5e-4  # a correlation that is 0.000 in three digits
DARK = 1e-12  # emission that is none
REACH = 4  # half width of a spectrum, in widths of its line
FROM_THE_LINE = "frequency from the line (ν − ν₀)/(κ+γ)"
NARROW = 10  # N|s|^2 from which phase diffusion tells the width of the line (4.7)


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of gain + damping."""
    return one_group.ensemble(values)


def theory(spins: float) -> ss.Exact | ss.Cumulants:
    """The level of theory that answers for so many spins at once."""
    return ss.Exact(int(spins)) if spins <= EXACT_UP_TO else ss.Cumulants(int(spins))


def correlation(model: ss.Ensemble, level: ss.Exact | ss.Cumulants) -> float:
    """c, the correlation of two spins in the steady state; negative where they point against each other."""
    rest = ss.steady_state(model, theory=level)
    return float(rest.correlation[0, 0].real)


def second_order(model: ss.Ensemble) -> list[float]:
    """c of the numbers of spins MANY, in second order."""
    return [correlation(model, ss.Cumulants(spins)) for spins in MANY]


def limit(values: Values) -> float:
    """|s|^2, the correlation of two of infinitely many spins (4.4)."""
    return float(ss.limit_cycle(ensemble(values)).amplitude) ** 2


def line(values: Values) -> xr.Dataset:
    """Frequency and width of the line."""
    return ss.linewidth(ensemble(values), theory=theory(values["N"]))


def light(values: Values, found: xr.Dataset | None = None) -> xr.Dataset:
    """The spectrum about the line."""
    found = line(values) if found is None else found
    reach = REACH * float(found.linewidth)
    around = float(found.frequency) + np.linspace(-reach, reach, POINTS)
    return ss.emission_spectrum(ensemble(values), around, theory=theory(values["N"]))


def highest(light: xr.Dataset) -> float:
    """The strongest emission; 1 where there is none."""
    top = float(light.emission.max())
    return top if top > DARK else 1.0


def first_words(values: Values) -> str:
    """What closed forms tell before the spins are computed."""
    return f"{_heading(values)} {_many(values)} The spins are being computed."


def words(values: Values, found: xr.Dataset, c: float) -> str:
    """What the spins do, and what infinitely many would, in HTML."""
    if values["N"] > EXACT_UP_TO:
        return _second_order(values, found, c)
    towards = "point the same way" if c > 0 else "point opposite ways"
    meaning = f"they tend to {towards}" if abs(c) >= UNRELATED else "they know nothing of each other"
    return (
        f"{_heading(values)} The correlation of two is {equation('c', c, 3)}: "
        f"{meaning}. Their light has a line at "
        f"{equation('ν', float(found.frequency))} relative to a spin alone, {brief(float(found.linewidth))} wide. "
        f"{_many(values)}"
    )


def _heading(values: Values) -> str:
    level = "exactly" if values["N"] <= EXACT_UP_TO else "second order"
    return f"<b>{counted(values['N'])} spins, {level}.</b>"


def counted(spins: float) -> str:
    """A number of spins, in groups of three digits from 10 000 on."""
    return f"{int(spins):,}".replace(",", NO_BREAK) if spins >= 10_000 else str(int(spins))


def _second_order(values: Values, found: xr.Dataset, c: float) -> str:
    """What second order says, and how far it can be trusted."""
    cycle, spins = ss.limit_cycle(ensemble(values)), values["N"]
    here = (
        f"{_heading(values)} Correlations of three and more spins are left out. Of two: {equation('c', c, 3)}, so "
        f"{equation('R', 2 * max(0.0, c) ** 0.5)}. The light has a line at {equation('ν', float(found.frequency))}, "
        f"{brief(float(found.linewidth))} wide. "
    )
    if not bool(cycle.synchronized):
        return here + "Infinitely many spins stay incoherent here: <i>c</i> goes to zero, the line keeps a width."
    if spins * limit(values) < NARROW:
        return here + f"So few are too noisy here to trust second order: infinitely many have {_limit(values)}."
    width = float(cycle.phase_diffusion) / spins
    return f"{here}Infinitely many have {_limit(values)}. Phase diffusion makes the line of very many {brief(width)} wide."


def _limit(values: Values) -> str:
    return str(equation("c = R²/4", limit(values), 3))


def _many(values: Values) -> str:
    cycle = ss.limit_cycle(ensemble(values))
    if bool(cycle.synchronized):
        return (
            f"Infinitely many spins synchronize: {_limit(values)}, a line at "
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
    level, spins = type(theory(values["N"])).__name__, int(values["N"])
    return (
        "import matplotlib.pyplot as plt\nimport numpy as np\nimport spinsync as ss\n\n"
        f"{one_group.head(values)}"
        "ensemble = ss.Ensemble.single(\n"
        f"    gain=r / (1 + r), damping=1 / (1 + r), coupling={values['V']!r}, theta={values['theta']!r} * np.pi,\n"
        f"    dephasing={values['dephasing']!r},\n)\n"
        f"theory = ss.{level}({spins})\n"
        "rest = ss.steady_state(ensemble, theory=theory)\n"
        "line = ss.linewidth(ensemble, theory=theory)\n"
        f"reach = {REACH} * float(line.linewidth)\n"
        f"frequencies = float(line.frequency) + np.linspace(-reach, reach, {POINTS})\n"
        "light = ss.emission_spectrum(ensemble, frequencies, theory=theory)\n"
        'print(f"correlation {rest.correlation[0, 0].real:.6f}, line at {line.frequency:.6f}, width {line.linewidth:.6g}")\n\n'
        'figure, ax = plt.subplots(layout="constrained")\n'
        "ax.plot(light.frequency - line.frequency, light.emission)\n"
        f'ax.set(xlabel="{FROM_THE_LINE}", ylabel="emission S(ν) (κ+γ)")\n'
        'ss.plot.save(figure, "spinsync-few-spins.png")\n'
    )
