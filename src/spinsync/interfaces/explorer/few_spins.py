"""From two spins to a million: their light, and how two are correlated; exact for few, approximate for many."""

from __future__ import annotations

from math import ceil, floor, inf, isfinite, log10, nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import spinsync as ss
from spinsync.interfaces.explorer import one_group
from spinsync.interfaces.explorer.controls import EXACT_UP_TO, NO_BREAK, SPINS, Values, brief, equation, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    Level = ss.Exact | ss.Cumulants  # here, as the page is shown before the theories are loaded
    Quantity = Callable[[ss.Ensemble, Level], float]

COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 44, 60, 80, 100, 140, 200, EXACT_UP_TO)  # of the exact curves over N
MANY = (10, 14, 20, 30, 44, 60, 100, 200, 400, 1000, 3000, 10_000, 100_000, 1_000_000)  # of those in second order
POINTS = 241  # of the spectrum
UNRELATED = 5e-4  # a correlation that is 0.000 in three digits
DARK = 1e-12  # emission, or correlation, that is none
MIXED = 0.02  # part of its width, by which a spectrum differs that is not one line
REACH = 4  # half width of a spectrum, in widths of its line
FROM_THE_LINE = "from the line (ν − ν₀)/(κ+γ)"
# Phase diffusion (4.7) is too small by less than 2.5/x of the width, x = N|s|^2 (1 - V_c/V), as comparison with exact widths
# of 100 to 1000 spins shows. Second order is off by a factor of its own, at any N.
# Below the threshold second order makes lines too narrow: by up to 19 % at N = 301 within the controls, less with more spins.
QUIET = 100  # N (1 - V/V_c)^2 below which it may be more
STEADY = 20  # x from which phase diffusion tells the width of the line


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of gain + damping."""
    return one_group.ensemble(values)


def theory(spins: float) -> Level:
    """The level of theory that answers for so many spins soon enough."""
    return ss.Exact(int(spins)) if spins <= EXACT_UP_TO else ss.Cumulants(int(spins))


def correlation(model: ss.Ensemble, level: Level) -> float:
    """c, the correlation of two spins in the steady state; negative where they point against each other."""
    rest = ss.steady_state(model, theory=level)
    return float(rest.correlation[0, 0].real)


def width(model: ss.Ensemble, level: Level) -> float:
    """The width of the line, at half of its height."""
    return float(ss.linewidth(model, theory=level).linewidth)


def second_order(of: Quantity, model: ss.Ensemble) -> list[float]:
    """A quantity of the numbers of spins MANY, in second order; NaN where it has no answer, as close to a threshold."""

    def known(spins: int) -> float:
        try:
            return of(model, ss.Cumulants(spins))
        except (ss.InputError, ss.IntegrationError):
            return nan

    return [known(spins) for spins in MANY]


def limit(values: Values) -> float:
    """|s|^2, the correlation of two of infinitely many spins (4.4)."""
    return float(ss.limit_cycle(ensemble(values)).amplitude) ** 2


def steady_from(values: Values) -> float:
    """The number of spins from which phase diffusion tells the width of the line."""
    model = ensemble(values)
    steadiness = limit(values) * (1 - ss.critical_coupling(model) / values["V"]) if limit(values) > 0 else 0.0
    return STEADY / steadiness if steadiness > 0 else inf


def by_diffusion(values: Values, spins: float) -> float:
    """The width of the line by phase diffusion (4.7), of synchronized spins."""
    return float(ss.limit_cycle(ensemble(values)).phase_diffusion) / spins


def diffuses(values: Values) -> bool:
    """Whether the width is that of phase diffusion, as too many spins for an exact one are steady enough."""
    return values["N"] > EXACT_UP_TO and values["N"] >= steady_from(values)


def diffusion(values: Values) -> tuple[list[float], list[float]]:
    """Numbers of spins between which phase diffusion tells the width, and the widths there; none if there are none."""
    start = steady_from(values)
    spins = [max(start, SPINS.low), SPINS.high] if start < SPINS.high else []
    return spins, [by_diffusion(values, n) for n in spins]


def line(values: Values) -> xr.Dataset:
    """Frequency and width of the line, of the level of theory."""
    return ss.linewidth(ensemble(values), theory=theory(values["N"]))


def best_width(values: Values, found: xr.Dataset) -> float:
    """The width of the line: exact, by phase diffusion, or where neither answers in second order."""
    return by_diffusion(values, values["N"]) if diffuses(values) else float(found.linewidth)


def light(values: Values, found: xr.Dataset | None = None) -> xr.Dataset:
    """The spectrum about the line, of the level of theory."""
    found = line(values) if found is None else found
    reach = REACH * max(float(found.linewidth), best_width(values, found))
    around = float(found.frequency) + np.linspace(-reach, reach, POINTS)
    return ss.emission_spectrum(ensemble(values), around, theory=theory(values["N"]))


def lorentzian(x: NDArray[Any], width: float) -> NDArray[Any]:
    """A line of this width and of height 1 at x = 0."""
    return np.asarray(1 / (1 + (2 * x / width) ** 2))


def highest(light: xr.Dataset) -> float:
    """The strongest emission; 1 where there is none."""
    top = float(light.emission.max())
    return top if top > DARK else 1.0


def half_height(x: NDArray[Any], y: NDArray[Any]) -> tuple[float, float] | None:
    """Where a curve crosses half of its greatest value, before and after it; None where it ends before."""
    top, half = int(y.argmax()), y.max() / 2
    before, after = np.flatnonzero(y[:top] < half), top + np.flatnonzero(y[top:] < half)
    if not (before.size and after.size and y.max() > DARK):
        return None
    left, right = before[-1], after[0]
    rising, falling = slice(left, left + 2), slice(right, right - 2, -1)  # np.interp wants growing y
    return float(np.interp(half, y[rising], x[rising])), float(np.interp(half, y[falling], x[falling]))


def peak_of(light: xr.Dataset) -> float:
    """The frequency of the strongest emission, by a parabola through three points."""
    x, y, top = light.frequency.values, light.emission.values, int(light.emission.values[1:-1].argmax()) + 1
    before, here, after = y[top - 1 : top + 2]
    bend = before - 2 * here + after
    return float(x[top] + (x[1] - x[0]) * (before - after) / (2 * bend)) if bend < 0 else float(x[top])


def drawn_width(values: Values, found: xr.Dataset, light: xr.Dataset) -> tuple[float, float]:
    """Between which frequencies from the line the spectrum is higher than half; by phase diffusion, of its line."""
    half = best_width(values, found) / 2
    ends = None if diffuses(values) else half_height(light.frequency.values - float(found.frequency), light.emission.values)
    return ends or (-half, half)


def mixed(values: Values, found: xr.Dataset, light: xr.Dataset) -> str:
    """What the spectrum of few spins looks like where wider lines than the narrowest count."""
    left, right = drawn_width(values, found, light)
    peak, narrow = peak_of(light), float(found.linewidth)
    apart = max(abs(right - left - narrow), abs(peak - float(found.frequency)))
    if values["N"] > EXACT_UP_TO or apart < MIXED * narrow:
        return ""
    return f"; all lines together peak at {equation('ν', peak)}, {brief(right - left)} wide"


def first_words(values: Values) -> str:
    """What closed forms tell before the spins are computed."""
    return f"{_heading(values)} {_many(values)} The spins are being computed."


def words(values: Values, found: xr.Dataset, c: float, beside: str = "") -> str:
    """What the spins do, and what infinitely many would, in HTML; `beside`: what is said of the other lines."""
    if values["N"] > EXACT_UP_TO:
        return _second_order(values, found, c)
    towards = "point the same way" if c > 0 else "point apart"
    meaning = f"they tend to {towards}" if abs(c) >= UNRELATED else "they know nothing of each other"
    return (
        f"{_heading(values)} Two are correlated by {equation('c', c, 3)}: "
        f"{meaning}. The light’s narrowest line is at {equation('ν', float(found.frequency))} relative to a spin alone, "
        f"{brief(float(found.linewidth))} wide{beside}. {_in_short(values) if beside else _many(values)}"
    )


def _heading(values: Values) -> str:
    level = "exactly" if values["N"] <= EXACT_UP_TO else "second order"
    return f"<b>{counted(values['N'])} spins, {level}.</b>"


def counted(spins: float) -> str:
    """A number of spins, in groups of three digits from 10 000 on."""
    return f"{int(spins):,}".replace(",", NO_BREAK) if spins >= 10_000 else str(int(spins))


def _second_order(values: Values, found: xr.Dataset, c: float) -> str:
    """What second order says, and how far it can be trusted."""
    spins, second = values["N"], brief(float(found.linewidth))
    small = brief(c) if DARK < abs(c) < UNRELATED else shown(c, 3)
    here = (
        f"{_heading(values)} Correlations of three and more spins are left out. Of two: {equation('c', small)}, so "
        f"{equation('R', 2 * max(0.0, c) ** 0.5)}. The light has a line at {equation('ν', float(found.frequency))}, "
    )
    if not limit(values):
        critical = ss.critical_coupling(ensemble(values))
        near = isfinite(critical) and spins * (1 - values["V"] / critical) ** 2 < QUIET
        told = "; so near the threshold that is too narrow" if near else ", right to a quarter, the better the more spins"
        return (
            f"{here}{second} wide{told}. Infinitely many spins stay incoherent here: <i>c</i> goes to zero, the line keeps a "
            "width."
        )
    if diffuses(values):
        return (
            f"{here}{brief(by_diffusion(values, spins))} wide by phase diffusion, right to a tenth. "
            f"Second order says {second}, and more spins do not mend that. Infinitely many have {_limit(values)}."
        )
    start = steady_from(values)
    unit = 10 ** floor(log10(start) - 1)
    later = counted(ceil(start / unit) * unit) if start < SPINS.high else "more than a million"
    return (
        f"{here}{second} wide. That may be off by a factor, with a jump after {EXACT_UP_TO} spins; from {later} on phase "
        f"diffusion tells it. Infinitely many have {_limit(values)}."
    )


def _limit(values: Values) -> str:
    return str(equation("c = R²/4", limit(values), 3))


def _in_short(values: Values) -> str:
    """What infinitely many spins do, where the words on other lines need the room of `_many`."""
    cycle = ss.limit_cycle(ensemble(values))
    if bool(cycle.synchronized):
        return f"Infinitely many spins synchronize: {_limit(values)}, one line, at {equation('ν', float(cycle.frequency))}."
    return "Infinitely many stay incoherent: <i>c</i> goes to zero."


def _many(values: Values) -> str:
    cycle = ss.limit_cycle(ensemble(values))
    if bool(cycle.synchronized):
        return (
            f"Infinitely many spins synchronize: {_limit(values)}, a line at "
            f"{equation('ν', float(cycle.frequency))} of no width: the more spins, the slower their phase wanders."
        )
    below = (
        "With few, <i>c</i> may be larger than above the threshold." if isfinite(ss.critical_coupling(ensemble(values))) else ""
    )
    told = "Infinitely many spins stay incoherent here: <i>c</i> goes to zero, the line keeps a width."
    return f"{told} {below}".rstrip()


def code(values: Values) -> str:
    """A Python program that makes line, spectrum and correlation, and a figure."""
    level, spins = type(theory(values["N"])).__name__, int(values["N"])
    wide, besides, told = "float(line.linewidth)", "", ""
    if diffuses(values):
        wide = "max(float(line.linewidth), diffusion)"
        besides = f"diffusion = float(ss.limit_cycle(ensemble).phase_diffusion) / {spins}  # the width of very many spins\n"
        told = 'print(f"width by phase diffusion {diffusion:.6g}")\n'
    return (
        "import matplotlib.pyplot as plt\nimport numpy as np\nimport spinsync as ss\n\n"
        f"{one_group.head(values)}"
        "ensemble = ss.Ensemble.single(\n"
        f"    gain=r / (1 + r), damping=1 / (1 + r), coupling={values['V']!r}, theta={values['theta']!r} * np.pi,\n"
        f"    dephasing={values['dephasing']!r},\n)\n"
        f"theory = ss.{level}({spins})\n"
        "rest = ss.steady_state(ensemble, theory=theory)\n"
        "line = ss.linewidth(ensemble, theory=theory)\n"
        f"{besides}reach = {REACH} * {wide}\n"
        f"frequencies = float(line.frequency) + np.linspace(-reach, reach, {POINTS})\n"
        "light = ss.emission_spectrum(ensemble, frequencies, theory=theory)\n"
        'print(f"correlation {rest.correlation[0, 0].real:.6f}, line at {line.frequency:.6f}, width {line.linewidth:.6g}")\n'
        f"{told}\n"
        'figure, ax = plt.subplots(layout="constrained")\n'
        "ax.plot(light.frequency - line.frequency, light.emission)\n"
        f'ax.set(xlabel="{FROM_THE_LINE}", ylabel="emission S(ν) (κ+γ)")\n'
        'ss.plot.save(figure, "spinsync-few-spins.png")\n'
    )
