"""Given natural frequencies: a list, or a sample that remembers what it was drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinsync.base import checks
from spinsync.base.memory import check_memory
from spinsync.model.quadratures import Quadrature

if TYPE_CHECKING:
    from spinsync.model.distributions import Smooth


@dataclass(frozen=True)
class Drawn:
    """What a sample was drawn from."""

    of: Smooth
    count: int
    seed: int


def drawn(distribution: Smooth, count: int, seed: int) -> Samples:
    """A sample that remembers how it was drawn; from raw bits, whose stream never changes."""
    count, seed = checks.whole("count", count, 1), checks.seed(seed)
    check_memory("count", count, 4 * 8.0)  # bits, shares, frequencies, and copies on the way
    bits = np.random.PCG64(seed).random_raw(count)
    with np.errstate(over="ignore"):  # Samples refuses what is not finite
        samples = Samples(distribution.quantile(((bits >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53))
    object.__setattr__(samples, "drawn", Drawn(distribution, count, seed))
    return samples


@dataclass(frozen=True, eq=False)
class Samples:
    """Given natural frequencies, one class of equal weight each: a sample, or a measured list.

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
    drawn: Drawn | None = field(default=None, init=False)  # how, where a distribution was asked for a sample

    def __post_init__(self) -> None:
        values = checks.array("values", self.values, float, (None,), "a list of frequencies")
        if values.size == 0:
            raise checks.InputError("Argument `values` must hold at least one frequency, but is empty.")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def center(self) -> float:
        """Of what it was drawn from, as the mean of a sample with heavy tails may be anywhere; the mean of a list."""
        if self.drawn is not None:
            return self.drawn.of.center
        size = abs(self.values).max() or 1.0
        return float((self.values / size).mean() * size if size > 1e300 else self.values.mean())

    def centered(self, center: float) -> Samples:
        """The same sample around another center.

        Parameters
        ----------
        center : float
            Angular frequency.

        Raises
        ------
        InputError
            If `center` is no finite number.
        """
        center = checks.real("center", center)
        if self.drawn is None:
            return Samples(self.values + (center - self.center))
        return self.drawn.of.centered(center).sample(self.drawn.count, self.drawn.seed)

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
