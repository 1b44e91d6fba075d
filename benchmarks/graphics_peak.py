"""The multiply-add peak of a GPU in double precision."""

from __future__ import annotations

import time

import numpy as np
from numba import cuda

CHAINS = 8  # independent chains of operations per thread
ROUNDS = 20_000
BLOCKS, THREADS = 4096, 256


@cuda.jit
def multiply_add(count, factor, out):
    n = cuda.grid(1)
    a, b, c, d = 1.0 + n, 2.0 + n, 3.0 + n, 4.0 + n
    e, f, g, h = 5.0 + n, 6.0 + n, 7.0 + n, 8.0 + n
    for _ in range(count):
        a = a * factor + 1e-9
        b = b * factor + 1e-9
        c = c * factor + 1e-9
        d = d * factor + 1e-9
        e = e * factor + 1e-9
        f = f * factor + 1e-9
        g = g * factor + 1e-9
        h = h * factor + 1e-9
    out[n] = a + b + c + d + e + f + g + h


def peak_of_graphics() -> float:
    """Floating-point operations per second, for fused multiply-adds."""
    out = cuda.device_array(BLOCKS * THREADS)
    best = np.inf
    for count in (10, *[ROUNDS] * 5):  # the first compiles
        begin = time.perf_counter()
        multiply_add[BLOCKS, THREADS](count, 0.999, out)
        cuda.synchronize()
        best = min(best, time.perf_counter() - begin) if count == ROUNDS else best
    return 2.0 * CHAINS * ROUNDS * BLOCKS * THREADS / best


def name() -> str:
    given = cuda.get_current_device().name
    return given.decode() if isinstance(given, bytes) else str(given)
