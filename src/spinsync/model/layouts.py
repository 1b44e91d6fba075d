"""From the parameters of a constructor to arrays over groups and a coupling, and dotted changes of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.couplings import Coupling, Dense, Edits
from spinsync.model.distributions import DISTRIBUTIONS
from spinsync.model.groups import Group
from spinsync.model.parameters import CONSTRUCTORS, FIELDS, PARAMETERS

Columns = dict[str, Array]


def center(value: Any) -> Any:
    """The centre of a distribution; any other value unchanged."""
    return value.center if isinstance(value, DISTRIBUTIONS) else value


def parameter_columns(constructor: str, parameters: Mapping[str, Any], groups: int) -> tuple[Columns, Coupling, Edits]:
    """Arrays of shape (..., group) from a constructor's parameters, a zero coupling, and the edits that set its entries."""
    own, edits = LAYOUTS[constructor](parameters)
    columns = {name: _per_group(center(own.get(name, PARAMETERS[name].default)), groups) for name in FIELDS}
    return columns, Dense(np.zeros((groups, groups), complex)), edits


def group_columns(groups: Sequence[Group]) -> Columns:
    """Parameters of the groups as arrays of shape (group,)."""
    return {name: np.array([center(getattr(group, name)) for group in groups], float) for name in FIELDS}


def apply_changes(columns: Columns, edits: Edits, changes: Mapping[str, Any], index_of: Mapping[str, int]) -> None:
    """Apply dotted changes, numbers or arrays of one batch shape, in place; `index_of`: the index of each group by name."""
    for name, value in changes.items():
        *where, last = name.split(".")
        index = tuple(index_of[group] for group in where)
        if len(index) == 2:
            edits.setdefault((index[0], index[1]), {})[last] = value
            continue
        old = columns[last]
        new = np.array(np.broadcast_to(old, (*np.broadcast_shapes(old.shape[:-1], np.shape(value)), old.shape[-1])))
        new[..., index[0]] = value
        columns[last] = new


def _per_group(value: Any, groups: int) -> Array:
    """An array of shape (..., group) from a number or an array of shape (...), or from a tuple of one per group."""
    if isinstance(value, tuple):
        return np.stack(np.broadcast_arrays(*map(np.asarray, value)), axis=-1).astype(float)
    one = np.asarray(value, float)[..., None]
    return np.broadcast_to(one, (*one.shape[:-1], groups))


def _single(p: Mapping[str, Any]) -> tuple[Mapping[str, Any], Edits]:
    return p, {(0, 0): {"coupling": p["coupling"], "theta": p["theta"]}}


def _pair(p: Mapping[str, Any]) -> tuple[Mapping[str, Any], Edits]:
    """Groups A, B at +detuning/2, -detuning/2; cross coupling and phase are equal to the inner ones if not given."""
    half = np.asarray(p["detuning"]) / 2
    cross = p["coupling"] if p["cross_coupling"] is None else p["cross_coupling"]
    cross_theta = p["theta"] if p["cross_theta"] is None else p["cross_theta"]
    ab, ba = cross_theta if isinstance(cross_theta, tuple) else (cross_theta, cross_theta)
    edits = {(a, a): {"coupling": p["coupling"], "theta": p["theta"]} for a in (0, 1)}
    edits |= {(0, 1): {"coupling": cross, "theta": ab}, (1, 0): {"coupling": cross, "theta": ba}}
    return {**p, "frequency": (half, -half), "weight": p["weights"]}, edits


def _cavity(p: Mapping[str, Any]) -> tuple[Mapping[str, Any], Edits]:
    """C = -i N g^2 / (kappa_c/2 + i Delta_c), theory page equation (7.1), with errors of order 1/kappa_c."""
    spins, g, decay, detuning = (np.asarray(p[n], float) for n in CONSTRUCTORS["cavity"][:4])
    with np.errstate(all="ignore"):  # Ensemble raises an error for numbers that are not finite
        c = np.divide(-1j * spins * g**2, decay / 2 + 1j * detuning)
    entry = {"coupling": abs(c), "theta": np.angle(c)}
    if p["detuning"] is None:
        return _single({**p, **entry})
    half, middle = np.asarray(p["detuning"]) / 2, np.asarray(center(p["frequency"]))
    edits = {(a, b): dict(entry) for a in (0, 1) for b in (0, 1)}
    return {**p, "frequency": (middle + half, middle - half), "weight": p["weights"]}, edits


Layout = Callable[[Mapping[str, Any]], tuple[Mapping[str, Any], Edits]]
LAYOUTS: Mapping[str, Layout] = {"single": _single, "pair": _pair, "cavity": _cavity}
