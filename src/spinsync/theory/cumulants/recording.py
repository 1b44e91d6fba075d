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
GROUP, SPINS, END, TAIL_SPINS = 0, 2, 8, 10
FLAGS = {"contract", "nsz", "reassoc"}  # sums in any order; NaN and infinity keep their meaning


@compiled(fastmath=FLAGS)
def weighted_sum(weight, values):
    """sum_e weight_e values_e."""
    total = 0.0
    for e in range(values.size):
        total += weight[e] * values[e]
    return total


@compiled(SIGNATURE)
def group_totals(y, table, planes, factors, work, out):
    """Record by group: sums of z and its squared deviation over spins, of Re c, Im c and d over pairs; and each z."""
    groups, classes = planes.shape[1], table.shape[1]
    square, spins = groups * groups, table[SPINS]
    pairs = classes * (classes + 1) // 2
    z, z_tail = y[:classes], y[classes + 3 * pairs :]
    moments = y[classes : classes + 3 * pairs].reshape(3, pairs)  # re, im, d
    out[:] = 0.0
    out[2 * groups + 3 * square :] = z
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
    for part in range(3):
        values, sign, k = moments[part], -1.0 if part == 1 else 1.0, 0
        total = out[2 * groups + part * square : 2 * groups + (part + 1) * square].reshape(groups, groups)
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


def recorded(classes: int, groups: int) -> int:
    """How many numbers `group_totals` records."""
    return 2 * groups + 3 * groups**2 + classes


def observe(spins: Array, weight: Array, each: bool, error: float, numbers: Array) -> Observed:
    """The variables of a run from the recorded sums over spins and pairs of spins; error : relative one of moments."""
    groups = spins.size
    z, spread, sums, single = np.split(numbers, [groups, 2 * groups, 2 * groups + 3 * groups**2], axis=1)
    pairs = np.outer(spins.astype(float), spins) - np.diag(spins)  # products of whole numbers overflow
    sums, pairs = sums.reshape(-1, 3, groups, groups), np.where(pairs > 0, pairs, np.nan)  # NaN: no pair in a group of one
    correlation, z, spread = np.empty((len(z), groups, groups), complex), z / spins, spread / spins
    np.divide(sums[:, 0], pairs, out=correlation.real)  # without copies, which take longer than the arithmetic
    np.divide(sums[:, 1], pairs, out=correlation.imag)
    covariance, plain = sums[:, 2] / pairs, z[:, :, None] * z[:, None, :]
    own = np.arange(groups)
    covariance[:, own, own] -= spread / np.maximum(spins - 1, 1)  # pairs of one group leave out a spin with itself
    plain += covariance
    pair = ("time", "group", "other_group")
    return {
        "inversion": (("time", "group"), z),
        "correlation": (pair, correlation),
        "inversion_correlation": (pair, plain),
        "inversion_covariance": (pair, covariance),
        "order_parameter": (("time",), order_parameter(pair_mean(correlation, weight))),
        "status": (
            ("time",),
            realizability.validity(realizability.Moments(spins=spins, z=z, c=correlation, zz=covariance), error),
        ),
    } | ({"spin_inversion": (("time", "spin"), single)} if each else {})
