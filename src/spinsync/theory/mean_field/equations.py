"""The nonlinear quantum master equation (3.1), (3.3), (3.4) as code: for one group in a field, and for all rows of a flow.

The functions for one group take and return real scalars, s = x + i y and h = hr + i hi; the code for single trajectories, SIMD
lanes and graphics processors is generated from them. A flow has the state y = (s_1 ... s_n, z_1 ... z_n), one pair per spin
class; its diagonal part, -(i omega + Gamma_perp) s and -Gamma_1 z, is integrated exactly by the stepper.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.compiled import compiled
from spinsync.problems.flow.record import SIGNATURE

GROUP, WEIGHT, NET_GAIN, BACK_ACTION = range(4)  # rows of the table, which has a column for each spin class


@compiled()
def free_terms(omega, gamma_perp, gamma_1, net_gain, x, y, z):
    """Time derivatives of x, y and z without a field, by (3.3) and (3.4)."""
    return omega * y - gamma_perp * x, -omega * x - gamma_perp * y, net_gain - gamma_1 * z


@compiled()
def field_terms(hr, hi, x, y, z):
    """Contributions of the field to the derivatives of x, y and z: i h z in (3.3), 4 Im(h s*) in (3.4)."""
    return -hi * z, hr * z, 4.0 * (hi * x - hr * y)


@compiled()
def field_terms_tangent(hr, hi, x, y, z, kr, ki, u, v, w):
    """Linearization of `field_terms` for a tangent vector (u, v, w) of (x, y, z) and a change k of the field.

    The terms are bilinear in the field and the state.
    """
    a, b, c = field_terms(kr, ki, x, y, z)
    d, e, f = field_terms(hr, hi, u, v, w)
    return a + d, b + e, c + f


@compiled()
def spin(omega, gamma_perp, gamma_1, net_gain, hr, hi, x, y, z):
    """Time derivatives of x, y and z by (3.3) and (3.4)."""
    u, v, w = free_terms(omega, gamma_perp, gamma_1, net_gain, x, y, z)
    a, b, c = field_terms(hr, hi, x, y, z)
    return u + a, v + b, w + c


@compiled()
def spin_tangent(omega, gamma_perp, gamma_1, hr, hi, x, y, z, kr, ki, u, v, w):
    """Time derivatives of a tangent vector (u, v, w) of (x, y, z) for a change k of the field: `spin` linearized."""
    a, b, c = free_terms(omega, gamma_perp, gamma_1, 0.0, u, v, w)
    d, e, f = field_terms_tangent(hr, hi, x, y, z, kr, ki, u, v, w)
    return a + d, b + e, c + f


@compiled()
def fast_spin(omega, gamma_perp, gamma_1, net_gain, first, field, level, time, x, y, z):
    """A spin whose frequency exceeds all other rates, after `time`, by averaging (6.9): the rotating and the adiabatic part of
    its coherence (complex), and z.

    The complex field is `first` at the beginning and `field` at the end; `level` is the integral of |field|^2 in between.
    Errors are of second order in |field|/omega, and in the rate of change of the field over omega.
    """
    rate = complex(gamma_perp, omega)
    difference = complex(gamma_1 - gamma_perp, -omega)
    s = complex(x, y)
    adiabatic = 1j * first * z / rate
    oscillation = 2j * first.conjugate() * (s - adiabatic) / difference
    mean = z - 2.0 * oscillation.real
    adiabatic = 1j * first * mean / rate
    rotating = (s - adiabatic) * cmath.exp(-rate * time - 2.0 * level / difference)
    decay = gamma_1 * time + 4.0 * level * (1.0 / rate).real
    effective = time if decay == 0.0 else -math.expm1(-decay) / decay * time
    mean = mean * math.exp(-decay) + net_gain * effective
    oscillation = 2j * field.conjugate() * rotating / difference
    return rotating, 1j * field * mean / rate, mean + 2.0 * oscillation.real


def field(coupling: Array, at: Array, a: int, column: int) -> tuple[float, float]:
    """Real and imaginary part of the field h = sum_b C_ab p_b s_b (3.1) at group a.

    coupling: (group, group, 2), real and imaginary part of C_ab p_b. at: (group, columns), with x and y of each coherence in
    `column` and the next one.
    """
    hr, hi = 0.0, 0.0
    for b in range(len(at)):
        hr += coupling[a, b, 0] * at[b, column] - coupling[a, b, 1] * at[b, column + 1]
        hi += coupling[a, b, 0] * at[b, column + 1] + coupling[a, b, 1] * at[b, column]
    return hr, hi


@compiled()
def _fields(y, table, coupling):
    """The fields of all groups, complex, (group,), from the coherences of the rows."""
    groups = coupling.shape[0]
    mean, h = np.zeros(groups, np.complex128), np.zeros(groups, np.complex128)
    for i in range(table.shape[1]):
        mean[int(table[GROUP, i])] += table[WEIGHT, i] * y[i]
    for a in range(groups):
        for b in range(groups):
            if coupling[a, b] != 0:  # in a network most entries are zero
                h[a] += coupling[a, b] * mean[b]
    return h


@compiled(SIGNATURE)
def nonlinear(y, table, coupling, out):
    """Write to `out` the contributions of the field to ds/dt and dz/dt, and the net gain."""
    rows, fields = table.shape[1], _fields(y, table, coupling)
    for i in range(rows):
        h, s = fields[int(table[GROUP, i])], y[i]
        a, b, c = field_terms(h.real, h.imag, s.real, s.imag, y[rows + i].real)
        out[i] = complex(a, b)
        out[rows + i] = table[NET_GAIN, i] + table[BACK_ACTION, i] * c


@compiled(SIGNATURE)
def with_tangent(y, table, coupling, out):
    """`nonlinear` for y = (state, v), with its linearization applied to the tangent vector v = (ds, dz)."""
    half, rows = y.size // 2, table.shape[1]
    nonlinear(y[:half], table, coupling, out[:half])
    v, change = y[half:], out[half:]
    fields, tangents = _fields(y, table, coupling), _fields(v, table, coupling)
    for i in range(rows):
        h, k, s, u = fields[int(table[GROUP, i])], tangents[int(table[GROUP, i])], y[i], v[i]
        a, b, c = field_terms_tangent(
            h.real, h.imag, s.real, s.imag, y[rows + i].real, k.real, k.imag, u.real, u.imag, v[rows + i].real
        )
        change[i] = complex(a, b)
        change[rows + i] = table[BACK_ACTION, i] * c


def derivative(y: Any, table: Any, coupling: Any) -> tuple[Any, Any]:
    """Derivative of `nonlinear` as matrices P, Q (component, component): n(y + v) = n(y) + P v + Q v* to first order."""
    rows = y.size // 2
    group, s, z, back_action = table[GROUP].astype(int), y[:rows], y[rows:].real, table[BACK_ACTION]
    weighted = coupling[np.ix_(group, group)] * table[WEIGHT]  # from coherences to the field at each row, by (3.1)
    field, i = weighted @ s, np.arange(rows)
    p, q = np.zeros((2, y.size, y.size), complex)
    p[:rows, :rows] = 1j * z[:, None] * weighted  # of (3.3)
    p[i, rows + i] = 1j * field
    p[rows:, :rows] = -2j * (back_action * s.conj())[:, None] * weighted  # of (3.4)
    p[rows + i, i] += 2j * back_action * field.conj()
    q[rows:, :rows] = p[rows:, :rows].conj()
    return p, q
