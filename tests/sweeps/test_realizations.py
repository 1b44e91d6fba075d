"""Realizations of frequency disorder: independent answers for single ones, their averages, and what they depend on."""

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from reference import locked_order_parameter
from spinsync.model.samples import disorder_seed
from spinsync.sweeps.realizations import DROPPED, averaged
from systems import HALF_PI, laser

WIDE = laser(frequency=ss.Gaussian(0.8, center=0.3))
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI, weights=(2, 1)).replace(
    **{"A.frequency": ss.Uniform(0.3, center=1.0), "B.frequency": ss.Lorentzian(0.1, center=-1.0)}
)
COUPLINGS = [2.0, 9.0, 16.0]


def samples_of(distribution, spins, realizations, seed, group=0):
    """The realizations of a diagram, drawn by hand."""
    return [distribution.sample(spins, disorder_seed(seed, k, group)) for k in range(realizations)]


def test_the_mean_and_its_error_are_those_of_locked_states_of_single_realizations():
    """Every realization of the diagram has the order parameter of its fixed point, computed from its frequencies alone."""
    found = ss.phase_diagram(WIDE, {"coupling": [9.0, 16.0]}, realizations=4, spins=30, seed=3)
    lists = [one.values for one in samples_of(WIDE.groups[0].frequency, 30, 4, 3)]
    for i, coupling in enumerate((9.0, 16.0)):
        each = [locked_order_parameter(laser(coupling=coupling), values) for values in lists]
        assert np.ptp(each) > 1e-3
        assert float(found.order_parameter[i]) == pytest.approx(np.mean(each), abs=1e-6)
        assert float(found.order_parameter_error[i]) == pytest.approx(np.std(each, ddof=1) / 2, abs=1e-6)


def test_realizations_are_an_axis_of_samples_averaged():
    """Bit for bit, with codes of regimes counted and the realizations without a frequency (incoherent) left out."""
    axis = {"frequency": samples_of(WIDE.groups[0].frequency, 12, 6, 5)}
    near = [4.0, 4.5, 5.2]  # around the threshold of the single realizations
    single = ss.phase_diagram(WIDE, axis | {"coupling": near}, seed=5)
    found = ss.phase_diagram(WIDE, {"coupling": near}, realizations=6, spins=12, seed=5)
    dim = "A.frequency"
    for name in set(single.data_vars) - {"regime", "phase_difference", *DROPPED}:
        count = single[name].count(dim)
        np.testing.assert_array_equal(found[f"{name}_count"], count, err_msg=name)
        np.testing.assert_allclose(found[name], single[name].mean(dim), rtol=1e-14, atol=1e-16, err_msg=name)
        expected = single[name].std(dim, ddof=1) / np.sqrt(count)
        np.testing.assert_allclose(found[f"{name}_error"], expected.where(count > 1), rtol=1e-9, atol=1e-16, err_msg=name)
    assert 0 < int(found.frequency_count[1, 0]) < 6
    shares = xr.concat([(single.regime == code).mean(dim) for code in ss.Regime], "regime")
    np.testing.assert_array_equal(found.regime_fraction, shares.transpose("coupling", "regime"))
    np.testing.assert_allclose(found.regime_fraction.sum("regime"), 1.0)
    incoherent = 6 * float(found.regime_fraction.sel(regime=ss.Regime.INCOHERENT, coupling=4.5))
    assert round(incoherent) == 6 - int(found.frequency_count[1, 0])


def test_several_groups_have_independent_spins_by_weight():
    """Two thirds of the spins are drawn for group A; a detuning moves both samples, as `replace` moves the distributions."""
    axes = {"detuning": [1.0, 2.0], "coupling": [10.0, 16.0]}
    found = ss.phase_diagram(PAIR, axes, realizations=3, spins=12, seed=7)
    a, b = (group.frequency for group in PAIR.groups)
    drawn = {"A": samples_of(a, 8, 3, 7), "B": samples_of(b, 4, 3, 7, group=1)}
    for i, detuning in enumerate(axes["detuning"]):
        for j, coupling in enumerate(axes["coupling"]):
            each = []
            for k in range(3):
                model = PAIR.replace(**{f"{name}.frequency": drawn[name][k] for name in "AB"})
                model = model.replace(detuning=detuning, coupling=coupling)
                assert model.groups[0].frequency.values.size == 8
                each.append(ss.regime(model, initial=start_of(PAIR, 7)))
            frequency = [one.frequency for one in each]
            np.testing.assert_allclose(found.frequency[i, j], np.mean(frequency, axis=0), atol=1e-6)
            difference = [float(one.phase_difference[0, 1]) for one in each]
            assert float(found.phase_difference[i, j, 0, 1]) == pytest.approx(np.mean(difference), abs=1e-4)  # small spread
            error = np.std(difference, ddof=1) / np.sqrt(3)
            assert float(found.phase_difference_error[i, j, 0, 1]) == pytest.approx(error, rel=0.05)


def start_of(ensemble, seed):
    """The Bloch vectors from which every point of a diagram starts."""
    return ss.bloch(ss.evolve(ensemble, [0.0, 1e-9], seed=seed).isel(time=0)).values


def test_a_realization_depends_on_seed_and_number_only():
    """Neither on the number of realizations, nor on points, their order, axes and threads."""
    options = dict(spins=10, seed=11)
    three = ss.phase_diagram(WIDE, {"coupling": COUPLINGS}, realizations=3, **options)
    four = ss.phase_diagram(WIDE, {"coupling": COUPLINGS}, realizations=4, **options)
    last = ss.regime(WIDE.replace(frequency=samples_of(WIDE.groups[0].frequency, 10, 4, 11)[3], coupling=16.0), seed=11)
    difference = 4 * four.order_parameter[2] - 3 * three.order_parameter[2]
    assert float(difference) == pytest.approx(float(last.order_parameter), rel=1e-13)
    assert ss.phase_diagram(WIDE, {"coupling": COUPLINGS}, realizations=3, threads=1, **options).identical(three)
    backwards = ss.phase_diagram(WIDE, {"coupling": COUPLINGS[::-1]}, realizations=3, **options)
    assert backwards.sortby("coupling").drop_attrs().identical(three.drop_attrs())
    plane = {"coupling": COUPLINGS[1:], "theta": [-HALF_PI, -1.2]}
    rows = ss.phase_diagram(WIDE, plane, realizations=3, **options)
    turned = ss.phase_diagram(WIDE, dict(reversed(plane.items())), realizations=3, **options)
    for name in rows.data_vars:
        np.testing.assert_array_equal(turned[name].transpose(*rows[name].dims), rows[name], err_msg=name)
        np.testing.assert_array_equal(rows[name].sel(theta=-HALF_PI), three[name].isel(coupling=slice(1, None)), err_msg=name)
    other = ss.phase_diagram(WIDE, {"coupling": COUPLINGS}, realizations=3, spins=10, seed=12)
    assert abs(other.order_parameter[1] - three.order_parameter[1]) > 1e-4


def test_seeds_of_realizations_differ():
    seeds = {disorder_seed(*one) for one in np.ndindex(4, 30, 3)}
    assert len(seeds) == 4 * 30 * 3
    assert all(0 <= seed < 2**128 for seed in seeds)
    draws = np.array([ss.Uniform(1.0).sample(50, disorder_seed(0, k, 0)).values for k in range(40)])
    correlations = np.corrcoef(draws)[np.triu_indices(40, 1)]
    assert abs(correlations.mean()) < 5 / np.sqrt(50 * correlations.size)  # independent: 0 +- 1/sqrt(50) each
    assert correlations.std() == pytest.approx(1 / np.sqrt(50), rel=0.15)


def test_the_mean_tends_to_the_closed_form_as_one_over_spins_and_the_error_as_one_over_the_root():
    """The order parameter fluctuates by 1/sqrt(spins), its mean is off by 1/spins, the error falls with the root."""
    exact = float(ss.limit_cycle(WIDE).order_parameter)
    spreads = []
    for spins in (25, 100):
        found = ss.phase_diagram(WIDE, {"coupling": [12.0]}, realizations=40, spins=spins, seed=1)
        error = float(found.order_parameter_error[0])
        assert abs(float(found.order_parameter[0]) - exact) < 3 * error + 0.25 / spins
        spreads.append(error * np.sqrt(40 * spins))
        if spins == 25:
            fewer = ss.phase_diagram(WIDE, {"coupling": [12.0]}, realizations=10, spins=spins, seed=1)
            assert float(fewer.order_parameter_error[0]) / error == pytest.approx(
                2.0, rel=0.5
            )  # sqrt(40/10), known to 1/sqrt(20)
    assert spreads[1] / spreads[0] == pytest.approx(1.0, rel=0.4)  # both are known to 1/sqrt(80): 0.11


def test_averages_of_angles_and_missing_values():
    angles = np.array([[3.1, 0.1], [-3.1, np.nan], [np.nan, np.nan]])
    numbers = np.array([[1.0, np.nan], [4.0, np.nan], [np.nan, np.nan]])
    found = averaged({"phase_difference": (("realization", "x"), angles), "period": (("realization", "x"), numbers)})
    assert abs(found["phase_difference"][1][0]) == pytest.approx(np.pi)
    small = 2 * (np.pi - 3.1) / np.sqrt(2) / np.sqrt(2)  # standard deviation of two angles, over sqrt(2)
    assert found["phase_difference_error"][1][0] == pytest.approx(small, rel=1e-2)
    assert found["phase_difference"][1][1] == pytest.approx(0.1)
    assert np.isnan(found["phase_difference_error"][1][1])  # of a single value
    np.testing.assert_array_equal(found["phase_difference_count"][1], [2, 1])
    np.testing.assert_array_equal(found["period"][1], [2.5, np.nan])
    np.testing.assert_allclose(found["period_error"][1], [1.5, np.nan])
    np.testing.assert_array_equal(found["period_count"][1], [2, 0])
    assert found["period"][0] == ("x",)


def test_results_record_how_they_were_drawn(tmp_path):
    start = [[0.2, 0.0, 0.1]]
    drawn = ss.phase_diagram(WIDE, {"coupling": [9.0, 16.0]}, realizations=2, spins=6, seed=9, initial=start)
    assert [drawn.attrs[name] for name in ("realizations", "spins", "seed")] == [2, 6, 9]
    assert ss.model_of(drawn) == WIDE
    assert ss.rerun(drawn).identical(drawn)
    assert ss.rerun(drawn.isel(coupling=[1])).order_parameter.identical(drawn.order_parameter.isel(coupling=[1]))
    for name in drawn.variables:
        assert drawn[name].attrs["long_name"], name
        assert drawn[name].attrs["units"], name
    drawn.to_zarr(tmp_path / "drawn.zarr", consolidated=False)
    read = xr.open_zarr(tmp_path / "drawn.zarr", consolidated=False).load()
    assert ss.rerun(read).identical(drawn)
    plain = ss.phase_diagram(WIDE, {"coupling": [9.0]})
    assert not {"realizations", "spins"} & plain.attrs.keys()


LINE = {"coupling": [2.0, 9.0]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ss.phase_diagram(WIDE, LINE, spins=9),
            "Argument `spins` must be None without `realizations`, but is spins=9.",
        ),
        (
            lambda: ss.phase_diagram(WIDE, LINE, realizations=3),
            "Argument `spins` must be the number of random frequencies where `realizations` are drawn, but is spins=None.",
        ),
        (
            lambda: ss.phase_diagram(WIDE, LINE, realizations=1, spins=9),
            "Argument `realizations` must be a whole number of at least 2, but is realizations=1.",
        ),
        (
            lambda: ss.phase_diagram(WIDE, LINE, realizations=3, spins=0),
            "Argument `spins` must be a whole number of at least 1, but is spins=0.",
        ),
        (
            lambda: ss.phase_diagram(PAIR, LINE, realizations=3, spins=10),
            "Argument `spins` must split over the groups in whole numbers, but is spins=10 (A: 6.66667, B: 3.33333).",
        ),
        (
            lambda: ss.phase_diagram(laser(), LINE, realizations=3, spins=9),
            "Argument `realizations` must be None where no frequency has a Lorentzian, Gaussian or Uniform distribution, but "
            "is realizations=3.",
        ),
        (
            lambda: ss.phase_diagram(WIDE, {"frequency": [0.0, 1.0]}, realizations=3, spins=9),
            "Argument `realizations` must be None where no frequency has a Lorentzian, Gaussian or Uniform distribution, but "
            "is realizations=3.",
        ),
        (
            lambda: ss.phase_diagram(laser(), {"frequency": [ss.Gaussian(1.0)]}, realizations=3, spins=9),
            "Argument `axes` must hold numbers where `realizations` are drawn, but `frequency` does not.",
        ),
        (
            lambda: ss.phase_diagram(PAIR, {"A.weight": [1.0, 2.0]}, realizations=3, spins=9),
            "Argument `axes` must keep the weights where `realizations` are drawn, but varies A.weight.",
        ),
        (
            lambda: ss.phase_diagram(laser(), LINE, theory=ss.Exact(4), realizations=3, spins=4),
            "Argument `realizations` must be None at finite N, where no frequency is distributed, but is realizations=3.",
        ),
        (
            lambda: ss.phase_diagram(WIDE, LINE, theory=ss.MeanField(nodes=40), realizations=3, spins=4),
            "Argument `nodes` must be None where no frequency has a smooth distribution, but is nodes=40.",
        ),
        (
            lambda: ss.phase_diagram(WIDE, LINE, initial=[[0, 0, 1]], seed=1),
            "Argument `seed` must be left at 0 where `initial` is given, as nothing else is random, but is seed=1.",
        ),
    ],
    ids=[
        "spins alone", "no spins", "one realization", "no spin", "split", "no distribution", "axis of numbers",
        "axis of distributions", "weights", "finite N", "nodes", "seed",
    ],
)  # fmt: skip
def test_options_without_a_meaning(call, message):
    with pytest.raises(ss.InputError) as error:
        call()
    assert str(error.value) == message


def test_other_spins_than_those_of_the_cavity_are_told():
    cavity = ss.Ensemble.cavity(
        spins=40, vacuum_coupling=0.5, cavity_decay=200.0, gain=3.0, damping=1.0, frequency=ss.Gaussian(0.5)
    )
    with pytest.warns(UserWarning, match="The cavity holds spins=40 and .* computes 4"):
        ss.phase_diagram(cavity, {"gain": [3.0]}, realizations=2, spins=4)
