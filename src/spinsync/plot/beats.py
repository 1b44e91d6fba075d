"""Phase difference and beat spectrum of groups."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spinsync.base import checks
from spinsync.plot.appearance import axes, colour, group_colour, in_style, ink
from spinsync.plot.areas import closed_form
from spinsync.plot.axis_labels import label_axes
from spinsync.plot.labels import index
from spinsync.plot.legends import add_legend, once
from spinsync.plot.traces import require_variable, time_range
from spinsync.plot.units import checked_unit
from spinsync.results.datasets import model_of

MIN_HALF_HEIGHT = 0.25  # smallest half range of the phase axis, in units of pi: a constant then looks constant


@in_style
def phase_difference(
    run: xr.Dataset, ax: Axes | None = None, *, groups: tuple[str, str] | None = None, color: str | None = None,
    unit: str | tuple[str, float] = "rate",
) -> Axes:  # fmt: skip
    """Unwrapped phase difference of two groups over time: constant, oscillating, or growing.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve` with at least two groups.
    ax : matplotlib axes, optional
    groups : two names, optional
        By default the first two groups; their locked phase difference is drawn as a dashed line if a closed form applies.
    color : str, optional
    unit : "rate", "damping" or (name, factor)
        Unit of the time, as in `plot.order_parameter`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no coherence over time, or does not have these groups, or can't have this unit.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> ax = ss.plot.phase_difference(ss.evolve(pair, np.linspace(0, 10, 400)))
    """
    require_variable(run, "coherence")
    names = [str(name) for name in run.group.values]
    if len(names) < 2:
        raise checks.InputError("Argument `run` must hold at least two groups, but holds one.")
    if groups is not None and (not isinstance(groups, (tuple, list)) or len(groups) != 2 or groups[0] == groups[1]):
        raise checks.argument_error("groups", "two names that differ", groups)
    first, second = groups or names[:2]
    color = colour("color", color)
    for name in (first, second):
        checks.one_of("groups", name, names)
    values = run.coherence.values  # by index: names in a file may have another type
    one_unit, s = checked_unit(unit, model_of(run)), values[:, names.index(first)] * values[:, names.index(second)].conj()
    ax, new_figure, time = axes(ax), ax is None, run.time.values * one_unit.time
    ax.plot(time, np.unwrap(-np.angle(s)) / np.pi, color=color or group_colour(ax, 0), label=f"{first} − {second}")
    locked = closed_form(model_of(run), "phase_difference") if (first, second) == tuple(names) else np.nan
    if np.isfinite(locked):
        ax.axhline(locked / np.pi, color=ink(ax), lw=0.8, ls="--", zorder=3, label=once(ax, "locked, closed form"))
    middle, half = sum(ax.get_ylim()) / 2, abs(np.diff(ax.get_ylim()))[0] / 2
    ax.set_ylim(middle - max(half, MIN_HALF_HEIGHT), middle + max(half, MIN_HALF_HEIGHT))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _in_pi(value)))
    symbols = rf"$\varphi{index(first)} - \varphi{index(second)}$"
    ax.set_xlim(time_range(time))
    label_axes(ax, one_unit.time_label(), symbols)
    add_legend(ax, new_figure)
    return ax


def _in_pi(value: float) -> str:
    if abs(value) < 1e-9:
        return "0"
    return {"1": "π", "-1": "−π"}.get(f"{value:g}", f"{value:g}π".replace("-", "−"))


@in_style
def beat_spectrum(
    run: xr.Dataset, ax: Axes | None = None, *, skip: float = 0.5, frequencies: tuple[float, float] | None = None,
    unit: str | tuple[str, float] = "rate",
) -> Axes:  # fmt: skip
    """Spectrum of the mean coherence: one line if the groups are locked, with sidebands if they are phase-trapped, else a comb.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve` at equally spaced times, long enough for the last part to be stationary.
    ax : matplotlib axes, optional
    skip : float
        Share of the run to leave out at its start; at least 0, below 1.
    frequencies : two floats, optional
        The frequency range, angular, in the unit of the model; a phase that grows as Omega t gives a line at +Omega.
    unit : "rate", "damping" or (name, factor)
        Unit of the frequency, as in `plot.phase_diagram`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no coherence at equally spaced times, `skip` is not in [0, 1), fewer than 64 times are left, or the
        figure can't have this unit.

    Notes
    -----
    Power of sum_a p_a s_a relative to its strongest line, through a Blackman-Harris window (side lobes below -92 dB).

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> ax = ss.plot.beat_spectrum(ss.evolve(pair, np.linspace(0, 60, 3001)))
    """
    require_variable(run, "coherence", all_groups=True)
    skip = checks.non_negative("skip", skip)
    if skip >= 1:
        raise checks.argument_error("skip", "at least 0 and below 1", skip)
    time = run.time.values
    steps = np.diff(time)
    if time.size < 2 or np.ptp(steps) > 1e-6 * steps.mean():
        raise checks.InputError("Argument `run` must have equally spaced times for a spectrum, but its time steps differ.")
    mean = (run.coherence.values @ model_of(run).rates.weight)[int(skip * time.size) :]
    if mean.size < 64:
        raise checks.InputError(f"Argument `run` must leave at least 64 times for a spectrum, but leaves {mean.size}.")
    if frequencies is not None:
        given = checks.increasing("frequencies", frequencies)
        if given.size != 2:
            raise checks.argument_error("frequencies", "two numbers", frequencies)
    one_unit = checked_unit(unit, model_of(run))
    ax = axes(ax)
    power, omega = spectrum(mean, float(steps.mean()))
    low, high = _range(omega, power) if frequencies is None else given.tolist()
    visible = (omega >= low) & (omega <= high)
    ax.plot(
        omega[visible] / one_unit.size,
        10 * np.log10(np.maximum(power[visible] / power.max(), 1e-12)),
        color=group_colour(ax, 0),
        lw=0.9,
    )
    limits = (low / one_unit.size, high / one_unit.size)
    ax.set(xlim=limits, ylim=(-95, 5))
    label_axes(ax, one_unit.label("frequency", r"\nu"), "power  (dB)")
    return ax


def spectrum(signal: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Power spectrum of a complex signal: power and angular frequencies of e^{-i omega t}, ascending."""
    x = 2 * np.pi * np.arange(signal.size) / signal.size
    window = 0.35875 - 0.48829 * np.cos(x) + 0.14128 * np.cos(2 * x) - 0.01168 * np.cos(3 * x)
    padded = 4 * signal.size
    power = abs(np.fft.ifft(signal * window, padded)) ** 2  # ifft sums e^{+i omega t}: the line of e^{-i omega t} is at +omega
    omega = 2 * np.pi * np.fft.fftfreq(padded, step)
    order = np.argsort(omega)
    return power[order], omega[order]


def _range(omega: np.ndarray, power: np.ndarray) -> tuple[float, float]:
    """Limits (low, high) around all lines above -60 dB."""
    strong = omega[power > 1e-6 * power.max()]
    margin = 0.15 * (strong[-1] - strong[0]) + 40 * (omega[1] - omega[0])
    return float(max(strong[0] - margin, omega[0])), float(min(strong[-1] + margin, omega[-1]))
