"""Recipes: how an ensemble was made, and what can therefore be varied.

A recipe holds the constructor's own parameters and the dotted changes made since ("A.gain",
"A.B.coupling"). The axes of a diagram, TOML files and the command line vary these names. A recipe
turns arrays of parameters into rates by broadcasting, so a diagram never makes a million ensembles.
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
from spinsync.model.layouts import Columns, center, change, of_groups, of_parameters
from spinsync.model.parameters import CONSTRUCTORS, FIELDS, LINKS, PARAMETERS, parameter, unknown
from spinsync.model.rates import Rates, normalized, rates_of


@dataclass(frozen=True)
class Recipe:
    """A constructor, its parameters, and the dotted changes since.

    base : the groups and the coupling of the constructor "groups"; None for the others
    """

    constructor: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    base: tuple[tuple[Group, ...], Coupling] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "changes", MappingProxyType(dict(self.changes)))

    def __reduce__(self) -> Any:  # read-only mappings don't travel between processes by themselves
        return Recipe, (self.constructor, dict(self.parameters), dict(self.changes), self.base)

    @cached_property
    def group_names(self) -> tuple[str, ...]:
        if self.base is not None:
            return tuple(str(group.name) for group in self.base[0])
        return ("A", "B") if self.constructor == "pair" else ("A",)

    @cached_property
    def places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.group_names)}

    def names(self) -> Iterator[str]:
        """Every parameter that `replace` takes, one at a time: N groups have 2 N^2 couplings."""
        yield from CONSTRUCTORS[self.constructor]
        yield from (f"{group}.{name}" for group in self.group_names for name in FIELDS)
        yield from (Dense if self.base is None else self.base[1]).names(self.group_names)

    def knows(self, name: object) -> bool:
        """Whether `replace` takes a parameter of this name."""
        *where, last = name.split(".") if isinstance(name, str) else [""]
        ends = (CONSTRUCTORS[self.constructor], FIELDS, LINKS)
        return len(where) < len(ends) and last in ends[len(where)] and all(group in self.places for group in where)

    def known(self, argument: str, name: Any) -> str:
        """The name of a parameter that `replace` takes; the sentence lists all names, or says how they are made."""
        if self.knows(name):
            return str(name)
        names = list(islice(self.names(), checks.MANY + 1))
        if len(names) > checks.MANY:
            raise unknown(argument, name, self.group_names)
        return checks.one_of(argument, name, names)

    def replaced(self, values: Mapping[str, Any]) -> Recipe:
        """The recipe with some parameters replaced, each checked."""
        for name in values:
            self.known("parameter", name)
        checked = {name: parameter(name).checked(name, value, self.constructor == "pair") for name, value in values.items()}
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
        """The dotted names that one of the constructor's parameters sets; a dotted one is set by itself."""
        if "." in name:
            return [name]
        groups, one = self.group_names, PARAMETERS[name]
        if one.part == "group":
            where = list(groups)
        else:
            where = [f"{a}.{b}" for a in groups for b in groups if (a == b) == (one.part == "inner")]
        return [f"{place}.{last}" for place in where for last in one.entries]

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

    def laid_out(self, values: Mapping[str, Array] | None = None) -> tuple[Columns, Coupling, Edits]:
        """Parameters by group, the coupling, and the strengths and phases that were given; `values` replace recorded ones."""
        values = values or {}
        changes = {name: center(v) for name, v in {**self._uncovered(values), **values}.items() if "." in name}
        if self.base is not None:
            columns, coupling, edits = of_groups(self.base[0]), self.base[1], Edits()
        else:
            columns, coupling, edits = of_parameters(self.constructor, {**self.parameters, **values}, len(self.group_names))
        change(columns, edits, changes, self.places)
        return columns, coupling, edits

    def phase(self, a: int, b: int) -> float:
        """theta_ab as it was given: that of a vanishing strength is remembered here only."""
        _, coupling, given = self.laid_out()
        return float(given.get((a, b), {}).get("theta", np.angle(coupling.matrix[a, b])))

    def rates(self, **values: Array) -> Rates:
        """Rates with arrays of parameters in place of the recorded ones, broadcast against each other."""
        columns, coupling, given = self.laid_out(values)
        return rates_of(columns, normalized(columns["weight"]), coupling.edited(given).matrix)
