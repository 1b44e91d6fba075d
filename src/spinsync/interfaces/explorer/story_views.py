"""What the story says of the present values: every number and every claim comes from here, in HTML with two digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import asin, isfinite, log, pi, sqrt

import xarray as xr

import spinsync as ss
from spinsync.interfaces.explorer import one_group, story, two_groups, views
from spinsync.interfaces.explorer.controls import Values, equation, shown
from spinsync.interfaces.explorer.steps import Parts, Step
from spinsync.interfaces.explorer.story_groups import CALM, Answers, common_regime, differing, regime, solved, time_shown, told

SPINS = {scene.key: int(scene.stage["spins"]) for scene in story.SCENES}
RESTING = "(<i>r</i>&nbsp;−&nbsp;1)/(<i>r</i>&nbsp;+&nbsp;1)"


def single(values: Values) -> ss.Ensemble:
    """One group, seen from the laboratory."""
    return one_group.ensemble({**CALM, **values}).replace(frequency=story.OWN)


# ---- the six steps: the present state in one sentence, and what is found when one tries


def alone(values: Values) -> tuple[str, Answers]:
    """Gaussian own frequencies of standard deviation w: R = exp(-(w t)^2/2) after all hands were lined up."""
    width = values["width"]
    if width == 0:
        now = "All clocks are equal now: lined up, they stay so."
        apart = f"They stay in line: {equation('R', '1')}. But only because they are equal and began so."
    else:
        turns = time_shown(sqrt(2 * log(2)) / (2 * pi * width))  # where R = 1/2
        now = f"Lined up, the average hand has half of its length after {turns} turns."
        apart = "They drift apart, and nobody brings the hands back: no clock hears another."
    return now, {
        "line-up": apart,
        "width": "Clocks that differ half as much drift apart in twice the time. Only clocks that are exactly equal stay in "
        "line for ever.",
        "kick": "The disorder stays. Even equal clocks do not repair it, as no clock knows where the others are.",
    }


def chance(spins: int) -> tuple[float, float]:
    """R of random starts lies between these in eight of ten: R² is exponential with the mean 2/(3N) for many spins."""
    low, high = (sqrt(-log(1 - share) * 2 / (3 * spins)) for share in (0.1, 0.9))
    return low, high


def twisted(twist: float) -> str:
    """A twist in its unit, with the angle in degrees."""
    return f"{shown(twist)} half turn{'' if abs(twist) == 1 else 's'} ({shown(180 * twist, 1).removesuffix('.0')}°)"


def hearing(values: Values) -> tuple[str, Answers]:
    """Interaction alone turns all points rigidly; at theta = 0 the mean turns at its own frequency less V z."""
    low, high = chance(SPINS["story-2"])
    twist = values["theta"]
    rigid = twist in (0, 1, -1) or values["V"] == 0
    told = f"With a twist of {twisted(twist)}" if twist else "Without a twist"
    if values["V"] == 0:
        now = "Nobody is heard now: every hand turns as a clock alone."
        start = (
            f"Each start has its own length, mostly {equation('R', low)} to {shown(high)}; the speed is always that of a clock "
            "alone."
        )
    elif rigid:
        now = f"{told} the average hand keeps the length and the speed that it has. None is left? Start anew."
        start = (
            f"Each start has its own length, mostly {equation('R', low)} to {shown(high)}, and its own speed: some are faster "
            "than a clock alone, others slower, a few turn backwards. Chance decides, and nothing levels it out."
        )
    else:
        side = "below" if twist < 0 else "above"
        now = f"{told} the ball tips over, until the mean of all dots is {side} the middle."
        start = (
            "From every start the ball tips over, and the average hand shrinks in the end, perhaps after growing: no rhythm."
        )
    after = "keep to that" if rigid else "the ball tips over again"
    return now, {
        "start": start,
        "kick": f"It does not come back: they go on in another way, and {after}. All dots move as if painted on the ball, and "
        "no motion is better than another.",
        "twist": "Between −1 and 0 the ball tips over until the mean of all dots is straight below the middle, between 0 and 1 "
        "above it: no average hand is left. The closer to 0 or ±1, the longer it takes; there the ball only turns, and a "
        "lost hand needs a new start.",
    }


def dissipating(values: Values) -> tuple[str, Answers]:
    """Without coupling |s| decays at Gamma_perp = 1/2, and z tends to z0 = (r - 1)/(r + 1) of (1.3)."""
    group = single(values).groups[0]
    height, half = equation("z", group.z0), time_shown(log(2) / group.gamma_perp)
    return f"At {equation('r', values['r'])} all come to rest on the axis, at the height {height}.", {
        "start": f"Every hand loses half of its length in {half} seconds, at any <i>r</i>, then half of the rest, and so on. "
        "All dots end at one point, wherever they began.",
        "kick": f"They shrink again, to the same point. No kick harms this end. But it is silent: {equation('R', '0')}.",
        "ratio": f"The point of rest moves up and down, {equation('z', RESTING)}, and always on the axis: no hand is left.",
    }


def _turning(cycle: xr.Dataset, *, long: bool) -> str:
    """The common speed in words, with the time of a turn."""
    speed = float(cycle.frequency)
    if abs(speed) < 0.005:
        return "0: it stands still"
    way = "backwards, " if speed < 0 else ""
    if not long:
        return shown(speed)
    return f"{shown(speed)} ({way}one turn in {time_shown(2 * pi / abs(speed))} s)"


def _here(values: Values) -> str:
    """The two values on which a critical coupling depends, as they stand on the page."""
    ratio = f"{values['r']:.3g}"
    return f"{equation('r', ratio)}, twist {shown(values['theta'])}"


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with two digits, or with up to four where fewer are the same."""
    digits = next((d for d in (2, 3) if shown(one, d) != shown(other, d)), 4)
    return shown(one, digits), shown(other, digits)


def _now(values: Values) -> str:
    """One group at the present values: rhythm or none, and why."""
    model = single(values)
    cycle, critical = ss.limit_cycle(model), float(ss.critical_coupling(model))
    slow = abs(values["V"] / critical - 1) < one_group.SLOW
    order, just = equation("R", float(cycle.order_parameter)), "just " if slow else ""
    coupling, threshold = _told_apart(values["V"], critical)
    if bool(cycle.synchronized):
        grown = f"Slowly it comes to {order}," if slow else f"In the end: length {order},"
        return (
            f"<b>A rhythm.</b> {grown} common speed {_turning(cycle, long=not slow)}. {equation('V', coupling)} is "
            f"{just}above the critical {threshold} (at {_here(values)})."
        )
    if isfinite(critical):
        side = "just below" if slow else "not above"
        return (
            f"<b>No rhythm.</b> All hands shrink away{', slowly' if slow else ''}. {equation('V', coupling)} is {side} "
            f"the critical {threshold} (at {_here(values)})."
        )
    return f"<b>No rhythm.</b> All hands shrink away. At {_here(values)} no coupling is strong enough."


def _speed(values: Values) -> str:
    """Who sets the common speed: by (4.3) theta and Gamma_perp, which r leaves as it is; and by (4.5) where there is one."""
    side = -1 if values["r"] > 1 else 1
    at = {theta: ss.limit_cycle(single({"V": 5.0, "theta": theta, "r": 12.0**-side})) for theta in (side / 2, side * 3 / 4)}
    speeds = " and ".join(f"{shown(float(cycle.frequency))} at {shown(theta)}" for theta, cycle in at.items())
    # the least critical coupling; with another twist theta it is this over |sin theta|
    least = float(ss.critical_coupling(single({**values, "theta": side / 2})))
    coupling = equation("V", values["V"])
    if values["V"] <= least:
        return f"At {coupling} no twist makes a rhythm, and without one there is no common speed. Raise <i>V</i> first."
    edge = asin(least / values["V"]) / pi
    low, high = (shown(theta) for theta in sorted((side * edge, side * (1 - edge))))
    here = ss.limit_cycle(single(values))
    told = f"{shown(float(here.frequency))} here, " if bool(here.synchronized) else ""
    return (
        f"The twist, and how fast hands blur; not <i>V</i> or <i>r</i>: {told}{speeds}. At {coupling} there is a rhythm with a "
        f"twist between {low} and {high} only."
    )


def both(values: Values) -> tuple[str, Answers]:
    """The limit cycle (4.2) to (4.4) and its threshold (4.5)."""
    cycle, critical = ss.limit_cycle(single(values)), float(ss.critical_coupling(single(values)))
    if bool(cycle.synchronized):
        start = (
            "The direction differs: the start decides the phase. Length and speed do not. "
            f"In the end all {SPINS['story-4']} dots lie on one another and look like one: pull one out to see."
        )
        kick = (
            "It comes back by itself, to the same length and the same speed. Only the phase may be another one: none is better "
            "than another. <i>R</i> stays below 1, as gain and damping blur every hand."
        )
    else:
        start = kick = "There is no rhythm now: every start, and every kick, ends in silence."
    return _now(values), {"start": start, "kick": kick, "twist": _speed(values), "weaken": _weaken(values, critical)}


def _weaken(values: Values, critical: float) -> str:
    """What the coupling does: by (4.2) and (4.4) R² is proportional to x (1 - x), x = V_c/V, and largest at x = 1/2."""
    if not isfinite(critical):
        return "With this twist and this <i>r</i> no coupling makes a rhythm."
    longest = equation("R", float(ss.limit_cycle(single({**values, "V": 2 * critical})).order_parameter))
    return (
        f"Below the <b>critical coupling</b> {equation('V<sub>c</sub>', critical)} ({_here(values)}) hands blur too fast: "
        f"the rhythm dies. Above it one is born. The hand is longest, {longest}, at twice that coupling, then shorter."
    )


def roles(values: Values) -> tuple[str, Answers]:
    """theta -> -theta with r -> 1/r is a mirror: the same R, and as much faster than a clock alone as it was slower."""
    twist = abs(values["theta"]) if values["theta"] % 1 else abs(story.TWIST)  # without a twist there is no island
    alive = {"V": story.COUPLING.start, "theta": -twist, "r": story.PUMPED.start}
    mirror = {**alive, "theta": -alive["theta"], "r": 1 / alive["r"]}
    one, other = (ss.limit_cycle(single(v)) for v in (alive, mirror))
    far, near = (float(ss.critical_coupling(single({**alive, "r": r}))) for r in (3.0, 1.5))
    dark = not isfinite(ss.critical_coupling(single(values)))
    alone = "Alone it ends in the dark: flip the twist, too. " if dark else ""
    here = "in the dark now, where no coupling helps" if dark else "in its half now"
    jumps = "The bright island jumps into the other half of the map" if values["theta"] % 1 else "Without a twist all is dark"
    lives = (
        f"Each sign of the twist has its island. At {equation('V', alive['V'])} and {equation('r', '8 or 1/8')} both have "
        f"{equation('R', float(one.order_parameter))}, but the speeds are {shown(float(one.frequency))} and "
        f"{shown(float(other.frequency))}: one as much below a clock alone as the other above."
        if bool(one.synchronized)
        else f"At {equation('V', alive['V'])} there is no rhythm on either side, as the twist is too small or too large."
    )
    return _now(values), {
        "flip": f"{jumps}: with one sign of <i>θ</i> a rhythm needs more gain "
        f"than damping, with the other sign more damping than gain. You are {here}.",
        "exchange": f"{alone}{lives} Each half mirrors the other.",
        "map": f"The threshold is the critical coupling. With a twist of ±{shown(twist)} it is {shown(far)} at "
        f"{equation('r', '3')} (or 1/3), already {shown(near)} at {equation('r', '1.5')} (or 2/3). Where gain equals damping "
        "no coupling is enough.",
    }  # fmt: skip


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
        return {
            "words": {"text": told(values), "answers": {}, "solved": solved(values)},
            "stage": two_groups.stage(regime(values), common_regime(values)),
        }  # fmt: skip
    text, answers = TOLD[key](values)
    parts: Parts = {"words": {"text": text, "answers": answers, "solved": {}}}
    if key in ("story-4", "story-5"):
        parts["stage"] = one_group.stage({**CALM, **values})
    if key == "story-6":
        parts["stage"] = two_groups.stage(regime(values), common_regime(values))
    return parts
