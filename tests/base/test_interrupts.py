"""Ctrl-C returns to the prompt at once, and work in background threads behaves as in the main thread."""

import os
import subprocess
import sys
import time
import warnings
from threading import Event, Thread, current_thread, main_thread

import numpy as np
import pytest

from spinsync.base import interrupts, parallel
from spinsync.base.interrupts import CancelledError, check_interrupt, in_background
from spinsync.base.parallel import parallel_map, thread_limit

SCRIPT = """
import os, signal, sys, threading, time
import numpy as np, spinsync as ss
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
chaos = ss.Ensemble([ss.Group(3.0, 1.0, frequency=0.3 * k**2) for k in range(5)], 20j * np.eye(5) - 9j)
grid = {"detuning": np.linspace(0, 20, 300), "coupling": np.linspace(1, 30, 300)}
many = ss.Lorentzian(1.0).sample(200_000)
ss.steady_state(one), ss.phase_diagram(pair, {"detuning": [1.0]}), ss.regime(one)  # compiled before
ss.evolve(one.replace(frequency=many), [0.0, 1e-3])

def interrupted(call):
    sent = []
    def strike():
        time.sleep(0.4)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    try:
        threading.Thread(target=strike).start()  # may wait for threads cancelled before
        call()
    except KeyboardInterrupt:
        return time.perf_counter() - sent[0]
    raise SystemExit(f"{call} ended before")

calls = [
    lambda: ss.evolve(one, np.linspace(0, 1e6, 100)),
    lambda: ss.evolve(one, np.linspace(0, 30, 8_000_000)),
    lambda: ss.evolve(one.replace(frequency=many), np.linspace(0, 3000, 100)),
    lambda: ss.evolve(pair, [0.0, 1e3], theory=ss.Exact(60)),
    lambda: ss.evolve(one, [0.0, 1e3], theory=ss.Exact(2000)),
    lambda: ss.linewidth(one, theory=ss.Exact(6000)),
    lambda: ss.steady_state(pair, theory=ss.Exact(80)),
    lambda: ss.emission_spectrum(pair, np.linspace(-3, 3, 50), theory=ss.Exact(40)),
    lambda: ss.lindblad(pair, 2000),
    lambda: ss.phase_diagram(pair, grid),
    lambda: ss.phase_diagram(pair, grid, threads=1),
    lambda: ss.phase_diagram(chaos, {"A.gain": np.linspace(3, 4, 50)}, threads=2),
]
print(max(interrupted(call) for call in calls))
"""

COMPILING = """
import spinsync as ss
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
ss.evolve
print("now", flush=True)
ss.evolve(one, [0.0, 1e6])
"""


@pytest.mark.slow(slice=1)
@pytest.mark.skipif(os.name == "nt", reason="a process can't send itself Ctrl-C on Windows")
def test_every_long_call_can_be_interrupted_at_once():
    """Within half a second; four times that on a busy machine."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 2.0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal for a child")
def test_the_first_compilation_can_be_interrupted_at_once(tmp_path):
    """Numba itself reacts late to an interrupt, or swallows it."""
    import signal

    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", COMPILING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout.readline() == "now\n"
        time.sleep(2.0)
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert time.monotonic() - began < 3.0  # the end of the interpreter included
    assert error.rstrip().endswith("KeyboardInterrupt")


def test_background_work_behaves_as_in_the_main_thread():
    """Same results, errors, warnings and numpy error state."""

    @in_background
    def work(x):
        assert current_thread() is not main_thread()
        warnings.warn("issued", UserWarning, stacklevel=1)
        return np.array([1.0]) / x

    with np.errstate(divide="raise"), pytest.warns(UserWarning, match="issued"), pytest.raises(FloatingPointError):
        work(0.0)
    with np.errstate(divide="ignore"), pytest.warns(UserWarning, match="issued"):
        assert work(0.0) == np.inf
    used = []
    thread = Thread(target=lambda: used.append(in_background(current_thread)()))
    thread.start()
    thread.join()
    assert used == [thread]  # other threads receive no signals anyway


def test_cancelled_work_ends_at_its_next_check(monkeypatch):
    """So does nested work that it waits for."""
    ended, started = Event(), Event()

    def chunk(_):
        started.set()
        try:
            while True:
                check_interrupt()
                time.sleep(0.01)
        except CancelledError:
            ended.set()
            raise

    def interrupted(start, done, cancelled, watch=None):
        if current_thread() is not main_thread():
            return wait(start, done, cancelled, watch)
        start()
        started.wait()
        cancelled.set()
        raise KeyboardInterrupt

    wait = interrupts.start_and_wait
    monkeypatch.setattr(interrupts, "start_and_wait", interrupted)
    with thread_limit(2), pytest.raises(KeyboardInterrupt):
        in_background(lambda: parallel_map(chunk, range(4)))()
    assert ended.wait(5)


def test_parallel_map_keeps_the_order_and_raises_the_first_error():
    def work(k):
        time.sleep(0.01 * (k % 3))
        if k in (5, 7):
            raise ValueError(k)
        return parallel_map(lambda x: x + k, range(3)) if k == 2 else k  # nested

    with thread_limit(3):
        assert parallel_map(work, range(5)) == [0, 1, [2, 3, 4], 3, 4]
        with pytest.raises(ValueError, match="5"):
            parallel_map(work, range(9))
        assert parallel_map(work, range(2)) == [0, 1]
        with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
            parallel_map(lambda x: np.array([1.0]) / x, [1.0, 0.0])
        assert parallel_map(work, []) == []


def test_an_interrupted_pool_is_replaced(monkeypatch):
    release = Event()

    def interrupted(start, done, cancelled, watch):
        start()
        cancelled.set()
        raise KeyboardInterrupt

    with thread_limit(2):
        with monkeypatch.context() as patched:
            patched.setattr(interrupts, "start_and_wait", interrupted)
            first = parallel._pool("computing", 2)
            with pytest.raises(KeyboardInterrupt):
                parallel_map(lambda _: release.wait(), range(2))
        assert parallel._pool("computing", 2) is not first
        assert parallel_map(abs, [-1, -2]) == [1, 2]  # while the threads of the first are still busy
    release.set()


def test_the_waiting_thread_calls_watch():
    """Also if a single thread works."""
    callers, go = [], Event()

    def watch():
        callers.append(current_thread())
        go.set()

    with thread_limit(1):
        assert parallel_map(lambda _: go.wait(5), range(1), watch) == [True]
    assert set(callers) == {current_thread()}
