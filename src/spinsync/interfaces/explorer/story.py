"""The story of spontaneous quantum synchronization in six steps, each with something to move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer.controls import COUPLING, DETUNING, RATIO, THETA, TIMES, Control, Values, angle, shown
from spinsync.interfaces.explorer.live import Live
from spinsync.interfaces.explorer.one_group import places
from spinsync.interfaces.explorer.pages import OneGroup, TwoGroups
from spinsync.interfaces.explorer.widgets import Crowd

WIDTH = Control("width", "spread of their own frequencies", 0, 1, 0.05, 0.2)
PLAYERS = 12
TURNS = np.linspace(0, 30, TIMES)


@dataclass(frozen=True)
class Step:
    """A title, what is told (Markdown), and the parts to show, from top to bottom."""

    title: str
    told: str
    live: Live
    parts: Sequence[Any]


class _Scene:
    """A few spins, and the pictures that show their run."""

    def __init__(
        self, controls: Sequence[Control], run: Callable[[Values], xr.Dataset], words: Callable[[Values, xr.Dataset], str],
        crowd: Crowd | None = None,
    ) -> None:  # fmt: skip
        self.crowd, self._run, self._words = crowd, run, words
        self.sphere: Any = None
        self.live = Live(controls, self._quick)

    def _quick(self, values: Values) -> str:
        run = self._run(values)
        if self.crowd is not None:
            self.crowd.update(run)
        elif self.sphere is None:
            self.sphere = ss.show(run, height=300)
        else:
            self.sphere.update(run)
        return self._words(values, run)


def alone(values: Values) -> xr.Dataset:
    """Spins without gain, damping and coupling, that begin in step."""
    own = 1 + values["width"] * np.linspace(-1, 1, PLAYERS)
    quiet = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=0.0, theta=0.0, frequency=ss.Samples(own.tolist()))
    return ss.evolve(quiet, TURNS, initial=[[1.0, 0.0, 0.0]], each=True)


def interacting(values: Values) -> xr.Dataset:
    """Spins at random places with nothing but their coupling."""
    only = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=values["coupling"], theta=angle(values["theta"]))
    return ss.evolve(only, np.linspace(0, 10, TIMES), initial=places(), each=True)


def dissipating(values: Values) -> xr.Dataset:
    """Spins at random places with nothing but gain and damping."""
    only = ss.Ensemble.single(gain=values["ratio"], damping=1.0, coupling=0.0, theta=0.0)
    return ss.evolve(only, np.linspace(0, 4, TIMES), initial=places(), each=True)


def _alone_words(values: Values, run: xr.Dataset) -> str:
    least, last = float(run.order_parameter.min()), float(run.order_parameter[-1])
    if values["width"] == 0:
        return "<b>Equal metronomes stay in step</b>, but only because they began so: <i>R</i> = 1 all the time. Spread them."
    return (
        "<b>Each goes its own way.</b> The average of all hands, <i>R</i>, begins at 1, falls to "
        f"{least:.2f} and is {last:.2f} at the end. Nothing brings the hands back together for good."
    )


def _interacting_words(values: Values, run: xr.Dataset) -> str:
    length = np.linalg.norm(ss.bloch(run).values, axis=-1)
    change = float(abs(length - 1).max())
    order = run.order_parameter.values
    if values["coupling"] == 0:
        return f"<b>Nothing acts.</b> Every point stays where it began, and <i>R</i> = {order[0]:.3f}. Couple them."
    return (
        "<b>No rhythm of their own.</b> All points turn together like dots painted on a ball: none comes closer to another, "
        "and "
        f"each keeps its distance 1 from the centre (to {max(change, 1e-12):.0e}). The start decides all that follows. Here "
        f"<i>R</i> begins at {order[0]:.3f} and ends at {order[-1]:.3f}."
    )


def _dissipating_words(values: Values, run: xr.Dataset) -> str:
    z = (values["ratio"] - 1) / (values["ratio"] + 1)
    return (
        "<b>All phases are forgotten:</b> hands shrink to nothing. Every spin goes to the same point on the axis, "
        f"<i>z</i> = (<i>r</i> − 1)/(<i>r</i> + 1) = {shown(z, 3)}; <i>R</i> ends at {shown(run.order_parameter[-1], 3)}."
    )


def steps() -> list[Step]:
    """The story, told from the players to two groups."""
    players = _Scene((WIDTH,), alone, _alone_words, Crowd())
    coupled = _Scene(
        (replace(COUPLING, label="coupling V", high=12, start=6), replace(THETA, start=0.0)), interacting, _interacting_words
    )
    open_ = _Scene((RATIO,), dissipating, _dissipating_words)
    both = OneGroup((COUPLING, RATIO, replace(THETA, start=-0.38)))  # at -1/2 it does not turn
    map_ = OneGroup((COUPLING, RATIO, THETA))
    pair = TwoGroups((DETUNING, replace(COUPLING, start=20.0)))
    return [
        Step(
            "1. The players",
            "Metronomes on a shelf can fall into step. Here each metronome is an atom with two levels, the smallest clock "
            "there is. Its **hand** points where the atom's oscillation stands; its length says how sharp the phase is. "
            "The thick hand is the **average** of all; its length is the order parameter $R$: 1 when all hands are "
            "of full length and point the same way, 0 when there is no common phase. These players do not hear each other.",
            players.live, [players.crowd],
        ),
        Step(
            "2. Interaction",
            "Now let them act on each other, with the strength $V$ and a phase $\\theta$ of the interaction, and with nothing "
            "else. A spin is a point on the **Bloch sphere**: the azimuth is the phase of its hand, the height is how "
            "excited it is. Interaction moves the points about on the sphere.",
            coupled.live, [coupled.sphere],
        ),
        Step(
            "3. Dissipation",
            "Real atoms lose energy, at the rate $\\gamma$, and can be pumped, at the rate $\\kappa$. Both happen at random "
            "moments. Alone, this **gain** and **damping** lead every spin to the same place on the axis, where no hand is "
            "left. Only "
            "their ratio $r = \\kappa/\\gamma$ says where.",
            open_.live, [open_.sphere],
        ),
        Step(
            "4. Both together: the limit cycle",
            "Neither interaction nor dissipation makes a rhythm, but both together do. From random places all spins collapse "
            "onto **one** point that turns about the axis, the limit cycle; $\\theta$ says how fast. All hands point the same "
            "way now, but each is shorter than 1, as noise blurs it: that is why $R$ is below 1. Nobody prescribes the phase: "
            "it is what the start made of it. Lower $V$ below its critical value, press Play again, and the rhythm dies.",
            both.live, [both.sphere],
        ),
        Step(
            "5. The map of possibilities",
            "Each point of this map is an ensemble of its own. Bright: a strong common rhythm; dark: none. The line is the "
            "threshold from a formula, the colours are simulations. Click, or move with the arrow keys. Change the sign of "
            "$\\theta$: what needed gain now needs damping.",
            map_.live, [map_.diagram],
        ),
        Step(
            "6. Two groups: full and partial harmony",
            "Two ensembles, A faster than B by the detuning $\\Delta$. Close together they agree on one frequency: **full "
            "harmony**. Far apart each keeps its own rhythm, and they overtake each other: **partial harmony**. In between, "
            "where the coupling is strong, they may swing about each other without ever parting. Follow the detuning from 0 "
            "upwards.",
            pair.live, [pair.tongue, pair.sphere],
        ),
    ]  # fmt: skip
