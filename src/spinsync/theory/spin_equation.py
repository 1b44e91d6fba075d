"""One group of spins in a field, on the Bloch ball: scalars in, scalars out, for code that is generated around it.

s = x + i y; the field h = hr + i hi is that of (3.1). The same functions serve single trajectories, many side by side in
the lanes of one processor core, and graphics processors.
"""

from __future__ import annotations

from typing import Any

from numba import njit

#: nothing that denies NaN or infinity
short: Any = njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy")


@short
def spin(omega, gamma_perp, gamma_1, drive, hr, hi, x, y, z):
    """Rates of x, y and z by (3.3) and (3.4)."""
    return (
        omega * y - gamma_perp * x - hi * z,
        hr * z - omega * x - gamma_perp * y,
        drive - gamma_1 * z + 4.0 * (hi * x - hr * y),
    )


@short
def spin_tangent(omega, gamma_perp, gamma_1, hr, hi, x, y, z, kr, ki, u, v, w):
    """Rates of a small deviation (u, v, w) of (x, y, z) beside a deviation k of the field, to first order."""
    return (
        omega * v - gamma_perp * u - ki * z - hi * w,
        kr * z + hr * w - omega * u - gamma_perp * v,
        -gamma_1 * w + 4.0 * (ki * x + hi * u - kr * y - hr * v),
    )
