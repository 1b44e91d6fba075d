"""Quantum expectation values from sums over classical spins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.observables import order_parameter, order_parameter_error, pair_mean
from spinsync.problems.observed import Observed

X, Y, Z, TRANSVERSE, SQUARE = range(5)  # sums over a group: of the vectors, of x^2 + y^2, and of z^2


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Means of one spin and of two different spins, equation (11.8).

    spins : number of spins of each group; weight : of each group, (group,)
    frame : angular frequency of the rotating frame in which the spins are followed
    each : whether single spins are observed
    """

    spins: Array
    weight: Array
    frame: float
    each: bool

    def observe(self, sums: Array, vectors: Array | None, times: Array) -> Observed:
        """The variables of each sample. sums : (sample, time, group, 5); vectors : (sample, time, 3, spin) if `each`."""
        n, one = self.spins, np.eye(len(self.spins))
        s, z = (sums[..., X] - 1j * sums[..., Y]) / 2, sums[..., Z]
        turned = np.exp(-1j * self.frame * (times - times[0]))[:, None]
        pairs = np.where(np.outer(n, n) > one * n, np.outer(n, n) - one * n, np.nan)  # NaN: no pair in a group of one
        c = s.conj()[..., :, None] * s[..., None, :] - one * sums[..., TRANSVERSE, None] / 4
        zz = z[..., :, None] * z[..., None, :] - one * sums[..., SQUARE, None]
        both = ("time", "group", "other_group")
        out: Observed = {
            "coherence": (("time", "group"), s / n * turned), "inversion": (("time", "group"), z / n),
            "correlation": (both, c / pairs), "inversion_correlation": (both, zz / pairs),
            "pair_mean": (("time",), pair_mean(c / pairs, self.weight)),
        }  # fmt: skip
        if vectors is not None:
            x, y, z = np.moveaxis(vectors, -2, 0)
            out |= {"spin_coherence": (("time", "spin"), (x - 1j * y) / 2 * turned), "spin_inversion": (("time", "spin"), z)}
        return out

    @staticmethod
    def derived(means: Observed) -> Observed:
        """Replace the mean over pairs by the order parameter R, equation (8.2)."""
        out = dict(means)
        (dims, value), (_, error) = out.pop("pair_mean"), out.pop("pair_mean_error")
        return out | {
            "order_parameter": (dims, order_parameter(value)),
            "order_parameter_error": (dims, order_parameter_error(value, error)),
        }

    @staticmethod
    def light(powers: Array) -> tuple[Array, Array]:
        """<J_+ J_-> and <J_+ J_+ J_- J_-> of each sample, from sums of powers over all spins, equation (11.11).

        Products of several operators of one spin are reduced first, so that only products of different spins are sampled.
        """
        s, ss, q, qs, qq, n, nn, ns, nq = np.moveaxis(powers, -1, 0)
        fields = abs(s) ** 2  # over pairs of different spins: fields - q, and so on by inclusion and exclusion
        four = fields**2 - 2 * (ss * s.conj() ** 2).real - 4 * q * fields + abs(ss) ** 2 + 2 * q**2 + 8 * (qs * s.conj()).real - 6 * qq
        three = n * fields - 2 * (ns * s.conj()).real - n * q + 2 * nq
        return (fields - q + n).real, (four + 4 * three + 2 * (n**2 - nn)).real
