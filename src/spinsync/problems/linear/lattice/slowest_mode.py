"""The slowest mode of sector 1: the eigenvalue with the largest real part, its vectors, and that no other is slower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

from spinsync.base.progress import progress
from spinsync.problems.linear.lattice.sparse_lu import Factors, afford, dissected
from spinsync.problems.linear.lattice.truncation import ROUNDS, at_cuts, larger
from spinsync.problems.linear.lines import CERTAIN, LARGEST, ROUNDING
from spinsync.problems.linear.sectors import Box, Lattice
from spinsync.problems.outcome import CrowdedError

DENSE = 250  # components: below, the whole spectrum is found at once
NEAREST = 6  # eigenvalues to each point of search
ALLOWED = 1e-11  # of the spectral width: error of the eigenvalue by what the box leaves out
CLOSE = 0.1  # of its decay: where a strongly damped mode is sought, to tell it from its many neighbours
SAME = 4.0  # times the estimate of what a box leaves out: a mode moves no farther in a larger box
ROUGH = 1e-3  # relative accuracy of eigenvalues while searching
MOST_POINTS = 400


@dataclass(frozen=True, kw_only=True)
class Mode:
    """An eigenvalue of sector 1 and its vectors, left . right = 1.

    box, part : the part of the lattice that holds it
    error : of the eigenvalue, to first order: by what leaves the box, and by rounding
    rivals : about the eigenvalues of others that could be as slow
    """

    box: Box
    part: Lattice
    value: complex
    right: np.ndarray
    left: np.ndarray
    error: float
    rivals: tuple[complex, ...] = ()


def slowest_mode(lattice: Lattice, *boxes: Box) -> Mode:
    """The eigenvalue of sector 1 with the largest real part, in a box that grows until it holds the mode.

    boxes : the first ones to try, each a part of the next one: all frequencies are searched in the first one only, if that
        one nearly holds the mode

    Raises CrowdedError if the eigenvalue is too ill-conditioned for double precision; OverflowError if the rates are too
    large for double precision, or the box would not stop growing; TooLargeError if memory can't hold the box.
    """
    box, following = boxes[0], list(boxes[1:])
    near: complex | None = None
    before, rivals = 0.0, tuple[complex, ...]()
    for _ in range(ROUNDS):
        afford(box, 16)
        part = lattice.cut(box)
        block, sites = part.block(1), part.sites(1)
        if not np.all(np.isfinite(block.data)):
            break
        if following and is_real(block):  # nothing to search
            box = following.pop()
            continue
        if near is None and not is_real(block) and len(sites) > DENSE:
            (near, *others), before = search(block, dissected(sites)), np.inf
            rivals = tuple(others)
        value, right, left = eigenvector(block, sites, near)
        if near is not None and not abs(value - near) <= SAME * before:  # another mode than in the smaller box
            value, right, left = eigenvector(block, sites)
        flow, uncertain = left_out(part, box, value, right, left)
        scale = max(1.0, abs(value))
        allowed = max(ALLOWED * scale, uncertain)
        if flow.sum() <= allowed:
            error = float(flow.sum() + uncertain)
            return Mode(box=box, part=part, value=value, right=right, left=left, error=error, rivals=rivals)
        near, before = (value if flow.sum() <= ROUGH * scale else None), flow.sum() + uncertain
        weight = abs(right) / abs(right).sum()
        box = following.pop(0) if following else larger(lattice, box, sites, weight, flow, allowed)
    raise OverflowError


def left_out(part: Lattice, box: Box, value: complex, right: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, float]:
    """By how much the eigenvalue is wrong: to first order because of what leaves the box at each component; by rounding.
    Raises CrowdedError or OverflowError if rounding blurs it, or rates are too large."""
    block = part.block(1)
    norm = abs(block).sum(axis=0).max()
    if not norm < LARGEST:
        raise OverflowError
    uncertain = ROUNDING * norm * np.linalg.norm(left) * np.linalg.norm(right)
    if not uncertain <= CERTAIN * abs(value):
        raise CrowdedError
    return np.where(at_cuts(part, box, part.sites(1)), abs(right * left * block.diagonal()), 0.0), float(uncertain)


def eigenvector(block: Any, sites: np.ndarray, near: complex | None = None) -> tuple[complex, np.ndarray, np.ndarray]:
    """Eigenvalue with the largest real part, right and left vector with left . right = 1.

    near : about this eigenvalue, if it is known; spares the search over all frequencies
    """
    if block.shape[0] <= DENSE:
        values, left, right = linalg.eig(block.toarray(), left=True)
        k = int(np.argmax(values.real))
        return normalized(complex(values[k]), right[:, k], left[:, k].conj())
    order, frequency = dissected(sites), block.diagonal().imag
    if is_real(block):  # in its frame, where the slowest mode is real by Perron and Frobenius
        turning, inside = 1j * frequency[0], (block - sparse.diags_array(1j * frequency)).real
    else:
        near = search(block, order)[0] if near is None else near
        # of all modes at most as slow as this one, it is the nearest to any point to the right of it
        damped = near.real < -CLOSE * max(1.0, abs(near))
        turning = complex((1 - CLOSE) * near.real if damped else 0.0, near.imag)
        inside = block - sparse.diags_array(np.full(len(order), turning))
    factors = Factors(-inside, order)
    value, right = nearest(factors, len(order), 1, inside.dtype)
    if turning.real < 0 < value[0].real:  # a slower one than the search saw
        raise CrowdedError
    _, left = nearest(factors, len(order), 1, inside.dtype, transposed=True)
    return normalized(turning + complex(value[0]), right[:, 0], left[:, 0])


def is_real(block: Any) -> bool:
    """Whether all places have one frequency."""
    return bool(np.ptp(block.diagonal().imag) <= 1e-14 * abs(block.data).max())


def search(block: Any, order: np.ndarray) -> list[complex]:
    """About the eigenvalue with the largest real part, and others that could be as slow.

    By discs around i w that cover all frequencies w up to its decay.
    """
    frequency = block.diagonal().imag
    lowest, highest = frequency.min(), frequency.max()
    best, reach = list[complex](), 0.0
    middle = (lowest + highest) / 2
    open_parts = [(lowest, highest)]
    with progress("lines") as told:
        for _ in range(MOST_POINTS):
            if not open_parts:
                return best
            told.update(1 - sum(high - low for low, high in open_parts) / (highest - lowest))
            low, high = open_parts.pop()
            w = (low + high) / 2
            if reach and low >= middle:
                w = min(w, low + 0.9 * reach)
            elif reach:
                w = max(w, high - 0.9 * reach)
            shifted = block - sparse.diags_array(np.full(len(order), 1j * w))
            found, _ = nearest(Factors(-shifted, order), len(order), NEAREST, complex, tolerance=ROUGH)
            best = _slowest([*best, *(1j * w + found)], ROUGH * abs(found).max())
            # whatever decays no faster than the best one and is farther than the disc is beyond this frequency
            reach = float(np.sqrt(max((abs(found).max() * (1 - ROUGH)) ** 2 - best[0].real ** 2, 0.0)))
            if reach == 0:
                raise CrowdedError
            open_parts += [part for part in ((low, w - reach), (w + reach, high)) if part[0] < part[1]]
    raise OverflowError


def _slowest(values: list[complex], accuracy: float) -> list[complex]:
    """The slowest one, and those that could be as slow."""
    values.sort(key=lambda value: -value.real)
    slowest = complex(values[0])
    rivals = [complex(v) for v in values if v.real > slowest.real - 2 * accuracy and abs(v - slowest) > 4 * accuracy]
    return [slowest, *rivals]


def nearest(
    factors: Factors, size: int, number: int, dtype: Any, transposed: bool = False, tolerance: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues of L that are nearest to zero, and their vectors, from the factors of -L."""
    inverse = LinearOperator((size, size), lambda v: factors.solve(np.asarray(v, dtype).ravel(), transposed), dtype=dtype)
    for space, restarts in ((3 * number + 5, 6), (60, 30), (200, 30)):  # vectors; crowds of modes at one distance need many
        try:
            values, vectors = eigs(
                inverse, number, v0=np.ones(size, dtype), ncv=min(space, size), tol=tolerance, maxiter=restarts
            )
        except ArpackError:
            continue
        return -1 / values, vectors
    raise CrowdedError


def normalized(value: complex, right: np.ndarray, left: np.ndarray) -> tuple[complex, np.ndarray, np.ndarray]:
    """Right vector of sum 1 in modulus, turned so that its largest entry is positive; left . right = 1."""
    top = right[np.argmax(abs(right))]
    right = right * (abs(top) / top) / abs(right).sum()
    return value, right, left / (left @ right)
