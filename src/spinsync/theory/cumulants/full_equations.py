"""The second-order equations with coherence, (10.11) to (10.16), as compiled functions of a packed state.

The state of M classes is y = (s, pm, mm, mz, z, zz, z of the tails), complex numbers as pairs of real ones: the one-spin means
s_a = <sigma^-_i> and z_a = <sigma^z_i>, and the connected parts of the means of two different spins, i of class a and j of
class b: pm_ab = <sigma^+_i sigma^-_j> - s_a^* s_b, and likewise mm of sigma^- sigma^-, mz of sigma^- sigma^z, zz of
sigma^z sigma^z. They are of order 1/N in a synchronized state: as variables of their own they keep their digits at any N.

Classes of one group differ by their frequency alone, so that sums over the classes of a group come first, and the coupling acts
on these sums.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.compiled import compiled
from spinsync.problems.moments.record import SIGNATURE

#: rows of the table, which has a column for each class; TOLERANCE that of the moments, for what is recorded
GROUP, SPINS, OMEGA, GAMMA_PERP, GAMMA_1, NET_GAIN, HAS_PAIRS, TOLERANCE = range(8)
COUPLING, MODULUS = range(2)  # complex planes by group, for two spins: C/N and K_+ + K_-
TAIL_SPINS, TAIL_GAMMA_1, TAIL_NET_GAIN = range(3)  # rows of factors[0], by group: its spins that no class holds


@compiled()
def fields_of_all(y, table, coupling, totals, out):
    """out_gk = sum over classes e of C_ge N_e x_ek / N, for the columns x = (pm^*, mm, mz, s) of 3 M + 1 numbers."""
    size = table.shape[1]
    s, columns = y[: 2 * size].view(np.complex128), y[2 * size : 2 * size + 6 * size * size].view(np.complex128)
    pm, mm, mz = columns[: size * size], columns[size * size : 2 * size * size], columns[2 * size * size :]
    totals[:] = 0.0
    for e in range(size):
        total, spins, first = totals[int(table[GROUP, e])], table[SPINS, e], e * size
        for b in range(size):
            total[b] += spins * np.conj(pm[first + b])  # pm is Hermitian: <sigma^-_k sigma^+_j> = pm_jk
            total[size + b] += spins * mm[first + b]
            total[2 * size + b] += spins * mz[first + b]
        total[3 * size] += spins * s[e]
    np.dot(coupling, totals, out)


@compiled()
def fields_of_others(a, b, g, h, coupling, pairs, fields):
    """(10.16): sums G_ab = sum_k C_ik x_kj of x = pm^*, mm, mz over the spins k other than i of class a and j of class b."""
    size, own, cross = pairs.shape[1], coupling[g, g], coupling[g, h]
    g_p = fields[g, b] - own * np.conj(pairs[0, a, b]) - cross * np.conj(pairs[0, b, b])
    g_m = fields[g, size + b] - own * pairs[1, a, b] - cross * pairs[1, b, b]
    g_z = fields[g, 2 * size + b] - own * pairs[2, a, b] - cross * pairs[2, b, b]
    return g_p, g_m, g_z


@compiled()
def mixed_derivative(a, b, table, c, c_back, modulus, h_a, h_b, s, z, pairs, zz, g_z, back_p, back_m):
    """Derivative (10.14) of mz_ab; h_a, h_b: the field on each of the two spins without the other."""
    pm, mm, mz = pairs[0], pairs[1], pairs[2]
    found = -(1j * table[OMEGA, a] + table[GAMMA_PERP, a] + table[GAMMA_1, b]) * mz[a, b]
    found += 1j * (h_a * zz[a, b] + z[a] * g_z)
    found -= 2j * (h_b * pm[b, a] - np.conj(h_b) * mm[a, b] + np.conj(s[b]) * back_m - s[b] * np.conj(back_p))
    # of the two spins alone, by their full means
    found += 1j * np.conj(c_back) * s[b] - (2 * modulus + 1j * z[b] * c) * (s[b] * z[a] + mz[b, a])
    return found - 4 * s[a] * (c_back * (np.conj(s[b]) * s[a] + pm[b, a])).imag


@compiled()
def pair_derivatives(a, b, table, coupling, modulus, s, z, pairs, zz, fields, dpairs, dzz):
    """Write the derivatives (10.12) to (10.15) of pm, mm, mz and zz of the classes a and b, in both orders."""
    g, h, last = int(table[GROUP, a]), int(table[GROUP, b]), fields.shape[1] - 1
    c, c_back, k, s_a, s_b, z_a, z_b = coupling[g, h], coupling[h, g], modulus[g, h], s[a], s[b], z[a], z[b]
    h_a = fields[g, last] - coupling[g, g] * s_a - c * s_b
    h_b = fields[h, last] - coupling[h, h] * s_b - c_back * s_a
    p, m, mixed = fields_of_others(a, b, g, h, coupling, pairs, fields)
    back_p, back_m, back_mixed = fields_of_others(b, a, h, g, coupling, pairs, fields)
    turn_a, turn_b = 1j * table[OMEGA, a] + table[GAMMA_PERP, a], 1j * table[OMEGA, b] + table[GAMMA_PERP, b]
    pm, mz, mz_back = pairs[0, a, b], pairs[2, a, b], pairs[2, b, a]
    plus_minus, minus_z, z_minus = np.conj(s_a) * s_b + pm, s_a * z_b + mz, s_b * z_a + mz_back  # full means
    dpm = -(np.conj(turn_a) + turn_b) * pm
    dpm += 1j * (h_b * np.conj(mz) + z_b * back_p) - 1j * (np.conj(h_a) * mz_back + z_a * np.conj(p))
    dpm += 0.5j * (c_back * z_b - np.conj(c) * z_a) + np.conj(k) * (zz[a, b] + z_a * z_b)
    dpm += 1j * (np.conj(c) * s_b * np.conj(z_minus) - c_back * np.conj(s_a) * minus_z)
    dmm = -(turn_a + turn_b) * pairs[1, a, b] + 1j * (h_a * mz_back + z_a * m + h_b * mz + z_b * back_m)
    dmm -= 1j * (c * s_b * z_minus + c_back * s_a * minus_z)
    found = 8 * (k * plus_minus).real - (table[GAMMA_1, a] + table[GAMMA_1, b]) * zz[a, b]
    found += 4 * (np.conj(s_a) * mixed + h_a * np.conj(mz) + np.conj(s_b) * back_mixed + h_b * np.conj(mz_back)).imag
    found -= 4 * (z_b * (c * plus_minus).imag + z_a * (c_back * np.conj(plus_minus)).imag)
    dpairs[2, a, b] = mixed_derivative(a, b, table, c, c_back, k, h_a, h_b, s, z, pairs, zz, mixed, back_p, back_m)
    dpairs[2, b, a] = mixed_derivative(b, a, table, c_back, c, np.conj(k), h_b, h_a, s, z, pairs, zz, back_mixed, p, m)
    dpairs[0, a, b], dpairs[0, b, a] = dpm, np.conj(dpm)
    dpairs[1, a, b], dpairs[1, b, a], dzz[a, b], dzz[b, a] = dmm, dmm, found, found


@compiled(SIGNATURE)
def derivative(y, table, planes, factors, work, out):
    """Write the derivatives (10.11) to (10.15) to `out`."""
    size, square, columns = table.shape[1], table.shape[1] ** 2, 3 * table.shape[1] + 1
    groups, complex_planes, one, two = planes.shape[1], planes.view(np.complex128), 2 * size, 2 * size + 6 * square
    three, four = two + size, two + size + square
    coupling, modulus = complex_planes[COUPLING], complex_planes[MODULUS]
    s, z, zz = y[:one].view(np.complex128), y[two:three], y[three:four].reshape(size, size)
    ds, dz, dzz = out[:one].view(np.complex128), out[two:three], out[three:four].reshape(size, size)
    pairs = y[one:two].view(np.complex128).reshape(3, size, size)
    dpairs = out[one:two].view(np.complex128).reshape(3, size, size)
    sums = work.view(np.complex128).reshape(2, groups, columns)
    fields = sums[1]
    fields_of_all(y, table, coupling, sums[0], fields)
    for a in range(size):
        g = int(table[GROUP, a])
        own = coupling[g, g]  # a spin is not its own partner
        h = fields[g, 3 * size] - own * s[a]
        of_others = fields[g, 2 * size + a] - own * pairs[2, a, a]
        ds[a] = -(1j * table[OMEGA, a] + table[GAMMA_PERP, a]) * s[a] + 1j * (h * z[a] + of_others)
        total = np.conj(s[a]) * h + fields[g, a] - own * pairs[0, a, a]
        dz[a] = -table[GAMMA_1, a] * z[a] + table[NET_GAIN, a] + 4 * total.imag
        for b in range(a + 1):
            pair_derivatives(a, b, table, coupling, modulus, s, z, pairs, zz, fields, dpairs, dzz)
        if table[HAS_PAIRS, a] == 0:
            dpairs[:, a, a], dzz[a, a] = 0, 0
    for g in range(groups):
        k = four + g
        out[k] = factors[0, TAIL_NET_GAIN, g] - factors[0, TAIL_GAMMA_1, g] * y[k]


@compiled()
def too_long(s, z, z_tail, table, tail_spins):
    """How many classes have a Bloch vector longer than 1, and tails |z| > 1; of a tail without spins nothing is read."""
    found, longest = 0, 1 + table[TOLERANCE, 0]
    for a in range(z.size):
        found += not z[a] ** 2 + 4 * (s[a].real ** 2 + s[a].imag ** 2) <= longest**2
    for g in range(z_tail.size):
        found += tail_spins[g] > 0 and not abs(z_tail[g]) <= longest
    return found


@compiled()
def two_spin_state(a, b, s, z, pairs, zz, rho):
    """Write the lower triangle of the density matrix of two spins, of the classes a and b, with <x|rho|y> = < |y><x| >.

    Basis |ee>, |eg>, |ge>, |gg>.
    """
    both = zz[a, b] + z[a] * z[b]
    a_up, b_up = pairs[2, a, b] + s[a] * z[b], pairs[2, b, a] + s[b] * z[a]  # <sigma^-_a sigma^z_b>, <sigma^-_b sigma^z_a>
    rho[0, 0], rho[1, 1] = (1 + z[a] + z[b] + both) / 4, (1 + z[a] - z[b] - both) / 4
    rho[2, 2], rho[3, 3] = (1 - z[a] + z[b] - both) / 4, (1 - z[a] - z[b] + both) / 4
    rho[1, 0], rho[2, 0] = np.conj(s[b] + b_up) / 2, np.conj(s[a] + a_up) / 2
    rho[2, 1], rho[3, 0] = pairs[0, a, b] + np.conj(s[a]) * s[b], np.conj(pairs[1, a, b] + s[a] * s[b])
    rho[3, 1], rho[3, 2] = np.conj(s[a] - a_up) / 2, np.conj(s[b] - b_up) / 2


@compiled()
def positive(rho, tolerance):
    """Whether rho + tolerance has a Cholesky decomposition, as it has unless an eigenvalue of rho is below -tolerance.

    N. J. Higham, Accuracy and Stability of Numerical Algorithms, chapter 10. Only the lower triangle is read, and rho is lost.
    With a NaN the answer is no.
    """
    for k in range(len(rho)):
        pivot = rho[k, k].real + tolerance
        if not pivot > 0:
            return False
        for i in range(k + 1, len(rho)):
            factor = rho[i, k] * (1 / pivot)
            for j in range(k + 1, i + 1):
                rho[i, j] -= factor * np.conj(rho[j, k])
    return True


@compiled()
def negative_pairs(s, z, pairs, zz, table):
    """How many pairs of classes have no positive two-spin state; a class of one spin or less has no pair of its own."""
    found, rho = 0, np.empty((4, 4), np.complex128)
    for a in range(z.size):
        for b in range(a + 1 if table[SPINS, a] > 1 else a):
            two_spin_state(a, b, s, z, pairs, zz, rho)
            found += not positive(rho, table[TOLERANCE, 0])
    return found


@compiled(SIGNATURE)
def group_sums(y, table, planes, factors, work, out):
    """Record by group: sums of s, s^2, s z, z, |s|^2, z^2 over spins and of pm, mm, mz, zz over pairs; and s, z of classes.

    The last two numbers are `too_long` and `negative_pairs`.
    """
    size, groups, square = table.shape[1], planes.shape[1], table.shape[1] ** 2
    one, two, pair = 2 * size, 2 * size + 6 * square, groups * groups
    s, z, pairs = y[:one].view(np.complex128), y[two : two + size], y[one:two].view(np.complex128)
    out[:] = 0.0
    singles, connected = out[: 6 * groups].view(np.complex128), out[6 * groups : 6 * groups + 6 * pair].view(np.complex128)
    real, each = out[6 * groups + 6 * pair :], out[9 * groups + 7 * pair :]
    for g in range(groups):
        tail, z_tail = factors[0, TAIL_SPINS, g], y[two + size + square + g]
        real[g], real[2 * groups + g] = tail * z_tail, tail * z_tail**2
    for a in range(size):
        g, spins = int(table[GROUP, a]), table[SPINS, a]
        singles[g] += spins * s[a]
        singles[groups + g] += spins * s[a] ** 2
        singles[2 * groups + g] += spins * s[a] * z[a]
        real[g] += spins * z[a]
        real[groups + g] += spins * (s[a].real ** 2 + s[a].imag ** 2)
        real[2 * groups + g] += spins * z[a] ** 2
        each[2 * a], each[2 * a + 1], each[2 * size + a] = s[a].real, s[a].imag, z[a]
        for b in range(size):
            k, to = a * size + b, g * groups + int(table[GROUP, b])
            count = spins * table[SPINS, b] if b != a else spins * (spins - 1) * table[HAS_PAIRS, a]
            for kind in range(3):
                connected[kind * pair + to] += count * pairs[kind * square + k]
            real[3 * groups + to] += count * y[two + size + k]
    zz, z_tail = y[two + size : two + size + square].reshape(size, size), y[two + size + square :]
    out[out.size - 2] = too_long(s, z, z_tail, table, factors[0, TAIL_SPINS])
    out[out.size - 1] = negative_pairs(s, z, pairs.reshape(3, size, size), zz, table)
