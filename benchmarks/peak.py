"""The multiply-add peak of one core, and the operations of a kernel."""

from __future__ import annotations

import re
import time

import numpy as np
from numba import njit

from spinsync.regimes.kernels.lanes import code
from spinsync.regimes.kernels.layout import Layout
from spinsync.theory.mean_field import equations


@njit(fastmath={"contract", "reassoc", "nsz"})
def _multiply_add(count: int, factor: float) -> float:
    x = np.empty(80)
    for i in range(80):
        x[i] = 1.0 + i * 1e-3
    for _ in range(count):
        for i in range(80):
            x[i] = x[i] * factor + 1e-9
    return x.sum()


def peak() -> float:
    """Floating-point operations per second of one core, for fused multiply-adds."""
    _multiply_add(10, 0.999)
    best = np.inf
    for _ in range(5):
        begin = time.perf_counter()
        _multiply_add(2_000_000, 0.999)
        best = min(best, time.perf_counter() - begin)
    return 2 * 80 * 2_000_000 / best


def operations(layout: Layout) -> int:
    """Additions, multiplications, divisions and roots of one time step per lane, counted in LLVM's intermediate code."""
    text = code(layout, equations)
    return len(re.findall(rf"= (?:f(?:add|sub|mul|div)|call \S+ <) .*<?{layout.lanes} x double>", text))
