"""Many trajectories of M-group mean field side by side in vector lanes: calls of `lane_kernel.py` over threads."""

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
from spinsync.regimes.kernels.fixed_points import FixedPoints, shared
from spinsync.regimes.kernels.layout import UNROLLED, VECTOR, Layout, parameters_type

SOURCES = (lane_kernel, measure_kernel)


def signature(layout: Layout) -> dict[str, Argument]:
    """The arguments of the kernel."""
    number, index, row, truth = Argument("float64"), Argument("int64"), Argument("float64", ()), Argument("bool", ())
    return dict(
        W=Argument(layout.row), P=Argument(parameters_type(layout.groups), ()),
        Y=Argument("float64", (layout.groups, layout.parts)), spans=row,
        rtol=number, atol=number, most_steps=number, first=index, last=index,
        out=Argument("float64", (layout.summed,)), steps=row, finished=truth,
    )  # fmt: skip


def code(layout: Layout, equation: ModuleType) -> str:
    """The kernel as LLVM is given it."""
    stays = {"lane", "row"} if layout.groups <= UNROLLED else None
    program = Program.of(
        *SOURCES, equation, constants={"layout": layout}, keeps_loop=lambda name: stays is None or name in stays
    )
    return translate(program, "run", signature(layout))


@built_once
def kernel(layout: Layout, equation: ModuleType) -> NativeFunction:
    """The kernel, whose machine code is kept on disk."""
    kind = f"_{'measured' if layout.measured else 'plain'}{'_tangent' * layout.tangent}"
    sources = "".join(map(source_of, (*SOURCES, layouts, equation))) + repr(layout)
    return native(f"lanes_{layout.groups}{kind}.run", "run", signature(layout), sources, partial(code, layout, equation))


def room(layout: Layout) -> Array:
    """The numbers of all lanes, of which every vector lies within one line of the cache."""
    memory = np.zeros(layout.row.itemsize // 8 + VECTOR)
    begin = -(memory.ctypes.data // 8) % VECTOR
    return memory[begin : begin + layout.row.itemsize // 8].view(layout.row).reshape(())


class Lanes:
    """The kernels for one layout and one equation; states (trajectory, component) are moved on in place."""

    shares = True  # threads may each take theirs through several calls; what one of them works on stays in its cache

    def __init__(self, layout: Layout, equation: ModuleType) -> None:
        self.layout, self.equation = layout, equation
        self.fixed_points = FixedPoints(equation)

    def advance(
        self, parameters: Array, states: Array, spans: Array, rtol: float, atol: float, most_steps: float
    ) -> tuple[Array, Array, Array]:
        """Move `states` on by `spans`; sums (trajectory,) by name, steps taken, and whether each came to its end."""
        layout, count, run = self.layout, len(states), kernel(self.layout, self.equation)
        sums, steps, finished = np.empty((count, layout.summed)), np.empty(count), np.empty(count, bool)
        y = states.reshape(count, layout.groups, layout.parts)

        def work(first: int, last: int) -> None:
            run(room(layout), parameters, y, spans, rtol, atol, most_steps, first, last, sums, steps, finished)

        shared(work, count)
        return layout.named(sums), steps, finished & np.isfinite(states).all(axis=1)
