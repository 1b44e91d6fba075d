"""Linear and logarithmic axes, and the ticks of axes."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from spinsync.plot.fitting_ticks import Candidate, multiples, powers, ticks_that_fit

Array = NDArray[Any]
DENSE = 1000.0  # ratio of the ends of a logarithmic axis, below which 2 and 5 of each decade may have ticks


def follow_spacing(ax: Axes, new_figure: bool, **values: Array) -> None:
    """Make an axis logarithmic if the ratios of its values are more even than their differences, over more than a decade.

    Given axes are left alone if they have another scale than a linear one, or hold data.

    values : of the diagram along x, y or both
    """
    if not new_figure and ax.has_data():
        return
    for name, along in values.items():
        if getattr(ax, f"get_{name}scale")() == "linear" and _geometric(np.sort(along)):
            ax.set(**{f"{name}scale": "log"})


def _geometric(values: Array) -> bool:
    """Whether the ratios of positive neighbouring values are more even than their differences, over more than a decade."""
    if len(values) < 3 or values[0] <= 0 or values[-1] < 10 * values[0]:
        return False
    factors, steps = np.diff(np.log(values)), np.diff(values)
    return bool(np.ptp(factors) < min(2.0, np.ptp(steps) / steps.mean()) * factors.mean())


def cell_edges(axis: Axis, values: Array) -> Array:
    """Edges of the cells of an image around ascending values: halfway between two of them, as seen on the axis."""
    scale = axis.get_transform()
    at = np.asarray(scale.transform(values), float)
    if axis.get_scale() == "log" and values[0] <= 0:  # which has no place on this axis
        return np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    steps = np.diff(at) / 2 if len(at) > 1 else np.array([0.5])
    edges = np.concatenate([[at[0] - steps[0]], (at[1:] + at[:-1]) / 2, [at[-1] + steps[-1]]])
    return np.asarray(scale.inverted().transform(edges), float)


def no_multiplier(axis: Axis) -> None:
    """Write very large or small numbers of a linear axis at the ticks: a common factor would stand over labels or legends."""
    largest = max(map(abs, axis.get_view_interval()))
    if isinstance(axis.get_major_formatter(), ScalarFormatter) and not 1e-4 < largest < 1e5:
        ticks_that_fit(axis, [partial(_linear_ticks, intervals) for intervals in (7, 6, 5, 4, 3, 2, 1)], multiples)


def plain_decades(axis: Axis) -> None:
    """Plain numbers at the ticks of a logarithmic axis, at 1, 2 and 5 of each decade if there is room for them.

    An axis so short that fewer than two of these are on it has the ticks of a linear one.
    """
    low, high = sorted(axis.get_view_interval())
    dense: list[Candidate] = [partial(_log_ticks, (1, 2, 5), 1)] if high < DENSE * low else []
    narrow: list[Candidate] = [partial(_linear_ticks, n) for n in (4, 3, 2)] if high < 10 * low else []
    sparse: list[Candidate] = [partial(_log_ticks, (1,), stride) for stride in range(1, 12)]
    ticks_that_fit(axis, [*dense, sparse[0], partial(_log_ticks, (1, 3), 1), *sparse[1:], *narrow], powers)
    axis.set_minor_formatter(NullFormatter())


def _linear_ticks(intervals: int, low: float, high: float) -> Array:
    return np.asarray(MaxNLocator(intervals, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))


def _log_ticks(digits: tuple[int, ...], stride: int, low: float, high: float) -> Array:
    """These leading digits of the decades whose exponents are multiples of `stride`."""
    exponents = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    return np.sort(np.outer(10.0 ** exponents[exponents % stride == 0], digits).ravel())


def angle_ticks(axis: Any, low: float, high: float) -> None:
    """Ticks at multiples of pi/2, or of a smaller part of pi if fewer than three of these are in the range."""
    for parts in (2, 4, 8, 16, 32, 64):  # of pi
        steps = np.arange(np.ceil(parts * low / np.pi - 1e-9), np.floor(parts * high / np.pi + 1e-9) + 1).astype(int)
        if len(steps) >= 3:
            break
    if len(steps) < 2:
        return  # so narrow a range keeps its numbers, in radians
    axis.set_ticks(steps * np.pi / parts, [_fraction_of_pi(n, parts) for n in steps])


def _fraction_of_pi(numerator: int, denominator: int) -> str:
    f = Fraction(numerator, denominator)
    top, below = {1: "π", -1: "−π", 0: "0"}.get(f.numerator, f"{f.numerator}π"), f.denominator
    return top.replace("-", "−") + (f"/{below}" if below > 1 else "")
