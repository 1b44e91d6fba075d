"""Time of the first trajectories of a kernel in a new process: compiled, and loaded from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import numpy as np

from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import Layout, parameters_type
from spinsync.theory.mean_field import equations

KINDS = {"plain": (False, False), "measured": (True, False), "with a tangent vector": (True, True)}
ONE = """
import sys, time
from benchmarks.compiling import first_trajectories
import llvmlite.binding, numba.core.typed_passes, scipy.linalg  # their import time is not counted
begin = time.perf_counter()
first_trajectories(int(sys.argv[1]), sys.argv[2])
print(time.perf_counter() - begin)
"""


def first_trajectories(groups: int, kind: str) -> None:
    """Compute a few trajectories with the kernel of a layout."""
    kernel = Lanes(Layout(groups, *KINDS[kind]), equations)
    parameters = np.ones(4, parameters_type(groups))
    kernel.advance(parameters, np.full((4, kernel.layout.state_size), 0.1), np.ones(4), 1e-6, 1e-9, 1e5)


def seconds(groups: int, kind: str, folder: str) -> float:
    environment = os.environ | {"NUMBA_CACHE_DIR": folder}
    command = [sys.executable, "-c", ONE, str(groups), kind]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def measure(groups: tuple[int, ...] = (1, 2, 3)) -> list[dict[str, object]]:
    """Print and return the time of each kernel with an empty cache and with a filled one."""
    rows: list[dict[str, object]] = []
    for count in groups:
        for kind in KINDS:
            with tempfile.TemporaryDirectory() as folder:
                cold, warm = (seconds(count, kind, folder) for _ in range(2))
            rows.append({"groups": count, "kernel": kind, "compiled": cold, "from_cache": warm})
            print(f"{count} groups {kind:<22} compiled in {cold:5.2f} s, from the cache {warm:.3f} s", flush=True)
    return rows
