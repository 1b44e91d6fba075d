"""The peak of fused multiply-adds of one core, and what share of it a kernel reaches."""

from __future__ import annotations

import re
import time

import numpy as np
from numba import njit

from spinsync.regimes.kernels.lanes import Layout, code
from spinsync.theory.mean_field import spin_equation


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
    """Floating-point operations per second of one core, as many multiply-adds as it can do."""
    _multiply_add(10, 0.999)
    best = np.inf
    for _ in range(5):
        begin = time.perf_counter()
        _multiply_add(2_000_000, 0.999)
        best = min(best, time.perf_counter() - begin)
    return 2 * 80 * 2_000_000 / best


def operations(layout: Layout) -> int:
    """Additions, multiplications, divisions and roots of one step of one lane: of vectors, as LLVM is given the kernel."""
    written = code(layout, spin_equation)
    return len(re.findall(rf"= (?:f(?:add|sub|mul|div)|call \S+ <) .*<?{layout.lanes} x double>", written))
