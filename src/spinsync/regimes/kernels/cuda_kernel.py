"""The kernels on a graphics processor, one thread per trajectory, before `unroll.py` writes them out.

With one lane the record W is a handful of scalars, which stay in registers while a thread takes its steps; W[i] is the
i-th of them. Between two launches they lie in `rows` (number, trajectory), so that neighbouring threads read neighbouring
numbers. `cuda` is numba's module; it, W and the layout are no arguments of what is written.
"""

from __future__ import annotations

from typing import Any

from spinsync.base.arrays import Array
from spinsync.regimes.kernels.lane_kernel import attempt_step, load_trajectory
from spinsync.regimes.kernels.layout import Layout


def begin(cuda: Any, layout: Layout, W: Any, P: Array, Y: Array, spans: Array, rows: Array) -> None:
    """The numbers of each trajectory at its start."""
    n = cuda.grid(1)
    if n < spans.size:
        load_trajectory(layout, W, 0, n, P, Y, spans)
        for i in range(layout.row_length):
            rows[i, n] = W[i]


def resume(
    cuda: Any, layout: Layout, W: Any, active: Array, rows: Array, rtol: float, atol: float, max_steps: float,
    max_new_steps: int, moving: Array,
) -> None:  # fmt: skip
    """At most `budget` steps of each chosen trajectory; whether it has yet to come to its end."""
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
