"""Views: from values to changed parts of the page, quick ones first, and nothing twice."""

import json
import time

import numpy as np
import pytest

import spinsync as ss
from explorer_views import plain, run_steps
from spinsync.interfaces.explorer import few_spins, figures, story, tongues, two_groups, views
from spinsync.interfaces.explorer.controls import ONE, TWO, starts

PICTURES = {"one": ["map"], "two": ["tongue", "frequencies"], "few": ["spectrum", "correlation", "width"]}
LEGENDS = {"area", "line", "dash", "dotted", "dots", "rings", "hatch"}


def make_small(monkeypatch):
    """A coarse diagram, and none of the pieces that other tests have left."""
    monkeypatch.setattr(tongues, "GRID", 16)
    monkeypatch.setattr(tongues, "COARSE", 8)
    monkeypatch.setattr(tongues, "_kept", tongues.Kept(200))
    monkeypatch.setattr(two_groups, "SWEEP", 13)


@pytest.fixture
def small(monkeypatch):
    make_small(monkeypatch)


@pytest.fixture(scope="module")
def finished():
    """What each page shows at its start, and what is drawn then."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        return {key: run_steps(view, starts(view.controls)) for key, view in views.VIEWS.items() if key in PICTURES}


def as_json(parts):
    """What the server sends, with bytes as text."""
    return json.loads(
        json.dumps(parts, allow_nan=False, default=lambda b: {"base64": len(b)} if isinstance(b, bytes) else None)
    )


@pytest.mark.parametrize("key", PICTURES)
def test_a_page_gets_all_its_parts(finished, key):
    parts, _ = finished[key]
    as_json(parts)  # NaN has no place in JSON
    assert len(plain(parts["words"]["text"])) > 80
    assert parts["code"]["text"].startswith("import")
    for name in PICTURES[key]:
        figure = parts[name]["figure"]
        assert not parts[name]["busy"]
        assert parts[name]["says"].endswith(".")
        for one in (figure["x"], figure["y"]):
            assert one["low"] < one["high"]
            assert one["scale"] in ("linear", "log")
        assert {kind for _, _, kind in figure["legend"]} <= LEGENDS
        for image in filter(None, (figure.get("image"), figure.get("over"))):
            assert len(image["bytes"]) == 4 * image["width"] * image["height"]
        for line in figure["lines"]:
            assert len(line["x"]) == len(line["y"])


@pytest.mark.parametrize("key", PICTURES)
def test_what_stands_is_not_computed_again(finished, key):
    view = views.VIEWS[key]
    _, drawn = finished[key]
    labels = [step.label for step in view.steps(starts(view.controls), drawn)]
    assert (
        labels
        == {"one": ["the words"], "two": ["the words", "the regime"], "few": ["the words", "the line", "the spectrum"]}[key]
    )
    name = {"one": "V", "two": "detuning", "few": "N"}[key]
    assert [
        step.label for step in view.steps(starts(view.controls, **{name: 2.0}), drawn)
    ] == labels  # a place moves, no picture
    assert len(list(view.steps(starts(view.controls, theta=-0.5), drawn))) > len(labels)


def test_the_first_step_is_quick_and_says_what_will_be_redrawn(finished):
    for key, (_, drawn) in finished.items():
        view = views.VIEWS[key]
        for changes, busy in (({}, False), ({"theta": -0.5}, True)):
            values = starts(view.controls, **changes)
            began = time.perf_counter()
            parts = next(view.steps(values, drawn)).compute()
            assert time.perf_counter() - began < 1.0
            picture = PICTURES[key][-1]
            assert parts[picture]["busy"] is busy
            assert "figure" not in parts[picture]  # the old picture stays until the new one is there


def tongues_on_the_way(drawn):
    """The pictures of the tongue that are sent until it is complete, as arrays (row, column, colour)."""
    pictures = []
    for step in views.VIEWS["two"].steps(starts(TWO), drawn):
        if step.label == "where the start decides":
            break
        pictures += [parts["tongue"]["figure"]["image"] for parts in [step.compute()] if "figure" in parts.get("tongue", {})]
    return [np.frombuffer(one["bytes"], np.uint8).reshape(one["height"], one["width"], 4) for one in pictures]


def test_the_old_tongue_stays_until_a_whole_one_is_there(small):
    pictures = tongues_on_the_way({"words": True})
    assert len(pictures) > 2
    for picture in pictures:
        assert np.all(picture[..., 3] == 255)
        assert np.mean(np.all(picture == 255, axis=-1)) < 1 / 40  # white is what stays undecided


def test_the_first_tongue_is_seen_as_it_grows(small, monkeypatch):
    monkeypatch.setattr(tongues, "COARSE_BAND", 2)
    first, *rest = tongues_on_the_way({})
    assert np.array_equal(first[:, 0, 3] == 255, np.arange(16) < 4)
    assert np.all(rest[-1][..., 3] == 255)


def test_how_far_the_strong_start_is_rises_to_all_and_goes(small):
    told = []
    for step in views.VIEWS["two"].steps(starts(TWO), {}):
        parts = step.compute()
        if step.label == "where the start decides":
            told.append(parts["tongue"]["doing"])
    shares = [int(text.removeprefix("strong start: ").removesuffix("\N{NO-BREAK SPACE}%")) for text in told[:-1]]
    assert shares == sorted(set(shares))
    assert (shares[-1], told[-1]) == (100, "")


def test_a_computation_that_was_broken_off_goes_on(small):
    view, values = views.VIEWS["two"], starts(TWO)
    steps = view.steps(values, {})
    for step in steps:
        step.compute()
        if step.label == "the boundaries":
            break
    labels = []
    for step in view.steps(values | {"detuning": 2.0}, {}):
        if step.label == "where the start decides":
            break
        step.compute()
        labels.append(step.label)
    assert labels.count("the diagram") == 1 + 16 // tongues.BAND + 1  # the coarse look is not computed again
    again = [step.label for step in view.steps(values | {"detuning": 1.0}, {})]
    assert again.count("the diagram") == 2


def test_kept_pieces_are_few():
    kept = tongues.Kept(3)
    for k in range(10):
        kept.put(k, k)
        kept.get(7)
    assert [kept.get(k) for k in range(10)] == [None] * 7 + [7, 8, 9]


def test_the_words_wait_for_the_regime_but_at_the_first_time(small):
    view, values = views.VIEWS["two"], starts(TWO)
    first, later = (next(view.steps(values, drawn)).compute() for drawn in ({}, {"words": True}))
    assert plain(first["words"]["text"]).startswith("Two groups.")
    assert "text" not in later["words"]
    assert later["words"]["busy"] is True


@pytest.mark.parametrize("controls", [TWO, story.SANDBOX], ids=["two", "sandbox"])
def test_what_has_no_effect_on_the_motion_follows_what_has(controls):
    """With the values that are followed put in by hand the motion is the same."""
    followed = {control.name: control.follows for control in controls if control.follows}
    alike = starts(controls, V=4.0, theta=0.3)
    assert list(followed) == two_groups.idle(alike)
    assert two_groups.idle({**alike, "alike": 0.0}) == []
    by_hand = alike | {"alike": 0.0} | {name: alike[other] for name, other in followed.items()}
    assert two_groups.ensemble(by_hand) == two_groups.ensemble(alike)
    by_name = {control.name: control for control in controls}
    for name, other in followed.items():
        assert (by_name[name].low, by_name[name].high) == (by_name[other].low, by_name[other].high)


def test_the_place_is_where_the_axes_are(finished):
    parts = finished["one"][0]["map"]
    assert parts["place"] == [3.0, 3.0]
    assert [parts["figure"][axis]["control"] for axis in "xy"] == ["V", "r"]
    assert parts["figure"]["y"]["scale"] == "log"
    parts = finished["two"][0]
    assert parts["tongue"]["place"] == [0.5, 5.0]
    assert [parts["tongue"]["figure"][axis]["control"] for axis in "xy"] == ["detuning", "V"]
    across = starts(TWO, alike=0.0, V_cross=0.7)
    assert next(views.VIEWS["two"].steps(across, {})).compute()["tongue"]["place"] == [0.5, 0.7]
    assert tongues.Tongue(across).figure()["y"]["control"] == "V_cross"
    assert finished["few"][0]["correlation"]["figure"]["x"]["control"] == "N"


def test_the_map_lies_right_way_up(finished):
    """Bright where gain exceeds damping, which is the upper half, and dark at weak coupling, which is left."""
    image = finished["one"][0]["map"]["figure"]["image"]
    pixels = np.frombuffer(image["bytes"], np.uint8).reshape(image["height"], image["width"], 4)
    light = pixels[..., 1].astype(int)  # green grows with R
    assert light[-1, -1] > light[0, -1]
    assert light[-1, -1] > light[-1, 0]
    assert np.all(light[: image["height"] // 2] == light[0, 0])  # r < 1


def test_the_tongue_lies_right_way_up(finished):
    image = finished["two"][0]["tongue"]["figure"]["image"]
    pixels = np.frombuffer(image["bytes"], np.uint8).reshape(image["height"], image["width"], 4)
    colour = {regime: tuple(bytes.fromhex(code[1:])) for regime, code in ss.plot.REGIME_COLOURS.items()}
    corners = [tuple(pixels[row, column, :3].tolist()) for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1))]
    expected = (ss.Regime.INCOHERENT, ss.Regime.INCOHERENT, ss.Regime.FULL, ss.Regime.PARTIAL)
    assert corners == [colour[regime] for regime in expected]


def test_both_groups_are_seen_where_their_frequencies_agree(finished):
    figure = finished["two"][0]["frequencies"]["figure"]
    (a, b) = (line for line in figure["lines"] if line.get("points"))
    assert a["y"][2] == pytest.approx(b["y"][2], abs=1e-4)
    assert a["open"]
    assert a["size"] > 1.5 * b["size"]
    natural = [line for line in figure["lines"] if line.get("dash")]
    assert [line["y"][-1] for line in natural] == [1.5, -1.5]


def test_the_spectrum_shows_its_width(finished):
    figure = finished["few"][0]["spectrum"]["figure"]
    curve, width = figure["lines"]
    assert width["y"][0] == pytest.approx(max(curve["y"]) / 2, rel=1e-4)
    half = [x for x, y in zip(curve["x"], curve["y"], strict=True) if y > max(curve["y"]) / 2]
    np.testing.assert_allclose(width["x"], [half[0], half[-1]], atol=curve["x"][1] - curve["x"][0])


def test_correlations_below_zero_are_drawn(finished):
    figure = finished["few"][0]["correlation"]["figure"]
    lowest = min(min(line["y"]) for line in figure["lines"])
    assert lowest < -0.1
    assert figure["y"]["low"] < lowest
    limit = next(line for line in figure["lines"] if line.get("dash") == "6 4")["y"][0]
    assert limit == pytest.approx(few_spins.limit(starts(views.VIEWS["few"].controls)), rel=1e-5)


def test_the_widths_fall_over_the_number_of_spins_and_the_place_is_on_their_curve(finished):
    figure, place = (finished["few"][0]["width"][name] for name in ("figure", "place"))
    assert figure["x"]["control"] == "N"
    assert figure["y"]["scale"] == "log"
    exact = next(line for line in figure["lines"] if line.get("points"))
    assert exact["x"] == list(few_spins.COUNTS)
    assert np.all(np.diff(exact["y"]) < 0)
    assert place[1] == pytest.approx(np.exp(np.interp(np.log(20), np.log(exact["x"]), np.log(exact["y"]))), rel=0.02)
    diffusion = next(line for line in figure["lines"] if line.get("dash"))
    model = few_spins.ensemble(starts(views.VIEWS["few"].controls))
    width = float(ss.linewidth(model, theory=ss.MeanField(), spins=10**6).linewidth)
    assert diffusion["y"][-1] == pytest.approx(width, rel=1e-5)
    for one in figure["lines"]:
        assert figure["y"]["low"] < min(one["y"]) <= max(one["y"]) < figure["y"]["high"]


@pytest.mark.parametrize(("spins", "at_once"), [(100, False), (101, True), (300, True), (301, False)])
def test_closed_forms_are_said_at_once_where_exact_words_take_long(spins, at_once):
    view = views.VIEWS["few"]
    words = next(view.steps(starts(view.controls, N=spins), {"words": True})).compute()["words"]
    assert words["busy"] is True
    assert ("text" in words) == at_once
    if at_once:
        assert plain(words["text"]).endswith("The spins are being computed.")


def test_the_spectrum_of_very_many_spins_has_the_line_by_phase_diffusion_too():
    view = views.VIEWS["few"]
    values = starts(view.controls, N=1e6)
    steps = {step.label: step for step in view.steps(values, {"correlation": 0, "width": 0})}
    place = steps["the line"].compute()["width"]["place"]
    figure = steps["the spectrum"].compute()["spectrum"]["figure"]
    second, line, bar = figure["lines"]
    assert bar["x"][1] - bar["x"][0] == pytest.approx(place[1], rel=1e-5)
    half = np.interp(bar["x"], line["x"], line["y"])
    np.testing.assert_allclose(half, 0.5, atol=0.01)
    assert np.interp(bar["x"][1], second["x"], second["y"]) > 0.6  # which is wider
    assert [words for _, words, _ in figure["legend"]][:2] == ["second order", "phase diffusion"]


def test_hatching_marks_its_points_only():
    where = np.zeros((20, 30), bool)
    where[5:15, 8] = True
    image = figures.hatched(where)
    alpha = np.frombuffer(image["bytes"], np.uint8).reshape(40, 60, 4)[..., 3] > 0
    assert alpha[10:30, 16:18].any()
    alpha[10:30, 16:18] = False
    assert not alpha.any()


def test_values_that_a_page_leaves_out_stay_where_they_start():
    view = views.VIEWS["one"]
    short, whole = (next(view.steps(values, {})).compute() for values in ({"V": 2.0}, starts(ONE, V=2.0)))
    assert short == whole
