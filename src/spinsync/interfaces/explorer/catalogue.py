"""What stands on each page, as the browser is told before any science is loaded: titles, controls, presets, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spinsync.interfaces.explorer import story
from spinsync.interfaces.explorer.controls import EXACT_UP_TO, FEW, ONE, TWO, Control

UNITS = "Rates, frequencies and 1/time are in units of <i>κ</i>&nbsp;+&nbsp;<i>γ</i>."
SPINS = 400  # on the stage

PAGES: tuple[dict[str, Any], ...] = (
    {
        "key": "one", "name": "One ensemble", "title": "One ensemble",
        "intro": "Gain <i>κ</i> lifts the spins, damping <i>γ</i> lowers them. Do they agree on one phase? " + UNITS,
        "controls": ONE, "stage": {"kind": "one", "spins": SPINS},
        "pictures": [{"part": "map", "title": "How strong the common rhythm is", "clickable": True}],
        "downloads": [
            {"name": "map", "label": "Map"}, {"name": "sphere", "label": "Sphere"},
            {"name": "order", "label": "Order over time"},
        ],
        "runs": "Sphere, order over time and all numbers: a run of their own with these values, relative to a spin alone; not "
        "the motion on the screen.",
        "presets": {
            "Weak pulling": {"theta": -0.45},
            "Strong pulling": {"theta": -0.15, "V": 4.0},
            "The article’s case": {"theta": -0.5, "spread": 0.0},
            "Just above": {"V": 1.4},
            "Just below": {"V": 1.14},
            "Damping instead of gain": {"r": 1 / 3, "theta": 0.38},
            "Equal spins": {"spread": 0.0},
            "Very unequal": {"spread": 0.6},
        },
    },
    {
        "key": "two", "name": "Two groups", "title": "Two groups",
        "intro": "Group A is faster than group B by the detuning <i>Δ</i>. Do they agree on one rhythm? " + UNITS,
        "controls": TWO, "stage": {"kind": "two", "spins": SPINS},
        "pictures": [
            {"part": "tongue", "title": "What happens from a weak start", "clickable": True, "doing": ""},
            {"part": "frequencies", "title": "The frequency of each group, from a weak start", "clickable": True},
        ],
        "downloads": [
            {"name": "tongue", "label": "Regimes"}, {"name": "frequencies", "label": "Frequencies"},
            {"name": "sphere", "label": "Sphere"}, {"name": "order-and-phases", "label": "Order and phases over time"},
        ],
        "runs": "Sphere, order, phases and all numbers: a run of their own with these values, from a weak start, relative to "
        "the mean of their own frequencies; not the "
        "motion on the screen.",
        "presets": {
            "Full": {"detuning": 0.5},
            "Phase-trapped": {"detuning": 1.45, "V": 6.0},
            "Partial": {"detuning": 2.5},
            "The start decides": {"detuning": 1.84, "V": 7.8},
            "Weak link": {"detuning": 0.05, "alike": 0.0, "V_cross": 0.3},
            "Weak link, too weak": {"detuning": 0.15, "alike": 0.0, "V_cross": 0.3},
            "No rhythm": {"detuning": 2.0, "V": 1.0},
        },
    },
    {
        "key": "few", "name": "N spins", "title": "Any number of spins",
        "intro": f"Quantum noise gives the light a width. Exact up to {EXACT_UP_TO} spins. "
        f"Correlation <i>c</i>: 0 if unrelated, ¼ if in step. {UNITS}",
        "controls": FEW, "stage": None,
        "pictures": [
            {"part": "spectrum", "title": "The light of the spins", "clickable": False},
            {"part": "correlation", "title": "Correlation of two spins", "clickable": True},
            {"part": "width", "title": "Width of the line", "clickable": True},
        ],
        "downloads": [
            {"name": "spectrum", "label": "Spectrum"}, {"name": "correlation", "label": "Correlation"},
            {"name": "width", "label": "Width"},
        ],
        "presets": {
            "Two spins": {"N": 2},
            "A narrow line": {"N": EXACT_UP_TO},
            "A million spins": {"N": 1_000_000},
            "Below the threshold": {"V": 0.8},
            "Against each other": {"N": 20, "theta": 0.5},
        },
    },
)  # fmt: skip


def described(controls: Sequence[Control]) -> list[dict[str, Any]]:
    """Controls as the browser takes them."""
    return [asdict(control) for control in controls]


def presets(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Names, and the values that differ from the start."""
    return [{"name": name, "values": values} for name, values in page["presets"].items()]


def pages() -> list[dict[str, Any]]:
    """The pages of this file."""
    return [page | {"controls": described(page["controls"]), "presets": presets(page), "data": True} for page in PAGES]


def catalogue() -> dict[str, Any]:
    """All pages, the story last."""
    return {"pages": [*pages(), story.catalogue()]}
