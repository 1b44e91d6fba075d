"""The generator of one charge in a truncation window of a lattice, the motion it causes, and what leaves the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import expm

from spinsync.problems.linear.bases import KrylovSpace
from spinsync.problems.linear.sectors import Lattice, Window
from spinsync.problems.linear.shift_invert import krylov_space
from spinsync.problems.linear.state_lattice.sparse_lu import Factors, nested_dissection

ROUNDING = 1e-15  # imaginary part, relative to the largest entry, that is rounding
NODES = 32  # times within a step at which the loss is known


def is_real(values: np.ndarray) -> bool:
    """Whether all imaginary parts are rounding errors."""
    return bool(abs(values.imag).max(initial=0.0) <= ROUNDING * abs(values).max(initial=0.0))


@dataclass(frozen=True)
class Course:
    """exp(L t) x from the beginning of a step on: phase exp(i frequency t) times a vector in a Krylov space.

    longest : time up to which it is accurate
    """

    space: KrylovSpace
    phase: complex
    frequency: float
    longest: float

    def at(self, times: np.ndarray) -> np.ndarray:
        """States of shape (time, component)."""
        rows: Any = self.space.basis.T
        coefficients: Any = self.space.norm * np.array([self.space.coefficients(t) for t in times])
        if self.phase == 1 and self.frequency == 0:
            return np.asarray(coefficients @ rows)
        coefficients = coefficients * (self.phase * np.exp(1j * self.frequency * times))[:, None]
        if np.iscomplexobj(rows):
            return np.asarray(coefficients @ rows)
        out = np.empty((len(times), rows.shape[1]), complex)
        out.real, out.imag = coefficients.real @ rows, coefficients.imag @ rows
        return out

    def losses(self, edge: np.ndarray, leak: np.ndarray) -> np.ndarray:
        """Time integral of leak * |x| at the components `edge` up to NODES equidistant times, by the trapezoidal rule."""
        propagator = expm(self.longest / NODES * self.space.projected)
        coefficients = np.zeros((len(propagator), NODES + 1), propagator.dtype)
        coefficients[0, 0] = self.space.norm
        for k in range(NODES):
            coefficients[:, k + 1] = propagator @ coefficients[:, k]
        flow = leak[:, None] * abs(self.space.basis[edge] @ coefficients)
        return np.asarray(np.cumsum(flow[:, 1:] + flow[:, :-1], axis=1) * self.longest / (2 * NODES))


class Block:
    """The generator of one charge, restricted to a window, in a rotating frame in which it is real if that is possible.

    sites : sites of the components, int array of shape (component, 2)
    edge : components with jumps out of the window
    leak : 1-norm that leaves per time from each of them, relative to their moduli
    """

    def __init__(self, outer: Lattice, window: Window, q: int) -> None:
        """outer : lattice that also holds all neighbours of the window"""
        sites, rows = outer.sites(q), outer.block(q).tocsr()
        if not np.all(np.isfinite(rows.data)):
            raise OverflowError
        inside = np.all((sites >= window.low) & (sites <= window.high), axis=1)
        self.sites = sites[inside]
        leak = abs(rows[~inside]).sum(axis=0)[inside]
        self.edge = np.flatnonzero(leak)
        self.leak = leak[self.edge]
        generator = rows[inside].tocsc()[:, inside]
        frequency = generator.diagonal().imag
        self._frequency = float(frequency.max() + frequency.min()) / 2
        generator = generator - sparse.diags_array(np.full(len(self.sites), 1j * self._frequency))
        self._generator = generator.real if is_real(generator.data) else generator
        self.fastest = float(abs(generator.diagonal()).max())
        self._order = nested_dissection(self.sites)
        self._factored: tuple[float, Any] | None = None

    @property
    def itemsize(self) -> int:
        """Bytes of an entry."""
        return int(self._generator.dtype.itemsize)

    def course(self, g: float, state: np.ndarray, most: float, tolerance: float) -> Course:
        """The motion from `state` on, for at most the time `most`, in a Krylov space of (1 - g L)^-1."""
        top = state[np.argmax(abs(state))]
        phase = complex(top / abs(top))
        turned = state / phase
        vector = turned.real if is_real(turned) else turned
        dtype = np.result_type(vector, self._generator.dtype)
        if self._factored != (g, dtype):
            matrix = sparse.eye_array(len(vector), dtype=dtype) - g * self._generator
            self._factors, self._factored = Factors(matrix, self._order), (g, dtype)
        space, longest = krylov_space(self._factors.solve, g, vector.astype(dtype), most, tolerance)
        return Course(space, phase, self._frequency, longest)

    def losses(self, course: Course) -> np.ndarray:
        """1-norm that has left the window up to NODES equidistant times, by the component that it left from;
        array of shape (component, NODES)."""
        lost = np.zeros((len(self.sites), NODES))
        lost[self.edge] = course.losses(self.edge, self.leak)
        return lost
