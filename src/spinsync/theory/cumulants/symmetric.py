"""The second-order equations of the U(1)-symmetric sector, (10.1) to (10.4), as compiled functions of a packed state.

The state of M classes is y = (z, Re c, Im c, d, z of the tails) with the inversions z_a, the correlations
c_ab = <sigma^+_i sigma^-_j> and the connected d_ab = <sigma^z_i sigma^z_j> - z_a z_b of two different spins, i of class a and j
of class b. c is Hermitian and d symmetric, so that only b >= a is kept, row by row. d is of order 1/N: as a moment of its own
it keeps its digits at any N.

Classes of one group are neighbours. They differ by their frequency alone, so that sums over the classes of a group come first,
and the coupling acts on these sums.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.compiled import compiled
from spinsync.problems.moments.record import SIGNATURE

#: rows of the table, which has a column for each class
GROUP, SHARE, SPINS, OMEGA, GAMMA_PERP, GAMMA_1, NET_GAIN, HAS_PAIRS = range(8)
#: planes of couplings between groups: C, and per spin C/N, (C + C^+)/(2N), K_- - K_+ and K_- + K_+
C_RE, C_IM, SPIN_RE, SPIN_IM, EXCHANGE_RE, EXCHANGE_IM, NET_RE, NET_IM, SUM_RE, SUM_IM = range(10)
TAIL_SPINS, TAIL_GAMMA_1, TAIL_NET_GAIN = range(3)  # rows of factors[0], by group: its spins that no class holds
FLAGS = {"contract", "nsz", "reassoc"}  # sums in any order; NaN and infinity keep their meaning


@compiled()
def row_start(a, classes):
    """Position of the pair (a, a) among the pairs."""
    return a * classes - a * (a - 1) // 2


@compiled(fastmath=FLAGS)
def group_sums(y, table, groups, sum_re, sum_im):
    """sum[g, a] = sum over the classes e of group g of (N_e/N) c_ae, both (group, class)."""
    classes = table.shape[1]
    pairs = classes * (classes + 1) // 2
    share = table[SHARE]
    re, im = y[classes : classes + pairs], y[classes + pairs : classes + 2 * pairs]
    for g in range(groups):
        for a in range(classes):
            sum_re[g, a] = 0.0
            sum_im[g, a] = 0.0
    for a in range(classes):
        g, k = int(table[GROUP, a]), row_start(a, classes)
        sum_re[g, a] += share[a] * re[k]
        b = a + 1
        while b < classes:
            h, first = int(table[GROUP, b]), b
            while b < classes and int(table[GROUP, b]) == h:
                b += 1
            total_re, total_im, own = 0.0, 0.0, share[a]
            for e in range(first, b):
                x, v = re[k + e - a], im[k + e - a]
                total_re += share[e] * x
                total_im += share[e] * v
                sum_re[g, e] += own * x
                sum_im[g, e] -= own * v
            sum_re[h, a] += total_re
            sum_im[h, a] += total_im


@compiled(fastmath=FLAGS)
def fields(planes, sum_re, sum_im, field_re, field_im):
    """field[h, a] = sum_g C_hg sum[g, a] = sum_e (N_e/N) C_he c_ae."""
    groups = planes.shape[1]
    for h in range(groups):
        field_re[h, :] = 0.0
        field_im[h, :] = 0.0
        for g in range(groups):
            x, v = planes[C_RE, h, g], planes[C_IM, h, g]
            if x != 0 or v != 0:
                for a in range(sum_re.shape[1]):
                    field_re[h, a] += x * sum_re[g, a] - v * sum_im[g, a]
                    field_im[h, a] += x * sum_im[g, a] + v * sum_re[g, a]


@compiled(fastmath=FLAGS)
def pair_block(y, table, planes, a, first, end, field_re, field_im, out):
    """Derivatives (10.2) and (10.3) of the pairs of class a with the classes first ... end - 1 of one group."""
    classes = table.shape[1]
    pairs = classes * (classes + 1) // 2
    g, h, k = int(table[GROUP, a]), int(table[GROUP, first]), row_start(a, classes) - a
    z, re, im, d = y[:classes], y[classes + k :], y[classes + pairs + k :], y[classes + 2 * pairs + k :]
    out_re, out_im, out_d = out[classes + k :], out[classes + pairs + k :], out[classes + 2 * pairs + k :]
    omega, perp, gamma_1 = table[OMEGA], table[GAMMA_PERP], table[GAMMA_1]
    own_re, own_im = field_re[h, a], field_im[h, a]
    other_re, other_im = field_re[g], field_im[g]
    za, own_pair = z[a], y[classes + row_start(a, classes)]
    ab_re, ab_im, ba_re, ba_im = planes[SPIN_RE, g, h], planes[SPIN_IM, g, h], planes[SPIN_RE, h, g], planes[SPIN_IM, h, g]
    aa_re, aa_im, bb_re, bb_im = planes[SPIN_RE, g, g], planes[SPIN_IM, g, g], planes[SPIN_RE, h, h], planes[SPIN_IM, h, h]
    hc_re, hc_im = planes[EXCHANGE_RE, h, g], planes[EXCHANGE_IM, h, g]
    net_re, net_im = planes[NET_RE, h, g], planes[NET_IM, h, g]
    sum_re, sum_im = planes[SUM_RE, h, g], planes[SUM_IM, h, g]
    for b in range(first, end):
        zb, x, v, pair = z[b], re[b], im[b], y[classes + row_start(b, classes)]
        turn, decay = omega[a] - omega[b], perp[a] + perp[b]
        zz = d[b] + za * zb
        half, mean = (zb - za) / 2, (za + zb) / 2
        # (i/N) c_ab (C_aa^* z_a - C_bb z_b): the two spins are no third ones
        keep_re, keep_im = aa_im * za + bb_im * zb, aa_re * za - bb_re * zb
        out_re[b] = (
            -decay * x - turn * v - zb * own_im - za * other_im[b] + keep_re * x - keep_im * v
            + ba_im * own_pair * zb + ab_im * pair * za - hc_im * half + net_re * mean + sum_re * zz
        )  # fmt: skip
        out_im[b] = (
            -decay * v + turn * x + zb * own_re - za * other_re[b] + keep_re * v + keep_im * x
            - ba_re * own_pair * zb + ab_re * pair * za + hc_re * half + net_im * mean + sum_im * zz
        )  # fmt: skip
        out_d[b] = (
            -(gamma_1[a] + gamma_1[b]) * d[b] - 4 * ((ab_re * v + ab_im * x) * zb + (ba_im * x - ba_re * v) * za)
            + 8 * (sum_re * x + sum_im * v)
        )  # fmt: skip


@compiled(SIGNATURE)
def derivative(y, table, planes, factors, work, out):
    """Write the derivatives (10.1) to (10.3) to `out`."""
    classes, groups = table.shape[1], planes.shape[1]
    pairs, size = classes * (classes + 1) // 2, groups * classes
    sum_re, sum_im = work[:size].reshape(groups, classes), work[size : 2 * size].reshape(groups, classes)
    field_re = work[2 * size : 3 * size].reshape(groups, classes)
    field_im = work[3 * size : 4 * size].reshape(groups, classes)
    group_sums(y, table, groups, sum_re, sum_im)
    fields(planes, sum_re, sum_im, field_re, field_im)
    for a in range(classes):
        g, k = int(table[GROUP, a]), row_start(a, classes)
        own = field_im[g, a] - planes[SPIN_IM, g, g] * y[classes + k]  # a spin is not its own partner
        out[a] = -table[GAMMA_1, a] * y[a] + table[NET_GAIN, a] + 4 * own
        b = a
        while b < classes:
            first = b
            while b < classes and table[GROUP, b] == table[GROUP, first]:
                b += 1
            pair_block(y, table, planes, a, first, b, field_re, field_im, out)
        out[classes + pairs + k] = 0.0  # c_aa is real
        if table[HAS_PAIRS, a] == 0:
            out[classes + k] = 0.0
            out[classes + 2 * pairs + k] = 0.0
    for g in range(groups):
        k = classes + 3 * pairs + g
        out[k] = factors[0, TAIL_NET_GAIN, g] - factors[0, TAIL_GAMMA_1, g] * y[k]


@compiled(SIGNATURE)
def group_sums_of_pairs(y, table, planes, factors, work, out):
    """Record by group: sums of z and z^2 over spins, then of Re c, Im c and d over pairs of spins; and z of every class."""
    classes, groups = table.shape[1], planes.shape[1]
    pairs, square, tail = classes * (classes + 1) // 2, groups * groups, factors[0]
    out[:] = 0.0
    re, im, d = out[2 * groups :], out[2 * groups + square :], out[2 * groups + 2 * square :]
    for g in range(groups):
        z = y[classes + 3 * pairs + g]
        out[g], out[groups + g] = tail[TAIL_SPINS, g] * z, tail[TAIL_SPINS, g] * z * z
    for a in range(classes):
        g, spins = int(table[GROUP, a]), table[SPINS, a]
        out[g] += spins * y[a]
        out[groups + g] += spins * y[a] * y[a]
        out[2 * groups + 3 * square + a] = y[a]
        for b in range(a, classes):
            h, k = int(table[GROUP, b]), classes + row_start(a, classes) + b - a
            count = spins * table[SPINS, b] if b > a else spins * (spins - 1) * table[HAS_PAIRS, a]
            re[g * groups + h] += count * y[k]
            im[g * groups + h] += count * y[k + pairs]
            d[g * groups + h] += count * y[k + 2 * pairs]
            if b > a:
                re[h * groups + g] += count * y[k]
                im[h * groups + g] -= count * y[k + pairs]
                d[h * groups + g] += count * y[k + 2 * pairs]


def recorded(classes: int, groups: int) -> int:
    """How many numbers `group_sums_of_pairs` records."""
    return 2 * groups + 3 * groups**2 + classes


def start_moments(s: np.ndarray, z: np.ndarray, z_tail: np.ndarray, has_pairs: np.ndarray) -> np.ndarray:
    """The packed state of a product state, averaged over its common phase: c_ab = s_a^* s_b, d = 0."""
    a, b = np.triu_indices(z.size)
    c = np.conj(s[a]) * s[b]
    c[(a == b) & (has_pairs[a] == 0)] = 0
    return np.concatenate([z, c.real, np.where(a == b, 0.0, c.imag), np.zeros(a.size), z_tail])
