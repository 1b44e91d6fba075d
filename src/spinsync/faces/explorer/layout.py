"""How the parts of a page stand together, wide or narrow."""

from __future__ import annotations

from typing import Any

import marimo as mo

from spinsync.faces.explorer import downloads
from spinsync.faces.explorer.pages import FewSpins, OneGroup, TwoGroups

UNITS = "Rates, frequencies and 1/time are in units of the damping rate γ, and the picture turns with the mean of the spins' own frequencies."


def _beside(*parts: Any) -> Any:
    """Side by side where there is room for it, else one under the other."""
    return mo.hstack(parts, widths="equal", wrap=True, align="start", gap=1.5)


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
            "Two groups of equal spins, A faster than B by the detuning $\\Delta$. Do they agree on one frequency? Click in the "
            f"diagram to go there; a name in it means: from a weak random start. {UNITS}"
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
            "The full many-body master equation of $N$ equal spins: every quantum jump is in. No phase is chosen, so order shows "
            "in the correlation $c$ of two spins, $R = 2\\sqrt{c}$, and in the width of the light they emit together. "
            f"$N$ goes to 60 here; in Python, to thousands. {UNITS}"
        ),
        page.live.panel,
        page.live.words,
        _beside(page.spectrum, page.order),
        downloads.buttons(downloads.few_spins_figure, page),
        page.code,
    ])  # fmt: skip


def story() -> Any:
    """For newcomers."""
    return mo.md("soon")
