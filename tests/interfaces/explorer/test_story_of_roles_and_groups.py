"""Steps 5 and 6 of the story, exchanged roles and two groups: each claim is that of the library."""

from math import pi

import numpy as np
import pytest

import spinsync as ss
from spinsync.interfaces.explorer import story, story_groups
from spinsync.interfaces.explorer.controls import equation, shown, starts
from story_steps import SCENES, begin, crowd, number_after, said

# ---- 5. the roles


def test_flip_kills_and_exchange_revives_in_the_mirror():
    first = begin("story-5")
    flipped = {**first, "theta": -first["theta"]}
    revived = {**flipped, "r": 1 / flipped["r"]}
    before, dead, after = (ss.limit_cycle(crowd(**v)) for v in (first, flipped, revived))
    assert [bool(cycle.synchronized) for cycle in (before, dead, after)] == [True, False, True]
    assert np.isinf(ss.critical_coupling(crowd(**flipped)))
    assert "no coupling is strong enough" in said("story-5", flipped)["words"]["text"]
    assert float(after.order_parameter) == pytest.approx(float(before.order_parameter), rel=1e-12)
    assert float(after.frequency) - story.OWN == pytest.approx(story.OWN - float(before.frequency), rel=1e-12)
    text = said("story-5", revived)["words"]["answers"]["exchange"]
    assert number_after(text, "R =") == pytest.approx(float(after.order_parameter), abs=0.005)
    assert number_after(text, "speeds are") == pytest.approx(float(before.frequency), abs=0.005)
    assert number_after(text, "and", text.index("speeds are")) == pytest.approx(float(after.frequency), abs=0.005)
    alone = said("story-5", {**first, "r": 1 / first["r"]})["words"]["answers"]["exchange"]
    assert [one.startswith("Alone it ends in the dark") for one in (alone, text)] == [True, False]


def test_the_threshold_has_the_name_of_the_legend_and_is_the_critical_coupling():
    text = said("story-5", begin("story-5"))["words"]["answers"]["map"]
    (figure,) = (step.compute()["map"]["figure"] for step in list(story.VIEWS["story-5"].steps(begin("story-5"), {}))[1:])
    assert "threshold" in repr(figure)
    assert "threshold" in SCENES["story-5"].tries[2].words
    assert text.startswith("The threshold is the critical coupling")
    assert number_after(text, "twist of ±") == abs(story.TWIST)
    for r, mark in ((3.0, "it is"), (1.5, "already")):
        for ratio, theta in ((r, story.TWIST), (1 / r, -story.TWIST)):
            values = {"V": 1.0, "r": ratio, "theta": theta}
            assert number_after(text, mark) == pytest.approx(ss.critical_coupling(crowd(**values)), abs=0.005)
    assert np.isinf(ss.critical_coupling(crowd(**{"V": 1.0, "r": 1.0, "theta": story.TWIST})))


@pytest.mark.parametrize(
    ("theta", "r", "where"), [(-0.25, 8, "in its half"), (0.25, 8, "in the dark"), (0.25, 0.2, "in its half")]
)
def test_the_side_on_which_one_stands_is_said(theta, r, where):
    assert where in said("story-5", begin("story-5", theta=theta, r=r))["words"]["answers"]["flip"]


def test_without_a_twist_there_is_no_island():
    answers = said("story-5", begin("story-5", theta=0.0))["words"]["answers"]
    assert answers["flip"].startswith("Without a twist all is dark")
    assert "in the dark" in answers["flip"]


def test_the_map_is_drawn_once_and_again_after_a_flip():
    values, drawn, labels = begin("story-5"), {}, []
    for changed in (values, values | {"V": 1.0}, values | {"theta": -values["theta"]}):
        steps = list(story.VIEWS["story-5"].steps(changed, drawn))
        labels.append([step.label for step in steps])
        assert steps[0].compute()["map"]["place"] == [changed["V"], changed["r"]]
        for step in steps[1:]:
            assert step.compute()["map"]["figure"]["image"]["bytes"]
            drawn |= step.finishes
    assert labels == [["the words", "the map"], ["the words"], ["the words", "the map"]]


# ---- 6. two groups


@pytest.mark.parametrize(
    ("key", "detuning", "regime", "words"),
    [
        ("near", story.NEAR, ss.Regime.FULL, "Full synchronization"),
        ("trapped", story.TRAPPED, ss.Regime.PHASE_TRAPPED, "Phase-trapped"),
        ("far", story.FAR, ss.Regime.PARTIAL, "Partial synchronization"),
    ],
)
def test_the_three_regimes_of_two_groups(key, detuning, regime, words):
    values = begin("story-6", detuning=detuning)
    assert ss.Regime(int(ss.regime(story_groups.pair(values)).regime)) is regime
    told = said("story-6", values)["words"]
    assert words in told["text"]
    assert told["answers"]["trapped"].startswith(f"At {equation('Δ', detuning)} {story_groups.MEANT[regime]}")  # the present
    assert number_after(told["answers"][key], "Δ =") == detuning
    assert story_groups.MEANT[regime] in told["answers"][key]


@pytest.mark.parametrize(("mirrored", "hand"), [({}, "blue"), ({"theta": 0.25, "r": 0.125}, "orange")])
def test_at_the_border_of_passing_a_hand_shrinks_to_nothing_and_its_speed_jumps(mirrored, hand):
    told = said("story-6", begin("story-6", detuning=story.TRAPPED, **mirrored))["words"]["answers"]["trapped"]
    assert f"the {hand} hand shrinks to nothing for a moment" in told
    one = ("blue", "orange").index(hand)

    def late(detuning):
        """Lengths of both hands in a late run, and the frequencies."""
        model = story_groups.pair(begin("story-6", detuning=detuning, **mirrored))
        run = ss.evolve(model, np.linspace(0, 200, 20001)).coherence.values[10000:]
        return 2 * abs(run), ss.regime(model)

    inside, outside = story.TRAPPED, story.FAR
    while outside - inside > 0.01:
        middle = (inside + outside) / 2
        trapped = int(late(middle)[1].regime) == ss.Regime.PHASE_TRAPPED
        inside, outside = (middle, outside) if trapped else (inside, middle)
    assert number_after(told, "At Δ =", told.index("ever lost")) == pytest.approx(outside, abs=0.011)
    for detuning in (inside, outside):
        least = late(detuning)[0].min(axis=0)
        assert least[one] < 0.02
        assert least[1 - one] > 0.1
    before, after = (late(d)[1].frequency.values for d in (inside, outside))
    assert abs(after - before)[one] > 1
    assert abs(after - before)[1 - one] < 0.05


@pytest.mark.parametrize("changes", [{}, {"detuning": 1.9}, {"detuning": 1.5, "V": 3.0}])
def test_of_a_border_is_told_only_where_it_lies_ahead(changes):
    """Groups that swing at all buttons begin to pass each other further on; others do not swing."""
    assert "shrinks to nothing" not in said("story-6", begin("story-6", **changes))["words"]["answers"]["trapped"]


def test_the_answers_of_two_groups_hold_at_any_coupling():
    answers = said("story-6", begin("story-6", V=0.0))["words"]["answers"]
    assert all(story_groups.MEANT[ss.Regime.INCOHERENT] in text for text in answers.values())


def test_the_buttons_may_be_pressed_in_any_order():
    """The regime is the same from the motion that the two others end in, at four phases of it."""
    pairs = {d: story_groups.pair(begin("story-6", detuning=d)) for d in (story.NEAR, story.TRAPPED, story.FAR)}
    ends = {d: ss.bloch(ss.evolve(model, np.linspace(0, 100, 10001))).values[-600::150] for d, model in pairs.items()}
    for d, model in pairs.items():
        expected = int(ss.regime(model).regime)
        for start in np.concatenate([ends[other] for other in pairs if other != d]):
            assert int(ss.regime(model, initial=start).regime) == expected


def test_the_angles_and_meetings_of_two_groups():
    """Against a run from another start than that of the words."""
    times, start = np.linspace(0, 200, 8001), [[0.3, 0.1, 0.2], [-0.1, 0.25, 0.1]]

    def ahead(detuning):
        s = ss.evolve(story_groups.pair(begin("story-6", detuning=detuning)), times, initial=start).coherence.values[4000:]
        return np.degrees(np.unwrap(np.angle(s[:, 1] / s[:, 0])))

    def speed(detuning):
        """Of blue, as seen in the laboratory where a clock alone has the speed 1."""
        s = ss.evolve(story_groups.pair(begin("story-6", detuning=detuning)), times, initial=start).coherence.values[4000:, 0]
        turned = np.unwrap(-np.angle(s))
        return 1 + (turned[-1] - turned[0]) / 100

    answers = {
        key: said("story-6", begin("story-6", detuning=d))["words"]["text"]
        for key, d in (("near", story.NEAR), ("trapped", story.TRAPPED), ("far", story.FAR))
    }
    assert number_after(answers["near"], "ahead by") == pytest.approx(ahead(story.NEAR)[-1] % 360, abs=1)
    swinging = ahead(story.TRAPPED)
    swinging -= 360 * np.round(swinging.mean() / 360)
    assert number_after(answers["trapped"], "between") == pytest.approx(swinging.min(), abs=1)
    assert number_after(answers["trapped"], "° and") == pytest.approx(swinging.max(), abs=1)
    passing = ahead(story.FAR)
    laps = (passing[-1] - passing[0]) / 360
    blue, orange = (number_after(answers["far"], mark) for mark in ("blue has the speed", "orange"))
    assert ("Blue passes orange" in answers["far"]) == (laps > 0)
    assert blue - orange == pytest.approx(2 * pi * laps / 100, abs=0.05)
    for key, mark, detuning in (("near", "one common speed", story.NEAR), ("trapped", "have the speed", story.TRAPPED)):
        assert number_after(answers[key], mark) == pytest.approx(speed(detuning), abs=0.02)
    assert blue == pytest.approx(speed(story.FAR), abs=0.05)
    assert number_after(answers["far"], "every") == pytest.approx(100 / laps, rel=0.05)


def test_two_motions_of_one_kind_are_told_apart():
    """Groups that do not hear each other keep the angle of the start; strong exchange between them has two full states."""
    apart = dict(starts(story.SANDBOX), alike=0.0, V_cross=0.0, detuning=0.0)
    assert "with one speed for all, from a strong common one with the same speed, but another angle" in story_groups.told(apart)
    other = dict(apart, V_cross=8.0, theta_cross=0.0, detuning=0.5, theta=-0.38, r=3.0)
    speeds = [shown(1 + float(find(other).frequency[0])) for find in (story_groups.regime, story_groups.common_regime)]
    assert f"in another motion like it, at the speed {speeds[1]} instead of {speeds[0]}" in story_groups.told(other)
