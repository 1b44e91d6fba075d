"""One ensemble: words, ring, map and code follow from the laws of the library."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

import spinsync as ss
from explorer_views import page, plain, preset
from spinsync.interfaces.explorer import one_group
from spinsync.interfaces.explorer.controls import ONE, RATIO, V, starts


def of(**changes):
    """Values of equal spins, but for the changes."""
    return starts(ONE, **({"spread": 0.0} | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {},
            (
                "Synchronized. All spins turn together, at Ω = −0.20 relative to a spin alone. In the laboratory "
                "view 1 + Ω = 0.80; the 1 is chosen for the eye.",
                "R = 0.34",
                "z = 0.18",
                "above the threshold 1.08",
            ),
        ),
        ({"theta": -0.5}, ("Synchronized.", "as fast as a spin alone: Ω = 0.00")),
        ({"V": 1.1}, ("Synchronized.", "is above the threshold 1.08")),
        ({"V": 1.079}, ("Synchronized.", "V = 1.0790 is just above the threshold 1.0755")),
        ({"V": 1.0753}, ("Incoherent.", "V = 1.0753 is just below the threshold 1.0755")),
        ({"V": 1.06}, ("Incoherent.", "is below the threshold 1.08", "z = 0.50")),
        ({"theta": 0.38}, ("Incoherent.", "more damping than gain")),
        ({"theta": 0.38, "r": 0.2}, ("Synchronized.", "Ω = 0.20", "z = −0.18")),
        ({"r": 0.5}, ("Incoherent.", "more gain than damping")),
        ({"r": 1.0}, ("Incoherent.", "more gain than damping")),
        ({"theta": 0}, ("Incoherent.", "only exchanges excitations")),
        ({"theta": -1}, ("Incoherent.", "only exchanges excitations")),
        ({"spread": 0.5, "V": 1.5}, ("Incoherent.", "below the threshold 1.6", "own frequencies of spread σ = 0.50")),
        ({"theta": -0.04, "spread": 1.2, "V": 5.0, "r": 12.0}, ("Incoherent.",)),
    ],
)
def test_one_ensemble_in_words(changes, words):
    said = plain(one_group.words(of(**changes)))
    assert all(part in said for part in words), said


def test_nothing_is_said_to_turn_that_stands_still():
    for theta in (*np.linspace(-0.99, -0.01, 99), -0.498, -0.503):
        said = plain(one_group.words(of(theta=float(theta), V=5.0, r=12.0)))
        if said.startswith("Synchronized"):
            still = abs(0.5 / np.tan(theta * np.pi)) < 0.005  # (4.3): Gamma_perp = 1/2
            assert ("as fast as a spin alone" in said, "laboratory view" in said) == (still, not still), said
            assert ("Ω = 0.00" in said or "Ω = −0.00" in said) == still


def test_words_keep_their_height():
    """A head and at most five lines of 62 characters, which is what their box holds."""
    random = np.random.default_rng(1)
    for _ in range(200):
        drawn = {c.name: float(random.uniform(c.low, c.high)) for c in ONE} | {"r": float(np.exp(random.uniform(-2.4, 2.4)))}
        for spread in (0.0, drawn["spread"]):
            said = plain(one_group.words(drawn | {"spread": spread}))
            assert 80 < len(said) <= 6 * 58, said
            assert "-" not in said  # a minus sign is no hyphen


@pytest.mark.parametrize(("spread", "swings"), [(0.4, False), (0.85, True)])
def test_where_a_steady_rhythm_is_not_sure_the_words_say_so(spread, swings):
    """(6.3) gives a state that turns uniformly; with strong disorder it may be unstable."""
    values = of(theta=-0.5, spread=spread, V=5.0, r=12.0)
    own = ss.Samples(spread * norm.ppf((np.arange(400) + 0.5) / 400))
    run = ss.evolve(one_group.ensemble(values).replace(frequency=own), np.linspace(0, 200, 401))
    assert bool(np.ptp(run.order_parameter.values[250:]) > 0.2) is swings
    assert ("may swing" in plain(one_group.words(values))) is swings


def test_where_disorder_makes_the_onset_jump_the_words_say_that_the_start_decides():
    """(6.4): with strong disorder a synchronized state exists already below the threshold of the incoherent one."""
    values = of(theta=-0.06, spread=1.5, r=12.0)
    critical = ss.critical_coupling(one_group.ensemble(values))
    assert bool(ss.limit_cycle(one_group.ensemble(values | {"V": 0.999 * critical})).synchronized)
    assert "From a weak start the spins stay incoherent" in plain(one_group.words(values | {"V": 0.999 * critical}))
    assert "weak start" not in plain(one_group.words(values | {"V": 1.02 * critical}))


@pytest.mark.parametrize("changes", [{}, {"theta": 0.3, "r": 0.25}, {"spread": 0.4}, {"V": 0.9}])
def test_the_ring_is_where_a_run_ends(changes):
    values, until = of(**changes), np.linspace(0, 120, 3)
    run = ss.evolve(one_group.ensemble(values), until)
    stage = one_group.stage(values)
    assert stage["order"] == pytest.approx(float(run.order_parameter[-1]), abs=1e-4)
    for ring in stage["rings"]:
        assert ring == {"group": 0, "radius": stage["order"], "height": pytest.approx(float(run.inversion[-1, 0]), abs=1e-4)}
    assert len(stage["rings"]) == (stage["order"] > 0)


# ---- the map


@pytest.mark.parametrize(
    "changes", [{}, {"theta": 0.3, "dephasing": 0.2}, {"theta": -0.85, "dephasing": 0.05}, {"theta": -1.0}]
)
def test_the_map_is_that_of_the_simulation(changes):
    values = of(**changes)
    couplings, ratios = np.linspace(0.1, 5, 9), np.geomspace(1 / 12, 12, 8)
    order = one_group.map_orders(values, couplings, ratios)
    for row, ratio in zip(order, ratios, strict=True):
        model = one_group.ensemble(values | {"r": float(ratio)})
        np.testing.assert_allclose(row, ss.phase_diagram(model, {"coupling": couplings}).order_parameter, atol=1e-5)
    assert (order.max() > 0.1) == (values["theta"] != -1.0)


@pytest.mark.parametrize(("theta", "spread"), [(-0.38, 0.3), (0.25, 0.7), (-0.1, 1.0), (-0.5, 1.5)])
def test_with_disorder_the_map_is_the_closed_form_at_each_point(theta, spread):
    values = of(theta=theta, spread=spread, dephasing=0.1)
    couplings, ratios = np.linspace(0.23, 5, 7), np.geomspace(1 / 12, 12, 6)
    order = one_group.map_orders(values, couplings, ratios)
    for i, ratio in enumerate(ratios.tolist()):
        for k, coupling in enumerate(couplings.tolist()):
            cycle = ss.limit_cycle(one_group.ensemble(values | {"V": coupling, "r": ratio}))
            assert order[i, k] == pytest.approx(float(cycle.order_parameter), abs=5e-3)
    assert order.max() > 0.1


def test_turning_the_sign_of_theta_mirrors_the_map():
    values = of(theta=-0.3, dephasing=0.1)
    np.testing.assert_allclose(one_group.diagram(values), one_group.diagram(values | {"theta": 0.3})[::-1], atol=1e-12)


def test_the_map_uses_its_colours():
    """The brightest point comes near the end of the scale, and none is beyond."""
    brightest = one_group.diagram(of()).max()
    assert 0.9 < brightest / 0.6 <= 1


@pytest.mark.parametrize("dephasing", [0.0, 0.3])
def test_the_line_is_the_threshold(dephasing):
    values = of(theta=-0.5, dephasing=dephasing)
    couplings, ratios = one_group.boundary(values)
    seen = np.isfinite(couplings)
    r = ratios[seen]
    np.testing.assert_allclose(couplings[seen], (1 + r) * (1 + 2 * dephasing) / (2 * (r - 1)), rtol=1e-12)  # below (4.5)
    assert np.all(np.isnan(couplings[ratios <= 1]))
    assert couplings[seen].min() < 1 + 2 * dephasing
    assert couplings[seen].max() > V.high


def test_the_line_leaves_the_picture_at_its_edges_only():
    couplings, ratios = one_group.boundary(of())
    seen = np.isfinite(couplings)
    assert ratios[seen].max() == RATIO.high
    first = np.flatnonzero(seen)[0]
    assert couplings[first] > V.high
    assert np.all(seen[first:])


# ---- presets, run and code


@pytest.mark.parametrize("name", list(page("one")["presets"]))
def test_presets_of_one_ensemble_keep_their_word(name):
    values = preset("one", name)
    model = one_group.ensemble(values)
    cycle, critical = ss.limit_cycle(model), ss.critical_coupling(model)
    frequency = abs(float(cycle.frequency))
    claims = {
        "Weak pulling": 0.03 < frequency < 0.1,
        "Strong pulling": frequency > 0.8,
        "The article’s case": frequency < 1e-12 and bool(cycle.synchronized),
        "Just above": 1 < values["V"] / critical < 1.2,
        "Just below": 0.9 < values["V"] / critical < 1 and not bool(cycle.synchronized),
        "Damping instead of gain": bool(cycle.synchronized) and model.groups[0].damping > model.groups[0].gain,
        "Equal spins": bool(cycle.synchronized) and model.groups[0].distribution is None,
        "Very unequal": bool(cycle.synchronized) and model.groups[0].distribution == ss.Gaussian(0.6),
    }
    assert claims[name]


def test_damping_instead_of_gain_is_the_mirror_of_the_start():
    views = preset("one", "Damping instead of gain"), starts(ONE)
    mirrored, start = (ss.limit_cycle(one_group.ensemble(values)) for values in views)
    np.testing.assert_allclose(mirrored.order_parameter, start.order_parameter, rtol=1e-12)
    np.testing.assert_allclose([mirrored.frequency, mirrored.inversion], [-start.frequency, -start.inversion], rtol=1e-12)


@pytest.mark.parametrize("theta", [-0.05, -0.5, -0.95])
def test_fast_motion_is_not_seen_as_slow(theta):
    """The phase turns by less than a quarter between two times, and at the rate of the closed form."""
    values = of(theta=theta, V=5.0, r=12.0)
    run, cycle = one_group.run(values), ss.limit_cycle(one_group.ensemble(values))
    s = run.coherence.values[-len(run.time) // 10 :, 0]
    turned = -np.angle(s[1:] * s[:-1].conj())
    assert abs(turned).max() < np.pi / 2
    if bool(cycle.synchronized):
        assert turned.mean() / float(run.time[1] - run.time[0]) == pytest.approx(float(cycle.frequency), abs=1e-3)


@pytest.mark.parametrize("name", ["Weak pulling", "Equal spins", "Damping instead of gain"])
def test_a_run_settles(name):
    values = preset("one", name)
    run, cycle = one_group.run(values), ss.limit_cycle(one_group.ensemble(values))
    assert float(run.order_parameter[-1]) == pytest.approx(float(cycle.order_parameter), abs=2e-3)


@pytest.mark.parametrize("changes", [{}, {"V": 2.3, "theta": -0.37, "dephasing": 0.4, "r": 2.7}, {"spread": 0.8}, {"V": 0.4}])
def test_code_of_one_ensemble_makes_the_view_again(changes, executed):
    values = of(**changes)
    names, said = executed(one_group.code(values), "spinsync-one-ensemble.png")
    xr.testing.assert_identical(names["run"], one_group.run(values))
    assert f"closed form {float(ss.limit_cycle(one_group.ensemble(values)).order_parameter):.6f}" in said
