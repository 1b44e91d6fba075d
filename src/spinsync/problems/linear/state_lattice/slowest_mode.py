"""The slowest mode of sector 1: the eigenvalue with the largest real part, with its right and left vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

from spinsync.base.progress import expect, part, report
from spinsync.problems.linear.lines import CERTAIN, LARGEST, ROUNDING
from spinsync.problems.linear.sectors import Lattice, Window
from spinsync.problems.linear.state_lattice.sparse_lu import Factors, afford, nested_dissection, seconds
from spinsync.problems.linear.state_lattice.truncation import ROUNDS, at_cut_edges, enlarged
from spinsync.problems.outcome import IllConditionedError

DENSE = 250  # components, below which the full spectrum is computed
NEAREST = 6  # eigenvalues computed at each shift of the search
ALLOWED = 1e-11  # truncation error of the eigenvalue, relative to the spectral width
OFFSET = 0.1  # of its decay rate: offset of the shift from a strongly damped mode, to separate it from its many neighbours
SAFETY = 4.0  # largest change of the eigenvalue in a larger window, as a multiple of the estimated error
ROUGH = 1e-3  # relative accuracy of eigenvalues during the search
MOST_POINTS = 400  # largest number of shifts of the search
SEARCH, IN_SMALLER = 0.4, 0.3  # shares of the remaining time: of the search, and of the mode in a smaller window
MODE = 1.8  # time for a mode with known frequency in units of that of its factorization


@dataclass(frozen=True, kw_only=True)
class Mode:
    """An eigenvalue of sector 1 with its vectors, left . right = 1.

    window, lattice : truncation window and truncated lattice that hold the mode
    error : truncation error to first order, and rounding error of the eigenvalue
    rivals : approximate eigenvalues of other modes that could be as slow
    """

    window: Window
    lattice: Lattice
    value: complex
    right: np.ndarray
    left: np.ndarray
    error: float
    rivals: tuple[complex, ...] = ()


def slowest_mode(full: Lattice, *windows: Window) -> Mode:
    """The eigenvalue of sector 1 with the largest real part, in a window that grows until it holds the mode.

    windows : the first ones to try, each contained in the next one. All frequencies are searched in the first one only, if it
        nearly holds the mode.

    Raises IllConditionedError if double precision does not suffice for the eigenvalue; OverflowError if the rates are too large
    for double precision, or the window would not stop growing; TooLargeError if memory can't hold the window.
    """
    window, remaining = windows[0], list(windows[1:])
    guess: complex | None = None
    estimate, rivals, done = 0.0, tuple[complex, ...](), 0.0
    for _ in range(ROUNDS):
        afford(window, 16)
        lattice = full.truncated(window)
        block, sites = lattice.block(1), lattice.sites(1)
        if not np.all(np.isfinite(block.data)):
            break
        if remaining and has_one_frequency(block):  # no search of frequencies is needed
            window = remaining.pop()
            continue
        if guess is None and not has_one_frequency(block) and len(sites) > DENSE:
            with part(done, done + SEARCH * (1 - done)):
                (guess, *others), estimate = search(block, nested_dissection(sites)), np.inf
            rivals, done = tuple(others), done + SEARCH * (1 - done)
        before, done = done, done + (IN_SMALLER if remaining else 1.0) * (1 - done)
        expect(MODE * seconds(window, 8 if has_one_frequency(block) else 16), "slowest mode", before, done)
        value, right, left = eigenvector(block, sites, guess)
        if guess is not None and not abs(value - guess) <= SAFETY * estimate:  # another mode than in the smaller window
            value, right, left = eigenvector(block, sites)
        truncation, rounding = truncation_error(lattice, window, value, right, left)
        scale = max(1.0, abs(value))
        allowed = max(ALLOWED * scale, rounding)
        if truncation.sum() <= allowed:
            error = float(truncation.sum() + rounding)
            return Mode(window=window, lattice=lattice, value=value, right=right, left=left, error=error, rivals=rivals)
        guess, estimate = (value if truncation.sum() <= ROUGH * scale else None), truncation.sum() + rounding
        weight = abs(right) / abs(right).sum()
        window = remaining.pop(0) if remaining else enlarged(full, window, sites, weight, truncation, allowed)
    raise OverflowError


def truncation_error(
    lattice: Lattice, window: Window, value: complex, right: np.ndarray, left: np.ndarray
) -> tuple[np.ndarray, float]:
    """Errors of the eigenvalue: by truncation, to first order, an array of shape (component,); and by rounding.
    Raises IllConditionedError or OverflowError if the rounding error is too large, or rates are."""
    block = lattice.block(1)
    norm = abs(block).sum(axis=0).max()
    if not norm < LARGEST:
        raise OverflowError
    rounding = ROUNDING * norm * np.linalg.norm(left) * np.linalg.norm(right)
    if not rounding <= CERTAIN * abs(value):
        raise IllConditionedError
    return np.where(at_cut_edges(lattice, window, lattice.sites(1)), abs(right * left * block.diagonal()), 0.0), float(rounding)


def eigenvector(block: Any, sites: np.ndarray, guess: complex | None = None) -> tuple[complex, np.ndarray, np.ndarray]:
    """Eigenvalue with the largest real part, right and left vector with left . right = 1.
    guess : approximate eigenvalue; if None, all frequencies are searched"""
    if block.shape[0] <= DENSE:
        values, left, right = linalg.eig(block.toarray(), left=True)
        k = int(np.argmax(values.real))
        return normalized(complex(values[k]), right[:, k], left[:, k].conj())
    order, frequency = nested_dissection(sites), block.diagonal().imag
    if has_one_frequency(block):  # in the rotating frame the slowest mode is real, by the Perron-Frobenius theorem
        shift, shifted = 1j * frequency[0], (block - sparse.diags_array(1j * frequency)).real
    else:
        guess = search(block, order)[0] if guess is None else guess
        # the slowest mode is the nearest to any point to the right of it, among all modes that are at least as slow
        damped = guess.real < -OFFSET * max(1.0, abs(guess))
        shift = complex((1 - OFFSET) * guess.real if damped else 0.0, guess.imag)
        shifted = block - sparse.diags_array(np.full(len(order), shift))
    factors = Factors(-shifted, order)
    value, right = nearest_eigenpairs(factors, len(order), 1, shifted.dtype)
    if shift.real < 0 < value[0].real:  # slower than all modes that the search found
        raise IllConditionedError
    _, left = nearest_eigenpairs(factors, len(order), 1, shifted.dtype, transposed=True)
    return normalized(shift + complex(value[0]), right[:, 0], left[:, 0])


def has_one_frequency(block: Any) -> bool:
    """Whether the frequency is the same on all sites."""
    return bool(np.ptp(block.diagonal().imag) <= 1e-14 * abs(block.data).max())


def search(block: Any, order: np.ndarray) -> list[complex]:
    """Approximate eigenvalue with the largest real part, and others that could be as slow.

    Discs around points i w, in which all eigenvalues are known, cover every mode that decays no faster than the best candidate.
    """
    frequency = block.diagonal().imag
    lowest, highest = frequency.min(), frequency.max()
    candidates, radius = list[complex](), 0.0
    centre = (lowest + highest) / 2
    intervals = [(lowest, highest)]
    for _ in range(MOST_POINTS):
        if not intervals:
            return candidates
        report(1 - sum(high - low for low, high in intervals) / (highest - lowest), "search of all frequencies")
        low, high = intervals.pop()
        w = (low + high) / 2
        if radius and low >= centre:
            w = min(w, low + 0.9 * radius)
        elif radius:
            w = max(w, high - 0.9 * radius)
        shifted = block - sparse.diags_array(np.full(len(order), 1j * w))
        found, _ = nearest_eigenpairs(Factors(-shifted, order), len(order), NEAREST, complex, tolerance=ROUGH)
        candidates = _slowest([*candidates, *(1j * w + found)], ROUGH * abs(found).max())
        # modes outside the disc that decay no faster than the best candidate have frequencies beyond this radius
        radius = float(np.sqrt(max((abs(found).max() * (1 - ROUGH)) ** 2 - candidates[0].real ** 2, 0.0)))
        if radius == 0:
            raise IllConditionedError
        intervals += [interval for interval in ((low, w - radius), (w + radius, high)) if interval[0] < interval[1]]
    raise OverflowError


def _slowest(values: list[complex], accuracy: float) -> list[complex]:
    """The slowest value, and those that could be as slow."""
    values.sort(key=lambda value: -value.real)
    slowest = complex(values[0])
    rivals = [complex(v) for v in values if v.real > slowest.real - 2 * accuracy and abs(v - slowest) > 4 * accuracy]
    return [slowest, *rivals]


def nearest_eigenpairs(
    factors: Factors, size: int, number: int, dtype: Any, transposed: bool = False, tolerance: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues of L nearest to zero and their vectors, by inverse iteration (ARPACK) with the factors of -L."""
    inverse = LinearOperator((size, size), lambda v: factors.solve(np.asarray(v, dtype).ravel(), transposed), dtype=dtype)
    for space, restarts in ((3 * number + 5, 6), (60, 30), (200, 30)):  # vectors: more for many equidistant eigenvalues
        try:
            values, vectors = eigs(
                inverse, number, v0=np.ones(size, dtype), ncv=min(space, size), tol=tolerance, maxiter=restarts
            )
        except ArpackError:
            continue
        return -1 / values, vectors
    raise IllConditionedError


def normalized(value: complex, right: np.ndarray, left: np.ndarray) -> tuple[complex, np.ndarray, np.ndarray]:
    """Right vector with 1-norm 1 and positive largest entry; left . right = 1."""
    top = right[np.argmax(abs(right))]
    right = right * (abs(top) / top) / abs(right).sum()
    return value, right, left / (left @ right)
