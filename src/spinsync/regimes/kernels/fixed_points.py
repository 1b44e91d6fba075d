"""Fixed points and implicit steps of many trajectories: compiles `fixed_point_kernel.py` and calls it in threads."""

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

CHUNKS = (128, 8192)  # smallest and largest number of trajectories of a chunk
MAX_IMPLICIT_STEPS = 500  # enough for a slow motion: a decade of time takes about thirty steps


def signatures(groups: int) -> dict[str, dict[str, Argument]]:
    """The types of the arguments of the kernels."""
    size = 3 * groups
    real, index, row, truth = Argument("float64"), Argument("int64"), Argument("float64", ()), Argument("bool", ())
    rows, p, chunk = Argument("float64", (size,)), Argument(parameters_type(groups), ()), dict(first=index, last=index)
    return {
        "find_fixed_points": dict(
            P=p, Y=rows, incoherent=truth, radius=real, **chunk, states=rows, frequencies=row, distances=row
        ),
        "jacobians": dict(P=p, states=rows, frequencies=row, **chunk, out=Argument("float64", (size, size))),
        "advance_implicitly": dict(P=p, Y=rows, spans=row, rtol=real, atol=real, max_steps=index, **chunk, finished=truth),
    }


def code(name: str, groups: int, equation: ModuleType) -> str:
    """The LLVM code of a kernel."""
    program = Program.of(fixed_point_kernel, equation, constants={}, keeps_loop=lambda _: True)
    return translate(program, name, signatures(groups)[name])


@built_once
def kernel(name: str, groups: int, equation: ModuleType) -> NativeFunction:
    """The compiled kernel of this name, one of those in `signatures`; its machine code is cached on disk."""
    sources = source_of(fixed_point_kernel) + source_of(equation)
    return native(
        f"fixed_points_{groups}.{name}", name, signatures(groups)[name], sources, partial(code, name, groups, equation)
    )


def in_chunks(work: Callable[[int, int], T], count: int) -> list[T]:
    """The results of work(first, last) for chunks of `count` trajectories in threads; chunks must be independent."""
    bounds, workers = [0], thread_count()
    while bounds[-1] < count:  # half of the rest is shared by all threads, which balances their load
        left = count - bounds[-1]
        bounds.append(bounds[-1] + min(left, max(CHUNKS[0], min(CHUNKS[1], left // (2 * workers)))))
    chunks = list(pairwise(bounds))
    check_interrupt()
    return parallel_map(lambda chunk: work(*chunk), chunks)


@dataclass(frozen=True)
class FixedPointKernels:
    """The kernels for one equation of any number of groups; states (trajectory, 3 groups), parameter records (trajectory,)."""

    equation: ModuleType

    def find_fixed_points(
        self, parameters: Array, states: Array, incoherent: Array, radius: float
    ) -> tuple[Array, Array, Array]:
        """Fixed points near `states`: distances (trajectory,), fixed points, frequencies (trajectory,) of their frames.

        The distance is the path length of Newton's method; inf if it did not converge within `radius` (relative to the
        largest |s|). If `incoherent` (trajectory,), the fixed point without coherence is sought.
        """
        found, frequencies, distances = np.empty(states.shape), np.empty(len(states)), np.empty(len(states))
        self._run("find_fixed_points", parameters, states, (incoherent, radius), (found, frequencies, distances))
        return distances, found, frequencies

    def jacobians(self, parameters: Array, states: Array, frequencies: Array) -> Array:
        """Jacobians (trajectory, 3 groups, 3 groups) of the flow in frames that rotate at `frequencies`."""
        out = np.empty((*states.shape, states.shape[1]))
        self._run("jacobians", parameters, states, (frequencies,), (out,))
        return out

    def advance_implicitly(self, parameters: Array, states: Array, spans: Array, rtol: float, atol: float) -> Array:
        """Advance slow `states` by long `spans`, up to a common phase; which reached the end. The others are unchanged."""
        finished = np.zeros(len(states), bool)
        self._run("advance_implicitly", parameters, states, (spans, rtol, atol, MAX_IMPLICIT_STEPS), (finished,))
        return finished

    def _run(self, name: str, parameters: Array, states: Array, given: tuple[Any, ...], out: tuple[Array, ...]) -> None:
        call = kernel(name, states.shape[1] // 3, self.equation)
        in_chunks(lambda first, last: call(parameters, states, *given, first, last, *out), len(states))


def growth_rates(jacobian: Array, incoherent: Array) -> Array:
    """The largest growth rate of perturbations of each fixed point, (point,), without the zero of the common phase.

    jacobian: (point, 3 groups, 3 groups). incoherent: (point,), whether the coherence is zero, so that there is no phase.
    """
    if jacobian.shape[1] == 3:
        return _growth_rate_of_one_group(jacobian, incoherent)
    values = np.linalg.eigvals(jacobian)
    rates = values.real.copy()
    coherent = np.flatnonzero(~incoherent)
    rates[coherent, np.argmin(abs(values[coherent]), axis=1)] = -np.inf
    return np.asarray(rates.max(axis=1))


def _growth_rate_of_one_group(j: Array, incoherent: Array) -> Array:
    """One group: without the phase, a quadratic equation remains; at zero coherence, the growth rates of s and of z."""
    trace = np.trace(j, axis1=1, axis2=2)
    minors = sum(j[:, a, a] * j[:, b, b] - j[:, a, b] * j[:, b, a] for a, b in ((0, 1), (0, 2), (1, 2)))
    coherent = trace / 2 + np.sqrt(np.maximum(trace**2 / 4 - minors, 0.0))
    return np.asarray(np.where(incoherent, np.maximum(j[:, 0, 0], j[:, 2, 2]), coherent))
