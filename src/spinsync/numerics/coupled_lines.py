"""The slowest lines of a large generator on products: a small model finds them, Newton's method makes them exact.

A right and a left vector of each are corrected together, G. L. G. Sleijpen and H. A. van der Vorst, SIAM Rev. 42, 267 (2000),
so that the error of the eigenvalue is the product of theirs.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from spinsync.base.progress import Line as Told
from spinsync.base.progress import progress
from spinsync.data.problems import Parts
from spinsync.data.products import Products
from spinsync.numerics import gmres, lines
from spinsync.numerics.coupled import SlowError, fastest_rate
from spinsync.numerics.lines import BACKWARD, VISIBLE, Line
from spinsync.numerics.slow_products import SlowProducts
from spinsync.numerics.uncoupled import Forms, Uncoupled

MODELS = (450, 1300)  # components of the small model: at first, and where that one is too rough
ROUGH = 0.1  # of its decay: a mode of the model may be so far from the exact one
SPARE = 2  # modes that are followed beside those that are asked for
REDUCED = (1e-4, 0.1)  # of a residual is left by one correction, at least and at most
AIM = 0.3  # times the reduction that would just be enough
VECTORS = 30
STEPS = 90
ROUNDS = 5  # of corrections
ALLOWED = 1e-10  # of its decay: error of a line
GIVEN = 1e-6  # the same, at most


def slowest(parts: Parts, receiver: np.ndarray, number: int) -> list[Line]:
    """The slowest `number` lines, in order.

    Raises
    ------
    FewError
        If there are fewer.
    SlowError
        If an iteration does not come to an end.
    CrowdedError, OverflowError
        If double precision does not know them.
    """
    space = Products(parts, 1)
    fastest = fastest_rate(space)
    few, closed = lines.seen(space.apply_transposed, receiver, number + 2)
    if closed:
        return lines.of_seen(few, fastest, slowest_rate(space), number)
    forms, least = Forms(space), slowest_rate(space)
    with progress("lines") as told:
        for components in MODELS:
            model = SlowProducts(space, forms, components)
            search = _Search(space, forms, receiver, fastest, told)
            rough = search.begin(model, number)
            found = lines.ordered(search.refined(number))[:number]
            if all(abs(rough - line.value).min() <= ROUGH * abs(line.value.real) for line in found):
                return [lines.certain(line, fastest, least) for line in found]
    raise SlowError


def slowest_rate(space: Products) -> float:
    """Smallest modulus on the diagonal, but for zero."""
    smallest = np.inf
    for key in space.shape:
        total = space.local(0, key[0]).diagonal()
        for part, charge in enumerate(key[1:], 1):
            total = np.add.outer(total, space.local(part, charge).diagonal())
        smallest = min(smallest, abs(total[total != 0]).min(initial=np.inf))
    return float(smallest)


class _Search:
    """Pairs of a right and a left vector, a row of each; left . right is 1 within a pair and 0 between two."""

    def __init__(self, space: Products, forms: Forms, receiver: np.ndarray, fastest: float, told: Told) -> None:
        self._space, self._forms, self._receiver, self._fastest, self._told = space, forms, receiver, fastest, told

    def begin(self, model: SlowProducts, number: int) -> np.ndarray:
        """Take the slowest modes of the model that are seen; their eigenvalues."""
        values, right, left = model.modes()
        taken, right_rows, left_rows = [], [], []
        for k, value in enumerate(values):
            vector = model.right(right[:, k])
            if abs(self._receiver @ vector) > VISIBLE * np.linalg.norm(self._receiver) * np.linalg.norm(vector):
                taken.append(value)
                right_rows.append(vector)
                left_rows.append(model.left(left[:, k]))
            if len(taken) == number + SPARE:
                break
        if len(taken) < number:
            raise lines.FewError(len(taken))
        self._take(np.array(right_rows), np.array(left_rows))
        return np.array(taken)

    def refined(self, number: int) -> list[Line]:
        """The slowest `number` lines, and those that could be as slow."""
        for turn in range(ROUNDS + 1):
            known = self._known()
            limit = sorted((line.value.real - line.error for line in known), reverse=True)[number - 1]
            wanted = [j for j, line in enumerate(known) if line.value.real + line.error >= limit]
            allowed = [max(ALLOWED * abs(line.value.real), 2 * self._rounding(j)) for j, line in enumerate(known)]
            rough = [j for j in wanted if known[j].error > allowed[j]]
            if not rough or turn == ROUNDS:
                break
            right, left = self._right.copy(), self._left.copy()
            for k, j in enumerate(rough):
                told = f"{len(rough)} of {len(known)}, error {known[j].error:.0e}"
                self._told.update((turn + k / len(rough)) / ROUNDS, told)
                reduction = float(np.clip(AIM * np.sqrt(allowed[j] / known[j].error), *REDUCED))
                right[j] += self._correction(j, reduction, transposed=False)
                left[j] += self._correction(j, reduction, transposed=True)
            self._take(right, left)
        if any(known[j].error > max(GIVEN * abs(known[j].value.real), 2 * self._rounding(j)) for j in wanted):
            raise SlowError
        return [known[j] for j in wanted]

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

    def _known(self) -> list[Line]:
        """To second order an eigenvalue is wrong by (left residual) . (what corrects the right vector)."""
        found = []
        for j, value in enumerate(self._values):
            first = self._precondition(j, self._over[j], transposed=False)
            error = np.linalg.norm(self._under[j]) * np.linalg.norm(first) + self._rounding(j)
            found.append(Line(complex(value), float(error), float(np.linalg.norm(self._left[j]))))
        return found

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
