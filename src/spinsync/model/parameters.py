"""The parameters of a model: everything that is known of one stands here, once.

Checks and defaults of constructors, keys of model files, axes of diagrams, labels of pictures and descriptions in results come
from this table. Python wants names and defaults in the signatures as well; a test holds those against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.distributions import DISTRIBUTIONS, frequency_or_distribution

RATE = "angular frequency"  # the one unit of rates, frequencies and 1/time
REQUIRED = object()  # the default of a parameter that must be given


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What is known of a parameter.

    check : takes a name and a value; gives the value as it is kept, or raises one sentence
    meaning, unit : how results describe it
    label, symbol : how pictures name it; the symbol is mathematical text
    default : what stands for it where it is not given; a parameter with the default None may be None
    part, sets : which entries of a model it sets: of each group, of C within each group, or of C between groups; its own name,
        or the names `sets`
    per_group : whether a pair takes two of them, one per group or direction
    """

    name: str
    check: Callable[[str, Any], Any]
    meaning: str
    label: str
    symbol: str
    unit: str = RATE
    default: Any = REQUIRED
    part: Literal["group", "inner", "cross"] = "group"
    sets: tuple[str, ...] = ()
    per_group: bool = False

    @property
    def entries(self) -> tuple[str, ...]:
        """Last words of the dotted names that it sets."""
        return self.sets or (self.name,)

    def checked(self, name: str, value: Any, pair: bool = False) -> Any:
        """A value as it is kept, `name` being what a sentence calls it; in a pair it may be a tuple of two."""
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


def _count(name: str, value: Any) -> int:
    return checks.whole(name, value, 1)


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
              part="inner"),
    Parameter(name="theta", check=checks.real, meaning="interaction phase", label="interaction phase", symbol=r"\theta",
              unit="rad", part="inner"),
    Parameter(name="cross_coupling", check=checks.non_negative, meaning="coupling strength between the groups",
              label="cross coupling", symbol=r"V_\times", default=None, part="cross", sets=("coupling",)),
    Parameter(name="cross_theta", check=checks.real, meaning="interaction phase between the groups", label="cross phase",
              symbol=r"\theta_\times", unit="rad", default=None, part="cross", sets=("theta",), per_group=True),
    Parameter(name="spins", check=_count, meaning="number of spins", label="number of spins", symbol="N", unit="1",
              part="inner", sets=("coupling", "theta")),
    Parameter(name="vacuum_coupling", check=checks.non_negative, meaning="coupling of one spin to the cavity",
              label="vacuum coupling", symbol="g", part="inner", sets=("coupling", "theta")),
    Parameter(name="cavity_decay", check=checks.positive, meaning="cavity decay rate", label="cavity decay",
              symbol=r"\kappa_c", part="inner", sets=("coupling", "theta")),
    Parameter(name="cavity_detuning", check=checks.real, meaning="cavity frequency minus spin frequency",
              label="cavity detuning", symbol=r"\Delta_c", default=0.0, part="inner", sets=("coupling", "theta")),
)  # fmt: skip
PARAMETERS: Mapping[str, Parameter] = {one.name: one for one in TABLE}
#: what each constructor of an ensemble takes
CONSTRUCTORS: Mapping[str, tuple[str, ...]] = {
    "single": ("gain", "damping", "coupling", "theta", "frequency", "dephasing"),
    "pair": ("detuning", "gain", "damping", "coupling", "theta", "cross_coupling", "cross_theta", "dephasing", "weights"),
    "cavity": ("spins", "vacuum_coupling", "cavity_decay", "cavity_detuning", "gain", "damping", "dephasing", "frequency"),
    "groups": (),
}
#: what a group has of its own, and two groups between them: the dotted names end in these
FIELDS = tuple(p.name for p in TABLE if p.part == "group" and not p.sets)
LINKS = tuple(p.name for p in TABLE if p.part == "inner" and not p.sets)
RELAXATION = tuple(name for name in FIELDS if PARAMETERS[name].check is checks.non_negative)


def parameter(name: str) -> Parameter:
    """By its name, or the last word of a dotted one."""
    return PARAMETERS[name.rsplit(".", 1)[-1]]


def required(names: Sequence[str]) -> tuple[str, ...]:
    """Those that must be given."""
    return tuple(name for name in names if PARAMETERS[name].default is REQUIRED)


def checked_axis(name: str, values: Any) -> Array:
    """Values of a diagram's axis: finite numbers that the parameter could take, or distributions of a frequency."""
    known = parameter(name)
    if isinstance(values, (list, tuple)) and any(isinstance(one, DISTRIBUTIONS) for one in values):
        listed = np.empty(len(values), object)
        listed[:] = [known.checked(name, one) for one in values]
        return listed
    if isinstance(known.default, tuple):
        each = known.sets[0]
        raise checks.InputError(f"Argument `axes` must vary one number at a time: `A.{each}` rather than `{name}`.")
    result = checks.array(name, values, float, (None,), "a list of numbers")
    if result.size == 0:
        raise checks.InputError(f"Argument `{name}` must hold at least one value, but is empty.")
    for one in result.tolist():
        known.checked(name, one)
    return result


def unknown(argument: str, name: Any, groups: Sequence[str]) -> checks.InputError:
    """The sentence for a name that is none of many groups': it says how names are made, and finds the nearest one."""
    first, second = groups[:2]
    patterns = [*(f"{first}.{field}" for field in FIELDS), *(f"{first}.{second}.{link}" for link in LINKS)]
    hint = _nearest(name, groups) if isinstance(name, str) else None
    return checks.InputError(
        f"Argument `{argument}` must be one of {checks.one_line(', '.join(patterns), 400)}, with any of the "
        f"{len(groups)} groups, but is {argument}={checks.short_repr(name)}{f' (did you mean {hint!r}?)' if hint else ''}."
    )


def _nearest(name: str, groups: Sequence[str]) -> str | None:
    """The nearest dotted name, found word by word: all of them together are too many to look through."""
    *where, last = name.split(".")
    fields, links = (get_close_matches(last, ends, n=1) for ends in (FIELDS, LINKS))
    places, ends = (1, fields) if fields and len(where) < 2 else (2, links)
    near = [get_close_matches(group, groups, n=1) for group in where] + [[group] for group in groups[len(where) : places]]
    return ".".join(words[0] for words in [*near, ends]) if len(near) == places and all([*near, ends]) else None
