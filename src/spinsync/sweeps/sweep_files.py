"""Sweep files: a sweep as TOML, for `spinsync sweep`, and their JSON schema for editors."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from spinsync.base import checks, files
from spinsync.model.ensembles import Ensemble, from_toml_text, warn_outside_limit
from spinsync.model.model_files import distribution
from spinsync.model.parameters import CONSTRUCTORS, TABLE
from spinsync.theory.every import THEORIES

#: questions about a model that a sweep file may ask
QUESTIONS = (
    "regime", "steady_state", "limit_cycle", "symmetric_pair", "locking_range", "critical_coupling", "critical_gain",
    "critical_spins", "evolve", "linewidth", "emission_spectrum", "photon_statistics", "entropy",
)  # fmt: skip
SINGLE = {"realizations": 1, "seed": 0, "chunk": None, "variables": None}  # keys with their defaults
KEYS = ("question", "model", *SINGLE, "axes", "theory", "options")
RESERVED = (*KEYS, "function", "store", "executor", "retry_failed", "explain")  # not options of a question
RANGE = ("start", "stop", "count", "spacing")
SPACINGS = ("linear", "logarithmic")


def read_sweep(path: Path) -> dict[str, Any]:
    """The arguments of `sweep` from a file. Raises InputError, which names the key."""
    try:
        data = tomllib.loads(files.read_text(path, "SWEEP.toml"))
    except checks.InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise checks.InputError(f"Argument `SWEEP.toml` must be TOML, but {str(path)!r} is not: {error}.") from None
    for key in data:
        checks.one_of("sweep key", key, KEYS)
    for key in ("question", "model", "axes"):
        if key not in data:
            raise checks.InputError(f"Argument `{key}` must be given in a sweep file, but is missing.")
    question = checks.one_of("question", data["question"], QUESTIONS)
    options = {name: _option(name, value) for name, value in _table("options", data.get("options", {})).items()}
    if misplaced := sorted({*RESERVED} & options.keys()):
        raise checks.InputError(f"Argument `options` must not hold {misplaced[0]}, but does: it has a place of its own.")
    if "theory" in data:
        options["theory"] = _theory(data["theory"])
    own = {key: data[key] for key in SINGLE if key in data}
    return {
        "function": getattr(import_module("spinsync"), question),
        "axes": {name: _axis(name, values) for name, values in _table("axes", data["axes"]).items()},
        "model": _model(data["model"], path),
        **own,
        **options,
    }


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise checks.argument_error(name, f"a table, [{name}]", value)
    return value


def _model(value: Any, path: Path) -> Ensemble:
    """The model: the path of a model file, relative to the sweep file, or its content as a table."""
    if isinstance(value, str):
        return Ensemble.from_toml(path.parent / value)
    model = from_toml_text(tomli_w.dumps(_table("model", value)), f"[model] of {path.name}")
    warn_outside_limit(model)
    return model


def _theory(value: Any) -> Any:
    given = dict(_table("theory", value))
    kind = THEORIES[checks.one_of("theory.name", given.pop("name", None), THEORIES)]
    for name in given:
        checks.one_of("theory key", name, inspect.signature(kind).parameters)
    try:
        return kind(**given)
    except TypeError:  # an option without default is missing
        needed = [n for n, p in inspect.signature(kind).parameters.items() if p.default is p.empty and n not in given]
        raise checks.InputError(f"Argument `theory` must have {' and '.join(needed)}, but it is missing.") from None


def _axis(name: str, value: Any) -> Any:
    """The values of an axis: a list of numbers or distributions, or a range."""
    if isinstance(value, list):
        return [distribution(name, one) for one in value]
    values = _range(f"axes.{name}", value)
    return np.unique(np.rint(values)) if name == "spins" else values  # whole numbers


def _option(name: str, value: Any) -> Any:
    return _range(name, value) if isinstance(value, dict) else value


def _range(name: str, value: Any) -> np.ndarray:
    """Numbers from a table such as {start = 0.0, stop = 1.0, count = 11, spacing = "linear"}."""
    if not isinstance(value, dict):
        raise checks.argument_error(name, "a list, or a range such as {start = 0.0, stop = 1.0, count = 11}", value)
    for key in value:
        checks.one_of(f"{name} key", key, RANGE)
    for key in RANGE[:3]:
        if key not in value:
            raise checks.InputError(f"Argument `{name}` must have start, stop and count, but {key} is missing.")
    spacing = checks.one_of(f"{name}.spacing", value.get("spacing", SPACINGS[0]), SPACINGS)
    check = checks.real if spacing == SPACINGS[0] else checks.positive
    start, stop = (check(f"{name}.{key}", value[key]) for key in ("start", "stop"))
    count = checks.whole(f"{name}.count", value["count"], 1, 10**9)
    return np.linspace(start, stop, count) if spacing == SPACINGS[0] else np.geomspace(start, stop, count)


def schema() -> dict[str, Any]:
    """The JSON schema of sweep files, from the tables that also check them."""
    number, text = {"type": "number"}, {"type": "string"}
    span = {
        "type": "object", "additionalProperties": False, "required": list(RANGE[:3]),
        "properties": {
            "start": number, "stop": number, "count": {"type": "integer", "minimum": 1}, "spacing": {"enum": list(SPACINGS)},
        },
    }  # fmt: skip
    described = {one.name: {"description": f"{one.meaning} ({one.unit})"} for one in TABLE}
    constructors = {
        name: {"type": "object", "properties": {p: described[p] for p in own}, "additionalProperties": False}
        for name, own in CONSTRUCTORS.items() if name != "groups"
    }  # fmt: skip
    model = {
        "type": "object", "additionalProperties": False,
        "properties": {
            **constructors, "groups": {"type": "array"}, "coupling_matrix": {"type": "object"}, "changes": {"type": "object"},
            "lamb_shift": {"type": "boolean"},
        },
    }  # fmt: skip
    theories = [_theory_schema(name, kind) for name, kind in THEORIES.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A sweep of spinsync", "type": "object",
        "additionalProperties": False, "required": ["question", "model", "axes"],
        "properties": {
            "question": {"enum": list(QUESTIONS), "description": "what is computed at each point"},
            "model": {"oneOf": [{**text, "description": "path of a model file"}, model]},
            "axes": {
                "type": "object", "minProperties": 1, "description": "parameters of the model and their values",
                "additionalProperties": {"oneOf": [{"type": "array", "minItems": 1}, span]},
            },
            "theory": {"oneOf": theories},
            "options": {"type": "object", "description": "further arguments of the question"},
            "realizations": {"type": "integer", "minimum": 1, "default": 1},
            "seed": {"type": "integer", "minimum": 0, "default": 0},
            "chunk": {"type": "integer", "minimum": 1, "description": "largest number of points of a chunk"},
            "variables": {"type": "array", "items": text, "minItems": 1, "description": "the variables to keep"},
        },
    }  # fmt: skip


def _theory_schema(name: str, kind: type[Any]) -> Mapping[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty]
    return {
        "type": "object", "additionalProperties": False, "required": ["name", *needed],
        "properties": {"name": {"const": name}, **{one.name: {"type": "number"} for one in parameters}},
    }  # fmt: skip
