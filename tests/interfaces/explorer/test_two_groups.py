"""Two groups: words, rings, lines and code follow from the laws of the library."""

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from explorer_views import page, plain, preset
from spinsync.interfaces.explorer import tongues, two_groups
from spinsync.interfaces.explorer.controls import TWO, shown, starts


def of(**changes):
    return starts(TWO, **changes)


def said(values):
    return plain(two_groups.words(*two_groups.regimes(values)))


CLAIMS = {
    "Full": (ss.Regime.FULL, ss.Regime.FULL),
    "Phase-trapped": (ss.Regime.PHASE_TRAPPED, ss.Regime.PHASE_TRAPPED),
    "Partial": (ss.Regime.PARTIAL, ss.Regime.PARTIAL),
    "The start decides": (ss.Regime.PHASE_TRAPPED, ss.Regime.PARTIAL),
    "Weak link": (ss.Regime.FULL, ss.Regime.FULL),
    "Weak link, too weak": (ss.Regime.PARTIAL, ss.Regime.PARTIAL),
    "No rhythm": (ss.Regime.INCOHERENT, ss.Regime.INCOHERENT),
}


@pytest.mark.parametrize("name", list(page("two")["presets"]))
def test_presets_of_two_groups_keep_their_word(name):
    values = preset("two", name)
    found, common = two_groups.regimes(values)
    assert (int(found.regime), int(common.regime)) == CLAIMS[name]
    words = said(values)
    decides = name == "The start decides"
    assert words.startswith("The start decides." if decides else f"{two_groups.NAMES[CLAIMS[name][0].name]}.")


def test_where_the_start_decides_both_ends_are_told_with_their_starts_and_no_ring_is_drawn():
    values = preset("two", "The start decides")
    found, common = two_groups.regimes(values)
    words = said(values)
    assert words.startswith("The start decides. From “Weak start”, one random cloud, the end is phase-trapped: ")
    assert f"Ω = {shown(float(found.frequency[0]))} on average. From “Strong start”, all together, it is partial: " in words
    assert "ΩA = {}, ΩB = {}.".format(*(shown(float(f)) for f in common.frequency)) in words
    assert two_groups.stage(found, common) == {"rings": [], "order": None}
    assert two_groups.stage(*two_groups.regimes(of()))["rings"] != []


def test_a_motion_that_no_run_tells_is_no_other_motion():
    found, _ = two_groups.regimes(of())
    unknown = found.assign(regime=((), np.int8(ss.Regime.UNDECIDED)))
    assert not two_groups.start_decides(found, unknown)
    assert "the longest run does not tell" in plain(two_groups.words(found, unknown))
    assert "From a strong common start the end is full synchronization" in plain(two_groups.words(unknown, found))


@pytest.mark.parametrize(
    ("detuning", "V", "word"),
    [(0.5, 5.0, "Full"), (1.425, 5.0, "Phase-trapped"), (2.0, 5.0, "Partial"), (0.5, 0.75, "Incoherent")],
)
def test_the_regime_at_a_quarter_turn_is_said(detuning, V, word):
    assert said(of(theta=-0.5, detuning=detuning, V=V)).startswith(word)


@pytest.mark.parametrize(("share", "word"), [(0.9, "Full synchronization"), (1.1, "Partial synchronization")])
def test_weakly_coupled_groups_lock_inside_adlers_range(share, word):
    values = of(V=6.0, alike=0.0, V_cross=0.1)
    edge = float(ss.locking_range(two_groups.ensemble(values)).locking_range)
    assert said(values | {"detuning": share * edge}).startswith(word)
    assert ("inside" in plain(two_groups.first_words(values | {"detuning": share * edge}))) == (share < 1)


@pytest.mark.parametrize(
    ("theta", "detuning", "V"), [(-0.5, 0.4, 5.0), (-0.5, 2.5, 5.0), (-0.5, 2.0, 1.0), (-0.38, 0.5, 5.0), (-0.3, 2.0, 0.4)]
)
def test_the_first_words_are_true(theta, detuning, V):
    values = of(theta=theta, detuning=detuning, V=V)
    words, (found, _) = plain(two_groups.first_words(values)), two_groups.regimes(values)
    name = two_groups.NAMES[ss.Regime(int(found.regime)).name]
    assert words.startswith(f"{name}.") or words.startswith("Two groups. No formula")
    if words.startswith("Full"):
        assert f"A is ahead by {float(found.phase_difference[0, 1]) / np.pi:.2f} π" in words


def test_every_regime_has_its_words():
    assert set(two_groups.NAMES) == {regime.name for regime in ss.Regime}
    found = two_groups.regimes(of())[0]
    for regime in ss.Regime:
        one = found.assign(regime=((), np.int8(regime)))
        words = plain(two_groups.words(one, one))
        assert words.startswith(two_groups.NAMES[regime.name])
        assert 100 < len(words) <= 4 * 76, words
        assert "-" not in words.replace("Phase-trapped", ""), words


@pytest.mark.parametrize(
    ("changes", "angle"),
    [
        ({"detuning": 0.0}, "they point the same way"),
        ({"theta_cross": 0.62, "alike": 0.0, "V_cross": 2.0, "detuning": 0.0}, "they point opposite ways"),
    ],
)
def test_an_angle_that_is_none_has_no_sign(changes, angle):
    words = said(of(**changes))
    assert angle in words
    assert "ahead" not in words
    assert "from the mean of their own" in words  # a frequency of 0 is no standing still


def test_another_state_of_the_same_regime_is_told():
    """Two groups that pull and push: full synchronization with one angle from a weak start, with another from a common one."""
    values = of(detuning=0.28, V=2.94, theta=-0.34, alike=0.0, V_cross=8.0, theta_cross=-1.0)
    found, common = two_groups.regimes(values)
    assert int(found.regime) == int(common.regime) == ss.Regime.FULL
    assert abs(float(found.order_parameter - common.order_parameter)) > 0.2
    words = said(values)
    assert words.startswith("The start decides.")
    assert words.count("full synchronization: one frequency") == 2
    assert two_groups.stage(found, common)["rings"] == []


def test_a_common_start_does_not_balance_on_an_unstable_state():
    """Equal groups that push each other apart: from exactly equal places they would stay together."""
    values = of(detuning=0.0, V=0.0, theta=-1.0, r=12.0, dephasing=0.9, alike=0.0, V_cross=8.0, theta_cross=0.28)
    _, common = two_groups.regimes(values)
    kicked = np.add(two_groups.COMMON, [[0.0, 0.0, 0.05], [0.05, 0.0, 0.0]])
    assert int(common.regime) == int(ss.regime(two_groups.ensemble(values), initial=kicked).regime)


def test_the_phase_of_the_faster_group_is_ahead():
    """Below (5.1): tan(phi/2) = Delta/(2 Gamma_perp)."""
    values = of(theta=-0.5, detuning=0.5, V=5.0)
    ahead = 2 * np.arctan(0.5 / (2 * 0.5)) / np.pi
    assert f"A is ahead by {ahead:.2f} π" in said(values)


@pytest.mark.parametrize("changes", [{}, {"theta": 0.4, "r": 0.3}, {"alike": 0.0, "detuning": 0.2, "V_cross": 2.0}])
def test_the_rings_are_where_a_run_ends(changes):
    values = of(**changes)
    run = ss.evolve(two_groups.ensemble(values), [0, 300, 301])
    stage = two_groups.stage(*two_groups.regimes(values))
    assert [ring["group"] for ring in stage["rings"]] == [0, 1]
    for ring in stage["rings"]:
        end = run.isel(time=-1, group=ring["group"])
        assert ring["radius"] == pytest.approx(2 * abs(complex(end.coherence)), abs=1e-4)
        assert ring["height"] == pytest.approx(float(end.inversion), abs=1e-4)
    assert stage["order"] == pytest.approx(float(run.order_parameter[-1]), abs=1e-4)


@pytest.mark.parametrize(("name", "order"), [("Phase-trapped", None), ("Partial", None), ("No rhythm", 0.0)])
def test_there_is_no_ring_without_a_limit_cycle(name, order):
    assert two_groups.stage(*two_groups.regimes(preset("two", name))) == {"rings": [], "order": order}


# ---- the tongue


def test_closed_form_lines_at_a_quarter_turn():
    """(5.2) to (5.4), with Gamma_1 = 1 and Gamma_perp = 1/2."""
    values = of(theta=-0.5)
    lines = {name: (x, y) for name, x, y in two_groups.closed_form_lines(values)}
    x, V = lines["full exists"]
    there = np.isfinite(x)
    np.testing.assert_allclose(x[there], 2 * np.sqrt(V[there] * 0.5 * 0.5 - 0.25), rtol=1e-12, atol=1e-6)
    hopf, V = lines["full ends (Hopf)"]
    d = hopf**2 / 2
    margin = (0.5 - d) * (1.5 - d) + 2 * (V / 2 - 0.5 - d) * (1 - d)
    assert np.nanmax(abs(margin)) < 1e-9
    assert np.isfinite(hopf).sum() > 10
    x, V = lines["incoherent below"]
    np.testing.assert_allclose(V[x > 1.05], 2, rtol=1e-9)  # beyond, both groups are dark or none: V z0 = 2 Gamma_perp
    np.testing.assert_allclose(V[x < 0.95], 1 + x[x < 0.95] ** 2, rtol=1e-9)  # there it is the end of the full state


def test_a_cross_coupling_that_happens_to_equal_the_coupling_has_no_lines_of_equal_couplings():
    values = of(theta=-0.5, alike=0.0, V=3.0, V_cross=3.0, theta_cross=-0.5)
    assert [name for name, _, _ in two_groups.closed_form_lines(values)] == ["Adler, weak coupling"]


def test_the_incoherent_state_ends_at_the_line_for_any_phase():
    values = of()
    ((name, x, y),) = two_groups.closed_form_lines(values)
    assert name == "incoherent below"
    for k in (5, 20):
        for share, regime in ((0.97, "incoherent"), (1.03, "full")):
            there = values | {"detuning": float(x[k]), "V": share * float(y[k])}
            assert ss.label(ss.regime(two_groups.ensemble(there)).regime) == regime


def test_adlers_line_is_drawn_where_the_link_is_weak():
    values = of(alike=0.0)
    ((name, x, y),) = two_groups.closed_form_lines(values)
    seen = np.isfinite(x)
    assert name == "Adler, weak coupling"
    assert 1 <= seen.sum() < len(x)
    assert np.all(np.diff(np.flatnonzero(seen)) == 1)  # one line without gaps
    np.testing.assert_allclose(x[seen] / y[seen], x[seen][0] / y[seen][0])  # (5.7) is proportional to the cross coupling


@pytest.mark.parametrize("changes", [{"theta": -0.5}, {"alike": 0.0, "V": 4.0, "theta_cross": -0.5}])
def test_the_tongue_is_that_of_the_library(changes, monkeypatch):
    monkeypatch.setattr(tongues, "GRID", 32)
    monkeypatch.setattr(tongues, "COARSE", 8)
    values = of(**changes)
    tongue = tongues.Tongue(values | {"dephasing": 0.01 * len(changes)})  # a key of its own
    for piece in (*tongue.coarse(), *tongue.fine()):
        piece()
    control, name = two_groups.upwards(values)
    axes = {name: (np.arange(32) + 0.5) / 32 * 8, "detuning": (np.arange(32) + 0.5) / 32 * 3}
    whole = ss.phase_diagram(two_groups.ensemble(values | {"dephasing": 0.01 * len(changes)}), axes)
    np.testing.assert_array_equal(tongue.codes(), whole.regime)
    assert len(np.unique(tongue.codes())) >= 2
    assert not list(tongue.fine())  # nothing is computed twice
    assert (control.name == "V") == bool(values["alike"])


def test_the_hatching_is_where_the_start_decides(monkeypatch):
    monkeypatch.setattr(tongues, "GRID", 32)
    monkeypatch.setattr(tongues, "COARSE", 8)
    values = of(dephasing=0.005)
    tongue = tongues.Tongue(values)
    for pieces in (tongue.coarse, tongue.fine, tongue.starts):
        assert tongue.differs() is None
        for piece in pieces():
            piece()
    axes = {"coupling": (np.arange(32) + 0.5) / 32 * 8, "detuning": (np.arange(32) + 0.5) / 32 * 3}
    one, other = (
        ss.phase_diagram(two_groups.ensemble(values), axes, initial=start).regime.values for start in (None, two_groups.COMMON)
    )
    differs = (one != other) & (one != -1) & (other != -1)
    assert differs.any()
    np.testing.assert_array_equal(tongue.differs(), differs)
    assert any(words == "depends on the start" for _, words, _ in tongue.figure()["legend"])
    assert "over" in tongue.figure()


@pytest.mark.parametrize("changes", [{}, {"detuning": 2.0}, {"alike": 0.0, "V_cross": 0.5, "theta_cross": 0.3, "r": 0.4}])
def test_code_of_two_groups_makes_the_view_again(changes, executed):
    values = of(**changes)
    names, printed = executed(two_groups.code(values), "spinsync-two-groups.png")
    xr.testing.assert_identical(names["run"], two_groups.run(values))
    found, common = two_groups.regimes(values)
    xr.testing.assert_identical(names["found"], found)
    assert names["common"].regime == common.regime
    assert printed.startswith(f"{ss.label(found.regime)}; from a strong common start: {ss.label(common.regime)}")
