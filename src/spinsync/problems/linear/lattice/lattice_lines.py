"""The slowest lines of a large sector on a lattice: the slowest mode, and as many further ones as are asked for."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from spinsync.base.progress import progress
from spinsync.problems.linear import lines, resolvent
from spinsync.problems.linear.lattice import slowest_mode
from spinsync.problems.linear.lattice.slowest_mode import Mode
from spinsync.problems.linear.lattice.sparse_lu import Factors, dissected
from spinsync.problems.linear.lines import VISIBLE, Line
from spinsync.problems.linear.sectors import Box, Lattice
from spinsync.problems.outcome import CrowdedError, FewError

SAME = 1e-8  # of their size: eigenvalues that are one
MORE = 8  # modes that are looked for in addition where too few are seen
MOST = 24  # such modes
MOST_POINTS = 60  # frequencies at which a solution is found
ALONG = 400  # points of a line at which the residual is looked at
ASIDE = 1e-3  # of its decay: where a mode is sought, at its right
NEIGHBOURS = 2  # that are found there
STABLE = 1e-11  # of the norm of the generator: residual of a mode
NEARER = 0.9  # of a decay: the line is so far from the imaginary axis
RESIDUAL = 1e-6  # of the length of the receiver, at most


def slowest(lattice: Lattice, number: int, *boxes: Box) -> list[Line]:
    """The slowest `number` lines, in order; boxes as in `slowest_mode.slowest_mode`, whose box serves all lines.

    Raises FewError if there are fewer, or too many modes beside them that are not seen; CrowdedError or OverflowError if
    double precision does not know them; TooLargeError if memory can't hold the box.
    """
    first = slowest_mode.slowest_mode(lattice, *boxes)
    transposed, receiver = first.part.block(1).T.tocsr(), first.part.receiver
    few, closed = lines.seen(lambda covector: np.asarray(transposed @ covector), receiver, min(number + 2, receiver.size))
    if closed:
        return lines.of_seen(few, float(abs(transposed).sum(axis=1).max()), abs(first.value), number)
    found = [Line(first.value, first.error)] if _is_seen(receiver, first.right) else []
    if number == 1 and found:
        return lines.ordered(_with(found, first, list(first.rivals)))[:1]
    for further in range(0, MOST + 1, MORE):
        found = _with(found, first, _searched(first, number + 1 + further))
        if len(found) >= number:
            return lines.ordered(found)[:number]
    raise FewError(len(found), number)


def _searched(first: Mode, number: int) -> list[complex]:
    """About the slowest eigenvalues in the box that the receiver sees, at whatever frequency.

    They are those of L on solutions x of x (place - L) = receiver at some places of the complex plane and what the solver
    makes of them, once that space holds the solution on a line just to the right of the eigenvalue that is asked for last.
    No entry beside the diagonal is negative. So by Gershgorin's theorem in the scale of its slowest mode, eigenvalues of the
    part without frequencies that decay no faster than d lie in a disc around -s of radius s, s being the fastest decay, and
    their frequencies are below sqrt(2 s d).
    """
    block, receiver = first.part.block(1), first.part.receiver.astype(complex)
    order, transposed = dissected(first.part.sites(1)), block.T.tocsr()
    turning, fastest = -block.diagonal().imag, float(-block.diagonal().real.min())
    basis, place = np.zeros((receiver.size, 0), complex), 1j * first.value.imag
    with progress("lines") as told:
        for k in range(MOST_POINTS):
            told.update(k / MOST_POINTS)
            factors = Factors(sparse.diags_array(np.full(receiver.size, place)) - block, order)
            new = receiver
            for _ in range(resolvent.VECTORS):
                basis = resolvent.extended(basis, factors.solve(new, transposed=True))
                new = basis[:, -1]
            image = transposed @ basis
            values = np.linalg.eigvals(basis.conj().T @ image)
            values = values[np.argsort(-values.real)]
            decay = max(-values[min(number, len(values)) - 1].real, 0.0)
            reach = np.sqrt(2 * fastest * decay)
            frequencies = np.linspace(turning.min() - reach, turning.max() + reach, ALONG)
            places = -NEARER * decay - 1j * frequencies
            left = resolvent.projected(image, basis, receiver, receiver, places)[1]
            if left.max() <= RESIDUAL * np.linalg.norm(receiver):
                return [complex(value) for value in values[: number + 2]]
            place = complex(places[np.argmax(left)])
    raise CrowdedError


def _with(found: list[Line], first: Mode, rough: list[complex]) -> list[Line]:
    """And those lines that are at these eigenvalues, unless they are known already or not seen."""
    known = [line.value for line in found]
    for near in rough:
        if any(abs(near - value) <= SAME * abs(value) for value in known):
            continue
        value, right, left = _pair(first, near)
        flow, uncertain = slowest_mode.left_out(first.part, first.box, value, right, left)
        if all(abs(value - other) > SAME * abs(value) for other in known) and _is_seen(first.part.receiver, right):
            found = [*found, Line(value, float(flow.sum()) + uncertain)]
        known.append(value)
    return found


def _is_seen(receiver: np.ndarray, right: np.ndarray) -> bool:
    return bool(abs(receiver @ right) > VISIBLE * np.linalg.norm(receiver) * np.linalg.norm(right))


def _pair(first: Mode, near: complex) -> tuple[complex, np.ndarray, np.ndarray]:
    """The eigenvalue nearest to `near` and its vectors."""
    block = first.part.block(1)
    order = dissected(first.part.sites(1))
    shift = near + ASIDE * abs(near.real)
    factors = Factors(sparse.diags_array(np.full(len(order), shift)) - block, order)
    chosen = []
    for transposed in (False, True):
        values, vectors = slowest_mode.nearest(factors, len(order), NEIGHBOURS, complex, transposed)
        k = int(np.argmin(abs(shift + values - near)))
        chosen.append((complex(shift + values[k]), vectors[:, k]))
    (value, right), (again, left) = chosen
    scale = abs(block).sum(axis=0).max()
    residual = np.linalg.norm(block @ right - value * right) + np.linalg.norm(block.T @ left - value * left)
    if abs(value - again) > SAME * abs(value) or not residual <= STABLE * scale:  # elimination without a choice of pivots
        raise CrowdedError
    return slowest_mode.normalized(value, right, left)
