"""squeezing: spin squeezing of the whole ensemble, from the one- and two-spin means of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.ensembles import Ensemble
from spinsync.results.datasets import all_pairs, recorded_model, recorded_theory, source_record, variable
from spinsync.results.datasets import dataset as new_dataset
from spinsync.results.registry import question

WITHOUT_COHERENCE = 1e-9  # largest |<sigma^->| of a U(1)-symmetric state
NO_SPIN = 1e-9  # length of the mean spin, in units of N/2, that counts as zero
PAIRS = ("correlation", "inversion_correlation")
BROKEN = ("anomalous_covariance", "coherence_inversion_covariance")


@question
def squeezing(result: xr.Dataset) -> xr.Dataset:
    """Spin squeezing of the collective spin J of all spins: Wineland's parameter (9.21) and the Dicke squeezing (9.22).

    wineland is N min Var(J_perp)/|<J>|^2, with the least variance in a direction perpendicular to the mean spin <J>. A coherent
    spin state has 1; below 1 the spins are entangled, and a rotation is measured more precisely than by independent spins.

    dicke is N (Var(J_z) + 1/4)/<J_x^2 + J_y^2>. A coherent spin state on the equator has 1, the Dicke state of N/2 excited
    spins 1/(N + 2); below 1/2 spins are entangled. It needs no mean spin.

    Parameters
    ----------
    result : xarray.Dataset
        A result of `evolve`, `steady_state` or a diagram of steady states at a finite number of spins, with all its groups.

    Returns
    -------
    xarray.Dataset
        (...): wineland (NaN where <J> is 0) and dicke (NaN where J_x and J_y are 0). If a theory gives no coherence, they are
        those of the state averaged over its phase.

    Raises
    ------
    InputError
        If the result holds no pair correlations, or not those that its coherence needs, or its groups are not complete.

    Notes
    -----
    Exact, BruteForce and Cumulants give what a coherence needs where `initial` has one; `evolve` from the default start does
    not. Of TruncatedWigner the numbers have no error of their own: with some thousand samples they scatter by some percent of
    a coherent state, and squeezing by exchange is too weak by about 2/N in wineland.

    Examples
    --------
    Exchange twists a coherent spin state of 100 spins along an axis, and squeezes it:

    >>> import numpy as np, spinsync as ss
    >>> twisted = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=1.0, theta=0.0)
    >>> run = ss.evolve(twisted, [0.0, 2.0, 5.0], theory=ss.Exact(100), initial=[[1.0, 0.0, 0.0]])
    >>> ss.squeezing(run).wineland.values.round(3)
    array([1.   , 0.18 , 0.063])
    """
    ensemble = recorded_model(result, "result")
    _checked(result, ensemble)
    moments, dims = _moments(result, ensemble), result["inversion"].dims[:-1]
    variables = {"wineland": (dims, moments.wineland()), "dicke": (dims, moments.dicke())}
    coordinates: dict[str, Any] = {str(name): c for name, c in result.coords.items() if set(c.dims) <= set(dims)}
    return new_dataset(variables, coordinates, "squeezing", ensemble, source=source_record(result))


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Means of the collective spin, and symmetrized covariances <{A, B}>/2 - <A><B>, arrays of shape (...), equation (9.20).

    spins : N; lowering, z : <J_->, <J_z>; the others: covariances of J_+ and J_-, J_- and J_-, J_- and J_z, J_z and J_z
    """

    spins: Array
    lowering: Array
    z: Array
    raising_lowering: Array
    lowering_lowering: Array
    lowering_z: Array
    z_z: Array

    def wineland(self) -> Array:
        """Equation (9.21): the least eigenvalue of the covariance matrix in the plane perpendicular to <J>."""
        transverse, azimuth = abs(self.lowering), -np.angle(self.lowering)
        length, polar = np.hypot(transverse, self.z), np.arctan2(transverse, self.z)
        # axes turned about z, so that <J> lies in the plane of x and z; then about y, so that z is along <J>
        both, with_z = self.lowering_lowering * np.exp(2j * azimuth), self.lowering_z * np.exp(1j * azimuth)
        x_x, y_y, x_y = (self.raising_lowering + both.real) / 2, (self.raising_lowering - both.real) / 2, -both.imag / 2
        sine, cosine = np.sin(polar), np.cos(polar)
        first = cosine**2 * x_x - 2 * sine * cosine * with_z.real + sine**2 * self.z_z
        mixed = cosine * x_y + sine * with_z.imag
        least = (first + y_y) / 2 - np.hypot((first - y_y) / 2, mixed)
        return _ratio(self.spins * least, length**2, (NO_SPIN * self.spins / 2) ** 2)

    def dicke(self) -> Array:
        """Equation (9.22)."""
        transverse = self.raising_lowering + abs(self.lowering) ** 2  # <J_x^2 + J_y^2>
        return _ratio(self.spins * (self.z_z + 0.25), transverse, NO_SPIN * self.spins)


def _ratio(above: Array, below: Array, least: Array) -> Array:
    """above/below; NaN where `below` is not larger than `least`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below > least, above / below, np.nan))


def _checked(result: xr.Dataset, ensemble: Ensemble) -> None:
    """Raise InputError unless the result has all means that the squeezing needs."""
    for name in ("inversion", "correlation", "inversion_correlation"):
        if name not in result:
            raise checks.InputError(
                f"Argument `result` must hold inversion and pair correlations, as results at finite N do, but has no {name}."
            )
    z, *pairs = variable(result, "inversion", "result"), *(all_pairs(result, n, "result") for n in PAIRS)
    if z.group.values.tolist() != list(ensemble.names) or any(c.dims[:-2] != z.dims[:-1] for c in pairs):
        raise checks.InputError("Argument `result` must hold all groups of its ensemble, but is cut or transposed.")
    known = getattr(recorded_theory(result.attrs.get("theory")), "spins", None) is not None
    if not known or ("spins" in z.dims and "spins" not in result.coords):
        raise checks.InputError("Argument `result` must record its number of spins, but does not.")
    if weights := [str(dim) for dim in z.dims if "weight" in str(dim)]:
        raise checks.InputError(f"Argument `result` must be of spins in fixed groups, but varies {weights[0]}.")
    if _coherent(result) and not set(BROKEN) <= set(result.data_vars):
        raise checks.InputError(
            f"Argument `result` must hold {' and '.join(BROKEN)}, as its state has a coherence, but does not: "
            "`evolve` with Exact or BruteForce adds them where `initial` is given with a coherence."
        )


def _coherent(result: xr.Dataset) -> bool:
    return "coherence" in result and bool((abs(variable(result, "coherence", "result")) > WITHOUT_COHERENCE).any())


def _moments(result: xr.Dataset, ensemble: Ensemble) -> Moments:
    """Equation (9.20), by sums over groups and pairs of groups."""

    def numbers(name: str) -> Any:
        return all_pairs(result, name, "result").variable if name in result else None

    z, zero = result["inversion"].variable, 0 * result["correlation"].variable
    by_dim = "spins" in z.dims and result.attrs.get("verb") != "phase_diagram"  # there, the spins of a cavity can be an axis
    total = result["spins"].variable if by_dim else xr.Variable((), recorded_theory(result.attrs.get("theory")).spins)  # type: ignore[attr-defined]
    n = total * xr.Variable("group", ensemble.rates.weight)
    pairs = n * _other(n) - n * xr.Variable(("group", "other_group"), np.eye(n.sizes["group"]))
    coherent = _coherent(result)
    s = result["coherence"].variable if coherent else 0 * z
    mm, mz = (numbers(name) if coherent else zero for name in BROKEN)
    pm, zz = numbers("coherence_covariance"), numbers("inversion_covariance")  # lose no digits, where a theory gives them
    pm = result["correlation"].variable - s.conj() * _other(s) if pm is None else pm
    zz = result["inversion_correlation"].variable - z * _other(z) if zz is None else zz
    shape = dict(zip(z.dims[:-1], z.shape[:-1], strict=True))

    def summed(single: Any, pair: Any = None) -> Array:
        found = (n * single).sum("group", skipna=False)
        if pair is not None:  # NaN where there is no pair
            found = found + (pairs * pair).where(pairs > 0, 0.0).sum(("group", "other_group"), skipna=False)
        return np.asarray(found.set_dims(shape).transpose(*shape).values)

    return Moments(
        spins=summed(1 + 0 * z), lowering=summed(s), z=summed(z) / 2,
        raising_lowering=summed(0.5 - abs(s) ** 2, pm.real), lowering_lowering=summed(-s * s, mm),
        lowering_z=summed(-s * z, mz) / 2, z_z=summed(1 - z * z, zz) / 4,
    )  # fmt: skip


def _other(single: Any) -> Any:
    """The same numbers along other_group."""
    return xr.Variable(["other_group" if dim == "group" else dim for dim in single.dims], single.values)
