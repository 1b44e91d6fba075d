"""The copied programs of the explorer, run as a visitor would run them."""

import contextlib
import io
import sys

import matplotlib.pyplot as plt
import pytest

from explorer_visitor import served


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Runs a program in a folder of its own, without anywidget; gives its names and what it prints."""

    def run(code, figure):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setitem(sys.modules, "anywidget", None)
        names = {}
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(compile(code, "copied", "exec"), names)
        plt.close("all")
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")
        assert code.rstrip().endswith(f'ss.plot.save(figure, "{figure}")')
        return names, said.getvalue()

    return run


@pytest.fixture(scope="module")
def address():
    """Of an explorer that runs."""
    with served() as (where, _):
        yield where


@pytest.fixture
def context(browser):
    """A window of a laptop's size."""
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()
