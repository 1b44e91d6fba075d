"""Fixed points of many trajectories in rotating frames, by Newton's method and by Rosenbrock steps, for any number of groups.

`find_fixed_points` applies Newton's method near a state. `advance_implicitly` integrates slow motion by a linearly implicit
method with long steps. Not in lanes: each trajectory solves small linear systems. Ordinary Python for `base/translation.py`.

A state is (x, y, z) of each group, with s = x + i y; `p` is the parameter record of a trajectory (`layout.parameters`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.theory.mean_field.equations import field, spin, spin_tangent


def derivative_in_frame(p: Any, y: Array, omega: float, velocity: Array) -> None:
    """Write the time derivative of y, in the frame that rotates at `omega`, to `velocity`."""
    xyz, dxyz = y.reshape(len(y) // 3, 3), velocity.reshape(len(y) // 3, 3)
    for a in range(len(xyz)):
        hr, hi = field(p.coupling, xyz, a, 0)
        dxyz[a, 0], dxyz[a, 1], dxyz[a, 2] = spin(
            p.omega[a] - omega, p.gamma_perp[a], p.gamma_1[a], p.net_gain[a], hr, hi, xyz[a, 0], xyz[a, 1], xyz[a, 2]
        )


def jacobian_in_frame(p: Any, y: Array, omega: float, matrix: Array) -> None:
    """Write the Jacobian of `derivative_in_frame` at y to `matrix`."""
    xyz = y.reshape(len(y) // 3, 3)
    for a in range(len(xyz)):
        hr, hi = field(p.coupling, xyz, a, 0)
        for k in range(len(y)):
            b, i = k // 3, k % 3
            re, im = p.coupling[a, b, 0], p.coupling[a, b, 1]
            kr = re if i == 0 else (-im if i == 1 else 0.0)
            ki = im if i == 0 else (re if i == 1 else 0.0)
            u = 1.0 if (b == a and i == 0) else 0.0
            v = 1.0 if (b == a and i == 1) else 0.0
            w = 1.0 if (b == a and i == 2) else 0.0
            matrix[3 * a, k], matrix[3 * a + 1, k], matrix[3 * a + 2, k] = spin_tangent(
                p.omega[a] - omega, p.gamma_perp[a], p.gamma_1[a], hr, hi, xyz[a, 0], xyz[a, 1], xyz[a, 2], kr, ki, u, v, w
            )


def lu_factorize(matrix: Array, pivots: Array) -> bool:
    """LU factorization with partial pivoting, in place; False if the matrix is singular to rounding."""
    size, largest = len(matrix), 0.0
    for i in range(size):
        for j in range(size):
            largest = max(largest, abs(matrix[i, j]))
    for i in range(size):
        pivot = i
        for j in range(i + 1, size):
            if abs(matrix[j, i]) > abs(matrix[pivot, i]):
                pivot = j
        if not abs(matrix[pivot, i]) > 1e-13 * largest:
            return False
        pivots[i] = pivot
        if pivot != i:
            for j in range(size):
                matrix[i, j], matrix[pivot, j] = matrix[pivot, j], matrix[i, j]
        inverse = 1.0 / matrix[i, i]
        for j in range(i + 1, size):
            matrix[j, i] *= inverse
            for k in range(i + 1, size):
                matrix[j, k] -= matrix[j, i] * matrix[i, k]
        matrix[i, i] = inverse
    return True


def lu_solve(matrix: Array, pivots: Array, rhs: Array) -> None:
    """Solve matrix x = rhs for an LU-factorized matrix; x overwrites `rhs`."""
    size = len(matrix)
    for i in range(size):
        pivot = pivots[i]
        rhs[i], rhs[pivot] = rhs[pivot], rhs[i]
    for i in range(size):
        for j in range(i):
            rhs[i] -= matrix[i, j] * rhs[j]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            rhs[i] -= matrix[i, j] * rhs[j]
        rhs[i] *= matrix[i, i]


def rotation_frequency(y: Array, velocity: Array) -> tuple[float, float]:
    """The largest |s|, and the frequency at which the coherences of y rotate on average."""
    amplitude, square, along = 0.0, 0.0, 0.0
    for a in range(len(y) // 3):
        r2 = y[3 * a] ** 2 + y[3 * a + 1] ** 2
        amplitude = max(amplitude, math.sqrt(r2))
        square += r2
        along += y[3 * a + 1] * velocity[3 * a] - y[3 * a] * velocity[3 * a + 1]
    return amplitude, (0.0 if square == 0.0 else along / square)


def bordered_matrix(y: Array, matrix: Array, bordered: Array, incoherent: bool) -> float:
    """Write the bordered matrix of Newton's equations for y and the frequency of its frame, with a phase condition.

    The unknown frequency is scaled by the norm of the coherences, which is returned, for a good condition at small coherence.
    """
    size, square = len(y), 1e-300
    for i in range(size):
        for j in range(size):
            bordered[i, j] = matrix[i, j]
        bordered[i, size] = 0.0
        bordered[size, i] = 0.0
    for a in range(len(y) // 3):
        square += y[3 * a] ** 2 + y[3 * a + 1] ** 2
    length = math.sqrt(square)
    for a in range(len(y) // 3):  # derivative by the frequency: (-y, x, 0), also the direction of the common phase
        for i in range(2):
            element = -y[3 * a + 1] / length if i == 0 else y[3 * a] / length
            bordered[3 * a + i, size], bordered[size, 3 * a + i] = element, element
    bordered[size, size] = 0.0
    if incoherent:  # the coherences stay zero, and there is no frequency
        bordered[size, size] = 1.0
        for a in range(len(y) // 3):
            for i in range(3 * a, 3 * a + 2):
                for j in range(size):
                    bordered[i, j] = 1.0 if i == j else 0.0
            if bordered[3 * a + 2, 3 * a + 2] == 0.0:  # an inversion without relaxation is conserved
                bordered[3 * a + 2, 3 * a + 2] = 1.0
    return length


def newton(
    p: Any, y: Array, radius: float, velocity: Array, matrix: Array, bordered: Array, rhs: Array, pivots: Array
) -> tuple[bool, float, float]:
    """Move y to a fixed point by Newton's method: whether it converged, the frequency of the frame, the path length.

    It fails beyond the path length `radius` (relative to the largest |s|), or if the matrix is singular.
    """
    size = len(y)
    derivative_in_frame(p, y, 0.0, velocity)
    amplitude, frequency = rotation_frequency(y, velocity)
    incoherent = amplitude == 0.0
    max_distance = radius * max(amplitude, 0.1)
    distance, step, length = 0.0, np.inf, 1.0
    for k in range(12):
        derivative_in_frame(p, y, frequency, velocity)
        if k == 0 or step > 1e-4 * amplitude:  # otherwise the last Jacobian is accurate enough
            jacobian_in_frame(p, y, frequency, matrix)
            length = bordered_matrix(y, matrix, bordered, incoherent)
            if not lu_factorize(bordered, pivots):
                return False, frequency, distance
        for i in range(size):
            rhs[i] = -velocity[i]
        rhs[size] = 0.0
        lu_solve(bordered, pivots, rhs)
        step = 0.0
        for i in range(size):
            y[i] += rhs[i]
            step = max(step, abs(rhs[i]))
        frequency += rhs[size] / length
        distance += step
        if not distance < max_distance:
            return False, frequency, distance
        if step < 1e-10 * max(amplitude, 1e-3):  # the next step would be rounding error
            return True, frequency, distance
    return False, frequency, distance


def find_fixed_points(
    P: Array, Y: Array, incoherent: Array, radius: float, first: int, last: int, states: Array, frequencies: Array,
    distances: Array,
) -> None:  # fmt: skip
    """Fixed points near Y[first:last] (trajectory, 3 groups); the distance is inf if Newton's method does not converge.

    If `incoherent` (trajectory,), the fixed point without coherence is sought. The caller tests the distances.
    """
    size = len(Y[0])
    velocity, matrix, bordered = np.empty(size), np.empty((size, size)), np.empty((size + 1, size + 1))
    rhs, pivots = np.empty(size + 1), np.empty(size + 1, np.int64)
    for n in range(first, last):
        y = states[n]
        for a in range(size // 3):
            y[3 * a] = 0.0 if incoherent[n] else Y[n, 3 * a]
            y[3 * a + 1] = 0.0 if incoherent[n] else Y[n, 3 * a + 1]
            y[3 * a + 2] = Y[n, 3 * a + 2]
        found, frequencies[n], distance = newton(P[n], y, radius, velocity, matrix, bordered, rhs, pivots)
        distances[n] = distance if found else np.inf


def jacobians(P: Array, states: Array, frequencies: Array, first: int, last: int, out: Array) -> None:
    """Write the Jacobians at states[first:last], in frames that rotate at `frequencies`, to `out`."""
    for n in range(first, last):
        jacobian_in_frame(P[n], states[n], frequencies[n], out[n])


def rosenbrock_step(
    p: Any, y: Array, h: float, stages: Array, velocity: Array, matrix: Array, work: Array, pivots: Array, new: Array
) -> bool:
    """One Rosenbrock step from y to `new`, in the frame that rotates with y; stages[3] is the embedded error estimate.

    False if the matrix is singular. RODAS3, order 3(2), stiffly accurate: A. Sandu et al., Atmos. Environ. 31, 3459 (1997).
    """
    size = len(y)
    derivative_in_frame(p, y, 0.0, velocity)
    _, frequency = rotation_frequency(y, velocity)
    derivative_in_frame(p, y, frequency, velocity)
    jacobian_in_frame(p, y, frequency, matrix)
    for i in range(size):
        for j in range(size):
            work[i, j] = (2.0 / h if i == j else 0.0) - matrix[i, j]
    if not lu_factorize(work, pivots):
        return False
    for i in range(size):
        stages[0, i] = velocity[i]
    lu_solve(work, pivots, stages[0])
    for i in range(size):
        stages[1, i] = velocity[i] + 4.0 / h * stages[0, i]
    lu_solve(work, pivots, stages[1])
    for i in range(size):
        new[i] = y[i] + 2.0 * stages[0, i]
    derivative_in_frame(p, new, frequency, velocity)
    for i in range(size):
        stages[2, i] = velocity[i] + (stages[0, i] - stages[1, i]) / h
    lu_solve(work, pivots, stages[2])
    for i in range(size):
        new[i] += stages[2, i]
    derivative_in_frame(p, new, frequency, velocity)
    for i in range(size):
        stages[3, i] = velocity[i] + (stages[0, i] - stages[1, i] - 8.0 / 3.0 * stages[2, i]) / h
    lu_solve(work, pivots, stages[3])
    for i in range(size):
        new[i] += stages[3, i]
    return True


def advance_implicitly(
    P: Array, Y: Array, spans: Array, rtol: float, atol: float, max_steps: int, first: int, last: int, finished: Array
) -> None:
    """Advance Y[first:last] by `spans`, up to a common phase; states that need more than `max_steps` remain unchanged."""
    size = len(Y[0])
    velocity, matrix, work = np.empty(size), np.empty((size, size)), np.empty((size, size))
    stages, new, y, pivots = np.empty((4, size)), np.empty(size), np.empty(size), np.empty(size, np.int64)
    for n in range(first, last):
        for i in range(size):
            y[i] = Y[n, i]
        time, h = 0.0, 1e-3 * spans[n]
        for _ in range(max_steps):
            if time >= spans[n]:
                break
            h = min(h, spans[n] - time)
            if not rosenbrock_step(P[n], y, h, stages, velocity, matrix, work, pivots, new):
                break
            error = 0.0
            for i in range(size):
                error = max(error, abs(stages[3, i]) / (atol + rtol * max(abs(y[i]), abs(new[i]))))
            if error <= 1.0:
                for i in range(size):
                    y[i] = new[i]
                time = time + h if time + h < spans[n] else spans[n]
            elif not error < np.inf:
                h *= 0.1
                continue
            h *= min(6.0, max(0.1, 0.9 * max(error, 1e-9) ** (-1.0 / 3.0)))
        finished[n] = time >= spans[n]
        if finished[n]:
            for i in range(size):
                Y[n, i] = y[i]
