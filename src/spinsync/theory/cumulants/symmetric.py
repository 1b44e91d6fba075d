"""The second-order equations of the U(1)-symmetric sector, (10.2) to (10.4), as compiled functions of a packed state.

The state of M classes is y = (z, Re c, Im c, d, z of the tails) with the inversions z_a, the correlations
c_ab = <sigma^+_i sigma^-_j> and the connected d_ab = <sigma^z_i sigma^z_j> - z_a z_b of two different spins, i of class a and j
of class b. c is Hermitian and d symmetric, so that only b >= a is kept, row by row. d is of order 1/N: as a moment of its own
it keeps its digits at any N.

Classes of one group are neighbours and differ by their frequency alone. Sums over the classes of a group come first, and the
coupling acts on these sums: as a product of small matrices, which is where a coupling of low rank saves work. Everything else
is one pass over the pairs. Its loops have few arrays each, so that the compiler can show that they do not overlap, which it
needs for vector instructions.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.compiled import compiled
from spinsync.problems.moments.record import SIGNATURE

#: rows of the table, which has a column for each class: SHARE is N_a/N, END the end of the classes of its group, OTHERS
#: (N_a - 1)/N, TOLERANCE that of the moments, for what is recorded; the last three are of the tails, one column for each group
GROUP, SHARE, SPINS, OMEGA, GAMMA_PERP, GAMMA_1, NET_GAIN, HAS_PAIRS, END, OTHERS, TOLERANCE = range(11)
TAIL_SPINS, TAIL_GAMMA_1, TAIL_NET_GAIN = range(11, 14)
#: planes of couplings between groups: per spin (C + C^+)/(2N), K_- - K_+ and K_- + K_+
EXCHANGE_RE, EXCHANGE_IM, NET_RE, NET_IM, SUM_RE, SUM_IM = range(6)
TILE = 16  # rows and columns: 2 kB
FEW_GROUPS = 6  # up to which the coupling is applied by loops instead of matrix products
FLAGS = {"contract", "nsz", "reassoc"}  # sums in any order; NaN and infinity keep their meaning


@compiled()
def row_start(a, classes):
    """Position of the pair (a, a) among the pairs."""
    return a * classes - a * (a - 1) // 2


@compiled(fastmath=FLAGS)
def add(factor, values, out):
    """out += factor values."""
    for e in range(values.size):
        out[e] += factor * values[e]


@compiled(fastmath=FLAGS)
def sum_and_add(weight, values, factor, out):
    """sum_e weight_e values_e, and out += factor values, in one pass."""
    total = 0.0
    for e in range(values.size):
        total += weight[e] * values[e]
        out[e] += factor * values[e]
    return total


@compiled(fastmath=FLAGS)
def group_sums(table, re, im, classes, sum_re, sum_im):
    """sum[g, a] = sum over the classes e of group g of (N_e - delta_ea)/N c_ae, both (group, class)."""
    share = table[SHARE]
    sum_re[:] = 0.0
    sum_im[:] = 0.0
    for a in range(classes):
        g, k = int(table[GROUP, a]), row_start(a, classes)
        sum_re[g, a] += table[OTHERS, a] * re[k]
        first = a + 1
        while first < classes:
            h, end, at = int(table[GROUP, first]), int(table[END, first]), k + first - a
            x, v, weight = re[at : at + end - first], im[at : at + end - first], share[first:end]
            sum_re[h, a] += sum_and_add(weight, x, share[a], sum_re[g, first:end])
            sum_im[h, a] += sum_and_add(weight, v, -share[a], sum_im[g, first:end])
            first = end


@compiled(fastmath=FLAGS)
def sums_of_single_classes(table, re, im, classes, sum_re, sum_im):
    """`group_sums` where every class is a group."""
    share = table[SHARE]
    for a in range(classes):
        k = row_start(a, classes)
        sum_re[a, a], sum_im[a, a] = table[OTHERS, a] * re[k], 0.0
        for e in range(a + 1, classes):
            x, v = re[k + e - a], im[k + e - a]
            sum_re[e, a], sum_im[e, a] = share[e] * x, share[e] * v
            sum_re[a, e], sum_im[a, e] = share[a] * x, -share[a] * v


@compiled(fastmath=FLAGS)
def subtract_parts(part, re, im):
    """im -= re + part, and then re -= part, in one pass."""
    for e in range(part.size):
        im[e] -= re[e] + part[e]
        re[e] -= part[e]


@compiled(fastmath=FLAGS)
def complex_product(left_re, left_im, left_sum, re, im, spare, out_re, out_im):
    """out = left (re + i im), with left_sum = left_re + left_im, by three products of real matrices instead of four."""
    part = spare[: out_re.size].reshape(out_re.shape)
    total = spare[out_re.size : out_re.size + re.size].reshape(re.shape)
    np.dot(left_re, re, out_re)
    np.dot(left_im, im, part)
    np.add(re, im, total)
    np.dot(left_sum, total, out_im)
    subtract_parts(part.ravel(), out_re.ravel(), out_im.ravel())


@compiled(fastmath=FLAGS)
def apply_coupling(factors, sum_re, sum_im, field_re, field_im, spare):
    """field[h, a] = sum_g C_hg sum[g, a], with C = factors[:3], or the product of factors[3:] transposed and factors[:3]."""
    groups, classes = sum_re.shape
    rank = factors.shape[1]
    if groups <= FEW_GROUPS:
        for h in range(groups):
            field_re[h, :] = 0.0
            field_im[h, :] = 0.0
            for g in range(groups):
                add(factors[0, h, g], sum_re[g], field_re[h])
                add(-factors[1, h, g], sum_im[g], field_re[h])
                add(factors[0, h, g], sum_im[g], field_im[h])
                add(factors[1, h, g], sum_re[g], field_im[h])
    elif factors.shape[0] == 3:
        complex_product(factors[0], factors[1], factors[2], sum_re, sum_im, spare, field_re, field_im)
    else:
        size = rank * classes
        re, im = spare[:size].reshape(rank, classes), spare[size : 2 * size].reshape(rank, classes)
        rest = spare[2 * size :]
        complex_product(factors[0], factors[1], factors[2], sum_re, sum_im, rest, re, im)
        complex_product(factors[3].T, factors[4].T, factors[5].T, re, im, rest, field_re, field_im)


@compiled(fastmath=FLAGS)
def correlation_row(own, other, d, z, omega, field, out, sign, decay, decay_b, turn, turn_b, za, source, source_b, zz):
    """One part of (10.3) for the pairs of class a with neighbouring classes b of a group: real (sign -1) or imaginary (sign 1).

    own, other : this part of c and the other one; field : the part of the field of a at b that acts on this part
    """
    for b in range(out.size):
        out[b] = (
            (decay + decay_b * z[b]) * own[b] + sign * (turn + turn_b * z[b] - omega[b]) * other[b]
            + source + source_b * z[b] - za * field[b] + zz * d[b]
        )  # fmt: skip


@compiled(fastmath=FLAGS)
def covariance_row(re, im, d, z, out, decay, re_0, re_b, im_0, im_b):
    """(10.4) for the pairs of class a with neighbouring classes b of a group."""
    for b in range(out.size):
        out[b] = (re_0 + re_b * z[b]) * re[b] + (im_0 + im_b * z[b]) * im[b] - decay * d[b]


@compiled(fastmath=FLAGS)
def pair_rates(table, planes, a, b, za, own_re, own_im):
    """The coefficients of `correlation_row` for both parts, and those of `covariance_row`, which classes b of a group share.

    own : the field of b at a. Of the derivative of c_ab: i z_b own - i z_a (field of a at b)^*, the loss of c_ab, and a source.
    """
    g, h = int(table[GROUP, a]), int(table[GROUP, b])
    x, v = planes[EXCHANGE_RE, h, g], planes[EXCHANGE_IM, h, g]
    net, net_im, total, total_im = planes[NET_RE, h, g], planes[NET_IM, h, g], planes[SUM_RE, h, g], planes[SUM_IM, h, g]
    # the two spins are no third ones: C_aa = exchange - i net, of the groups of a and b
    rates = (
        -table[GAMMA_PERP, a] - table[GAMMA_PERP, b] - planes[NET_RE, g, g] * za, -planes[NET_RE, h, h],
        table[OMEGA, a] + planes[EXCHANGE_RE, g, g] * za, -planes[EXCHANGE_RE, h, h],
    )  # fmt: skip
    real = (za * (net + v) / 2, (net - v) / 2 - own_im + total * za, total)
    imaginary = (za * (net_im - x) / 2, (net_im + x) / 2 + own_re + total_im * za, total_im)
    covariance = (
        table[GAMMA_1, a] + table[GAMMA_1, b], 4 * (net - v) * za + 8 * total, 4 * (net + v),
        4 * (net_im + x) * za + 8 * total_im, 4 * (net_im - x),
    )  # fmt: skip
    return rates, real, imaginary, covariance


@compiled()
def split(y, classes):
    """z, Re c, Im c, d and z of the tails."""
    pairs = classes * (classes + 1) // 2
    re, im, d, end = classes, classes + pairs, classes + 2 * pairs, classes + 3 * pairs
    return y[:re], y[re:im], y[im:d], y[d:end], y[end:]


@compiled()
def fields(y, table, factors, groups, work):
    """field[h, a] = sum_e (N_e - delta_ea)/N C_he c_ae, real and imaginary parts."""
    classes = table.shape[1]
    _, re, im, _, _ = split(y, classes)
    size = groups * classes
    sum_re, sum_im = work[:size].reshape(groups, classes), work[size : 2 * size].reshape(groups, classes)
    field_re, field_im = work[2 * size : 3 * size].reshape(groups, classes), work[3 * size : 4 * size].reshape(groups, classes)
    if groups == classes:
        sums_of_single_classes(table, re, im, classes, sum_re, sum_im)
    else:
        group_sums(table, re, im, classes, sum_re, sum_im)
    apply_coupling(factors, sum_re, sum_im, field_re, field_im, work[4 * size :])
    return field_re, field_im


@compiled()
def inversions(z, z_tail, table, field_im, out_z, out_tail):
    """(10.2), and the free relaxation of the tails."""
    for a in range(z.size):
        out_z[a] = table[NET_GAIN, a] - table[GAMMA_1, a] * z[a] + 4 * field_im[int(table[GROUP, a]), a]
    for g in range(z_tail.size):
        out_tail[g] = table[TAIL_NET_GAIN, g] - table[TAIL_GAMMA_1, g] * z_tail[g]


@compiled(SIGNATURE)
def derivative(y, table, planes, factors, work, out):
    """Write the derivatives (10.2) to (10.4) to `out`."""
    groups, classes = planes.shape[1], table.shape[1]
    field_re, field_im = fields(y, table, factors, groups, work)
    (z, re, im, d, z_tail), (out_z, out_re, out_im, out_d, out_tail) = split(y, classes), split(out, classes)
    omega = table[OMEGA]
    inversions(z, z_tail, table, field_im, out_z, out_tail)
    for a in range(classes):
        g, first, start = int(table[GROUP, a]), a, row_start(a, classes)
        while first < classes:
            h, end, k = int(table[GROUP, first]), int(table[END, first]), start + first - a
            e = k + end - first
            rates, real, imaginary, covariance = pair_rates(table, planes, a, first, z[a], field_re[h, a], field_im[h, a])
            zb, w = z[first:end], omega[first:end]
            correlation_row(re[k:e], im[k:e], d[k:e], zb, w, field_im[g, first:end], out_re[k:e], -1.0, *rates, z[a], *real)
            correlation_row(im[k:e], re[k:e], d[k:e], zb, w, field_re[g, first:end], out_im[k:e], 1.0, *rates, z[a], *imaginary)
            covariance_row(re[k:e], im[k:e], d[k:e], zb, out_d[k:e], *covariance)
            first = end
        real_diagonal(table, a, start, out_re, out_im, out_d)


@compiled()
def transpose(matrix, out):
    """out = matrix^T, tile by tile: each stays in the fastest memory."""
    size = matrix.shape[0]
    for i in range(0, size, TILE):
        for j in range(0, size, TILE):
            out[j : j + TILE, i : i + TILE] = matrix[i : i + TILE, j : j + TILE].T


@compiled(fastmath=FLAGS)
def damp_and_turn(own, other, loss_a, loss, turn_a, turn, sign, out):
    """Loss and rotation in one part of (10.3), for the pairs of class a with all later ones."""
    for b in range(out.size):
        out[b] = (loss_a + loss[b]) * own[b] + sign * (turn_a - turn[b]) * other[b]


@compiled(fastmath=FLAGS)
def add_fields(own, field, za, z, sign, out):
    """i z_b (field of b at a) - i z_a (field of a at b)^* in one part of (10.3)."""
    for b in range(out.size):
        out[b] += sign * own[b] * z[b] - za * field[b]


@compiled(fastmath=FLAGS)
def add_sources(net, exchange, total, za, z, d, sign, out):
    """The other terms of one part of (10.3); net and total of this part, exchange of the other one."""
    for b in range(out.size):
        out[b] += sign * (net[b] * (za + z[b]) / 2 + total[b] * (za * z[b] + d[b])) - exchange[b] * (za - z[b]) / 2


@compiled(fastmath=FLAGS)
def add_part(net, exchange, total, za, z, part, sign, out):
    """The terms of one part of c in (10.4)."""
    for b in range(out.size):
        out[b] += 4 * part[b] * (sign * (net[b] * (za + z[b]) + 2 * total[b]) + exchange[b] * (za - z[b]))


@compiled(fastmath=FLAGS)
def relax(decay_a, decay, d, out):
    """The relaxation in (10.4)."""
    for b in range(out.size):
        out[b] = -(decay_a + decay[b]) * d[b]


@compiled(SIGNATURE)
def derivative_of_single_classes(y, table, planes, factors, work, out):
    """`derivative` where every class is a group: coefficients are rows of matrices, as neighbours share none.

    The couplings at (b, a) are the complex conjugates of those at (a, b), which lie in a row.
    """
    groups = planes.shape[1]
    field_re, field_im = fields(y, table, factors, groups, work)
    (z, re, im, d, z_tail), (out_z, out_re, out_im, out_d, out_tail) = split(y, groups), split(out, groups)
    inversions(z, z_tail, table, field_im, out_z, out_tail)
    own = work[4 * field_re.size : 6 * field_re.size].reshape(2, groups, groups)
    transpose(field_re, own[0])
    transpose(field_im, own[1])
    loss, turn = np.empty(groups), np.empty(groups)
    for a in range(groups):  # the two spins are no third ones: C_aa = exchange - i net
        loss[a] = -table[GAMMA_PERP, a] - planes[NET_RE, a, a] * z[a]
        turn[a] = table[OMEGA, a] + planes[EXCHANGE_RE, a, a] * z[a]
    for a in range(groups):
        k, e, za, zb = row_start(a, groups), row_start(a + 1, groups), z[a], z[a:]
        x, v, db = re[k:e], im[k:e], d[k:e]
        net, net_im, total, total_im = (
            planes[NET_RE, a, a:],
            planes[NET_IM, a, a:],
            planes[SUM_RE, a, a:],
            planes[SUM_IM, a, a:],
        )
        exchange, exchange_im = planes[EXCHANGE_RE, a, a:], planes[EXCHANGE_IM, a, a:]
        damp_and_turn(x, v, loss[a], loss[a:], turn[a], turn[a:], -1.0, out_re[k:e])
        damp_and_turn(v, x, loss[a], loss[a:], turn[a], turn[a:], 1.0, out_im[k:e])
        add_fields(own[1, a, a:], field_im[a, a:], za, zb, -1.0, out_re[k:e])
        add_fields(own[0, a, a:], field_re[a, a:], za, zb, 1.0, out_im[k:e])
        add_sources(net, exchange_im, total, za, zb, db, 1.0, out_re[k:e])
        add_sources(net_im, exchange, total_im, za, zb, db, -1.0, out_im[k:e])
        relax(table[GAMMA_1, a], table[GAMMA_1, a:], db, out_d[k:e])
        add_part(net, exchange_im, total, za, zb, x, 1.0, out_d[k:e])
        add_part(net_im, exchange, total_im, za, zb, v, -1.0, out_d[k:e])
        real_diagonal(table, a, k, out_re, out_im, out_d)


@compiled()
def real_diagonal(table, a, k, out_re, out_im, out_d):
    """c_aa is real. A class of one spin has no pair: its c_aa and d_aa stay at zero."""
    out_im[k] = 0.0
    if table[HAS_PAIRS, a] == 0:
        out_re[k] = 0.0
        out_d[k] = 0.0


def start_moments(s: np.ndarray, z: np.ndarray, z_tail: np.ndarray, spins: np.ndarray) -> np.ndarray:
    """The packed state of a product state, averaged over its common phase: c_ab = s_a^* s_b, d = 0."""
    a, b = np.triu_indices(z.size)
    c = np.conj(s[a]) * s[b]
    c[(a == b) & (spins[a] == 1)] = 0
    return np.concatenate([z, c.real, np.where(a == b, 0.0, c.imag), np.zeros(a.size), z_tail])
