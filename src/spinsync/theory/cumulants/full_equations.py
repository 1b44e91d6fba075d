"""Second-order cumulants of classes of spins with coherence, as compiled functions; numbers: docs/theory_cumulants.md.

The variables are one-spin means and the connected parts of two-spin means, e.g. <sigma^+_i sigma^-_j> - s_i^* s_j. Connected
parts are of order 1/N in a synchronized state, so that no digits are lost at any N.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.compiled import compiled

SIGNATURE = "void(float64[::1], float64[:,::1], float64[:,:,::1], float64[:,:,::1], float64[::1], float64[::1])"


@compiled()
def without_the_pair(coupling, own, x, total):
    """Turn total_ab = sum_k C_ik x_kj over all spins k to the sum over spins other than i (of class a) and j (of class b)."""
    for a in range(len(own)):
        for b in range(len(own)):
            total[a, b] -= own[a] * coupling[a, a] * x[a, b] + own[b] * coupling[a, b] * x[b, b]


@compiled()
def sums_over_spins(weighted, factors, x, out):
    """out_ab = sum_e N_e C_ae x_eb, by the factors of N_e C_ae if there are any."""
    if factors.shape[1] == 0:
        np.dot(weighted, x, out)
    else:
        np.dot(np.ascontiguousarray(factors[0].T), np.dot(factors[1], x), out)


@compiled()
def mixed_derivative(a, b, table, c, c_back, modulus, h_a, h_b, s, z, pairs, zz, sums):
    """Derivative of mz_ab; h_a, h_b: the field on each of the two spins without the other."""
    pm, mm, mz = pairs[0], pairs[1], pairs[2]
    of_others = h_b * pm[b, a] - np.conj(h_b) * mm[a, b] + np.conj(s[b]) * sums[1, b, a] - s[b] * np.conj(sums[0, b, a])
    found = -(1j * table[0, a] + table[1, a] + table[2, b]) * mz[a, b]
    found += 1j * (h_a * zz[a, b] + z[a] * sums[2, a, b]) - 2j * of_others
    # of the two spins alone, by their full means
    found += 1j * np.conj(c_back) * s[b] - (2 * modulus + 1j * z[b] * c) * (s[b] * z[a] + mz[b, a])
    return found - 4 * s[a] * (c_back * (np.conj(s[b]) * s[a] + pm[b, a])).imag


@compiled()
def pair_derivatives(a, b, table, c, c_back, modulus, h_a, h_b, s, z, pairs, zz, sums, dpairs, dzz):
    """Write the derivatives of pm, mm, mz and zz of the classes a and b in both orders."""
    omega, gamma_perp, gamma_1 = table[0], table[1], table[2]
    s_a, s_b, z_a, z_b = s[a], s[b], z[a], z[b]
    pm, mz, mz_back = pairs[0, a, b], pairs[2, a, b], pairs[2, b, a]
    plus_minus, minus_z, z_minus = np.conj(s_a) * s_b + pm, s_a * z_b + mz, s_b * z_a + mz_back  # full means
    dpm = -(1j * (omega[b] - omega[a]) + gamma_perp[a] + gamma_perp[b]) * pm
    dpm += 1j * (h_b * np.conj(mz) + z_b * sums[0, b, a]) - 1j * (np.conj(h_a) * mz_back + z_a * np.conj(sums[0, a, b]))
    dpm += 0.5j * (c_back * z_b - np.conj(c) * z_a) + np.conj(modulus) * (zz[a, b] + z_a * z_b)
    dpm += 1j * (np.conj(c) * s_b * np.conj(z_minus) - c_back * np.conj(s_a) * minus_z)
    dmm = -(1j * (omega[a] + omega[b]) + gamma_perp[a] + gamma_perp[b]) * pairs[1, a, b]
    dmm += 1j * (h_a * mz_back + z_a * sums[1, a, b] + h_b * mz + z_b * sums[1, b, a])
    dmm -= 1j * (c * s_b * z_minus + c_back * s_a * minus_z)
    found = 8 * (modulus * plus_minus).real - (gamma_1[a] + gamma_1[b]) * zz[a, b]
    found += 4 * (np.conj(s_a) * sums[2, a, b] + h_a * np.conj(mz) + np.conj(s_b) * sums[2, b, a] + h_b * np.conj(mz_back)).imag
    found -= 4 * z_b * (c * plus_minus).imag + 4 * z_a * (c_back * np.conj(plus_minus)).imag
    dpairs[2, a, b] = mixed_derivative(a, b, table, c, c_back, modulus, h_a, h_b, s, z, pairs, zz, sums)
    dpairs[2, b, a] = mixed_derivative(b, a, table, c_back, c, np.conj(modulus), h_b, h_a, s, z, pairs, zz, sums)
    dpairs[0, a, b], dpairs[0, b, a] = dpm, np.conj(dpm)
    dpairs[1, a, b], dpairs[1, b, a], dzz[a, b], dzz[b, a] = dmm, dmm, found, found


@compiled(SIGNATURE)
def derivative(y, table, planes, factors, work, out):
    """Write dy/dt of y = (s, pm, mm, mz, z, zz) to `out`; complex numbers are pairs of real ones.

    table : omega, gamma_perp, gamma_1, net_gain (primed), number of spins and min(1, number), shape (6 or more, class)
    planes : C_ab/N, (K_+ + K_-)_ab of two spins and N_b C_ab/N, three complex matrices (class, class) as pairs of real numbers
    factors : complex P, Q of shape (rank, class) with N_b C_ab/N = sum_r P_ra Q_rb, as pairs of real numbers; or rank 0
    """
    size, square = table.shape[1], table.shape[1] ** 2
    ends = 2 * size + 2 * square * np.arange(4)
    s, z, zz = y[: 2 * size].view(np.complex128), y[ends[3] : ends[3] + size], y[ends[3] + size :].reshape(size, size)
    ds, dz, dzz = out[: 2 * size].view(np.complex128), out[ends[3] : ends[3] + size], out[ends[3] + size :].reshape(size, size)
    pairs, dpairs = y[2 * size : ends[3]].view(np.complex128), out[2 * size : ends[3]].view(np.complex128)
    pairs, dpairs = pairs.reshape(3, size, size), dpairs.reshape(3, size, size)
    sums, matrices = work[: 6 * square].view(np.complex128).reshape(3, size, size), planes.view(np.complex128)
    pm, mm, mz, coupling, spins, own = pairs[0], pairs[1], pairs[2], matrices[0], table[4], table[5]
    field, to_plus = np.dot(matrices[2], s), np.conj(pm)  # pm is Hermitian
    for i, x in enumerate((to_plus, mm, mz)):
        sums_over_spins(matrices[2], factors.view(np.complex128), x, sums[i])
    for a in range(size):
        c_own = own[a] * coupling[a, a]
        field[a] -= c_own * s[a]
        others_z, others_p = sums[2, a, a] - c_own * mz[a, a], sums[0, a, a] - c_own * pm[a, a]
        ds[a] = -(1j * table[0, a] + table[1, a]) * s[a] + 1j * (field[a] * z[a] + others_z)
        dz[a] = -table[2, a] * z[a] + table[3, a] + 4 * (np.conj(s[a]) * field[a] + others_p).imag
    for i, x in enumerate((to_plus, mm, mz)):
        without_the_pair(coupling, own, x, sums[i])
    for a in range(size):
        for b in range(a + 1):
            if a == b and spins[a] <= own[a]:  # no pair
                dpairs[:, a, a], dzz[a, a] = 0, 0
                continue
            c, c_back = coupling[a, b], coupling[b, a]
            h_a, h_b = field[a] - own[b] * c * s[b], field[b] - own[a] * c_back * s[a]
            pair_derivatives(a, b, table, c, c_back, matrices[1, a, b], h_a, h_b, s, z, pairs, zz, sums, dpairs, dzz)
