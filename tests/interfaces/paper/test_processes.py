"""Tasks in several processes: each is done once, errors and printed lines reach the parent, and no process survives."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children

import pytest

import spinsync as ss
from spinsync.base.files import UnwritableError
from spinsync.base.parallel import thread_count
from spinsync.interfaces.paper.processes import run_in_processes

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
SCRIPT = """
import os, sys, time
from pathlib import Path
from spinsync.interfaces.paper.processes import run_in_processes

def sleep(name, advance):
    Path(name).touch()
    time.sleep(100)

if __name__ == "__main__":
    try:
        run_in_processes(sleep, "ab", 2, print, print)
    except KeyboardInterrupt:
        sys.exit(130)
else:
    Path(f"started {os.getpid()}").touch()
    time.sleep(1)
"""


class OddError(Exception):
    """An error that can't be unpickled from its message alone."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def double(name, advance):
    advance(0.5)
    print(f"{name} is doubled", file=sys.stderr)
    return 2 * name, os.getpid()


def count(name, advance):
    return thread_count()


def fail(name, advance):
    if name == "path":
        raise UnwritableError("path", "there", "no space left on device")
    if name == "odd":
        raise OddError(1, 2)
    if name == "end":
        os._exit(1)
    time.sleep(100)


@pytest.fixture(autouse=True)
def _no_process_left():
    yield
    assert active_children() == []


def test_processes_divide_the_thread_budget_of_their_parent(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "7")
    assert run_in_processes(count, "ab", 2, print, print) == {"a": 3, "b": 3}
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    assert run_in_processes(count, "ab", 2, print, print) == {"a": 1, "b": 1}


def test_every_task_is_done_once_and_reports_progress_and_output():
    fractions, lines = [], []
    results = run_in_processes(double, "abcde", 2, lambda *fraction: fractions.append(fraction), lines.append)
    assert {name: result for name, (result, _) in results.items()} == {name: 2 * name for name in "abcde"}
    assert {pid for _, pid in results.values()}.isdisjoint({os.getpid()})
    assert sorted(fractions) == [(name, 0.5) for name in "abcde"]
    assert sorted(lines) == [f"{name} is doubled" for name in "abcde"]


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("path", UnwritableError, "Argument `path` must be writable, but 'there' is not (no space left on device)."),
        ("odd", RuntimeError, "OddError: 1 and 2"),
        ("end", ss.IntegrationError, "A process of the report ended before its work was done: the memory may be too small."),
    ],
)
def test_an_error_ends_all_processes_and_is_raised(name, kind, message):
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        run_in_processes(fail, ["sleep", name], 2, print, print)
    assert str(caught.value) == message
    assert time.monotonic() - began < 60  # without waiting for the other task
    assert name == "end" or "in fail" in caught.value.__notes__[0]  # the traceback


@posix
@pytest.mark.parametrize(("number", "when"), [("SIGINT", "started*"), ("SIGINT", "[ab]"), ("SIGKILL", "[ab]")])
def test_no_process_outlives_the_first(number, when, tmp_path):
    """Ctrl-C is sent to all of them, a kill to the first only. Its pipe closes when the last process has ended."""
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, cwd=tmp_path
    ) as first:
        while len(list(tmp_path.glob(when))) < 2:
            assert first.poll() is None
            time.sleep(0.01)
        began = time.monotonic()
        (os.killpg if number == "SIGINT" else os.kill)(first.pid, getattr(signal, number))
        _, error = first.communicate(timeout=60)
        assert time.monotonic() - began < 30
    assert error == b""  # only the first has reacted
    assert first.returncode == (130 if number == "SIGINT" else -signal.SIGKILL)
