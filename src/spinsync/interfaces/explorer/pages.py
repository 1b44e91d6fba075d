"""The three pages of the explorer: panels, pictures, and how they hang together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer import few_spins, figures, one_group, two_groups
from spinsync.interfaces.explorer.controls import COUPLING, DETUNING, RATIO, Control, Values, shown, starts
from spinsync.interfaces.explorer.live import Live, Put
from spinsync.interfaces.explorer.widgets import Plot, Said

INK = "currentColor"  # black on light, white on dark
HERE = ("#e0303c", "here", "dots")
DARK = 1e-12  # emission in units of 1/damping that is none


class _Drawn:
    """Remembers for which values the slow picture stands, so that a step inside it costs nothing."""

    _drawn: tuple[float, ...] | None = None

    def _done(self, key: tuple[float, ...], plot: Plot) -> Put:
        def put() -> None:
            self._drawn = key
            plot.figure = plot.figure | {"busy": False}

        return put


class OneGroup(_Drawn):
    """One ensemble: sphere and traces, words, the diagram with our place in it; controls left out stay where they start."""

    def __init__(self, controls: Sequence[Control] = one_group.CONTROLS) -> None:
        self.run: xr.Dataset | None = None
        self.sphere: Any = None
        self._axes = {"x": figures.over(COUPLING), "y": figures.over(RATIO)}  # a place can be chosen before colours come
        self.diagram, self.code = Plot(figure=self._axes, clickable=True), Said(kind="code")
        self._rest = starts(one_group.CONTROLS)
        self.live = Live(controls, self._quick, self._slow)
        self.diagram.observe(self._chosen, "chosen")

    def _quick(self, given: Values) -> str:
        values = self._rest | dict(given)
        self.run = one_group.run(values)
        if self.sphere is None:
            self.sphere = ss.show(self.run, height=360)
        else:
            self.sphere.update(self.run)
        self.code.text = one_group.code(values)
        words = one_group.words(values, self.run)
        word = words[3 : words.index(".</b>")]
        self.diagram.says = (
            f"Diagram of the order parameter over V/γ and r. Here V/γ = {values['coupling']:.4g}, r = {values['ratio']:.4g}: "
            f"{word}. Arrow keys move."
        )
        self.diagram.place = [values["coupling"], values["ratio"]]
        return words

    def _slow(self, given: Values) -> Iterator[Put]:
        values = self._rest | dict(given)
        if self._drawn == one_group.diagram_key(values):
            return
        self._drawn = None  # until it is finished, also where the next wish goes back
        x, y = one_group.boundary(values)
        begun = self._axes | {
            "lines": [figures.line(x, y, "#000000", halo=True)], "bar": figures.ramp(), "busy": True,
            "legend": [("#000000", "threshold, closed form", "line"), HERE],
        }  # fmt: skip
        yield _drawing(self.diagram, begun)  # nothing stays of what held for other values
        for order in one_group.diagram(values):
            yield _drawing(self.diagram, begun | {"image": figures.magnitudes(order)})
        yield self._done(one_group.diagram_key(values), self.diagram)

    def _chosen(self, change: Any) -> None:
        self.live.put(coupling=_two_digits(change.new.get("x")), ratio=_two_digits(change.new.get("y")))


class TwoGroups(_Drawn):
    """Two groups: sphere and traces, words, the tongue with our place in it, frequencies; controls left out stay."""

    _swept: tuple[float, ...] | None = None

    def __init__(self, controls: Sequence[Control] = two_groups.CONTROLS) -> None:
        self.run: xr.Dataset | None = None
        self.sphere: Any = None
        self._rest = starts(two_groups.CONTROLS)
        self.tongue, self.frequencies, self.code = Plot(figure=_axes(self._rest), clickable=True), Plot(), Said(kind="code")
        self.live = Live(controls, self._quick, self._slow, self._idle)
        self.tongue.observe(self._chosen, "chosen")

    def _quick(self, given: Values) -> str:
        values = self._rest | dict(given)
        found = ss.regime(two_groups.ensemble(values))
        self.run = two_groups.run(values)
        if self.sphere is None:
            self.sphere = ss.show(self.run, height=360)
        else:
            self.sphere.update(self.run)
        self.code.text = two_groups.code(values)
        up = values[two_groups.sweep_name(values)]
        self.tongue.says = (
            f"Diagram of the regimes over detuning and coupling. Here Δ/γ = {values['detuning']:.4g}, coupling {up:.4g}: "
            f"{ss.label(found.regime)}. Arrow keys move."
        )
        self.tongue.place = [values["detuning"], up]
        self.frequencies.says = "Observed frequencies of both groups over the detuning, and where we are."
        self.frequencies.place = [values["detuning"]]
        return two_groups.words(found)

    def _slow(self, given: Values) -> Iterator[Put]:
        values = self._rest | dict(given)
        if self._swept != (swept := two_groups.sweep_key(values)):
            self._swept = None
            yield _drawing(self.frequencies, _frequencies(None))
            yield self._sweep(swept, _frequencies(two_groups.frequencies(values)))
        if self._drawn == two_groups.tongue_key(values):
            return
        self._drawn = None
        yield _drawing(self.tongue, _axes(values) | {"legend": [HERE], "busy": True})
        for codes in two_groups.tongue(values):
            legend = [*figures.names_of(codes), HERE]
            yield _drawing(self.tongue, _axes(values) | {"image": figures.regimes(codes), "legend": legend, "busy": True})
        yield self._done(two_groups.tongue_key(values), self.tongue)

    def _sweep(self, key: tuple[float, ...], figure: dict[str, Any]) -> Put:
        def put() -> None:
            self._swept, self.frequencies.figure = key, figure

        return put

    def _chosen(self, change: Any) -> None:
        up = two_groups.sweep_name(self._rest | dict(self.live.values))
        self.live.put(**{"detuning": _two_digits(change.new.get("x")), up: _two_digits(change.new.get("y"))})

    def _idle(self, given: Values) -> list[str]:
        return ["cross_coupling", "cross_theta"] if given.get("alike") else []


class FewSpins(_Drawn):
    """Few spins: spectrum, order against their number, words."""

    def __init__(self) -> None:
        self.spectrum, self.order, self.code = Plot(), Plot(), Said(kind="code")
        self.light: xr.Dataset | None = None
        self.live = Live(few_spins.CONTROLS, self._quick, self._slow)

    def _quick(self, values: Values) -> str:
        self.code.text = few_spins.code(values)
        order = few_spins.order(few_spins.ensemble(values), int(values["spins"]))
        self.order.place = [values["spins"], order]
        self.light, self._line = None, few_spins.line(values)
        return few_spins.words(values, self._line, order)

    def _drawn_light(self, light: xr.Dataset) -> Put:
        x, y = light.frequency.values, light.emission.values
        figure = {
            "x": figures.axis("frequency ν/γ", x[0], x[-1]),
            "y": figures.axis("emission S(ν) γ", 0, 1.08 * y.max() if y.max() > DARK else 1.0),
            "lines": [figures.line(x, y, ss.plot.COLOURS[0])],
        }
        highest = f"with its highest point at {shown(x[y.argmax()], 3)} γ" if y.max() > DARK else "without any light"
        draw = _drawing(self.spectrum, figure, f"Emission spectrum {highest}.")

        def put() -> None:
            self.light = light
            draw()

        return put

    def _slow(self, values: Values) -> Iterator[Put]:
        yield self._drawn_light(few_spins.light(values, self._line))
        key = tuple(values[name] for name in ("coupling", "ratio", "theta", "dephasing"))
        if self._drawn == key:
            return
        self._drawn = None
        limit = float(ss.limit_cycle(few_spins.ensemble(values)).order_parameter)
        counts, orders = [], []
        for spins, order in few_spins.orders(values):
            counts.append(float(spins))
            orders.append(order)
            yield _drawing(self.order, {
                "x": figures.axis("number of spins N", 0, few_spins.SPINS.high),
                "y": figures.axis("order parameter R", 0, 1.0),
                "lines": [
                    figures.line([0, few_spins.SPINS.high], [limit, limit], INK, dash="6 4"),
                    figures.line(counts, orders, ss.plot.COLOURS[0]),
                    figures.line(counts, orders, ss.plot.COLOURS[0], points=True),
                ],
                "legend": [(ss.plot.COLOURS[0], "exact", "dots"), (INK, "infinitely many spins", "dash"), HERE], "busy": True,
            }, f"Order parameter against the number of spins, up to {order:.3f}; infinitely many: {limit:.3f}.")  # fmt: skip
        yield self._done(key, self.order)


def _drawing(plot: Plot, figure: dict[str, Any], says: str | None = None) -> Put:
    """Puts a figure into its place."""

    def put() -> None:
        plot.figure = figure
        if says is not None:
            plot.says = says

    return put


def _axes(values: Values) -> dict[str, Any]:
    """Of the tongue: what goes up is every coupling, or that between the groups."""
    label = COUPLING.label if values["alike"] else two_groups.CROSS.label
    return {"x": figures.over(DETUNING), "y": figures.over(COUPLING) | {"label": label}}


def _frequencies(sweep: xr.Dataset | None) -> dict[str, Any]:
    """Over the detuning; None: not known yet."""
    x = np.linspace(DETUNING.low, DETUNING.high, two_groups.SWEEP)
    observed = np.full((len(x), 2), np.nan) if sweep is None else sweep.frequency.values
    reach = max(DETUNING.high / 2, float(np.nanmax(abs(observed), initial=0.0)))
    return {
        "x": figures.over(DETUNING),
        "y": figures.axis("frequency Ω/γ", -1.1 * reach, 1.1 * reach),
        "busy": sweep is None,
        "lines": [
            *(figures.line(x, sign * x / 2, INK, dash="1 4") for sign in (1, -1)),
            *(figures.line(x, observed[:, g], ss.plot.COLOURS[g], points=True) for g in (0, 1)),
        ],
        "legend": [
            *((ss.plot.COLOURS[g], f"group {name}", "dots") for g, name in enumerate("AB")),
            (INK, "natural frequencies", "dotted"),
        ],
    }


def _two_digits(value: Any) -> Any:
    """A place that was clicked, as round as the sliders."""
    return round(value, 2) if isinstance(value, float) else value
