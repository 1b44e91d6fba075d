"""Results: names and units, storage, `model_of` and `rerun`."""

from inspect import signature

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from reference import random_bloch, random_system
from spinsync.results.datasets import dataset
from spinsync.results.registry import question
from systems import HALF_PI, laser

ONE = laser()
PAIR = ss.Ensemble.pair(detuning=0.01, gain=3, damping=1, coupling=24, theta=-HALF_PI, cross_coupling=0.1)
FULL = ss.Ensemble.pair(detuning=1.0, gain=3, damping=1, coupling=16, theta=-HALF_PI)
CAVITY = ss.Ensemble.cavity(spins=900, vacuum_coupling=0.1, cavity_decay=100.0, gain=3, damping=1)
MANY = CAVITY.replace(spins=10**6, vacuum_coupling=0.005, gain=0.3, damping=0.1)
THREE = random_system(1, 3).ensemble()
LORENTZIAN, GAUSSIAN = laser(frequency=ss.Lorentzian(0.5)), laser(frequency=ss.Gaussian(0.5))
TWO_SAMPLES = laser(frequency=ss.Samples([0.1, 1 / 3]))
SPINS = random_bloch(np.random.default_rng(0), 4)
TIMES = [0.0, 0.5, 2.0]
#: a call, and the model that its result must record
RESULTS = {
    "evolve": (lambda: ss.evolve(THREE, TIMES, seed=4), THREE),
    "start given": (
        lambda: ss.evolve(FULL, TIMES, initial=[[0.1, 0.2, 0.3], [0, 0, 1]], theory=ss.MeanField(rtol=1e-5)), FULL
    ),
    "each": (lambda: ss.evolve(FULL, TIMES, initial=SPINS, each=True), FULL),
    "disorder": (lambda: ss.evolve(LORENTZIAN, TIMES, each=True, theory=ss.MeanField(nodes=32)), LORENTZIAN),
    "samples": (lambda: ss.evolve(TWO_SAMPLES, TIMES, each=True), TWO_SAMPLES),
    "brute force": (lambda: ss.evolve(FULL, TIMES, theory=ss.BruteForce(4), initial=SPINS, each=True), FULL),
    "exact": (lambda: ss.evolve(ONE, TIMES, theory=ss.Exact(5), seed=3), ONE),
    "levels of theory": (
        lambda: ss.compare(
            ONE, TIMES, seed=2, theories=[ss.MeanField(), ss.Exact(5), ss.Trajectories(4, rtol=0.5, atol=0.2)]
        ), ONE
    ),
    "levels from one state": (
        lambda: ss.compare(ONE, TIMES, initial=[[0.1, 0.2, 0.3]], theories=[ss.MeanField(rtol=1e-6), ss.Exact(3)]), ONE
    ),
    "kept state": (lambda: ss.evolve(FULL, TIMES, theory=ss.Exact(4), keep_state=True), FULL),
    "continued": (
        lambda: ss.evolve(FULL, TIMES, theory=ss.BruteForce(2), initial=result_of("null vector"), keep_state=True), FULL
    ),
    "exact steady state": (lambda: ss.steady_state(ONE, theory=ss.Exact(30)), ONE),
    "linewidth": (lambda: ss.linewidth(ONE, theory=ss.Exact(30)), ONE),
    "spectrum": (lambda: ss.emission_spectrum(ONE, TIMES, theory=ss.Exact(3)), ONE),
    "spectrum of samples": (
        lambda: ss.emission_spectrum(ONE, TIMES, theory=ss.TruncatedWigner(40, 4), seed=3), ONE
    ),
    "photons of samples": (
        lambda: ss.photon_statistics(ONE, TIMES, theory=ss.TruncatedWigner(40, 4), seed=3), ONE
    ),
    "photons": (lambda: ss.photon_statistics(ONE, TIMES, theory=ss.Exact(3)), ONE),
    "squeezing": (lambda: ss.squeezing(result_of("kept coherence")), FULL),
    "kept coherence": (
        lambda: ss.evolve(FULL, TIMES, theory=ss.BruteForce(4), initial=[[0.3, 0, 0], [0, 0.5, 0]], keep_state=True), FULL
    ),
    "entropy": (lambda: ss.entropy(ONE, theory=ss.Exact(3)), ONE),
    "pairs": (lambda: ss.pair_measures(ss.steady_state(FULL, theory=ss.BruteForce(4))), FULL),
    "husimi": (lambda: ss.husimi(ss.evolve(FULL, TIMES), [0.0, 1.0], [0.0, 2.0]), FULL),
    "phases": (lambda: ss.phase_distribution(ss.evolve(FULL, TIMES, theory=ss.BruteForce(2)), [0.0, 2.0]), FULL),
    "asymptotic phase": (lambda: ss.asymptotic_phase(ONE, [[1, 0, 0]], theory=ss.Exact(3)), ONE),
    "steady state": (lambda: ss.steady_state(ONE), ONE),
    "null vector": (lambda: ss.steady_state(FULL, theory=ss.BruteForce(2)), FULL),
    "lindblad": (lambda: ss.lindblad(FULL, 4), FULL),
    "limit cycle": (lambda: ss.limit_cycle(ONE), ONE),
    "disordered cycle": (lambda: ss.limit_cycle(GAUSSIAN), GAUSSIAN),
    "symmetric pair": (lambda: ss.symmetric_pair(FULL), FULL),
    "locking range": (lambda: ss.locking_range(PAIR), PAIR),
    "phase diagram": (lambda: ss.phase_diagram(FULL, {"detuning": [0.0, 1.0], "A.gain": [3.0, 4.0]}), FULL),
    "diagram at a given accuracy": (
        lambda: ss.phase_diagram(FULL, {"gain": [3.0, 4.0]}, theory=ss.MeanField(rtol=1e-7)), FULL
    ),
    "distributed diagram": (
        lambda: ss.phase_diagram(
            ONE, {"frequency": [ss.Lorentzian(0.2), ss.Samples(np.linspace(0, 1, 9))], "coupling": [2.0, 12.0]},
            initial=[[0, 0.1, 0]],
        ), ONE
    ),
    "diagram of realizations": (
        lambda: ss.phase_diagram(GAUSSIAN, {"coupling": [2.0, 12.0]}, realizations=2, spins=4, seed=3), GAUSSIAN
    ),
    "squeezing of a diagram": (
        lambda: ss.squeezing(ss.phase_diagram(ONE, {"coupling": [2.0, 12.0]}, theory=ss.Exact(6))), ONE
    ),
    "diagram of lines": (lambda: ss.phase_diagram(ONE, {"coupling": [2.0, 12.0]}, theory=ss.Exact(6), linewidth=True), ONE),
    "diagram of cavities": (lambda: ss.phase_diagram(CAVITY, {"spins": [400, 900]}), CAVITY),
    "regime": (lambda: ss.regime(FULL, initial=[[0.1, 0.2, 0.3], [0, 0, 1]]), FULL),
    "trajectories": (lambda: ss.evolve(ONE, TIMES, theory=ss.Trajectories(4, rtol=0.5, atol=0.2), seed=5), ONE),
    "linewidth of many spins": (lambda: ss.linewidth(ONE, theory=ss.MeanField(), spins=10**6), ONE),
    "linewidth of a cavity": (lambda: ss.linewidth(MANY, theory=ss.MeanField()), MANY),
    "lines": (lambda: ss.linewidth(FULL, theory=ss.Exact(4), modes=2), FULL),
    "one line as a list": (lambda: ss.linewidth(ONE, theory=ss.Exact(4), modes=1), ONE),
    "steady state from a start": (lambda: ss.steady_state(FULL, initial=[[0.1, 0.2, 0.3], [0, 0, 1]]), FULL),
    "one spin": (
        lambda: ss.one_spin_equation(FULL, TIMES, theory=ss.BruteForce(2), initial=result_of("null vector")), FULL
    ),
    "pairs of a run": (lambda: ss.pair_measures(result_of("exact steady state").isel(group=[0])), ONE),
    "husimi of a continued run": (lambda: ss.husimi(result_of("continued"), [0.0, 1.0], [0.0, 2.0]), FULL),
    "cavity": (lambda: ss.limit_cycle(CAVITY), CAVITY),
}  # fmt: skip


def result_of(name):
    call, _ = RESULTS[name]
    return call()


@pytest.mark.parametrize("name", RESULTS)
def test_every_variable_has_a_long_name_and_units(name):
    result = result_of(name)
    assert result.data_vars
    for variable in result.variables:
        assert result[variable].attrs["long_name"].strip(), variable
        assert result[variable].attrs["units"].strip(), variable


@pytest.mark.parametrize("name", RESULTS)
def test_zarr_gives_back_the_identical_result(name, tmp_path):
    result = result_of(name)
    result.to_zarr(tmp_path / "result.zarr", consolidated=False)
    back = xr.open_zarr(tmp_path / "result.zarr", consolidated=False).load()
    xr.testing.assert_identical(back, result)
    for variable in result.data_vars:
        assert back[variable].dtype == result[variable].dtype
        assert back[variable].values.tobytes() == result[variable].values.tobytes()
    assert ss.model_of(back) == ss.model_of(result)
    assert ss.rerun(back).identical(result)


@pytest.mark.parametrize("name", RESULTS)
def test_rerun_is_identical_bit_for_bit(name):
    result = result_of(name)
    again = ss.rerun(result)
    assert again.identical(result)
    for variable in result.data_vars:
        assert again[variable].values.tobytes() == result[variable].values.tobytes()


def test_the_expected_models_differ():
    """So that a result that records the model of another call is noticed."""
    assert len({model for _, model in RESULTS.values()}) == 9


def test_every_question_is_repeated():
    """A new question that returns a Dataset needs a result here."""
    returned = {name for name in ss.__all__ if callable(getattr(ss, name)) and "-> xr.Dataset" in signature_of(name)}
    assert len(returned) > 15
    assert returned - {"rerun", "sweep", "sweep_status"} == {call().attrs["verb"] for call, _ in RESULTS.values()}


def test_every_option_is_recorded():
    """Under its own name, except `threads`, which has no influence; a new option needs a result here."""
    places = {
        "ensemble": "model",
        "times": "time",
        "frequencies": "frequency",
        "delays": "delay",
        "dataset": "source",
        "result": "source",
    }
    held = {}
    for result in (call() for call, _ in RESULTS.values()):
        held.setdefault(result.attrs["verb"], set()).update(result.attrs, map(str, result.coords))
    for name, names in held.items():
        options = set(signature(getattr(ss, name)).parameters) - {"threads"}
        assert {places.get(option, option) for option in options} <= names, name


def signature_of(name: str) -> str:
    try:
        return str(signature(getattr(ss, name))).replace("'", "")
    except (TypeError, ValueError):
        return ""


def test_a_part_of_a_diagram_is_repeated():
    diagram = result_of("distributed diagram")
    for part in (diagram.isel(coupling=[1]), diagram.isel(coupling=1), diagram.isel({"A.frequency": [1]})):
        again = ss.rerun(part)
        np.testing.assert_array_equal(again.regime.values.ravel(), part.regime.values.ravel())
        np.testing.assert_allclose(again.amplitude.values.ravel(), part.amplitude.values.ravel(), rtol=1e-6)


def test_a_measure_of_a_part_of_a_run_is_repeated():
    run = result_of("start given")
    measured = ss.husimi(run.isel(time=[1, 2], group=[1]), [0.0, 1.0], [0.0, 2.0])
    assert measured.sizes == {"time": 2, "group": 1, "polar": 2, "azimuth": 2}
    assert ss.rerun(measured).identical(measured)
    last = ss.phase_distribution(result_of("continued").isel(time=-1), [0.0, 2.0])
    again = ss.rerun(last)
    np.testing.assert_array_equal(again.phase_density.values.ravel(), last.phase_density.values.ravel())


def test_a_user_defined_question_is_repeated():
    """The decorator `question` registers a function, whose arguments are recorded by name."""

    @question
    def strength(ensemble: ss.Ensemble, power: int, *, factor: float = 1.0) -> xr.Dataset:
        value = factor * abs(ensemble.coupling_matrix[0, 0]) ** power
        return dataset({"amplitude": value}, {}, "strength", ensemble, power=power, factor=factor)

    found = strength(laser(), 2, factor=0.5)
    assert float(found.amplitude) == 72.0
    assert ss.rerun(found).identical(found)
    del found.attrs["power"]
    with pytest.raises(ss.InputError, match="must record power, but does not"):
        ss.rerun(found)


@pytest.mark.parametrize("name", RESULTS)
def test_model_of_is_the_model(name):
    result = result_of(name)
    model = ss.model_of(result)
    assert result.attrs["version"] == ss.__version__
    assert model == RESULTS[name][1]
    assert result_of(name).attrs["model"] == result.attrs["model"]
    assert model.lamb_shift == ("cavit" in name)


def test_changes_of_the_recipe_are_recorded():
    changed = laser().replace(coupling=5.0, **{"A.gain": 1 / 3})
    assert ss.model_of(ss.limit_cycle(changed)) == changed


def test_results_of_several_numbers_of_spins_are_concatenated(tmp_path):
    states = [ss.steady_state(laser(), theory=ss.Exact(n)) for n in (4, 9)]
    both = xr.concat(states, "spins")
    assert both.spins.values.tolist() == [4, 9]
    assert both.spins.attrs["units"] == "1"
    for n, state in zip((4, 9), states, strict=True):
        np.testing.assert_array_equal(both.sel(spins=n).inversion, state.inversion)
    np.testing.assert_array_equal(ss.pair_measures(both.isel(spins=1)).spins, 9)
    both.to_zarr(tmp_path / "both.zarr", consolidated=False)
    assert xr.open_zarr(tmp_path / "both.zarr", consolidated=False).load().identical(both)
    assert "spins" not in ss.steady_state(laser()).coords  # infinitely many


def test_dimensions_of_runs():
    run = result_of("each")
    assert run.coherence.dims == run.inversion.dims == ("time", "group")
    assert run.order_parameter.dims == ("time",)
    assert run.spin_coherence.dims == run.spin_inversion.dims == ("time", "spin")
    assert np.iscomplexobj(run.coherence)
    assert {"spin_group", "spin_frequency", "spin_weight"} <= set(run.coords)
    exact = result_of("brute force")
    assert exact.correlation.dims == ("time", "group", "other_group")
    for result in (run, exact):
        np.testing.assert_allclose(ss.bloch(result).isel(time=0), SPINS, atol=1e-15)
        assert ss.bloch(result).dims == ("time", "spin", "axis")


def test_bloch_vectors_are_the_means_of_the_pauli_matrices():
    run = ss.evolve(laser(), [0.0], initial=[[0.1, 0.2, 0.3]])
    assert complex(run.coherence[0, 0]) == pytest.approx(0.05 - 0.1j)
    np.testing.assert_allclose(ss.bloch(run)[0, 0], [0.1, 0.2, 0.3], atol=1e-16)
    assert ss.bloch(run).attrs == {"long_name": "Bloch vector", "units": "1"}


def test_phase_grows_with_positive_frequency():
    free = laser(coupling=0.0, frequency=1.5)
    m = ss.bloch(ss.evolve(free, [0.0, 0.1], initial=[[1, 0, 0]])).values[:, 0]
    assert np.arctan2(m[1, 1], m[1, 0]) == pytest.approx(0.15)


def test_runs_are_equal_if_and_only_if_all_options_are():
    run = ss.evolve(laser(), TIMES)
    assert ss.evolve(laser(), TIMES).identical(run)
    assert not ss.evolve(laser(), TIMES, seed=1).identical(run)
    assert not ss.evolve(laser(), TIMES, theory=ss.MeanField(rtol=1e-9)).identical(run)


def test_a_part_of_a_run_is_rerun_from_the_start_of_the_whole():
    run = ss.evolve(laser(theta=-1.2), np.linspace(3, 8, 11), seed=2)
    part = run.isel(time=slice(4, None))
    np.testing.assert_array_equal(ss.rerun(part).coherence, part.coherence)
    np.testing.assert_array_equal(ss.rerun(part).time, part.time)
