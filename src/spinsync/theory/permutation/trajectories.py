"""Exact quantum mechanics of many spins by random trajectories: one group by jumps of (j, m), two by quantum jumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import GroupTerms, group_terms
from spinsync.model.observables import order_parameter
from spinsync.problems.observed import Observed
from spinsync.problems.sampled.record import Jumps, Walk, Wave
from spinsync.theory.permutation import dicke_jumps
from spinsync.theory.permutation.dicke import pair_means
from spinsync.theory.permutation.product_states import drawn, drawn_real

MOST_SPINS = 10_000_000
MOST_IN_PAIR = 20_000
PILOT = 100  # spins of the ensemble that tells a larger one where to start
#: times 1 / (spins of a group): what a jump of one spin changes, which takes part in that share of all pairs twice
GRAIN = {"inversion": 2.0, "correlation": 1.0, "inversion_correlation": 4.0, "pair_mean": 1.0}


LINE = (
    "trajectories have no phase; Exact answers this up to 20000 spins, and for more "
    "limit_cycle(ensemble).phase_diffusion / spins is the linewidth"
)


@dataclass(frozen=True)
class Trajectories:
    """The master equation (2.2) of N spins as a mean over random trajectories: exact but for the error bars.

    One group of equal spins, or two, with any complex coupling.

    Parameters
    ----------
    spins : int
        1 to 10000000; two groups at most 20000. They must split over the groups by weight.
    rtol, atol : float
        Trajectories are added until the error of every inversion is below atol + rtol Z, and that of every correlation
        below atol A + rtol A^2. Z is the size of the inversion: its largest root mean square over trajectories, at any time
        and in any group, so that it counts fluctuations and is no smaller where the mean passes through 0. A^2 is that of
        the correlation. With n spins in the smallest group Z and A^2 count as 1/n at least: such a correlation adds as
        much light as n excited spins give one by one. So A is an amplitude, and where the order parameter R is largest,
        its error is about atol + rtol R or less. That takes some 1 / rtol^2 trajectories at most. An error is the distance
        within which 68 percent of all results are, in the complex plane for correlations (9.16).
    most_jumps : int
        Jumps of all trajectories together at which they end without that; `converged` is then False.
    most_seconds : float, optional
        The same for time on the clock. How many trajectories that makes depends on the machine; their number is in
        `trajectories`, and what each one does still depends on the seed alone. None: no limit.

    Raises
    ------
    InputError
        If a number is out of range, or both tolerances are zero.

    Notes
    -----
    Source: theory page, section 9; errors and when it ends: (9.16), (9.17). A jump of one group takes a core some 70 ns,
    one of two groups of a thousand spins 25 microseconds; there are about as many per unit of time as spins times a rate.
    In a terminal or a notebook a line tells how long it will take.

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
    why: ClassVar[Mapping[str, str]] = MappingProxyType({
        "keep_state": "which has no state to keep; Exact has",
        "linewidth": LINE, "emission_spectrum": LINE,
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
        """A walk over (j, m) for one group, a wave over (m_A, m_B) for two."""
        groups = len(ensemble.groups)
        if groups > 2:
            raise checks.InputError(f"Argument `ensemble` must have one or two groups for Trajectories, but has {groups}.")
        if each:
            raise checks.InputError("Argument `each` must be False for Trajectories, whose spins are all alike in a group.")
        if groups == 2:
            checks.whole("spins", self.spins, 2, MOST_IN_PAIR)
        m = bloch_vectors.start_vectors(ensemble.rates, initial, seed)
        rates, terms = ensemble.rates, group_terms(ensemble, self.spins)
        rules: Walk | Wave = WALK if groups == 1 else WAVE
        table = _rows(terms) if groups == 1 else np.concatenate([_rows(terms), _between(terms)])
        start, moments = (_walk_start, _walk_moments) if groups == 1 else (_wave_start, _wave_moments)
        numbers = dicke_jumps.WALK_NUMBERS if groups == 1 else dicke_jumps.WAVE_NUMBERS
        return Jumps(
            rules=rules, table=table, start=lambda random: start(random, terms.spins, m), numbers=numbers,
            slowest=float(np.minimum(rates.gamma_1, rates.gamma_perp).min()),
            grain={name: share / float(terms.spins.min()) for name, share in GRAIN.items()},
            observe=lambda seen: pair_means(terms.spins, *moments(seen)), asked=partial(self._asked, float(terms.spins.min())),
            derived=_derived,
            coordinates={n: (n, np.array(ensemble.names)) for n in ("group", "other_group")},
            most_jumps=self.most_jumps, most_seconds=self.most_seconds,
            nearer=lambda seed: self.lower(ensemble, self._near_rest(ensemble, terms.spins, seed), seed),
        )  # fmt: skip

    def _asked(self, spins: float, sizes: Mapping[str, float]) -> dict[str, float]:
        """The errors asked for, equation (9.17); spins : of the smallest group."""
        height, strength = (max(sizes[name], 1 / spins) for name in ("inversion", "correlation"))
        return {
            "inversion": self.atol + self.rtol * height,
            "correlation": self.atol * np.sqrt(strength) + self.rtol * strength,
        }

    def _near_rest(self, ensemble: Ensemble, spins: Array, seed: int) -> Array | None:
        """Bloch vectors (group, 3) to start from: those of an ensemble of few spins at rest; None where none is smaller.

        Only the way to the steady state gets shorter by it.
        """
        unit = self.spins // int(np.gcd.reduce(spins))  # the fewest spins that split alike
        few = unit * -(-PILOT // unit)
        if 4 * few > self.spins:
            return None
        pilot = replace(self, spins=few, rtol=0.1, atol=0.0, most_seconds=None)
        found = pilot.lower(ensemble, None, seed).rest(seed)
        z, c = found["inversion"][1], np.nan_to_num(found["correlation"][1])
        s = np.sqrt(np.maximum(c.diagonal().real, 0)) * np.exp(1j * np.angle(c[0]))
        m = np.stack([2 * s.real, -2 * s.imag, z], axis=1)
        return np.asarray(m / np.maximum(1, np.linalg.norm(m, axis=1))[:, None])


WALK = Walk(rates=dicke_jumps.walk_rates, changes=dicke_jumps.CHANGES, look=dicke_jumps.walk_look)
WAVE = Wave(
    generator=dicke_jumps.wave_generator, rates=dicke_jumps.wave_rates, jump=dicke_jumps.wave_jump,
    jumps=dicke_jumps.WAVE_JUMPS, look=dicke_jumps.wave_look,
)  # fmt: skip


def _rows(terms: GroupTerms) -> Array:
    """One row of dicke_jumps.ROW per group, in the frame of their mean frequency, which sector 0 does not see."""
    diagonal = {name: getattr(terms, name).diagonal().real for name in ("exchange", "decay", "pumping")}
    columns = diagonal | dict(
        spins=terms.spins, gain=terms.gain, damping=terms.damping, dephasing=2 * terms.dephasing,
        frequency=terms.omega - terms.omega.mean(),
    )  # fmt: skip
    return np.array([columns[name] for name in dicke_jumps.ROW], float).T.copy()


def _between(terms: GroupTerms) -> Array:
    """What goes on between two groups, equations (9.12) and (9.13): J_+A J_-B, J_+B J_-A, and the collective jumps."""
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


def _walk_start(random: np.random.Generator, spins: Array, bloch: Array) -> tuple[Array, Array]:
    """A (2j, 2m) of the product state."""
    twice_j, _, amplitudes = drawn_real(random, int(spins[0]), bloch[0])
    return np.array([twice_j, 2 * _drawn_index(random, amplitudes**2) - twice_j]), np.zeros(0, complex)


def _wave_start(random: np.random.Generator, spins: Array, bloch: Array) -> tuple[Array, Array]:
    """One of the waves of definite j_A, j_B and m_A + m_B of the product state."""
    (twice_a, _, a), (twice_b, _, b) = (drawn(random, int(n), m) for n, m in zip(spins, bloch, strict=True))
    total = _drawn_index(random, abs(a) ** 2) + _drawn_index(random, abs(b) ** 2)  # (j_A + m_A) + (j_B + m_B)
    index = np.arange(max(0, total - twice_b), min(twice_a, total) + 1)
    wave = np.zeros(spins[0] + 1, complex)
    shift = (spins[0] - twice_a) // 2
    wave[index + shift] = a[index] * b[total - index]
    place = np.array([twice_a, twice_b, 2 * total - twice_a - twice_b, index[0] + shift, index[-1] + shift])
    return place, wave / np.linalg.norm(wave)


def _drawn_index(random: np.random.Generator, probability: Array) -> int:
    total = np.cumsum(probability)
    return int(np.searchsorted(total, random.random() * total[-1], side="right"))


Moments = tuple[Array, Array, Array]  # <m_a>, <J_+a J_-b>, <m_a m_b>


def _walk_moments(numbers: Array) -> Moments:
    m, square, light = np.moveaxis(numbers, -1, 0)
    return m[..., None], light[..., None, None].astype(complex), square[..., None, None]


def _wave_moments(numbers: Array) -> Moments:
    m_a, m_b, light_a, light_b, real, imaginary, square_a, square_b, product = np.moveaxis(numbers, -1, 0)
    cross = real + 1j * imaginary
    light = np.array([[light_a, cross], [cross.conj(), light_b]])
    squares = np.array([[square_a, product], [product, square_b]])
    return np.stack([m_a, m_b], -1), np.moveaxis(light, (0, 1), (-2, -1)), np.moveaxis(squares, (0, 1), (-2, -1))


def _derived(means: Observed) -> Observed:
    """The order parameter in place of the mean over pairs.

    The error of its root is that of the argument times the slope, and close to zero, where the slope says nothing, the
    distance to the root of argument plus error.
    """
    out = dict(means)
    (dims, value), (_, error) = out.pop("pair_mean"), out.pop("pair_mean_error")
    low = np.maximum(value, 0)
    steep = low <= 2 * error
    upwards = order_parameter(low + error) - order_parameter(low)
    error = np.where(steep, upwards, error / np.sqrt(np.where(steep, 1, low)))
    return out | {"order_parameter": (dims, order_parameter(value)), "order_parameter_error": (dims, error)}
