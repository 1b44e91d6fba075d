"""Definitions of observables shared by the theories."""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array


def pair_mean(correlation: Array, weight: Array) -> Array:
    """Mean of Re c_ab over all pairs of spins, sum_ab p_a p_b Re c_ab over the groups that have pairs; shape (...).

    correlation : (..., group, other_group), NaN where there is no pair; weight : (group,)
    """
    pairs, real = np.outer(weight, weight), correlation.real
    defined = ~np.isnan(real)
    if defined.all():  # no copy of the correlations of many groups
        return np.asarray(np.einsum("...ab,ab->...", real, pairs) / pairs.sum())
    present = np.einsum("...ab,ab->...", defined, pairs)
    return np.asarray(np.einsum("...ab,ab->...", np.where(defined, real, 0.0), pairs) / np.where(present > 0, present, 1.0))


def order_parameter(mean: Array) -> Array:
    """R = 2 sqrt(mean over all pairs), equation (8.2); 0 where the mean is negative."""
    return np.asarray(2 * np.sqrt(np.maximum(0, mean)))


def order_parameter_error(mean: Array, error: Array) -> Array:
    """Error of R from that of the mean over all pairs: linear propagation, near 0 it is R(mean + error) - R(mean)."""
    low = np.maximum(mean, 0)
    near_zero = low <= 2 * error
    return np.asarray(np.where(
        near_zero, order_parameter(low + error) - order_parameter(low), error / np.sqrt(np.where(near_zero, 1, low))
    ))  # fmt: skip
