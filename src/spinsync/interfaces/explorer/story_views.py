"""What the story says of the present values: every number and every claim comes from here, in HTML with two digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import degrees, isfinite, log, pi, sqrt

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer import one_group, story, two_groups, views
from spinsync.interfaces.explorer.controls import Values, equation, shown
from spinsync.interfaces.explorer.steps import Parts, Step

Answers = dict[str, str]
SPINS = {scene.key: int(scene.stage["spins"]) for scene in story.SCENES}
HALVED = 1.8955  # x where sin(x)/x = 1/2
CALM = {"V": 0.0, "theta": 0.0, "dephasing": 0.0, "spread": 0.0, "alike": 1.0}  # where a step has no such control
SWING = np.linspace(0, 150, 3001)  # times in which the groups of step 6 are followed; the first half is forgotten


def time_shown(value: float) -> str:
    """A time in seconds of the stage, or a number of turns, with two digits."""
    return shown(value, 1 if abs(value) < 10 else 0)


# ---- the models


def single(values: Values) -> ss.Ensemble:
    """One group, seen from the laboratory."""
    return one_group.ensemble({**CALM, **values}).replace(frequency=story.OWN)


def pair(values: Values) -> ss.Ensemble:
    """Two groups, seen from the mean of their own frequencies."""
    return two_groups.ensemble({**CALM, **values})


@lru_cache(64)
def _regime(items: tuple[tuple[str, float], ...]) -> xr.Dataset:
    return ss.regime(pair(dict(items)))


def regime(values: Values) -> xr.Dataset:
    """The long-time motion of two groups from a weak random coherence."""
    return _regime(tuple(sorted(values.items())))


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


# ---- the six steps: the present state in one sentence, and what is found when one tries


def alone(values: Values) -> tuple[str, Answers]:
    """Uniform own frequencies in 1 - w to 1 + w: R = |sin(w t)/(w t)| after all hands were lined up."""
    width = values["width"]
    equal = "All clocks are equal now: lined up, they stay so."
    turns = "" if width == 0 else time_shown(HALVED / (2 * pi * width))
    now = equal if width == 0 else f"Lined up, the average hand has half of its length left after {turns} turns."
    apart = (
        "They stay in line: <i>R</i> = 1. But only because they are equal and began so."
        if width == 0
        else f"They drift apart. <i>R</i> falls from 1 to one half within {turns} turns, and nobody brings the hands "
        "back: no clock hears another."
    )
    return now, {
        "line-up": apart,
        "width": "Clocks that differ half as much drift apart in twice the time. Only clocks that are exactly equal stay in line "
        "for ever.",
        "kick": "The disorder stays. Even equal clocks do not repair it, as no clock knows where the others are.",
    }  # fmt: skip


def chance(spins: int) -> tuple[float, float]:
    """R of random starts lies between these in eight of ten: R² is exponential with the mean 2/(3N) for many spins."""
    low, high = (sqrt(-log(1 - share) * 2 / (3 * spins)) for share in (0.1, 0.9))
    return low, high


def hearing(values: Values) -> tuple[str, Answers]:
    """Interaction alone turns all points rigidly; at theta = 0 the mean turns at its own frequency less V z."""
    low, high = chance(SPINS["story-2"])
    twist = values["theta"]
    if values["V"] == 0:
        now = "Nobody is heard now: all dots turn at the speed 1 of a clock alone."
    elif twist == 0:
        now = "The average hand keeps its length, and turns at the speed 1 − <i>Vz</i>. Here <i>z</i> is the mean height of the start."
    elif abs(twist) == 1:
        now = "With a half turn of twist the average hand turns at the speed 1 + <i>Vz</i>."
    else:
        now = f"The ball tips over until the mean of all dots is straight {'below' if twist < 0 else 'above'} the middle."
    free = (
        "Every start has a motion of its own. The average hand keeps the length that chance gave it, mostly "
        f"{equation('R', low)} to {shown(high)}. From some starts it is faster than a clock alone, from others slower."
    )
    tips = "From every start the ball tips over, fast or slowly, and the average hand shrinks away: no rhythm."
    return now, {
        "start": free if twist in (0, 1, -1) else tips,
        "kick": "It does not come back: they go on in another way and keep to that. All dots move as if painted on the ball, and no "
        "motion is better than another.",
        "twist": "To the left of 0 the whole ball tips over until the mean of all dots is straight below the middle, to the right of "
        "0 straight above it, and no average hand is left. At 0 it turns for ever, but from each start in another way.",
    }


def dissipating(values: Values) -> tuple[str, Answers]:
    """Without coupling |s| decays at Gamma_perp = 1/2, and z tends to z0 = (r - 1)/(r + 1) of (1.3)."""
    group = single(values).groups[0]
    height, half = equation("z", group.z0), time_shown(log(2) / group.gamma_perp)
    return f"All come to rest at the height {height}, and no hand is left.", {
        "start": f"Every hand loses half of its length in {half} seconds, then half of the rest, and so on. All dots end at one point, "
        f"at the height {height}, wherever they began.",
        "kick": "They shrink again, to the same point. No nudge harms this end. But it is silent: <i>R</i> = 0.",
        "ratio": f"The point of rest moves up and down, <i>z</i> = (<i>r</i> − 1)/(<i>r</i> + 1): here {height}. It is always on the "
        "axis: no hand is left.",
    }


def _turning(cycle: xr.Dataset) -> str:
    """The common speed in words."""
    speed = float(cycle.frequency)
    if abs(speed) < 0.005:
        return equation("Ω", 0.0)
    return f"{equation('Ω', speed)} (one turn in {time_shown(2 * pi / abs(speed))} seconds)"


def _now(values: Values) -> str:
    """One group at the present values: rhythm or none, and why."""
    model = single(values)
    cycle, critical = ss.limit_cycle(model), float(ss.critical_coupling(model))
    if bool(cycle.synchronized):
        return (
            f"<b>A rhythm.</b> Length {equation('R', float(cycle.order_parameter))}, speed {_turning(cycle)}. The coupling is above "
            f"its critical value {shown(critical)}."
        )
    if isfinite(critical):
        return f"<b>No rhythm.</b> The coupling is not above its critical value {shown(critical)}: all hands shrink away."
    return "<b>No rhythm.</b> With this twist and this <i>r</i> no coupling is strong enough: all hands shrink away."


def both(values: Values) -> tuple[str, Answers]:
    """The limit cycle (4.2) to (4.4) and its threshold (4.5)."""
    cycle, critical = ss.limit_cycle(single(values)), float(ss.critical_coupling(single(values)))
    if bool(cycle.synchronized):
        start = (
            "The direction differs: the start decides the phase. Length and speed do not differ: "
            f"{equation('R', float(cycle.order_parameter))}, {_turning(cycle)}. Nobody sets them from outside. All hands point one "
            "way, but each is blurred by gain and damping, so <i>R</i> is below 1."
        )
        kick = (
            "It comes back by itself, to the same length and the same speed. Only the phase may be another one: none is better "
            "than another."
        )
    else:
        start = kick = "There is no rhythm now: every start, and every nudge, ends in silence, as all hands shrink away."
    weaken = (
        f"Below the <b>critical coupling</b> {equation('V<sub>c</sub>', critical)} gain and damping blur the hands faster than the "
        "coupling lines them up: the rhythm dies. Raise <i>V</i> above it, and a rhythm is born again."
        if isfinite(critical)
        else "With this twist and this <i>r</i> no coupling makes a rhythm."
    )
    return _now(values), {"start": start, "kick": kick, "weaken": weaken}


def roles(values: Values) -> tuple[str, Answers]:
    """theta -> -theta together with r -> 1/r is a mirror: the same R, and as much faster than a clock alone as it was slower."""
    alive = {"V": story.COUPLING.start, "theta": story.TWIST, "r": story.PUMPED.start}
    mirror = {**alive, "theta": -alive["theta"], "r": 1 / alive["r"]}
    one, other = (ss.limit_cycle(single(v)) for v in (alive, mirror))
    far, near = (float(ss.critical_coupling(single({**alive, "r": r}))) for r in (3.0, 1.5))
    return _now(values), {
        "flip": "The bright island jumps into the other half of the map: with one sign of <i>θ</i> a rhythm needs more gain than "
        "damping, with the other sign more damping than gain. You are in the dark, where no coupling helps.",
        "exchange": f"A rhythm lives on both islands. At {equation('V', alive['V'])} both have {equation('R', float(one.order_parameter))}, "
        f"but the speeds are {shown(float(one.frequency))} and {shown(float(other.frequency))}: one is as much slower than a "
        "clock alone as the other is faster. Each island is the mirror image of the other.",
        "map": f"The shore is the critical coupling: {shown(far)} at <i>r</i> = 3 (or 1/3), already {shown(near)} at <i>r</i> = 1.5 "
        "(or 2/3). Where gain equals damping no coupling is enough.",
    }  # fmt: skip


def _apart(found: xr.Dataset) -> str:
    """The constant angle between two groups of one speed."""
    ahead = round(degrees(float(found.phase_difference[0, 1])))
    if ahead == 0:
        return "both groups point the same way"
    if abs(ahead) == 180:
        return "the groups point in opposite directions"
    return f"blue is {'ahead' if ahead > 0 else 'behind'} by {abs(ahead)}° all the time"


def _two(values: Values) -> str:
    """Two groups at the present values."""
    found = regime(values)
    kind = _kind(found)
    first, second = (story.OWN + float(f) for f in found.frequency.values)  # counted from the mean of the groups' own
    if kind is ss.Regime.INCOHERENT:
        return "<b>No rhythm:</b> all hands shrink away."
    if kind is ss.Regime.FULL:
        return f"<b>Full synchronization:</b> one speed for all, {equation('Ω', first)}, and {_apart(found)}."
    if kind is ss.Regime.PHASE_TRAPPED:
        low, high = (shown(degrees(a), 0) for a in swing(values))
        return (
            f"<b>Phase-trapped:</b> the angle from orange to blue swings between {low}° and {high}°, but no turn is ever "
            f"lost. On average both have the speed {shown(first)}."
        )
    if kind is ss.Regime.PARTIAL:
        meet = time_shown(2 * pi / abs(first - second))
        return (
            f"<b>Partial synchronization:</b> blue has the speed {shown(first)}, orange {shown(second)} on average. "
            f"{'Blue passes orange' if first > second else 'Orange passes blue'} every {meet} seconds."
        )
    if kind is ss.Regime.IRREGULAR:
        return "<b>Irregular:</b> the motion never repeats."
    if kind is ss.Regime.PULSATING:
        return "<b>Pulsating:</b> only one group has a hand, and it swells and shrinks."
    return "<b>Undecided:</b> too close to a border to tell within the longest run."


def differing(values: Values) -> tuple[str, Answers]:
    """Full, phase-trapped and partial synchronization by `ss.regime`."""
    told = {key: _two({**values, "detuning": d}) for key, d in
            (("near", story.NEAR), ("far", story.FAR), ("trapped", story.TRAPPED))}  # fmt: skip
    return _two(values), {
        "near": f"They agree. {told['near']}",
        "far": f"They are too different for one speed, but each group keeps in step within itself. {told['far']}",
        "trapped": f"They nearly part. {told['trapped']}",
    }


# ---- the sandbox

Meets = Callable[[Values, xr.Dataset], bool]


def _kind(found: xr.Dataset) -> ss.Regime:
    return ss.Regime(int(found.regime))


def _faster(values: Values, found: xr.Dataset) -> bool:
    return _kind(found) is ss.Regime.FULL and float(found.frequency[0]) > 0.05  # counted from the mean of the groups' own


def _opposite(values: Values, found: xr.Dataset) -> bool:
    return _kind(found) is ss.Regime.FULL and abs(float(found.phase_difference[0, 1])) > 0.9 * pi


V_START = next(control.start for control in story.SANDBOX if control.name == "V")
GOALS: Mapping[str, Meets] = {
    "quiet": lambda values, found: values["V"] == V_START and _kind(found) is ss.Regime.INCOHERENT,
    "pass": lambda values, found: _kind(found) is ss.Regime.PARTIAL,
    "swing": lambda values, found: _kind(found) is ss.Regime.PHASE_TRAPPED,
    "damped": lambda values, found: values["r"] < 1 and _kind(found) is not ss.Regime.INCOHERENT,
    "faster": _faster,
    "opposite": _opposite,
}


def solved(values: Values) -> dict[str, bool]:
    """Which goals of the sandbox the present values reach."""
    found = regime(values)
    return {key: meets(values, found) for key, meets in GOALS.items()}


# ---- as the server asks for it

TOLD: Mapping[str, Callable[[Values], tuple[str, Answers]]] = {
    "story-1": alone, "story-2": hearing, "story-3": dissipating, "story-4": both, "story-5": roles, "story-6": differing,
}  # fmt: skip


def steps(key: str, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
    """The words; in step 5 the map as well, which is that of the page on one ensemble."""
    if key != "story-5":
        yield Step("the words", lambda: words(key, values))
        return
    first, *others = views.VIEWS["one"].steps({**CALM, **values}, drawn)
    yield Step("the words", lambda: {"map": first.compute()["map"], **words(key, values)})
    yield from others


def words(key: str, values: Values) -> Parts:
    """Words, answers, goals, and the rings of the limit cycle."""
    if key == "sandbox":
        found = regime(values)
        return {
            "words": {"text": _two(values), "answers": {}, "solved": solved(values)},
            "stage": two_groups.stage(found), "panel": {"idle": two_groups.idle(values)},
        }  # fmt: skip
    text, answers = TOLD[key](values)
    parts: Parts = {"words": {"text": text, "answers": answers, "solved": {}}}
    if key in ("story-4", "story-5"):
        parts["stage"] = one_group.stage({**CALM, **values})
    if key == "story-6":
        parts["stage"] = two_groups.stage(regime(values))
    return parts
