"""Measures of quantum synchronization of a result: entanglement of pairs, Husimi function, phase distributions (section 8)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy.special import xlogy

from spinsync.base import checks
from spinsync.base.memory import check_memory
from spinsync.results.datasets import all_pairs, bloch, model_of, source_record, variable
from spinsync.results.datasets import dataset as new_dataset
from spinsync.results.registry import question


@question
def pair_measures(dataset: xr.Dataset) -> xr.Dataset:
    """Concurrence and mutual information of two spins, equations (8.4) and (8.5).

    With unbroken U(1) symmetry the state of two spins is an X state, whose concurrence is 2 max(0, |c| - sqrt(p_ee p_gg)).

    Parameters
    ----------
    dataset : xarray.Dataset
        A result at finite N without coherence: of `steady_state`, or of `evolve` with an initial state without coherence.

    Returns
    -------
    xarray.Dataset
        (..., group, other_group): concurrence, and mutual_information in nats; both NaN within a group of one spin.

    Raises
    ------
    InputError
        If the dataset holds no pair correlations, or a coherence that is not 0.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> pair = ss.pair_measures(ss.steady_state(one, theory=ss.Exact(100)))
    >>> float(pair.concurrence[0, 0]), round(float(pair.mutual_information[0, 0]), 6)
    (0.0, 0.002145)
    """
    ensemble = model_of(dataset)
    if "inversion_correlation" not in dataset:
        raise checks.InputError("Argument `dataset` must hold pair correlations, but has none: it is not a result at finite N.")
    if "coherence" in dataset and abs(variable(dataset, "coherence")).max() > 1e-9:
        raise checks.InputError("Argument `dataset` must be without coherence for the state of a pair, but has some.")
    for name in ("correlation", "inversion"):
        if name not in dataset:
            raise checks.InputError(f"Argument `dataset` must hold {name} and pair correlations, but has no {name}.")
    c: Any = all_pairs(dataset, "correlation")
    zz, z = variable(dataset, "inversion_correlation"), variable(dataset, "inversion")
    if c.dims != zz.dims or c.dims[:-1] != z.dims:
        raise checks.InputError("Argument `dataset` must hold all pairs of its groups, but is cut or transposed.")
    other = z.rename(group="other_group")
    up, down = (1 + z + other + zz) / 4, (1 - z - other + zz) / 4
    first, second = (1 + z - other - zz) / 4, (1 - z + other - zz) / 4
    concurrence = 2 * np.maximum(0, abs(c) - np.sqrt(np.maximum(up * down, 0)))
    centre, splitting = (first + second) / 2, np.sqrt((first - second) ** 2 / 4 + abs(c) ** 2)
    joint = _entropy(up) + _entropy(down) + _entropy(centre + splitting) + _entropy(centre - splitting)
    alone = sum(_entropy((1 + sign * w) / 2) for w in (z, other) for sign in (1, -1))
    variables = {"concurrence": concurrence.where(c == c), "mutual_information": alone - joint}
    shaped = {name: (c.dims, value.transpose(*c.dims).values) for name, value in variables.items()}
    return new_dataset(shaped, dict(c.coords), "pair_measures", ensemble, source=source_record(dataset))


def _entropy(p: Any) -> Any:
    """-p ln p; probabilities that are negative by rounding errors count as 0."""
    return -xlogy(np.maximum(p, 0), np.maximum(p, 0))


@question
def husimi(dataset: xr.Dataset, polar: Any, azimuth: Any) -> xr.Dataset:
    """Husimi function of one spin, Q(n) = (1 + n . m)/(4 pi), whose integral over the sphere is 1.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result with coherence and inversion.
    polar, azimuth : arrays of shape (polar,) and (azimuth,)
        Increasing angles in radians, of the direction n on the Bloch sphere (1.1).

    Returns
    -------
    xarray.Dataset
        (..., group, polar, azimuth): husimi, per steradian; (..., spin, polar, azimuth) where the dataset holds single spins.

    Raises
    ------
    InputError
        If angles do not increase, or the dataset holds no coherence and inversion.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, [0.0], initial=[[0.0, 0.0, 1.0]])
    >>> (4 * np.pi * ss.husimi(run, [0.0, np.pi], [0.0]).husimi.values).round(12).ravel() + 0
    array([2., 0.])
    """
    angles = {name: checks.increasing(name, value) for name, value in (("polar", polar), ("azimuth", azimuth))}
    m = bloch(dataset)
    rows, fewer = m.size // 3, min(angles, key=lambda name: angles[name].size)
    more = "azimuth" if fewer == "polar" else "polar"
    check_memory(more, angles[more].size, 3 * 8.0 * max(rows, 3) * angles[fewer].size, "angles")
    t, phi = angles["polar"][:, None], angles["azimuth"][None, :]
    n = np.stack(np.broadcast_arrays(np.sin(t) * np.cos(phi), np.sin(t) * np.sin(phi), np.cos(t)))
    values = (1 + np.tensordot(m.values, n, axes=1)) / (4 * np.pi)
    coordinates: dict[str, Any] = {str(name): c for name, c in m.coords.items() if name != "axis"}
    coordinates |= {name: (name, value) for name, value in angles.items()}
    variables = {"husimi": ((*m.dims[:-1], "polar", "azimuth"), values)}
    return new_dataset(variables, coordinates, "husimi", model_of(dataset), source=source_record(dataset))


@question
def phase_distribution(dataset: xr.Dataset, azimuth: Any) -> xr.Dataset:
    """Phase distribution of one spin (8.3), and of the phase difference of two spins at finite N (8.7).

    Parameters
    ----------
    dataset : xarray.Dataset
        A result with coherence and inversion, or with pair correlations.
    azimuth : array of shape (azimuth,)
        Increasing angles in radians.

    Returns
    -------
    xarray.Dataset
        (..., group, azimuth): phase_density, if the dataset holds a coherence, or (..., spin, azimuth) for single spins;
        (..., group, other_group, azimuth): phase_difference_density, if it holds pair correlations (NaN within a group of
        one spin). Both are per radian; their integrals over 2 pi are 1.

    Raises
    ------
    InputError
        If angles do not increase, or the dataset holds neither.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> density = ss.phase_distribution(ss.steady_state(one, theory=ss.Exact(50)), [0.0, np.pi])
    >>> bool(density.phase_difference_density[0, 0, 0] > density.phase_difference_density[0, 0, 1])
    True
    """
    phi = checks.increasing("azimuth", azimuth)
    model, variables = model_of(dataset), {}
    shown = [dataset[name].size for name in ("spin_coherence", "coherence", "correlation") if name in dataset]
    check_memory("azimuth", phi.size, 2 * 16.0 * max([1, *shown]), "angles")
    single = "spin_coherence" if "spin_coherence" in dataset else "coherence"
    for source, name, height in (
        (single, "phase_density", 1 / 4), ("correlation", "phase_difference_density", np.pi / 16)
    ):  # fmt: skip
        if source in dataset:
            values = variable(dataset, source).values[..., None]
            # s = |s| exp(-i phase), whereas the phase of c = <sigma^+_1 sigma^-_2> is phi_1 - phi_2
            rotated = values * np.exp(1j * phi) if source == single else values * np.exp(-1j * phi)
            variables[name] = ((*dataset[source].dims, "azimuth"), 1 / (2 * np.pi) + height * rotated.real)
    if not variables:
        raise checks.InputError("Argument `dataset` must hold a coherence or pair correlations, but has neither.")
    kept: dict[str, Any] = {
        str(name): c for name, c in dataset.coords.items() if any(set(c.dims) <= set(d) for d, _ in variables.values())
    }
    coordinates = kept | {"azimuth": ("azimuth", phi)}
    return new_dataset(variables, coordinates, "phase_distribution", model, source=source_record(dataset))
