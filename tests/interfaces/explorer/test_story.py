"""The story: what stands on its pages, and its sandbox."""

import json
import re
import subprocess
import sys
from math import pi
from pathlib import Path

import pytest

from spinsync.interfaces.explorer import catalogue, one_group, story, story_groups, story_views
from spinsync.interfaces.explorer.controls import accepted, starts
from story_steps import SCENES, TAG, begin, number_after, said

# ---- what stands on the page


def test_the_catalogue_needs_no_science():
    code = (
        "import sys\nfrom spinsync.interfaces.explorer import story\nstory.catalogue()\n"
        "heavy = {'numpy', 'xarray', 'scipy', 'numba', 'matplotlib', 'llvmlite'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_catalogue_is_json_with_six_steps_and_a_sandbox():
    told = json.loads(json.dumps(story.catalogue()))
    assert [step["key"] for step in told["steps"]] == [*(f"story-{n}" for n in range(1, 7)), "sandbox"]
    assert set(story.VIEWS) == {step["key"] for step in told["steps"]}
    for step in told["steps"]:
        assert {"key", "name", "title", "text", "controls", "presets", "stage", "pictures", "tries", "challenges"} <= set(step)
        assert step["stage"]["hands"]
        assert step["stage"]["plain"]


@pytest.mark.parametrize("scene", story.SCENES, ids=lambda scene: scene.key)
def test_a_step_is_short_and_each_thing_to_try_is_one_move(scene):
    words = TAG.sub("", scene.text).split()
    assert len(words) <= 90
    assert 1 <= len(scene.tries or scene.challenges[:1]) <= 4
    names = {control.name for control in scene.controls}
    for trial in scene.tries:
        assert trial.button or trial.control in names or trial.key == "map"
        assert all(set(act.get("put", {})) <= names for act in trial.acts)
        assert {act["stage"] for act in trial.acts if "stage" in act} <= {"randomize", "kick", "lineUp"}
    assert all(control.plain for control in scene.controls)


@pytest.mark.parametrize("key", [key for key in SCENES if key != "sandbox"])
def test_each_trial_has_its_answer_at_all_ends_of_the_sliders(key):
    scene = SCENES[key]
    corners = [begin(key), *({**begin(key), c.name: end} for c in scene.controls for end in (c.low, c.high))]
    for values in corners:
        words = said(key, values)["words"]
        assert set(words["answers"]) == {trial.key for trial in scene.tries}
        for text in (words["text"], *words["answers"].values()):
            assert 30 <= len(TAG.sub("", text)) <= 250, text  # four lines beside the stage
            assert not re.search(r"nan|inf\b|-\d|−0\.00\b", text), text
        sentences = [set(re.split(r"(?<=[.:])\s", TAG.sub("", text))) for text in (words["text"], *words["answers"].values())]
        assert all(not sentences[0] & answer for answer in sentences[1:]), sentences  # beside each other, so not said twice


def test_buttons_move_inside_the_ranges():
    for scene in story.SCENES:
        values = begin(scene.key)
        for trial in scene.tries:
            for act in trial.acts:
                taken, sentence = accepted(scene.controls, act.get("put", {}), values)
                assert sentence == ""
                assert taken == values | act.get("put", {})


def test_seconds_and_speeds_are_those_of_the_stage():
    text = (Path(story.__file__).parent / "page" / "stage.js").read_text(encoding="utf-8")
    assert re.search(r"const TURNING = (\d+);", text).group(1) == f"{story.OWN:g}"
    assert f"{2 * pi / story.OWN:.1f} seconds" in SCENES["story-1"].text


# ---- the sandbox


def test_the_sandbox_hands_over_to_a_page_that_exists_with_the_crowd_of_step_4():
    onward = SCENES["sandbox"].onward
    page = next(page for page in catalogue.PAGES if page["key"] == onward.page)
    assert onward.button == page["name"]
    assert f"“{page['name']}” opens with the values of step 4" in TAG.sub("", onward.words)
    values = starts(page["controls"], **onward.values)
    assert accepted(page["controls"], onward.values, values) == (values, "")
    there, here = one_group.ensemble(values), story_views.single(begin("story-4"))
    assert there == here.replace(frequency=there.groups[0].frequency)


def test_the_words_of_the_other_pages_are_tied_to_those_of_the_story():
    plain = TAG.sub("", SCENES["sandbox"].onward.words)
    assert "a clock is a spin" in plain
    assert "the twist is the interaction phase θ" in plain


def test_a_knob_that_no_step_had_says_what_it_does():
    known = {control.name for key, scene in SCENES.items() if key != "sandbox" for control in scene.controls}
    new = {control.name: control.plain for control in story.SANDBOX if control.name not in known}
    assert new == {
        "dephasing": "Noise that blurs hands",
        "alike": "Same coupling and twist between groups as within",
        "V_cross": "Coupling between groups",
        "theta_cross": "Twist between groups",
    }


def test_no_goal_is_reached_at_the_start():
    assert not any(said("sandbox", begin("sandbox"))["words"]["solved"].values())


@pytest.mark.parametrize("challenge", SCENES["sandbox"].challenges, ids=lambda challenge: challenge.key)
def test_the_shown_way_reaches_its_goal(challenge):
    values = begin("sandbox", **challenge.values)
    assert accepted(story.SANDBOX, values, values) == (values, "")
    assert said("sandbox", values)["words"]["solved"][challenge.key]
    assert set(story_groups.GOALS) == {c.key for c in SCENES["sandbox"].challenges}


def test_no_two_goals_are_shown_by_the_same_values():
    for challenge in SCENES["sandbox"].challenges:
        solved = said("sandbox", begin("sandbox", **challenge.values))["words"]["solved"]
        assert [key for key, reached in solved.items() if reached] == [challenge.key]


def test_from_where_on_directions_are_opposite_is_said_and_holds():
    (words,) = (challenge.words for challenge in SCENES["sandbox"].challenges if challenge.key == "opposite")
    assert f"{story_groups.OPPOSITE}° or more" in words
    for detuning in (0.06, 0.08, 0.1):  # 173°, 170°, 168°
        across = {"alike": 0.0, "V_cross": 2.0, "theta_cross": 0.62}
        told = said("sandbox", begin("sandbox", detuning=detuning, **across))["words"]
        angle = number_after(told["text"], "behind by")
        assert told["solved"]["opposite"] is (angle >= 170)


def test_a_goal_is_said_to_count_by_the_end():
    """It is ticked before the sphere shows it."""
    assert "what counts is how it ends" in SCENES["sandbox"].text


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("quiet", {"V": 0.0}),
        ("damped", {"r": 0.5}),
        ("damped", {"theta": 0.38, "r": 0.125, "V": 0.2}),
        ("opposite", {"detuning": 1.0}),
        ("faster", {"theta": -0.62}),  # faster than the orange clocks alone, slower than the blue ones
        ("faster", {"theta": 0.25, "r": 0.125}),  # which is a rhythm with more damping than gain, another goal
        ("opposite", {"alike": 0.0, "detuning": 0.14, "V_cross": 2.0, "theta_cross": 0.62}),  # at 163°
    ],
)
def test_a_goal_is_not_given_away(key, changes):
    assert not said("sandbox", begin("sandbox", **changes))["words"]["solved"][key]
