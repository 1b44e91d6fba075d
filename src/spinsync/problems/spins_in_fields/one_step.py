"""Sweeps of very many spins that couple only through a few mean fields: all of them advance by one step in given fields.

A field is a polynomial on the step, given by DEGREE Legendre coefficients. A sweep integrates every spin over the whole step
in that field, exactly up to the tolerance of its Taylor series, and returns the Legendre coefficients of the means of the
groups. These are integrals over the true motion and no samples of it: a rotation too fast for the polynomial averages out
and is not aliased to a slow one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import legendre

from spinsync.base.generated import built_once, generated
from spinsync.base.interrupts import check_interrupt
from spinsync.base.parallel import parallel_map, thread_count, thread_limit

if TYPE_CHECKING:
    from spinsync.problems.spins_in_fields.record import SpinsInFields

DEGREE = 8  # Legendre coefficients of a field
SERIES_TOLERANCE = 1e-2  # error of a Taylor series, as a share of the tolerance
FAST_TOLERANCE = 0.1  # error of `fast_spin`, as a share of the tolerance
EXTRA = 4  # further Legendre coefficients of the means, which the field leaves out
MOST_ORDER = 28  # highest order of a Taylor series
VECTOR = 8  # partial sums of a sum over lanes, for SIMD
LANES = 64  # spins side by side
LONGEST_SUBSTEP = 5.0  # largest rate times length of a substep
MOST_ROTATION = 32.0  # radians per step up to which substeps are used; beyond, upward recursion of Bessel functions is stable
CHUNK = 4096  # spins
FAST_RATIO = 8.0  # detuning divided by the largest rate of a resonant spin above which `fast_spin` is accurate
SERIAL = 20_000  # spins below which threads cost more than they save

HEAD = '''"""Written by spinsync.problems.spins_in_fields.one_step; not to be edited."""

import math

import numpy as np
from spinsync.base.compiled import compiled

from {equation} import fast_spin, field_terms, free_terms

fast = compiled(fastmath={{"contract", "reassoc", "nsz", "arcp"}})
fast_spin, field_terms, free_terms = (fast(one.function) for one in (fast_spin, field_terms, free_terms))


'''


@built_once
def _kernels(equation: ModuleType) -> Any:
    text = (Path(__file__).parent / "taylor_kernel.py").read_text(encoding="utf-8")
    constants = dict(
        DEGREE=DEGREE, MOST_ORDER=MOST_ORDER, LANES=LANES, VECTOR=VECTOR, LONGEST_SUBSTEP=LONGEST_SUBSTEP,
        MOST_ROTATION=MOST_ROTATION, FAST_RATIO=FAST_RATIO,
    )  # fmt: skip
    numbers = "".join(f"{name} = {value}\n" for name, value in constants.items())
    numbers += f"UNRESOLVED = np.array({_unresolved(np.arange(1025) / 16).tolist()})\n"
    head, order, tail = re.split(r"(?=def order_terms|def add_lanes)", text[text.index("def shift_polynomial") :])
    orders = "".join(order.replace("order_terms", f"order_{n}").replace("TERMS", str(n)) for n in range(1, DEGREE + 1))
    arguments = "scale, gamma_1, first, field, own, at, total"
    orders += f"def next_order(reach, {arguments}):\n"
    orders += "".join(f"    if reach == {n}:\n        return order_{n}({arguments})\n" for n in range(1, DEGREE))
    orders += f"    return order_{DEGREE}({arguments})\n\n\n"
    body = re.sub("^def ", "@fast\ndef ", head + orders + tail, flags=re.MULTILINE)
    return generated("common_field", HEAD.format(equation=equation.__name__) + numbers + "\n\n" + body, [equation])


POINTS, WEIGHTS = legendre.leggauss((MOST_ORDER + DEGREE + EXTRA) // 2 + 2)  # exact for a series times a Legendre polynomial
NODES = np.stack([(POINTS + 1) / 2, WEIGHTS / 2], axis=1)
# column k: the powers of the Legendre polynomial of degree k
POWERS = np.stack([np.pad(legendre.leg2poly(row[: k + 1]), (0, DEGREE - 1 - k)) for k, row in enumerate(np.eye(DEGREE))], 1)
FIT = (2 * np.arange(DEGREE)[:, None] + 1) / 2 * (legendre.legvander(POINTS, DEGREE - 1).T * WEIGHTS)  # values -> coefficients


def _unresolved(angle: np.ndarray) -> np.ndarray:
    """Mean-square share of exp(i angle x) on -1..1 that the polynomial of a field misses: 1 - sum (2 j + 1) j_j(angle)^2."""
    x, w = legendre.leggauss(64)
    coefficients = np.exp(1j * angle[:, None] * x) * w / 2 @ legendre.legvander(x, DEGREE - 1)
    return np.asarray(np.maximum(1 - (abs(coefficients) ** 2 @ (2 * np.arange(DEGREE) + 1)), 0.0))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A small matrix product without the threads of BLAS, which would wait for those of the sweeps."""
    return np.asarray(np.einsum("ij,jk->ik", a, b))


def values_at(field: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Values (group, share) of a field (group, coefficient) at shares of the step."""
    return _product(field, legendre.legvander(2 * share - 1, DEGREE - 1).T)


def integral(field: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The integral (group, share) of a field from the beginning of the step, in units of the step."""
    p = legendre.legvander(2 * share - 1, DEGREE)
    k = np.arange(1, DEGREE)
    whole = np.concatenate([share[:, None], (p[:, 2:] - p[:, :-2]) / (2 * (2 * k + 1))], axis=1)
    return _product(field, whole.T)


def _square_integrals(field: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The integral (group, share) of |field|^2 from the beginning of the step to each share of it."""
    inner = shares[:, None] * NODES[:, 0]
    square = abs(values_at(field, inner.ravel())) ** 2
    return np.asarray((square.reshape(len(field), *inner.shape) @ NODES[:, 1]) * shares)


@dataclass(frozen=True)
class Sweep:
    """Means of the groups: Legendre coefficients (group, DEGREE + EXTRA) of x + i y over the step; at the output times
    (group, time, 5) x, y, z, and the integrals of x and y in units of the step."""

    coefficients: np.ndarray
    at_times: np.ndarray


class Population:
    """Spins sorted by frequency, in chunks that do not depend on the threads; `start`, `end`: (3, spin)."""

    def __init__(self, problem: SpinsInFields) -> None:
        self.problem, self.kernels = problem, _kernels(problem.equation)
        omega, start = problem.omega, problem.start
        self.sizes = np.array([len(values) for values in omega])
        own = np.diag(problem.coupling) / self.sizes  # the field of a spin on itself, per coherence
        self.rates = np.concatenate([problem.rates, np.stack([own.real, own.imag], axis=1)], axis=1)
        edges = np.concatenate([[0], np.cumsum(self.sizes)])
        count = int(edges[-1])
        self.omega, self.index = np.empty(count), np.empty(count, np.int32 if count < 2**31 else np.int64)  # in `problem`
        self.start, self.end = np.empty((3, count)), np.empty((3, count))
        chunks: list[np.ndarray] = []
        for a, values in enumerate(omega):
            first, last = edges[a], edges[a + 1]
            order = np.argsort(values, kind="stable")
            self.omega[first:last], self.index[first:last] = values[order], first + order
            for k in range(3):
                self.start[k, first:last] = start[a, k] if len(start) == len(omega) else start[first:last, k][order]
            chunks.append(self._chunks(a, first, last))
        self.chunks = np.concatenate(chunks)
        self.fast_error = self._fast_error()
        self.selected = np.empty(0, int)  # of a subsample: its spins in the whole population
        self.impulse = np.zeros((len(omega), 2))  # correction (6.8) that the next sweep applies

    def _chunks(self, group: int, first: int, last: int) -> np.ndarray:
        """Chunks (first, end, group, substeps) of at most CHUNK spins, with detunings from the frame within a factor of 2."""
        octave = np.maximum(np.frexp(abs(self.omega[first:last] - self.problem.frame))[1], 0)
        cuts = [0, *(np.flatnonzero(np.diff(octave)) + 1), last - first]
        bounds = [
            (first + i, first + min(i + CHUNK, high)) for low, high in pairwise(cuts)
            for i in range(low, high, CHUNK)
        ]  # fmt: skip
        return np.array([(*bound, group, 0) for bound in bounds], np.int64)

    def _fast_error(self) -> np.ndarray:
        """Sum of 1/detuning^2 over a chunk and all faster ones, which bounds the error of `fast_spin` in the mean of a group;
        the largest 1/detuning^2 if single spins are needed, (chunk,)."""
        out = np.empty(len(self.chunks))
        for a, size in enumerate(self.sizes):
            own = np.flatnonzero(self.chunks[:, 2] == a)
            ends = abs(self.omega[self.chunks[own, :2] - [0, 1]] - self.problem.frame).min(axis=1)
            errors = 1 / np.maximum(ends, 1e-300) ** 2
            order = np.argsort(-ends)
            counts = np.diff(self.chunks[own, :2], axis=1)[:, 0]
            out[own[order]] = errors[order] if self.problem.each else np.cumsum((errors * counts)[order]) / size
        return out

    def subsample(self, count: int) -> Population:
        """About `count` spins, evenly distributed over the frequencies of each group."""
        edges = np.cumsum([0, *self.sizes])
        taken = [min(size, -(-count * size // edges[-1])) for size in self.sizes]
        picks = [
            edge + (np.arange(n) * size + size // 2) // n for edge, n, size in zip(edges[:-1], taken, self.sizes, strict=True)
        ]
        omega = tuple(self.omega[pick] for pick in picks)
        subsample = Population(replace(self.problem, omega=omega, start=np.zeros((len(picks), 3)), each=False))
        subsample.rates = self.rates
        subsample.selected, subsample.fast_error[:] = np.concatenate(picks), 0.0
        return subsample

    def copy_states(self, whole: Population) -> None:
        """Copy the states of the selected spins from the `whole` population."""
        for k in range(3):
            np.take(whole.start[k], self.selected, out=self.start[k])
        self.impulse = whole.impulse

    def means(self) -> np.ndarray:
        """Means of `start` over the groups, (group, 3), summed chunk by chunk as in a sweep."""
        sums = np.array([self.start[:, b:e].sum(axis=1) for b, e in self.chunks[:, :2]])
        return self._by_group(sums)

    def _by_group(self, sums: np.ndarray) -> np.ndarray:
        return np.stack([sums[self.chunks[:, 2] == a].sum(axis=0) / n for a, n in enumerate(self.sizes)])

    def sweep(
        self, field: np.ndarray, span: float, frame: float, times: np.ndarray, tolerance: float, fastest: float,
        singles: np.ndarray, row: int,
    ) -> Sweep:  # fmt: skip
        """Advance all spins from `start` to `end` in `field` (group, DEGREE), in a frame that rotates at `frame`.

        `times`: output times in units of the step, for the means and, if `singles` (3, time, spin) is not empty, for each
        spin, written from `row` on. `fastest`: largest rate of a resonant spin.
        """
        powers = field @ POWERS.T
        shares = np.concatenate([[0.0], NODES[:, 0], times, [1.0]])
        values, levels = np.ascontiguousarray(values_at(field, shares)), span * _square_integrals(field, shares)
        chunks, count = self.chunks, len(self.chunks)
        split = np.ascontiguousarray(np.stack([powers.real, powers.imag], axis=2))
        accurate = self.fast_error * np.square(fastest) < FAST_TOLERANCE * tolerance
        self.kernels.plan(chunks, self.omega, accurate, fastest, self.rates, split, span, frame, SERIES_TOLERANCE * tolerance)
        moments, at_times = np.empty((count, DEGREE + EXTRA, 2)), np.empty((count, times.size, 5))
        size = max(1, min(8, count // (8 * thread_count())))

        def work(first: int) -> None:
            self.kernels.sweep(
                first, min(first + size, count), chunks, SERIES_TOLERANCE * tolerance, self.rates, self.omega, self.start,
                self.end, self.impulse, split, values, levels, span, frame, NODES, moments, times, at_times, singles, row,
                self.index,
            )  # fmt: skip

        starts = range(0, count, size)
        check_interrupt()
        with thread_limit(1 if self.omega.size < SERIAL else None):
            parallel_map(work, starts)
        mean = self._by_group(moments)
        return Sweep(mean[:, :, 0] + 1j * mean[:, :, 1], self._by_group(at_times))

    def accept(self, impulse: np.ndarray) -> None:
        """Continue from `end`; the next sweep first applies an impulse, complex (group,)."""
        self.start, self.end = self.end, self.start
        self.impulse = np.stack([impulse.real, impulse.imag], axis=1)
