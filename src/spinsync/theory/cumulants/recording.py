"""What a run of the U(1)-symmetric sector records at a time, as a compiled function, and the variables that become of it."""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.compiled import compiled
from spinsync.model import realizability
from spinsync.model.observables import order_parameter, pair_mean
from spinsync.problems.moments.record import SIGNATURE
from spinsync.problems.observed import Observed

#: rows of the table of `symmetric` that are read here: the cache of compiled code knows the constants of its own file only
GROUP, SPINS, END, TOLERANCE, TAIL_SPINS = 0, 2, 8, 10, 11
FLAGS = {"contract", "nsz", "reassoc"}  # sums in any order; NaN and infinity keep their meaning


@compiled(fastmath=FLAGS)
def weighted_sum(weight, values):
    """sum_e weight_e values_e."""
    total = 0.0
    for e in range(values.size):
        total += weight[e] * values[e]
    return total


@compiled()
def too_long(z, z_tail, table):
    """How many classes and tails have |z| > 1; of a tail without spins nothing is read."""
    found, longest = 0, 1 + table[TOLERANCE, 0]
    for a in range(z.size):
        found += not abs(z[a]) <= longest
    for g in range(z_tail.size):
        found += table[TAIL_SPINS, g] > 0 and not abs(z_tail[g]) <= longest
    return found


@compiled(fastmath=FLAGS)
def negative(za, z, re, im, d, tolerance):
    """How many classes b have no positive two-spin state with class a. Its eigenvalues are

    (1 + zz +- (z_a + z_b))/4  and  (1 - zz)/4 +- sqrt( (z_a - z_b)^2/16 + |c_ab|^2 ),  zz = d_ab + z_a z_b.
    """
    found, one = 0, 1 + 4 * tolerance
    for b in range(z.size):
        zz, difference = d[b] + za * z[b], za - z[b]
        equal, opposite = one + zz - abs(za + z[b]), one - zz
        square = difference * difference + 16 * (re[b] * re[b] + im[b] * im[b])
        found += not ((equal >= 0) & (opposite >= 0) & (opposite * opposite >= square))  # so that NaN is counted
    return found


@compiled()
def negative_pairs(z, moments, table):
    """How many pairs of classes have no positive two-spin state; a class of one spin or less has no pair of its own."""
    classes, tolerance, found, k = z.size, table[TOLERANCE, 0], 0, 0
    re, im, d = moments[0], moments[1], moments[2]
    for a in range(classes):
        b, end = a if table[SPINS, a] > 1 else a + 1, k + classes - a
        first = k + b - a
        found += negative(z[a], z[b:], re[first:end], im[first:end], d[first:end], tolerance)
        k = end
    return found


@compiled()
def add_pairs(values, sign, table, total):
    """total[g, h] = sum of a moment over all pairs of spins of the groups g and h; sign : of the moment in exchanged order."""
    classes, spins, k = table.shape[1], table[SPINS], 0
    for a in range(classes):
        g, first = int(table[GROUP, a]), a + 1
        total[g, g] += spins[a] * (spins[a] - 1) * values[k]
        while first < classes:
            h, end = int(table[GROUP, first]), int(table[END, first])
            one = spins[a] * weighted_sum(spins[first:end], values[k + first - a : k + end - a])
            total[g, h] += one
            total[h, g] += sign * one
            first = end
        k += classes - a


@compiled(SIGNATURE)
def group_totals(y, table, planes, factors, work, out):
    """Record by group: sums of z and its squared deviation over spins, of c and d over pairs; and each z.

    c is a complex number, as the variable that becomes of it. The last two numbers are `too_long` and `negative_pairs`.
    """
    groups, classes = planes.shape[1], table.shape[1]
    square, spins = groups * groups, table[SPINS]
    pairs = classes * (classes + 1) // 2
    z, z_tail = y[:classes], y[classes + 3 * pairs :]
    moments = y[classes : classes + 3 * pairs].reshape(3, pairs)  # re, im, d
    out[:] = 0.0
    out[2 * groups + 3 * square : out.size - 2] = z
    out[out.size - 2], out[out.size - 1] = too_long(z, z_tail, table), negative_pairs(z, moments, table)
    mean, number = np.zeros(groups), np.zeros(groups)
    for a in range(classes):
        g = int(table[GROUP, a])
        out[g] += spins[a] * z[a]
        number[g] += spins[a]
    for g in range(groups):
        out[g] += table[TAIL_SPINS, g] * z_tail[g]
        mean[g] = out[g] / (number[g] + table[TAIL_SPINS, g])
        out[groups + g] = table[TAIL_SPINS, g] * (z_tail[g] - mean[g]) ** 2
    for a in range(classes):
        g = int(table[GROUP, a])
        out[groups + g] += spins[a] * (z[a] - mean[g]) ** 2
    c = out[2 * groups : 2 * groups + 2 * square].reshape(groups, groups, 2)
    d = out[2 * groups + 2 * square : 2 * groups + 3 * square].reshape(groups, groups)
    add_pairs(moments[0], 1.0, table, c[:, :, 0])
    add_pairs(moments[1], -1.0, table, c[:, :, 1])
    add_pairs(moments[2], 1.0, table, d)


def recorded(classes: int, groups: int) -> int:
    """How many numbers `group_totals` records."""
    return 2 * groups + 3 * groups**2 + classes + 2


def observe(spins: Array, weight: Array, each: bool, tolerance: float, numbers: Array) -> Observed:
    """The variables of a run from the recorded numbers, which become them in place: of many groups they are the memory.

    tolerance : relative error of moments
    """
    groups = spins.size
    ends = np.cumsum([groups, groups, 2 * groups**2, groups**2])
    z, spread, c, d, single, violations = np.split(numbers, [*ends, numbers.shape[1] - 2], axis=1)
    c, covariance, z, spread = c.reshape(-1, groups, groups, 2), d.reshape(-1, groups, groups), z / spins, spread / spins
    pairs = np.outer(spins.astype(float), spins) - np.diag(spins)  # products of whole numbers overflow
    pairs = np.where(pairs > 0, pairs, np.nan)  # NaN: no pair in a group of one
    c /= pairs[:, :, None]
    covariance /= pairs
    correlation, own = c.view(complex)[..., 0], np.arange(groups)
    covariance[:, own, own] -= spread / np.maximum(spins - 1, 1)  # pairs of one group leave out a spin with itself
    plain = z[:, :, None] * z[:, None, :]
    plain += covariance
    moments = realizability.Moments(spins=spins, z=z, c=correlation, zz=covariance)
    pair = ("time", "group", "other_group")
    return {
        "inversion": (("time", "group"), z),
        "correlation": (pair, correlation),
        "inversion_correlation": (pair, plain),
        "inversion_covariance": (pair, covariance),
        "order_parameter": (("time",), order_parameter(pair_mean(correlation, weight))),
        "status": (("time",), realizability.validity_of_parts(violations, moments, tolerance)),
    } | ({"spin_inversion": (("time", "spin"), single)} if each else {})
