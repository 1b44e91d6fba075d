"""The nonlinear quantum master equation (3.1), (3.3), (3.4) as code: of one group in a field, and of all rows of a flow.

The functions of one group, real scalars in and out, are the equation: s = x + i y, h = hr + i hi. They serve single
trajectories, many side by side in the lanes of one processor core, and graphics processors; code for these is made of this
file. A flow has a state y = (s_1 ... s_n, z_1 ... z_n), one pair per row; a row is a group, a frequency class of it, or a
single spin. Its diagonal part -(i omega + Gamma_perp) s and -Gamma_1 z is left to the stepper.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.compiled import compiled

GROUP, WEIGHT, NET_GAIN, BACK = range(4)  # rows of the table

_SIGNATURE = "void(complex128[::1], float64[:,::1], complex128[:,::1], complex128[::1])"


@compiled()
def free(omega, gamma_perp, gamma_1, net_gain, x, y, z):
    """Rates of x, y and z without a field, by (3.3) and (3.4)."""
    return omega * y - gamma_perp * x, -omega * x - gamma_perp * y, net_gain - gamma_1 * z


@compiled()
def driven(hr, hi, x, y, z):
    """What the field adds to them: i h z in (3.3), 4 Im(h s*) in (3.4)."""
    return -hi * z, hr * z, 4.0 * (hi * x - hr * y)


@compiled()
def driven_tangent(hr, hi, x, y, z, kr, ki, u, v, w):
    """The same of a small deviation (u, v, w) of (x, y, z) beside a deviation k of the field, to first order.

    What the field adds is linear in the field, and in the state.
    """
    a, b, c = driven(kr, ki, x, y, z)
    d, e, f = driven(hr, hi, u, v, w)
    return a + d, b + e, c + f


@compiled()
def spin(omega, gamma_perp, gamma_1, net_gain, hr, hi, x, y, z):
    """Rates of x, y and z by (3.3) and (3.4)."""
    u, v, w = free(omega, gamma_perp, gamma_1, net_gain, x, y, z)
    a, b, c = driven(hr, hi, x, y, z)
    return u + a, v + b, w + c


@compiled()
def spin_tangent(omega, gamma_perp, gamma_1, hr, hi, x, y, z, kr, ki, u, v, w):
    """Rates of a small deviation (u, v, w) of (x, y, z) beside a deviation k of the field, to first order."""
    a, b, c = free(omega, gamma_perp, gamma_1, 0.0, u, v, w)
    d, e, f = driven_tangent(hr, hi, x, y, z, kr, ki, u, v, w)
    return a + d, b + e, c + f


@compiled()
def swift(omega, gamma_perp, gamma_1, net_gain, first, field, level, time, x, y, z):
    """A spin that turns much faster than all else, after `time`: its turning and its following coherence, and z, (6.9).

    The complex field is `first` at the beginning and `field` at the end; `level` is the integral of its square in between.
    Errors are of second order in the field, and in its own rate of change, over omega.
    """
    rate = complex(gamma_perp, omega)
    back = complex(gamma_1 - gamma_perp, -omega)
    s = complex(x, y)
    follows = 1j * first * z / rate
    waves = 2j * first.conjugate() * (s - follows) / back
    steady = z - 2.0 * waves.real
    follows = 1j * first * steady / rate
    turning = (s - follows) * cmath.exp(-rate * time - 2.0 * level / back)
    fall = gamma_1 * time + 4.0 * level * (1.0 / rate).real
    grown = time if fall == 0.0 else -math.expm1(-fall) / fall * time
    steady = steady * math.exp(-fall) + net_gain * grown
    waves = 2j * field.conjugate() * turning / back
    return turning, 1j * field * steady / rate, steady + 2.0 * waves.real


def field(coupling: Array, at: Array, a: int, part: int) -> tuple[float, float]:
    """The field h = sum_b C_ab p_b s_b (3.1) at group a, of the coherences that begin at `part` of the states of groups.

    coupling: (group, group, 2), C_ab p_b as real and imaginary part. at: (group, parts), with x and y side by side.
    """
    hr, hi = 0.0, 0.0
    for b in range(len(at)):
        hr += coupling[a, b, 0] * at[b, part] - coupling[a, b, 1] * at[b, part + 1]
        hi += coupling[a, b, 0] * at[b, part + 1] + coupling[a, b, 1] * at[b, part]
    return hr, hi


@compiled()
def _fields(y, table, coupling):
    """The same of all groups, from the coherences of the rows."""
    groups = coupling.shape[0]
    mean, h = np.zeros(groups, np.complex128), np.zeros(groups, np.complex128)
    for i in range(table.shape[1]):
        mean[int(table[GROUP, i])] += table[WEIGHT, i] * y[i]
    for a in range(groups):
        for b in range(groups):
            if coupling[a, b] != 0:  # of a network most are
                h[a] += coupling[a, b] * mean[b]
    return h


@compiled(_SIGNATURE)
def nonlinear(y, table, coupling, out):
    """out = what the coupling adds to ds/dt and dz/dt, and the net gain of z."""
    rows, fields = table.shape[1], _fields(y, table, coupling)
    for i in range(rows):
        h, s = fields[int(table[GROUP, i])], y[i]
        a, b, c = driven(h.real, h.imag, s.real, s.imag, y[rows + i].real)
        out[i] = complex(a, b)
        out[rows + i] = table[NET_GAIN, i] + table[BACK, i] * c


@compiled(_SIGNATURE)
def with_tangent(y, table, coupling, out):
    """The same for y = (state, v): how a small deviation v = (ds, dz) of the state moves along, to first order in it."""
    half, rows = y.size // 2, table.shape[1]
    nonlinear(y[:half], table, coupling, out[:half])
    v, push = y[half:], out[half:]
    fields, changes = _fields(y, table, coupling), _fields(v, table, coupling)
    for i in range(rows):
        h, k, s, u = fields[int(table[GROUP, i])], changes[int(table[GROUP, i])], y[i], v[i]
        a, b, c = driven_tangent(
            h.real, h.imag, s.real, s.imag, y[rows + i].real, k.real, k.imag, u.real, u.imag, v[rows + i].real
        )
        push[i] = complex(a, b)
        push[rows + i] = table[BACK, i] * c


def derivative(y: Any, table: Any, coupling: Any) -> tuple[Any, Any]:
    """All of it at once, as matrices: n(y + v) = n(y) + P v + Q v* to first order."""
    rows = y.size // 2
    group, s, z, back = table[GROUP].astype(int), y[:rows], y[rows:].real, table[BACK]
    pull = coupling[np.ix_(group, group)] * table[WEIGHT]  # of each row on the field at each row, by (3.1)
    field, i = pull @ s, np.arange(rows)
    p, q = np.zeros((2, y.size, y.size), complex)
    p[:rows, :rows] = 1j * z[:, None] * pull  # of (3.3)
    p[i, rows + i] = 1j * field
    p[rows:, :rows] = -2j * (back * s.conj())[:, None] * pull  # of (3.4)
    p[rows + i, i] += 2j * back * field.conj()
    q[rows:, :rows] = p[rows:, :rows].conj()
    return p, q
