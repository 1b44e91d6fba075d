"""Quantum expectation values from sums over classical spins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model import realizability
from spinsync.model.observables import order_parameter, order_parameter_error, pair_mean
from spinsync.problems.observed import Observed

X, Y, Z, XX, YY, ZZ, XY, XZ, YZ = range(9)  # sums over a group, of components and of their products
PAIR = ("time", "group", "other_group")


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

    def observe(self, sums: Array, vectors: Array | None, times: Array, reference: Array | None, own: bool) -> Observed:
        """The variables of each sample.

        sums : (sample, time, group, 9); vectors : (sample, time, 3, spin) if `each`
        reference : means of the sums over many samples, from which covariances are counted, (time, group, 9); None: without
            covariances, as in the steady state, whose phase is free
        own : whether these are the means over the same samples
        """
        one, n = np.eye(len(self.spins)), self.spins
        s, z = (sums[..., X] - 1j * sums[..., Y]) / 2, sums[..., Z]
        turned = np.exp(-1j * self.frame * (times - times[0]))[:, None]
        c = _pairs(s.conj(), s) - one * (sums[..., XX] + sums[..., YY])[..., None] / 4
        zz = _pairs(z, z) - one * sums[..., ZZ, None]
        out: Observed = {
            "coherence": (("time", "group"), s / n * turned),
            "inversion": (("time", "group"), z / n),
            "correlation": (PAIR, c / self._numbers),
            "inversion_correlation": (PAIR, zz / self._numbers),
            "pair_mean": (("time",), pair_mean(c / self._numbers, self.weight)),
        }
        if reference is not None:
            own_ss = (sums[..., XX] - sums[..., YY] - 2j * sums[..., XY])[..., None] / 4
            own_sz = (sums[..., XZ] - 1j * sums[..., YZ])[..., None] / 2
            s0, z0 = (reference[..., X] - 1j * reference[..., Y]) / 2, reference[..., Z]
            for name, a, b, a0, b0, same, phase in (
                ("anomalous_covariance", s, s, s0, s0, own_ss, turned**2),
                ("coherence_inversion_covariance", s, z, s0, z0, own_sz, turned),
            ):
                spread = _pairs((a - a0) / n, (b - b0) / n)
                pairs = (_pairs(a, b) - one * same) / self._numbers
                mean = _pairs(a / n, b / n) - spread  # of both, linear in each sample
                bias = spread / max(len(sums) - 1, 1) if own else 0.0
                out[name] = PAIR, (pairs - mean + bias) * phase[..., None]
        if vectors is not None:
            x, y, z = np.moveaxis(vectors, -2, 0)
            out |= {"spin_coherence": (("time", "spin"), (x - 1j * y) / 2 * turned), "spin_inversion": (("time", "spin"), z)}
        return out

    @property
    def _numbers(self) -> Array:
        """Numbers of pairs of different spins, NaN where a group of one has none."""
        number = np.outer(self.spins, self.spins) - np.diag(self.spins)
        return np.where(number > 0, number, np.nan)

    def derived(self, means: Observed) -> Observed:
        """Replace the mean over pairs by the order parameter R, equation (8.2), and add the status."""
        out = dict(means)
        (dims, value), (_, error) = out.pop("pair_mean"), out.pop("pair_mean_error")
        return out | {
            "order_parameter": (dims, order_parameter(value)),
            "order_parameter_error": (dims, order_parameter_error(value, error)),
            "status": (dims, self._status(means)),
        }

    def _status(self, means: Observed) -> Array:
        """The codes of `Validity` of the state averaged over a common phase, which quantum states allow too."""
        names = ("inversion", "correlation", "inversion_correlation")
        z, c, zz = (means[name][1] for name in names)
        dz, dc, dzz = (means[f"{name}_error"][1] for name in names)
        product = _pairs(abs(z), dz) + _pairs(dz, abs(z))
        errors = realizability.Moments(spins=self.spins, z=dz, c=dc, zz=dzz + product)
        return realizability.validity(realizability.connected(self.spins, z, c, zz), 0.0, errors)

    @staticmethod
    def light(powers: Array) -> tuple[Array, Array]:
        """<J_+ J_-> and <J_+ J_+ J_- J_-> of each sample, from sums of powers over all spins, equation (11.11).

        Products of several operators of one spin are reduced first, so that only products of different spins are sampled.
        """
        s, ss, q, qs, qq, n, nn, ns, nq = np.moveaxis(powers, -1, 0)
        fields = abs(s) ** 2  # over pairs of different spins: fields - q, and so on by inclusion and exclusion
        four = (
            fields**2
            - 2 * (ss * s.conj() ** 2).real
            - 4 * q * fields
            + abs(ss) ** 2
            + 2 * q**2
            + 8 * (qs * s.conj()).real
            - 6 * qq
        )
        three = n * fields - 2 * (ns * s.conj()).real - n * q + 2 * nq
        return (fields - q + n).real, (four + 4 * three + 2 * (n**2 - nn)).real


def _pairs(a: Array, b: Array) -> Array:
    """a_a b_b for all pairs of groups, arrays of shape (..., group)."""
    return np.asarray(a[..., :, None] * b[..., None, :])
