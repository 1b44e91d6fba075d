"""The kernels on a graphics processor, one thread per trajectory, before `unroll.py` unrolls them.

With one lane the record W becomes scalars, which stay in registers during the steps of a thread; W[i] is the i-th scalar.
Between two launches they are stored in `rows` (number, trajectory), so that neighbouring threads access neighbouring numbers.
`cuda` is numba's module. The unrolled kernels do not have the arguments `cuda`, `layout` and `W`.
"""

from __future__ import annotations

from typing import Any

from spinsync.base.arrays import Array
from spinsync.regimes.kernels.lane_kernel import attempt_step, load_trajectory, store_trajectory
from spinsync.regimes.kernels.layout import Layout


def begin(cuda: Any, layout: Layout, W: Any, P: Array, Y: Array, spans: Array, rows: Array) -> None:
    """Write the numbers of each trajectory at its initial state to `rows`."""
    n = cuda.grid(1)
    if n < spans.size:
        load_trajectory(layout, W, 0, n, P, Y, spans)
        for i in range(layout.row_length):
            rows[i, n] = W[i]


def resume(
    cuda: Any, layout: Layout, W: Any, active: Array, rows: Array, rtol: float, atol: float, max_steps: float,
    max_new_steps: int, moving: Array,
) -> None:  # fmt: skip
    """Take at most `max_new_steps` steps of each active trajectory; `moving` says whether it has not reached its end yet."""
    n = cuda.grid(1)
    if n < active.size:
        index = active[n]
        for i in range(layout.row_length):
            W[i] = rows[i, index]
        limit = min(W.steps[0] + max_new_steps, max_steps)
        while W.time[0] < W.span[0] and W.steps[0] < limit:
            attempt_step(layout, W, 0, rtol, atol)
        for i in range(layout.changing_length):
            rows[i, index] = W[i]
        moving[n] = W.time[0] < W.span[0] and W.steps[0] < max_steps


def end(cuda: Any, layout: Layout, W: Any, rows: Array, Y: Array, out: Array, steps: Array, finished: Array) -> None:
    """Write the results of each trajectory, in the order of the host's arrays: it would transpose them much more slowly."""
    n = cuda.grid(1)
    if n < steps.size:
        for i in range(layout.changing_length):
            W[i] = rows[i, n]
        store_trajectory(layout, W, 0, Y, out, steps, finished)
