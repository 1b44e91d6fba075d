"""Which slow slice runs (SPINSYNC_SLICE: none, 0, 1, 2, all), a backend without windows, and repeatable random families."""

import os
import signal

import matplotlib as mpl
import pytest
from hypothesis import settings

mpl.use("Agg")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("spinsync", derandomize=True, deadline=None, database=None)
settings.load_profile("spinsync")

SLICES = ("0", "1", "2")


def chosen_slice() -> str:
    choice = os.environ.get("SPINSYNC_SLICE", "none") or "none"
    if choice not in ("none", "all", *SLICES):
        raise pytest.UsageError(f"SPINSYNC_SLICE must be none, 0, 1, 2 or all, but is {choice!r}.")
    return choice


def slice_of(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("slow")
    if marker is None:
        return None
    if len(marker.args) != 1 or str(marker.args[0]) not in SLICES:
        raise pytest.UsageError(f"{item.nodeid}: the slice of `slow` must be 0, 1 or 2, but is {marker.args}.")
    return str(marker.args[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests always run; of the slow ones the chosen slice does, and the others say which slice is theirs."""
    choice = chosen_slice()
    for item in items:
        own = slice_of(item)
        if own is not None and choice not in (own, "all"):
            item.add_marker(pytest.mark.skip(reason=f"slow test of slice {own}: set SPINSYNC_SLICE={own} (or all) to run it"))
