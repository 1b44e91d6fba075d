"""The story for newcomers: six steps and a sandbox, each with something to try. Imports no science, so that it is told at once.

Every number in an answer is computed in `story_views.py` and `story_groups.py`; here stands what nobody needs to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from spinsync.interfaces.explorer.controls import Control, Values
from spinsync.interfaces.explorer.steps import Step

OWN = 1.0  # frequency of a clock alone, as page/stage.js shows it in the laboratory; a unit of time is a second there
TWIST = (
    -0.25
)  # the interaction phase of steps 4 to 6 and of the sandbox in units of pi: the common hand is much slower than a clock alone
WEAK, FAR, TRAPPED, NEAR = 0.5, 2.0, 1.5, 0.5  # the coupling and the detunings of the buttons


def _control(name: str, words: str, *numbers: float, **more: Any) -> Control:
    """A slider whose words stand beside it and, when a number lies outside, in the sentence that says so."""
    low, high, step, start = numbers
    return Control(name, words, low, high, step, start, plain=words, **more)


WIDTH = _control("width", "Spread of their speeds", 0, 0.5, 0.01, 0.1)  # the standard deviation of a Gaussian
COUPLING = _control("V", "Coupling V", 0, 5, 0.02, 3)
THETA = _control("theta", "Twist θ, in half turns", -1, 1, 0.01, TWIST)
RATIO = _control("r", "Gain over damping r", 1 / 12, 12, 0.01, 3, scale="log")
PUMPED = replace(RATIO, start=8)  # much gain: long hands
DETUNING = _control("detuning", "Difference of speeds Δ", 0, 3, 0.01, NEAR)
SANDBOX = (
    replace(COUPLING, high=8, start=5),
    replace(THETA, start=TWIST),
    PUMPED,
    _control("dephasing", "Noise that blurs hands", 0, 2, 0.01, 0),
    DETUNING,
    _control("alike", "Same coupling and twist between groups as within", 0, 1, 1, 1, kind="tick"),
    _control("V_cross", "Coupling between groups", 0, 8, 0.02, 1, follows="V"),
    _control("theta_cross", "Twist between groups", -1, 1, 0.01, TWIST, follows="theta"),
)


@dataclass(frozen=True)
class Try:
    """One thing to try: a button with what it does, a slider, or a click in the map (neither).

    An act is {"stage": "randomize" | "kick" | "lineUp"}, {"put": {name: value}}, {"flip": name} (change the sign) or
    {"invert": name} (one over it). A slider does its acts when it is let go.
    """

    key: str
    words: str
    button: str = ""
    control: str = ""
    acts: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Challenge:
    """A goal in the sandbox, and values that reach it."""

    key: str
    words: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Onward:
    """Where the story hands over: a page, the button that opens it, and the values with which it opens."""

    words: str
    page: str
    button: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Scene:
    """A step: what is told (HTML), what can be tried, and what the stage and the server need."""

    key: str
    name: str
    title: str
    text: str
    controls: tuple[Control, ...]
    stage: Mapping[str, Any]
    tries: tuple[Try, ...] = ()
    pictures: tuple[Mapping[str, Any], ...] = ()
    challenges: tuple[Challenge, ...] = ()
    onward: Onward | None = None


RANDOM: tuple[Mapping[str, Any], ...] = ({"stage": "randomize"},)
KICK: tuple[Mapping[str, Any], ...] = ({"stage": "kick"},)
LINE_UP: tuple[Mapping[str, Any], ...] = ({"stage": "lineUp"},)

SCENES = (
    Scene(
        "story-1", "Alone", "Clocks that do not hear each other",
        "Every dot is an atom that works as the smallest clock there is. Twelve of them are drawn as clocks, too. Where a "
        "<b>hand</b> points is its <b>phase</b>. Hands turn anticlockwise, as angles are counted. At the speed 1 a turn takes "
        "6.3 seconds, but each clock has a speed of its own, about 1. The large clock shows the average of all hands. Its "
        "length is the <b>order parameter <i>R</i></b>: 1 when all hands are long and point the same way, near 0 when they "
        "point anywhere.",
        (WIDTH,), {"kind": "alone", "spins": 60, "start": "aligned"},
        (
            Try("line-up", "Give all clocks the same start. Watch the average hand.", "Line up all hands", acts=LINE_UP),
            Try("width", "Two of three speeds lie within 1 ± the spread. Change it: all line up anew.", control="width",
                acts=LINE_UP),
            Try("kick", "Kick every hand to another place. Does anything repair it?", "Kick", acts=KICK),
        ),
    ),
    Scene(
        "story-2", "Coupled", "They hear each other, and nothing else",
        "Now all clocks are equal, and the average of all acts on each; how strongly, says the <b>coupling <i>V</i></b> "
        "(5 here). Look at the ball, too. The direction of a dot, seen from above, is the phase of its hand. Its height "
        "<i>z</i> says how <b>excited</b> the atom is: at the bottom it has no energy, at the top it is full. A dot near the "
        "bottom or the top has a short hand. Does a common rhythm arise?",
        (replace(COUPLING, low=5, start=5), replace(THETA, start=0)), {"kind": "coupled", "spins": 12, "seed": 8},
        (
            Try("start", "Begin anew, three or four times. Compare length and speed of the average hand.", "New random start",
                acts=RANDOM),
            Try("kick", "Disturb it, or pull a dot. Does the old motion come back?", "Kick", acts=KICK),
            Try("twist", "Let each clock hear the average hand turned by an angle: the <b>twist <i>θ</i></b>.",
                control="theta"),
        ),
    ),
    Scene(
        "story-3", "Gain and damping", "Gain and damping, and nobody listens",
        "Real atoms lose energy, at a rate <i>γ</i>: <b>damping</b>. They can be fed with energy, at a rate <i>κ</i>: "
        "<b>gain</b>. Both happen at random moments, so we know less and less where a hand points. We draw that as a shorter "
        "hand: short means blurred. Nobody hears anybody here. Where the dots end depends on the ratio "
        "<b><i>r</i>&nbsp;=&nbsp;<i>κ</i>/<i>γ</i></b> alone; how fast, on the sum <i>κ</i>&nbsp;+&nbsp;<i>γ</i>, which is 1 "
        "here.",
        (RATIO,), {"kind": "dissipating", "spins": 60},
        (
            Try("start", "Scatter the dots all over the ball. Where do they end?", "New random start", acts=RANDOM),
            Try("kick", "Wait until no hand is left. Then disturb them, or pull a dot.", "Kick", acts=KICK),
            Try("ratio", "Feed them more, or less, than they lose.", control="r"),
        ),
    ),
    Scene(
        "story-4", "Both", "Both together: a rhythm nobody ordered",
        "Coupling alone never forgets its start. Gain and damping alone forget everything. Now both are on, at first "
        "<i>V</i>&nbsp;=&nbsp;3 with a twist of −0.25 half turns (−45°), and much gain, <i>r</i>&nbsp;=&nbsp;8. From "
        "scattered dots one common hand grows by itself and turns for ever: <b>synchronization</b>. The ring is its path on "
        "the ball, the <b>limit cycle</b>.",
        (COUPLING, THETA, PUMPED), {"kind": "one", "spins": 200},
        (
            Try("start", "Begin anew a few times. What differs?", "New random start", acts=RANDOM),
            Try("kick", "Try to destroy it, or pull single dots away.", "Kick", acts=KICK),
            Try("twist", "Who sets the common speed? Alone it was 1. Change the twist.", control="theta"),
            Try("weaken", "Let them hear less. Then raise <i>V</i> again.", "Weaken the coupling", "V",
                ({"put": {"V": WEAK}},)),
        ),
    ),
    Scene(
        "story-5", "Map", "Gain and damping change roles",
        "Every point of the map is a crowd of its own: <i>V</i> to the right, in units of <i>κ</i> + <i>γ</i>, and <i>r</i> "
        "upwards. Bright places have a long common hand, dark ones none. The red ring is where you are. You begin in the upper "
        "half: <i>V</i>&nbsp;=&nbsp;3, more gain than damping, <i>r</i>&nbsp;=&nbsp;8, and a twist of −0.25 half turns (−45°).",
        (COUPLING, THETA, PUMPED), {"kind": "one", "spins": 200},
        (
            Try("flip", "Twist the other way: <i>θ</i> becomes −<i>θ</i>.", "Flip the twist", acts=({"flip": "theta"},)),
            Try("exchange", "Then exchange gain and damping: <i>r</i> becomes 1/<i>r</i>.", "Change roles",
                acts=({"invert": "r"},)),
            Try("map", "Click in the map to go there. Can you walk along the <b>threshold</b>?"),
        ),
        ({"part": "map", "title": "Length R of the common hand", "clickable": True},),
    ),
    Scene(
        "story-6", "Two groups", "Two groups that differ",
        "Now there are blue clocks and orange clocks, and all hear each other, louder than before: <i>V</i>&nbsp;=&nbsp;5, "
        "<i>r</i>&nbsp;=&nbsp;8, and the same twist, −0.25 half turns (−45°). Alone, blue hands would turn at the speed "
        "1 + <i>Δ</i>/2 and orange ones at 1 − <i>Δ</i>/2; the difference is called <b>detuning <i>Δ</i></b>. The large clocks "
        "show the average of each group. Do they agree on one speed?",
        (replace(COUPLING, high=8, start=5), replace(THETA, start=TWIST), PUMPED, DETUNING),
        {"kind": "two", "spins": 200},
        (
            Try("near", "Begin anew with two groups that differ a little.", "A little",
                acts=({"put": {"detuning": NEAR}}, *RANDOM)),
            Try("far", "Two groups that differ much.", "Much", acts=({"put": {"detuning": FAR}},)),
            Try("trapped", "And in between? Go slowly with the slider, too.", "In between", "detuning",
                ({"put": {"detuning": TRAPPED}},)),
        ),
    ),
    Scene(
        "sandbox", "Sandbox", "Your turn",
        "Turn all knobs, pull the dots: what counts is how it ends. Can you …",
        SANDBOX, {"kind": "two", "spins": 200},
        challenges=(
            Challenge("quiet", "make the rhythm die without touching <i>V</i>?", {"r": 1.0}),
            Challenge("pass", "make blue and orange pass each other for ever?", {"detuning": 2.0}),
            Challenge("swing", "let them swing to and fro, and gain no turn?", {"detuning": 1.6}),
            Challenge("damped", "make a rhythm with more damping than gain?", {"theta": 0.38, "r": 0.125}),
            Challenge("faster", "at <i>r</i>&nbsp;&gt;&nbsp;1, let all turn as one, faster than any alone?", {"theta": -0.75}),
            Challenge("opposite", "let the groups point in opposite ways, 170° or more?",
                      {"alike": 0.0, "detuning": 0.0, "V_cross": 2.0, "theta_cross": 0.62}),
        ),
        onward=Onward(
            "The other pages have all numbers. There a clock is a <b>spin</b>, and the twist is the <b>interaction phase "
            "<i>θ</i></b>. “One ensemble” opens with the values of step 4.",
            "one", "One ensemble", {**{control.name: control.start for control in (COUPLING, THETA, PUMPED)}, "spread": 0},
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class StoryView:
    """What the server computes for a step; `science` is asked only then (`story_views.STEPS`)."""

    name: str
    controls: tuple[Control, ...]
    pictures: Mapping[str, Callable[[Values], Any]] = field(default_factory=dict)
    data: None = None

    def steps(self, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
        """The words first, then the map."""
        from spinsync.interfaces.explorer import story_views  # numpy and its like take a second to import

        return story_views.steps(self.name, values, drawn)


VIEWS = {scene.key: StoryView(scene.key, scene.controls) for scene in SCENES}


def catalogue() -> dict[str, Any]:
    """The story as it is written into the page."""
    return {
        "key": "story",
        "name": "Story",
        "title": "How do clocks find one rhythm, with no conductor?",
        "steps": [_told(scene) for scene in SCENES],
    }


def _told(scene: Scene) -> dict[str, Any]:
    return asdict(scene) | {
        "stage": {"hands": True, "plain": True, **scene.stage},
        "presets": [],
    }  # fmt: skip
