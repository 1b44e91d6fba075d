"""Mean-field trajectories of M groups in SIMD lanes: compiles `lane_kernel.py` and calls it in threads."""

from __future__ import annotations

from functools import partial
from types import ModuleType

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.generated import built_once
from spinsync.base.native import NativeFunction, native
from spinsync.base.translation import Argument, Program, source_of, translate
from spinsync.regimes.kernels import lane_kernel, measure_kernel
from spinsync.regimes.kernels import layout as layouts
from spinsync.regimes.kernels.fixed_points import FixedPointKernels, in_chunks
from spinsync.regimes.kernels.layout import MAX_UNROLLED, VECTOR_LANES, Layout, parameters_type

SOURCES = (lane_kernel, measure_kernel)


def signature(layout: Layout) -> dict[str, Argument]:
    """The types of the arguments of the kernel."""
    number, index, row, truth = Argument("float64"), Argument("int64"), Argument("float64", ()), Argument("bool", ())
    return dict(
        W=Argument(layout.row), P=Argument(parameters_type(layout.groups), ()),
        Y=Argument("float64", (layout.groups, layout.components)), spans=row,
        rtol=number, atol=number, max_steps=number,
        first=index, last=index, out=Argument("float64", (layout.sum_count,)), steps=row, finished=truth,
    )  # fmt: skip


def code(layout: Layout, equation: ModuleType) -> str:
    """The LLVM code of the kernel."""
    kept_loops = {"lane", "row"} if layout.groups <= MAX_UNROLLED else None
    program = Program.of(
        *SOURCES, equation, constants={"layout": layout}, keeps_loop=lambda name: kept_loops is None or name in kept_loops
    )
    return translate(program, "run", signature(layout))


@built_once
def kernel(layout: Layout, equation: ModuleType) -> NativeFunction:
    """The compiled kernel; its machine code is cached on disk."""
    kind = f"_{'measured' if layout.measured else 'plain'}{'_tangent' * layout.tangent}"
    sources = "".join(map(source_of, (*SOURCES, layouts, equation))) + repr(layout)
    return native(f"lanes_{layout.groups}{kind}.run", "run", signature(layout), sources, partial(code, layout, equation))


def aligned_row(layout: Layout) -> Array:
    """An empty record of all lanes, aligned so that each vector lies within one cache line."""
    memory = np.zeros(layout.row.itemsize // 8 + VECTOR_LANES)
    begin = -(memory.ctypes.data // 8) % VECTOR_LANES
    return memory[begin : begin + layout.row.itemsize // 8].view(layout.row).reshape(())


class Lanes:
    """The kernels for one layout and one equation. They advance states (trajectory, component) in place."""

    chunked = True  # each thread takes a chunk of the points through several calls, so that the chunk stays in its cache

    def __init__(self, layout: Layout, equation: ModuleType) -> None:
        self.layout, self.equation = layout, equation
        self.fixed_points = FixedPointKernels(equation)

    def advance(
        self, parameters: Array, states: Array, spans: Array, rtol: float, atol: float, max_steps: float
    ) -> tuple[Array, Array, Array]:
        """Advance each trajectory by its duration in `spans`, in place. Returns sums over the window (records), numbers of
        steps, and which trajectories reached the end, each of shape (trajectory,)."""
        layout, count, run = self.layout, len(states), kernel(self.layout, self.equation)
        sums, steps, finished = np.empty((count, layout.sum_count)), np.empty(count), np.empty(count, bool)
        y = states.reshape(count, layout.groups, layout.components)

        def work(first: int, last: int) -> None:
            run(aligned_row(layout), parameters, y, spans, rtol, atol, max_steps, first, last, sums, steps, finished)

        in_chunks(work, count)
        return layout.by_name(sums), steps, finished & np.isfinite(states).all(axis=1)
