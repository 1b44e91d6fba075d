"""Two groups in closed form: the symmetric pair (theory page, section 5)."""

from __future__ import annotations

from math import cos, inf, nan, sqrt
from typing import Any

import numpy as np

from spinsync.base.checks import InputError
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.model.parameters import FIELDS


def two_groups_error(ensemble: Ensemble) -> InputError | None:
    """The error if the ensemble is not two groups with one frequency each, else None."""
    if len(ensemble.groups) != 2:
        return InputError(f"Argument `ensemble` must have two groups for this closed form, but has {len(ensemble.groups)}.")
    for group in ensemble.groups:
        if group.distribution is not None:
            return InputError(
                f"Argument `ensemble` must have one frequency per group for this closed form, but group {group.name!r} "
                f"has {group.distribution!r}."
            )
    return None


def _symmetry_error(ensemble: Ensemble) -> InputError | None:
    """The error if the ensemble is not a symmetric pair, else None."""
    if error := two_groups_error(ensemble):
        return error
    a, b = ensemble.groups
    for name in (name for name in FIELDS if name != "frequency"):
        if abs(getattr(a, name) - getattr(b, name)) > 1e-12 * max(getattr(a, name), getattr(b, name)):
            return InputError(f"Argument `ensemble` must be a symmetric pair, but its groups differ in {name}.")
    c = ensemble.coupling_matrix
    if np.ptp(c.real) + np.ptp(c.imag) > 1e-12 * abs(c).max():
        return InputError("Argument `ensemble` must be a symmetric pair, but its four couplings differ.")
    if abs(c[0, 0].real) > 1e-12 * abs(c[0, 0]):
        return InputError(
            f"Argument `ensemble` must be a symmetric pair at theta = -pi/2 or pi/2, but theta is {np.angle(c[0, 0]):.6g}."
        )
    return None


def _relaxes(group: Group) -> bool:
    return group.gamma_perp > 0 and group.gamma_1 > 0


def applicability_error(ensemble: Ensemble) -> InputError | None:
    """The error if the closed form of a symmetric pair does not apply, else None."""
    error = _symmetry_error(ensemble)
    if error is None and not _relaxes(ensemble.groups[0]):
        return InputError("Argument `ensemble` must have gain or damping for this closed form, but has neither.")
    return error


def full_state(ensemble: Ensemble) -> dict[str, Any]:
    """The state of full synchronization of a symmetric pair and its limits in the detuning, by names of variables."""
    if error := applicability_error(ensemble):
        raise error
    a, b = ensemble.groups
    detuning, g, g1 = a.mean_frequency - b.mean_frequency, a.gamma_perp, a.gamma_1
    dissipative = -float(ensemble.coupling_matrix[0, 0].imag)  # -V sin(theta)
    d, gain = detuning**2 / (4 * g), dissipative * a.z0
    exists = d < gain - g  # (5.2)
    stable = exists and (g - d) * (g - d + g1) + 2 * (gain - g - d) * (g1 - d) > 0 and d < g + g1  # (5.4)
    incoherent = np.max((-g + gain / 2 + np.array([1, -1]) * np.sqrt(complex((gain / 2) ** 2 - detuning**2 / 4))).real)  # (5.3)
    phase = 2 * np.arctan(detuning / (2 * g))  # (5.1)
    z = (g + d) / dissipative if exists else nan
    net_gain = float(ensemble.rates.net_gain[0])
    square = (net_gain - g1 * z) / (4 * dissipative * cos(phase / 2) ** 2) if exists else nan
    amplitude = sqrt(max(square, 0.0)) if exists else nan  # rounding at the limit of existence
    return {
        "exists": exists,
        "stable": stable,
        "incoherent_stable": bool(incoherent < 0),
        "frequency": (a.mean_frequency + b.mean_frequency) / 2 if exists else nan,
        "phase_difference": phase if exists else nan,
        "amplitude": amplitude,
        "inversion": z,
        "existence_detuning": 2 * sqrt(g * (gain - g)) if gain > g else nan,
        "incoherent_detuning": 2 * sqrt(g * max(gain - g, 0.0)) if gain < 2 * g else inf,
        "hopf_detuning": 2 * sqrt(g * _hopf(g, g1, gain)) if _hopf(g, g1, gain) < gain - g else nan,
    }


def boundary_margins(ensemble: Ensemble) -> dict[str, float] | None:
    """Functions that change sign on the boundaries of a symmetric pair: (5.2), the largest real part of (5.3), and (5.4).

    (5.4) is NaN where the state does not exist. Empty if the pair has neither gain nor damping; None if it is not symmetric.
    """
    if _symmetry_error(ensemble):
        return None
    a, b = ensemble.groups
    if not _relaxes(a):
        return {}
    g, g1, detuning = a.gamma_perp, a.gamma_1, a.mean_frequency - b.mean_frequency
    d, gain = detuning**2 / (4 * g), -float(ensemble.coupling_matrix[0, 0].imag) * a.z0
    root = np.sqrt(complex((gain / 2) ** 2 - detuning**2 / 4)).real
    hopf = min((g - d) * (g - d + g1) + 2 * (gain - g - d) * (g1 - d), g * (g + g1 - d))
    return {"existence": gain - g - d, "incoherent": gain / 2 - g + root, "hopf": hopf if d < gain - g else nan}


def _hopf(g: float, g1: float, gain: float) -> float:
    """The smallest d at which (5.4) or its side condition is an equality; valid if the state exists there."""
    linear = 2 * g + 3 * g1 + 2 * (gain - g)
    constant = g**2 + g1 * g + 2 * (gain - g) * g1
    square = linear**2 - 12 * constant
    return min((linear - sqrt(square)) / 6, g + g1) if square >= 0 else g + g1
