"""The message during a long compilation: logged once, for the outermost kernel, and only if true."""

import os
import subprocess
import sys
import threading
import time
import warnings
from types import ModuleType

import pytest

from spinsync.base import compile_cache, notices
from spinsync.base.interrupts import in_background
from spinsync.base.notices import compiling_notice

pytestmark = pytest.mark.filterwarnings("default")  # with warnings as errors there is no message


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder, and no message logged yet."""
    monkeypatch.setattr(notices, "_reported", set())
    monkeypatch.setattr(compile_cache, "_reported", [])
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter([tmp_path / "cache"]))
    return tmp_path / "cache"


@pytest.fixture
def no_delay(monkeypatch):
    monkeypatch.setattr(notices, "DELAY", 0.0)


def timers():
    return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def join_timers():
    for timer in timers():
        timer.join()


def messages(caplog):
    """All messages, which must come from the logger `spinsync`."""
    assert {record.name for record in caplog.records} <= {"spinsync"}
    return [record.getMessage() for record in caplog.records]


def long_work():
    """Lasts until all timers have fired."""
    join_timers()


def test_a_long_compilation_logs_what_is_compiled_and_where_it_is_cached(folder, no_delay, caplog):
    with compiling_notice("the kernels of two groups"):
        long_work()
    what = "spinsync compiles the kernels of two groups, which takes a while"
    assert messages(caplog) == [f"{what}; the result is kept in {folder} for the next time."]


def test_the_message_comes_after_two_seconds():
    with compiling_notice("this"):
        (timer,) = timers()
        assert timer.interval == 2.0
        assert timer.daemon  # does not keep the process alive


@pytest.mark.parametrize("fails", [False, True])
def test_a_short_compilation_logs_nothing(fails, folder, monkeypatch, caplog):
    monkeypatch.setattr(notices, "DELAY", 0.5)
    try:
        with compiling_notice("this"):
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    join_timers()
    assert messages(caplog) == []


def test_nothing_is_logged_twice(folder, no_delay, caplog):
    for what in ("this", "that", "this"):
        with compiling_notice(what):
            long_work()
    notices._report("that")  # from another thread that started before
    assert [message.split(",")[0] for message in messages(caplog)] == ["spinsync compiles this", "spinsync compiles that"]


def test_nested_compilations_log_nothing(folder, no_delay, caplog):
    def inner():
        with compiling_notice("a part"):
            long_work()

    with compiling_notice("the whole"):
        inner()
        in_background(inner)()  # in another thread
    assert [message.split(",")[0] for message in messages(caplog)] == ["spinsync compiles the whole"]
    inner()
    assert len(messages(caplog)) == 2


def test_without_a_cache_no_folder_is_claimed(folder, no_delay, caplog):
    folder.touch()  # a file instead of a folder
    with compiling_notice("this"):
        long_work()
    assert messages(caplog) == ["spinsync compiles this, which takes a while."]


@pytest.mark.parametrize(("filters", "silent"), [
    ([("error",)], True), ([("error", UserWarning)], True), ([], False), ([("error", DeprecationWarning)], False),
    ([("error",), ("default",)], False), ([("default",), ("error",)], True),
])  # fmt: skip
def test_nothing_is_logged_if_warnings_are_errors(filters, silent, folder, no_delay, caplog):
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for one in filters:
            warnings.simplefilter(*one)
        warnings.filterwarnings("error", message="some")  # applies to some warnings only
        with compiling_notice("this"):
            long_work()
    message = f"spinsync compiles this, which takes a while; the result is kept in {folder} for the next time."
    assert messages(caplog) == ([] if silent else [message])


SMALL = """
from spinsync.base.compiled import compiled


@compiled({signature!r})
def inner(x):
    return 2.0 * x


@compiled({signature!r})
def times(x):
    return inner(x)
"""


def slow(monkeypatch):
    """Slow down compiler and disk beyond the delay of the message."""
    from numba.core.dispatcher import _FunctionCompiler

    compile_, load = _FunctionCompiler.compile, compile_cache.load
    monkeypatch.setattr(_FunctionCompiler, "compile", lambda *given: (long_work(), compile_(*given))[1])
    monkeypatch.setattr(compile_cache, "load", lambda *given: (time.sleep(0.2), load(*given))[1])


@pytest.mark.parametrize("signature", [None, "float64(float64)"])
@pytest.mark.parametrize("name", ["small", "spinsync_small_0123456789abcdef0123"])
def test_kernels_log_their_compilation_but_not_their_loading_from_disk(
    name, signature, folder, no_delay, tmp_path, monkeypatch, caplog
):
    slow(monkeypatch)
    path, text = tmp_path / f"{name}.py", SMALL.format(signature=signature)
    path.write_text(text)
    for k in range(2):
        module = ModuleType(name)
        module.__file__ = str(path)
        exec(compile(text, str(path), "exec"), vars(module))
        assert module.times(3.0) == 6.0
        assert sum(module.times.machine_code.stats.cache_hits.values()) == k
        join_timers()
        kept = f"the result is kept in {folder} for the next time."
        assert messages(caplog) == [f"spinsync compiles small.times, which takes a while; {kept}"] * (k == 0)
        caplog.clear()
        notices._reported.clear()


SCRIPT = """
import sys, threading
sys.path.insert(0, {folder!r})
from numba import njit
from numba.core.dispatcher import _FunctionCompiler
from spinsync.base import notices
notices.DELAY = 0.0
compile_ = _FunctionCompiler.compile

def slowly(*given):
    [thread.join() for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    return compile_(*given)

_FunctionCompiler.compile = slowly
from small import times
print(times(3.0), njit(lambda x: x)(1.0))
"""


def test_the_message_goes_to_standard_error_of_the_first_process_only(tmp_path):
    (tmp_path / "small.py").write_text(SMALL.format(signature=None))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    environment |= {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", SCRIPT.format(folder=str(tmp_path))]
    lines = []
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout == "6.0 1.0\n"
        lines.append(done.stderr)
    kept = f"the result is kept in {tmp_path}/spinsync-cache for the next time."
    assert lines == [f"spinsync compiles small.times, which takes a while; {kept}\n", ""]
