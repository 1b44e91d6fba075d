"""Product states of equal spins in the Dicke basis: their density matrix, and pure states drawn from it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy

from spinsync.base.arrays import Array
from spinsync.base.compiled import compiled
from spinsync.model import bloch_vectors

NEGLIGIBLE = 40.0  # logarithm of the ratio of the largest term of a sum to terms that are left out
VANISHING = -800.0  # logarithm below which the largest term counts as zero


def log_multiplicity(spins: int, j: Array) -> Array:
    """ln d_j of (9.4): d_j is the multiplicity of the representation j among N spins."""
    found = gammaln(spins + 1) - gammaln(spins / 2 - j + 1) - gammaln(spins / 2 + j + 1)
    return np.asarray(found + np.log(2 * j + 1) - np.log(spins / 2 + j + 1))


def product_state(spins: int, j: Array, m: Array, charge: int, bloch: Array) -> Array:
    """Elements |j,m><j,m-charge| of N spins in the same state, equation (9.4); all terms of the sum have the same sign.

    j, m : arrays of shape (component,); charge : coherence order; bloch : Bloch vector of every spin, shape (3,)
    """
    s, z = bloch_vectors.coherences(np.asarray(bloch))
    up, down, off = (1 + z) / 2, (1 - z) / 2, abs(s)
    determinant = np.maximum(up * down - off * off, 0.0)  # of the one-spin density matrix
    log_prefactor = log_multiplicity(spins, j) + xlogy(spins / 2 - j, determinant)
    log_fact = gammaln(np.arange(spins + 1) + 1.0)
    with np.errstate(divide="ignore"):
        logarithms = np.log(np.maximum([up, down, off], 0))
    twice, ups = (np.rint(number).astype(np.int64) for number in (2 * j, j + m))
    size = np.asarray(_symmetric_power(twice, ups, charge, logarithms, log_fact, log_prefactor))
    return np.asarray(size * (s / off) ** charge) if charge and off else size


_INTEGERS, _REALS = "int64[::1]", "float64[::1]"


@compiled(f"{_REALS}({_INTEGERS}, {_INTEGERS}, int64, {_REALS}, {_REALS}, {_REALS})")
def _symmetric_power(twice_j: Any, ups: Any, charge: Any, logarithms: Any, log_fact: Any, log_prefactor: Any) -> Any:
    """exp(log_prefactor) <j,m| Sym(rho) |j,m-charge> for the coherence |s|: a sum over the number of spins up in both."""
    up, down, off = np.exp(logarithms)
    out = np.zeros(len(twice_j))
    for i in range(len(twice_j)):
        n, ket = twice_j[i], ups[i]
        bra = ket - charge
        common = log_prefactor[i] + (log_fact[ket] + log_fact[n - ket] + log_fact[bra] + log_fact[n - bra]) / 2
        lowest, highest = max(0, ket + bra - n), min(ket, bra)
        low, high = lowest, highest  # bisection for the largest term: the ratio of a term to the one before falls
        while low < high:
            both = (low + high) // 2
            if (ket - both) * (bra - both) * up * down < (both + 1) * (n - ket - bra + both + 1) * off * off:
                high = both
            else:
                low = both + 1
        largest = common + _log_term(n, ket, bra, low, logarithms, log_fact)
        if largest < VANISHING:
            continue
        for step in (1, -1):
            both = low if step > 0 else low - 1
            while lowest <= both <= highest:
                power = common + _log_term(n, ket, bra, both, logarithms, log_fact)
                if power < largest - NEGLIGIBLE:
                    break
                out[i] += np.exp(power)
                both += step
    return out


@compiled(f"float64(int64, int64, int64, int64, {_REALS}, {_REALS})")
def _log_term(n: Any, ket: Any, bra: Any, both: Any, logarithms: Any, log_fact: Any) -> Any:
    """The logarithm of one term of that sum, without the common factor."""
    up, down, off = logarithms
    neither, single = n - ket - bra + both, ket + bra - 2 * both
    power = -log_fact[both] - log_fact[ket - both] - log_fact[bra - both] - log_fact[neither]
    for number, logarithm in ((both, up), (neither, down), (single, off)):
        if number > 0:
            power += number * logarithm
    return power


def draw(random: np.random.Generator, spins: int, bloch: Array) -> tuple[int, int, Array]:
    """Draw a pure state from a product state: 2j, 2m along the Bloch vector, amplitudes of shape (2j + 1,) over m = -j..j."""
    twice_j, along, amplitudes = draw_real(random, spins, bloch)
    rotation = np.exp(-1j * np.arctan2(bloch[1], bloch[0]) * (np.arange(twice_j + 1) - twice_j / 2))
    return twice_j, along, rotation * amplitudes


def draw_real(random: np.random.Generator, spins: int, bloch: Array) -> tuple[int, int, Array]:
    """The same for the Bloch vector rotated to azimuth 0, where amplitudes are real.

    2m has a binomial distribution; of binom(N, N/2 - m) configurations, binom(N, N/2 - j) belong to total spins >= j, (9.15).
    """
    length = min(float(np.linalg.norm(bloch)), 1.0)
    along = 2 * int(random.binomial(spins, (1 + length) / 2)) - spins
    uniform = np.log1p(-random.random())
    low, high = 0, (spins - abs(along)) // 2  # bisection for the least N/2 - j with P(j' >= j) >= uniform
    total = _log_binomial(spins, high)
    while low < high:
        centre = (low + high) // 2
        if _log_binomial(spins, centre) - total >= uniform:
            high = centre
        else:
            low = centre + 1
    twice_j = spins - 2 * low
    return twice_j, along, _wigner_d(twice_j, along, np.arctan2(np.hypot(bloch[0], bloch[1]), bloch[2]))


def _log_binomial(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


@compiled()
def _recurrence(step: Any, n: Any, last: Any, j: Any, mu: Any, cosine: Any, half_sine: Any, side: Any) -> None:
    """Fill `side` with elements of Wigner's d, not normalized, by recurrence in m from one end, n, to `last`. Elements beyond
    1e100 are scaled down, and the earlier ones, which no longer count, set to zero."""
    side[n], before = 1.0, 0.0
    while n != last:
        m = n - j
        second = before * np.sqrt(max((j + m * step) * (j - m * step + 1), 0.0))
        first = np.sqrt((j - m * step) * (j + m * step + 1))
        before = side[n]
        n += step
        side[n] = -((cosine * m - mu) * before / half_sine + second) / first
        if abs(side[n]) > 1e100:
            now, before = side[n] * 1e-100, before * 1e-100
            side[:] = 0.0
            side[n], side[n - step] = now, before


@compiled(f"{_REALS}(int64, int64, float64)")
def _wigner_d(twice_j: Any, twice_mu: Any, polar: Any) -> Any:
    """Wigner's d^j_{m,mu}(polar) over m, up to a sign: the null vector of cos(polar) J_z + sin(polar) J_x - mu.

    Its three-term recurrence is stable from both tails inwards; they meet where m is mu cos(polar).
    """
    j, mu, size = twice_j / 2, twice_mu / 2, twice_j + 1
    cosine, half_sine = np.cos(polar), np.sin(polar) / 2
    out = np.zeros(size)
    if size == 1 or half_sine < 1e-15:
        out[int(j + (mu if cosine > 0 else -mu))] = 1.0
        return out
    meeting = min(max(int(j + mu * cosine), 0), size - 2)
    other = np.zeros(size)
    _recurrence(1, 0, meeting + 1, j, mu, cosine, half_sine, out)
    _recurrence(-1, size - 1, meeting, j, mu, cosine, half_sine, other)
    product = out[meeting] * other[meeting] + out[meeting + 1] * other[meeting + 1]
    factor = product / (other[meeting] ** 2 + other[meeting + 1] ** 2)
    square = 0.0
    for n in range(size):
        if n >= meeting:
            out[n] = factor * other[n]
        square += out[n] ** 2
    for n in range(size):
        out[n] /= np.sqrt(square)
    return out
