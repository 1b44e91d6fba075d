"""What Python computes for each page, in pieces: first what is quick, then, coarse first, what takes longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import few_spins, figures, one_group, pictures, story, tongues, two_groups
from spinsync.interfaces.explorer.controls import (
    DETUNING,
    FEW,
    NO_BREAK,
    ONE,
    RATIO,
    SPINS,
    TWO,
    V,
    Values,
    brief,
    shown,
    starts,
)
from spinsync.interfaces.explorer.steps import Parts, Step, View


class OneEnsemble:
    """One ensemble: all of it from closed forms, without any kernel."""

    name, controls = "one-ensemble", ONE
    pictures: ClassVar = pictures.ONE
    data = staticmethod(one_group.run)

    def steps(self, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
        values = starts(ONE) | dict(values)
        key = one_group.map_key(values)
        yield Step("the words", lambda: self._quick(values, drawn.get("map") != key))
        if drawn.get("map") != key:
            yield Step("the map", lambda: {"map": {"figure": self._map(values), "busy": False}}, {"map": key})

    def _quick(self, values: Values, busy: bool) -> Parts:
        words = one_group.words(values)
        word = words[3 : words.index(".</b>")]
        says = (
            f"Map of the order parameter over coupling V and ratio r. Here V is {shown(values['V'])}, r is {values['r']:.3g}: "
            f"{word}. Arrow keys move."
        )
        return {
            "words": {"text": words}, "code": {"text": one_group.code(values)}, "stage": one_group.stage(values),
            "map": {"place": [values["V"], values["r"]], "says": says, "busy": busy},
        }  # fmt: skip

    @staticmethod
    def _map(values: Values) -> dict[str, Any]:
        return {
            "x": figures.over(V), "y": figures.over(RATIO), "image": figures.magnitudes(one_group.diagram(values)),
            "lines": [figures.line(*one_group.boundary(values), figures.BLACK, halo=True)], "bar": figures.ramp(),
            "legend": [(figures.BLACK, "threshold", "line")],
        }  # fmt: skip


class TwoGroups:
    """Two groups: regime, tongue, frequencies."""

    name, controls = "two-groups", TWO
    pictures: ClassVar = pictures.TWO
    data = staticmethod(two_groups.run)

    def steps(self, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
        values = starts(TWO) | dict(values)
        tongue, sweep = tongues.Tongue(values), two_groups.sweep_key(values)
        shown = partial(self._tongue, tongue, True)
        while_coarse = dict if "words" in drawn else shown  # the old picture, if any, stays until all of the next one is there
        yield Step("the words", lambda: self._quick(values, drawn, tongue.key, sweep))
        yield Step("the regime", lambda: self._regime(values), {"words": True})
        if drawn.get("frequencies") != sweep:
            yield Step("the frequencies", lambda: self._frequencies(values, two_groups.FEW))
        if drawn.get("tongue") != tongue.key:
            for piece in tongue.coarse():
                yield Step("the diagram", partial(_done, piece, while_coarse))
            yield Step("the diagram", shown)
        if drawn.get("frequencies") != sweep:
            yield Step("the frequencies", lambda: self._frequencies(values, two_groups.SWEEP), {"frequencies": sweep})
        if drawn.get("tongue") != tongue.key:
            yield from self._pieces("the boundaries", tongue, tongue.boundaries())
            yield from self._pieces("the diagram", tongue, tongue.fine())
            yield Step("the diagram", lambda: self._tongue(tongue, False), {"tongue": tongue.key})
        if drawn.get("start") != tongue.key:
            label, finishes = "where the start decides", {"tongue": tongue.key, "start": tongue.key}
            for piece in tongue.starts():
                yield Step(label, partial(_done, piece, partial(self._trying, tongue)))
            yield Step(label, lambda: {"tongue": self._tongue(tongue, False)["tongue"] | {"doing": ""}}, finishes)

    def _pieces(self, label: str, tongue: tongues.Tongue, pieces: Iterator[tongues.Piece]) -> Iterator[Step]:
        """Pieces of the diagram, each of which is seen as soon as it is there."""
        for piece in pieces:
            yield Step(label, partial(_done, piece, partial(self._tongue, tongue, True)))

    def _quick(self, values: Values, drawn: Mapping[str, object], key: object, sweep: object) -> Parts:
        control, _ = two_groups.upwards(values)
        up = values[control.name]
        parts: Parts = {
            "code": {"text": two_groups.code(values)},
            "panel": {"idle": two_groups.idle(values)},
            "words": {"busy": True},
            "tongue": {"place": [values["detuning"], up], "busy": drawn.get("tongue") != key},
            "frequencies": {"place": [values["detuning"]], "busy": drawn.get("frequencies") != sweep},
        }
        if drawn.get("tongue") != key or drawn.get("start") == key:
            parts["tongue"]["doing"] = ""  # else the strong start goes on where it stood
        if "words" not in drawn:  # later the words before stay until the regime is known, some hundredths of a second
            parts["words"]["text"] = two_groups.first_words(values)
        return parts

    @staticmethod
    def _regime(values: Values) -> Parts:
        found, common = two_groups.regimes(values)
        control, _ = two_groups.upwards(values)
        where = f"detuning {shown(values['detuning'])}, coupling {shown(values[control.name])}"
        observed = ", ".join(
            f"{name} {'dark' if np.isnan(f) else shown(f)}" for name, f in zip("AB", found.frequency.values, strict=True)
        )
        return {
            "words": {"text": two_groups.words(found, common), "busy": False},
            "stage": two_groups.stage(found, common),
            "tongue": {
                "says": f"Regimes over detuning and coupling. Here, at {where}: {ss.label(found.regime)}, from a weak start. "
                "Arrow keys move."
            },
            "frequencies": {
                "says": f"Frequency of each group over the detuning, from a weak start. Here: {observed}. Arrow keys move."
            },
        }

    @staticmethod
    def _tongue(tongue: tongues.Tongue, busy: bool) -> Parts:
        return {"tongue": {"figure": tongue.figure(), "busy": busy}}

    @staticmethod
    def _trying(tongue: tongues.Tongue) -> Parts:
        """How far the strong start is, beside the title of the diagram, which stands there already."""
        return {"tongue": {"doing": f"strong start: {tongue.tried():.0%}".replace("%", f"{NO_BREAK}%")}}

    @staticmethod
    def _frequencies(values: Values, count: int) -> Parts:
        x = np.linspace(DETUNING.low, DETUNING.high, count)
        observed = two_groups.frequencies(values, count).frequency.values
        reach = max(DETUNING.high / 2, float(np.nanmax(abs(observed), initial=0.0)))
        figure = {
            "x": figures.over(DETUNING),
            "y": figures.axis("frequency Ω/(κ+γ)", -1.1 * reach, 1.1 * reach),
            "lines": [
                *(figures.line(x, sign * x / 2, figures.INK, dash="1 4") for sign in (1, -1)),
                figures.line(x, observed[:, 0], ss.plot.COLOURS[0], points=True, size=3.6, open=True),  # B is seen inside
                figures.line(x, observed[:, 1], ss.plot.COLOURS[1], points=True, size=1.8),
            ],
            "legend": [
                (ss.plot.COLOURS[0], "group A", "rings"), (ss.plot.COLOURS[1], "group B", "dots"),
                (figures.INK, "without coupling", "dotted")],
        }  # fmt: skip
        return {"frequencies": {"figure": figure, "busy": count < two_groups.SWEEP}}


class FewSpins:
    """Few spins: line, spectrum, correlation against their number."""

    name, controls = "few-spins", FEW
    pictures: ClassVar = pictures.FEW
    data = staticmethod(few_spins.light)

    def steps(self, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
        values = starts(FEW) | dict(values)
        key, found = tuple(values[name] for name in ("V", "theta", "r", "dephasing")), Found(values)
        yield Step("the words", lambda: self._quick(values, drawn, key))
        yield Step("the line", found.words, {"words": True})
        yield Step("the spectrum", found.spectrum)
        if drawn.get("correlation") != key:
            curves = Correlations(values)
            for spins in few_spins.COUNTS:
                last = spins == few_spins.COUNTS[-1]
                yield Step("the correlation", partial(curves.add, spins, last), {"correlation": key} if last else {})

    @staticmethod
    def _quick(values: Values, drawn: Mapping[str, object], key: object) -> Parts:
        words = {} if "words" in drawn else {"text": few_spins.first_words(values)}
        return {
            "code": {"text": few_spins.code(values)}, "words": {**words, "busy": True},
            "spectrum": {"busy": True}, "correlation": {"busy": drawn.get("correlation") != key},
        }  # fmt: skip


class Found:
    """The line of a few spins, which words and spectrum share."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def words(self) -> Parts:
        values = self.values
        self.line, c = few_spins.line(values), few_spins.correlation(few_spins.ensemble(values), few_spins.theory(values["N"]))
        many = few_spins.limit(values)
        says = f"Correlation of two spins over their number. Here {shown(c, 3)}; infinitely many spins: {shown(many, 3)}."
        return {
            "words": {"text": few_spins.words(values, self.line, c), "busy": False},
            "correlation": {"place": [values["N"], c], "says": says},
        }

    def spectrum(self) -> Parts:
        light = few_spins.light(self.values, self.line)
        x, y = light.frequency.values - float(self.line.frequency), light.emission.values
        top = few_spins.highest(light)
        half = float(self.line.linewidth) / 2
        figure = {
            "x": figures.axis(few_spins.FROM_THE_LINE, x[0], x[-1]),
            "y": figures.axis("emission S(ν) / highest", 0, 1.1),
            "lines": [
                figures.line(x, y / top, ss.plot.COLOURS[0]),
                figures.line([-half, half], [0.5, 0.5], ss.plot.COLOURS[1], wide=True),
            ],
            "legend": [(ss.plot.COLOURS[0], "spectrum", "line"), (ss.plot.COLOURS[1], f"width {brief(2 * half)}", "line")],
        }
        highest = (
            f"highest at {shown(light.frequency.values[y.argmax()])}, width {brief(2 * half)}"
            if y.max() > few_spins.DARK
            else "no light at all"
        )
        return {"spectrum": {"figure": figure, "says": f"Spectrum of the light: {highest}.", "busy": False}}


class Correlations:
    """The curves over N so far: first that of second order, then the exact one, number by number."""

    def __init__(self, values: Values) -> None:
        self.model, self.limit = few_spins.ensemble(values), few_spins.limit(values)
        self.exact, self.second = dict[int, float](), list[float]()

    def add(self, spins: int, last: bool) -> Parts:
        """The picture with one more number of spins."""
        self.second = self.second or few_spins.second_order(self.model)
        self.exact[spins] = few_spins.correlation(self.model, ss.Exact(spins))
        many, counts, found = self.limit, list(map(float, self.exact)), list(self.exact.values())
        low, high = min(0.0, many, *found, *self.second), max(0.02, many, *found, *self.second)
        room = 0.12 * (high - low)
        ends = (SPINS.low, SPINS.high)
        figure = {
            "x": figures.over(SPINS),
            "y": figures.axis("correlation c", low - room, high + room),
            "lines": [
                figures.line(ends, [0, 0], figures.INK, dash="1 4"),
                figures.line(ends, [many, many], figures.INK, dash="6 4"),
                figures.line(few_spins.MANY, self.second, ss.plot.COLOURS[1]),
                figures.line(counts, found, ss.plot.COLOURS[0]),
                figures.line(counts, found, ss.plot.COLOURS[0], points=True),
            ],
            "legend": [
                (ss.plot.COLOURS[0], "exact", "dots"), (ss.plot.COLOURS[1], "second order", "line"),
                (figures.INK, "infinitely many spins", "dash"),
            ],
        }  # fmt: skip
        return {"correlation": {"figure": figure, "busy": not last}}


def _done(piece: Callable[[], None], then: Callable[[], Parts] = dict) -> Parts:
    piece()
    return then()


VIEWS: dict[str, View] = {"one": OneEnsemble(), "two": TwoGroups(), "few": FewSpins(), **story.VIEWS}
