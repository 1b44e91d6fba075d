"""Recipes: how an ensemble was made, and what can therefore be varied.

A recipe holds the constructor's own parameters and the dotted changes made since ("A.gain",
"A.B.coupling"). The axes of a diagram, TOML files and the command line vary these names. A recipe
turns arrays of parameters into rates by broadcasting, so a diagram never makes a million ensembles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.distributions import Distribution
from spinsync.model.groups import DISTRIBUTIONS, Group, frequency_or_distribution
from spinsync.model.laboratory import bad_cavity
from spinsync.model.rates import Rates, Tables

CONSTRUCTORS: Mapping[str, tuple[str, ...]] = {
    "single": ("gain", "damping", "coupling", "theta", "frequency", "dephasing"),
    "pair": ("detuning", "gain", "damping", "coupling", "theta", "cross_coupling", "cross_theta", "dephasing", "weights"),
    "cavity": ("spins", "vacuum_coupling", "cavity_decay", "cavity_detuning", "gain", "damping", "dephasing", "frequency"),
    "groups": (),
}
NON_NEGATIVE = {"gain", "damping", "dephasing", "coupling", "cross_coupling", "vacuum_coupling"}
POSITIVE = {"weights", "weight", "spins", "cavity_decay"}
COUNTS = {"spins"}
GROUP_FIELDS = ("gain", "damping", "dephasing", "frequency", "weight")
PAIRS = {"gain", "damping", "dephasing", "weights", "cross_theta"}  # a number, or two


def check_parameter(name: str, value: Any, pair: bool = False) -> Any:
    """A parameter's own check, by its last word; a pair's may be one number per group."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and not np.ma.is_masked(value):
        value = value.item()
    if value is None and name in ("cross_coupling", "cross_theta"):
        return None
    if pair and name in PAIRS and (isinstance(value, (tuple, list, np.ndarray)) or name == "weights"):
        must = "two numbers" if name == "weights" else "a number or one number per group (2)"
        entries = value if isinstance(value, (tuple, list)) else checks.numbers(name, value, float, must).tolist()
        if not isinstance(entries, (tuple, list)) or len(entries) != 2:
            raise checks.complain(name, must, value)
        return tuple(_check_one(name, entry) for entry in entries)
    return _check_one(name, value)


def _check_one(name: str, value: Any) -> Any:
    last = name.rsplit(".", 1)[-1]
    if last == "frequency":
        return frequency_or_distribution(name, value)
    if last in COUNTS:
        return checks.whole(name, value, 1)
    if last in POSITIVE:
        return checks.positive(name, value)
    return (checks.non_negative if last in NON_NEGATIVE else checks.real)(name, value)


def check_axis(name: str, values: Any) -> Array:
    """Values of a diagram's axis: finite numbers that the parameter could take, or distributions of a frequency."""
    if isinstance(values, (list, tuple)) and any(isinstance(one, DISTRIBUTIONS) for one in values):
        listed = np.empty(len(values), object)
        listed[:] = [check_parameter(name, one) for one in values]
        return listed
    result = checks.array(name, values, float, (None,), "a list of numbers")
    if result.size == 0:
        raise checks.InputError(f"Argument `{name}` must hold at least one value, but is empty.")
    if name == "weights":
        raise checks.InputError("Argument `axes` must vary one number at a time: `A.weight` rather than `weights`.")
    for one in result:
        check_parameter(name, int(one) if name in COUNTS and one == int(one) else float(one))
    return result


@dataclass(frozen=True)
class Recipe:
    """A constructor, its parameters, and the dotted changes since.

    base : the groups and the coupling matrix of the constructor "groups"; None for the others
    """

    constructor: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    base: tuple[tuple[Group, ...], Array] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "changes", MappingProxyType(dict(self.changes)))

    def __reduce__(self) -> Any:  # read-only mappings don't travel between processes by themselves
        return Recipe, (self.constructor, dict(self.parameters), dict(self.changes), self.base)

    @property
    def group_names(self) -> tuple[str, ...]:
        if self.base is not None:
            return tuple(str(group.name) for group in self.base[0])
        return ("A", "B") if self.constructor == "pair" else ("A",)

    def names(self) -> list[str]:
        """Every parameter that `replace` takes."""
        groups = self.group_names
        dotted = [f"{a}.{f}" for a in groups for f in GROUP_FIELDS]
        dotted += [f"{a}.{b}.{f}" for a in groups for b in groups for f in ("coupling", "theta")]
        return [*CONSTRUCTORS[self.constructor], *dotted]

    def replaced(self, values: Mapping[str, Any]) -> Recipe:
        """The recipe with some parameters replaced, each checked."""
        names = self.names()
        for name in values:
            checks.known("parameter", name, names)
        checked = {name: check_parameter(name, value, self.constructor == "pair") for name, value in values.items()}
        own = {n: v for n, v in checked.items() if n in CONSTRUCTORS[self.constructor]}
        dotted = {n: v for n, v in checked.items() if n not in own}
        moved = self._moved(own["detuning"]) if "detuning" in own else {}
        return replace(self, parameters={**self.parameters, **own}, changes={**self._uncovered(own), **moved, **dotted})

    def _moved(self, detuning: float) -> dict[str, Distribution]:
        """The distributions of a pair around its frequencies at another detuning."""
        spread = zip(self.group_names, self.distributions(), (detuning / 2, -detuning / 2), strict=True)
        return {f"{name}.frequency": d.centered(center) for name, d, center in spread if d is not None}

    def _uncovered(self, names: Iterable[str]) -> dict[str, Any]:
        """The dotted changes that replacing the constructor's parameters `names` leaves in force: the later call wins."""
        covered = {entry for name in names for entry in self.entries(name)}
        return {name: value for name, value in self.changes.items() if name not in covered}

    def entries(self, name: str) -> list[str]:
        """The dotted names that one of the constructor's parameters sets."""
        groups = self.group_names
        if name.startswith("cross_"):
            return [f"{a}.{b}.{name.removeprefix('cross_')}" for a in groups for b in groups if a != b]
        if name in ("coupling", "theta"):
            return [f"{a}.{a}.{name}" for a in groups]
        if name in ("spins", "vacuum_coupling", "cavity_decay", "cavity_detuning"):
            return ["A.A.coupling", "A.A.theta"]
        return [f"{a}.{ {'detuning': 'frequency', 'weights': 'weight'}.get(name, name) }" for a in groups]

    def distributions(self, varied: Iterable[str] = ()) -> tuple[Distribution | None, ...]:
        """The distribution of each group's natural frequency; None for one frequency, or where `varied` sets numbers.

        A detuning moves the centers: it leaves the distributions as they are.
        """
        changes = self._uncovered(name for name in varied if name != "detuning")
        if self.base is not None:
            plain: list[Any] = [group.frequency for group in self.base[0]]
        else:
            one = None if "frequency" in varied else self.parameters.get("frequency")
            plain = [one] * len(self.group_names)
        for index, name in enumerate(self.group_names):
            plain[index] = None if f"{name}.frequency" in varied else changes.get(f"{name}.frequency", plain[index])
        return tuple(value if isinstance(value, DISTRIBUTIONS) else None for value in plain)

    def tables(self, values: Mapping[str, Array] | None = None) -> Tables:
        """Lay the parameters out by group; `values` (arrays of one batch shape) take the place of recorded ones."""
        values = values or {}
        parameters = {name: _center(v) for name, v in {**self.parameters, **values}.items()}
        changes = {name: _center(v) for name, v in {**self._uncovered(values), **values}.items() if "." in name}
        tables = LAYOUTS[self.constructor](parameters) if self.base is None else _lay_groups(*self.base)
        _apply(tables, changes, self.group_names)
        return tables

    def rates(self, **values: Array) -> Rates:
        """Rates with arrays of parameters in place of the recorded ones, broadcast against each other."""
        return self.tables(values).rates()


def _center(value: Any) -> Any:
    return value.center if isinstance(value, DISTRIBUTIONS) else value


def _per_group(value: Any, groups: int) -> Array:
    """A number, an array of one batch shape, or one of them per group (tuple) -> (..., group)."""
    if isinstance(value, tuple):
        return np.stack(np.broadcast_arrays(*map(np.asarray, value)), axis=-1).astype(float)
    one = np.asarray(value, float)[..., None]
    return np.broadcast_to(one, (*one.shape[:-1], groups))


def _matrix(entries: list[list[Any]]) -> Array:
    rows = [np.stack(np.broadcast_arrays(*map(np.asarray, row)), axis=-1) for row in entries]
    return np.stack(np.broadcast_arrays(*rows), axis=-2).astype(float)


def _lay_single(p: Mapping[str, Any]) -> Tables:
    one = {name: _per_group(p[name], 1) for name in ("gain", "damping", "dephasing", "frequency")}
    return Tables(**one, weight=np.ones(1), strength=_matrix([[p["coupling"]]]), angle=_matrix([[p["theta"]]]))


def _lay_pair(p: Mapping[str, Any]) -> Tables:
    """Groups A, B at +detuning/2, -detuning/2; cross coupling and phase follow the inner ones where not given."""
    half = np.asarray(p["detuning"]) / 2
    cross = p["coupling"] if p["cross_coupling"] is None else p["cross_coupling"]
    cross_theta = p["theta"] if p["cross_theta"] is None else p["cross_theta"]
    ab, ba = cross_theta if isinstance(cross_theta, tuple) else (cross_theta, cross_theta)
    return Tables(
        **{name: _per_group(p[name], 2) for name in ("gain", "damping", "dephasing")},
        frequency=np.stack([half, -half], axis=-1),
        weight=_per_group(p["weights"], 2),
        strength=_matrix([[p["coupling"], cross], [cross, p["coupling"]]]),
        angle=_matrix([[p["theta"], ab], [ba, p["theta"]]]),
    )


def _lay_cavity(p: Mapping[str, Any]) -> Tables:
    c = bad_cavity(*(np.asarray(p[n], float) for n in CONSTRUCTORS["cavity"][:4]))
    return _lay_single({**p, "coupling": abs(c), "theta": np.angle(c)})


LAYOUTS = {"single": _lay_single, "pair": _lay_pair, "cavity": _lay_cavity}


def _lay_groups(groups: tuple[Group, ...], matrix: Array) -> Tables:
    columns = {
        name: np.array([getattr(group, name) for group in groups]) for name in ("gain", "damping", "dephasing", "weight")
    }
    frequency = np.array([group.mean_frequency for group in groups])
    return Tables(**columns, frequency=frequency, strength=abs(matrix), angle=np.angle(matrix))


def _apply(tables: Tables, changes: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Overwrite single entries; a coupling's strength and angle are kept apart, so a zero strength loses no angle."""
    for name, value in changes.items():
        *where, last = name.split(".")
        index: tuple[Any, ...] = tuple(names.index(group) for group in where)
        kept = {"coupling": "strength", "theta": "angle"}.get(last, last)
        old = getattr(tables, kept)
        batch = np.broadcast_shapes(old.shape[: old.ndim - len(index)], np.shape(value))
        new = np.array(np.broadcast_to(old, batch + old.shape[old.ndim - len(index) :]))
        new[(..., *index)] = value
        setattr(tables, kept, new)
