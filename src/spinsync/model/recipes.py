"""Recipes: how an ensemble was constructed, so that it can be varied by the names of its parameters.

A recipe holds the constructor's parameters and the later changes by dotted names ("A.gain", "A.B.coupling"). Diagrams and
TOML files use the same names. A recipe also converts arrays of parameters to rates, without an ensemble for each point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.couplings import Coupling, Dense, Edits
from spinsync.model.distributions import DISTRIBUTIONS, Distribution
from spinsync.model.groups import Group
from spinsync.model.layouts import Columns, apply_changes, center, group_columns, parameter_columns
from spinsync.model.parameters import CLOUDS, CONSTRUCTORS, FIELDS, LINKS, PARAMETERS, parameter, unknown_name
from spinsync.model.rates import Rates, broadcast_rates, normalized


@dataclass(frozen=True)
class Recipe:
    """A constructor, its parameters, and the later changes by dotted names.

    base : groups and coupling if the constructor is "groups"; None for the others
    """

    constructor: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    base: tuple[tuple[Group, ...], Coupling] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "changes", MappingProxyType(dict(self.changes)))

    def __reduce__(self) -> Any:  # read-only mappings cannot be pickled
        return Recipe, (self.constructor, dict(self.parameters), dict(self.changes), self.base)

    @cached_property
    def group_names(self) -> tuple[str, ...]:
        if self.base is not None:
            return tuple(str(group.name) for group in self.base[0])
        return ("A", "B") if self.constructor == "pair" or self.clouds else ("A",)

    @property
    def clouds(self) -> bool:
        """Whether it is a cavity with two clouds."""
        return self.constructor == "cavity" and self.parameters.get("detuning") is not None

    @cached_property
    def own_names(self) -> tuple[str, ...]:
        """The parameters of the constructor that can be replaced: a cavity with one group has none of two clouds."""
        names = CONSTRUCTORS[self.constructor]
        return names if self.clouds or self.constructor != "cavity" else tuple(n for n in names if n not in CLOUDS)

    def two_values(self, name: str) -> bool:
        """Whether a parameter may have one value per group."""
        return self.constructor == "pair" or name == "weights"

    @cached_property
    def group_index(self) -> Mapping[str, int]:
        return {name: index for index, name in enumerate(self.group_names)}

    def names(self) -> Iterator[str]:
        """Iterator over the names of all parameters that `replace` takes: N groups have 2 N^2 for the coupling alone."""
        yield from self.own_names
        yield from (f"{group}.{name}" for group in self.group_names for name in FIELDS)
        yield from (Dense if self.base is None else self.base[1]).names(self.group_names)

    def accepts(self, name: object) -> bool:
        """Whether `replace` takes a parameter of this name."""
        *where, last = name.split(".") if isinstance(name, str) else [""]
        ends = (self.own_names, FIELDS, LINKS)
        return len(where) < len(ends) and last in ends[len(where)] and all(group in self.group_index for group in where)

    def checked_name(self, argument: str, name: Any) -> str:
        """The name if `replace` takes it; the error lists all names, or for many groups their patterns."""
        if self.accepts(name):
            return str(name)
        names = list(islice(self.names(), checks.MANY + 1))
        if len(names) > checks.MANY:
            raise unknown_name(argument, name, self.group_names)
        return checks.one_of(argument, name, names)

    def replaced(self, values: Mapping[str, Any]) -> Recipe:
        """The recipe with some parameters replaced, each checked."""
        for name in values:
            self.checked_name("parameter", name)
        checked = {name: parameter(name).checked(name, value, self.two_values(name)) for name, value in values.items()}
        own = {n: v for n, v in checked.items() if n in self.own_names}
        dotted = {n: v for n, v in checked.items() if n not in own}
        moved = self._moved_distributions(own["detuning"]) if "detuning" in own else {}
        return replace(self, parameters={**self.parameters, **own}, changes={**self._remaining_changes(own), **moved, **dotted})

    def _moved_distributions(self, detuning: float) -> dict[str, Distribution]:
        """The distributions of a pair, or those that one of two clouds was given later, at another detuning."""
        middle = center(self.parameters["frequency"]) if self.clouds else 0.0
        moved = zip(self.group_names, self.distributions(), (middle + detuning / 2, middle - detuning / 2), strict=True)
        found = {f"{name}.frequency": d.centered(at) for name, d, at in moved if d is not None}
        return found if not self.clouds else {name: d for name, d in found.items() if name in self.changes}

    def _remaining_changes(self, names: Iterable[str]) -> dict[str, Any]:
        """The dotted changes that stay valid if the constructor's parameters `names` are replaced: the later call wins."""
        covered = {entry for name in names for entry in self.dotted_names(name)}
        return {name: value for name, value in self.changes.items() if name not in covered}

    def dotted_names(self, name: str) -> list[str]:
        """The dotted names, such as "A.gain", that the constructor's parameter `name` sets; a dotted name is returned alone."""
        if "." in name:
            return [name]
        groups, one = self.group_names, PARAMETERS[name]
        if one.scope == "group":
            where = list(groups)
        elif self.clouds:  # one mode couples all spins
            where = [f"{a}.{b}" for a in groups for b in groups]
        else:
            where = [f"{a}.{b}" for a in groups for b in groups if (a == b) == (one.scope == "inner")]
        return [f"{prefix}.{last}" for prefix in where for last in one.fields]

    def distributions(self, varied: Iterable[str] = ()) -> tuple[Distribution | None, ...]:
        """The distribution of each group's natural frequency; None for one frequency, or where `varied` sets numbers.

        A detuning moves the centres and keeps the distributions.
        """
        changes = self._remaining_changes(name for name in varied if name != "detuning")
        if self.base is not None:
            plain: list[Any] = [group.frequency for group in self.base[0]]
        else:
            one = None if "frequency" in varied else self.parameters.get("frequency")
            plain = [one] * len(self.group_names)
            if self.clouds and isinstance(one, DISTRIBUTIONS):
                half = self.parameters["detuning"] / 2
                plain = [one.centered(one.center + half), one.centered(one.center - half)]
        for index, name in enumerate(self.group_names):
            plain[index] = None if f"{name}.frequency" in varied else changes.get(f"{name}.frequency", plain[index])
        return tuple(value if isinstance(value, DISTRIBUTIONS) else None for value in plain)

    def columns_and_coupling(self, values: Mapping[str, Array] | None = None) -> tuple[Columns, Coupling, Edits]:
        """Parameters by group, the coupling, and the edits of its entries; `values` replace recorded parameters."""
        values = values or {}
        changes = {name: center(v) for name, v in {**self._remaining_changes(values), **values}.items() if "." in name}
        if self.base is not None:
            columns, coupling, edits = group_columns(self.base[0]), self.base[1], Edits()
        else:
            columns, coupling, edits = parameter_columns(self.constructor, {**self.parameters, **values}, len(self.group_names))
        apply_changes(columns, edits, changes, self.group_index)
        return columns, coupling, edits

    def phase(self, a: int, b: int) -> float:
        """theta_ab as given; for V_ab = 0 only the recipe contains it."""
        _, coupling, edits = self.columns_and_coupling()
        return float(edits.get((a, b), {}).get("theta", np.angle(coupling.matrix[a, b])))

    def rates(self, **values: Array) -> Rates:
        """Rates with arrays of parameters instead of the recorded ones, broadcast against each other."""
        columns, coupling, edits = self.columns_and_coupling(values)
        return broadcast_rates(columns, normalized(columns["weight"]), coupling.edited(edits).matrix)
