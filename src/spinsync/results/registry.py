"""Register of questions by name, and `rerun`, which computes a result again from its attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from inspect import Parameter, signature
from typing import Any, ParamSpec

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.base.parallel import thread_limit
from spinsync.base.precision import in_range
from spinsync.base.progress import progress
from spinsync.model.model_files import distribution
from spinsync.results.datasets import recorded_model, recorded_theories, recorded_theory, theory_label, times_of
from spinsync.theory.protocol import Theory, seed_matters

P = ParamSpec("P")

ALWAYS_RECORDED = {"theory", "seed", "each"}  # by every version, although they have defaults
IF_RANDOM = {("emission_spectrum", "seed")}  # recorded only with theories that draw random numbers
#: argument that is recorded under another name -> its name in error messages
DESCRIPTIONS: Mapping[str, str] = {
    **dict.fromkeys(("dataset", "result"), "the result that it was computed from"), "axes": "the distributions along {axis}",
}  # fmt: skip

_questions: dict[str, Callable[..., xr.Dataset]] = {}


class _MissingError(Exception):
    """The result does not record an argument."""


def question(function: Callable[P, xr.Dataset]) -> Callable[P, xr.Dataset]:
    """Decorator of questions: register for `rerun`, apply `in_range`, let the option `threads` hold for all calls inside, and
    show a progress line.

    Each argument must be recorded in the attributes or coordinates of the result: under its own name, or as READERS read it.
    """

    answer, label = in_range(function), function.__name__.replace("_", " ")
    default = getattr(signature(function).parameters.get("theory"), "default", None)

    @wraps(function)
    def wrapped(*arguments: P.args, **options: P.kwargs) -> xr.Dataset:
        faster = getattr(options.get("theory", default), "faster", "")
        with thread_limit(options.get("threads")), progress(label, faster):
            return answer(*arguments, **options)

    _questions[function.__name__] = wrapped
    return wrapped


def _registered(name: Any) -> Callable[..., xr.Dataset]:
    """The question of this name. A public one is registered when its module is imported, which getattr does."""
    public = import_module("spinsync")
    if name not in _questions and name in public.__all__:
        getattr(public, name)
    if name not in _questions:
        raise InputError(f"Argument `result` must be a result of a question, but is one of {checks.one_line(str(name))}.")
    return _questions[name]


@in_range
def rerun(result: xr.Dataset) -> xr.Dataset:
    """Compute a result again from its attributes; if it continued other runs, these are computed first.

    Parameters
    ----------
    result : xarray.Dataset
        A result of any question, also read from disk, or a selection of its times or of the points of a diagram.

    Returns
    -------
    xarray.Dataset
        The same variables, coordinates and attributes.

    Raises
    ------
    InputError
        If the dataset is not a result of a question, does not record all of its arguments, or combines several results.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, [0.0, 1.0, 2.0], seed=3)
    >>> ss.rerun(run).identical(run)
    True
    >>> diagram = ss.phase_diagram(one, {"coupling": [2.0, 12.0]})
    >>> ss.rerun(diagram).identical(diagram)
    True
    """
    recorded_model(result, "result")
    if "spins" in result.dims and result.attrs.get("verb") != "phase_diagram":  # there, the spins of a cavity can be an axis
        raise InputError("Argument `result` must be of one run, but is of several numbers of spins.")
    again = _repeat(result)
    if other := [str(dim) for dim in result.dims if dim not in again.dims]:
        raise InputError(f"Argument `result` must be one unchanged result, but has the dim {checks.one_line(other[0])}.")
    return again


def _repeat(result: xr.Dataset) -> xr.Dataset:
    """Call the question of a result with the recorded arguments."""
    verb, options = result.attrs.get("verb"), dict[str, Any]()
    ask = _registered(verb)
    for name, parameter in signature(ask).parameters.items():
        try:
            options[name] = READERS.get(name, _attribute)(result, name)
        except _MissingError as missing:
            always = name in ALWAYS_RECORDED and (verb, name) not in IF_RANDOM
            if parameter.default is Parameter.empty or always or missing.args:
                called = missing.args[0] if missing.args else DESCRIPTIONS.get(name, name)
                raise InputError(f"Argument `result` must record {called}, but does not.") from None
        except InputError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            recorded = result.attrs.get("source" if name in ("dataset", "result") else name)
            raise checks.argument_error(name, "recorded in the result as the question wrote it", recorded) from None
    again = ask(**options)
    if "times" in options:
        before = int(options["times"][0] != (times := times_of(result, "result"))[0])
        if len(times) < len(options["times"]):
            again = again.isel(time=slice(before, before + len(times)))
    return again


def _attribute(result: xr.Dataset, name: str) -> Any:
    if name not in result.attrs:
        raise _MissingError
    return result.attrs[name]


def _seed(result: xr.Dataset, name: str) -> int:
    """The seed; 0 where it had no influence, as version 0.1 accepted and recorded it there too."""
    seed = checks.seed(_attribute(result, name))
    started = "initial" in result.attrs and _parsed(result, "initial") is not None
    if "theories" in result.attrs:
        return seed if any(seed_matters(one, "evolve", started) for one in _theories(result, "theories")) else 0
    theory = recorded_theory(_attribute(result, "theory"))
    return seed if "realizations" in result.attrs or seed_matters(theory, result.attrs["verb"], started) else 0


def _theories(result: xr.Dataset, name: str) -> list[Theory]:
    """The compared theories that a result, perhaps a selection, still holds."""
    kept = list(map(str, _coordinate(result, "theory")))
    found = [one for one in recorded_theories(_attribute(result, name)) if theory_label(one) in kept]
    if sorted(kept) != sorted(map(theory_label, found)):
        raise _MissingError("the theories that it holds")
    return found


def _times(result: xr.Dataset, name: str) -> Array:
    """The times of the result, with the first time of its run, and the last one if the state at that time is kept."""
    times = times_of(result, "result")
    if "origin" not in result.attrs and result.attrs["verb"] == "evolve":
        raise _MissingError("origin")
    origin = checks.real("origin", result.attrs.get("origin", times[0]))
    end = checks.real("end", result.attrs.get("end")) if result.attrs.get("keep_state", 0) else times[-1]
    return np.concatenate([[origin] if times[0] != origin else [], times, [end] if times[-1] != end else []])


def _modes(result: xr.Dataset, name: str) -> int:
    if "mode" not in result.sizes:
        raise _MissingError
    return int(result.attrs.get(name, result.sizes["mode"]))


def _initial(result: xr.Dataset, name: str) -> Any:
    """The argument `initial`: None, Bloch vectors, or the result that a run continued, computed again."""
    start = _parsed(result, name)
    if not isinstance(start, dict):
        return start
    return _source(start) if start.get("verb") == "evolve" else xr.Dataset(attrs=start)


def _dataset(result: xr.Dataset, name: str) -> xr.Dataset:
    """The result from which a measure was computed, computed again, with the same selection of groups."""
    record = _parsed(result, "source")
    source = _source(record)
    return source.sel({dim: labels for dim, labels in record.get("kept", {}).items() if dim in source.dims})


def _source(record: Mapping[str, Any]) -> xr.Dataset:
    coords = {name: np.array(values) for name, values in record.get("values", {}).items()}
    if "times" in record:
        coords["time"] = np.array(record["times"])
    return _repeat(xr.Dataset(coords=coords, attrs=dict(record)))


def _parsed(result: xr.Dataset, name: str) -> Any:
    """The value of an attribute with JSON text; nested in another attribute, it is already a value."""
    recorded = _attribute(result, name)
    return json.loads(recorded) if isinstance(recorded, str) else recorded


def _coordinate(result: xr.Dataset, name: str) -> Array:
    name = {"frequencies": "frequency", "delays": "delay"}.get(name, name)
    if name not in result.coords:
        raise InputError(f"Argument `result` must have the coordinate {name}, but has none.")
    return np.atleast_1d(result.coords[name].values)


def _axes(result: xr.Dataset, name: str) -> dict[str, Any]:
    """The axes of a diagram: numbers from its coordinates, distributions from the record (coordinates hold only their repr)."""
    if name in result.attrs:
        recorded = _parsed(result, name)
    elif "regime" in result:  # version 0.1 recorded no axes
        recorded = {str(dim): None for dim in result["regime"].dims}
    else:
        raise InputError("Argument `result` must hold regime over its axes, but does not.")
    axes: dict[str, Any] = {}
    for axis, distributions in recorded.items():
        values = _coordinate(result, "A.frequency" if axis == "frequency" else axis)
        if distributions is None:
            if values.dtype.kind not in "fiu":
                raise _MissingError(DESCRIPTIONS["axes"].format(axis=axis))
            axes[axis] = values
        else:
            texts = values.tolist()
            listed = [distribution(axis, one) for one in distributions]
            axes[axis] = listed if len(listed) == len(texts) else [one for one in listed if repr(one) in texts]
    return axes


#: argument -> function that reads it from a result; other arguments are attributes of the same name
READERS: Mapping[str, Callable[[xr.Dataset, str], Any]] = {
    "ensemble": lambda result, _: recorded_model(result, "result"),
    "theory": lambda result, name: recorded_theory(_attribute(result, name)),
    "theories": _theories,
    "seed": _seed,
    "each": lambda result, name: bool(checks.whole(name, _attribute(result, name), 0, 1)),
    "keep_state": lambda result, name: bool(checks.whole(name, _attribute(result, name), 0, 1)),
    "linewidth": lambda result, name: bool(checks.whole(name, _attribute(result, name), 0, 1)),
    "initial": _initial,
    "dataset": _dataset,
    "result": _dataset,
    "axes": _axes,
    "modes": _modes,
    "states": _parsed,
    "times": _times,
    **dict.fromkeys(("frequencies", "delays", "polar", "azimuth"), _coordinate),
}
