"""The slowest lines of a large generator on products: a small model finds them, Newton's method makes them exact.

A right and a left vector of each are corrected together, G. L. G. Sleijpen and H. A. van der Vorst, SIAM Rev. 42, 267 (2000),
so that the error of the eigenvalue is the product of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from spinsync.base.progress import ProgressLine, progress
from spinsync.problems.linear import lines
from spinsync.problems.linear.lines import BACKWARD, VISIBLE, Line
from spinsync.problems.linear.products import gmres
from spinsync.problems.linear.products.operator import Products
from spinsync.problems.linear.products.slow_modes import LEFT, RIGHT, SlowProducts
from spinsync.problems.linear.products.solvers import fastest_rate, slowest_rate
from spinsync.problems.linear.products.sylvester import Forms, Uncoupled
from spinsync.problems.linear.sectors import Parts
from spinsync.problems.outcome import SlowError

#: components of the small model, and modes that are followed beside those that are asked for: at first, where too many of
#: them are hidden from the receiver, and where the model is too rough
ATTEMPTS = ((450, 2), (450, 10), (1300, 30))
ROUGH = 0.1  # of its decay: a mode of the model may be so far from the exact one
SURE = 10.0  # times the error of a vector: a larger overlap with the receiver is one
LEAST_REDUCED, MOST_REDUCED = 0.1, 1e-4  # what one correction leaves of a residual
EASIER = 0.3  # right vectors, which live where the steady state is, take half the steps of left ones: they do more of it
AIM = 0.3  # times the reduction that would just be enough
VECTORS = 30
STEPS = 90
ROUNDS = 5  # of corrections
ALLOWED = 1e-9  # of its decay: error of a line
GIVEN = 1e-6  # the same, at most


def slowest(parts: Parts, receiver: np.ndarray, number: int) -> list[Line]:
    """The slowest `number` lines, in order. Raises FewError if there are fewer, SlowError if an iteration does not come to an
    end, CrowdedError or OverflowError if double precision does not know them."""
    space = Products(parts, 1)
    fastest = fastest_rate(space)
    few, closed = lines.seen(space.apply_transposed, receiver, number + 2)
    if closed:
        return lines.of_seen(few, fastest, slowest_rate(space), number)
    forms, least = Forms(space), slowest_rate(space)
    with progress("lines") as told:
        for components, spare in ATTEMPTS:
            model = SlowProducts(space, forms, components)
            search = _Search(space, forms, receiver, fastest, told)
            rough = search.begin(model, number + spare)
            found = lines.ordered(search.refined(number))[:number]
            if len(found) == number and all(abs(rough - line.value).min() <= ROUGH * abs(line.value.real) for line in found):
                return [lines.certain(line, fastest, least) for line in found]
    raise SlowError


@dataclass(frozen=True)
class _Judged:
    """overlap : cosine of the angle between the receiver and the right vector
    reduction : what may be left of the residuals, 1 where they are small enough
    """

    line: Line
    overlap: float
    reduction: float


class _Search:
    """Pairs of a right and a left vector, a row of each; left . right is 1 within a pair and 0 between two."""

    def __init__(self, space: Products, forms: Forms, receiver: np.ndarray, fastest: float, told: ProgressLine) -> None:
        self._space, self._forms, self._receiver, self._fastest, self._told = space, forms, receiver, fastest, told

    def begin(self, model: SlowProducts, most: int) -> np.ndarray:
        """Take the slowest modes of the model that are seen, as many as `most`; their eigenvalues."""
        values, right, left = model.modes()
        taken, right_rows, left_rows = [], [], []
        for k, value in enumerate(values):
            vector = model.lifted(right[:, k], RIGHT)
            if abs(self._receiver @ vector) > VISIBLE * np.linalg.norm(self._receiver) * np.linalg.norm(vector):
                taken.append(value)
                right_rows.append(vector)
                left_rows.append(model.lifted(left[:, k], LEFT))
            if len(taken) == most:
                break
        self._take(np.array(right_rows), np.array(left_rows))
        return np.array(taken)

    def refined(self, number: int) -> list[Line]:
        """The slowest `number` lines, if so many of the modes are seen, and those that could be as slow."""
        for turn in range(ROUNDS + 1):
            known = [self._judged(j) for j in range(len(self._values))]
            seen = [j for j, mode in enumerate(known) if mode.overlap > VISIBLE]
            ends = sorted((known[j].line.value.real - known[j].line.error for j in seen), reverse=True)
            if len(ends) < number:
                return []
            wanted = [j for j in seen if known[j].line.value.real + known[j].line.error >= ends[number - 1]]
            rough = [j for j in wanted if known[j].reduction < 1]
            if not rough or turn == ROUNDS:
                break
            sure = sorted((known[j].line.value.real for j in seen), reverse=True)[number - 1]
            right, left = self._right.copy(), self._left.copy()
            for k, j in enumerate(rough):
                told = f"{len(rough)} of {len(wanted)}, error {known[j].line.error:.0e}"
                self._told.update((turn + k / len(rough)) / ROUNDS, told)
                first = turn > 0 or known[j].line.value.real >= sure  # others are most often told apart by a little
                reduction = max(known[j].reduction, MOST_REDUCED if first else LEAST_REDUCED)
                right[j] += self._correction(j, reduction ** (1 + EASIER), transposed=False)
                left[j] += self._correction(j, reduction ** (1 - EASIER), transposed=True)
            self._take(right, left)
        if any(known[j].line.error > max(GIVEN * abs(known[j].line.value.real), 2 * self._rounding(j)) for j in wanted):
            raise SlowError
        return [known[j].line for j in wanted]

    def _judged(self, j: int) -> _Judged:
        """To second order an eigenvalue is wrong by (left residual) . (what corrects the right vector)."""
        value = complex(self._values[j])
        blur = float(np.linalg.norm(self._precondition(j, self._over[j], transposed=False)))
        error = float(np.linalg.norm(self._under[j])) * blur + self._rounding(j)
        overlap = float(abs(self._receiver @ self._right[j]) / np.linalg.norm(self._receiver))
        allowed = max(ALLOWED * abs(value.real), 2 * self._rounding(j))
        reduction = 1.0 if error <= allowed else min(AIM * float(np.sqrt(allowed / error)), LEAST_REDUCED)
        if overlap <= SURE * blur:  # is it seen?
            reduction = min(reduction, VISIBLE / (SURE * blur))
        return _Judged(Line(value, error, float(np.linalg.norm(self._left[j]))), overlap, reduction)

    def _take(self, right: np.ndarray, left: np.ndarray) -> None:
        """Pairs of the spaces that these rows span."""
        image = np.array([self._space.apply(row) for row in right])
        values, of_left, of_right = linalg.eig(left @ image.T, left @ right.T, left=True)
        if not np.all(np.isfinite(values)):
            raise SlowError
        right, left = of_right.T @ right, of_left.conj().T @ left
        right /= np.linalg.norm(right, axis=1)[:, None]
        left /= np.sum(left * right, axis=1)[:, None]
        self._values, self._right, self._left = values, right, left
        turned = values[:, None]
        self._over = np.array([self._space.apply(row) for row in right]) - turned * right
        self._under = np.array([self._space.apply_transposed(row) for row in left]) - turned * left

    def _rounding(self, j: int) -> float:
        return float(BACKWARD * self._fastest * np.linalg.norm(self._left[j]))

    def _apart(self, vector: np.ndarray, transposed: bool) -> np.ndarray:
        """What belongs to none of the pairs."""
        here, there = (self._left, self._right) if transposed else (self._right, self._left)
        return np.asarray(vector - (there @ vector) @ here)

    def _precondition(self, j: int, vector: np.ndarray, transposed: bool) -> np.ndarray:
        alone = Uncoupled(self._space, complex(self._values[j]), self._forms, transposed)
        return self._apart(alone.solve(vector), transposed)

    def _correction(self, j: int, reduction: float, transposed: bool) -> np.ndarray:
        """Solves (L - value) t = -residual among what belongs to none of the pairs."""
        apply = self._space.apply_transposed if transposed else self._space.apply
        residual = self._under[j] if transposed else self._over[j]
        found = gmres.solve(
            lambda v: self._apart(apply(v) - self._values[j] * v, transposed),
            lambda v: self._precondition(j, v, transposed),
            -self._apart(residual, transposed), reduction * float(np.linalg.norm(residual)), VECTORS, STEPS,
        )  # fmt: skip
        return np.asarray(found.x)
