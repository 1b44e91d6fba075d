"""Distributions of natural frequencies, with the resolvent for closed forms and the quadrature for mean field.

The response of a class with detuning delta from the field is proportional to 1/(B + i delta), B >= Gamma_perp. So closed forms
need only the resolvent of a density g, G(mu) = integral g(w) / (mu + i w) dw, Re mu > 0, and the error of a quadrature
decreases geometrically: the coherence is analytic in the frequency up to a distance B from the real axis.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import pi, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spinsync.base import checks
from spinsync.base.keywords import known_fields, known_keywords
from spinsync.model import quadratures
from spinsync.model.quadratures import Quadrature
from spinsync.model.samples import Samples, draw_sample


class Smooth:
    """Base class of the distributions with a density."""

    center: float

    def __post_init__(self) -> None:
        for one in fields(self):  # type: ignore[arg-type]
            check = checks.real if one.name == "center" else checks.positive
            object.__setattr__(self, one.name, check(one.name, getattr(self, one.name)))

    def quantile(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Frequencies below which the given shares of the spins lie, same shape."""
        raise NotImplementedError

    def resonances(self) -> tuple[NDArray[np.float64], float]:
        """Frequencies of the poles or branch points of the resolvent, and their distance from the axis, without Gamma_perp."""
        raise NotImplementedError

    @known_keywords
    def sample(self, count: int, seed: int = 0) -> Samples:
        """Draw natural frequencies; the i-th one depends on (seed, i) only.

        Parameters
        ----------
        count : int
            Number of frequencies, at least 1.
        seed : int

        Returns
        -------
        Samples

        Raises
        ------
        InputError
            If `count` or `seed` is not an allowed whole number.

        Examples
        --------
        >>> import spinsync as ss
        >>> ss.Lorentzian(half_width=0.5).sample(1000, seed=1).values.size
        1000
        """
        return draw_sample(self, count, seed)

    def centered(self, center: float) -> Self:
        """The same distribution around another centre."""
        return replace(self, center=center)  # type: ignore[type-var]


@known_fields
@dataclass(frozen=True)
class Lorentzian(Smooth):
    """Lorentzian distribution of natural frequencies, g(w) = (half_width / pi) / ((w - center)^2 + half_width^2).

    Parameters
    ----------
    half_width : float
        Half width at half maximum, positive; angular frequency, the unit of the rates.
    center : float
        Angular frequency.

    Raises
    ------
    InputError
        If `half_width` is not positive or a number is not finite.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Lorentzian(0.5)
    Lorentzian(half_width=0.5, center=0.0)
    """

    half_width: float
    center: float = 0.0

    def quantile(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.center + self.half_width * np.tan(pi * (share - 0.5)))

    def resonances(self) -> tuple[NDArray[np.float64], float]:
        return np.array([self.center]), self.half_width

    def resolvent(self, mu: complex) -> complex:
        return 1 / (mu + 1j * self.center + self.half_width)

    def quadrature(self, gamma_perp: float, field: float, tolerance: float, nodes: int | None) -> Quadrature:
        return quadratures.lorentzian(self.center, self.half_width, gamma_perp, field, tolerance, nodes)


@known_fields
@dataclass(frozen=True)
class Gaussian(Smooth):
    """Gaussian distribution of natural frequencies.

    Parameters
    ----------
    std : float
        Standard deviation, positive; angular frequency.
    center : float
        Angular frequency.

    Raises
    ------
    InputError
        If `std` is not positive or a number is not finite.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Gaussian(0.3, center=1.0)
    Gaussian(std=0.3, center=1.0)
    """

    std: float
    center: float = 0.0

    def quantile(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.special import ndtri

        return np.asarray(self.center + self.std * ndtri(share))

    def resonances(self) -> tuple[NDArray[np.float64], float]:
        return np.array([self.center]), self.std

    def resolvent(self, mu: complex) -> complex:
        from scipy.special import wofz  # wofz(ix) = erfcx(x), for complex x

        return complex(sqrt(pi / 2) / self.std * wofz(1j * (mu + 1j * self.center) / (self.std * sqrt(2))))

    def quadrature(self, gamma_perp: float, field: float, tolerance: float, nodes: int | None) -> Quadrature:
        return quadratures.gaussian(self.center, self.std, gamma_perp, tolerance, nodes)


@known_fields
@dataclass(frozen=True)
class Uniform(Smooth):
    """Uniform distribution of natural frequencies on center - half_width ... center + half_width.

    Parameters
    ----------
    half_width : float
        Positive; angular frequency.
    center : float
        Angular frequency.

    Raises
    ------
    InputError
        If `half_width` is not positive or a number is not finite.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Uniform(2.0)
    Uniform(half_width=2.0, center=0.0)
    """

    half_width: float
    center: float = 0.0

    def quantile(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.center + self.half_width * (2 * share - 1))

    def resonances(self) -> tuple[NDArray[np.float64], float]:
        return self.center + np.array([-self.half_width, self.half_width]), 0.0

    def resolvent(self, mu: complex) -> complex:
        return complex(np.arctan(self.half_width / (mu + 1j * self.center)) / self.half_width)

    def quadrature(self, gamma_perp: float, field: float, tolerance: float, nodes: int | None) -> Quadrature:
        return quadratures.uniform(self.center, self.half_width, gamma_perp, tolerance, nodes)


Distribution = Lorentzian | Gaussian | Uniform | Samples
Distributions = tuple[Distribution | None, ...]  # one per group; None for one frequency
DISTRIBUTIONS = (Lorentzian, Gaussian, Uniform, Samples)


def frequency_or_distribution(name: str, value: object) -> float | Distribution:
    """A finite number, or one of the distributions."""
    if isinstance(value, DISTRIBUTIONS):
        return value
    if not checks.is_real(value):
        raise checks.argument_error(name, "a real number or a distribution, such as Gaussian(std=1) or Samples([1, 2])", value)
    return checks.real(name, value)
