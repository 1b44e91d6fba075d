"""Ticks as dense as their labels allow at the size that the axes have when they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import Formatter, Locator
from numpy.typing import NDArray

Array = NDArray[Any]
Candidate = Callable[[float, float], Array]  # ticks for the limits (low, high) of an axis, ascending
GAP = 0.4  # least distance of two labels, in units of the size of their letters
PLAIN = (9e-4, 99999.0)  # numbers between these are written without a power of ten


class FittingTicks(Locator):
    """The first of several sets of ticks, from dense to sparse, whose labels do not touch, if possible with two ticks."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates

    def __call__(self) -> Sequence[float]:
        return self.tick_values(*self._axis().get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        low, high = sorted((float(vmin), float(vmax)))
        rounding = 1e-9 * (high - low)
        sets = [ticks[(ticks >= low - rounding) & (ticks <= high + rounding)]
                for ticks in (candidate(low, high) for candidate in self.candidates)]  # fmt: skip
        outermost = [ticks[[0, -1]] for ticks in reversed(sets) if len(ticks) > 2]
        fitting = [ticks for ticks in [*sets, *outermost] if self._fit(ticks)]
        chosen = next((ticks for ticks in fitting if len(ticks) > 1), fitting[0] if fitting else sets[-1][:1])
        return chosen.tolist()  # type: ignore[no-any-return]

    def _axis(self) -> Axis:
        assert isinstance(self.axis, Axis)
        return self.axis

    def _fit(self, ticks: Array) -> bool:
        """Whether the labels of these ticks have room beside each other."""
        axis = self._axis()
        figure, box, along_x = axis.axes.figure, axis.axes.get_window_extent(), axis is axis.axes.xaxis
        scale = axis.get_transform()
        low, high = np.asarray(scale.transform(np.array(axis.get_view_interval(), float)))
        length = (box.width if along_x else box.height) * 72 / figure.figure.dpi
        at = (np.asarray(scale.transform(ticks)) - low) / (high - low) * length
        size = float(axis.get_major_ticks(1)[0].label1.get_fontsize())
        extent = np.array([_width(text, size) if along_x else size for text in numbers(ticks)])
        return bool(np.all(abs(np.diff(at)) > (extent[1:] + extent[:-1]) / 2 + GAP * size))


class Numbers(Formatter):
    """Numbers in one notation for all ticks of an axis."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return numbers(np.array([x]))[0]

    def format_ticks(self, values: Any) -> list[str]:
        return numbers(np.asarray(values, float))


def ticks_that_fit(axis: Axis, candidates: Sequence[Candidate]) -> None:
    """Give an axis the densest of these ticks whose labels do not touch."""
    axis.set_major_locator(FittingTicks(candidates))
    axis.set_major_formatter(Numbers())


def numbers(values: Array) -> list[str]:
    """Labels of numbers: as they are written, or with powers of ten if one of them is very large or small."""
    low, high = PLAIN
    if all(low < abs(value) < high or value == 0 for value in values.tolist()):
        return [f"{value:g}".replace("-", "−") for value in values.tolist()]
    return [_with_power(value) for value in values.tolist()]


def _with_power(value: float) -> str:
    if value == 0:
        return "0"
    digits, power = f"{value:.4e}".split("e")
    digits, power = f"{float(digits):g}", f"10^{{{int(power)}}}"
    return f"${power}$" if digits == "1" else rf"${digits}\times{power}$"


@lru_cache(maxsize=4096)
def _width(text: str, size: float) -> float:
    """Width of a label in points."""
    return float(TextPath((0, 0), text, size=size, prop=FontProperties()).get_extents().width)
