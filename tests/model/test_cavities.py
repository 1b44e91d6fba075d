"""A cavity that does not follow its spins is a warning: once, where a user makes it, and never where a result is read."""

import math
import warnings

import numpy as np
import pytest

import spinsync as ss
from spinsync.interfaces.command import run

HZ = 2 * math.pi
FIELD = HZ * 150e3  # full width of the cavity
BAD = dict(spins=1000, vacuum_coupling=0.1, cavity_decay=100.0, gain=3.0, damping=1.0)  # a tenth of cavity_decay/2 is 5


def coupling(line, cooperativity):
    """g from 4 g^2/kappa_c = C gamma."""
    return math.sqrt(cooperativity * line * FIELD) / 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(detuning=9.9), None), (dict(detuning=10.1), "the spread of the natural frequencies = 5.05"),
        (dict(detuning=-10.1), "the spread of the natural frequencies = 5.05"),
        (dict(frequency=ss.Lorentzian(2.8)), None), (dict(frequency=ss.Lorentzian(2.9)), "frequencies = 5.02"),
        (dict(frequency=ss.Samples(np.linspace(-8, 8, 1001))), "frequencies = 5.33"),
        (dict(frequency=ss.Gaussian(1.0), detuning=9.0), "frequencies = 5.46"),
    ],
)  # fmt: skip
def test_atoms_spread_as_wide_as_the_cavity_are_told(given, said):
    """Each of them sees another detuning of the cavity; a quantile of 5/6 lies at sqrt(3) half widths of a Lorentzian."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ss.Ensemble.cavity(**BAD, **given)
    assert [said in str(one.message) for one in caught] == ([] if said is None else [True])


@pytest.mark.parametrize("gain", [1e-2, 1.0, 1e3])
def test_nothing_warns_for_a_clock_line(gain):
    line = HZ * 1e-3
    g = coupling(line, 0.41)
    assert g == pytest.approx(HZ * 3.9, rel=0.01)
    laser = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=g, cavity_decay=FIELD, gain=gain, damping=line)
    assert 2 * abs(laser.coupling_matrix[0, 0]) == pytest.approx(2576, rel=1e-3)  # N Gamma_c


def test_the_warning_has_the_numbers_and_the_line_of_the_user():
    line = HZ * 7500.0
    with pytest.warns(ss.CavityWarning) as caught:
        ss.Ensemble.cavity(spins=1000, vacuum_coupling=coupling(line, 0.4), cavity_decay=FIELD, gain=100 * line, damping=line)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert str(caught[0].message) == (
        "The cavity does not follow the spins, as its results assume: the relaxation rate of the coherence, Gamma_perp = "
        "2.37976e+06 and the collective coupling, vacuum_coupling * sqrt(spins) = 2.10744e+06, must be small against "
        "cavity_decay/2 = 471239 (at most a tenth of it); `limit_cycle` has the values with the cavity kept."
    )
    assert issubclass(ss.CavityWarning, UserWarning)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (dict(gain=8.9), None), (dict(gain=9.1), "Gamma_perp = 5.05"), (dict(dephasing=2.9), None),
        (dict(dephasing=3.1), "Gamma_perp = 5.1"), (dict(spins=2400), None),
        (dict(spins=2600), "vacuum_coupling * sqrt(spins) = 5.09902"), (dict(vacuum_coupling=0.16), "sqrt(spins) = 5.05964"),
        (dict(cavity_decay=64.0), None), (dict(cavity_decay=63.0), "cavity_decay/2 = 31.5"), (dict(cavity_detuning=1e9), None),
    ],
)  # fmt: skip
def test_the_limit_is_a_tenth_of_the_decay_rate_of_the_field(changed, named):
    within = ss.Ensemble.cavity(**BAD)
    for make in (lambda: ss.Ensemble.cavity(**{**BAD, **changed}), lambda: within.replace(**changed)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make()
        assert [named in str(one.message) for one in caught] == ([] if named is None else [True])
        assert all(one.filename == __file__ for one in caught)


def test_who_was_warned_is_not_warned_again(tmp_path):
    with pytest.warns(ss.CavityWarning):
        beyond = ss.Ensemble.cavity(**BAD | {"gain": 20.0})
    again = beyond.replace(gain=30.0, cavity_detuning=3.0)
    diagram = ss.phase_diagram(again, {"gain": np.linspace(1.0, 50.0, 4)})
    for result in (ss.limit_cycle(again), diagram):
        assert ss.model_of(result) == again
        assert ss.rerun(result).identical(result)
    ss.plot.cut(diagram)
    again.to_toml(tmp_path / "beyond.toml")
    with pytest.warns(ss.CavityWarning) as caught:
        assert ss.Ensemble.from_toml(tmp_path / "beyond.toml") == again
    assert [one.filename for one in caught] == [__file__]
    again.replace(**{"A.A.coupling": 3.0}).replace(gain=50.0)  # no cavity any more


def test_a_sweep_out_of_the_limit_warns_once():
    within = ss.Ensemble.cavity(**BAD)
    axes = {"gain": np.linspace(1.0, 30.0, 40), "cavity_decay": np.linspace(60.0, 200.0, 30)}
    with pytest.warns(ss.CavityWarning, match=r"Gamma_perp = 15\.5 .*cavity_decay/2 = 30 ") as caught:
        diagram = ss.phase_diagram(within, axes)
    assert [one.filename for one in caught] == [__file__]
    ss.model_of(diagram)
    ss.phase_diagram(within, {"gain": [1.0, 8.0], "cavity_detuning": [0.0, 1e4]})
    with pytest.warns(ss.CavityWarning, match="Gamma_perp") as caught:
        ss.phase_diagram(within, {"A.gain": [1.0, 30.0]})
    assert len(caught) == 1


@pytest.mark.filterwarnings("default")
def test_the_command_line_says_it_in_one_line(tmp_path, capsys):
    model = tmp_path / "beyond.toml"
    rows = "\n".join(f"{name} = {value}" for name, value in (BAD | {"gain": 20.0}).items())
    model.write_text(f"[cavity]\n{rows}\n")
    assert run(["steady-state", str(model)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Warning: The cavity does not follow the spins, ")


CLOUDS = dict(BAD, cavity_detuning=7.0, detuning=2.0, weights=(3, 1), frequency=0.4, dephasing=0.1)


def two_groups(p):
    """The same two clouds by hand."""
    c = -1j * p["spins"] * p["vacuum_coupling"] ** 2 / (p["cavity_decay"] / 2 + 1j * p["cavity_detuning"])
    groups = [
        ss.Group(
            p["gain"], p["damping"], dephasing=p["dephasing"], frequency=p["frequency"] + side * p["detuning"] / 2, weight=w
        )
        for side, w in zip((1, -1), p["weights"], strict=True)
    ]
    return ss.Ensemble(groups, np.full((2, 2), c))


def check_same(ensemble, other):
    for name in ("gain", "damping", "gamma_perp", "omega", "weight", "coupling"):
        np.testing.assert_allclose(getattr(ensemble.rates, name), getattr(other.rates, name), rtol=1e-14, err_msg=name)


def test_two_clouds_are_two_groups_with_equal_couplings(tmp_path):
    clouds = ss.Ensemble.cavity(**CLOUDS)
    check_same(clouds, two_groups(CLOUDS))
    assert clouds.names == ("A", "B")
    assert clouds.lamb_shift
    changes = dict(
        spins=900,
        vacuum_coupling=0.12,
        cavity_decay=150.0,
        cavity_detuning=-3.0,
        detuning=1.0,
        weights=(1.0, 1.0),
        frequency=1.0,
    )
    for name, value in changes.items():
        changed = clouds.replace(**{name: value})
        check_same(changed, two_groups(CLOUDS | {name: value}))
        changed.to_toml(tmp_path / "clouds.toml")
        assert ss.Ensemble.from_toml(tmp_path / "clouds.toml") == changed
        if name != "weights":
            rates = clouds.recipe.rates(**{name: np.array([CLOUDS[name], value])})
            np.testing.assert_allclose(rates.at((1,)).coupling, changed.rates.coupling, rtol=1e-14)
            np.testing.assert_allclose(rates.at((1,)).omega, changed.rates.omega, rtol=1e-14)
    assert eval(repr(clouds), {"Ensemble": ss.Ensemble}) == clouds
    assert ss.Ensemble.cavity(**BAD, detuning=1.0) == ss.Ensemble.cavity(**BAD, detuning=1.0, weights=(2, 2))


def test_a_diagram_of_two_clouds_varies_the_cavity():
    clouds = ss.Ensemble.cavity(**BAD | {"spins": 10**6, "vacuum_coupling": 0.02, "cavity_decay": 1e3}, detuning=2.0)
    diagram = ss.phase_diagram(clouds, {"vacuum_coupling": [0.02, 0.05], "cavity_detuning": [0.0, 500.0], "detuning": [1.0]})
    for point in (dict(vacuum_coupling=0.05, cavity_detuning=500.0), dict(vacuum_coupling=0.02, cavity_detuning=0.0)):
        alone = ss.regime(clouds.replace(**point, detuning=1.0))
        np.testing.assert_allclose(diagram.sel(**point, detuning=1.0).amplitude, alone.amplitude, atol=1e-5)
    assert ss.rerun(diagram).identical(diagram)
    assert ss.model_of(diagram) == clouds


def test_distributions_of_two_clouds_are_centred_at_their_frequencies():
    clouds = ss.Ensemble.cavity(**CLOUDS | {"frequency": ss.Lorentzian(0.1, 0.4)})
    assert [group.frequency for group in clouds.groups] == [ss.Lorentzian(0.1, 1.4), ss.Lorentzian(0.1, -0.6)]
    moved = clouds.replace(detuning=4.0)
    assert [group.frequency for group in moved.groups] == [ss.Lorentzian(0.1, 2.4), ss.Lorentzian(0.1, -1.6)]
    assert not moved.recipe.changes
    one = ss.Ensemble.cavity(**CLOUDS).replace(**{"A.frequency": ss.Gaussian(0.3)}).replace(detuning=4.0)
    assert [group.frequency for group in one.groups] == [ss.Gaussian(0.3, 2.4), -1.6]


def test_a_later_parameter_of_the_cavity_replaces_all_couplings():
    changed = ss.Ensemble.cavity(**CLOUDS).replace(**{"A.B.coupling": 3.0})
    assert changed.coupling_matrix[0, 1] != changed.coupling_matrix[0, 0]
    check_same(changed.replace(spins=900), two_groups(CLOUDS | {"spins": 900}))


def test_equal_clouds_start_as_one():
    one = ss.Ensemble.cavity(**BAD)
    clouds = ss.Ensemble.cavity(**BAD, detuning=0.0, weights=(2, 3))
    assert ss.critical_spins(clouds) == pytest.approx(ss.critical_spins(one), rel=1e-9)
    strong = (
        one.replace(spins=10**6, vacuum_coupling=0.02, cavity_decay=1e3),
        clouds.replace(spins=10**6, vacuum_coupling=0.02, cavity_decay=1e3),
    )
    np.testing.assert_allclose(*map(ss.critical_gain, strong), rtol=1e-9)


def test_weights_need_a_detuning_and_one_group_has_neither():
    with pytest.raises(ss.InputError, match="Argument `weights` must be given with `detuning`, which makes two clouds, but is"):
        ss.Ensemble.cavity(**BAD, weights=(1, 2))
    for name in ("detuning", "weights"):
        with pytest.raises(ss.InputError, match="Argument `parameter` must be one of spins, vacuum_coupling, "):
            ss.Ensemble.cavity(**BAD).replace(**{name: 1.0})
    with pytest.raises(ss.InputError, match="Argument `detuning` must be a real number, but is detuning=None"):
        ss.Ensemble.cavity(**CLOUDS).replace(detuning=None)
