"""Jumps between Dicke states as compiled code, equations (9.1), (9.2) and (9.12) to (9.14).

One group is always in one state |j, m>; its labels are (2j, 2m). Two groups have a state vector psi over m_A at fixed j_A, j_B
and m_A + m_B; its labels are (2j_A, 2j_B, 2(m_A + m_B), first, last), with index n = m_A + N_A/2 from first to last.
A table has one row of the numbers ROW per group; for two groups also a row of their exchange and one per collective jump.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.compiled import compiled

#: columns of the row of a group; dephasing is 2 gamma_phi, the rate of the jump operator sigma^z/2
ROW = ("spins", "gain", "damping", "dephasing", "frequency", "exchange", "decay", "pumping")
LOCAL = 9  # local jumps of a group: (gain, damping, dephasing) x (j unchanged, lowered, raised)
CROSS, COLLECTIVE = 2, 3  # rows of the table of two groups: exchange between the groups, first of COLLECTIVE_JUMPS rows
COLLECTIVE_JUMPS = 4
#: changes of (2j, 2m) by the local jumps of one group, then by collective pumping and decay
CHANGES = np.array([(dj, dm) for dm in (2, -2, 0) for dj in (0, -2, 2)] + [(0, 2), (0, -2)])
TWO_GROUP_JUMPS = 2 * LOCAL + COLLECTIVE_JUMPS
ONE_GROUP_NUMBERS, TWO_GROUP_NUMBERS = 3, 9  # observables

_INTEGERS, _REALS, _TABLE, _VECTOR = "int64[::1]", "float64[::1]", "float64[:,::1]", "complex128[::1]"


@compiled()
def _square(process: Any, change: Any, j: Any, m: Any) -> Any:
    """Square of the matrix element A, B or D of (9.2); process and change of j are counted as in LOCAL."""
    if process == 2:
        return m * m if change == 0 else ((j + m) * (j - m) if change == 1 else (j + m + 1) * (j - m + 1))
    q = m if process == 0 else -m
    if change == 0:
        return (j - q) * (j + q + 1)
    return (j - q) * (j - q - 1) if change == 1 else (j + q + 1) * (j + q + 2)


@compiled()
def _share(half: Any, change: Any, j: Any) -> Any:
    """The factor of these squares in (9.1); half is N/2."""
    if change == 2:
        return (half - j) / (2 * (j + 1) * (2 * j + 1))
    if j == 0:
        return 0.0
    return (half + 1) / (2 * j * (j + 1)) if change == 0 else (half + j + 1) / (2 * j * (2 * j + 1))


@compiled()
def _local(row: Any, j: Any, m: Any, variance: Any, out: Any) -> None:
    """The rates of the local jumps of a group in |j, m>, or in a superposition over m with this mean and variance."""
    rounding = 1e-14 * (j + 1) ** 2 if variance > 0 else 0.0
    for change in range(3):
        share = _share(row[0] / 2, change, j)
        for process in range(3):
            sign = -1 if (process == 2) != (change == 0) else 1  # coefficient of m^2 in the square
            square = _square(process, change, j, m) + sign * variance
            out[3 * process + change] = row[1 + process] * share * (square if square > rounding else 0.0)


@compiled(f"void({_INTEGERS}, {_TABLE}, {_REALS})")
def one_group_rates(labels: Any, table: Any, out: Any) -> None:
    """The rates of CHANGES at the labels (2j, 2m)."""
    j, m = labels[0] / 2, labels[1] / 2
    _local(table[0], j, m, 0.0, out)
    out[6] = 0  # dephasing that keeps j changes no population
    out[9] = table[0, 7] * _square(0, 0, j, m)
    out[10] = table[0, 6] * _square(1, 0, j, m)


@compiled(f"void({_INTEGERS}, {_TABLE}, {_REALS})")
def one_group_observables(labels: Any, table: Any, out: Any) -> None:
    """m, m^2 and J_+ J_-."""
    j, m = labels[0] / 2, labels[1] / 2
    out[0], out[1], out[2] = m, m * m, _square(1, 0, j, m)


@compiled()
def _m_values(labels: Any, table: Any, n: Any) -> Any:
    """m_A and m_B at index n = m_A + N_A/2."""
    m = n - table[0, 0] / 2
    return m, labels[2] / 2 - m


@compiled()
def _support(labels: Any, table: Any) -> None:
    """Set first and last index to the range with |m_A| <= j_A and |m_B| <= j_B."""
    spins = int(table[0, 0])
    labels[3] = (max(-labels[0], labels[2] - labels[1]) + spins) // 2
    labels[4] = (min(labels[0], labels[2] + labels[1]) + spins) // 2


@compiled(f"void({_INTEGERS}, {_TABLE}, {_VECTOR}, {_VECTOR}, {_VECTOR})")
def two_group_generator(labels: Any, table: Any, diagonal: Any, up: Any, down: Any) -> None:
    """-i H - (sum of L^+ L)/2, which acts between jumps, equation (9.13); `up` and `down` raise and lower m_A by one."""
    j = labels[0] / 2, labels[1] / 2
    rise = complex(table[CROSS, 0], table[CROSS, 1])
    fall = complex(table[CROSS, 2], table[CROSS, 3])
    for n in range(labels[3], labels[4] + 1):
        m_values = _m_values(labels, table, n)
        value = 0j
        for a in range(2):
            row, m = table[a], m_values[a]
            above, below = _square(0, 0, j[a], m), _square(1, 0, j[a], m)
            half = row[0] / 2
            loss = row[1] * (half - m) + row[2] * (half + m) + row[3] * half / 2 + row[6] * below + row[7] * above
            value -= loss / 2 + 1j * (row[4] * m + row[5] * (below - m))
        diagonal[n] = value
        up[n] = rise * np.sqrt(_square(0, 0, j[0], m_values[0]) * _square(1, 0, j[1], m_values[1]))
        down[n] = fall * np.sqrt(_square(1, 0, j[0], m_values[0]) * _square(0, 0, j[1], m_values[1]))


@compiled()
def _collective(labels: Any, row: Any, psi: Any, table: Any, out: Any) -> None:
    """Apply the jump operator v_A J_A + v_B J_B of raising (row[0] = 1) or lowering (-1) operators, equation (9.12), to psi.

    Writes only those components of `out` that may differ from zero.
    """
    step = int(row[0])
    process = 0 if step > 0 else 1
    v = complex(row[1], row[2]), complex(row[3], row[4])
    out[max(labels[3] - 1, 0) : labels[4] + 2] = 0
    for n in range(labels[3], labels[4] + 1):
        m = _m_values(labels, table, n)
        first, second = _square(process, 0, labels[0] / 2, m[0]), _square(process, 0, labels[1] / 2, m[1])
        if first > 0:
            out[n + step] += v[0] * np.sqrt(first) * psi[n]
        if second > 0:
            out[n] += v[1] * np.sqrt(second) * psi[n]


@compiled(f"void({_INTEGERS}, {_VECTOR}, {_TABLE}, {_REALS})")
def two_group_rates(labels: Any, psi: Any, table: Any, out: Any) -> None:
    """The rates of the local jumps of A, those of B, and the collective jumps: <L^+ L> of each jump operator L.

    Rates of local jumps are polynomials of second degree in m (9.2), so that mean and variance of m determine them.
    """
    out[:] = 0
    norm, mean, square = 0.0, 0.0, 0.0
    for n in range(labels[3], labels[4] + 1):
        p = psi[n].real ** 2 + psi[n].imag ** 2
        norm += p
        mean += p * (n - labels[3])
        square += p * (n - labels[3]) ** 2
    mean /= norm
    m = _m_values(labels, table, labels[3] + mean)
    for a in range(2):
        _local(table[a], labels[a] / 2, m[a], square / norm - mean**2, out[LOCAL * a : LOCAL * (a + 1)])
    after = np.empty_like(psi)
    for k in range(COLLECTIVE_JUMPS):
        row = table[COLLECTIVE + k]
        if row[0] != 0:
            _collective(labels, row, psi, table, after)
            for n in range(labels[3] - 1, labels[4] + 2):
                if 0 <= n < len(after):
                    out[2 * LOCAL + k] += (after[n].real ** 2 + after[n].imag ** 2) / norm


@compiled(f"void(int64, {_INTEGERS}, {_VECTOR}, {_TABLE}, {_VECTOR})")
def two_group_jump(index: Any, labels: Any, psi: Any, table: Any, out: Any) -> None:
    """Write psi after a jump, equation (9.12), up to a factor, and change the labels accordingly."""
    out[:] = 0
    if index >= 2 * LOCAL:
        row = table[COLLECTIVE + index - 2 * LOCAL]
        _collective(labels, row, psi, table, out)
        labels[2] += 2 * int(row[0])
        _support(labels, table)
        return
    a, kind = index // LOCAL, index % LOCAL
    process, change = kind // 3, kind % 3
    step = (1, -1, 0)[process]
    shift = step if a == 0 else 0
    for n in range(labels[3], labels[4] + 1):
        m = _m_values(labels, table, n)[a]
        square = _square(process, change, labels[a] / 2, m)
        if square > 0:
            element = m if kind == 6 else np.sqrt(square)  # the sign of the other elements does not depend on m
            out[n + shift] = element * psi[n]
    labels[a] += (0, -2, 2)[change]
    labels[2] += 2 * step
    _support(labels, table)


@compiled(f"void({_INTEGERS}, {_VECTOR}, {_TABLE}, {_REALS})")
def two_group_observables(labels: Any, psi: Any, table: Any, out: Any) -> None:
    """m_A, m_B, J_+A J_-A, J_+B J_-B, J_+A J_-B (real, imaginary), m_A^2, m_B^2, m_A m_B."""
    j = labels[0] / 2, labels[1] / 2
    out[:] = 0
    norm = 0.0
    for n in range(labels[3], labels[4] + 1):
        p = psi[n].real ** 2 + psi[n].imag ** 2
        m = _m_values(labels, table, n)
        norm += p
        for a in range(2):
            out[a] += p * m[a]
            out[2 + a] += p * _square(1, 0, j[a], m[a])
            out[6 + a] += p * m[a] ** 2
        out[8] += p * m[0] * m[1]
        if n < labels[4]:
            cross = np.sqrt(_square(0, 0, j[0], m[0]) * _square(1, 0, j[1], m[1])) * np.conj(psi[n + 1]) * psi[n]
            out[4] += cross.real
            out[5] += cross.imag
    out /= norm
