"""How the parts of a page stand together, wide or narrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marimo as mo

from spinsync.interfaces.explorer import downloads
from spinsync.interfaces.explorer.pages import FewSpins, OneGroup, TwoGroups
from spinsync.interfaces.explorer.story import steps
from spinsync.interfaces.explorer.widgets import Tabs

COUNTED = (
    "Rates, frequencies and 1/time are in units of the damping rate γ; frequencies are counted from the mean of the spins' own"
)
UNITS = f"{COUNTED}, and the sphere is seen in the frame that turns with it."

OPENING = """How does a crowd of quantum clocks find one rhythm, with no conductor? This is the story that Z.-H. Yang and
D.-B. Zhang tell in “Spontaneous macroscopic quantum synchronization in an ensemble of two-level systems”, arXiv:2511.10920.
Every picture here is computed while you look; move the sliders."""
CLOSING = """Where to go on: the other tabs have all parameters, the figures and the data, and “Copy as Python” takes you from
any view to a program. All in this story is for infinitely many spins; *Few spins* shows what quantum noise makes of it."""


def _beside(*parts: Any) -> Any:
    """Side by side where there is room for it, else one under the other."""
    cells = "".join(f'<div style="flex: 1 1 320px; min-width: 0">{mo.as_html(part).text}</div>' for part in parts)
    return mo.Html(f'<div style="display: flex; flex-wrap: wrap; gap: 1.5rem">{cells}</div>')


def one_group() -> Any:
    """One ensemble."""
    page = OneGroup()
    return mo.vstack([
        mo.md(
            "Infinitely many equal spins with gain, damping and the coupling $V e^{i\\theta}$. Move a slider, or click in the "
            f"diagram to go there. {UNITS}"
        ),
        _beside(page.live.panel, page.diagram),
        page.live.words,
        page.sphere,
        downloads.buttons(downloads.one_group_figure, page),
        page.code,
    ])  # fmt: skip


def two_groups() -> Any:
    """Two groups."""
    page = TwoGroups()
    return mo.vstack([
        mo.md(
            "Two groups of equal spins, A faster than B by the detuning $\\Delta$. Do they agree on one frequency? Click in "
            f"the diagram to go there; a name in it means: from a weak random start. {UNITS}"
        ),
        page.live.panel,
        page.live.words,
        _beside(page.tongue, page.frequencies),
        page.sphere,
        downloads.buttons(downloads.two_groups_figure, page),
        page.code,
    ])  # fmt: skip


def few_spins() -> Any:
    """Few spins."""
    page = FewSpins()
    return mo.vstack([
        mo.md(
            "The full many-body master equation of $N$ equal spins: every quantum jump is in. No phase is chosen, so order "
            "shows in the correlation $c$ of two spins, $R = 2\\sqrt{c}$ (0 where $c$ is negative), and in the width of the "
            f"light they emit together. $N$ goes to 60 here; in Python, to thousands. {COUNTED}."
        ),
        page.live.panel,
        page.live.words,
        _beside(page.spectrum, page.order),
        downloads.buttons(downloads.few_spins_figure, page),
        page.code,
    ])  # fmt: skip


def story() -> Any:
    """For newcomers: six steps, one under the other."""
    told = [
        mo.vstack([mo.md(f"## {step.title}\n\n{step.told}"), step.live.panel, step.live.words, *step.parts]) for step in steps()
    ]
    return mo.vstack([mo.md(OPENING), *told, mo.md(CLOSING)], gap=2)


#: key in the address -> name, and what makes the page
PAGES: dict[str, tuple[str, Callable[[], Any]]] = {
    "one": ("One ensemble", one_group),
    "two": ("Two groups", two_groups),
    "few": ("Few spins", few_spins),
    "story": ("Story", story),
}


def opened(asked: object) -> Tabs:
    """The tabs, open at the page that the address asks for."""
    key = asked if isinstance(asked, str) and asked in PAGES else "one"
    return Tabs(pages=[[key, name] for key, (name, _) in PAGES.items()], selected=key)
