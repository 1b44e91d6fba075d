"""Ensembles: recipes, parameters, equality, names, and the coupling through a cavity."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinsync as ss
from systems import HALF_PI, MADE, laser

RATES = ("omega", "gain", "damping", "dephasing", "weight", "coupling")
AXES = {
    "single": ("gain", "damping", "coupling", "theta", "frequency", "dephasing", "A.gain", "A.A.coupling", "A.A.theta"),
    "pair": ("detuning", "gain", "coupling", "theta", "cross_coupling", "cross_theta", "A.weight", "B.frequency", "A.B.theta"),
    "followed": ("detuning", "coupling", "theta", "cross_coupling", "B.A.coupling", "A.weight"),
    "cavity": ("spins", "vacuum_coupling", "cavity_decay", "cavity_detuning", "gain", "A.dephasing"),
    "distributed": ("gain", "coupling", "theta"),
    "groups": ("A.gain", "B.damping", "C.frequency", "A.weight", "A.C.coupling", "C.A.theta"),
}


@pytest.mark.filterwarnings("ignore::spinsync.CavityWarning")
@pytest.mark.parametrize(("constructor", "axis"), [(constructor, axis) for constructor, axes in AXES.items() for axis in axes])
def test_rates_over_an_array_are_those_of_replace_point_by_point(constructor, axis):
    ensemble, values = MADE[constructor], np.array([1.0, 2.0, 5.0])
    batch = ensemble.recipe.rates(**{axis: values})
    for i, value in enumerate(values):
        single = ensemble.replace(**{axis: int(value) if axis == "spins" else value}).rates
        for name in RATES:
            # bit for bit, except for a cavity: numpy computes the modulus of one number and of an array differently
            rtol = 4e-16 if constructor == "cavity" else 0
            np.testing.assert_allclose(getattr(batch.at((i,)), name), getattr(single, name), rtol=rtol, atol=0)


def test_two_axes_broadcast_against_each_other():
    gains, detunings = np.array([2.0, 3.0, 4.0])[:, None], np.array([0.0, 1.0])[None, :]
    batch = MADE["followed"].recipe.rates(gain=gains, detuning=detunings)
    assert batch.omega.shape == (3, 2, 2)
    assert batch.coupling.shape == (3, 2, 2, 2)
    np.testing.assert_array_equal(batch.net_gain[:, 1, 0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(batch.omega[2], [[0, 0], [0.5, -0.5]])


def test_relaxation_rates_and_net_gain_are_the_formulas_of_the_theory():
    group = ss.Group(3.0, 1.0, dephasing=0.25)
    assert (group.gamma_1, group.gamma_perp, group.z0) == (4.0, 2.25, 0.5)
    rates = ss.Ensemble([group, ss.Group(0, 2, weight=3)], np.zeros((2, 2))).rates
    np.testing.assert_array_equal(rates.gamma_perp, [2.25, 1.0])
    np.testing.assert_array_equal(rates.net_gain, [2.0, -2.0])
    np.testing.assert_array_equal(rates.weight, [0.25, 0.75])


def test_pair_sets_frequencies_rates_and_couplings():
    pair = ss.Ensemble.pair(
        detuning=3.0, gain=(3, 2), damping=(1, 0.5), coupling=16, theta=0.3, cross_coupling=2, cross_theta=(0.4, -0.7)
    )
    rates = pair.rates
    np.testing.assert_array_equal(rates.omega, [1.5, -1.5])
    np.testing.assert_array_equal(rates.gamma_1, [4.0, 2.5])
    expected = [[16 * np.exp(0.3j), 2 * np.exp(0.4j)], [2 * np.exp(-0.7j), 16 * np.exp(0.3j)]]
    np.testing.assert_allclose(pair.coupling_matrix, expected, rtol=1e-15)


def test_cross_coupling_equals_the_inner_one_unless_it_is_given():
    pair = MADE["followed"]
    swept = pair.recipe.rates(coupling=np.array([1.0, 5.0]), theta=np.array([0.2, -0.9])).coupling
    assert np.ptp(swept, axis=(-2, -1)).max() == 0
    fixed = pair.replace(cross_coupling=2.0, cross_theta=0.5).recipe.rates(coupling=np.array([1.0, 5.0])).coupling
    np.testing.assert_allclose(fixed[:, 0, 1], 2 * np.exp(0.5j), rtol=1e-15)
    assert pair.replace(cross_coupling=2.0).replace(cross_coupling=None) == pair


def test_replace_takes_parameters_of_the_constructor_and_dotted_names():
    one = laser()
    assert one.replace(coupling=5.0) == laser(coupling=5.0)
    assert one.replace(**{"A.gain": 5.0}) == one.replace(gain=5.0)
    assert one.replace(**{"A.A.theta": 0.3}) == one.replace(theta=0.3)
    assert one.replace(**{"A.gain": 5.0}).replace(gain=1.0) == one.replace(gain=1.0)  # the later call wins
    rates = one.replace(**{"A.gain": 5.0}).recipe.rates(gain=np.array([1.0, 2.0]))
    np.testing.assert_array_equal(rates.gamma_1[:, 0], [2.0, 3.0])
    two = MADE["pair"].replace(**{"A.B.theta": 0.7, "A.frequency": 5.0}).replace(theta=-1.0, detuning=3.0)
    assert np.angle(two.coupling_matrix[0, 1]) == pytest.approx(0.7)  # an angle set by its dotted name is kept
    assert two.groups[0].frequency == 1.5
    assert one.replace(frequency=ss.Lorentzian(0.5)).groups[0].frequency == ss.Lorentzian(0.5)
    three = MADE["groups"]
    changed = three.replace(**{"A.C.theta": 0.3, "B.gain": 1.5})
    kept = np.ones((3, 3), bool)
    kept[0, 2] = False
    assert np.array_equal(changed.coupling_matrix[kept], three.coupling_matrix[kept])  # bit for bit
    assert np.angle(changed.coupling_matrix[0, 2]) == pytest.approx(0.3)
    assert abs(changed.coupling_matrix[0, 2]) == pytest.approx(abs(three.coupling_matrix[0, 2]))
    assert changed.groups[1].gain == 1.5
    assert three.replace() == three


def test_an_angle_is_kept_at_zero_strength():
    uncoupled = laser(theta=0.7).replace(coupling=0.0)
    assert uncoupled.replace(coupling=2.0) == laser(theta=0.7, coupling=2.0)
    assert uncoupled.replace(**{"A.A.coupling": 2.0}) == laser(theta=0.7, coupling=2.0)


@pytest.mark.parametrize("constructor", MADE)
def test_repr_evaluates_to_an_equal_ensemble(constructor):
    ensemble = MADE[constructor]
    names = {name: getattr(ss, name) for name in ("Ensemble", "Group", "Lorentzian", "Gaussian", "Uniform", "Samples")}
    assert eval(repr(ensemble), names) == ensemble
    changed = ensemble.replace(**{"A.gain": 0.1 + 0.2})
    assert eval(repr(changed), names) == changed
    assert changed != ensemble


def test_equality_and_hash_depend_on_the_content():
    one, again = laser(), ss.Ensemble([ss.Group(3.0, 1.0)], [[12 * np.exp(-1j * HALF_PI)]])
    assert one == again
    assert hash(one) == hash(again)
    assert len({one, again, laser(gain=4.0)}) == 2
    assert one != laser(theta=1.0)
    assert one != laser(frequency=1e-300)
    assert one != "something else"
    assert ss.Samples([1.0, 2.0]) == ss.Samples(np.array([1, 2]))
    assert hash(ss.Samples([1.0, 2.0])) == hash(ss.Samples([1, 2]))
    assert ss.Samples([1.0, 2.0]) != ss.Samples([2.0, 1.0])
    assert ss.Lorentzian(1.0) != ss.Uniform(1.0)


def test_an_ensemble_cannot_be_changed():
    one = laser()
    with pytest.raises(AttributeError):
        one.lamb_shift = True
    with pytest.raises(ValueError, match="read-only"):
        one.coupling_matrix[0, 0] = 1
    with pytest.raises(TypeError):
        one.recipe.parameters["gain"] = 2.0


def test_an_ensemble_keeps_its_own_copy_of_the_matrix():
    matrix = np.array([[-6j]])
    one = ss.Ensemble([ss.Group(3, 1)], matrix)
    matrix[0, 0] = 5
    assert one.coupling_matrix[0, 0] == -6j


def test_default_names_continue_with_two_letters():
    ensemble = ss.Ensemble([ss.Group(1, 1) for _ in range(29)], np.zeros((29, 29)))
    assert ensemble.names[:3] == ("A", "B", "C")
    assert ensemble.names[25:] == ("Z", "AA", "AB", "AC")
    assert ss.Ensemble([ss.Group(1, 1, name="left"), ss.Group(1, 1)], np.zeros((2, 2))).names == ("left", "B")


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=6))
def test_weights_add_up_to_one_in_proportion(weights):
    ensemble = ss.Ensemble([ss.Group(1, 1, weight=w) for w in weights], np.zeros((len(weights),) * 2))
    normalized = ensemble.rates.weight
    assert normalized.sum() == pytest.approx(1, abs=1e-15 * len(weights))
    np.testing.assert_allclose(normalized * sum(weights), weights, rtol=1e-14)
    assert ss.Ensemble(ensemble.groups, ensemble.coupling_matrix) == ensemble  # normalizing twice changes nothing


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_split_keeps_total_weights_and_couplings(parts):
    ensemble = MADE["groups"]
    split = ensemble.split(parts)
    assert split.names[:parts] == tuple(f"A_{k + 1}" for k in range(parts))
    np.testing.assert_allclose(split.rates.weight, np.repeat(ensemble.rates.weight / parts, parts), rtol=4e-16)
    assert np.array_equal(split.coupling_matrix[::parts, ::parts], ensemble.coupling_matrix)
    assert np.array_equal(split.rates.gamma_perp, np.repeat(ensemble.rates.gamma_perp, parts))


def test_coupling_through_a_cavity_is_formula_7_1():
    spins, g, decay = 400_000, 600.0, 8e6
    for detuning in (-30e6, -1e6, 0.0, 2.5e6, 100e6):
        ensemble = ss.Ensemble.cavity(
            spins=spins, vacuum_coupling=g, cavity_decay=decay, cavity_detuning=detuning, gain=3, damping=1, frequency=5.0
        )
        c = ensemble.coupling_matrix[0, 0]
        assert abs(c) == pytest.approx(spins * g**2 / np.sqrt(decay**2 / 4 + detuning**2), rel=1e-14)
        assert np.angle(c) == pytest.approx(-HALF_PI - np.arctan(2 * detuning / decay), rel=1e-14)
        assert -np.pi < np.angle(c) < 0
        # cavity pulling: Omega = omega + 2 Gamma_perp (omega_c - omega)/kappa_c, Gamma_perp = 2
        assert float(ss.limit_cycle(ensemble).frequency) == pytest.approx(5.0 + 2 * 2 * detuning / decay, rel=1e-12)


def test_signed_zeros_are_equal_and_have_the_same_hash():
    ours = [ss.Ensemble([ss.Group(1, 1)], [[zero]]) for zero in (0.0, -0.0)]
    assert ours[0] == ours[1]
    assert len(set(ours)) == 1
    assert len({ss.Samples([0.0]), ss.Samples([-0.0])}) == 1


def test_default_names_differ_from_given_names():
    groups = [ss.Group(1, 1), ss.Group(1, 1, name="A"), ss.Group(1, 1)]
    assert ss.Ensemble(groups, np.zeros((3, 3))).names == ("B", "A", "C")


def test_ensembles_can_be_pickled():
    for ensemble in MADE.values():
        assert pickle.loads(pickle.dumps(ensemble)) == ensemble
        assert repr(pickle.loads(pickle.dumps(ensemble))) == repr(ensemble)
