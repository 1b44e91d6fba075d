"""The slowest lines of a large sector on a lattice: the slowest mode and further visible modes."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from spinsync.base.progress import part, report
from spinsync.problems.linear import lines, resolvent
from spinsync.problems.linear.lines import VISIBLE, Line
from spinsync.problems.linear.sectors import Lattice, Window
from spinsync.problems.linear.state_lattice import slowest_mode
from spinsync.problems.linear.state_lattice.slowest_mode import Mode
from spinsync.problems.linear.state_lattice.sparse_lu import Factors, nested_dissection
from spinsync.problems.outcome import IllConditionedError, TooFewLinesError

EQUAL = 1e-8  # relative difference of eigenvalues that count as equal
EXTRA = 8  # additional modes that are searched where too few are visible
MOST = 24  # largest number of additional modes
MOST_POINTS = 60  # largest number of shifts of the rational Krylov space
SAMPLES = 400  # number of frequencies at which the residual is evaluated
SHIFT = 1e-3  # of the decay rate: distance of the shift from the eigenvalue that is sought
NEAREST = 2  # eigenvalues computed at each shift
STABLE = 1e-11  # largest residual of a mode, relative to the norm of the generator
CLOSER = 0.9  # of a decay rate: distance of the sampled line from the imaginary axis
RESIDUAL = 1e-6  # largest residual, relative to the norm of the observable
FIRST, SEARCHED = 0.1, 0.2  # shares of the time for several lines until the first one is known, and the others are found


def slowest(lattice: Lattice, number: int, *windows: Window) -> list[Line]:
    """The slowest `number` lines, in order. `windows` as in `slowest_mode.slowest_mode`, whose window serves all lines.

    Raises TooFewLinesError if there are fewer, or too many invisible modes among them; IllConditionedError or OverflowError if
    double precision does not suffice; TooLargeError if memory can't hold the window.
    """
    with part(0.0, 1.0 if number == 1 else FIRST):
        first = slowest_mode.slowest_mode(lattice, *windows)
    transposed, observable = first.lattice.block(1).T.tocsr(), first.lattice.observable
    most = min(number + 2, observable.size)
    projected, invariant = lines.krylov_projection(lambda covector: np.asarray(transposed @ covector), observable, most)
    if invariant:
        return lines.lines_of_projection(projected, float(abs(transposed).sum(axis=1).max()), abs(first.value), number)
    found = [Line(first.value, first.error)] if _is_visible(observable, first.right) else []
    if number == 1 and found:
        return lines.ordered(_extended(found, first, list(first.rivals)))[:1]
    for extra in range(0, MOST + 1, EXTRA):
        report(FIRST, "search of further lines")
        guesses = _search(first, number + 1 + extra)
        with part(SEARCHED, 1.0):
            found = _extended(found, first, guesses)
        if len(found) >= number:
            return lines.ordered(found)[:number]
    raise TooFewLinesError(len(found), number)


def _search(first: Mode, number: int) -> list[complex]:
    """Approximate slowest visible eigenvalues in the window, at any frequency.

    They are the eigenvalues of L projected on a rational Krylov space of the solutions x (shift - L) = observable at several
    complex shifts. The space is complete when it holds the solution along a line just to the right of the last requested
    eigenvalue. All off-diagonal entries are non-negative. So by Gershgorin's theorem in the scale of the slowest mode,
    eigenvalues of the matrix without frequencies that decay no faster than d lie in a disc around -s of radius s, where s is
    the fastest decay rate, and their frequencies are below sqrt(2 s d).
    """
    block, observable = first.lattice.block(1), first.lattice.observable.astype(complex)
    order, transposed = nested_dissection(first.lattice.sites(1)), block.T.tocsr()
    frequencies, fastest = -block.diagonal().imag, float(-block.diagonal().real.min())
    basis, shift = np.zeros((observable.size, 0), complex), 1j * first.value.imag
    for _ in range(MOST_POINTS):
        factors = Factors(sparse.diags_array(np.full(observable.size, shift)) - block, order)
        vector = observable
        for _ in range(resolvent.VECTORS):
            basis = resolvent.extended(basis, factors.solve(vector, transposed=True))
            vector = basis[:, -1]
        image = transposed @ basis
        values = np.linalg.eigvals(basis.conj().T @ image)
        values = values[np.argsort(-values.real)]
        decay = max(-values[min(number, len(values)) - 1].real, 0.0)
        margin = np.sqrt(2 * fastest * decay)
        line_frequencies = np.linspace(frequencies.min() - margin, frequencies.max() + margin, SAMPLES)
        shifts = -CLOSER * decay - 1j * line_frequencies
        residuals = resolvent.projected(image, basis, observable, observable, shifts)[1]
        if residuals.max() <= RESIDUAL * np.linalg.norm(observable):
            return [complex(value) for value in values[: number + 2]]
        shift = complex(shifts[np.argmax(residuals)])
    raise IllConditionedError


def _extended(found: list[Line], first: Mode, guesses: list[complex]) -> list[Line]:
    """`found` with the lines at the eigenvalues `guesses`, unless these are known already or invisible."""
    known = [line.value for line in found]
    for k, guess in enumerate(guesses):
        report(k / len(guesses), f"line {k + 1} of {len(guesses)}")
        if any(abs(guess - value) <= EQUAL * abs(value) for value in known):
            continue
        value, right, left = _eigenpair(first, guess)
        truncation, rounding = slowest_mode.truncation_error(first.lattice, first.window, value, right, left)
        if all(abs(value - other) > EQUAL * abs(value) for other in known) and _is_visible(first.lattice.observable, right):
            found = [*found, Line(value, float(truncation.sum()) + rounding)]
        known.append(value)
    return found


def _is_visible(observable: np.ndarray, right: np.ndarray) -> bool:
    return bool(abs(observable @ right) > VISIBLE * np.linalg.norm(observable) * np.linalg.norm(right))


def _eigenpair(first: Mode, guess: complex) -> tuple[complex, np.ndarray, np.ndarray]:
    """The eigenvalue nearest to `guess` with its right and left vector."""
    block = first.lattice.block(1)
    order = nested_dissection(first.lattice.sites(1))
    shift = guess + SHIFT * abs(guess.real)
    factors = Factors(sparse.diags_array(np.full(len(order), shift)) - block, order)
    pairs = []
    for transposed in (False, True):
        values, vectors = slowest_mode.nearest_eigenpairs(factors, len(order), NEAREST, complex, transposed)
        k = int(np.argmin(abs(shift + values - guess)))
        pairs.append((complex(shift + values[k]), vectors[:, k]))
    (value, right), (left_value, left) = pairs
    scale = abs(block).sum(axis=0).max()
    residual = np.linalg.norm(block @ right - value * right) + np.linalg.norm(block.T @ left - value * left)
    if abs(value - left_value) > EQUAL * abs(value) or not residual <= STABLE * scale:  # elimination without pivoting failed
        raise IllConditionedError
    return slowest_mode.normalized(value, right, left)
