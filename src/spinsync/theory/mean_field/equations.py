"""The nonlinear quantum master equation as compiled code, theory page equations (3.1), (3.3) and (3.4).

State y = (s_1 ... s_n, z_1 ... z_n), one pair per row; a row is a group, a frequency class of it, or a
single spin. The diagonal part -(i omega + Gamma_perp) s and -Gamma_1 z is left to the stepper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.compiled import compiled

GROUP, WEIGHT, DRIVE, BACK = range(4)  # rows of the table

_SIGNATURE = "void(complex128[::1], float64[:,::1], complex128[:,::1], complex128[::1])"


@compiled(_SIGNATURE)
def nonlinear(y, table, coupling, out):
    """out = what the coupling adds to ds/dt and dz/dt, and the drive of z."""
    rows, groups = y.size // 2, coupling.shape[0]
    mean = np.zeros(groups, np.complex128)  # p_b s_b
    for i in range(rows):
        mean[int(table[GROUP, i])] += table[WEIGHT, i] * y[i]
    field = np.zeros(groups, np.complex128)
    for a in range(groups):
        for b in range(groups):
            if coupling[a, b] != 0:  # of a network most are
                field[a] += coupling[a, b] * mean[b]  # (3.1) h_a = sum_b C_ab p_b s_b
    for i in range(rows):
        h, s, z = field[int(table[GROUP, i])], y[i], y[rows + i].real
        out[i] = 1j * h * z  # (3.3)
        out[rows + i] = table[DRIVE, i] + table[BACK, i] * 4 * (h * s.conjugate()).imag  # (3.4)


@compiled(_SIGNATURE)
def with_tangent(y, table, coupling, out):
    """The same for y = (state, v): how a small deviation v = (ds, dz) of the state moves along, to first order in it."""
    half = y.size // 2
    state, v, push = y[:half], y[half:], out[half:]
    rows, groups = half // 2, coupling.shape[0]
    mean, nudge = np.zeros(groups, np.complex128), np.zeros(groups, np.complex128)
    for i in range(rows):
        mean[int(table[GROUP, i])] += table[WEIGHT, i] * state[i]
        nudge[int(table[GROUP, i])] += table[WEIGHT, i] * v[i]
    field, change = np.zeros(groups, np.complex128), np.zeros(groups, np.complex128)
    for a in range(groups):
        for b in range(groups):
            if coupling[a, b] != 0:
                field[a] += coupling[a, b] * mean[b]
                change[a] += coupling[a, b] * nudge[b]
    for i in range(rows):
        h, dh, s, z = field[int(table[GROUP, i])], change[int(table[GROUP, i])], state[i], state[rows + i].real
        out[i] = 1j * h * z
        out[rows + i] = table[DRIVE, i] + table[BACK, i] * 4 * (h * s.conjugate()).imag
        push[i] = 1j * (dh * z + h * v[rows + i].real)  # of (3.3)
        push[rows + i] = table[BACK, i] * 4 * (dh * s.conjugate() + h * v[i].conjugate()).imag  # of (3.4)


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
