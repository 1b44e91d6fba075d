"""What a visitor can set: names, ranges and steps, and the sentence for what lies outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, isfinite, pi, sin
from typing import Any, Literal

Values = Mapping[str, float]
LARGEST_RUN = 200.0  # longest time shown, in 1/damping
TIMES, MOST_TIMES = 401, 4001  # of a run
PER_TURN = 10  # times, so that what turns fast is not seen to turn slowly


@dataclass(frozen=True)
class Control:
    """A number that can be set, or a box that can be ticked (0 or 1)."""

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float
    kind: Literal["number", "tick"] = "number"

    def taken(self, value: Any) -> tuple[float | None, str]:
        """The nearest allowed value, on the grid of steps where the range is of whole numbers, and what was wrong."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            return None, f"{self.label} must be a number."
        number = round(value) if float(self.step).is_integer() else float(value)
        inside = min(self.high, max(self.low, number))
        said = "" if inside == number else f"{self.label} goes from {self.low:g} to {self.high:g} here, but is {number:g}."
        return float(inside), said


COUPLING = Control("coupling", "coupling V/γ", 0, 30, 0.1, 12)
THETA = Control("theta", "interaction phase θ/π", -1, 1, 0.01, -0.5)
RATIO = Control("ratio", "gain-to-damping ratio r = κ/γ", 0, 12, 0.05, 3)
DEPHASING = Control("dephasing", "dephasing γφ/γ", 0, 5, 0.05, 0)
DETUNING = Control("detuning", "detuning Δ/γ", 0, 10, 0.05, 2)
UNTIL = Control("until", "time shown γt", 5, LARGEST_RUN, 1, 30)


def angle(value: float) -> float:
    """An angle in radians, of one in units of pi."""
    return value * pi


def moments(values: Values) -> int:
    """How many times a run needs for the frequency that interaction and detuning give; with disorder spins are too many."""
    if values.get("spread"):
        return TIMES
    ratio, phase = values["ratio"], angle(values["theta"])
    pull = (1 + ratio) / 2 + values["dephasing"]  # Gamma_perp: the frequency of the cycle is Gamma_perp cot(theta), (4.3)
    drive = values["coupling"] * abs(cos(phase) * (ratio - 1) / (ratio + 1))  # and on the way to it V cos(theta) z
    settled = pull * abs(cos(phase)) / max(abs(sin(phase)), 1e-9)
    fastest = min(settled, drive) + values.get("detuning", 0.0) / 2
    return round(min(max(TIMES, PER_TURN * fastest * values["until"] / (2 * pi)), MOST_TIMES))


def accepted(controls: Sequence[Control], asked: Mapping[str, Any], before: Values) -> tuple[dict[str, float], str]:
    """Values inside their ranges, and a sentence for each that was not; what is no number stays as it was.

    Whatever a browser sends passes here: names that nobody knows are left out, and nothing is evaluated.
    """
    values, sentences = {}, []
    for control in controls:
        number, said = control.taken(asked.get(control.name, before[control.name]))
        values[control.name] = before[control.name] if number is None else number
        sentences.append(said)
    return values, " ".join(filter(None, sentences))


def starts(controls: Sequence[Control], **changes: float) -> dict[str, float]:
    """What the controls say before anybody touches them."""
    return {control.name: float(changes.get(control.name, control.start)) for control in controls}


def shown(value: float, digits: int = 4) -> str:
    """A number for reading: no minus before a zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"
