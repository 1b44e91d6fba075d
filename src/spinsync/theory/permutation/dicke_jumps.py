"""Jumps between Dicke states as compiled code: of one group, which is always at one (j, m), and of two groups, whose
state is a wave over (m_A, m_B) at fixed j_A, j_B and m_A + m_B. Equations (9.1), (9.2) and (9.12) to (9.14).

Places hold twice j and twice m. A table has one row of ROW numbers per group; that of two groups goes on with the
coefficients of the exchange between them and with the collective jumps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.compiled import compiled

#: columns of a group's row; dephasing is 2 gamma_phi, the rate of jumps with sigma^z/2
ROW = ("spins", "gain", "damping", "dephasing", "frequency", "exchange", "decay", "pumping")
LOCAL = 9  # local jumps of a group: (up, down, turn) x (j stays, falls, rises)
CROSS, COLLECTIVE = 2, 3  # rows of the table of two groups: exchange between the groups, first of COLLECTIVE_JUMPS
COLLECTIVE_JUMPS = 4
WAVE_JUMPS, WAVE_NUMBERS = 2 * LOCAL + COLLECTIVE_JUMPS, 9
#: (twice j, twice m) of the local jumps of one group, then of pumping and decay
CHANGES = np.array([(dj, dm) for dm in (2, -2, 0) for dj in (0, -2, 2)] + [(0, 2), (0, -2)])
WALK_NUMBERS = 3

_PLACE, _REAL, _TABLE, _WAVE = "int64[::1]", "float64[::1]", "float64[:,::1]", "complex128[::1]"


@compiled()
def _square(process: Any, change: Any, j: Any, m: Any) -> Any:
    """Square of the element A, B or D of (9.2) for j staying, falling or rising."""
    if process == 2:
        return m * m if change == 0 else ((j + m) * (j - m) if change == 1 else (j + m + 1) * (j - m + 1))
    q = m if process == 0 else -m
    if change == 0:
        return (j - q) * (j + q + 1)
    return (j - q) * (j - q - 1) if change == 1 else (j + q + 1) * (j + q + 2)


@compiled()
def _share(half: Any, change: Any, j: Any) -> Any:
    """The factor of the squares in (9.1); half is N/2."""
    if change == 2:
        return (half - j) / (2 * (j + 1) * (2 * j + 1))
    if j == 0:
        return 0.0
    return (half + 1) / (2 * j * (j + 1)) if change == 0 else (half + j + 1) / (2 * j * (2 * j + 1))


@compiled()
def _local(row: Any, j: Any, m: Any, variance: Any, out: Any) -> None:
    """The rates of the local jumps of a group at |j, m>, or of a wave over m with this mean and variance."""
    rounding = 1e-14 * (j + 1) ** 2 if variance > 0 else 0.0
    for change in range(3):
        share = _share(row[0] / 2, change, j)
        for process in range(3):
            bend = -1 if (process == 2) != (change == 0) else 1  # coefficient of m^2 in the square
            square = _square(process, change, j, m) + bend * variance
            out[3 * process + change] = row[1 + process] * share * (square if square > rounding else 0.0)


@compiled(f"void({_PLACE}, {_TABLE}, {_REAL})")
def walk_rates(place: Any, table: Any, out: Any) -> None:
    """The rates of CHANGES at the place (2j, 2m)."""
    j, m = place[0] / 2, place[1] / 2
    _local(table[0], j, m, 0.0, out)
    out[6] = 0  # a turn that keeps j changes nothing
    out[9] = table[0, 7] * _square(0, 0, j, m)
    out[10] = table[0, 6] * _square(1, 0, j, m)


@compiled(f"void({_PLACE}, {_TABLE}, {_REAL})")
def walk_look(place: Any, table: Any, out: Any) -> None:
    """m, m^2 and J_+ J_-."""
    j, m = place[0] / 2, place[1] / 2
    out[0], out[1], out[2] = m, m * m, _square(1, 0, j, m)


@compiled()
def _momenta(place: Any, table: Any, n: Any) -> Any:
    """m_A and m_B at index n = m_A + N_A/2 of a wave."""
    m = n - table[0, 0] / 2
    return m, place[2] / 2 - m


@compiled()
def _support(place: Any, table: Any) -> None:
    """The indices with |m_A| <= j_A and |m_B| <= j_B; the place of a wave is (2j_A, 2j_B, 2(m_A + m_B), first, last)."""
    spins = int(table[0, 0])
    place[3] = (max(-place[0], place[2] - place[1]) + spins) // 2
    place[4] = (min(place[0], place[2] + place[1]) + spins) // 2


@compiled(f"void({_PLACE}, {_TABLE}, {_WAVE}, {_WAVE}, {_WAVE})")
def wave_generator(place: Any, table: Any, diagonal: Any, up: Any, down: Any) -> None:
    """-i H - (sum of L^+ L)/2 between jumps, equation (9.13); up and down raise and lower m_A by one."""
    j = place[0] / 2, place[1] / 2
    rise = complex(table[CROSS, 0], table[CROSS, 1])
    fall = complex(table[CROSS, 2], table[CROSS, 3])
    for n in range(place[3], place[4] + 1):
        momenta = _momenta(place, table, n)
        value = 0j
        for a in range(2):
            row, m = table[a], momenta[a]
            above, below = _square(0, 0, j[a], m), _square(1, 0, j[a], m)
            half = row[0] / 2
            loss = row[1] * (half - m) + row[2] * (half + m) + row[3] * half / 2 + row[6] * below + row[7] * above
            value -= loss / 2 + 1j * (row[4] * m + row[5] * (below - m))
        diagonal[n] = value
        up[n] = rise * np.sqrt(_square(0, 0, j[0], momenta[0]) * _square(1, 0, j[1], momenta[1]))
        down[n] = fall * np.sqrt(_square(1, 0, j[0], momenta[0]) * _square(0, 0, j[1], momenta[1]))


@compiled()
def _collective(place: Any, row: Any, wave: Any, table: Any, out: Any) -> None:
    """row[0] = +-1: raise or lower by v_A J_A + v_B J_B, equation (9.12); the wave's total m changes with it.

    Writes `out` where the result may differ from zero, and not elsewhere.
    """
    step = int(row[0])
    process = 0 if step > 0 else 1
    v = complex(row[1], row[2]), complex(row[3], row[4])
    out[max(place[3] - 1, 0) : place[4] + 2] = 0
    for n in range(place[3], place[4] + 1):
        m = _momenta(place, table, n)
        first, second = _square(process, 0, place[0] / 2, m[0]), _square(process, 0, place[1] / 2, m[1])
        if first > 0:
            out[n + step] += v[0] * np.sqrt(first) * wave[n]
        if second > 0:
            out[n] += v[1] * np.sqrt(second) * wave[n]


@compiled(f"void({_PLACE}, {_WAVE}, {_TABLE}, {_REAL})")
def wave_rates(place: Any, wave: Any, table: Any, out: Any) -> None:
    """The rates of the local jumps of A, those of B, and the collective jumps: the squared length of what each leaves.

    Those of local jumps are polynomials of second degree in m (9.2): mean and variance are enough.
    """
    out[:] = 0
    norm, mean, square = 0.0, 0.0, 0.0
    for n in range(place[3], place[4] + 1):
        p = wave[n].real ** 2 + wave[n].imag ** 2
        norm += p
        mean += p * (n - place[3])
        square += p * (n - place[3]) ** 2
    mean /= norm
    m = _momenta(place, table, place[3] + mean)
    for a in range(2):
        _local(table[a], place[a] / 2, m[a], square / norm - mean**2, out[LOCAL * a : LOCAL * (a + 1)])
    after = np.empty_like(wave)
    for k in range(COLLECTIVE_JUMPS):
        row = table[COLLECTIVE + k]
        if row[0] != 0:
            _collective(place, row, wave, table, after)
            for n in range(place[3] - 1, place[4] + 2):
                if 0 <= n < len(after):
                    out[2 * LOCAL + k] += (after[n].real ** 2 + after[n].imag ** 2) / norm


@compiled(f"void(int64, {_PLACE}, {_WAVE}, {_TABLE}, {_WAVE})")
def wave_jump(which: Any, place: Any, wave: Any, table: Any, out: Any) -> None:
    """The wave after a jump, equation (9.12), up to a factor; the place is changed with it."""
    out[:] = 0
    if which >= 2 * LOCAL:
        row = table[COLLECTIVE + which - 2 * LOCAL]
        _collective(place, row, wave, table, out)
        place[2] += 2 * int(row[0])
        _support(place, table)
        return
    a, kind = which // LOCAL, which % LOCAL
    process, change = kind // 3, kind % 3
    step = (1, -1, 0)[process]
    shift = step if a == 0 else 0
    for n in range(place[3], place[4] + 1):
        m = _momenta(place, table, n)[a]
        square = _square(process, change, place[a] / 2, m)
        if square > 0:
            element = m if kind == 6 else np.sqrt(square)  # the other elements have one sign for all m
            out[n + shift] = element * wave[n]
    place[a] += (0, -2, 2)[change]
    place[2] += 2 * step
    _support(place, table)


@compiled(f"void({_PLACE}, {_WAVE}, {_TABLE}, {_REAL})")
def wave_look(place: Any, wave: Any, table: Any, out: Any) -> None:
    """m_A, m_B, J_+A J_-A, J_+B J_-B, J_+A J_-B (real, imaginary), m_A^2, m_B^2, m_A m_B."""
    j = place[0] / 2, place[1] / 2
    out[:] = 0
    norm = 0.0
    for n in range(place[3], place[4] + 1):
        p = wave[n].real ** 2 + wave[n].imag ** 2
        m = _momenta(place, table, n)
        norm += p
        for a in range(2):
            out[a] += p * m[a]
            out[2 + a] += p * _square(1, 0, j[a], m[a])
            out[6 + a] += p * m[a] ** 2
        out[8] += p * m[0] * m[1]
        if n < place[4]:
            cross = np.sqrt(_square(0, 0, j[0], m[0]) * _square(1, 0, j[1], m[1])) * np.conj(wave[n + 1]) * wave[n]
            out[4] += cross.real
            out[5] += cross.imag
    out /= norm
