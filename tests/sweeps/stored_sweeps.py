"""What tests of stored sweeps share: the files of a store, records of calls, and functions that processes can import."""

import os
from collections import Counter
from pathlib import Path

import numpy as np


def files(store) -> dict[str, bytes]:
    """The content of all files of a store but those that differ from run to run."""
    store = Path(store)
    found = {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if not name.startswith("sweep/") or name == "sweep/zarr.json"}


def differing(one, other) -> list[str]:
    """Names of the files by which two stores differ."""
    a, b = files(one), files(other)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def everything(store) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of every file of a store, except that the lock is free to be opened."""
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in Path(store).rglob("*") if path.is_file()}


def note(folder, what) -> None:
    """Add a line to the record of calls; several processes may do so at once."""
    handle = os.open(Path(folder) / "calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{what}\n".encode())
    os.close(handle)


def calls(folder) -> Counter:
    """How often each call was recorded."""
    path = Path(folder) / "calls"
    return Counter(path.read_text().split()) if path.exists() else Counter()


def forget(folder) -> None:
    (Path(folder) / "calls").unlink(missing_ok=True)


def noted_square(x, folder):
    note(folder, f"{x:g}")
    return float(x) ** 2


def noted_product(x, y, folder, seed=0):
    note(folder, f"{x:g},{y:g},{seed % 1000}")
    return np.array([x * y, x - y + seed % 7])
