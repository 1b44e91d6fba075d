"""Slow, browser and Dask tests are skipped unless selected; matplotlib without windows; reproducible hypothesis tests."""

import signal

import matplotlib as mpl
import pytest
from hypothesis import settings

from browser import chromium

mpl.use("Agg")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells do for background jobs
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("spinsync", derandomize=True, deadline=None, database=None)
settings.load_profile("spinsync")

SLICES = (0, 1, 2)
SKIPPED = {
    "slow": "slow test: pytest -m slow runs it",
    "browser": "test in a browser: pytest -m browser runs it",
    "dask": "test with a Dask cluster: pytest -m dask runs it",
}


def check_slice(item: pytest.Item, marker: pytest.Mark) -> None:
    """Every slow test belongs to a slice, or .ci/run would never run it."""
    if marker.args or set(marker.kwargs) != {"slice"} or marker.kwargs["slice"] not in SLICES:
        raise pytest.UsageError(f"{item.nodeid}: `slow` must have slice=0, 1 or 2, but has {marker.args} {marker.kwargs}.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow, browser and Dask tests unless -m names them; the reason says how to run them."""
    for item in items:
        for name, reason in SKIPPED.items():
            marker = item.get_closest_marker(name)
            if marker is None:
                continue
            if name == "slow":
                check_slice(item, marker)
            if name not in config.option.markexpr:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium."""
    with chromium() as opened:
        yield opened
