"""Two groups in closed form: the symmetric pair (theory page, section 5)."""

from __future__ import annotations

from math import cos, inf, nan, sqrt

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.results.datasets import dataset
from spinsync.results.registry import question


def two_groups(ensemble: Ensemble) -> tuple[Group, Group]:
    """The two groups of a closed form, each with one frequency, or a sentence."""
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    if len(ensemble.groups) != 2:
        raise checks.InputError(
            f"Argument `ensemble` must have two groups for this closed form, but has {len(ensemble.groups)}."
        )
    for group in ensemble.groups:
        if group.distribution is not None:
            raise checks.InputError(
                f"Argument `ensemble` must have two single frequencies for this closed form, but group {group.name!r} "
                f"has {group.distribution!r}."
            )
    return ensemble.groups[0], ensemble.groups[1]


def _symmetric_drive(ensemble: Ensemble, a: Group, b: Group) -> float:
    """-V sin(theta) of a symmetric pair."""
    for what in ("gain", "damping", "dephasing", "weight"):
        if abs(getattr(a, what) - getattr(b, what)) > 1e-12 * max(getattr(a, what), getattr(b, what)):
            raise checks.InputError(f"Argument `ensemble` must be a symmetric pair, but its groups differ in {what}.")
    c = ensemble.coupling_matrix
    if np.ptp(c.real) + np.ptp(c.imag) > 1e-12 * abs(c).max():
        raise checks.InputError("Argument `ensemble` must be a symmetric pair, but its four couplings differ.")
    if abs(c[0, 0].real) > 1e-12 * abs(c[0, 0]):
        raise checks.InputError(
            f"Argument `ensemble` must be a symmetric pair at theta = -pi/2 or pi/2, but theta is {np.angle(c[0, 0]):.6g}."
        )
    return float(-c[0, 0].imag)


@question
def symmetric_pair(ensemble: Ensemble) -> xr.Dataset:
    """Full synchronization of two equal groups with all four couplings V exp(-+i pi/2), equations (5.1) to (5.4).

    Parameters
    ----------
    ensemble : Ensemble
        Two groups of equal rates and weights, any two frequencies.

    Returns
    -------
    xarray.Dataset
        Scalars exists, stable, incoherent_stable, frequency, phase_difference (A minus B), amplitude |s| and inversion
        of each group (NaN where the full state does not exist), existence_detuning and hopf_detuning (NaN where there
        is none): the detunings at which the full state ends to exist and to be stable; incoherent_detuning, beyond which
        the incoherent state is stable (inf: at none).

    Raises
    ------
    InputError
        If the ensemble is no such pair.

    Notes
    -----
    The two-ensemble superradiant laser of arXiv:1811.01515 is the case without damping.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> full = ss.symmetric_pair(pair)
    >>> bool(full.stable), round(float(full.phase_difference), 6)
    (True, 0.927295)
    """
    a, b = two_groups(ensemble)
    drive = _symmetric_drive(ensemble, a, b)
    detuning = a.mean_frequency - b.mean_frequency
    g, g1 = a.gamma_perp, a.gamma_1
    if g == 0 or g1 == 0:
        raise checks.InputError("Argument `ensemble` must have gain or damping for this closed form, but has neither.")
    d, gain = detuning**2 / (4 * g), drive * a.z0
    exists = d < gain - g  # (5.2)
    stable = exists and (g - d) * (g - d + g1) + 2 * (gain - g - d) * (g1 - d) > 0 and d < g + g1  # (5.4)
    incoherent = np.max((-g + gain / 2 + np.array([1, -1]) * np.sqrt(complex((gain / 2) ** 2 - detuning**2 / 4))).real)  # (5.3)
    phase = 2 * np.arctan(detuning / (2 * g))  # (5.1)
    z = (g + d) / drive if exists else nan
    square = (a.gain - a.damping - g1 * z) / (4 * drive * cos(phase / 2) ** 2) if exists else nan
    amplitude = sqrt(max(square, 0.0)) if exists else nan  # rounding, where it begins to exist
    variables = {
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
    return dataset(variables, {}, "symmetric_pair", ensemble)


def margins(ensemble: Ensemble) -> dict[str, float]:
    """What vanishes on the lines of a symmetric pair: (5.2), the largest real part of (5.3), and (5.4) where it exists."""
    a, b = two_groups(ensemble)
    drive = _symmetric_drive(ensemble, a, b)
    g, g1, detuning = a.gamma_perp, a.gamma_1, a.mean_frequency - b.mean_frequency
    if g == 0 or g1 == 0:
        return {}
    d, gain = detuning**2 / (4 * g), drive * a.z0
    root = np.sqrt(complex((gain / 2) ** 2 - detuning**2 / 4)).real
    hopf = min((g - d) * (g - d + g1) + 2 * (gain - g - d) * (g1 - d), g * (g + g1 - d))
    return {"existence": gain - g - d, "incoherent": gain / 2 - g + root, "hopf": hopf if d < gain - g else nan}


def _hopf(g: float, g1: float, gain: float) -> float:
    """The smallest d where (5.4) turns into an equality or its side condition ends; it counts where the state exists."""
    linear = 2 * g + 3 * g1 + 2 * (gain - g)
    constant = g**2 + g1 * g + 2 * (gain - g) * g1
    square = linear**2 - 12 * constant
    return min((linear - sqrt(square)) / 6, g + g1) if square >= 0 else g + g1
