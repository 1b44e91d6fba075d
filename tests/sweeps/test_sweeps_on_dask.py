"""Sweeps on Dask: a real scheduler and two worker processes over TCP give what one process gives, file by file."""

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import pytest

import spinsync as ss
from spinsync.sweeps import executors
from stored_sweeps import calls, differing, note
from systems import laser, pair

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = [
    pytest.mark.dask,
    pytest.mark.filterwarnings("ignore"),  # of Dask's own
]

ONE, TWO = laser(), pair(2.0, 16.0)


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers of one thread, each a process, connected over TCP."""
    options = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1")
    patient = {"distributed.deploy.lost-worker-timeout": "10 minutes"}  # else a worker that is about to come back is given up
    with dask.config.set(patient), distributed.LocalCluster(**options) as started:
        assert started.scheduler_address.startswith("tcp://")
        yield started


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as connected:
        connected.wait_for_workers(2, timeout=60)
        yield connected


def drawn(x, y, seed):
    return np.random.default_rng([seed, int(10 * x)]).normal(size=3) * y


@pytest.mark.parametrize("how", ["client", "address"])
def test_regimes_are_those_of_one_process_file_by_file(how, cluster, client, tmp_path):
    axes = {"detuning": np.linspace(-20, 20, 12), "coupling": np.linspace(2, 20, 4)}
    executor = client if how == "client" else cluster.scheduler_address
    found = ss.sweep(ss.regime, axes, model=TWO, chunk=7, store=tmp_path / "dask", executor=executor)
    ss.sweep(ss.regime, axes, model=TWO, chunk=7, store=tmp_path / "one")
    assert differing(tmp_path / "dask", tmp_path / "one") == []
    expected = ss.phase_diagram(TWO, axes)
    for name, one in expected.data_vars.items():
        np.testing.assert_array_equal(found[name].values, one.values)


def test_functions_and_other_questions_too_and_without_a_store(client, tmp_path, monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    calls_of = [
        lambda **more: ss.sweep(drawn, {"x": np.linspace(0, 1, 9), "y": [1.0, 2.0]}, realizations=3, seed=7, chunk=5, **more),
        lambda **more: ss.sweep(ss.steady_state, {"coupling": [4.0, 12.0]}, model=ONE, theory=ss.Exact(6), **more),
    ]
    for k, call in enumerate(calls_of):
        call(store=tmp_path / f"dask {k}", executor=client)
        expected = call(store=tmp_path / f"one {k}")
        assert differing(tmp_path / f"dask {k}", tmp_path / f"one {k}") == []
        in_memory = call(executor=client)
        for name in expected.data_vars:
            np.testing.assert_array_equal(in_memory[name].values, expected[name].values)


def marked(x, folder):
    """Kills its worker at the first call with 7; notes every call that ends."""
    if x == 7 and not os.path.exists(f"{folder}/died"):
        with open(f"{folder}/died", "w"):
            os.kill(os.getpid(), signal.SIGKILL)
    note(folder, x)
    time.sleep(0.02)
    return float(x) ** 2


def test_a_worker_that_dies_costs_its_chunks_alone(client, tmp_path):
    found = ss.sweep(marked, {"x": range(40)}, chunk=2, store=tmp_path / "store", executor=client, folder=str(tmp_path))
    assert found.marked.values.tolist() == [float(x) ** 2 for x in range(40)]
    assert not found.point_failure.values.any()
    twice = {int(x) for x, n in calls(tmp_path).items() if n > 1}
    assert len(calls(tmp_path)) == 40
    assert len(twice) <= 12  # of the chunks in its memory, and the one in its hands
    client.wait_for_workers(2, timeout=60)


def deadly(x):
    if x == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0 * x


def test_a_chunk_that_kills_its_workers_every_time_becomes_a_reason(client, tmp_path):
    found = ss.sweep(deadly, {"x": range(12)}, chunk=2, store=tmp_path / "store", executor=client)
    dead = [4, 5]  # one chunk
    assert found.point_status.values.tolist() == [2 if x in dead else 1 for x in range(12)]
    np.testing.assert_array_equal(found.deadly.values, [np.nan if x in dead else x for x in range(12)])
    assert all(why.startswith("the worker died (") for why in found.point_failure.values[dead])
    client.wait_for_workers(2, timeout=60)


class KilledWorker(Exception):  # noqa: N818
    """Has the name of Dask's own."""


class Answer(Future):
    """A result that is there at once, and counts as in flight until it is read."""

    def __init__(self, scheduler, value):
        super().__init__()
        self.scheduler = scheduler
        self.set_exception(value) if isinstance(value, Exception) else self.set_result(value)

    def result(self):
        self.scheduler.flying -= 1
        return super().result()


class FakeScheduler:
    """Four workers; unit k is given up at its first blamed[k] tries."""

    __module__ = "distributed.fake"

    def __init__(self, blamed):
        self.blamed, self.flying, self.most = dict(blamed), 0, {1: 0, 2: 0}

    def ncores(self):
        return dict.fromkeys("abcd", 1)

    def submit(self, run, unit, pure, key):
        self.flying += 1
        first = unit not in self.most
        self.most[1 if first else 2] = max(self.most[1 if first else 2], self.flying)
        self.most[unit] = True
        self.blamed[unit.index] = self.blamed.get(unit.index, 0) - 1
        return Answer(self, KilledWorker("4 workers died") if self.blamed[unit.index] >= 0 else "done")


@dataclass(frozen=True)
class Numbered:
    index: int


def given_up(scheduler, units):
    """Which of so many units were given up."""
    reports = {}
    executors.run_elsewhere(scheduler, "name", None, map(Numbered, range(units)), reports.__setitem__, lambda: None)
    assert {unit.index for unit in reports} == set(range(units))
    return [unit.index for unit, report in reports.items() if isinstance(report, executors.WorkerDiedError)]


def test_a_chunk_blamed_for_another_is_computed_after_all():
    """Dask blames the death of a worker on all units that it holds."""
    scheduler = FakeScheduler({1: 1, 3: 2, 4: 1, 5: 1})
    assert given_up(scheduler, 8) == [3]
    assert (scheduler.most[1], scheduler.most[2]) == (8, 2)  # the second time each has a worker to itself


def test_a_unit_that_was_alone_is_not_tried_again():
    assert given_up(FakeScheduler({0: 1}), 1) == [0]


def test_a_scheduler_without_workers_is_said_and_waited_for(monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 0.3)
    options = dict(n_workers=0, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1")
    with distributed.LocalCluster(**options) as empty, distributed.Client(empty) as client:
        threading.Timer(2.0, empty.scale, [1]).start()
        with pytest.warns(UserWarning, match="The Dask scheduler has no workers; the sweep goes on as soon as it has some"):
            found = ss.sweep(inverse, {"x": [1.0, 2.0]}, executor=client)
    assert found.inverse.values.tolist() == [1.0, 0.5]


def test_failures_of_points_are_data_there_too(client):
    found = ss.sweep(inverse, {"x": [0.0, 1.0, 2.0]}, executor=client)
    assert found.point_failure.values.tolist() == ["ZeroDivisionError: float division by zero", "", ""]


def inverse(x):
    return 1 / x


def leaky(decay):
    cavity = ss.Ensemble.cavity(spins=100, vacuum_coupling=0.01, cavity_decay=decay, gain=2.0, damping=0.1)
    return cavity.groups[0].gain


def test_warnings_of_points_are_given_here_and_once(client):
    with pytest.warns(ss.CavityWarning) as caught:
        ss.sweep(leaky, {"decay": np.linspace(1.0, 2.0, 8)}, chunk=2, executor=client)
    assert [one.filename for one in caught if one.category is ss.CavityWarning] == [__file__]


def test_no_more_tasks_than_the_window_are_in_flight(client, monkeypatch):
    most, stop = [0], threading.Event()

    def look():
        while not stop.wait(0.02):
            states = client.run_on_scheduler(lambda dask_scheduler: Counter(t.state for t in dask_scheduler.tasks.values()))
            most[0] = max(most[0], sum(states.values()))

    monkeypatch.setattr(executors.run_by_futures, "__defaults__", (20,))
    watcher = threading.Thread(target=look)
    watcher.start()
    found = ss.sweep(paused, {"x": np.arange(200.0)}, chunk=1, executor=client)
    stop.set()
    watcher.join()
    assert found.paused.values.tolist() == list(np.arange(200.0))
    assert 10 < most[0] <= 20


def paused(x):
    time.sleep(0.002)
    return x


def test_a_sweep_begun_here_goes_on_there(client, tmp_path, monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    for count, executor in ((10, None), (25, client), (31, None)):
        ss.sweep(marked_square, {"x": range(count)}, chunk=4, store=tmp_path / "store", executor=executor, folder=str(tmp_path))
    assert calls(tmp_path) == {str(x): 1 for x in range(31)}


def marked_square(x, folder):
    note(folder, x)
    return x**2


def test_a_wrong_address_is_a_sentence():
    start = time.monotonic()
    with pytest.raises(
        ss.InputError, match=r"must be the address of a running scheduler, but is executor='tcp://127\.0\.0\.1:1' \("
    ):
        ss.sweep(inverse, {"x": [1.0]}, executor="tcp://127.0.0.1:1")
    assert time.monotonic() - start < 60
