"""What Python computes for the page on any number of spins: words, spectrum, and the curves over the number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import isfinite
from typing import Any, ClassVar

import spinsync as ss
from spinsync.interfaces.explorer import few_spins, figures, pictures
from spinsync.interfaces.explorer.controls import EXACT_AT_ONCE, EXACT_UP_TO, FEW, SPINS, Values, brief, shown, starts
from spinsync.interfaces.explorer.steps import Parts, Step

Line = dict[str, Any]


class FewSpins:
    """Any number of spins: line, spectrum, correlation and width against their number."""

    name, controls = "few-spins", FEW
    pictures: ClassVar = pictures.FEW
    data = staticmethod(few_spins.light)

    def steps(self, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
        values = starts(FEW) | dict(values)
        key, found = tuple(values[name] for name in ("V", "theta", "r", "dephasing")), Found(values)
        yield Step("the words", lambda: self._quick(values, drawn, key))
        yield Step("the line", found.words, {"words": True})
        yield Step("the spectrum", found.spectrum)
        for part, label, of, drawing in OVER_NUMBER:
            if drawn.get(part) != key:
                curves = Curves(of, values)
                for spins in few_spins.COUNTS:
                    last = spins == few_spins.COUNTS[-1]
                    yield Step(label, partial(_grown, part, curves, drawing, spins, last), {part: key} if last else {})

    @staticmethod
    def _quick(values: Values, drawn: Mapping[str, object], key: object) -> Parts:
        """The code, and the words of closed forms where others are not there soon; else those before stay meanwhile."""
        soon = "words" in drawn and not EXACT_AT_ONCE < values["N"] <= EXACT_UP_TO
        words = {} if soon else {"text": few_spins.first_words(values)}
        return {
            "code": {"text": few_spins.code(values)}, "words": {**words, "busy": True}, "spectrum": {"busy": True},
            "correlation": {"busy": drawn.get("correlation") != key}, "width": {"busy": drawn.get("width") != key},
        }  # fmt: skip


class Found:
    """The line of the spins, which words and spectrum share."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def words(self) -> Parts:
        values = self.values
        self.line = few_spins.line(values)
        self.c = c = few_spins.correlation(few_spins.ensemble(values), few_spins.theory(values["N"]))
        self.width = few_spins.best_width(values, self.line)
        many = few_spins.limit(values)
        correlation = (
            f"Correlation of two spins over their number. Here {shown(c, 3)}; infinitely many spins: {shown(many, 3)}."
        )
        width = f"Width of the line over the number of spins. Here {brief(self.width)}."
        return {
            "words": {"text": few_spins.words(values, self.line, c), "busy": False},
            "correlation": {"place": [values["N"], c], "says": f"{correlation} Arrow keys move."},
            "width": {"place": [values["N"], self.width], "says": f"{width} Arrow keys move."},
        }

    def spectrum(self) -> Parts:
        light = few_spins.light(self.values, self.line)
        x, y = light.frequency.values - float(self.line.frequency), light.emission.values
        top, diffuses = few_spins.highest(light), few_spins.diffuses(self.values)
        ends = few_spins.drawn_width(self.values, self.line, light)
        level = "spectrum" if self.values["N"] <= EXACT_UP_TO else "second order"
        curves, legend = [figures.line(x, y / top, ss.plot.COLOURS[0])], [(ss.plot.COLOURS[0], level, "line")]
        if diffuses:
            curves.append(figures.line(x, few_spins.lorentzian(x, self.width), figures.INK, dash="6 4"))
            legend.append((figures.INK, "phase diffusion", "dash"))
        figure = {
            "x": figures.axis(few_spins.FROM_THE_LINE, x[0], x[-1]),
            "y": figures.axis("emission S(ν) / highest", 0, 1.1),
            "lines": [*curves, figures.line(ends, [0.5, 0.5], ss.plot.COLOURS[1], wide=True)],
            "legend": [*legend, (ss.plot.COLOURS[1], f"width {brief(ends[1] - ends[0])}", "line")],
        }
        highest = (
            f"highest at {shown(light.frequency.values[y.argmax()])}, width {brief(ends[1] - ends[0])}"
            if y.max() > few_spins.DARK
            else "no light at all"
        )
        parts: Parts = {"spectrum": {"figure": figure, "says": f"Spectrum of the light: {highest}.", "busy": False}}
        if beside := few_spins.mixed(self.values, self.line, light):
            parts["words"] = {"text": few_spins.words(self.values, self.line, self.c, beside)}
        return parts


class Curves:
    """A quantity over N so far: first that of second order, then the exact one, number by number."""

    def __init__(self, of: few_spins.Quantity, values: Values) -> None:
        self.of, self.values, self.model = of, values, few_spins.ensemble(values)
        self.exact, self.second = dict[int, float](), list[float]()

    def add(self, spins: int) -> None:
        """Compute one more number of spins."""
        self.second = self.second or few_spins.second_order(self.of, self.model)
        self.exact[spins] = self.of(self.model, ss.Exact(spins))

    @property
    def known(self) -> list[float]:
        return [value for value in (*self.exact.values(), *self.second) if isfinite(value)]

    def lines(self) -> list[Line]:
        exact, second = ss.plot.COLOURS[:2]
        return [
            figures.line(few_spins.MANY, self.second, second),
            figures.line(self.exact, self.exact.values(), exact),
            figures.line(self.exact, self.exact.values(), exact, points=True),
        ]

    def legend(self, dashed: str) -> list[tuple[str, str, str]]:
        exact, second = ss.plot.COLOURS[:2]
        levels = [(exact, "exact", "dots"), (second, "second order", "line")]
        return [*levels, (figures.INK, dashed, "dash")] if dashed else levels


def correlations(curves: Curves) -> dict[str, Any]:
    """The correlation of two spins over their number, and that of infinitely many."""
    many = few_spins.limit(curves.values)
    low, high = min(0.0, many, *curves.known), max(0.02, many, *curves.known)
    room, ends = 0.12 * (high - low), (SPINS.low, SPINS.high)
    return {
        "x": figures.over(SPINS),
        "y": figures.axis("correlation c = ⟨σ₁⁺σ₂⁻⟩", low - room, high + room),
        "lines": [
            figures.line(ends, [0, 0], figures.INK, dash="1 4"),
            figures.line(ends, [many, many], figures.INK, dash="6 4"),
            *curves.lines(),
        ],
        "legend": curves.legend("infinitely many spins"),
    }


def widths(curves: Curves) -> dict[str, Any]:
    """The width of the line over the number of spins, and that by phase diffusion from where it holds."""
    spins, diffusion = few_spins.diffusion(curves.values)
    found = [*curves.known, *diffusion]
    return {
        "x": figures.over(SPINS),
        "y": figures.axis("width of the line/(κ+γ)", min(found) / 2, max(found) * 2, "log"),
        "lines": [*curves.lines(), *([figures.line(spins, diffusion, figures.INK, dash="6 4")] if spins else [])],
        "legend": curves.legend("phase diffusion" if spins else ""),
    }


#: part of the page, what its steps are called, the quantity, and its picture
OVER_NUMBER: tuple[tuple[str, str, few_spins.Quantity, Callable[[Curves], dict[str, Any]]], ...] = (
    ("correlation", "the correlation", few_spins.correlation, correlations),
    ("width", "the widths", few_spins.width, widths),
)


def _grown(part: str, curves: Curves, drawing: Callable[[Curves], dict[str, Any]], spins: int, last: bool) -> Parts:
    curves.add(spins)
    return {part: {"figure": drawing(curves), "busy": not last}}
