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
Write = Callable[[Array], list[str]]  # labels of all ticks of an axis
GAP = 0.4  # least distance of two labels, in units of the size of their letters
PLAIN = (9e-4, 99999.0)  # numbers between these are written without a power of ten


class FittingTicks(Locator):
    """The first of several sets of ticks, from dense to sparse, whose labels do not touch, if possible with two ticks."""

    def __init__(self, candidates: Sequence[Candidate], write: Write) -> None:
        self.candidates, self.write = candidates, write

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
        extent = np.array([text_width(text, size) if along_x else size for text in self.write(ticks)])
        return bool(np.all(abs(np.diff(at)) > (extent[1:] + extent[:-1]) / 2 + GAP * size))


class Numbers(Formatter):
    """Numbers in one notation for all ticks of an axis."""

    def __init__(self, write: Write) -> None:
        self.write = write

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.write(np.array([x]))[0]

    def format_ticks(self, values: Any) -> list[str]:
        return self.write(np.asarray(values, float))


def ticks_that_fit(axis: Axis, candidates: Sequence[Candidate], write: Write) -> None:
    """Give an axis the densest of these ticks whose labels do not touch."""
    axis.set_major_locator(FittingTicks(candidates, write))
    axis.set_major_formatter(Numbers(write))


def multiples(values: Array) -> list[str]:
    """Labels of a linear axis: as they are written, or all as multiples of one power of ten if one is very large or small."""
    if _plain(values):
        return _written(values)
    power = int(np.floor(np.log10(abs(values).max()) + 1e-9))
    digits = [f"{value:.10g}" for value in (values / 10.0**power).tolist()]
    return ["0" if one in ("0", "-0") else rf"${one}\times10^{{{power}}}$" for one in digits]


def powers(values: Array) -> list[str]:
    """Labels of a logarithmic axis: as they are written, or each with its own power of ten if one is very large or small."""
    return _written(values) if _plain(values) else [_with_power(value) for value in values.tolist()]


def _plain(values: Array) -> bool:
    low, high = PLAIN
    return all(low < abs(value) < high or value == 0 for value in values.tolist())


def _written(values: Array) -> list[str]:
    return [f"{value:.10g}".replace("-", "−") for value in values.tolist()]


def _with_power(value: float) -> str:
    digits, power = f"{value:.4e}".split("e")
    digits, power = f"{float(digits):g}", f"10^{{{int(power)}}}"
    return f"${power}$" if digits == "1" else rf"${digits}\times{power}$"


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """Width of text in points."""
    return float(TextPath((0, 0), text, size=size, prop=FontProperties()).get_extents().width)
