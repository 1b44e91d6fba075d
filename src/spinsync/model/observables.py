"""Definitions that theories share: what they derive it from is their own."""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array


def pair_mean(correlation: Array, weight: Array) -> Array:
    """Mean of Re c_ab over all pairs of spins, sum_ab p_a p_b Re c_ab over groups that have pairs, (...).

    correlation : (..., group, other_group), NaN where there is no pair; weight : (group,)
    """
    there = ~np.isnan(correlation)
    total, present = (
        np.einsum("a,...ab,b->...", weight, np.asarray(x, float), weight) for x in (np.nan_to_num(correlation).real, there)
    )
    return np.asarray(total / np.where(present > 0, present, 1.0))


def order_parameter(mean: Array) -> Array:
    """R = 2 sqrt(mean over all pairs), equation (8.2); a mean below zero is none."""
    return np.asarray(2 * np.sqrt(np.maximum(0, mean)))
