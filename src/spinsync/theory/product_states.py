"""Equal spins in a product state, written in the Dicke basis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from scipy.special import gammaln, xlogy

from spinsync.base.compiled import compiled
from spinsync.data import bloch_vectors
from spinsync.data.rates import Array


def copies(spins: int, j: Array) -> Array:
    """ln of how often the representation j appears among N spins: d_j of (9.4)."""
    found = gammaln(spins + 1) - gammaln(spins / 2 - j + 1) - gammaln(spins / 2 + j + 1)
    return np.asarray(found + np.log(2 * j + 1) - np.log(spins / 2 + j + 1))


def product_state(spins: int, j: Array, m: Array, charge: int, bloch: Array) -> Array:
    """Elements |j,m><j,m-charge| of N spins with the Bloch vector m each, equation (9.4); no term cancels another.

    j, m : arrays of shape (component,); bloch : real array of shape (3,)
    """
    s, z = bloch_vectors.coherences(np.asarray(bloch))
    up, down, off = (1 + z) / 2, (1 - z) / 2, abs(s)
    mixed = np.maximum(up * down - off * off, 0.0)  # determinant of the one-spin state
    outside = copies(spins, j) + xlogy(spins / 2 - j, mixed)
    faculty = gammaln(np.arange(spins + 1) + 1.0)
    with np.errstate(divide="ignore"):
        logarithms = np.log(np.maximum([up, down, off], 0))
    twice, ups = (np.rint(number).astype(np.int64) for number in (2 * j, j + m))
    size = np.asarray(_symmetric_power(twice, ups, charge, logarithms, faculty, outside))
    return np.asarray(size * (s / off) ** charge) if charge and off else size


_WHOLE, _REAL = types.int64[::1], types.float64[::1]


@compiled(_REAL(_WHOLE, _WHOLE, types.int64, _REAL, _REAL, _REAL))
def _symmetric_power(twice_j: Any, ups: Any, charge: Any, logarithms: Any, faculty: Any, outside: Any) -> Any:
    """exp(outside) <j,m| Sym(rho) |j,m-charge> for the coherence |s|: a sum over how many spins are up on both sides."""
    up, down, off = logarithms
    out = np.zeros(len(twice_j))
    for i in range(len(twice_j)):
        n, ket = twice_j[i], ups[i]
        bra = ket - charge
        common = outside[i] + (faculty[ket] + faculty[n - ket] + faculty[bra] + faculty[n - bra]) / 2
        for both in range(max(0, ket + bra - n), min(ket, bra) + 1):
            neither, single = n - ket - bra + both, ket + bra - 2 * both
            power = common - faculty[both] - faculty[ket - both] - faculty[bra - both] - faculty[neither]
            for number, logarithm in ((both, up), (neither, down), (single, off)):
                if number > 0:
                    power += number * logarithm
            out[i] += np.exp(power)
    return out
