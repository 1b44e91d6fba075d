"""Exact quantum mechanics of many spins by random trajectories: jumps of (j, m) for one group, quantum jumps for two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import GroupTerms, group_terms
from spinsync.model.observables import order_parameter, order_parameter_error
from spinsync.problems.observed import Observed
from spinsync.problems.sampled.record import JumpProcess, Jumps, QuantumJumps
from spinsync.theory.permutation import dicke_jumps
from spinsync.theory.permutation.dicke import pair_means
from spinsync.theory.permutation.product_states import draw, draw_real

MOST_SPINS = 10_000_000
MOST_IN_PAIR = 20_000
PILOT_SPINS = 100  # of the smaller ensemble whose steady state is the initial state of a larger one
#: change of a variable by a jump of one spin, in units of 1 / (spins of a group); one spin takes part in two pairs of each kind
EVENT_SIZE = {"inversion": 2.0, "correlation": 1.0, "inversion_correlation": 4.0, "pair_mean": 1.0}
NO_PHASE = "trajectories have no phase; Exact answers this up to 20000 spins"


@known_fields
@dataclass(frozen=True)
class Trajectories:
    """The master equation (2.2) of N spins, solved by a mean over random trajectories: exact within the stated errors.

    One or two groups of equal spins, with any complex coupling.

    Parameters
    ----------
    spins : int
        1 to 10000000; two groups at most 20000. They must split over the groups by weight.
    rtol, atol : float
        Relative and absolute tolerance. Trajectories are added until the error of every inversion is below atol + rtol Z, and
        the error of every correlation below atol A + rtol A^2. Z is the largest root mean square of the inversion over
        trajectories, at any time and in any group (so that it includes fluctuations and stays finite where the mean passes
        through 0); A^2 is the same for the correlation. With n spins in the smallest group, Z and A^2 count as at least 1/n:
        a correlation of 1/n emits as much light as n independent excited spins. A is an amplitude: where the order parameter
        R is largest, its error is at most about atol + rtol R. This takes up to some 1 / rtol^2 trajectories. The exact value
        is within the error, a distance in the complex plane for correlations, with a probability of 68 percent (9.16).
    most_jumps : int
        Limit of the jumps of all trajectories together. A result that reaches it has `converged` False.
    most_seconds : float, optional
        Limit of the wall-clock time, likewise. The number of trajectories, in the variable `trajectories`, then depends on
        the machine; each trajectory still depends on the seed alone. None: no limit.

    Raises
    ------
    InputError
        If a number is out of range, or both tolerances are zero.

    Notes
    -----
    Source: equations (9.12) to (9.15); finite number of spins, (9.12) to (9.17). A jump takes some 70 ns on one core for one
    group, and 25 microseconds for two groups of a thousand spins; the number of jumps per unit of time is about spins times a
    rate. One group of 3000 spins to t = 5 takes 3 s on one core, two groups of 20 spins 9 s.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Trajectories(1000, rtol=0.05)
    Trajectories(spins=1000, rtol=0.05, atol=0.0001, most_jumps=10000000000, most_seconds=None)
    """

    spins: int
    _: KW_ONLY
    rtol: float = 1e-2
    atol: float = 1e-4
    most_jumps: int = 10_000_000_000
    most_seconds: float | None = None
    kinds: ClassVar[tuple[type, ...]] = (Jumps,)
    faster: ClassVar[str] = "a larger rtol, or a limit most_seconds, ends them earlier"
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({
        "keep_state": "which has as many states as trajectories",
        "linewidth": f"{NO_PHASE}, MeanField with spins=N and Cumulants for more",
        "emission_spectrum": f"{NO_PHASE}, TruncatedWigner and Cumulants for more",
        "photon_statistics": "its means are those of at most two spins; Exact answers this up to 20000 spins, TruncatedWigner "
        "for more",
        "entropy": "no mean over trajectories gives it; Exact answers this up to 20000 spins",
    })  # fmt: skip

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 1, MOST_SPINS))
        object.__setattr__(self, "most_jumps", checks.whole("most_jumps", self.most_jumps, 1, 10**15))
        if self.most_seconds is not None:
            object.__setattr__(self, "most_seconds", checks.positive("most_seconds", self.most_seconds))
        for name in ("rtol", "atol"):
            object.__setattr__(self, name, checks.non_negative(name, getattr(self, name)))
        if self.rtol == self.atol == 0:
            raise checks.InputError("Argument `rtol` or `atol` must be positive, but both are 0.")

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> Jumps:
        """A jump process of (j, m) for one group, quantum jumps of a state vector over (m_A, m_B) for two."""
        groups = len(ensemble.groups)
        if groups > 2:
            raise checks.InputError(f"Argument `ensemble` must have one or two groups for Trajectories, but has {groups}.")
        if each:
            raise checks.InputError(
                "Argument `each` must be False for Trajectories, whose spins are all alike in a group; MeanField, Cumulants, "
                "TruncatedWigner and BruteForce show single spins."
            )
        if groups == 2:
            checks.whole("spins", self.spins, 2, MOST_IN_PAIR)
        m = bloch_vectors.start_vectors(ensemble.rates, initial, seed)
        rates, terms = ensemble.rates, group_terms(ensemble, self.spins)
        rules: JumpProcess | QuantumJumps = ONE_GROUP if groups == 1 else TWO_GROUPS
        table = _group_rows(terms) if groups == 1 else np.concatenate([_group_rows(terms), _coupling_rows(terms)])
        start, moments = (_one_group_start, _one_group_moments) if groups == 1 else (_two_group_start, _two_group_moments)
        numbers = dicke_jumps.ONE_GROUP_NUMBERS if groups == 1 else dicke_jumps.TWO_GROUP_NUMBERS
        return Jumps(
            rules=rules, table=table, start=lambda random: start(random, terms.spins, m), numbers=numbers,
            slowest=float(np.minimum(rates.gamma_1, rates.gamma_perp).min()),
            event_size={name: size / float(terms.spins.min()) for name, size in EVENT_SIZE.items()},
            observe=lambda recorded: pair_means(terms.spins, *moments(recorded)),
            tolerances=partial(self._tolerances, float(terms.spins.min())), derived=_derived,
            coordinates={n: (n, np.array(ensemble.names)) for n in ("group", "other_group")},
            most_jumps=self.most_jumps, most_seconds=self.most_seconds,
            warm_start=lambda seed: self.lower(ensemble, self._smaller_steady_state(ensemble, terms.spins, seed), seed),
        )  # fmt: skip

    def _tolerances(self, spins: float, sizes: Mapping[str, float]) -> dict[str, float]:
        """Allowed errors of the variables, equation (9.17); spins : of the smallest group."""
        height, strength = (max(sizes[name], 1 / spins) for name in ("inversion", "correlation"))
        return {
            "inversion": self.atol + self.rtol * height,
            "correlation": self.atol * np.sqrt(strength) + self.rtol * strength,
        }

    def _smaller_steady_state(self, ensemble: Ensemble, spins: Array, seed: int) -> Array | None:
        """Bloch vectors (group, 3) of the steady state of fewer spins, which shorten the transient; None if there are few."""
        unit = self.spins // int(np.gcd.reduce(spins))  # the fewest spins with the same proportions
        few = unit * -(-PILOT_SPINS // unit)
        if 4 * few > self.spins:
            return None
        pilot = replace(self, spins=few, rtol=0.1, atol=0.0, most_seconds=None)
        found = pilot.lower(ensemble, None, seed).steady_state(seed)
        z, c = found["inversion"][1], np.nan_to_num(found["correlation"][1])
        s = np.sqrt(np.maximum(c.diagonal().real, 0)) * np.exp(1j * np.angle(c[0]))
        m = np.stack([2 * s.real, -2 * s.imag, z], axis=1)
        return np.asarray(m / np.maximum(1, np.linalg.norm(m, axis=1))[:, None])


ONE_GROUP = JumpProcess(
    rates=dicke_jumps.one_group_rates, changes=dicke_jumps.CHANGES, observables=dicke_jumps.one_group_observables
)
TWO_GROUPS = QuantumJumps(
    generator=dicke_jumps.two_group_generator, rates=dicke_jumps.two_group_rates, jump=dicke_jumps.two_group_jump,
    jumps=dicke_jumps.TWO_GROUP_JUMPS, observables=dicke_jumps.two_group_observables,
)  # fmt: skip


def _group_rows(terms: GroupTerms) -> Array:
    """One row of dicke_jumps.ROW per group, in the frame of their mean frequency, which has no effect in sector 0."""
    diagonal = {name: getattr(terms, name).diagonal().real for name in ("exchange", "decay", "pumping")}
    columns = diagonal | dict(
        spins=terms.spins, gain=terms.gain, damping=terms.damping, dephasing=2 * terms.dephasing,
        frequency=terms.omega - terms.omega.mean(),
    )  # fmt: skip
    return np.array([columns[name] for name in dicke_jumps.ROW], float).T.copy()


def _coupling_rows(terms: GroupTerms) -> Array:
    """Coefficients of J_+A J_-B and J_+B J_-A in (9.13), one row, and of the collective jump operators (9.12), one row each."""
    rows = np.zeros((1 + dicke_jumps.COLLECTIVE_JUMPS, len(dicke_jumps.ROW)))
    for k, (a, b) in enumerate(((0, 1), (1, 0))):
        value = -1j * terms.exchange[a, b] - (terms.decay[a, b] + terms.pumping[a, b]) / 2
        rows[0, 2 * k : 2 * k + 2] = value.real, value.imag
    row, rounding = 1, 1e-14 * np.max(np.abs([terms.exchange, terms.decay, terms.pumping]))
    for matrix, sign in ((terms.decay, -1), (terms.pumping, 1)):
        values, vectors = np.linalg.eigh(matrix)
        for value, vector in zip(values, vectors.T, strict=True):
            if value > rounding:
                v = np.sqrt(value) * (vector if sign > 0 else vector.conj())
                rows[row, :5] = sign, v[0].real, v[0].imag, v[1].real, v[1].imag
            row += 1
    return rows


def _one_group_start(random: np.random.Generator, spins: Array, bloch: Array) -> tuple[Array, Array]:
    """Draw labels (2j, 2m) with their probability in the product state."""
    twice_j, _, amplitudes = draw_real(random, int(spins[0]), bloch[0])
    return np.array([twice_j, 2 * _draw_index(random, amplitudes**2) - twice_j]), np.zeros(0, complex)


def _two_group_start(random: np.random.Generator, spins: Array, bloch: Array) -> tuple[Array, Array]:
    """Draw labels and psi, of definite j_A, j_B and m_A + m_B, from the product state."""
    (twice_a, _, a), (twice_b, _, b) = (draw(random, int(n), m) for n, m in zip(spins, bloch, strict=True))
    total = _draw_index(random, abs(a) ** 2) + _draw_index(random, abs(b) ** 2)  # (j_A + m_A) + (j_B + m_B)
    index = np.arange(max(0, total - twice_b), min(twice_a, total) + 1)
    psi = np.zeros(spins[0] + 1, complex)
    shift = (spins[0] - twice_a) // 2
    psi[index + shift] = a[index] * b[total - index]
    labels = np.array([twice_a, twice_b, 2 * total - twice_a - twice_b, index[0] + shift, index[-1] + shift])
    return labels, psi / np.linalg.norm(psi)


def _draw_index(random: np.random.Generator, probability: Array) -> int:
    """Draw an index with a probability proportional to `probability`."""
    total = np.cumsum(probability)
    return int(np.searchsorted(total, random.random() * total[-1], side="right"))


Moments = tuple[Array, Array, Array]  # <m_a>, <J_+a J_-b>, <m_a m_b>


def _one_group_moments(numbers: Array) -> Moments:
    m, square, intensity = np.moveaxis(numbers, -1, 0)
    return m[..., None], intensity[..., None, None].astype(complex), square[..., None, None]


def _two_group_moments(numbers: Array) -> Moments:
    m_a, m_b, intensity_a, intensity_b, real, imaginary, square_a, square_b, product = np.moveaxis(numbers, -1, 0)
    cross = real + 1j * imaginary
    intensity = np.array([[intensity_a, cross], [cross.conj(), intensity_b]])
    squares = np.array([[square_a, product], [product, square_b]])
    return np.stack([m_a, m_b], -1), np.moveaxis(intensity, (0, 1), (-2, -1)), np.moveaxis(squares, (0, 1), (-2, -1))


def _derived(means: Observed) -> Observed:
    """Replace the mean over pairs by the order parameter R."""
    out = dict(means)
    (dims, value), (_, error) = out.pop("pair_mean"), out.pop("pair_mean_error")
    return out | {
        "order_parameter": (dims, order_parameter(value)), "order_parameter_error": (dims, order_parameter_error(value, error))
    }  # fmt: skip
