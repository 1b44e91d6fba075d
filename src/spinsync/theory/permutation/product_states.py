"""Equal spins in a product state, written in the Dicke basis."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy

from spinsync.base.arrays import Array
from spinsync.base.compiled import compiled
from spinsync.model import bloch_vectors


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


_WHOLE, _REAL = "int64[::1]", "float64[::1]"


@compiled(f"{_REAL}({_WHOLE}, {_WHOLE}, int64, {_REAL}, {_REAL}, {_REAL})")
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


def drawn(random: np.random.Generator, spins: int, bloch: Array) -> tuple[int, int, Array]:
    """One pure state out of the mixture that a product state is: 2j, 2m along the Bloch vector, amplitudes over m = -j..j."""
    twice_j, along, amplitudes = drawn_real(random, spins, bloch)
    turn = np.exp(-1j * np.arctan2(bloch[1], bloch[0]) * (np.arange(twice_j + 1) - twice_j / 2))
    return twice_j, along, turn * amplitudes


def drawn_real(random: np.random.Generator, spins: int, bloch: Array) -> tuple[int, int, Array]:
    """The same turned to azimuth 0, where amplitudes are real.

    2m by a binomial law; of the binom(N, N/2 - m) configurations, binom(N, N/2 - j) are those of spins >= j, (9.15).
    """
    length = min(float(np.linalg.norm(bloch)), 1.0)
    along = 2 * int(random.binomial(spins, (1 + length) / 2)) - spins
    uniform = np.log1p(-random.random())
    low, high = 0, (spins - abs(along)) // 2  # N/2 - j: P(j' >= j) >= uniform holds at high, perhaps lower
    everything = _log_binomial(spins, high)
    while low < high:
        middle = (low + high) // 2
        if _log_binomial(spins, middle) - everything >= uniform:
            high = middle
        else:
            low = middle + 1
    twice_j = spins - 2 * low
    return twice_j, along, _rotated(twice_j, along, np.arctan2(np.hypot(bloch[0], bloch[1]), bloch[2]))


def _log_binomial(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


@compiled()
def _recurrence(step: Any, n: Any, last: Any, j: Any, mu: Any, cosine: Any, half_sine: Any, side: Any) -> None:
    """Fill `side` from one end, n, to `last`; what comes before is dropped where it is lost beside the rest."""
    side[n], before = 1.0, 0.0
    while n != last:
        m = n - j
        behind = before * np.sqrt(max((j + m * step) * (j - m * step + 1), 0.0))
        ahead = np.sqrt((j - m * step) * (j + m * step + 1))
        before = side[n]
        n += step
        side[n] = -((cosine * m - mu) * before / half_sine + behind) / ahead
        if abs(side[n]) > 1e100:
            now, before = side[n] * 1e-100, before * 1e-100
            side[:] = 0.0
            side[n], side[n - step] = now, before


@compiled(f"{_REAL}(int64, int64, float64)")
def _rotated(twice_j: Any, twice_mu: Any, polar: Any) -> Any:
    """<j,m|exp(-i polar J_y)|j,mu> over m up to a sign: the null vector of cos(polar) J_z + sin(polar) J_x - mu.

    Its three-term recurrence is stable from both tails inwards; they meet where m is mu cos(polar).
    """
    j, mu, size = twice_j / 2, twice_mu / 2, twice_j + 1
    cosine, half_sine = np.cos(polar), np.sin(polar) / 2
    out = np.zeros(size)
    if size == 1 or half_sine < 1e-15:
        out[int(j + (mu if cosine > 0 else -mu))] = 1.0
        return out
    middle = min(max(int(j + mu * cosine), 0), size - 2)
    other = np.zeros(size)
    _recurrence(1, 0, middle + 1, j, mu, cosine, half_sine, out)
    _recurrence(-1, size - 1, middle, j, mu, cosine, half_sine, other)
    product = out[middle] * other[middle] + out[middle + 1] * other[middle + 1]
    factor = product / (other[middle] ** 2 + other[middle + 1] ** 2)
    square = 0.0
    for n in range(size):
        if n >= middle:
            out[n] = factor * other[n]
        square += out[n] ** 2
    for n in range(size):
        out[n] /= np.sqrt(square)
    return out
