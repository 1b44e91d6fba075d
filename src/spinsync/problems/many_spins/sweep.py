"""Very many members that only meet in a few common fields: layout, and sweeps of all of them through one step.

A field is a polynomial on the step, given by DEGREE Legendre coefficients. A sweep carries every member through the whole
step in that field, exactly but for the tolerance of its Taylor series, and returns the Legendre coefficients of the means
of the groups. These are integrals over the true motion and no samples of it: what turns too fast for the polynomial drops
out instead of being mistaken for something slow.
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
    from spinsync.problems.many_spins.record import ManySpins

DEGREE = 8  # Legendre coefficients of a field
SERIES = 1e-2  # of the tolerance: what a Taylor series may be off
ASYMPTOTIC = 0.1  # of the tolerance: what `swift` may be off
SEEN = 4  # coefficients beyond: what the field leaves out
MOST = 28  # highest order of a Taylor series
VECTOR = 8  # numbers
LANES = 64  # members side by side
SHARE = 5.0  # largest rate times length of a part of a step
FEW_TURNS = 32.0  # radians per step up to which parts are taken: beyond, Bessel functions may be found by going up
CHUNK = 4096  # members
QUICKER = 8.0  # times the quickest rate of a member that does not turn: where `swift` begins to be accurate
SERIAL = 20_000  # members below which threads cost more than they give

HEAD = '''"""Written by spinsync.problems.many_spins.sweep; not to be edited."""

import math

import numpy as np
from spinsync.base.compiled import compiled

from {equation} import driven, free, swift

fast = compiled(fastmath={{"contract", "reassoc", "nsz", "arcp"}})
driven, free, swift = (fast(one.function) for one in (driven, free, swift))


'''


@built_once
def _kernels(equation: ModuleType) -> Any:
    text = (Path(__file__).parent / "taylor_kernel.py").read_text(encoding="utf-8")
    known = dict(DEGREE=DEGREE, MOST=MOST, LANES=LANES, VECTOR=VECTOR, SHARE=SHARE, FEW_TURNS=FEW_TURNS, QUICKER=QUICKER)
    numbers = "".join(f"{name} = {value}\n" for name, value in known.items())
    numbers += f"UNRESOLVED = np.array({_unresolved(np.arange(1025) / 16).tolist()})\n"
    head, one, tail = re.split(r"(?=def order_terms|def fold)", text[text.index("def shifted") :])
    each = "".join(one.replace("order_terms", f"order_{terms}").replace("TERMS", str(terms)) for terms in range(1, DEGREE + 1))
    given = "scale, one, first, field, own, at, total"
    each += f"def next_order(reach, {given}):\n"
    each += "".join(f"    if reach == {n}:\n        return order_{n}({given})\n" for n in range(1, DEGREE))
    each += f"    return order_{DEGREE}({given})\n\n\n"
    body = re.sub("^def ", "@fast\ndef ", head + each + tail, flags=re.MULTILINE)
    return generated("common_field", HEAD.format(equation=equation.__name__) + numbers + "\n\n" + body, [equation])


POINTS, WEIGHTS = legendre.leggauss((MOST + DEGREE + SEEN) // 2 + 2)  # exact for a series times a Legendre polynomial
NODES = np.stack([(POINTS + 1) / 2, WEIGHTS / 2], axis=1)
POWERS = np.stack([np.pad(legendre.leg2poly(row[: k + 1]), (0, DEGREE - 1 - k)) for k, row in enumerate(np.eye(DEGREE))], 1)
FIT = (2 * np.arange(DEGREE)[:, None] + 1) / 2 * (legendre.legvander(POINTS, DEGREE - 1).T * WEIGHTS)  # values -> coefficients


def _unresolved(angle: np.ndarray) -> np.ndarray:
    """The share of exp(i angle x), in the mean square over -1..1, that a field's polynomial can't follow: 1 - sum of
    (2 j + 1) j_j(angle)^2 with spherical Bessel functions."""
    x, w = legendre.leggauss(64)
    parts = np.exp(1j * angle[:, None] * x) * w / 2 @ legendre.legvander(x, DEGREE - 1)
    return np.asarray(np.maximum(1 - (abs(parts) ** 2 @ (2 * np.arange(DEGREE) + 1)), 0.0))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A small product of matrices without the threads of a BLAS, which would wait for those of the sweeps."""
    return np.asarray(np.einsum("ij,jk->ik", a, b))


def at(field: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A field (group, coefficient) at shares of the step: (group, share)."""
    return _product(field, legendre.legvander(2 * share - 1, DEGREE - 1).T)


def integral(field: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The integral of a field from the beginning of the step, in units of the step."""
    p = legendre.legvander(2 * share - 1, DEGREE)
    k = np.arange(1, DEGREE)
    whole = np.concatenate([share[:, None], (p[:, 2:] - p[:, :-2]) / (2 * (2 * k + 1))], axis=1)
    return _product(field, whole.T)


def _levels(field: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The integral of |field|^2 from the beginning of the step to each share of it."""
    inner = shares[:, None] * NODES[:, 0]
    square = abs(at(field, inner.ravel())) ** 2
    return np.asarray((square.reshape(len(field), *inner.shape) @ NODES[:, 1]) * shares)


@dataclass(frozen=True)
class Sweep:
    """Means of the groups: Legendre coefficients over the step, (group, DEGREE + SEEN), of the charged components, and
    (group, mark, 5) at the marks: three components, and the integral of the charged ones in units of the step."""

    coefficients: np.ndarray
    seen: np.ndarray


class Population:
    """Members sorted by how fast they turn, in chunks that don't depend on the threads; `start`, `end`: (3, member)."""

    def __init__(self, problem: ManySpins) -> None:
        self.problem, self.kernels = problem, _kernels(problem.equation)
        omega, start = problem.omega, problem.start
        self.sizes = np.array([len(one) for one in omega])
        alone = np.diag(problem.coupling) / self.sizes  # the field that a member makes itself
        self.rates = np.concatenate([problem.rates, np.stack([alone.real, alone.imag], axis=1)], axis=1)
        edges = np.concatenate([[0], np.cumsum(self.sizes)])
        count = int(edges[-1])
        self.omega, self.place = np.empty(count), np.empty(count, np.int32 if count < 2**31 else np.int64)
        self.start, self.end = np.empty((3, count)), np.empty((3, count))
        chunks: list[np.ndarray] = []
        for a, one in enumerate(omega):
            first, last = edges[a], edges[a + 1]
            order = np.argsort(one, kind="stable")
            self.omega[first:last], self.place[first:last] = one[order], first + order
            for k in range(3):
                self.start[k, first:last] = start[a, k] if len(start) == len(omega) else start[first:last, k][order]
            chunks.append(self._chunks(a, first, last))
        self.chunks = np.concatenate(chunks)
        self.asymptotic = self._asymptotic()
        self.picked = np.empty(0, int)  # of a thinned population: members of the whole one
        self.kick = np.zeros((len(omega), 2))  # what the last step left to be done

    def _chunks(self, group: int, first: int, last: int) -> np.ndarray:
        """Of at most CHUNK members whose distances from the frame lie within a factor of two."""
        octave = np.maximum(np.frexp(abs(self.omega[first:last] - self.problem.frame))[1], 0)
        cuts = [0, *(np.flatnonzero(np.diff(octave)) + 1), last - first]
        bounds = [
            (first + i, first + min(i + CHUNK, high)) for low, high in pairwise(cuts)
            for i in range(low, high, CHUNK)
        ]  # fmt: skip
        return np.array([(*bound, group, 0) for bound in bounds], np.int64)

    def _asymptotic(self) -> np.ndarray:
        """What terms of second order in 1 / frequency can do to the mean of a group, or to single members: from each
        chunk outwards."""
        out = np.empty(len(self.chunks))
        for a, size in enumerate(self.sizes):
            mine = np.flatnonzero(self.chunks[:, 2] == a)
            ends = abs(self.omega[self.chunks[mine, :2] - [0, 1]] - self.problem.frame).min(axis=1)
            each = 1 / np.maximum(ends, 1e-300) ** 2
            order = np.argsort(-ends)
            counts = np.diff(self.chunks[mine, :2], axis=1)[:, 0]
            out[mine[order]] = each[order] if self.problem.each else np.cumsum((each * counts)[order]) / size
        return out

    def thinned(self, count: int) -> Population:
        """About `count` members, evenly among the frequencies of each group: to foretell what all will do."""
        edges = np.cumsum([0, *self.sizes])
        taken = [min(size, -(-count * size // edges[-1])) for size in self.sizes]
        picks = [
            edge + (np.arange(n) * size + size // 2) // n for edge, n, size in zip(edges[:-1], taken, self.sizes, strict=True)
        ]
        omega = tuple(self.omega[pick] for pick in picks)
        thin = Population(replace(self.problem, omega=omega, start=np.zeros((len(picks), 3)), each=False))
        thin.rates = self.rates
        thin.picked, thin.asymptotic[:] = np.concatenate(picks), 0.0
        return thin

    def follow(self, whole: Population) -> None:
        """Take the states of those of `whole` who stand for the others."""
        for k in range(3):
            np.take(whole.start[k], self.picked, out=self.start[k])
        self.kick = whole.kick

    def means(self) -> np.ndarray:
        """Means of `start` over the groups, (group, 3), chunk by chunk as a sweep takes them."""
        sums = np.array([self.start[:, b:e].sum(axis=1) for b, e in self.chunks[:, :2]])
        return self._by_group(sums)

    def _by_group(self, sums: np.ndarray) -> np.ndarray:
        return np.stack([sums[self.chunks[:, 2] == a].sum(axis=0) / n for a, n in enumerate(self.sizes)])

    def sweep(
        self, field: np.ndarray, span: float, turn: float, marks: np.ndarray, tolerance: float, quickest: float,
        singles: np.ndarray, row: int,
    ) -> Sweep:  # fmt: skip
        """All members from `start` to `end` in `field` (group, DEGREE), seen from a frame that turns at `turn`.

        `marks`: shares of the step at which the means are wanted, and each member if `singles` (3, time, member) has
        room, from `row` on. `quickest`: rate of a member that does not turn.
        """
        powers = field @ POWERS.T
        shares = np.concatenate([[0.0], NODES[:, 0], marks, [1.0]])
        values, levels = np.ascontiguousarray(at(field, shares)), span * _levels(field, shares)
        chunks, count = self.chunks, len(self.chunks)
        split = np.ascontiguousarray(np.stack([powers.real, powers.imag], axis=2))
        asymptotic = self.asymptotic * np.square(quickest) < ASYMPTOTIC * tolerance
        self.kernels.plan(chunks, self.omega, asymptotic, quickest, self.rates, split, span, turn, SERIES * tolerance)
        moments, seen = np.empty((count, DEGREE + SEEN, 2)), np.empty((count, marks.size, 5))
        size = max(1, min(8, count // (8 * thread_count())))

        def work(first: int) -> None:
            self.kernels.sweep(
                first, min(first + size, count), chunks, SERIES * tolerance, self.rates, self.omega, self.start, self.end,
                self.kick, split, values, levels, span, turn, NODES, moments, marks, seen, singles, row, self.place,
            )  # fmt: skip

        starts = range(0, count, size)
        check_interrupt()
        with thread_limit(1 if self.omega.size < SERIAL else None):
            parallel_map(work, starts)
        mean = self._by_group(moments)
        return Sweep(mean[:, :, 0] + 1j * mean[:, :, 1], self._by_group(seen))

    def accept(self, kick: np.ndarray) -> None:
        """Go on from `end`, after a kick (complex, per group) that is still to be given to the members."""
        self.start, self.end = self.end, self.start
        self.kick = np.stack([kick.real, kick.imag], axis=1)
