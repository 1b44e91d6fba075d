"""Definitions of observables shared by the theories."""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array


def pair_mean(correlation: Array, weight: Array) -> Array:
    """Mean of Re c_ab over all pairs of spins, sum_ab p_a p_b Re c_ab over the groups that have pairs; shape (...).

    correlation : (..., group, other_group), NaN where there is no pair; weight : (group,)
    """
    defined = ~np.isnan(correlation)
    total = np.where(defined, correlation.real, 0.0) @ weight @ weight
    present = defined.astype(float) @ weight @ weight
    return np.asarray(total / np.where(present > 0, present, 1.0))


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
