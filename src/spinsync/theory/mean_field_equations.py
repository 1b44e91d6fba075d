"""The nonlinear quantum master equation as compiled code, theory page equations (3.1), (3.3) and (3.4).

State y = (s_1 ... s_n, z_1 ... z_n), one pair per row; a row is a group, a frequency class of it, or a
single spin. The diagonal part -(i omega + Gamma_perp) s and -Gamma_1 z is left to the stepper.
"""

from __future__ import annotations

import numpy as np
from numba import types

from spinsync.base.compiled import compiled

GROUP, WEIGHT, DRIVE, BACK = range(4)  # rows of the table

_SIGNATURE = types.void(types.complex128[::1], types.float64[:, ::1], types.complex128[:, ::1], types.complex128[::1])


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
            field[a] += coupling[a, b] * mean[b]  # (3.1) h_a = sum_b C_ab p_b s_b
    for i in range(rows):
        h, s, z = field[int(table[GROUP, i])], y[i], y[rows + i].real
        out[i] = 1j * h * z  # (3.3)
        out[rows + i] = table[DRIVE, i] + table[BACK, i] * 4 * (h * s.conjugate()).imag  # (3.4)


@compiled(_SIGNATURE)
def with_tangent(y, table, coupling, out):
    """The same for y = (state, v): how a small deviation v = (ds, dz) of the state moves along, to first order in it."""
    half = y.size // 2
    nonlinear(y[:half], table, coupling, out[:half])
    state, v, push = y[:half], y[half:], out[half:]
    rows, groups = half // 2, coupling.shape[0]
    mean, nudge = np.zeros(groups, np.complex128), np.zeros(groups, np.complex128)
    for i in range(rows):
        mean[int(table[GROUP, i])] += table[WEIGHT, i] * state[i]
        nudge[int(table[GROUP, i])] += table[WEIGHT, i] * v[i]
    field, change = np.zeros(groups, np.complex128), np.zeros(groups, np.complex128)
    for a in range(groups):
        for b in range(groups):
            field[a] += coupling[a, b] * mean[b]
            change[a] += coupling[a, b] * nudge[b]
    for i in range(rows):
        h, dh = field[int(table[GROUP, i])], change[int(table[GROUP, i])]
        push[i] = 1j * (dh * state[rows + i].real + h * v[rows + i].real)  # of (3.3)
        push[rows + i] = table[BACK, i] * 4 * (dh * state[i].conjugate() + h * v[i].conjugate()).imag  # of (3.4)
