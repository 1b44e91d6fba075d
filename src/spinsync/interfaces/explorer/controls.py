"""What a visitor can set: names, ranges and steps, and the sentence for what lies outside.

Rates, frequencies and 1/time are in units of the total rate kappa + gamma, so that r -> 1/r with theta -> -theta is a mirror.
This module is needed to show the page, before any science is loaded: it imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi
from typing import Any, Literal

Values = Mapping[str, float]
LARGEST = 1e300  # what is beyond is no number, such as a whole number of 400 digits
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Control:
    """A number that can be set, or a box that can be ticked (0 or 1).

    A whole `step` allows whole numbers only; on a log scale any other is a step of ln(value).
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float
    kind: Literal["number", "tick"] = "number"
    scale: Literal["linear", "log"] = "linear"
    plain: str = ""  # the label in plain words, in the story
    follows: str = ""  # the control whose value holds here, too, while the box `alike` is ticked

    def taken(self, value: Any) -> tuple[float | None, str]:
        """The nearest allowed value, whole where the range is of whole numbers, and what was wrong."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
            return None, f"{self.label} must be a number."
        number = round(value) if float(self.step).is_integer() else float(value)
        inside = min(self.high, max(self.low, number))
        beyond = f"{self.label}: {plain_number(number)} is outside {plain_number(self.low)} to {plain_number(self.high)}"
        return float(inside), "" if inside == number else f"{beyond}; {plain_number(inside)} is used."


def plain_number(value: float) -> str:
    """A number of a range, as short as it can be said, with a minus sign instead of a hyphen."""
    digits = 7 if float(value).is_integer() else 2 if abs(value) < 0.1 else 4
    return f"{value:.{digits}g}".replace("-", "−")


V = Control("V", "coupling V/(κ+γ)", 0, 5, 0.02, 3)
THETA = Control("theta", "interaction phase θ/π", -1, 1, 0.01, -0.38)
RATIO = Control("r", "gain-to-damping ratio r = κ/γ", 1 / 12, 12, 0.02, 3, scale="log")
DEPHASING = Control("dephasing", "dephasing γφ/(κ+γ)", 0, 2, 0.01, 0)
SPREAD = Control("spread", "spread of own frequencies σ/(κ+γ)", 0, 1.5, 0.01, 0.2)
DETUNING = Control("detuning", "detuning Δ/(κ+γ)", 0, 3, 0.01, 0.5)
V_PAIR = replace(V, high=8, start=5)
ALIKE = Control("alike", "between the groups as within them", 0, 1, 1, 1, "tick")
V_CROSS = Control("V_cross", "cross coupling V×/(κ+γ)", 0, 8, 0.02, 1, follows="V")
THETA_CROSS = Control("theta_cross", "cross phase θ×/π", -1, 1, 0.01, -0.38, follows="theta")
EXACT_AT_ONCE = 100  # spins, whose line is computed in less than 0.1 s
EXACT_UP_TO = 300  # spins, in half a second; more are answered by approximations, as they take too long for a slider
SPINS = Control("N", "number of spins N", 2, 1_000_000, 1, 20, scale="log")

ONE = (V, THETA, RATIO, DEPHASING, SPREAD)
TWO = (DETUNING, V_PAIR, THETA, RATIO, DEPHASING, ALIKE, V_CROSS, THETA_CROSS)
FEW = (SPINS, V, THETA, RATIO, DEPHASING)


def angle(value: float) -> float:
    """An angle in radians, of one in units of pi."""
    return value * pi


def rates(values: Values) -> dict[str, float]:
    """Gain and damping of the ratio r = gain/damping, in units of their sum."""
    ratio = values["r"]
    return {"gain": ratio / (1 + ratio), "damping": 1 / (1 + ratio)}


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


def shown(value: float, digits: int = 2) -> str:
    """A number for reading: no minus before a zero, and a minus sign instead of a hyphen."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}".replace("-", "−")


def brief(value: float) -> str:
    """A positive number with two decimals, or as 1.9·10⁻⁵ where they would not show it."""
    if value >= 0.1 or value == 0:
        return shown(value)
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}·10{str(int(power)).translate(RAISED)}" if value < 0.001 else f"{value:.2g}"


def equation(symbol: str, value: float | str, digits: int = 2) -> str:
    """ "R = 0.34" in HTML, which no line break divides."""
    number = value if isinstance(value, str) else shown(value, digits)
    return f"<i>{symbol}</i>{NO_BREAK}={NO_BREAK}{number}"
