"""What a sweep is, as JSON: the same call finds the same record, and any difference is named."""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from dis import get_instructions
from functools import partial
from types import CodeType
from typing import Any

import numpy as np
import xarray as xr

from spinsync._version import __version__
from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model import model_files
from spinsync.model.distributions import DISTRIBUTIONS
from spinsync.model.ensembles import Ensemble
from spinsync.sweeps.grids import REALIZATION, Grid
from spinsync.sweeps.work import Work

Record = dict[str, Any]
LISTED = 32  # longest array that a record lists; of a longer one it holds the hash


def record(work: Work, grid: Grid) -> Record:
    """All that decides the results of a sweep, and the shape of its chunks."""
    function = work.function
    where = f"{getattr(function, '__module__', type(function).__module__)}.{getattr(function, '__qualname__', work.name)}"
    return {
        "function": where if work.question is None else f"spinsync.{work.question}",
        "code": None if work.question else code_digest(function),
        "model": None if work.model is None else model_files.text(work.model.recipe, work.model.lamb_shift),
        "options": {name: plain(value) for name, value in sorted(work.options.items())},
        "variables": None if work.variables is None else list(work.variables),
        "seed": work.seed,
        "version": __version__,
        "axes": {name: axis_record(axis) for name, axis in grid.axes.items()},
        "chunk": list(grid.chunk),
    }


def plain(value: Any) -> Any:
    """A value as JSON; arrays, Datasets and other objects by their hash or type, which suffices to see a difference."""
    for kinds, convert in PLAIN:
        if isinstance(value, kinds):
            return convert(value)
    if callable(value):
        return {"code": code_digest(value)}
    if is_dataclass(value):
        return {type(value).__name__: plain(asdict(value))}  # type: ignore[arg-type]
    return {"type": f"{type(value).__module__}.{type(value).__qualname__}"}


def _array(value: Array) -> Any:
    if value.dtype == object or value.size <= LISTED:
        return _list(value.tolist())
    return {"hash": _hash(np.ascontiguousarray(value).tobytes())}


def _list(value: Any) -> Any:
    listed = [plain(one) for one in value] if isinstance(value, (list, tuple)) else plain(value)
    return listed if not isinstance(listed, list) or len(listed) <= LISTED else {"hash": _hash(json.dumps(listed).encode())}


#: how values of a type are recorded; the first type that fits decides
PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((type(None), bool, int, str), lambda value: value),
    (float, lambda value: value if np.isfinite(value) else repr(value)),
    (np.generic, lambda value: plain(value.item())),
    (complex, lambda value: {"complex": [value.real, value.imag]}),
    (DISTRIBUTIONS, model_files.plain),
    (Ensemble, lambda value: model_files.text(value.recipe, value.lamb_shift)),
    ((list, tuple), _list),
    (Mapping, lambda value: {str(name): plain(one) for name, one in value.items()}),
    (np.ndarray, _array),
    (xr.Dataset, lambda value: {"hash": _hash(b"".join(v.values.tobytes() for v in value.variables.values()))}),
)


def axis_record(axis: Array) -> Record:
    """Number and hash of the values of an axis, and the values themselves if they are few."""
    if axis.size > LISTED and axis.dtype.kind in "fiub":
        return {"size": axis.size, "hash": _hash(axis.dtype.kind.encode() + np.ascontiguousarray(axis).tobytes())}
    values = [plain(one) for one in axis.tolist()]
    listed = {"values": values} if len(values) <= LISTED or axis.dtype == object else {}
    return {"size": axis.size, "hash": _hash(json.dumps(values).encode()), **listed}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def code_digest(function: Callable[..., Any]) -> str | None:
    """A text that changes with the code of a function, and with the values that it holds; None if there is no code.

    Comments, docstrings and the place in a file don't count, nor do functions and variables of its module that it uses, nor
    lists, dicts and sets that it holds, as they may change while it is called. Bytecode depends on the version of Python, which
    therefore is part of the text.
    """
    content = _content(function)
    return None if content is None else f"{'.'.join(platform.python_version_tuple()[:2])} {_hash(content.encode())}"


def _content(function: Callable[..., Any]) -> str | None:
    if isinstance(function, partial):
        inner = _content(function.func)
        return None if inner is None else f"{inner} {json.dumps(plain([function.args, function.keywords]))}"
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    held: list[Any] = [getattr(function, "__defaults__", None), getattr(function, "__kwdefaults__", None)]
    for cell in getattr(function, "__closure__", None) or ():
        with suppress(ValueError):  # an empty cell
            value = cell.cell_contents  # of a function the code alone, as it may hold itself
            if hasattr(value, "__code__"):
                held.append(_instructions(value.__code__))
            elif not isinstance(value, (list, dict, set)):  # these may be where a function notes what it does
                held.append(plain(value))
    return f"{_instructions(code)} {json.dumps(plain(held))}"


def _instructions(code: CodeType) -> str:
    """The instructions with what they work on, by value: positions in tables change with a docstring."""
    lines = []
    for one in get_instructions(code):
        value = one.argval
        if isinstance(value, CodeType):
            lines.append(_instructions(value))
        else:  # the order of a set of texts differs from run to run
            lines.append(f"{one.opname} {sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)}")
    return "\n".join(lines)


def check_same(old: Record, new: Record, grid: Grid, path: str) -> None:
    """Raise an InputError that names the first difference, except for axes that begin with the old values."""
    if old.get("code") and new.get("code") and old["code"].partition(" ")[0] != new["code"].partition(" ")[0]:
        old, new = {**old, "code": None}, {**new, "code": None}  # another version of Python
    for name in ("function", "code", "model", "seed", "variables", "version"):
        if old.get(name) != new[name]:
            _refuse(path, _named(name, old.get(name), new[name]))
    for name in sorted({*old["options"], *new["options"]}):
        there, here = (one["options"].get(name, "nothing") for one in (old, new))
        if there != here:
            _refuse(path, _said(name, there, here))
    if list(old["axes"]) != list(new["axes"]):
        _refuse(path, _said("axes", ", ".join(old["axes"]), ", ".join(new["axes"])))
    for name, axis in grid.axes.items():
        if difference := _axis_difference(name, old["axes"][name], axis):
            _refuse(path, difference)
    if new["most"] != old["most"]:
        _refuse(path, _said("chunk", old["most"], new["most"]))
    if new["chunk"] != old["chunk"]:
        _refuse(path, _said("points of a chunk along the axes", old["chunk"], new["chunk"]))


def _axis_difference(name: str, old: Record, axis: Array) -> str | None:
    what = "realizations" if name == REALIZATION else f"the axis {name}"
    if axis.size < old["size"]:
        return f"{what} has {old['size']} values there and {axis.size} here"
    if axis_record(axis[: old["size"]])["hash"] == old["hash"]:
        return None
    if "values" not in old:
        return f"the first {old['size']} values of {what} are others there"
    pairs = enumerate(zip(old["values"], axis_record(axis[: old["size"]])["values"], strict=True))
    k, there, here = next((k, a, b) for k, (a, b) in pairs if json.dumps(a) != json.dumps(b))  # 1 is not 1.0
    return f"value {k} of {what} is {checks.short_repr(there)} there and {checks.short_repr(here)} here"


def _named(name: str, old: Any, new: Any) -> str:
    if name == "code":
        return "the code of the function has changed"
    if name == "model" and isinstance(old, str) and isinstance(new, str):
        there, here = old.splitlines(), new.splitlines()
        changed = [line for line in there if line not in here], [line for line in here if line not in there]
        old, new = (", ".join(lines) or "nothing" for lines in changed)
        return f"the model has {checks.one_line(old, 150)} there and {checks.one_line(new, 150)} here"
    return _said(name, old, new)


def _said(name: str, old: Any, new: Any) -> str:
    return f"{name} is {checks.short_repr(old)} there and {checks.short_repr(new)} here"


def _refuse(path: str, difference: str) -> None:
    raise checks.InputError(
        f"Argument `store` must hold the same sweep or be new, but {checks.short_repr(path, 200)} differs: {difference}."
    )
