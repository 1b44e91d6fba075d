"""Print the seed and the counts, and check that no call leaves files or changes settings."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import qutip  # noqa: F401  # sets a variable of the environment as it is imported
from threadpoolctl import threadpool_info

import ledger
from runs import SEED, clock


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist starts its processes
def pytest_cmdline_main(config: pytest.Config) -> None:
    """One process: there is one seed, and calls are counted over all tests."""
    config.option.numprocesses = 0


def pytest_report_header() -> str:
    return f"fuzz: SPINSYNC_FUZZ_SEED={SEED}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "seconds(count): seconds of a longer test on two idle cores; others take half a second")
    config.addinivalue_line("filterwarnings", "ignore:The cavity")  # any model is asked at any number of spins


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "counts" in item.name)  # counts are complete at the end


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("seconds")
    return float(mark.args[0]) if mark else 0.5


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Give every test its share of the time that is left."""
    items = pyfuncitem.session.items
    rest = items[items.index(pyfuncitem) :]
    with clock.share(_seconds(pyfuncitem) / sum(map(_seconds, rest))):
        yield
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    cut = f" without the time limit, which ended {clock.cut} tests" if clock.cut else ""
    terminalreporter.write_line(f"fuzz: SPINSYNC_FUZZ_SEED={SEED} repeats this run{cut}")
    terminalreporter.write_line(f"fuzz: {ledger.report()}")


def _settings() -> dict[str, Any]:
    """Settings of the user's process, which no call may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rules = {key: str(value) for key, value in mpl.rcParams.items()}
    return {
        "rcParams": rules,
        "threads of BLAS": {one["filepath"]: one["num_threads"] for one in threadpool_info()},
        "folder": os.getcwd(),
        "environment": {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"},
    }


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder and an empty folder of temporary files, both empty again at the end; settings as they were."""
    here, passing = tmp_path / "here", tmp_path / "passing"
    here.mkdir()
    passing.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("TMPDIR", str(passing))
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = _settings()
    yield
    plt.close("all")
    after = _settings()
    for name, value in before.items():
        now = {key: after[name][key] for key in value} if name == "threads of BLAS" else after[name]  # one may be loaded since
        assert now == value, f"{name} differ after the calls"
    left = [path.name for folder in (here, passing) for path in folder.iterdir()]
    assert not left, f"files are left: {left}"
