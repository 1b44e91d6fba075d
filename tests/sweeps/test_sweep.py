"""sweep: equal to single calls, whatever the order, the chunks, the executor and the store."""

import json
import os
from concurrent.futures import Future, ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from spinsync.sweeps import executors
from stored_sweeps import differing
from systems import laser, pair

ONE, TWO = laser(), pair(2.0, 16.0)
AXES = {"coupling": np.linspace(1, 20, 7), "gain": np.linspace(0.2, 8, 5)}
WIDE = [ss.Uniform(0.4).sample(4, seed=k) for k in range(3)]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Functions are computed in this process, which is fast to start."""
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def assert_same(found, expected):
    for name, one in expected.data_vars.items():
        assert found[name].dims == one.dims
        assert found[name].dtype == one.dtype
        np.testing.assert_array_equal(found[name].values, one.values, err_msg=str(name))
        assert {k: np.asarray(v).tolist() for k, v in found[name].attrs.items()} == {
            k: np.asarray(v).tolist() for k, v in one.attrs.items()
        }
    for name, one in expected.coords.items():
        np.testing.assert_array_equal(found[name].values, one.values)


@pytest.mark.parametrize(
    ("model", "axes"),
    [
        (ONE, AXES),
        (TWO, {"detuning": np.linspace(-6, 6, 6), "coupling": np.linspace(2, 20, 4)}),
        (TWO, {"A.gain": [1.0, 3.0, 5.0]}),
        (ONE, {"frequency": WIDE, "coupling": [4.0, 12.0]}),
        (ONE, {"coupling": [4.0, 12.0], "frequency": [ss.Lorentzian(0.5), ss.Lorentzian(1.0)], "gain": [2.0, 3.0]}),
    ],
    ids=["one group", "pair", "a part of a pair", "disorder", "distributions between numbers"],
)
@pytest.mark.parametrize("chunk", [None, 3])
def test_a_sweep_of_regimes_is_the_phase_diagram_bit_for_bit(model, axes, chunk, tmp_path):
    expected = ss.phase_diagram(model, axes)
    found = ss.sweep(ss.regime, axes, model=model, chunk=chunk)
    assert_same(found, expected)
    assert np.all(found.point_status == 1)
    stored = ss.sweep(ss.regime, axes, model=model, chunk=chunk, store=tmp_path / "store")
    assert_same(stored, expected)


def test_options_of_regimes_count():
    options = dict(theory=ss.MeanField(rtol=1e-4, atol=1e-6), initial=[[0.3, 0.1, -0.2], [0.1, 0.4, 0.5]])
    axes = {"detuning": [1.0, 20.0], "coupling": [4.0, 16.0]}
    assert_same(ss.sweep(ss.regime, axes, model=TWO, **options), ss.phase_diagram(TWO, axes, **options))


def test_regimes_are_drawn_and_run_again_like_a_diagram(tmp_path):
    ss.sweep(ss.regime, AXES, model=ONE, store=tmp_path / "store")
    found = xr.open_zarr(tmp_path / "store", consolidated=False)
    ax = ss.plot.phase_diagram(found)
    plt.close(ax.figure)
    assert ss.model_of(found) == ONE
    assert_same(ss.rerun(found), ss.phase_diagram(ONE, AXES))


@pytest.mark.parametrize(
    ("question", "options"),
    [
        (ss.steady_state, {}),
        (ss.limit_cycle, {}),
        (ss.evolve, {"times": np.linspace(0, 2, 5)}),
        (ss.steady_state, {"theory": ss.Exact(6)}),
        (ss.linewidth, {"theory": ss.Exact(4)}),
        (ss.emission_spectrum, {"frequencies": [-1.0, 0.0, 2.0], "theory": ss.Exact(4)}),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_sweep_of_a_question_is_its_single_calls(question, options, tmp_path):
    axes = {"coupling": [6.0, 12.0], "gain": [2.0, 3.0, 4.0]}
    found = ss.sweep(question, axes, model=ONE, chunk=4, **options)
    stored = ss.sweep(question, axes, model=ONE, chunk=4, store=tmp_path / "store", **options)
    plain = xr.open_zarr(tmp_path / "store", consolidated=False)
    for coupling in axes["coupling"]:
        for gain in axes["gain"]:
            expected = question(ONE.replace(coupling=coupling, gain=gain), **options)
            for result in (found, stored, plain):
                point = result.sel(coupling=coupling, gain=gain)
                for name, one in expected.data_vars.items():
                    assert point[name].dims == one.dims
                    assert point[name].dtype.kind == (one.dtype.kind if one.dtype.kind != "i" else point[name].dtype.kind)
                    np.testing.assert_array_equal(point[name].values, one.values)
                    assert point[name].attrs.get("units") == one.attrs.get("units")
                    assert point[name].attrs.get("long_name") == one.attrs.get("long_name")
                for name in expected.coords:
                    assert np.array_equal(point[name].values, expected[name].values)


def test_a_question_with_one_number_is_a_variable_of_its_name():
    found = ss.sweep(ss.critical_coupling, {"gain": [2.0, 3.0]}, model=ONE)
    assert found.critical_coupling.values.tolist() == [ss.critical_coupling(ONE.replace(gain=gain)) for gain in (2.0, 3.0)]


def test_axes_of_a_model_are_described(tmp_path):
    found = ss.sweep(ss.limit_cycle, {"coupling": [2.0], "gain": [3.0]}, model=ONE, store=tmp_path / "store")
    diagram = ss.phase_diagram(ONE, {"coupling": [2.0], "gain": [3.0]})
    for name in ("coupling", "gain"):
        assert found[name].attrs == diagram[name].attrs
        assert found[name].attrs["units"]
    assert found.point_status.attrs["flag_meanings"] == "pending done failed"
    assert all(found[name].attrs["long_name"] for name in found.variables)


def fraction(a, b, c):
    return a / b + c


class Serial:
    """The simplest executor: computes at once."""

    def submit(self, function, argument):
        future = Future()
        future.set_result(function(argument))
        return future


class Polled:
    """An executor whose futures can only be asked: done() is False at first, and the last one given is the first done."""

    def __init__(self):
        self.most = self.open = 0

    def submit(self, function, argument):
        self.open += 1
        self.most = max(self.most, self.open)
        executor = self

        class Answer:
            asked = 0

            def done(self):
                self.asked += 1
                return self.asked > 2

            def result(self):
                executor.open -= 1
                return function(argument)

        return Answer()


@pytest.mark.parametrize("name", ["threads", "serial", "polled", "pool"])
def test_executors_are_irrelevant(name, tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "POLL", 0.001)
    executor = {"threads": None, "serial": Serial(), "polled": Polled(), "pool": ThreadPoolExecutor(3)}[name]
    if name == "threads":
        monkeypatch.setenv("SPINSYNC_THREADS", "3")
    axes = {"detuning": np.linspace(-6, 6, 6), "coupling": np.linspace(2, 20, 4)}
    found = ss.sweep(ss.regime, axes, model=TWO, chunk=5, store=tmp_path / "store", executor=executor)
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    ss.sweep(ss.regime, axes, model=TWO, chunk=5, store=tmp_path / "other")
    assert differing(tmp_path / "store", tmp_path / "other") == []
    assert_same(ss.sweep(ss.regime, axes, model=TWO, chunk=5, executor=executor), found.drop_vars([]))


def test_at_most_a_window_of_units_is_in_flight(monkeypatch):
    monkeypatch.setattr(executors, "POLL", 0.001)
    polled = Polled()
    monkeypatch.setattr(executors.run_by_futures, "__defaults__", (10,))
    found = ss.sweep(fraction, {"a": np.arange(80.0), "b": [1.0], "c": [2.0]}, executor=polled, chunk=1)
    assert found.fraction.values.ravel().tolist() == list(np.arange(80.0) + 2)
    assert polled.most == 10


def test_processes_give_what_threads_give(tmp_path, monkeypatch):
    axes = {"a": np.linspace(0, 1, 9), "b": np.linspace(1, 2, 4), "c": [0.1, 0.2, 0.3]}
    ss.sweep(fraction, axes, chunk=10, store=tmp_path / "one")
    monkeypatch.setenv("SPINSYNC_THREADS", "2")
    ss.sweep(fraction, axes, chunk=10, store=tmp_path / "two")
    assert differing(tmp_path / "one", tmp_path / "two") == []
    log = (tmp_path / "two" / "sweep" / "log.jsonl").read_text()
    processes = {json.loads(line)["process"] for line in log.splitlines() if '"chunk"' in line}
    assert os.getpid() not in processes
    assert processes


def test_realizations_of_regimes_are_diagrams_of_other_seeds():
    axes = {"detuning": np.linspace(1, 40, 9), "coupling": [8.0, 16.0]}  # more than 16 points, as with realizations
    found = ss.sweep(ss.regime, axes, model=TWO, realizations=2, seed=2)
    seeds = ss.sweep(seed_of, {"x": [0]}, realizations=2, seed=2).seed_of.values[0].astype(int).tolist()
    for k, seed in enumerate(seeds):
        assert_same(found.isel(realization=k), ss.phase_diagram(TWO, axes, seed=2 if k == 0 else seed))
    assert np.any(found.lyapunov[..., 0].values != found.lyapunov[..., 1].values)


def seed_of(x, seed):
    assert seed < 2**63
    return float(seed % 2**50)


@pytest.fixture(autouse=True)
def small_seeds(monkeypatch):
    """Seeds that a float holds exactly, so that a test can read them from a result."""
    from spinsync.sweeps import work

    monkeypatch.setattr(work, "realization_seed", lambda seed, k, own=work.realization_seed: own(seed, k) % 2**50)


@pytest.mark.parametrize("where", ["memory", "store"])
def test_only_the_named_variables_are_kept(where, tmp_path):
    store = tmp_path / "store" if where == "store" else None
    found = ss.sweep(ss.regime, AXES, model=ONE, variables=["order_parameter", "regime"], store=store)
    assert set(found.data_vars) == {"order_parameter", "regime", "point_status", "point_failure"}
    assert_same(found, ss.phase_diagram(ONE, AXES)[["order_parameter", "regime"]].drop_dims([]))
    assert "bound" not in found.dims
    some = ss.sweep(ss.evolve, {"coupling": [2.0, 12.0]}, model=ONE, times=[0, 1.0], variables=["coherence"])
    assert list(some.data_vars) == ["coherence", "point_status", "point_failure"]
    assert some.coherence.dtype == complex
