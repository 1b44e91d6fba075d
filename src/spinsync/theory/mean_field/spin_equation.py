"""One group of spins in a field, on the Bloch ball: scalars in, scalars out, for code that is generated around it.

s = x + i y; the field h = hr + i hi is that of (3.1). The same functions serve single trajectories, many side by side in
the lanes of one processor core, and graphics processors.
"""

from __future__ import annotations

import cmath
import math

from spinsync.base.arrays import Array
from spinsync.base.compiled import compiled

#: nothing that denies NaN or infinity
short = compiled(fastmath={"contract", "reassoc", "nsz", "arcp"})


def field(coupling: Array, at: Array, a: int, part: int) -> tuple[float, float]:
    """The field h = sum_b C_ab p_b s_b (3.1) at group a, of the coherences that begin at `part` of the states of groups.

    coupling: (group, group, 2), C_ab p_b as real and imaginary part. at: (group, parts), with x and y side by side.
    """
    hr, hi = 0.0, 0.0
    for b in range(len(at)):
        hr += coupling[a, b, 0] * at[b, part] - coupling[a, b, 1] * at[b, part + 1]
        hi += coupling[a, b, 0] * at[b, part + 1] + coupling[a, b, 1] * at[b, part]
    return hr, hi


@short
def free(omega, gamma_perp, gamma_1, net_gain, x, y, z):
    """Rates of x, y and z without a field, by (3.3) and (3.4)."""
    return omega * y - gamma_perp * x, -omega * x - gamma_perp * y, net_gain - gamma_1 * z


@short
def driven(hr, hi, x, y, z):
    """What the field adds to them: i h z in (3.3), 4 Im(h s*) in (3.4)."""
    return -hi * z, hr * z, 4.0 * (hi * x - hr * y)


@short
def spin(omega, gamma_perp, gamma_1, net_gain, hr, hi, x, y, z):
    """Rates of x, y and z by (3.3) and (3.4)."""
    u, v, w = free(omega, gamma_perp, gamma_1, net_gain, x, y, z)
    a, b, c = driven(hr, hi, x, y, z)
    return u + a, v + b, w + c


@short
def spin_tangent(omega, gamma_perp, gamma_1, hr, hi, x, y, z, kr, ki, u, v, w):
    """Rates of a small deviation (u, v, w) of (x, y, z) beside a deviation k of the field, to first order."""
    return (
        omega * v - gamma_perp * u - ki * z - hi * w,
        kr * z + hr * w - omega * u - gamma_perp * v,
        -gamma_1 * w + 4.0 * (ki * x + hi * u - kr * y - hr * v),
    )


@short
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
