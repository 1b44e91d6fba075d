"""What the story says of two groups, in step 6 and in the sandbox, and which goals of the sandbox are reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import degrees, pi

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer import story, two_groups
from spinsync.interfaces.explorer.controls import Values, equation, shown

Answers = dict[str, str]
CALM = {"V": 0.0, "theta": 0.0, "dephasing": 0.0, "spread": 0.0, "alike": 1.0}  # where a step has no such control
OPPOSITE = 170  # degrees from which on two directions count as opposite; the words of the goal say so
SWING = np.linspace(0, 150, 3001)  # times in which two groups are followed; the first half is forgotten


def time_shown(value: float) -> str:
    """A time in seconds of the stage, or a number of turns, with two digits."""
    return shown(value, 1 if abs(value) < 10 else 0)


def pair(values: Values) -> ss.Ensemble:
    """Two groups, seen from the mean of their own frequencies."""
    return two_groups.ensemble({**CALM, **values})


@lru_cache(128)
def _regime(items: tuple[tuple[str, float], ...], common: bool = False) -> xr.Dataset:
    return ss.regime(pair(dict(items)), initial=two_groups.COMMON if common else None)


def regime(values: Values) -> xr.Dataset:
    """The long-time motion of two groups from a weak random coherence."""
    return _regime(tuple(sorted(values.items())))


def common_regime(values: Values) -> xr.Dataset:
    """The long-time motion of two groups from a strong common start."""
    return _regime(tuple(sorted(values.items())), common=True)


@lru_cache(16)
def _swing(items: tuple[tuple[str, float], ...]) -> tuple[float, float]:
    late = ss.evolve(pair(dict(items)), SWING).coherence.values[len(SWING) // 2 :]
    ahead = np.angle(late[:, 1] * late[:, 0].conj())  # phi_A - phi_B, as phi = -arg s
    middle = np.angle(np.exp(1j * ahead).mean())
    apart = np.angle(np.exp(1j * (ahead - middle)))
    return float(middle + apart.min()), float(middle + apart.max())


def swing(values: Values) -> tuple[float, float]:
    """Smallest and largest angle by which A is ahead of B, in radians."""
    return _swing(tuple(sorted(values.items())))


def kind(found: xr.Dataset) -> ss.Regime:
    return ss.Regime(int(found.regime))


# ---- in words


def _ahead(found: xr.Dataset) -> int:
    """The constant angle by which blue is ahead, in degrees as they are said."""
    return round(degrees(float(found.phase_difference[0, 1])))


def _apart(found: xr.Dataset) -> str:
    """The constant angle between two groups of one speed."""
    ahead = _ahead(found)
    if ahead == 0:
        return "both groups point the same way"
    if abs(ahead) == 180:
        return "the groups point in opposite directions"
    return f"blue is {'ahead' if ahead > 0 else 'behind'} by {abs(ahead)}° all the time"


def told(values: Values) -> str:
    """Two groups at the present values; where the start decides, what each of two starts leads to."""
    found, common = regime(values), common_regime(values)
    if two_groups.start_decides(found, common):
        return (
            f"<b>The start decides:</b> from a weak start they end {END[kind(found)]}, from a strong common one "
            f"{_other_speed(found, common) if kind(common) is kind(found) else END[kind(common)]}."
        )
    first, second = (story.OWN + float(f) for f in found.frequency.values)  # counted from the mean of the groups' own
    if kind(found) is ss.Regime.FULL:
        blue, orange = (shown(story.OWN + sign * values["detuning"] / 2) for sign in (1, -1))
        return (
            f"<b>Full synchronization:</b> one common speed {shown(first)} (alone: blue {blue}, orange {orange}), and "
            f"{_apart(found)}."
        )
    if kind(found) is ss.Regime.PHASE_TRAPPED:
        low, high = (shown(degrees(a), 0) for a in swing(values))
        return (
            f"<b>Phase-trapped:</b> the angle from orange to blue swings between {low}° and {high}°. On average both "
            f"have the speed {shown(first)}."
        )
    if kind(found) is ss.Regime.PARTIAL:
        meet = time_shown(2 * pi / abs(first - second))
        return (
            f"<b>Partial synchronization:</b> on average blue has the speed {shown(first)}, orange {shown(second)}. "
            f"{'Blue passes orange' if first > second else 'Orange passes blue'} every {meet} seconds."
        )
    return {
        ss.Regime.INCOHERENT: "<b>No rhythm:</b> all hands shrink away.",
        ss.Regime.IRREGULAR: "<b>Irregular:</b> the motion never repeats.",
        ss.Regime.PULSATING: "<b>Pulsating:</b> one hand swells and shrinks, and there is no angle between two rhythms.",
        ss.Regime.UNDECIDED: "<b>Undecided:</b> too close to a border to tell within the longest run.",
    }[kind(found)]


def _other_speed(found: xr.Dataset, common: xr.Dataset) -> str:
    """How two motions of one regime differ."""
    speeds = [shown(story.OWN + float(one.frequency[0])) for one in (found, common)]
    return (
        "with the same speed, but another angle between blue and orange"
        if speeds[0] == speeds[1]
        else (f"in another motion like it, at the speed {speeds[1]} instead of {speeds[0]}")
    )


END = {
    ss.Regime.FULL: "with one speed for all",
    ss.Regime.PHASE_TRAPPED: "swinging, with no turn gained",
    ss.Regime.PARTIAL: "passing again and again",
    ss.Regime.INCOHERENT: "in silence",
    ss.Regime.IRREGULAR: "never settling",
    ss.Regime.PULSATING: "with one hand that swells and shrinks",
}  # what becomes of a start

MEANT = {
    ss.Regime.FULL: "they agree on one speed, and the angle between them stays.",
    ss.Regime.PHASE_TRAPPED: "they nearly part: the angle between them swings to and fro, but no turn is ever lost.",
    ss.Regime.PARTIAL: "they are too different for one speed, but each group keeps in step within itself.",
    ss.Regime.INCOHERENT: "no rhythm lasts, neither of all nor of one group.",
    ss.Regime.IRREGULAR: "they never settle: no swing is like the one before.",
    ss.Regime.PULSATING: "one rhythm comes and goes, and they have no speed to agree on.",
    ss.Regime.UNDECIDED: "they are so close to a border that even a long run does not tell.",
}  # what a regime means, where the numbers stand below


def differing(values: Values) -> tuple[str, Answers]:
    """Full, phase-trapped and partial synchronization by `ss.regime`; what is between is told where the slider stands."""
    places = {"near": story.NEAR, "far": story.FAR, "trapped": values["detuning"]}
    kinds = {key: kind(regime({**values, "detuning": d})) for key, d in places.items()}
    answers = {key: f"At {equation('Δ', d)} {MEANT[kinds[key]]}" for key, d in places.items()}
    if kinds["trapped"] is ss.Regime.PHASE_TRAPPED:
        answers["trapped"] += _passing(values)
    return told(values), answers


def _passing(values: Values) -> str:
    """Where groups that swing begin to pass each other, and which hand gains the turns."""
    border = _border(tuple(sorted((name, value) for name, value in values.items() if name != "detuning")))
    if border is None or border[0] <= values["detuning"]:
        return ""
    first, hand = border
    return (
        f" At {equation('Δ', first)} the {hand} hand shrinks to nothing for a moment; beyond, it swings round the other side "
        "of the axis, a turn more each time: its speed jumps."
    )


@lru_cache(16)
def _border(items: tuple[tuple[str, float], ...]) -> tuple[float, str] | None:
    """The first detuning, in two digits, at which groups that were phase-trapped pass, and the hand whose speed jumps there."""
    inside, outside = (round(100 * detuning) for detuning in (story.TRAPPED, story.FAR))

    def at(hundredths: int) -> xr.Dataset:
        return regime({**dict(items), "detuning": hundredths / 100})

    if kind(at(inside)) is not ss.Regime.PHASE_TRAPPED:
        return None
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if kind(at(middle)) is ss.Regime.PHASE_TRAPPED else (inside, middle)
    if kind(at(outside)) is not ss.Regime.PARTIAL:
        return None
    jumps = abs((at(outside).frequency - at(inside).frequency).values)
    return outside / 100, "blue" if jumps[0] > jumps[1] else "orange"


# ---- the sandbox

Meets = Callable[[Values, xr.Dataset], bool]


def _faster(values: Values, found: xr.Dataset) -> bool:
    """With more gain than damping, faster than the faster group alone; frequencies count from the mean of the groups' own."""
    return values["r"] > 1 and kind(found) is ss.Regime.FULL and float(found.frequency[0]) > values["detuning"] / 2 + 0.05


def _opposite(values: Values, found: xr.Dataset) -> bool:
    return kind(found) is ss.Regime.FULL and abs(_ahead(found)) >= OPPOSITE


V_START = next(control.start for control in story.SANDBOX if control.name == "V")
SILENT = ss.Regime.INCOHERENT, ss.Regime.UNDECIDED  # no rhythm, or none that is known
GOALS: Mapping[str, Meets] = {
    "quiet": lambda values, found: values["V"] == V_START and kind(found) is ss.Regime.INCOHERENT,
    "pass": lambda values, found: kind(found) is ss.Regime.PARTIAL,
    "swing": lambda values, found: kind(found) is ss.Regime.PHASE_TRAPPED,
    "damped": lambda values, found: values["r"] < 1 and kind(found) not in SILENT,
    "faster": _faster,
    "opposite": _opposite,
}


def solved(values: Values) -> dict[str, bool]:
    """Which goals of the sandbox the present values reach."""
    found = regime(values)
    return {key: meets(values, found) for key, meets in GOALS.items()}
