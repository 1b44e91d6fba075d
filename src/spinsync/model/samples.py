"""Given natural frequencies: a list, or a sample with a record of the distribution that it was drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinsync.base import checks
from spinsync.base.keywords import known_fields
from spinsync.base.memory import check_memory
from spinsync.model.quadratures import Quadrature

if TYPE_CHECKING:
    from spinsync.model.distributions import Smooth


@dataclass(frozen=True)
class SampleOrigin:
    """The distribution, size and seed of a sample."""

    distribution: Smooth
    count: int
    seed: int


def draw_sample(distribution: Smooth, count: int, seed: int) -> Samples:
    """A sample with a record of its origin; from raw bits, whose stream is the same in all versions of NumPy."""
    count, seed = checks.whole("count", count, 1), checks.seed(seed)
    check_memory("count", count, 4 * 8.0)  # bits, quantile levels, frequencies and temporary copies
    bits = np.random.PCG64(seed).random_raw(count)
    with np.errstate(over="ignore"):  # Samples raises an error for numbers that are not finite
        samples = Samples(distribution.quantile(((bits >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53))
    object.__setattr__(samples, "origin", SampleOrigin(distribution, count, seed))
    return samples


def disorder_seed(seed: int, realization: int, group: int) -> int:
    """The seed of the sample of a group in a realization of the disorder, which depends on these three numbers only."""
    low, high = np.random.SeedSequence(seed, spawn_key=(realization, group)).generate_state(2, np.uint64)
    return int(low) | int(high) << 64


@known_fields
@dataclass(frozen=True, eq=False)
class Samples:
    """Given natural frequencies of equal weight: a sample, or measured values.

    Parameters
    ----------
    values : array of shape (spin,)
        Angular frequencies.

    Raises
    ------
    InputError
        If `values` is empty or not finite.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Samples([0.1, -0.2, 0.05])
    Samples([0.1, -0.2, 0.05])
    """

    values: NDArray[np.float64] = field()
    origin: SampleOrigin | None = field(default=None, init=False)  # of a sample from a distribution

    def __post_init__(self) -> None:
        values = checks.array("values", self.values, float, (None,), "a list of frequencies")
        if values.size == 0:
            raise checks.InputError("Argument `values` must hold at least one frequency, but is empty.")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def center(self) -> float:
        """Centre of the distribution that the sample was drawn from; for a list its mean."""
        if self.origin is not None:  # the mean of a sample with heavy tails may lie anywhere
            return self.origin.distribution.center
        size = abs(self.values).max() or 1.0
        return float((self.values / size).mean() * size if size > 1e300 else self.values.mean())

    def centered(self, center: float) -> Samples:
        """The same sample around another centre.

        Parameters
        ----------
        center : float
            Angular frequency.

        Raises
        ------
        InputError
            If `center` is not a finite number.
        """
        center = checks.real("center", center)
        if self.origin is None:
            return Samples(self.values + (center - self.center))
        return self.origin.distribution.centered(center).sample(self.origin.count, self.origin.seed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Samples) and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.values + 0).tobytes())

    def __repr__(self) -> str:
        shown = ", ".join(f"{v:.6g}" for v in self.values[:6])
        return f"Samples([{shown}{f', ... {self.values.size} values' if self.values.size > 6 else ''}])"

    def resonances(self) -> tuple[NDArray[np.float64], float]:
        return np.unique(self.values), 0.0

    def resolvent(self, mu: complex) -> complex:
        return complex(np.mean(1 / (mu + 1j * self.values)))

    def quadrature(self, gamma_perp: float, field: float, tolerance: float, nodes: int | None) -> Quadrature:
        return Quadrature(self.values, np.full(self.values.size, 1 / self.values.size))
