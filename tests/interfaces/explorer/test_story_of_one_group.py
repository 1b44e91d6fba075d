"""Steps 1 to 4 of the story, of one group: each number and each claim is that of the library."""

import re
from math import log, pi, sqrt

import numpy as np
import pytest
from scipy.stats import norm

import spinsync as ss
from spinsync.interfaces.explorer import story, story_views
from story_steps import SCENES, TAG, begin, crowd, number_after, on_the_ball, played, said

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


def test_two_of_three_clocks_are_within_the_spread_about_one():
    count = SCENES["story-1"].stage["spins"]
    own = 1 + 0.1 * norm.ppf((np.arange(count) + 0.5) / count)  # as page/motion.js deals them out
    assert own.mean() == pytest.approx(1)
    assert (abs(own - 1) < 0.1).mean() == pytest.approx(2 / 3, abs=0.03)
    assert "a speed of its own, about 1" in SCENES["story-1"].text
    (words,) = (trial.words for trial in SCENES["story-1"].tries if trial.control == "width")
    assert "Two of three speeds lie within 1 ± the spread" in words


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


def test_the_ball_tips_over_the_more_slowly_the_closer_the_twist_is_to_none():
    def until_half(theta):
        times = np.linspace(0, 60, 2401)
        order = played(hearing(theta=theta), times, seed=8, spins=12).order_parameter.values
        return times[np.argmax(order < order[0] / 2)]

    assert "The closer to 0 or ±1, the longer it takes" in said("story-2", begin("story-2"))["words"]["answers"]["twist"]
    for twists in ((0.5, 0.3, 0.1, 0.05, 0.02), (0.5, 0.7, 0.9, 0.95, 0.98), (-0.5, -0.3, -0.1, -0.05), (-0.5, -0.9, -0.95)):
        assert (np.diff([until_half(theta) for theta in twists]) > 0).all()
    assert until_half(0.02) > 8


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


def test_where_the_dots_end_depends_on_the_ratio_and_how_fast_on_the_sum():
    """As the text of step 3 says; its sum of gain and damping is one."""
    text = TAG.sub("", SCENES["story-3"].text.replace("&nbsp;", " "))
    assert "Where the dots end depends on the ratio r = κ/γ alone; how fast, on the sum κ + γ, which is 1 here." in text
    group = story_views.single(begin("story-3")).groups[0]
    assert group.gain + group.damping == pytest.approx(1)

    def motion(gain, damping):
        """Length of the hands, as a share of the first, after a while, and the height of rest."""
        model = ss.Ensemble.single(gain=gain, damping=damping, coupling=0.0, theta=0.0)
        m = ss.bloch(played(model, np.array([0.0, 1.0, 60.0]), seed=3)).values
        lengths = np.hypot(m[..., 0], m[..., 1])
        return lengths[1] / lengths[0], m[-1, :, 2]

    (share, height), (same_sum, _), (doubled, same_ratio) = motion(0.75, 0.25), motion(0.4, 0.6), motion(1.5, 0.5)
    np.testing.assert_allclose(same_sum, share, atol=1e-5)
    np.testing.assert_allclose(doubled, share**2, atol=1e-5)
    np.testing.assert_allclose(same_ratio, height, atol=1e-5)


# ---- 4. both


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
def test_the_twist_and_not_coupling_or_ratio_sets_the_speed(changes):
    told = said("story-4", begin("story-4", **changes))["words"]["answers"]["twist"]
    theta = changes.get("theta", story.TWIST)
    half, more = (-0.5, -0.75) if theta < 0 else (0.5, 0.75)
    named = {"not V or r:": theta, "here,": half, f"at {half:.2f} and": more}
    for v, r in ((2.0, 4.0), (4.0, 11.0)):
        for mark, twist in named.items():
            model = crowd(theta=twist, V=v, r=r if twist < 0 else 1 / r)
            plain = TAG.sub("", told).replace("−", "-")
            assert number_after(plain, mark) == pytest.approx(float(ss.limit_cycle(model).frequency), abs=0.005)


def test_how_fast_hands_blur_sets_the_speed_too():
    """The knob for it is in the sandbox."""
    assert "The twist, and how fast hands blur;" in said("story-4", begin("story-4"))["words"]["answers"]["twist"]
    speeds = []
    for noise in (0.0, 1.0, 2.0):
        speeds.append(number_after(said("sandbox", begin("sandbox", dephasing=noise))["words"]["text"], "one common speed"))
        one = ss.limit_cycle(crowd(V=5.0).replace(dephasing=noise))
        assert speeds[-1] == pytest.approx(float(one.frequency), abs=0.03)  # the difference of the groups adds a little
    assert speeds == [0.48, -0.52, -1.52]


@pytest.mark.parametrize("changes", [{}, {"V": 1.0}, {"V": 4.0, "r": 0.25}, {"V": 2.0, "theta": 0.25}])
def test_outside_of_the_named_twists_there_is_no_rhythm(changes):
    values = begin("story-4", **changes)
    told = said("story-4", values)["words"]["answers"]["twist"]
    low, high = number_after(told, "a twist between"), number_after(told, "and", told.index("a twist between"))
    for edge, inward in ((low, 0.01), (high, -0.01)):
        alive = [bool(ss.limit_cycle(crowd(**{**values, "theta": edge + step})).synchronized) for step in (-inward, inward)]
        assert alive == [False, True]
    assert ("here," in told) == bool(ss.limit_cycle(crowd(**values)).synchronized)


def test_where_no_twist_makes_a_rhythm_this_is_said():
    told = said("story-4", begin("story-4", V=story.WEAK))["words"]["answers"]["twist"]
    assert "no twist makes a rhythm" in told
    twists = np.linspace(-1, 1, 81)
    assert not any(bool(ss.limit_cycle(crowd(V=story.WEAK, theta=theta)).synchronized) for theta in twists)


@pytest.mark.parametrize("share", [0.88, 0.95, 1.05, 1.12])
def test_close_to_the_critical_coupling_all_goes_slowly(share):
    """A trace grows, or dies, by the factor e in more than 20 seconds."""
    values = begin("story-4", V=share * ss.critical_coupling(crowd()))
    order = ss.evolve(crowd(**values), [0.0, 5.0], initial=[[1e-4, 0.0, 7 / 9]]).order_parameter.values
    text, slow = said("story-4", values)["words"]["text"], 5 / abs(np.log(order[1] / order[0])) > 20
    assert slow == (abs(share - 1) < 0.1)
    assert ("lowly" in text, "just" in text) == (slow, slow)


@pytest.mark.parametrize("above", [0.3, 0.004, 0.0004, -0.0004, -0.004])
def test_coupling_and_critical_coupling_can_be_told_apart(above):
    values = begin("story-4", V=float(ss.critical_coupling(crowd())) + above)
    text = TAG.sub("", said("story-4", values)["words"]["text"]).replace("\N{NO-BREAK SPACE}", " ")
    here, critical = re.search(r"V = (\d\.\d+) is .* the critical (\d\.\d+) ", text).groups()
    assert np.sign(float(here) - float(critical)) == np.sign(above)
    assert len(here) == len(critical) == (4 if abs(above) > 0.1 else len(here))
    assert float(here) == pytest.approx(values["V"], abs=0.005)


def test_the_length_and_the_speed_of_a_rhythm_are_those_of_the_end():
    assert "In the end: length" in said("story-4", begin("story-4"))["words"]["text"]


@pytest.mark.parametrize("changes", [{}, {"theta": -0.4}, {"r": 3.0}, {"theta": 0.4, "r": 0.2}])
def test_the_hand_is_longest_at_twice_the_critical_coupling(changes):
    critical = float(ss.critical_coupling(crowd(**changes)))
    couplings = critical * np.linspace(1, 4, 601)
    orders = np.array([float(ss.limit_cycle(crowd(**changes, V=v)).order_parameter) for v in couplings])
    assert couplings[orders.argmax()] == pytest.approx(2 * critical, rel=1e-6)
    assert (np.diff(orders[orders.argmax() :]) < 0).all()
    told = said("story-4", begin("story-4", **changes))["words"]["answers"]["weaken"]
    assert "at twice that coupling, then shorter" in told
    assert number_after(told, "longest, R =") == pytest.approx(orders.max(), abs=0.005)


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
