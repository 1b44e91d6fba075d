"""The table of all parameters of a model.

Checks and defaults of constructors, keys of model files, axes of diagrams, labels of figures and descriptions in results come
from this table. Python needs names and defaults in the signatures as well; a test compares those with the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.distributions import DISTRIBUTIONS, frequency_or_distribution

RATE = "angular frequency"  # the one unit of rates, frequencies and 1/time
REQUIRED = object()  # the default of a parameter that must be given


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """Properties of a parameter.

    check : function of a name (for error messages) and a value; returns the value to store, or raises InputError
    meaning, unit : description and unit in results
    label, symbol : name in figures; the symbol is TeX
    default : value if the parameter is not given; a parameter with the default None may be None
    scope : which entries it sets: of each group, of C within each group ("inner"), or of C between groups ("cross")
    sets : names of the entries that it sets; empty for the entry of its own name
    per_group : whether a pair takes two values, one per group or direction
    """

    name: str
    check: Callable[[str, Any], Any]
    meaning: str
    label: str
    symbol: str
    unit: str = RATE
    default: Any = REQUIRED
    scope: Literal["group", "inner", "cross"] = "group"
    sets: tuple[str, ...] = ()
    per_group: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Last parts of the dotted names that it sets."""
        return self.sets or (self.name,)

    def checked(self, name: str, value: Any, pair: bool = False) -> Any:
        """The value to store, for a pair possibly two of them; `name` stands in error messages."""
        if isinstance(value, np.ndarray) and value.ndim == 0 and not np.ma.is_masked(value):
            value = value.item()
        if value is None and self.default is None:
            return None
        always = isinstance(self.default, tuple)
        if not (pair and self.per_group and name == self.name and (always or isinstance(value, (tuple, list, np.ndarray)))):
            return self.check(name, value)
        must = "two numbers" if always else "a number or one number per group (2)"
        entries = value if isinstance(value, (tuple, list)) else checks.numbers(name, value, float, must).tolist()
        if not isinstance(entries, (tuple, list)) or len(entries) != 2:
            raise checks.argument_error(name, must, value)
        return tuple(self.check(name, entry) for entry in entries)


TABLE = (
    Parameter(name="gain", check=checks.non_negative, meaning="gain rate", label="gain", symbol=r"\kappa", per_group=True),
    Parameter(name="damping", check=checks.non_negative, meaning="damping rate", label="damping", symbol=r"\gamma",
              per_group=True),
    Parameter(name="dephasing", check=checks.non_negative, meaning="pure dephasing rate", label="dephasing",
              symbol=r"\gamma_\phi", default=0.0, per_group=True),
    Parameter(name="frequency", check=frequency_or_distribution, meaning="natural frequency", label="frequency",
              symbol=r"\omega", default=0.0),
    Parameter(name="weight", check=checks.positive, meaning="relative number of spins", label="relative weight", symbol="p",
              unit="1", default=1.0),
    Parameter(name="weights", check=checks.positive, meaning="relative numbers of spins", label="relative weights",
              symbol="p", unit="1", default=(1.0, 1.0), sets=("weight",), per_group=True),
    Parameter(name="detuning", check=checks.real, meaning="detuning of the groups", label="detuning", symbol=r"\Delta",
              sets=("frequency",)),
    Parameter(name="coupling", check=checks.non_negative, meaning="coupling strength V", label="coupling", symbol="V",
              scope="inner"),
    Parameter(name="theta", check=checks.real, meaning="interaction phase", label="interaction phase", symbol=r"\theta",
              unit="rad", scope="inner"),
    Parameter(name="cross_coupling", check=checks.non_negative, meaning="coupling strength between the groups",
              label="cross coupling", symbol=r"V_\times", default=None, scope="cross", sets=("coupling",)),
    Parameter(name="cross_theta", check=checks.real, meaning="interaction phase between the groups", label="cross phase",
              symbol=r"\theta_\times", unit="rad", default=None, scope="cross", sets=("theta",), per_group=True),
    Parameter(name="spins", check=partial(checks.whole, least=1), meaning="number of spins", label="number of spins",
              symbol="N", unit="1", scope="inner", sets=("coupling", "theta")),
    Parameter(name="vacuum_coupling", check=checks.non_negative, meaning="coupling of one spin to the cavity",
              label="vacuum coupling", symbol="g", scope="inner", sets=("coupling", "theta")),
    Parameter(name="cavity_decay", check=checks.positive, meaning="cavity decay rate", label="cavity decay",
              symbol=r"\kappa_c", scope="inner", sets=("coupling", "theta")),
    Parameter(name="cavity_detuning", check=checks.real, meaning="cavity frequency minus spin frequency",
              label="cavity detuning", symbol=r"\Delta_c", default=0.0, scope="inner", sets=("coupling", "theta")),
)  # fmt: skip
PARAMETERS: Mapping[str, Parameter] = {one.name: one for one in TABLE}
#: parameters of each constructor of an ensemble
CONSTRUCTORS: Mapping[str, tuple[str, ...]] = {
    "single": ("gain", "damping", "coupling", "theta", "frequency", "dephasing"),
    "pair": ("detuning", "gain", "damping", "coupling", "theta", "cross_coupling", "cross_theta", "dephasing", "weights"),
    "cavity": (
        "spins",
        "vacuum_coupling",
        "cavity_decay",
        "cavity_detuning",
        "gain",
        "damping",
        "dephasing",
        "frequency",
        "detuning",
        "weights",
    ),
    "groups": (),
}
CLOUDS = ("detuning", "weights")  # parameters of a cavity with two clouds only
#: parameters of one group, and of the coupling of two groups: the last parts of dotted names
FIELDS = tuple(p.name for p in TABLE if p.scope == "group" and not p.sets)
LINKS = tuple(p.name for p in TABLE if p.scope == "inner" and not p.sets)
RELAXATION = tuple(name for name in FIELDS if PARAMETERS[name].check is checks.non_negative)


def parameter(name: str) -> Parameter:
    """The parameter of a name, plain or dotted."""
    return PARAMETERS[name.rsplit(".", 1)[-1]]


def default(constructor: str, name: str) -> Any:
    """The default of a parameter of a constructor, or REQUIRED; without a detuning a cavity holds one group."""
    return None if constructor == "cavity" and name in CLOUDS else PARAMETERS[name].default


def required(constructor: str) -> tuple[str, ...]:
    """The names of the parameters of a constructor without a default."""
    return tuple(name for name in CONSTRUCTORS[constructor] if default(constructor, name) is REQUIRED)


def checked_axis(name: str, values: Any) -> Array:
    """Values of a diagram's axis: finite numbers that the parameter may take, or frequency distributions."""
    described = parameter(name)
    if isinstance(values, (list, tuple)) and any(isinstance(one, DISTRIBUTIONS) for one in values):
        listed = np.empty(len(values), object)
        listed[:] = [described.checked(name, one) for one in values]
        return listed
    if isinstance(described.default, tuple):
        each = described.sets[0]
        raise checks.InputError(f"Argument `axes` must vary one number at a time: `A.{each}` rather than `{name}`.")
    result = checks.array(name, values, float, (None,), "a list of numbers")
    if result.size == 0:
        raise checks.InputError(f"Argument `{name}` must hold at least one value, but is empty.")
    for one in result.tolist():
        described.checked(name, one)
    return result


def unknown_name(argument: str, name: Any, groups: Sequence[str]) -> checks.InputError:
    """The error for an unknown name with many groups: it gives the patterns of names and suggests the nearest name."""
    first, second = groups[:2]
    patterns = [*(f"{first}.{field}" for field in FIELDS), *(f"{first}.{second}.{link}" for link in LINKS)]
    hint = _nearest(name, groups) if isinstance(name, str) else None
    return checks.InputError(
        f"Argument `{argument}` must be one of {checks.one_line(', '.join(patterns), 400)}, with any of the "
        f"{len(groups)} groups, but is {argument}={checks.short_repr(name)}{f' (did you mean {hint!r}?)' if hint else ''}."
    )


def _nearest(name: str, groups: Sequence[str]) -> str | None:
    """The nearest dotted name, found part by part, as the list of all names would be too long; None if there is none."""
    *where, last = name.split(".")
    fields, links = (get_close_matches(last, ends, n=1) for ends in (FIELDS, LINKS))
    length, ends = (1, fields) if fields and len(where) < 2 else (2, links)
    near = [get_close_matches(group, groups, n=1) for group in where] + [[group] for group in groups[len(where) : length]]
    return ".".join(words[0] for words in [*near, ends]) if len(near) == length and all([*near, ends]) else None
