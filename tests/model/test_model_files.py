"""A saved ensemble is loaded bit for bit: every constructor, every distribution and any complex matrix."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import spinsync as ss
from spinsync.model import model_files
from spinsync.model.ensembles import from_toml_text
from systems import MADE, laser

DISTRIBUTIONS = [ss.Lorentzian(0.1), ss.Gaussian(1 / 3, 2.5), ss.Uniform(7.0, -1e-7), ss.Samples([0.1, -2 / 3, 1e5])]


def assert_round_trip(ensemble, folder):
    path = folder / "model.toml"
    ensemble.to_toml(path)
    back = ss.Ensemble.from_toml(path)
    assert back == ensemble
    assert hash(back) == hash(ensemble)
    assert back.recipe.constructor == ensemble.recipe.constructor
    assert list(back.recipe.names()) == list(ensemble.recipe.names())
    return back


@pytest.mark.parametrize("constructor", MADE)
def test_ensembles_of_every_constructor_are_restored(constructor, tmp_path):
    ensemble = MADE[constructor]
    assert_round_trip(ensemble, tmp_path)
    assert_round_trip(ensemble.split(3), tmp_path)
    changed = ensemble.replace(**{"A.gain": 0.1 + 0.2, "A.A.coupling": 1 / 3, "A.A.theta": -2.0})
    assert changed != ensemble
    back = assert_round_trip(changed, tmp_path)
    assert back.replace(**{"A.gain": 1.0}) == changed.replace(**{"A.gain": 1.0})  # the recipe is restored, too


def test_cross_coupling_equals_the_inner_one_after_loading(tmp_path):
    back = assert_round_trip(MADE["followed"], tmp_path)
    assert back.replace(coupling=3.0) == MADE["followed"].replace(coupling=3.0)
    assert np.ptp(back.replace(coupling=3.0).coupling_matrix) == 0


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)
def test_every_distribution_is_restored(distribution, tmp_path):
    assert_round_trip(laser(frequency=distribution), tmp_path)
    assert_round_trip(laser().replace(**{"A.frequency": distribution}), tmp_path)
    groups = [ss.Group(3, 1, frequency=distribution, name="wide"), ss.Group(1, 2, weight=0.3)]
    back = assert_round_trip(ss.Ensemble(groups, [[-6j, 1], [0, 2j]]), tmp_path)
    assert back.groups[0].frequency == distribution


def test_lamb_shift_of_a_split_cavity_is_restored(tmp_path):
    split = MADE["cavity"].split(2)
    assert split.lamb_shift
    assert assert_round_trip(split, tmp_path).lamb_shift


def test_an_existing_file_is_replaced(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text("old")
    laser().to_toml(path)
    assert ss.Ensemble.from_toml(str(path)) == laser()
    assert [p.name for p in tmp_path.iterdir()] == ["model.toml"]  # no temporary file remains


def test_a_file_written_by_hand_is_read():
    text = """
    [pair]
    detuning = 2
    gain = [3, 2.5]
    damping = 1
    coupling = 16
    theta = -1.5
    cross_theta = [0.25, -0.25]
    [changes]
    "A.frequency" = {lorentzian = {half_width = 0.5}}
    """
    expected = ss.Ensemble.pair(
        detuning=2, gain=(3, 2.5), damping=1, coupling=16, theta=-1.5, cross_theta=(0.25, -0.25)
    ).replace(**{"A.frequency": ss.Lorentzian(0.5)})
    assert from_toml_text(text) == expected


number = st.floats(allow_nan=False, allow_infinity=False)
rate = st.floats(0, 1e300)
frequency = st.one_of(
    number,
    st.builds(ss.Lorentzian, st.floats(1e-300, 1e300), number),
    st.builds(ss.Gaussian, st.floats(1e-300, 1e300), number),
    st.builds(ss.Uniform, st.floats(1e-300, 1e300), number),
    st.builds(ss.Samples, st.lists(number, min_size=1, max_size=5)),
)


@st.composite
def ensembles(draw):
    size = draw(st.integers(1, 4))
    group = st.builds(ss.Group, rate, rate, dephasing=rate, frequency=frequency, weight=st.floats(1e-3, 1e3), name=st.none())
    entries = draw(st.lists(st.tuples(number, number), min_size=size**2, max_size=size**2))
    matrix = np.array([complex(*entry) for entry in entries]).reshape(size, size)
    return ss.Ensemble([draw(group) for _ in range(size)], matrix)


@example(ss.Ensemble([ss.Group(1, 1)], [[complex(-0.0, 2)]]))
@example(ss.Ensemble([ss.Group(1, 1)], [[complex(-3, -0.0)]]))
@given(ensembles())
def test_any_ensemble_is_restored_bit_for_bit(ensemble):
    back = from_toml_text(model_files.text(ensemble.recipe, ensemble.lamb_shift))
    assert back == ensemble
    assert back.coupling_matrix.tobytes() == ensemble.coupling_matrix.tobytes()  # also the signs of zeros


@given(st.text(min_size=1).filter(lambda t: "." not in t and t == t.strip()))
def test_any_group_name_is_restored(name):
    ensemble = ss.Ensemble([ss.Group(1, 1, name=name)], [[1j]])
    assert from_toml_text(model_files.text(ensemble.recipe)).names == (name,)
