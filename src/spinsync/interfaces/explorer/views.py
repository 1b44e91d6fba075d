"""What Python computes for each page, in pieces: first what is quick, then, coarse first, what takes longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import few_views, figures, one_group, pictures, story, tongues, two_groups
from spinsync.interfaces.explorer.controls import DETUNING, NO_BREAK, ONE, RATIO, TWO, V, Values, shown, starts
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


def _done(piece: Callable[[], None], then: Callable[[], Parts] = dict) -> Parts:
    piece()
    return then()


VIEWS: dict[str, View] = {"one": OneEnsemble(), "two": TwoGroups(), "few": few_views.FewSpins(), **story.VIEWS}
