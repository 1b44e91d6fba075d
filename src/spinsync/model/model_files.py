"""Models as TOML files of the constructor's parameters: an ensemble that is saved and loaded again is equal."""

from __future__ import annotations

import tomllib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import tomli_w

from spinsync.base import checks
from spinsync.model.couplings import Dense
from spinsync.model.distributions import DISTRIBUTIONS, Distribution
from spinsync.model.groups import Group
from spinsync.model.parameters import CONSTRUCTORS, FIELDS, PARAMETERS, REQUIRED, required
from spinsync.model.recipes import Recipe
from spinsync.model.samples import Samples

KINDS: Mapping[str, type[Any]] = {kind.__name__.lower(): kind for kind in DISTRIBUTIONS}
SMOOTH = [name for name, kind in KINDS.items() if kind is not Samples]
GROUP_KEYS = ("name", *FIELDS)
GIVEN = tuple(name for name in FIELDS if PARAMETERS[name].default is REQUIRED)
LISTED = 1000  # samples up to this size are written as numbers, larger ones in base64


def plain(value: Any) -> Any:
    """A parameter as a TOML value."""
    if isinstance(value, DISTRIBUTIONS):
        kind = type(value).__name__.lower()
        if isinstance(value, Samples) and value.origin is not None:
            return {kind: {"count": value.origin.count, "seed": value.origin.seed, "of": plain(value.origin.distribution)}}
        if isinstance(value, Samples) and value.values.size > LISTED:
            return {kind: {"base64": b64encode(value.values.astype("<f8").tobytes()).decode()}}
        return {kind: {name: np.asarray(getattr(value, name)).tolist() for name in _keys(kind)}}
    return list(value) if isinstance(value, tuple) else value


def _keys(kind: str) -> tuple[str, ...]:
    """Names of the parameters of a distribution."""
    return tuple(one.name for one in fields(KINDS[kind]) if one.init)


def text(recipe: Recipe, lamb_shift: bool = False) -> str:
    """The recipe as TOML."""
    content: dict[str, Any] = {}
    if recipe.base is None:
        content[recipe.constructor] = {n: plain(v) for n, v in recipe.parameters.items() if v is not None}
    else:
        groups, coupling = recipe.base
        if lamb_shift:
            content["lamb_shift"] = True
        content["groups"] = [{key: plain(getattr(group, key)) for key in GROUP_KEYS} for group in groups]
        content["coupling_matrix"] = coupling.record()
    if recipe.changes:
        content["changes"] = {n: plain(v) for n, v in recipe.changes.items()}
    return tomli_w.dumps(content)


def _table(name: str, value: Any, allowed: tuple[str, ...], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise checks.argument_error(name, "a table of parameters", value)
    for key in value:
        checks.one_of(f"{name} key", key, allowed)
    for key in needed:
        if key not in value:
            raise checks.InputError(f"Argument `{key}` must be given in [{name}], but is missing.")
    return value


def distribution(name: str, value: Any) -> float | Distribution:
    """A frequency from a number, or from a table such as {lorentzian = {half_width = 1.0}}."""
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]  # checked by the constructor
    if len(value) != 1:
        raise checks.argument_error(name, "a number or one table such as {lorentzian = {half_width = 1.0}}", value)
    ((kind, parameters),) = value.items()
    checks.one_of(name, kind, KINDS)
    if kind == "samples" and isinstance(parameters, dict) and {"of", "base64"} & parameters.keys():
        return _samples(name, parameters)
    return KINDS[kind](**_table(kind, parameters, _keys(kind), _keys(kind)[:1]))  # type: ignore[no-any-return]


def _samples(name: str, parameters: dict[str, Any]) -> Samples:
    """A sample from its origin (count, seed, of), or from base64."""
    if "base64" in parameters:
        text_ = _table(name, parameters, ("base64",))["base64"]
        try:
            return Samples(np.frombuffer(b64decode(text_, validate=True), "<f8"))
        except (TypeError, ValueError):
            raise checks.argument_error("base64", "64-bit numbers in base64", text_) from None
    given = _table(name, parameters, ("count", "seed", "of"), ("count", "seed", "of"))
    if not isinstance(given["of"], dict) or list(given["of"]) not in [[name] for name in SMOOTH]:
        raise checks.argument_error("of", f"one of {', '.join(SMOOTH)} with its parameters", given["of"])
    smooth: Any = distribution("of", given["of"])
    return smooth.sample(given["count"], seed=given["seed"])  # type: ignore[no-any-return]


def _decoded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    out = {n: tuple(v) if isinstance(v, list) else v for n, v in parameters.items()}
    return {n: distribution(n, v) if n.rsplit(".", 1)[-1] == "frequency" else v for n, v in out.items()}


def parse(content: str, where: str) -> tuple[Recipe, bool]:
    """The recipe of a TOML text, with unchecked parameters and changes, and whether there is a Lamb shift."""
    try:
        data = tomllib.loads(content)
    except (ValueError, RecursionError) as error:  # syntax, numbers with thousands of digits, deeply nested brackets
        raise checks.InputError(f"Argument `model` must be TOML, but {where} is not: {error}.") from None
    singles = [name for name in CONSTRUCTORS if name != "groups"]
    allowed = (*singles, "groups", "coupling_matrix", "changes", "lamb_shift")
    for key in data:
        checks.one_of("model key", key, allowed)
    found = [name for name in (*singles, "groups") if name in data]
    if len(found) != 1:
        has = f"{where} has {' and '.join(f'[{name}]' for name in found) or 'none of them'}"
        raise checks.InputError(f"Argument `model` must be one of [single], [pair], [cavity], [[groups]], but {has}.")
    changes = data.get("changes", {})
    if not isinstance(changes, dict):
        raise checks.argument_error("changes", "a table of parameters", changes)
    if found[0] == "groups":
        return _parse_groups(data, _decoded(changes))
    for key in ("coupling_matrix", "lamb_shift"):
        if key in data:
            raise checks.InputError(f"Argument `{key}` must only be given with [[groups]], but is given with [{found[0]}].")
    own = CONSTRUCTORS[found[0]]
    parameters = _table(found[0], data[found[0]], own, required(found[0]))
    return Recipe(found[0], _decoded(parameters), _decoded(changes)), False


def _parse_groups(data: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[Recipe, bool]:
    listed = data["groups"]
    if not isinstance(listed, list):
        raise checks.argument_error("groups", "a list of tables, [[groups]]", listed)
    groups = tuple(Group(**_decoded(_table("groups", entry, GROUP_KEYS, GIVEN))) for entry in listed)
    if "coupling_matrix" not in data:
        raise checks.InputError("Argument `coupling_matrix` must be given with [[groups]], but is missing.")
    parts = _table("coupling_matrix", data["coupling_matrix"], ("real", "imag"), ("real", "imag"))
    size = len(groups)
    real, imag = (
        checks.array(f"coupling_matrix.{n}", parts[n], float, (size, size), f"a {size} x {size} matrix")
        for n in ("real", "imag")
    )
    matrix = np.empty((size, size), complex)
    matrix.real, matrix.imag = real, imag  # without arithmetic, which would lose signed zeros
    lamb_shift = data.get("lamb_shift", False)
    if not isinstance(lamb_shift, bool):
        raise checks.argument_error("lamb_shift", "true or false", lamb_shift)
    return Recipe("groups", changes=changes, base=(groups, Dense(matrix))), lamb_shift
