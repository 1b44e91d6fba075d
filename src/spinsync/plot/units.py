"""Units of rates, frequencies and times in figures: the model's own, the damping rate, or one of the laboratory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble

DAMPING = r"$\gamma$"  # the damping rate as the name of a unit
#: names of units of frequency -> those of the unit of time in which one of its periods is 1
PERIODS = {"mHz": "ks", "Hz": "s", "kHz": "ms", "MHz": "µs", "GHz": "ns", "THz": "ps"}
TIMES = ("ks", "s", "ms", "µs", "us", "ns", "ps", "min", "h")
INVERSE = re.compile(r"(?:rad )?(\w+)(?:⁻¹|\$?\^\{?[-−]1\}?\$?)")  # s^-1 and the like
MUST = "'rate', 'damping' or a name and a factor such as ('Hz', 2 * np.pi)"


@dataclass(frozen=True)
class Unit:
    """A unit of rates and frequencies in a figure, and with it of times.

    name : as in labels; "rate" for the numbers of the model
    size : of the unit, in the unit of the model
    cyclic : whether it counts periods, as Hz does: symbols are then divided by 2 pi
    """

    name: str = "rate"
    size: float = 1.0
    cyclic: bool = False

    @property
    def time(self) -> float:
        """How many of its units of time the model's unit of time contains."""
        return self.size / (2 * np.pi) if self.cyclic else self.size

    @property
    def time_name(self) -> str:
        """Name of its unit of time."""
        if self.cyclic:
            return PERIODS.get(self.name, f"1/{self.name}")
        if (inverse := INVERSE.fullmatch(self.name)) and inverse[1] in TIMES:
            return inverse[1]
        per, _, time = self.name.partition("/")
        if time in TIMES:
            return time if per in ("1", "rad") else f"{time}/{per}"
        product = not self.name.replace("$", "").replace("\\", "").isalnum()
        return f"1/({self.name})" if product else f"1/{self.name}"

    def label(self, words: str, symbol: str = "") -> str:
        """Label of a rate or frequency with this TeX symbol."""
        if self.name == DAMPING and symbol:
            return rf"{words}  ${f'({symbol})' if '-' in symbol else symbol}/\gamma$"
        if self.cyclic and symbol:
            symbol = rf"{f'({symbol})' if '-' in symbol else symbol}/2\pi"
        return f"{words}{f'  ${symbol}$' if symbol else ''}  ({self.name})"

    def time_label(self) -> str:
        """Label of the time."""
        return r"time  $\gamma t$" if self.name == DAMPING else f"time  $t$  ({self.time_name})"

    def density_label(self, words: str, symbol: str) -> str:
        """Label of a spectral density, whose integral over frequencies in this unit is a number; it scales as a time."""
        if self.name == DAMPING:
            return rf"{words}  $\gamma\,{symbol}$"
        return f"{words}  ${symbol}$  ({f'1/{self.name}' if self.cyclic else self.time_name})"


MODEL_UNIT = Unit()


def checked_unit(unit: Any, ensemble: Ensemble, varied: Iterable[str] = (), *, shown: bool = True) -> Unit:
    """The unit that the argument `unit` of a figure means. Raises InputError if there is none.

    varied : parameters on the axes of the figure
    shown : whether the figure shows a rate, a frequency or a time at all
    """
    if isinstance(unit, str) and unit not in ("rate", "damping"):
        raise checks.argument_error("unit", MUST, unit)
    if not shown and not (isinstance(unit, str) and unit == "rate"):
        raise checks.argument_error("unit", "'rate' in a figure that shows neither rates nor times", unit)
    if isinstance(unit, str):
        return MODEL_UNIT if unit == "rate" else Unit(DAMPING, _damping(ensemble, varied))
    if not isinstance(unit, (tuple, list)) or len(unit) != 2:
        raise checks.argument_error("unit", MUST, unit)
    name, factor = unit
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise checks.argument_error("unit", "a name of one line and a factor", unit)
    try:
        size = checks.positive("unit", factor)
    except checks.InputError:
        raise checks.argument_error("unit", "a name and a factor that is positive and finite", unit) from None
    return Unit(name, size, cyclic=name.endswith("Hz"))


def _damping(ensemble: Ensemble, varied: Iterable[str]) -> float:
    """The damping rate. Raises InputError, which says why, unless it is one positive number of all points and groups."""
    found = {group.damping for group in ensemble.groups}
    reason = next((f"{name} is an axis" for name in varied if name.split(".")[-1] == "damping"), "")
    if not reason and len(found) > 1:
        reason = "the groups differ in damping"
    if not reason and found == {0.0}:
        reason = "the damping is 0"
    if reason:
        raise checks.InputError(f"Argument `unit` must be 'rate' or a name and a factor where {reason}, but is unit='damping'.")
    return float(found.pop())
