"""The explorer without a browser: what it shows follows from the library, and nothing that is sent to it can do harm."""

import contextlib
import io

import numpy as np
import pytest
import xarray as xr
import zarr

import spinsync as ss
from spinsync.interfaces.explorer import downloads, few_spins, one_group, story, two_groups
from spinsync.interfaces.explorer.controls import COUPLING, Control, accepted, starts
from spinsync.interfaces.explorer.live import Live
from spinsync.interfaces.explorer.pages import FewSpins, OneGroup, TwoGroups
from spinsync.widget.packing import LARGEST


def ask(live, number=1, **changes):
    """What a browser does when a slider moves."""
    live.panel.request = {"key": str(number), "values": dict(live.values) | changes}
    return live.panel.answer


def executed(code):
    """The names that a program leaves behind, without its pictures."""
    names = {}
    code = "\n".join(line for line in code.splitlines() if not line.startswith(("ss.show", "ss.plot")))
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile(code, "copied", "exec"), names)
    return names, said.getvalue()


# ---- what a browser may send


@pytest.mark.parametrize(
    ("sent", "holds", "said"),
    [
        (5, 5.0, ""),
        (1e9, 30.0, "coupling V/γ goes from 0 to 30 here, but is 1e+09."),
        (-1, 0.0, "coupling V/γ goes from 0 to 30 here, but is -1."),
        ("__import__('os').getpid()", 12.0, "coupling V/γ must be a number."),
        (None, 12.0, "coupling V/γ must be a number."),
        (True, 12.0, "coupling V/γ must be a number."),
        (float("nan"), 12.0, "coupling V/γ must be a number."),
        ([3], 12.0, "coupling V/γ must be a number."),
    ],
)
def test_only_numbers_inside_the_range_are_taken(sent, holds, said):
    values, sentence = accepted((COUPLING,), {"coupling": sent, "unknown": 3}, {"coupling": 12.0})
    assert values == {"coupling": holds}
    assert sentence == said


def test_whole_numbers_stay_whole():
    assert accepted((few_spins.SPINS,), {"spins": 7.4}, {"spins": 20.0})[0] == {"spins": 7.0}


def test_the_largest_view_fits():
    """At the upper end of all ranges a run is a small part of what a browser is given at most."""
    for page in (one_group, two_groups):
        most = {control.name: control.high for control in page.CONTROLS}
        assert ss.bloch(page.run(most | {"theta": -0.5})).size / 3 < LARGEST / 10
    assert few_spins.SPINS.high <= 60


def test_requests_without_sense_change_nothing():
    page = OneGroup()
    before = dict(page.live.values)
    for request in ({"values": "x"}, {"key": 1, "values": {"coupling": "9**9**9"}}, {"key": [2], "values": [1]}):
        page.live.panel.request = request
        assert page.live.values == before


# ---- words


@pytest.mark.parametrize(
    ("detuning", "coupling", "word"),
    [
        (2.0, 20.0, "Full harmony"),
        (5.7, 20.0, "Phase-trapped"),
        (8.0, 20.0, "Partial harmony"),
        (2.0, 3.0, "Incoherent"),
    ],
)
def test_the_regime_is_said(detuning, coupling, word):
    page = TwoGroups()
    ask(page.live, detuning=detuning, coupling=coupling)
    assert page.live.words.text.startswith(f"<b>{word}.</b>")


@pytest.mark.parametrize(("share", "word"), [(0.9, "Full harmony"), (1.1, "Partial harmony")])
def test_weakly_coupled_groups_lock_inside_adlers_range(share, word):
    values = starts(two_groups.CONTROLS, coupling=24.0, alike=0.0, cross_coupling=0.5)
    edge = float(ss.locking_range(two_groups.ensemble(values)).locking_range)
    page = TwoGroups()
    ask(page.live, coupling=24.0, alike=0, cross_coupling=0.5, detuning=share * edge)
    assert page.live.words.text.startswith(f"<b>{word}.</b>")


def test_every_regime_has_its_words():
    assert set(two_groups.MEANINGS) == set(ss.Regime)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coupling": 4.2}, ("<b>Synchronized.</b>", "is above the critical coupling 4.")),
        ({"coupling": 3.8}, ("<b>Incoherent.</b>", "is below the critical coupling 4.", "<i>z</i> = 0.5000")),
        ({"theta": 0.5}, ("<b>Incoherent.</b>", "less gain than damping")),
        ({"theta": 0.5, "ratio": 0.2}, ("<b>Synchronized.</b>",)),
        ({"ratio": 0.5}, ("<b>Incoherent.</b>", "more gain than damping")),
        ({"theta": 0}, ("<b>Incoherent.</b>", "only exchanges excitations")),
        ({"theta": -1}, ("<b>Incoherent.</b>", "only exchanges excitations")),
        ({"spread": 0.5, "coupling": 4.1}, ("<b>Incoherent.</b>", "below the critical coupling 4.")),
    ],
)
def test_one_ensemble_in_words(changes, words):
    page = OneGroup()
    ask(page.live, **changes)
    assert all(part in page.live.words.text for part in words), page.live.words.text


def test_few_spins_in_words():
    page = FewSpins()
    ask(page.live, spins=30)
    width = float(ss.linewidth(few_spins.ensemble(page.live.values), theory=ss.Exact(30)).linewidth)
    assert f"<i>N</i> × width = {30 * width:.4g}" in page.live.words.text
    ask(page.live, number=2, coupling=2)
    assert "Infinitely many spins stay incoherent here" in page.live.words.text


def test_a_question_without_answer_is_a_sentence():
    def refuses(values):
        raise ss.InputError("Argument `x` must be <b>, but is not.")

    live = Live((COUPLING,), refuses)
    assert live.words.text == "<b>No answer here.</b> Argument `x` must be &lt;b&gt;, but is not."


def test_a_piece_that_fails_is_a_sentence():
    def breaks(values):
        raise ss.IntegrationError("The time steps got too small.")
        yield

    live = Live((COUPLING,), lambda values: "words", breaks)
    while live.panel.answer["more"]:
        live.panel.request = {"key": str(live.panel.answer["count"]), "values": None}
    assert live.words.text == "words The time steps got too small."


# ---- pictures


def test_the_diagram_is_that_of_the_library():
    values = starts(one_group.CONTROLS)
    *_, order = one_group.diagram(values)
    axes = {"gain": np.linspace(0, 12, one_group.GRID), "coupling": np.linspace(0, 30, one_group.GRID)}
    whole = ss.phase_diagram(one_group.ensemble(values), axes)
    np.testing.assert_allclose(order, whole.order_parameter, atol=1e-9)


def test_the_line_is_the_threshold_at_minus_a_quarter_turn():
    couplings, ratios = (np.array(x) for x in one_group.boundary(starts(one_group.CONTROLS)))
    there = ratios > 1.01
    r = ratios[there]
    np.testing.assert_allclose(couplings[there], (1 + r) ** 2 / (2 * (r - 1)), rtol=1e-12)  # below (4.5)
    assert np.all(np.isnan(couplings[ratios <= 1]))


@pytest.mark.parametrize("alike", [1.0, 0.0])
def test_the_tongue_is_that_of_the_library(alike):
    values = starts(two_groups.CONTROLS, alike=alike, coupling=24.0)
    *_, codes = two_groups.tongue(values)
    name = "coupling" if alike else "cross_coupling"
    axes = {name: np.linspace(0, 30, two_groups.GRID), "detuning": np.linspace(0, 10, two_groups.GRID)}
    whole = ss.phase_diagram(two_groups.ensemble(values), axes)
    assert (codes != whole.regime.values).sum() == 0
    assert len(np.unique(codes)) >= 2


@pytest.mark.parametrize(("page", "picture"), [(OneGroup, "diagram"), (TwoGroups, "tongue")])
def test_a_place_can_be_chosen_before_any_colour_has_come(page, picture):
    opened = page()
    plot = getattr(opened, picture)
    assert "image" not in plot.figure
    x, y = plot.figure["x"], plot.figure["y"]
    plot.chosen = {"number": 1, "x": x["high"], "y": y["high"]}
    assert plot.place == [x["high"], y["high"]]
    axes = {name: plot.figure[name] for name in "xy"}
    opened.live.finish()
    assert {name: plot.figure[name] for name in "xy"} == axes


def test_pieces_come_one_by_one_and_end():
    page = OneGroup()
    page.live.finish()
    first = page.diagram.figure
    ask(page.live, number=7, theta=-0.4)
    assert page.live.panel.answer["key"] == "7"
    assert page.diagram.figure is first  # what is slow comes later
    for number in range(8, 500):
        page.live.panel.request = {"key": str(number), "values": None}
        if not page.live.panel.answer["more"]:
            break
    assert not page.live.panel.answer["more"]
    assert page.diagram.figure["image"]["bytes"] != first["image"]["bytes"]
    ask(page.live, number=600, coupling=13)  # only the place moves
    page.live.finish()
    assert page.diagram.place == [13.0, 3.0]


def test_a_click_goes_there():
    page = OneGroup()
    page.diagram.chosen = {"number": 1, "x": 20.123456, "y": 5.0}
    assert (page.live.values["coupling"], page.live.values["ratio"]) == (20.12, 5.0)
    assert page.diagram.place == [20.12, 5.0]
    page.diagram.chosen = {"number": 2, "x": "1e99", "y": 1e99}
    assert (page.live.values["coupling"], page.live.values["ratio"]) == (20.12, 12.0)
    pair = TwoGroups()
    ask(pair.live, alike=0)
    pair.tongue.chosen = {"number": 1, "x": 1.0, "y": 7.0}
    assert (pair.live.values["detuning"], pair.live.values["cross_coupling"], pair.live.values["coupling"]) == (1.0, 7.0, 20.0)


def test_two_visitors_share_nothing():
    mine, yours = OneGroup(), OneGroup()
    before = dict(yours.live.values), yours.live.words.text, yours.sphere.run["order"]
    ask(mine.live, coupling=25)
    assert (dict(yours.live.values), yours.live.words.text, yours.sphere.run["order"]) == before
    assert mine.live.values["coupling"] == 25


# ---- code and downloads


@pytest.mark.parametrize("changes", [{}, {"coupling": 8.3, "theta": -0.37, "dephasing": 0.4}, {"spread": 0.8, "until": 12.0}])
def test_code_of_one_ensemble_makes_the_view_again(changes):
    values = starts(one_group.CONTROLS, **changes)
    names, _ = executed(one_group.code(values))
    xr.testing.assert_identical(names["run"], one_group.run(values))


@pytest.mark.parametrize("changes", [{}, {"detuning": 8.0}, {"alike": 0.0, "cross_coupling": 2.5, "cross_theta": 0.3}])
def test_code_of_two_groups_makes_the_view_again(changes):
    values = starts(two_groups.CONTROLS, **changes)
    names, said = executed(two_groups.code(values))
    xr.testing.assert_identical(names["run"], two_groups.run(values))
    found = ss.regime(two_groups.ensemble(values))
    assert said.startswith(ss.label(found.regime))
    *_, codes = two_groups.tongue(values)
    assert np.array_equal(names["tongue"].regime.values.T, codes)


def test_code_of_few_spins_makes_the_view_again():
    page = FewSpins()
    ask(page.live, spins=12, theta=-0.4, coupling=9.5)
    page.live.finish()
    names, _ = executed(page.code.text)
    xr.testing.assert_identical(names["light"], page.light)
    assert f"<i>R</i> = {names['R']:.4f}" in page.live.words.text


def test_downloads():
    for make, draw in (
        (OneGroup, downloads.one_group_figure),
        (TwoGroups, downloads.two_groups_figure),
        (FewSpins, downloads.few_spins_figure),
    ):
        page = make()
        page.live.finish()
        assert downloads.drawn(draw, page, "pdf").startswith(b"%PDF")
        assert downloads.drawn(draw, page, "png").startswith(b"\x89PNG")


def test_downloaded_data_can_be_run_again(tmp_path):
    page = TwoGroups()
    file = tmp_path / "spinsync.zarr.zip"
    file.write_bytes(downloads.stored(page.run))
    with zarr.storage.ZipStore(file, mode="r") as store:
        back = xr.open_zarr(store, consolidated=False).load()
    xr.testing.assert_identical(ss.rerun(back), page.run)


# ---- the story


def test_the_story_has_six_steps_that_answer():
    steps = story.steps()
    assert [step.title[0] for step in steps] == list("123456")
    for step in steps:
        assert isinstance(step.live, Live)
        before = step.live.words.text
        control: Control = step.live.controls[0]
        ask(step.live, **{control.name: control.low})
        assert step.live.words.text != before
        assert all(part is not None for part in step.parts)


def test_players_left_alone_lose_their_step():
    """R is the length of the mean of unit hands that turn freely."""
    run = story.alone({"width": 0.3})
    own = 1 + 0.3 * np.linspace(-1, 1, story.PLAYERS)
    mean = np.exp(1j * np.outer(run.time.values, own)).mean(1)
    np.testing.assert_allclose(run.order_parameter, abs(mean), atol=1e-6)


@pytest.mark.parametrize("theta", [0.0, -0.5, 0.3])
def test_interaction_turns_the_points_rigidly(theta):
    m = ss.bloch(story.interacting({"coupling": 6.0, "theta": theta})).values
    angles = np.einsum("tix,tjx->tij", m, m)
    np.testing.assert_allclose(angles, np.broadcast_to(angles[0], angles.shape), atol=1e-6)  # 100 rtol


def test_dissipation_forgets_all_phases():
    last = ss.bloch(story.dissipating({"ratio": 0.5})).values[-1]
    rest = np.array([0, 0, -1 / 3])
    assert np.abs(last - rest).max() < 1.5 * np.exp(-0.75 * 4) * 1.01  # Gamma_perp = 3/4 is the slower rate


@pytest.mark.parametrize("theta", [-0.05, -0.5, -0.95])
def test_fast_motion_is_not_seen_as_slow(theta):
    """The phase turns by less than a quarter between two times, and at the rate of the closed form."""
    values = starts(one_group.CONTROLS, theta=theta, coupling=30.0, until=200.0)
    run, cycle = one_group.run(values), ss.limit_cycle(one_group.ensemble(values))
    s = run.coherence.values[len(run.time) // 2 :, 0]
    turned = -np.angle(s[1:] * s[:-1].conj())
    assert abs(turned).max() < np.pi / 2
    assert turned.mean() / float(run.time[1] - run.time[0]) == pytest.approx(float(cycle.frequency), abs=1e-3)


@pytest.mark.parametrize(("page", "picture"), [(OneGroup, "diagram"), (TwoGroups, "tongue"), (TwoGroups, "frequencies")])
def test_who_goes_back_before_a_picture_is_finished_gets_the_first_one_again(page, picture):
    opened = page()
    opened.live.finish()
    first = getattr(opened, picture).figure
    assert not first["busy"]
    opened.live.put(theta=-0.4)
    for number in range(100):  # piece by piece, until the old picture is gone
        opened.live.panel.request = {"key": str(number), "values": None}
        if getattr(opened, picture).figure["busy"]:
            break
    assert getattr(opened, picture).figure["busy"]
    opened.live.put(theta=-0.5)
    opened.live.finish()
    assert getattr(opened, picture).figure == first
