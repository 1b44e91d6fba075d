"""The story: each number and each claim in it is that of the library."""

import json
import re
import subprocess
import sys
from math import log, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

import spinsync as ss
from spinsync.interfaces.explorer import story, story_groups, story_views
from spinsync.interfaces.explorer.controls import accepted, starts

SCENES = {scene.key: scene for scene in story.SCENES}
TAG = re.compile(r"<[^>]+>")


def begin(key, **changes):
    """The values with which a step opens."""
    return starts(SCENES[key].controls, **changes)


def said(key, values):
    """What the server sends of a step: the sentence of the present, and the answers."""
    parts = {}
    for step in story.VIEWS[key].steps(values, {}):
        for part, traits in step.compute().items():
            parts.setdefault(part, {}).update(traits)
    return parts


def number_after(text, mark, begin=0):
    """The first number after a mark, as a reader sees it."""
    plain = TAG.sub("", text[begin:]).replace("−", "-").replace("\N{NO-BREAK SPACE}", " ")
    return float(re.search(re.escape(mark) + r"\D*?(-?\d+(?:\.\d+)?)", plain).group(1))


def on_the_ball(seed, spins=40):
    """Random places on the sphere, (spin, 3)."""
    m = np.random.default_rng(seed).normal(size=(spins, 3))
    return m / np.linalg.norm(m, axis=1, keepdims=True)


def played(model, times, seed, spins=40):
    return ss.evolve(model, times, initial=on_the_ball(seed, spins), each=True)


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
    assert 1 <= len(scene.tries or scene.challenges[:3]) <= 3
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


# ---- 1. alone


@pytest.mark.parametrize("width", [0.05, 0.1, 0.5])
def test_players_left_alone_lose_their_step(width):
    """R is the length of the mean of unit hands that turn freely, and falls to one half when the words say."""
    count = SCENES["story-1"].stage["spins"]
    own = 1 + width * norm.ppf((np.arange(count) + 0.5) / count)  # as page/motion.js deals them out
    free = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=0.0, theta=0.0, frequency=ss.Samples(own.tolist()))
    turns = sqrt(2 * log(2)) / (2 * pi * width)
    run = ss.evolve(free, np.linspace(0, 2 * pi * turns, 101), initial=[[1.0, 0.0, 0.0]], each=True)
    np.testing.assert_allclose(run.order_parameter, abs(np.exp(1j * np.outer(run.time.values, own)).mean(1)), atol=1e-6)
    assert float(run.order_parameter[-1]) == pytest.approx(0.5, abs=0.01)  # 60 clocks are not infinitely many
    assert number_after(said("story-1", {"width": width})["words"]["text"], "length after") == pytest.approx(turns, rel=0.07)
    times = np.linspace(0, 40 * 2 * pi, 4001)
    later = abs(np.exp(1j * np.outer(times, own)).mean(1))[times > 2 * pi * 2 * turns]
    assert later.max() < 0.5  # it does not come back


def test_only_equal_clocks_stay_in_line():
    equal = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=0.0, theta=0.0, frequency=1.0)
    run = ss.evolve(equal, np.linspace(0, 50, 51), initial=[[1.0, 0.0, 0.0]] * 5, each=True)
    np.testing.assert_allclose(run.order_parameter, 1.0, atol=1e-6)
    assert number_after(said("story-1", {"width": 0.0})["words"]["answers"]["line-up"], "R =") == 1


# ---- 2. coupling alone


def hearing(**changes):
    values = begin("story-2", **changes)
    return ss.Ensemble.single(gain=0.0, damping=0.0, coupling=values["V"], theta=pi * values["theta"], frequency=story.OWN)


@pytest.mark.parametrize("theta", [0.0, -0.5, 0.3])
def test_interaction_turns_the_points_rigidly(theta):
    m = ss.bloch(played(hearing(theta=theta), np.linspace(0, 10, 41), seed=1, spins=14)).values
    angles = np.einsum("tix,tjx->tij", m, m)
    np.testing.assert_allclose(angles, np.broadcast_to(angles[0], angles.shape), atol=1e-6)


def test_every_start_has_another_motion_without_twist():
    """Length and speed of the mean hand are those of the start: R constant, frequency -V z."""
    seen = []
    for seed in range(5):
        run = played(hearing(theta=0.0), np.linspace(0, 10, 201), seed, spins=24)
        order, height = run.order_parameter.values, on_the_ball(seed, 24)[:, 2].mean()
        np.testing.assert_allclose(order, order[0], atol=1e-6)
        turned = np.unwrap(np.angle(ss.bloch(run).values.mean(1) @ [1, 1j, 0]))
        speed = (turned[-1] - turned[0]) / 10
        assert speed == pytest.approx(story.OWN - begin("story-2")["V"] * height, abs=1e-5)
        seen.append((speed, order[0]))
    speeds, lengths = np.array(seen).T
    assert speeds.min() < story.OWN < speeds.max()
    assert np.ptp(lengths) > 0.1


@pytest.mark.parametrize(("theta", "sign"), [(0.0, "−"), (1.0, "+"), (-1.0, "+")])
def test_the_speed_of_the_words_is_that_of_a_run(theta, sign):
    run, height = played(hearing(theta=theta), np.linspace(0, 5, 201), seed=1, spins=24), on_the_ball(1, 24)[:, 2].mean()
    turned = np.unwrap(np.angle(ss.bloch(run).values.mean(1) @ [1, 1j, 0]))
    expected = story.OWN + {"−": -1, "+": 1}[sign] * begin("story-2")["V"] * height
    assert (turned[-1] - turned[0]) / 5 == pytest.approx(expected, abs=1e-4)
    assert "keeps the length and the speed" in said("story-2", begin("story-2", theta=theta))["words"]["text"]


@pytest.mark.parametrize(
    ("changes", "start", "kick"),
    [
        ({}, "some are faster than a clock alone", "keep to that"),
        ({"theta": 0.3}, "the ball tips over", "the ball tips over again"),
        ({"theta": 0.3, "V": 0.0}, "always that of a clock alone", "keep to that"),
    ],
)
def test_what_a_start_and_a_nudge_do_depends_on_twist_and_coupling(changes, start, kick):
    answers = said("story-2", begin("story-2", **changes))["words"]["answers"]
    assert start in answers["start"]
    assert kick in answers["kick"]
    lengths = played(hearing(**changes), np.array([0.0, 100.0]), seed=2, spins=24).order_parameter.values
    assert (lengths[1] < 0.01 * lengths[0]) == ("tips over" in start)


@pytest.mark.parametrize(("theta", "side"), [(-0.25, -1), (0.25, 1)])
def test_with_a_twist_the_ball_tips_over(theta, side):
    mean = ss.bloch(played(hearing(theta=theta), np.linspace(0, 100, 3), seed=2, spins=24)).values.mean(1)
    assert np.hypot(*mean[-1, :2]) < 1e-3
    assert mean[-1, 2] == pytest.approx(side * np.linalg.norm(mean[0]), abs=1e-4)
    assert ("below", "above")[side > 0] in said("story-2", begin("story-2", theta=theta))["words"]["text"]


def test_some_starts_turn_backwards():
    """The speed of a clock alone less V z, with z of twelve random dots."""
    heights = np.array([on_the_ball(seed, SCENES["story-2"].stage["spins"])[:, 2].mean() for seed in range(400)])
    speeds = story.OWN - begin("story-2")["V"] * heights
    assert 0.02 < (speeds < 0).mean() < 0.3
    assert "backwards" in said("story-2", begin("story-2"))["words"]["answers"]["start"]


def test_a_twist_has_one_unit():
    """Half turns, with degrees in parentheses."""
    texts = [scene.text for scene in story.SCENES]
    texts += [said("story-2", begin("story-2", theta=theta))["words"]["text"] for theta in (-0.25, 1.0)]
    told = [text for text in texts if "°" in text]
    assert len(told) == 5
    for text in told:
        half, angle = re.search(r"(−?[\d.]+) half turns? \((−?[\d.]+)°\)", TAG.sub("", text)).groups()
        assert 180 * float(half.replace("−", "-")) == float(angle.replace("−", "-"))
        assert text.count("°") == 1


def test_the_coupling_of_step_2_is_said_and_stays():
    (coupling, _) = SCENES["story-2"].controls
    assert coupling.low == coupling.high == coupling.start == 5
    assert "(5 here)" in SCENES["story-2"].text


def test_hands_are_said_to_turn_as_angles_are_counted():
    assert sum("anticlockwise" in scene.text for scene in story.SCENES) == 1
    assert "anticlockwise" in SCENES["story-1"].text
    assert story.OWN > 0


def test_eight_starts_of_ten_have_such_a_hand():
    count = SCENES["story-2"].stage["spins"]
    low, high = story_views.chance(count)
    lengths = np.array([np.hypot(*on_the_ball(seed, count).mean(0)[:2]) for seed in range(4000)])
    assert ((low < lengths) & (lengths < high)).mean() == pytest.approx(0.8, abs=0.025)  # 4 standard deviations
    assert (lengths < low).mean() == pytest.approx(0.1, abs=0.02)


# ---- 3. gain and damping alone


@pytest.mark.parametrize("r", [0.5, 3.0])
def test_dissipation_forgets_all_starts(r):
    model = ss.Ensemble.single(gain=r / (1 + r), damping=1 / (1 + r), coupling=0.0, theta=0.0, frequency=story.OWN)
    words = said("story-3", {"r": r})["words"]
    height = number_after(words["text"], "z =")
    half = number_after(words["answers"]["start"], "length in")
    run = played(model, np.array([0.0, half, 2 * half, 30.0]), seed=3)
    lengths = np.hypot(*np.moveaxis(ss.bloch(run).values[..., :2], -1, 0))
    np.testing.assert_allclose(lengths[1] / lengths[0], 0.5, atol=0.01)
    np.testing.assert_allclose(lengths[2] / lengths[0], 0.25, atol=0.01)
    np.testing.assert_allclose(ss.bloch(run).values[-1], np.broadcast_to([0, 0, height], (40, 3)), atol=0.006)


# ---- 4. both


def crowd(**changes):
    """The ensemble of steps 4 and 5, built from the sliders by hand."""
    v = begin("story-4", **changes)
    gain = v["r"] / (1 + v["r"])
    return ss.Ensemble.single(gain=gain, damping=1 - gain, coupling=v["V"], theta=pi * v["theta"], frequency=story.OWN)


def test_start_decides_the_phase_and_nothing_else():
    """From five random starts: the same R and the same speed, those of the words, and five directions."""
    values = begin("story-4")
    words = said("story-4", values)["words"]
    told, lengths = {number_after(words["text"], "common speed")}, {number_after(words["text"], "R =")}
    times, phases = np.linspace(0, 60, 601), []
    for seed in range(5):
        mean = ss.bloch(played(crowd(), times, seed)).values.mean(1)
        assert np.hypot(*mean[-1, :2]) == pytest.approx(lengths.copy().pop(), abs=0.005)
        turned = np.unwrap(np.arctan2(mean[:, 1], mean[:, 0]))
        assert (turned[-1] - turned[-101]) / 10 == pytest.approx(told.copy().pop(), abs=0.005)
        phases.append(turned[-1] % (2 * pi))
    assert np.diff(np.sort(phases)).min() > 0.05
    assert number_after(words["text"], "one turn in") == pytest.approx(2 * pi / abs(told.pop()), rel=0.05)


@pytest.mark.parametrize("key", ["story-4", "story-5"])
@pytest.mark.parametrize("changes", [{}, {"V": 0.5}, {"theta": 0.25, "r": 0.2}])
def test_values_that_a_number_depends_on_are_named_beside_it(key, changes):
    """What the page does not show beside the sentence: r and the twist."""
    values = begin(key, **changes)
    words = said(key, values)["words"]
    assert number_after(words["text"], "V =") == values["V"]
    assert number_after(words["text"], "(at r =") == values["r"]
    assert number_after(words["text"], ", twist") == values["theta"]


@pytest.mark.parametrize("key", ["story-4", "story-5", "story-6"])
def test_a_step_names_the_values_with_which_it_opens(key):
    text = TAG.sub("", SCENES[key].text.replace("&nbsp;", " "))
    for name, mark in (("V", "V = "), ("r", "r = "), ("theta", "wist")):
        assert number_after(text, mark) == begin(key)[name]


def test_the_sandbox_and_step_6_begin_alike():
    first, last = begin("story-6"), begin("sandbox")
    assert {name: last[name] for name in first} == first
    assert said("story-6", first)["words"]["text"] == said("sandbox", last)["words"]["text"]


def test_no_letter_stands_for_two_speeds():
    """In the library Omega is relative to the mean of the own frequencies; the story tells the speed that is seen."""
    for key, scene in SCENES.items():
        words = said(key, begin(key))["words"]
        assert not any("Ω" in text for text in (scene.text, words["text"], *words["answers"].values()))


@pytest.mark.parametrize("changes", [{}, {"theta": -0.4}, {"theta": -0.4, "V": 1.5, "r": 3}, {"theta": 0.6, "r": 1 / 9}])
def test_the_twist_alone_sets_the_speed(changes):
    told = said("story-4", begin("story-4", **changes))["words"]["answers"]["start"]
    theta = changes.get("theta", story.TWIST)
    for v, r in ((2.0, 4.0), (4.0, 11.0)):
        model = crowd(theta=theta, V=v, r=r if theta < 0 else 1 / r)
        assert number_after(told, "twist alone:") == pytest.approx(float(ss.limit_cycle(model).frequency), abs=0.005)
        assert number_after(told, "here,") == pytest.approx(
            float(ss.limit_cycle(crowd(theta=-0.5, V=v, r=r)).frequency), abs=0.005
        )


@pytest.mark.parametrize("share", [0.88, 0.95, 1.05, 1.12])
def test_close_to_the_critical_coupling_all_goes_slowly(share):
    """A trace grows, or dies, by the factor e in more than 20 seconds."""
    values = begin("story-4", V=share * ss.critical_coupling(crowd()))
    order = ss.evolve(crowd(**values), [0.0, 5.0], initial=[[1e-4, 0.0, 7 / 9]]).order_parameter.values
    text, slow = said("story-4", values)["words"]["text"], 5 / abs(np.log(order[1] / order[0])) > 20
    assert slow == (abs(share - 1) < 0.1)
    assert ("lowly" in text, "just" in text) == (slow, slow)


def test_the_ring_is_the_path_of_all_spins():
    parts = said("story-4", begin("story-4"))
    (ring,) = parts["stage"]["rings"]
    last = ss.bloch(played(crowd(), np.array([0.0, 60.0]), seed=7)).values[-1]
    np.testing.assert_allclose(np.hypot(*last[:, :2].T), ring["radius"], atol=1e-5)
    np.testing.assert_allclose(last[:, 2], ring["height"], atol=1e-5)
    assert "lie on one another" in parts["words"]["answers"]["start"]  # all 200
    assert parts["stage"]["order"] == ring["radius"]


def test_a_kick_is_repaired():
    """Each spin turned by a random angle: the mean hand comes back to its length."""
    _values, rng = begin("story-4"), np.random.default_rng(4)
    cycle = ss.limit_cycle(crowd())
    here = np.array([float(cycle.order_parameter), 0.0, float(cycle.inversion)])
    turns = np.linalg.qr(rng.normal(size=(40, 3, 3)))[0]
    run = ss.evolve(crowd(), np.linspace(0, 40, 3), initial=turns @ here, each=True)
    assert float(run.order_parameter[0]) < 0.5 * here[0]
    assert float(run.order_parameter[-1]) == pytest.approx(here[0], abs=1e-4)


def test_the_weakened_rhythm_dies_and_is_born_again_above_the_critical_coupling():
    values = begin("story-4", V=story.WEAK)
    words = said("story-4", values)
    assert words["words"]["text"].startswith("<b>No rhythm.</b>")
    assert words["stage"] == {"rings": [], "order": 0.0}
    assert float(played(crowd(V=story.WEAK), np.array([0.0, 80.0]), 5).order_parameter[-1]) < 1e-6
    critical = number_after(words["words"]["answers"]["weaken"], "Vc =")
    assert critical == pytest.approx(ss.critical_coupling(crowd()), abs=0.005)
    for v, alive in ((critical - 0.02, False), (critical + 0.02, True)):
        text = said("story-4", begin("story-4", V=v))["words"]["text"]
        assert text.startswith("<b>A rhythm.</b>" if alive else "<b>No rhythm.</b>")
        assert bool(ss.limit_cycle(crowd(V=v)).synchronized) is alive


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


def test_the_shore():
    text = said("story-5", begin("story-5"))["words"]["answers"]["map"]
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
    assert number_after(told["answers"][key], "Δ =") == detuning
    assert story_groups.MEANT[regime] in told["answers"][key]


def test_at_the_border_of_passing_a_hand_shrinks_to_nothing_and_its_speed_jumps():
    assert story_groups.BORDER in said("story-6", begin("story-6"))["words"]["answers"]["trapped"]

    def late(detuning):
        """Lengths of both hands in a late run, and the frequencies."""
        model = story_groups.pair(begin("story-6", detuning=detuning))
        run = ss.evolve(model, np.linspace(0, 200, 20001)).coherence.values[10000:]
        return 2 * abs(run), ss.regime(model)

    inside, outside = story.TRAPPED, story.FAR
    while outside - inside > 0.01:
        middle = (inside + outside) / 2
        trapped = int(ss.regime(story_groups.pair(begin("story-6", detuning=middle))).regime) == ss.Regime.PHASE_TRAPPED
        inside, outside = (middle, outside) if trapped else (inside, middle)
    for detuning in (inside, outside):
        least = late(detuning)[0].min(axis=0)
        assert least[0] < 0.02  # blue
        assert least[1] > 0.1
    before, after = (late(d)[1].frequency.values for d in (inside, outside))
    assert abs(after - before)[0] > 1
    assert abs(after - before)[1] < 0.05


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


# ---- the sandbox


def test_no_goal_is_reached_at_the_start():
    assert not any(said("sandbox", begin("sandbox"))["words"]["solved"].values())


@pytest.mark.parametrize("challenge", SCENES["sandbox"].challenges, ids=lambda challenge: challenge.key)
def test_the_shown_way_reaches_its_goal(challenge):
    values = begin("sandbox", **challenge.values)
    assert accepted(story.SANDBOX, values, values) == (values, "")
    assert said("sandbox", values)["words"]["solved"][challenge.key]
    assert set(story_groups.GOALS) == {c.key for c in SCENES["sandbox"].challenges}


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("quiet", {"V": 0.0}),
        ("damped", {"r": 0.5}),
        ("damped", {"theta": 0.38, "r": 0.125, "V": 0.2}),
        ("opposite", {"detuning": 1.0}),
        ("faster", {"theta": -0.62}),  # faster than the orange clocks alone, slower than the blue ones
    ],
)
def test_a_goal_is_not_given_away(key, changes):
    assert not said("sandbox", begin("sandbox", **changes))["words"]["solved"][key]
