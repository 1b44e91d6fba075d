"""The slowest lines of a large generator of coupled subsystems: guesses from a reduced model, refined by Newton's method.

A right and a left vector of each are corrected together (two-sided Jacobi-Davidson), G. L. G. Sleijpen and H. A. van der
Vorst, SIAM Rev. 42, 267 (2000): the error of the eigenvalue is the product of their errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from spinsync.base.progress import part, report
from spinsync.problems.linear import lines
from spinsync.problems.linear.lines import BACKWARD, VISIBLE, Line
from spinsync.problems.linear.products import gmres
from spinsync.problems.linear.products.operator import ProductSpace
from spinsync.problems.linear.products.slow_modes import LEFT, RIGHT, SlowModeModel
from spinsync.problems.linear.products.solvers import fastest_rate, slowest_rate
from spinsync.problems.linear.products.sylvester import SchurForms, UncoupledSolver
from spinsync.problems.linear.sectors import Subsystems
from spinsync.problems.outcome import NotConvergedError

#: (components of the reduced model, additional modes): first attempt; if too many modes are invisible; if it is too rough
ATTEMPTS = ((450, 2), (450, 10), (1300, 30))
ROUGH = 0.1  # largest relative distance of a guess from the refined eigenvalue
SIGNIFICANT = 10.0  # an overlap with the observable is significant above this multiple of the vector's error
MILD, STRONG = 0.1, 1e-4  # factors by which one correction reduces a residual
BIAS = 0.3  # right vectors, which take half as many steps as left ones, are refined by this additional power of the reduction
SAFETY = 0.3  # of the reduction that would just suffice
VECTORS, STEPS = 30, 90  # of GMRES, for one correction: dimension of a Krylov space, and largest number of steps
ROUNDS = 5  # largest number of corrections
EXPECTED = (0.05, 0.65, 0.95, 0.97)  # completed fractions before each correction, for the progress line: two are typical
ALLOWED = 1e-9  # target error of a line, relative to its decay rate
LARGEST_ERROR = 1e-6  # largest error of a line, relative to its decay rate


def slowest(subsystems: Subsystems, observable: np.ndarray, number: int) -> list[Line]:
    """The slowest `number` lines, in order. Raises TooFewLinesError if there are fewer, NotConvergedError if an iteration
    does not converge, IllConditionedError or OverflowError if double precision does not suffice."""
    space = ProductSpace(subsystems, 1)
    fastest = fastest_rate(space)
    projected, invariant = lines.krylov_projection(space.apply_transposed, observable, number + 2)
    if invariant:
        return lines.lines_of_projection(projected, fastest, slowest_rate(space), number)
    schur, slowest_decay = SchurForms(space), slowest_rate(space)
    for components, extra in ATTEMPTS:
        report(text="reduced model")
        model = SlowModeModel(space, schur, components)
        refinement = _Refinement(space, schur, observable, fastest)
        guesses = refinement.begin(model, number + extra)
        found = lines.ordered(refinement.refined(number))[:number]
        if len(found) == number and all(abs(guesses - line.value).min() <= ROUGH * abs(line.value.real) for line in found):
            return [lines.checked(line, fastest, slowest_decay) for line in found]
    raise NotConvergedError


@dataclass(frozen=True)
class _Estimate:
    """A spectral line; the cosine of the angle between the observable and the right eigenvector of its mode (`overlap`); and
    the factor by which its residuals must still be reduced (`reduction`), 1 if the line is accurate enough."""

    line: Line
    overlap: float
    reduction: float


class _Refinement:
    """Pairs of right and left vectors, one of each per row, that are biorthonormal: left . right = 1 in a pair, else 0."""

    def __init__(self, space: ProductSpace, schur: SchurForms, observable: np.ndarray, fastest: float) -> None:
        self._space, self._schur, self._observable, self._fastest = space, schur, observable, fastest

    def begin(self, model: SlowModeModel, most: int) -> np.ndarray:
        """Start with the slowest visible modes of the model, at most `most`; returns their eigenvalues."""
        values, right, left = model.modes()
        eigenvalues, right_rows, left_rows = [], [], []
        for k, value in enumerate(values):
            vector = model.embedded(right[:, k], RIGHT)
            if abs(self._observable @ vector) > VISIBLE * np.linalg.norm(self._observable) * np.linalg.norm(vector):
                eigenvalues.append(value)
                right_rows.append(vector)
                left_rows.append(model.embedded(left[:, k], LEFT))
            if len(eigenvalues) == most:
                break
        self._rayleigh_ritz(np.array(right_rows), np.array(left_rows))
        return np.array(eigenvalues)

    def refined(self, number: int) -> list[Line]:
        """The slowest `number` lines and those that could be as slow; none if fewer modes are visible."""
        for cycle in range(ROUNDS + 1):
            modes = [self._estimate(j) for j in range(len(self._values))]
            visible = [j for j, mode in enumerate(modes) if mode.overlap > VISIBLE]
            bounds = sorted((modes[j].line.value.real - modes[j].line.error for j in visible), reverse=True)
            if len(bounds) < number:
                return []
            requested = [j for j in visible if modes[j].line.value.real + modes[j].line.error >= bounds[number - 1]]
            inaccurate = [j for j in requested if modes[j].reduction < 1]
            if not inaccurate or cycle == ROUNDS:
                break
            threshold = sorted((modes[j].line.value.real for j in visible), reverse=True)[number - 1]
            right, left = self._right.copy(), self._left.copy()
            begin, end = EXPECTED[min(cycle, len(EXPECTED) - 2) :][:2]
            for k, j in enumerate(inaccurate):
                text = f"line {k + 1} of {len(inaccurate)}, error {modes[j].line.error:.0e}"
                shares = np.linspace(begin, end, 2 * len(inaccurate) + 1)[2 * k :]
                important = cycle > 0 or modes[j].line.value.real >= threshold  # for others a rough value suffices
                reduction = max(modes[j].reduction, STRONG if important else MILD)
                with part(*shares[:2]):
                    report(0.0, text)
                    right[j] += self._correction(j, reduction ** (1 + BIAS), transposed=False)
                with part(*shares[1:3]):
                    report(0.0, text)
                    left[j] += self._correction(j, reduction ** (1 - BIAS), transposed=True)
            self._rayleigh_ritz(right, left)
        if any(
            modes[j].line.error > max(LARGEST_ERROR * abs(modes[j].line.value.real), 2 * self._rounding(j)) for j in requested
        ):
            raise NotConvergedError
        return [modes[j].line for j in requested]

    def _estimate(self, j: int) -> _Estimate:
        """To second order the error of an eigenvalue is (left residual) . (correction of the right vector)."""
        value = complex(self._values[j])
        vector_error = float(np.linalg.norm(self._precondition(j, self._right_residuals[j], transposed=False)))
        error = float(np.linalg.norm(self._left_residuals[j])) * vector_error + self._rounding(j)
        overlap = float(abs(self._observable @ self._right[j]) / np.linalg.norm(self._observable))
        allowed = max(ALLOWED * abs(value.real), 2 * self._rounding(j))
        reduction = 1.0 if error <= allowed else min(SAFETY * float(np.sqrt(allowed / error)), MILD)
        if overlap <= SIGNIFICANT * vector_error:  # visibility is uncertain
            reduction = min(reduction, VISIBLE / (SIGNIFICANT * vector_error))
        return _Estimate(Line(value, error, float(np.linalg.norm(self._left[j]))), overlap, reduction)

    def _rayleigh_ritz(self, right: np.ndarray, left: np.ndarray) -> None:
        """Two-sided Rayleigh-Ritz pairs in the spaces of these rows."""
        image = np.array([self._space.apply(row) for row in right])
        values, left_weights, right_weights = linalg.eig(left @ image.T, left @ right.T, left=True)
        if not np.all(np.isfinite(values)):
            raise NotConvergedError
        right, left = right_weights.T @ right, left_weights.conj().T @ left
        right /= np.linalg.norm(right, axis=1)[:, None]
        left /= np.sum(left * right, axis=1)[:, None]
        self._values, self._right, self._left = values, right, left
        eigenvalues = values[:, None]
        self._right_residuals = np.array([self._space.apply(row) for row in right]) - eigenvalues * right
        self._left_residuals = np.array([self._space.apply_transposed(row) for row in left]) - eigenvalues * left

    def _rounding(self, j: int) -> float:
        return float(BACKWARD * self._fastest * np.linalg.norm(self._left[j]))

    def _deflated(self, vector: np.ndarray, transposed: bool) -> np.ndarray:
        """The vector projected on the complement of all pairs."""
        basis, dual = (self._left, self._right) if transposed else (self._right, self._left)
        return np.asarray(vector - (dual @ vector) @ basis)

    def _precondition(self, j: int, vector: np.ndarray, transposed: bool) -> np.ndarray:
        uncoupled = UncoupledSolver(self._space, complex(self._values[j]), self._schur, transposed)
        return self._deflated(uncoupled.solve(vector), transposed)

    def _correction(self, j: int, reduction: float, transposed: bool) -> np.ndarray:
        """Approximate solution of (L - value) t = -residual in the complement of all pairs."""
        apply = self._space.apply_transposed if transposed else self._space.apply
        residual = self._left_residuals[j] if transposed else self._right_residuals[j]
        found = gmres.solve(
            lambda v: self._deflated(apply(v) - self._values[j] * v, transposed),
            lambda v: self._precondition(j, v, transposed),
            -self._deflated(residual, transposed), reduction * float(np.linalg.norm(residual)), VECTORS, STEPS,
        )  # fmt: skip
        return np.asarray(found.x)
