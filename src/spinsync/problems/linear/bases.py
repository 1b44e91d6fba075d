"""Orthonormal bases that grow vector by vector, and motions in such spaces: one step in each of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg import expm

from spinsync.base.interrupts import check_interrupt

ALLOWED = 1e-12  # error of a step, of the length at the start
CLOSED = 1e-13  # of a vector is new: the space holds all of the motion
VANISHED = 1e-100  # length of a state that has decayed


def orthogonal(rows: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a vector has of orthonormal rows, and the rest of it, by Gram and Schmidt: twice is enough."""
    total = np.zeros(len(rows), np.result_type(rows, vector))
    for _ in range(2):
        overlap = (rows @ vector.conj()).conj()  # conjugating the rows would copy them
        total += overlap
        vector = vector - overlap @ rows
    return total, vector


class Basis:
    """Orthonormal rows, at most `most`, that begin with a vector: it is `length` times the first.

    small : array of shape (most + 1, most), column k holds the k-th image in the basis
    """

    def __init__(self, first: np.ndarray, most: int) -> None:
        self.length = float(np.linalg.norm(first))
        self._rows = np.empty((most, first.size), first.dtype)
        self._rows[0] = first / self.length
        self.small = np.zeros((most + 1, most), first.dtype)
        self._images = 0

    @property
    def last(self) -> np.ndarray:
        """The row whose image is asked for next."""
        return np.asarray(self._rows[self._images])

    @property
    def rows(self) -> np.ndarray:
        """Those with an image."""
        return np.asarray(self._rows[: self._images])

    def extend(self, image: np.ndarray) -> bool:
        """Add what is new in the image of the last row, if there is any: whether there is."""
        k = self._images
        self.small[: k + 1, k], rest = orthogonal(self._rows[: k + 1], image)
        new = float(np.linalg.norm(rest))
        self.small[k + 1, k] = new
        self._images += 1
        if not new > CLOSED * np.linalg.norm(image):
            return False
        if self._images < len(self._rows):
            self._rows[self._images] = rest / new
        return True


@dataclass(frozen=True)
class Space:
    """exp(t L) v is about basis @ (length * exp(t small) e_1).

    basis : array of shape (component, vector), orthonormal
    small : array of shape (vector, vector), L in this basis
    """

    basis: np.ndarray
    small: np.ndarray
    length: float

    def coefficients(self, time: float, fewer: int = 0) -> np.ndarray:
        kept = len(self.small) - fewer
        out = np.zeros(len(self.small), self.small.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is refused with the trace
            out[:kept] = expm(time * self.small[:kept, :kept])[:, 0]
        return out

    def at(self, time: float) -> np.ndarray:
        return np.asarray(self.basis @ (self.length * self.coefficients(time)))

    def accurate(self, unit: float, most: float, allowed: float) -> float:
        """The longest step, `unit` times a power of two or `most`, at which four vectors fewer say the same; 0: none."""
        for step in sorted({most, *(unit * 2.0**k for k in range(7) if unit * 2.0**k < most)}, reverse=True):
            if np.linalg.norm(self.coefficients(step) - self.coefficients(step, fewer=4)) <= allowed:
                return step
        return 0.0


class Spaces(ABC):
    """Makes the space of each step, of which there are `most`, and knows when a motion ends before its time."""

    most: ClassVar[int]

    def reached(self, state: np.ndarray, steps: int) -> bool:
        """Whether the state is known to have come to rest."""
        return False

    @abstractmethod
    def hopeless(self, state: np.ndarray, steps: int, left: float) -> bool:
        """Whether the steps that are left will not reach the end, a time of `left` away."""

    @abstractmethod
    def step(self, state: np.ndarray, left: float, allowed: float) -> tuple[Space, float]:
        """A space and how far one can go in it; 0 where the next one should be tried."""


def moved(spaces: Spaces, start: np.ndarray, times: np.ndarray) -> Iterator[np.ndarray]:
    """exp(L (t - times[0])) start at each of `times`, one after the other.
    Raises OverflowError if steps get too small or too many."""
    now, state, done, first = times[0], start, 1, np.linalg.norm(start)
    for steps in range(spaces.most):
        check_interrupt()
        length = np.linalg.norm(state)
        if done == times.size or length < VANISHED:
            yield from (0 * state for _ in times[done:])
            return
        if spaces.reached(state, steps):
            yield from (state for _ in times[done:])
            return
        if spaces.hopeless(state, steps, times[-1] - now):
            break
        space, step = spaces.step(state, times[-1] - now, min(float(ALLOWED * first / length), 1e-6))
        if not step:
            continue
        while done < times.size and times[done] <= now + step * (1 + 1e-12):
            yield space.at(times[done] - now)
            done += 1
        state, now = space.at(step), now + step
    raise OverflowError
