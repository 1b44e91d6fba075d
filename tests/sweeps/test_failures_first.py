"""Chunks that fail before the first success: computed several at once, stored at once, and computed once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import spinsync as ss
from stored_sweeps import calls, differing, forget, note


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def late(x, folder, first=8, stop=None):
    """Fails below `first`, and is interrupted at `stop`."""
    if x == stop:
        raise KeyboardInterrupt
    note(folder, f"{x}")
    if x < first:
        raise ValueError(f"{x} is too small")
    return np.array([x, x**2])


@pytest.mark.parametrize("stop", [1, 5, 7, 8, 10])
def test_no_failure_is_lost_or_computed_twice_after_an_interruption(stop, tmp_path, monkeypatch):
    def run(store, stopped):
        def here(x):
            return late(x, tmp_path, stop=stopped[0])

        return ss.sweep(here, {"x": range(12)}, chunk=1, store=tmp_path / store).load()

    expected = run("whole", [None])
    assert calls(tmp_path) == {str(x): 1 for x in range(12)}
    forget(tmp_path)
    stopped = [stop]
    with pytest.raises(KeyboardInterrupt):
        run("store", stopped)
    failed = int(ss.sweep_status(tmp_path / "store").failed)
    assert failed == min(stop, 8)
    stopped[0] = None
    found = run("store", stopped)
    assert calls(tmp_path) == {str(x): 1 for x in range(12)}
    assert found.identical(expected)
    assert found.point_failure.values.tolist() == [f"ValueError: {x} is too small" for x in range(8)] + [""] * 4
    assert found.here.values[8:].tolist() == [[x, x**2] for x in range(8, 12)]
    assert np.isnan(found.here.values[:8]).all()
    assert not [name for name in differing(tmp_path / "whole", tmp_path / "store") if name != "zarr.json"]


def test_only_failures_then_retried(tmp_path):
    first = [12]

    def here(x):
        return late(x, tmp_path, first[0])

    def run(**options):
        forget(tmp_path)
        return ss.sweep(here, {"x": range(10)}, chunk=2, store=tmp_path / "store", **options)

    assert np.all(run().point_status == 2)
    run()
    assert not calls(tmp_path)
    first[0] = 4
    found = run(retry_failed=True)
    assert calls(tmp_path) == {str(x): 1 for x in range(10)}
    assert found.point_status.values.tolist() == [2] * 4 + [1] * 6
    assert found.here.values[4:, 0].tolist() == list(range(4, 10))


def test_failing_chunks_are_computed_at_the_same_time():
    """Chunks 1 and 2 wait for each other: with one at a time neither would end."""
    together = threading.Barrier(2, timeout=10)

    def meeting(x):
        if 1 <= x <= 2:
            together.wait()
        if x < 5:
            raise ValueError("too small")
        return float(x)

    with ThreadPoolExecutor(4) as executor:
        found = ss.sweep(meeting, {"x": range(8)}, chunk=1, executor=executor)
    assert found.point_failure.values.tolist() == ["ValueError: too small"] * 5 + [""] * 3


@pytest.mark.parametrize("stored", [False, True], ids=["memory", "store"])
def test_the_first_success_in_order_decides_what_the_function_returns(stored, tmp_path):
    """Chunks 1 and 2 run at once and return other variables; whichever ends first, those of chunk 1 count."""
    second_has_ended = threading.Event()

    def changing(x):
        if x == 0:
            raise ValueError("too small")
        if x == 1:
            second_has_ended.wait(30)
            time.sleep(0.3)
        if x == 2:
            second_has_ended.set()
            return np.zeros(3)
        return float(x)

    with ThreadPoolExecutor(2) as executor:
        store = tmp_path / "store" if stored else None
        found = ss.sweep(changing, {"x": range(5)}, chunk=1, executor=executor, store=store)
    assert found.point_status.values.tolist() == [2, 1, 2, 1, 1]
    assert found.changing.values[[1, 3, 4]].tolist() == [1.0, 3.0, 4.0]
    assert found.point_failure.values[2] == (
        "changing must be float64 of shape () and dims () as at other points, but is float64 of shape (3,) and dims "
        "('changing_0',)"
    )
