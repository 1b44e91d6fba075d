"""Second-order cumulants of classes of spins with coherence, as compiled functions; numbers: docs/theory_cumulants.md.

The variables are one-spin means and the connected parts of two-spin means, e.g. <sigma^+_i sigma^-_j> - s_i^* s_j. Connected
parts are of order 1/N in a synchronized state, so that no digits are lost at any N.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.compiled import compiled


@compiled()
def without_the_pair(coupling, own, x, total):
    """G_ab = sum_k C_ik x_kj over the spins k other than i (of class a) and j (of class b), from `total` over all spins."""
    out = np.empty_like(total)
    for a in range(len(own)):
        for b in range(len(own)):
            out[a, b] = total[a, b] - own[a] * coupling[a, a] * x[a, b] - own[b] * coupling[a, b] * x[b, b]
    return out


@compiled()
def pair_derivatives(a, b, rates, c, c_back, modulus, h_a, h_b, s, z, pm, mm, mz, zz, g_p, g_m, g_z):
    """Derivatives of pm_ab, mm_ab, mz_ab and zz_ab; h_a, h_b: the field on each spin without the other."""
    omega, gamma_perp, gamma_1 = rates[0], rates[1], rates[2]
    s_a, s_b, z_a, z_b = s[a], s[b], z[a], z[b]
    # one-spin terms, and the fields of other spins
    dpm = -(1j * (omega[b] - omega[a]) + gamma_perp[a] + gamma_perp[b]) * pm[a, b]
    dpm += 1j * (h_b * np.conj(mz[a, b]) + z_b * g_p[b, a]) - 1j * (np.conj(h_a) * mz[b, a] + z_a * np.conj(g_p[a, b]))
    dmm = -(1j * (omega[a] + omega[b]) + gamma_perp[a] + gamma_perp[b]) * mm[a, b]
    dmm += 1j * (h_a * mz[b, a] + z_a * g_m[a, b] + h_b * mz[a, b] + z_b * g_m[b, a])
    dmz = -(1j * omega[a] + gamma_perp[a] + gamma_1[b]) * mz[a, b] + 1j * (h_a * zz[a, b] + z_a * g_z[a, b])
    dmz -= 2j * (np.conj(s_b) * g_m[b, a] + h_b * pm[b, a] - s_b * np.conj(g_p[b, a]) - np.conj(h_b) * mm[a, b])
    dzz = -(gamma_1[a] + gamma_1[b]) * zz[a, b]
    dzz += 4 * (np.conj(s_a) * g_z[a, b] + h_a * np.conj(mz[a, b])).imag
    dzz += 4 * (np.conj(s_b) * g_z[b, a] + h_b * np.conj(mz[b, a])).imag
    # terms of the two spins alone, by their full means
    plus_minus, minus_z, z_minus = np.conj(s_a) * s_b + pm[a, b], s_a * z_b + mz[a, b], s_b * z_a + mz[b, a]
    dpm += 0.5j * (c_back * z_b - np.conj(c) * z_a) + np.conj(modulus) * (zz[a, b] + z_a * z_b)
    dpm += 1j * (np.conj(c) * s_b * np.conj(z_minus) - c_back * np.conj(s_a) * minus_z)
    dmm -= 1j * (c * s_b * z_minus + c_back * s_a * minus_z)
    dmz += 1j * np.conj(c_back) * s_b - (2 * modulus + 1j * z_b * c) * z_minus
    dmz -= 4 * s_a * (c_back * np.conj(plus_minus)).imag
    dzz += 8 * (modulus * plus_minus).real
    dzz -= 4 * z_b * (c * plus_minus).imag + 4 * z_a * (c_back * np.conj(plus_minus)).imag
    return dpm, dmm, dmz, dzz


@compiled()
def derivative(y, rates, coupling, modulus, out):
    """Write dy/dt of y = (s, pm, mm, mz, z, zz), complex numbers as two real ones, to `out`.

    rates : omega, gamma_perp, gamma_1, net_gain (primed), number of spins and min(1, number), array of shape (6, class)
    coupling, modulus : C_ab/N and (K_+ + K_-)_ab of two spins, complex arrays of shape (class, class)
    """
    size, square = rates.shape[1], rates.shape[1] ** 2
    ends = 2 * size + 2 * square * np.arange(4)
    s, z, zz = y[: 2 * size].view(np.complex128), y[ends[3] : ends[3] + size], y[ends[3] + size :].reshape(size, size)
    ds, dz, dzz = out[: 2 * size].view(np.complex128), out[ends[3] : ends[3] + size], out[ends[3] + size :].reshape(size, size)
    pairs, dpairs = y[2 * size : ends[3]].view(np.complex128), out[2 * size : ends[3]].view(np.complex128)
    pairs, dpairs = pairs.reshape(3, size, size), dpairs.reshape(3, size, size)
    pm, mm, mz, spins, own = pairs[0], pairs[1], pairs[2], rates[4], rates[5]
    weighted = coupling * spins
    field, to_plus = weighted @ s, np.conj(pm)  # pm is Hermitian
    sum_p, sum_m, sum_z = weighted @ to_plus, weighted @ mm, weighted @ mz
    for a in range(size):
        c_own = own[a] * coupling[a, a]
        field[a] -= c_own * s[a]
        others_z, others_p = sum_z[a, a] - c_own * mz[a, a], sum_p[a, a] - c_own * pm[a, a]
        ds[a] = -(1j * rates[0, a] + rates[1, a]) * s[a] + 1j * (field[a] * z[a] + others_z)
        dz[a] = -rates[2, a] * z[a] + rates[3, a] + 4 * (np.conj(s[a]) * field[a] + others_p).imag
    g_p = without_the_pair(coupling, own, to_plus, sum_p)
    g_m, g_z = without_the_pair(coupling, own, mm, sum_m), without_the_pair(coupling, own, mz, sum_z)
    for a in range(size):
        for b in range(size):
            if a == b and spins[a] <= own[a]:  # no pair
                dpairs[:, a, a], dzz[a, a] = 0, 0
                continue
            c, c_back = coupling[a, b], coupling[b, a]
            h_a, h_b = field[a] - own[b] * c * s[b], field[b] - own[a] * c_back * s[a]
            found = pair_derivatives(a, b, rates, c, c_back, modulus[a, b], h_a, h_b, s, z, pm, mm, mz, zz, g_p, g_m, g_z)
            dpairs[0, a, b], dpairs[1, a, b], dpairs[2, a, b], dzz[a, b] = found
