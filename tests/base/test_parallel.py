"""One thread budget for the whole process; no result depends on it."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, current_thread

import numpy as np
import pytest

import spinsync as ss
from spinsync.base import parallel
from spinsync.base.parallel import parallel_map, thread_count, thread_limit
from systems import HALF_PI, laser

PAIR = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)
GRID = {"detuning": np.linspace(0.5, 20.0, 12), "coupling": np.linspace(1.0, 30.0, 12)}

SCRIPT = """
import os, threading
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np, spinsync as ss
from spinsync.base import parallel
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
ss.phase_diagram(one, {"coupling": np.linspace(1, 30, 2000)})
ss.evolve(one, [0.0, 0.1], theory=ss.Trajectories(4, rtol=0.5, atol=0.5))
print(parallel.thread_count(), sum(thread.name == "spinsync pool" for thread in threading.enumerate()))
"""


@pytest.fixture
def machine(monkeypatch):
    """A machine with eight cores, and no environment variables about threads."""
    for name in (parallel.VARIABLE, parallel.WORKER_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(parallel, "cores", lambda: 8)
    monkeypatch.setattr(parallel, "_pools", {})
    return monkeypatch


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_processes_on_one_core_each_use_one_thread():
    """Two processes at once, as in a batch system. The pool has one thread, since trajectories are watched while they run."""
    environment = {k: v for k, v in os.environ.items() if k not in (parallel.VARIABLE, parallel.WORKER_VARIABLE)}
    both = [
        subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)
    ]
    assert [one.communicate(timeout=120)[0].split() for one in both] == [["1", "1"]] * 2


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 8),
        ({"SPINSYNC_THREADS": "3"}, 3),
        ({"SPINSYNC_THREADS": " 12 "}, 12),
        ({"SPINSYNC_THREADS": ""}, 8),
        ({"OMP_NUM_THREADS": "1"}, 1),  # a worker of Dask
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": "20"}, 8),
        ({"OMP_NUM_THREADS": "many"}, 8),
        ({"OMP_NUM_THREADS": "1", "SPINSYNC_THREADS": "2"}, 2),
    ],
)
def test_the_budget_follows_the_environment(machine, variables, expected):
    for name, value in variables.items():
        machine.setenv(name, value)
    assert thread_count() == expected
    with thread_limit(5):
        assert thread_count() == 5
        with thread_limit(None):
            assert thread_count() == 5
    assert thread_count() == expected


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "all", "1e3"])
def test_a_bad_budget_is_one_message(machine, text):
    machine.setenv("SPINSYNC_THREADS", text)
    with pytest.raises(ss.InputError) as caught:
        ss.phase_diagram(laser(), {"coupling": [2.0]})
    assert str(caught.value) == (
        f"Argument `SPINSYNC_THREADS` must be a whole number of at least 1, but is SPINSYNC_THREADS={text!r}."
    )


@pytest.mark.parametrize("number", [0, 1.5, "2"])
@pytest.mark.parametrize(
    "question", [lambda n: ss.evolve(laser(), [0.0], threads=n), lambda n: ss.steady_state(laser(), threads=n)]
)
def test_a_bad_number_of_threads_is_one_message(question, number):
    with pytest.raises(ss.InputError, match=r"^Argument `threads` must be a whole number of at least 1, but is threads="):
        question(number)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "20000 100000"}, 1),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"}, 3),
        ({"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, 8),
        ({}, 8),
    ],
)
def test_the_quota_of_a_container_limits_the_cores(files, expected, tmp_path, monkeypatch):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(parallel, "cgroup_files", lambda kind, name, older: iter([tmp_path / name, tmp_path / older]))
    monkeypatch.setattr(parallel, "_quota", parallel._quota.__wrapped__)  # without its cache
    assert parallel.cores() == expected


def test_work_within_the_pool_uses_no_further_threads(machine):
    """Several callers at once share the pool."""
    lock, running, most = Lock(), [0], [0]

    def work(k):
        assert thread_count() == 1
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        inner = parallel_map(lambda _: current_thread(), range(4))
        assert set(inner) == {current_thread()}
        with lock:
            running[0] -= 1
        return k

    machine.setenv("SPINSYNC_THREADS", "3")
    with ThreadPoolExecutor(4) as callers:
        for found in callers.map(lambda _: parallel_map(work, range(20)), range(4)):
            assert found == list(range(20))
    assert most == [3]


SAMPLES = laser(frequency=ss.Lorentzian(0.4).sample(25_000, seed=1))
QUESTIONS = {
    "diagram": lambda n: ss.phase_diagram(PAIR, GRID, threads=n),
    "many spins": lambda n: ss.evolve(SAMPLES, [0.0, 0.2], threads=n),
    "trajectories": lambda n: ss.evolve(laser(), [0.0, 0.5], theory=ss.Trajectories(6, rtol=0.3, atol=0.1), threads=n),
    "steady state": lambda n: ss.steady_state(laser(), theory=ss.Trajectories(6, rtol=0.3, atol=0.1), threads=n),
    "samples": lambda n: ss.steady_state(laser(), theory=ss.TruncatedWigner(6, 5), threads=n),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_results_do_not_depend_on_threads(name, machine):
    """Nor do the recorded attributes, since another machine may have more cores."""
    few = QUESTIONS[name](1)
    assert thread_count() == 8
    sizes = []
    machine.setattr(parallel._Pool, "grow", lambda pool, n, grow=parallel._Pool.grow: (sizes.append(n), grow(pool, n))[1])
    assert QUESTIONS[name](3).identical(few)
    assert max(sizes) in (2, 3)  # a small diagram has two chunks
    assert "threads" not in few.attrs
    assert ss.rerun(few).identical(few)
