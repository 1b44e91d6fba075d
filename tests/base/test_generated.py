"""Generated modules are built once, by one thread at a time; an end-of-file error is not an interruption."""

import errno
import gc
import importlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import typer

from spinsync.base import compile_cache
from spinsync.base.generated import TRIES, built_once, generated
from spinsync.interfaces.command import app, run
from spinsync.regimes.kernels import lanes
from spinsync.regimes.kernels.layout import Layout
from spinsync.theory.mean_field import equations

MISMATCH = "AST constructor recursion depth mismatch (before=30, after=12)"


@pytest.fixture
def frequent_switches():
    """Threads switch within the parser: a garbage collection runs Python code, as it does under Dask."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def switch(phase, info):
        time.sleep(1e-6)  # lets another thread run

    sys.setswitchinterval(1e-6)
    gc.set_threshold(100)
    gc.callbacks.append(switch)
    yield
    gc.callbacks.remove(switch)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def test_threads_that_need_kernels_at_once_wait_for_each_other(frequent_switches, monkeypatch):
    titles = []
    monkeypatch.setattr(lanes, "native", lambda title, *rest: titles.append(title) or [rest])
    lanes.kernel.cache_clear()
    layouts = [Layout(1, measured=k > 0, tangent=k > 1) for k in range(3)]
    start = threading.Barrier(6)

    def request(layout):
        start.wait()
        return lanes.kernel(layout, equations)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(request, 2 * layouts))
    lanes.kernel.cache_clear()
    assert sorted(titles) == ["lanes_1_measured.run", "lanes_1_measured_tangent.run", "lanes_1_plain.run"]
    assert all(one is other for one, other in zip(found[:3], found[3:], strict=True))


@pytest.mark.parametrize(("failures", "message"), [(TRIES - 1, MISMATCH), (TRIES, MISMATCH), (1, "another")])
def test_a_parser_error_caused_by_other_threads_is_retried(failures, message):
    calls = []

    @built_once
    def make(name):
        calls.append(name)
        if len(calls) <= failures:
            raise SystemError(message)
        return name

    if failures < TRIES and message == MISMATCH:
        assert make("a") == make("a") == "a"
        assert len(calls) == TRIES
    else:
        with pytest.raises(SystemError, match=message[:5]):
            make("a")
        assert len(calls) == failures


def test_the_source_of_a_module_is_stored_in_the_cache_if_there_is_one(tmp_path, monkeypatch):
    folders = [tmp_path / "first"]
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter(folders))
    source = "from spinsync.theory.mean_field.equations import spin\n\nx = 1\n"
    module = generated("trial", source, [equations])
    assert sys.modules[module.__name__] is module
    assert module.x == 1
    assert (folders[0] / f"{module.__name__}.py").read_text() == source
    (folders[0] / f"{module.__name__}.py").write_text("x = 2\n")  # content that contradicts the hash in the name
    assert generated("trial", source, [equations]).x == 1
    assert (folders[0] / f"{module.__name__}.py").read_text() == source
    folders.clear()
    monkeypatch.setattr(compile_cache, "_reported", ["reported"])
    assert generated("trial", source, [equations]).x == 1
    assert generated("trial", source + "\n", [equations]).__name__ != module.__name__


class Kernel:
    """The attributes of a kernel, its device and its code that numba-cuda's cache uses."""

    codegen = SimpleNamespace(magic_tuple=lambda: ("sm", 90))

    @staticmethod
    def _reduce_states():
        return {}


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="needs numba-cuda: pip install 'numba-cuda[cu12]'")
def test_damage_of_numba_cudas_own_cache_is_ignored(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    text = (
        "from spinsync.base.machine_code import compiled_for_device\n\n\n@compiled_for_device\ndef kernel(x):\n    x[0] = 1.0\n"
    )
    (tmp_path / "device_trial.py").write_text(text)
    cache = importlib.import_module("device_trial").kernel._cache
    context = SimpleNamespace(refresh=lambda: None, codegen=lambda: Kernel.codegen)
    for damage in (b"", b"garbage"):
        cache.save_overload("signature", Kernel)
        index, data = sorted(tmp_path.rglob("*.nb[ic]"), reverse=True)
        for path in (index, data):
            path.write_bytes(damage)
            assert cache.load_overload("signature", context) is None
    cache.save_overload("signature", Kernel)
    assert index.stat().st_size > 50
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    cache.save_overload("signature", Kernel)


def test_an_end_of_file_error_is_not_an_interruption(capsys, monkeypatch):
    def ends():
        raise EOFError("Ran out of input")

    def leaves():
        raise typer.Abort

    for command, status in ((ends, None), (leaves, 130)):
        monkeypatch.setattr(app, "registered_commands", [])
        app.command("x")(command)
        app.command("y")(command)
        if status is None:
            with pytest.raises(EOFError, match="Ran out of input"):
                run(["x"])
            assert "Interrupted" not in capsys.readouterr().err
        else:
            assert run(["x"]) == status
            assert capsys.readouterr().err.strip() == "Interrupted; nothing was written."
