"""Fixed points of many trajectories at once, and long steps of slow ones: calls of `fixed_point_kernel.py` over threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.generated import built_once
from spinsync.base.interrupts import check_interrupt
from spinsync.base.native import NativeFunction, native
from spinsync.base.parallel import parallel_map, thread_count
from spinsync.base.translation import Argument, Program, source_of, translate
from spinsync.regimes.kernels import fixed_point_kernel
from spinsync.regimes.kernels.layout import parameters_type

T = TypeVar("T")

CHUNKS = (128, 8192)  # fewest and most trajectories that a thread takes at a time
CREEPING = 500  # implicit steps in which a slow motion should have ended: a thirtieth of a decade of time each


def signatures(groups: int) -> dict[str, dict[str, Argument]]:
    """The arguments of the kernels."""
    size = 3 * groups
    number, index, row, truth = Argument("float64"), Argument("int64"), Argument("float64", ()), Argument("bool", ())
    rows, given, part = Argument("float64", (size,)), Argument(parameters_type(groups), ()), dict(first=index, last=index)
    return {
        "look": dict(P=given, Y=rows, dark=truth, around=number, **part, states=rows, frequencies=row, distances=row),
        "jacobians": dict(P=given, states=rows, frequencies=row, **part, out=Argument("float64", (size, size))),
        "creep": dict(P=given, Y=rows, spans=row, rtol=number, atol=number, most_steps=index, **part, finished=truth),
    }


def code(name: str, groups: int, equation: ModuleType) -> str:
    """A kernel as LLVM is given it."""
    program = Program.of(fixed_point_kernel, equation, constants={}, keeps_loop=lambda _: True)
    return translate(program, name, signatures(groups)[name])


@built_once
def kernel(name: str, groups: int, equation: ModuleType) -> NativeFunction:
    """One of the kernels `look`, `jacobians` and `creep`, whose machine code is kept on disk."""
    sources = source_of(fixed_point_kernel) + source_of(equation)
    return native(
        f"fixed_points_{groups}.{name}", name, signatures(groups)[name], sources, partial(code, name, groups, equation)
    )


def shared(work: Callable[[int, int], T], count: int) -> list[T]:
    """work(first, last) for chunks of `count` trajectories over threads; what a chunk does depends on nothing else."""
    bounds, several = [0], thread_count()
    while bounds[-1] < count:  # half of what is left for all threads, so that at the end none has much more to do than others
        left = count - bounds[-1]
        bounds.append(bounds[-1] + min(left, max(CHUNKS[0], min(CHUNKS[1], left // (2 * several)))))
    chunks = list(pairwise(bounds))
    check_interrupt()
    return parallel_map(lambda chunk: work(*chunk), chunks)


@dataclass(frozen=True)
class FixedPoints:
    """The kernels for one equation of any number of groups; states (trajectory, 3 groups), parameters (trajectory,)."""

    equation: ModuleType

    def look(self, parameters: Array, states: Array, dark: Array, around: float) -> tuple[Array, Array, Array]:
        """Fixed points near `states`: distances (trajectory,), states, frequencies (trajectory,) of their frames.

        The distance is how far Newton's method went; inf where it found none, or was more than `around` (relative to the
        largest |s|) away. Where `dark` (trajectory,), the fixed point without any coherence is asked for.
        """
        found, frequencies, distances = np.empty(states.shape), np.empty(len(states)), np.empty(len(states))
        self._run("look", parameters, states, (dark, around), (found, frequencies, distances))
        return distances, found, frequencies

    def jacobians(self, parameters: Array, states: Array, frequencies: Array) -> Array:
        """Derivatives (trajectory, 3 groups, 3 groups) of the rates in frames that rotate at `frequencies`."""
        out = np.empty((*states.shape, states.shape[1]))
        self._run("jacobians", parameters, states, (frequencies,), (out,))
        return out

    def creep(self, parameters: Array, states: Array, spans: Array, rtol: float, atol: float) -> Array:
        """Move slow `states` on by long `spans`, up to a common phase; which came to the end, the others stay as they are."""
        finished = np.zeros(len(states), bool)
        self._run("creep", parameters, states, (spans, rtol, atol, CREEPING), (finished,))
        return finished

    def _run(self, name: str, parameters: Array, states: Array, given: tuple[Any, ...], out: tuple[Array, ...]) -> None:
        call = kernel(name, states.shape[1] // 3, self.equation)
        shared(lambda first, last: call(parameters, states, *given, first, last, *out), len(states))


def growth(jacobian: Array, dark: Array) -> Array:
    """The largest growth rate of deviations from each fixed point, beside the zero of the common phase.

    jacobian: (point, 3 groups, 3 groups). dark: (point,), whether there is no coherence, and so no phase.
    """
    if jacobian.shape[1] == 3:
        return _growth_of_one(jacobian, dark)
    values = np.linalg.eigvals(jacobian)
    rates = values.real.copy()
    bright = np.flatnonzero(~dark)
    rates[bright, np.argmin(abs(values[bright]), axis=1)] = -np.inf
    return np.asarray(rates.max(axis=1))


def _growth_of_one(j: Array, dark: Array) -> Array:
    """One group: beside the phase a quadratic is left; without coherence the rates of s and of z."""
    trace = np.trace(j, axis1=1, axis2=2)
    minors = sum(j[:, a, a] * j[:, b, b] - j[:, a, b] * j[:, b, a] for a, b in ((0, 1), (0, 2), (1, 2)))
    bright = trace / 2 + np.sqrt(np.maximum(trace**2 / 4 - minors, 0.0))
    return np.asarray(np.where(dark, np.maximum(j[:, 0, 0], j[:, 2, 2]), bright))
