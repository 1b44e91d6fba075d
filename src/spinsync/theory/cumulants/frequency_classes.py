"""Classes of spins: groups, and the frequency classes of distributed groups, each with a real number of spins.

The classes of a distribution stand for spins that are spread evenly over it, without the noise of a random sample. A moment of
two spins of one class is then the continuous function c(omega, omega') at omega' = omega, whatever the number of spins of the
class: it counts for all pairs of the group, and a spin is left out of its own field by subtracting itself. So nothing happens
where a class has less than one spin, and more classes converge.

The tails of a Lorentzian beyond its classes are spectators: their coherence rotates too fast to follow or to cause anything, so
that they only relax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.distributions import Distributions, Lorentzian
from spinsync.model.rates import Rates

LARGEST_COHERENCE = np.sqrt(1 / 8)  # of a stationary state, (4.4)


@dataclass(frozen=True, kw_only=True)
class FrequencyClasses:
    """Classes, group by group.

    group (int), frequency, share : arrays of shape (class,); share of the spins of the group
    tail : array of shape (group,), share of the spins of a group that no class holds
    """

    group: Array
    frequency: Array
    share: Array
    tail: Array


def frequency_classes(
    rates: Rates, omega: Array, distributions: Distributions, tolerance: float, nodes: int | None
) -> FrequencyClasses:
    """The classes of an ensemble; omega : frequencies of the groups, or centres of their distributions.

    Raises InputError if `nodes` are given and are too few for a Lorentzian distribution.
    """
    group, frequency, share, tail = [], [], [], np.zeros(len(distributions))
    for a, distribution in enumerate(distributions):
        if distribution is None:
            one_frequency, one_share = omega[a : a + 1], np.ones(1)
        else:
            field = float(abs(rates.coupling[a]) @ rates.weight) * LARGEST_COHERENCE
            q = distribution.quadrature(float(rates.gamma_perp[a]), field, tolerance, nodes)
            one_frequency, one_share = q.frequency + (omega[a] - distribution.center), q.weight
            if isinstance(distribution, Lorentzian):
                tail[a] = _tail(float(one_share.sum()), nodes)
        group.append(np.full(one_share.size, a))
        frequency.append(one_frequency)
        share.append(one_share)
    return FrequencyClasses(
        group=np.concatenate(group), frequency=np.concatenate(frequency), share=np.concatenate(share), tail=tail
    )


def _tail(held: float, nodes: int | None) -> float:
    """The share of spins in the tails; `nodes` that are too far apart for the line would hold more than all."""
    if held > 1 and nodes is not None:
        must = "None, or large enough that the frequency classes hold no more than all spins of a Lorentzian distribution"
        raise checks.argument_error("nodes", must, nodes)
    return max(0.0, 1 - held)
