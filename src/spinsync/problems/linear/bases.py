"""Krylov subspaces: Arnoldi bases that grow vector by vector, and time steps by the exponential in such subspaces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, log, log1p
from typing import ClassVar

import numpy as np
from scipy.linalg import expm

from spinsync.base.interrupts import check_interrupt
from spinsync.base.progress import report

ALLOWED = 1e-12  # error of a step, relative to the norm of the initial state
LEAST_ACCURATE = 1e-6  # the same relative to the state at the time, where that is smaller
CLOSED = 1e-13  # relative norm of a new basis vector, below which the subspace is invariant
VANISHED = 1e-100  # norm of a state that counts as zero


def orthogonalized(rows: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of a vector on orthonormal rows, and the remainder, by Gram-Schmidt with one reorthogonalization."""
    total = np.zeros(len(rows), np.result_type(rows, vector))
    for _ in range(2):
        overlap = (rows @ vector.conj()).conj()  # conjugating the rows would copy them
        total += overlap
        vector = vector - overlap @ rows
    return total, vector


class Basis:
    """Arnoldi basis: orthonormal rows, at most `most`; the first is the initial vector divided by `norm`.

    hessenberg : array of shape (most + 1, most), column k holds the coefficients of the image of row k
    """

    def __init__(self, first: np.ndarray, most: int) -> None:
        self.norm = float(np.linalg.norm(first))
        self._rows = np.empty((most, first.size), first.dtype)
        self._rows[0] = first / self.norm
        self.hessenberg = np.zeros((most + 1, most), first.dtype)
        self._images = 0

    @property
    def last(self) -> np.ndarray:
        """The row whose image `extend` expects next."""
        return np.asarray(self._rows[self._images])

    @property
    def rows(self) -> np.ndarray:
        """Rows whose image is known."""
        return np.asarray(self._rows[: self._images])

    def extend(self, image: np.ndarray) -> bool:
        """Orthogonalize the image of the last row and append it; False if the subspace is invariant."""
        k = self._images
        self.hessenberg[: k + 1, k], remainder = orthogonalized(self._rows[: k + 1], image)
        added = float(np.linalg.norm(remainder))
        self.hessenberg[k + 1, k] = added
        self._images += 1
        if not added > CLOSED * np.linalg.norm(image):
            return False
        if self._images < len(self._rows):
            self._rows[self._images] = remainder / added
        return True


@dataclass(frozen=True)
class KrylovSpace:
    """exp(t L) v is approximately basis @ (norm * exp(t projected) e_1).

    basis : array of shape (component, vector), orthonormal
    projected : array of shape (vector, vector), L in this basis
    """

    basis: np.ndarray
    projected: np.ndarray
    norm: float

    def coefficients(self, time: float, fewer: int = 0) -> np.ndarray:
        size = len(self.projected) - fewer
        out = np.zeros(len(self.projected), self.projected.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # overflow is detected by the trace
            out[:size] = expm(time * self.projected[:size, :size])[:, 0]
        return out

    def at(self, time: float) -> np.ndarray:
        return np.asarray(self.basis @ (self.norm * self.coefficients(time)))

    def longest_accurate(self, unit: float, most: float, tolerance: float) -> float:
        """Longest step, `unit` times a power of two or `most`, at which four vectors fewer agree within `tolerance`; else 0."""
        for step in sorted({most, *(unit * 2.0**k for k in range(7) if unit * 2.0**k < most)}, reverse=True):
            if np.linalg.norm(self.coefficients(step) - self.coefficients(step, fewer=4)) <= tolerance:
                return step
        return 0.0


class KrylovMethod(ABC):
    """Builds the Krylov subspace of each step, for at most `most` steps, and forecasts whether a run will end.

    growth : factor by which steps usually grow after a transient, for the progress line
    """

    most: ClassVar[int]
    growth: ClassVar[float] = 1.0

    def is_steady(self, state: np.ndarray, steps: int) -> bool:
        """Whether the state is known to be the steady state."""
        return False

    @abstractmethod
    def hopeless(self, state: np.ndarray, steps: int, remaining: float) -> bool:
        """Whether the remaining steps will not cover the remaining time."""

    @abstractmethod
    def step(self, state: np.ndarray, remaining: float, tolerance: float) -> tuple[KrylovSpace, float]:
        """A subspace and the step that is accurate in it; 0 if the next subspace should be tried."""


def propagate(
    method: KrylovMethod, start: np.ndarray, times: np.ndarray, tell: Callable[[float], None] = report
) -> Iterator[np.ndarray]:
    """exp(L (t - times[0])) start at each of `times`, one after the other. `tell` is called with the completed fraction.
    Raises OverflowError if steps get too small or too many."""
    time, state, recorded, start_norm, last, grown = times[0], start, 1, np.linalg.norm(start), 0.0, False
    for steps in range(method.most):
        check_interrupt()
        norm = np.linalg.norm(state)
        if recorded == times.size or norm < VANISHED:
            yield from (0 * state for _ in times[recorded:])
            return
        if method.is_steady(state, steps):
            yield from (state for _ in times[recorded:])
            return
        if steps:
            tell(steps / (steps + steps_left(float(times[-1] - time), last, method.growth if grown else 1.0)))
        if method.hopeless(state, steps, times[-1] - time):
            break
        space, step = method.step(state, times[-1] - time, min(float(ALLOWED * start_norm / norm), LEAST_ACCURATE))
        grown, last = step > last, step or last
        if not step:
            continue
        while recorded < times.size and times[recorded] <= time + step * (1 + 1e-12):
            yield space.at(times[recorded] - time)
            recorded += 1
        state, time = space.at(step), time + step
    raise OverflowError


def steps_left(remaining: float, step: float, growth: float) -> float:
    """The number of further steps over a remaining time, each `growth` times as long as the one before."""
    if not step > 0:
        return inf
    many = remaining / (step * growth)
    return many if growth == 1 else log1p(many * (growth - 1)) / log(growth)
