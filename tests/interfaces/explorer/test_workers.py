"""Threads of open pages: what nobody waits for steps aside, and a call never ends in an exception of its thread."""

import threading
import time

import pytest

from spinsync.base.interrupts import CancelledError, check_interrupt
from spinsync.interfaces.explorer import workers


@pytest.fixture
def pool(monkeypatch):
    monkeypatch.setattr(workers, "CALM", 0.1)
    pool = workers.Workers()
    yield pool
    pool.close()


def looping(begun):
    """Computes until it is cancelled."""

    def loop():
        begun.set()
        while True:
            check_interrupt()
            time.sleep(0.005)

    return loop


def test_what_nobody_waits_for_steps_aside(pool):
    begun, jobs = threading.Event(), []
    thread = threading.Thread(target=lambda: jobs.append(pool.aside(looping(begun))))
    busy = pool.start(lambda: time.sleep(0.3), "slow")
    thread.start()
    assert not begun.wait(0.2)  # a page computes
    busy.future.result(5)
    assert begun.wait(5)
    pool.start(lambda: None, "quick")  # a page begins to compute
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(jobs[0].error, CancelledError)
    check_interrupt()  # nothing of it stays in other threads


def test_cancelling_reaches_only_its_own_call(pool):
    begun = threading.Event()
    job = pool.start(looping(begun), "slow")
    assert begun.wait(5)
    job.cancel()
    for _ in range(10):  # all threads of the pool
        other = pool.start(check_interrupt, "slow")
        other.future.result(5)
        assert other.error is None


def test_a_call_that_waits_is_forgotten(pool):
    gate, ends = threading.Event(), []
    running = [pool.start(gate.wait, "slow") for _ in range(workers.SLOW)]
    waiting = pool.start(lambda: ends.append("computed"), "slow", lambda: ends.append("over"))
    waiting.cancel()
    assert waiting.done
    assert ends == ["over"]
    gate.set()
    for job in running:
        job.future.result(5)
    assert pool._active == 0
    assert ends == ["over"]


def test_errors_stay_in_the_job(pool):
    job = pool.start(lambda: {}["x"], "quick")
    job.future.result(5)
    assert isinstance(job.error, KeyError)
    assert job.result is None
    assert job.error.__traceback__ is None


def test_a_step_is_quick_until_it_proves_slow(pool):
    assert pool.pool(("one", "the words"), True) == "quick"
    assert pool.pool(("one", "the map"), False) == "slow"
    pool.took |= {("one", "the words"): 1.0, ("one", "the map"): 0.001}
    assert pool.pool(("one", "the words"), True) == "slow"
    assert pool.pool(("one", "the map"), False) == "quick"
