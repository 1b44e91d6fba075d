"""Quadratures over distributions of natural frequencies; errors decrease geometrically with the number of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from math import acosh, ceil, exp, log, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsync.base import checks

MAX_NODES = 20_000


@dataclass(frozen=True)
class Quadrature:
    """Frequency classes that represent a distribution.

    frequency, weight : arrays of shape (node,); the weights add up to 1, for a Lorentzian to 1 minus its truncated tails
    half_width : float or None; half width of a Lorentzian, whose linear response is averaged by residue
    """

    frequency: NDArray[np.float64]
    weight: NDArray[np.float64]
    half_width: float | None = None


def lorentzian(
    center: float, half_width: float, gamma_perp: float, field: float, tolerance: float, nodes: int | None
) -> Quadrature:
    """Trapezoidal rule in n, with w = w(n), for the nonlinear part of the response, which decreases as (scale/w)^4.

    The transient e^{-i w t} on classes of spacing d revives at t = 2 pi/d, damped by exp(-2 pi gamma_perp/d). The first
    term of dn/dw (`_Map.slope`) makes this error as small as that of truncation at |w| = cut. The second term accounts for
    the poles +-i half_width of the density, whose distance limits the convergence of the trapezoidal rule.
    """
    if nodes is None:
        size = _Map(half_width, gamma_perp, field, log(1 / tolerance)).size if gamma_perp else np.inf
        nodes = _count(2 * size, gamma_perp, half_width)
    low, high = 0.1, 200.0
    for _ in range(60):  # bisection for the smallest error, exp(-digits), that this number of nodes allows
        middle = (low + high) / 2
        smaller = 2 * _Map(half_width, gamma_perp or half_width, field, middle).size < nodes
        low, high = (middle, high) if smaller else (low, middle)
    node_map = _Map(half_width, gamma_perp or half_width, field, low)
    w = node_map.inverse(np.arange(nodes // 2 + 1) * (2 * node_map.size / nodes))
    w = np.concatenate([-w[:0:-1], w])
    measure = 2 * node_map.size / nodes * half_width / (pi * (w**2 + half_width**2)) / node_map.slope(w)
    measure[[0, -1]] /= 2
    return Quadrature(center + w, measure, half_width=half_width)


class _Map:
    """The map n(w) from frequency to node number for a Lorentzian, for an error of exp(-digits)."""

    def __init__(self, half_width: float, gamma_perp: float, field: float, digits: float) -> None:
        scale = (half_width * max(field, gamma_perp) ** 3 / pi) ** 0.25
        self.half_width, self.scale = half_width, max(scale, gamma_perp)
        self.cut = max(scale * exp(digits / 4), 4 * field, 4 * gamma_perp)
        self.rate = 1 / (2 * pi * gamma_perp)
        self.pole = digits / pi**2 if half_width < gamma_perp else 0.0
        self.size = float(self.number(np.asarray(self.cut)))

    def number(self, w: Any) -> Any:
        """n(w), the integral of `slope` from 0."""
        c, a = self.cut, self.scale
        log_area = w * np.log((c**2 + a**2) / (w**2 + a**2)) + 2 * w - 2 * a * np.arctan(w / a)
        return self.rate * (w + 2 * log_area) + self.pole * np.arcsinh(w / self.half_width)

    def slope(self, w: Any) -> Any:
        """dn/dw."""
        log = np.log((self.cut**2 + self.scale**2) / (w**2 + self.scale**2))
        return self.rate * (1 + 2 * log) + self.pole / np.hypot(w, self.half_width)

    def inverse(self, n: Any) -> Any:
        """w(n) for n >= 0 by Newton's method; n(w) is concave there, so that the iteration rises monotonically."""
        w = np.zeros_like(n)
        for _ in range(200):
            w = w + (n - self.number(w)) / self.slope(w)
        return w


def gaussian(center: float, std: float, gamma_perp: float, tolerance: float, nodes: int | None) -> Quadrature:
    """Trapezoidal rule on +-reach std; shifting the contour by min(gamma_perp, 2 pi std^2/spacing) bounds its error."""
    digits = log(1 / tolerance)
    reach = sqrt(2 * digits) + 1
    if nodes is None:
        spacing = 2 * pi * std / sqrt(2 * digits)
        if gamma_perp < 2 * pi * std**2 / spacing:
            spacing = 2 * pi * gamma_perp / (digits + (gamma_perp / std) ** 2 / 2)
        nodes = _count(2 * reach * std / spacing if spacing else np.inf, gamma_perp, std)
    x = np.linspace(-reach, reach, nodes + 1)
    density = np.exp(-(x**2) / 2)
    return Quadrature(center + std * x, density / density.sum())


def uniform(center: float, half_width: float, gamma_perp: float, tolerance: float, nodes: int | None) -> Quadrature:
    """Clenshaw-Curtis rule; it converges geometrically, at the rate of the Bernstein ellipse through +-i gamma_perp."""
    if nodes is None:
        rate = acosh(sqrt(1 + (gamma_perp / half_width) ** 2))
        nodes = _count(log(1 / tolerance) / rate if rate else np.inf, gamma_perp, half_width)
    x = -np.cos(np.linspace(0, pi, nodes + 1))
    k = np.arange(nodes // 2 + 1)  # the number of nodes is even: weights are cosine sums of 1/(1 - 4k^2)
    moment = 2.0 / (1 - 4.0 * k**2)
    moment[[0, -1]] /= 2
    weight = 2 / nodes * (np.cos(2 * np.outer(np.arange(nodes + 1), k) * pi / nodes) @ moment)
    weight[[0, -1]] /= 2
    return Quadrature(center + half_width * x, weight / 2)


def _count(estimate: float, gamma_perp: float, width: float) -> int:
    """An a priori estimate of the number of nodes, rounded up to a multiple of 4."""
    if not estimate <= MAX_NODES:
        raise checks.InputError(
            f"Argument `nodes` must be given for this ensemble: a frequency width of {width:g} at a coherence "
            f"relaxation of {gamma_perp:g} would need more than {MAX_NODES} classes."
        )
    return max(16, 4 * ceil(estimate / 4))
