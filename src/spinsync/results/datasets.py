"""Results are xarray Datasets; their attributes record model, question and options."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, fields
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from spinsync._version import __version__
from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_keywords
from spinsync.base.precision import in_range
from spinsync.model import bloch_vectors, model_files
from spinsync.model.ensembles import Ensemble, from_toml_text
from spinsync.results.variables import attributes
from spinsync.theory.every import THEORIES, name_of
from spinsync.theory.mean_field.theory import TRAJECTORY
from spinsync.theory.protocol import Theory

TEXT = np.dtypes.StringDType()
CORRELATIONS, CLASSES = "the correlations", "the frequency classes"  # parts of a state that Bloch vectors may lack
NESTED = {"initial", "source"}  # attributes that record other results, as JSON text
LEAST_COHERENCE = 1e-8  # with a defined phase: a hundred times the default absolute tolerance


def dataset(
    variables: Mapping[str, Any], coordinates: Mapping[str, Any], question: str, ensemble: Ensemble, **recorded: Any
) -> xr.Dataset:
    """A Dataset with long names and units; model, question, options and version are its attributes.

    A theory has comments on variables that must not be taken for exact. At finite N the number of spins is a coordinate, so
    that `xr.concat(results, "spins")` labels the results.
    """
    theory = json.loads(recorded.get("theory") or "{}")
    spins, comments = theory.get("spins"), getattr(THEORIES.get(theory.get("theory")), "comments", {})
    result = xr.Dataset(dict(variables), dict(coordinates) | ({} if spins is None else {"spins": spins}))
    for name, coordinate in result.coords.items():
        if coordinate.dtype.kind == "U":  # Zarr v3 specifies this text type, but none of fixed width
            result = result.assign_coords({name: coordinate.astype(TEXT)})
    for name, variable_ in result.variables.items():
        comment = {"comment": comments[name]} if name in comments else {}
        variable_.attrs = attributes(str(name)) | comment | variable_.attrs
    result.attrs = {
        "verb": question,
        "model": model_files.text(ensemble.recipe, ensemble.lamb_shift),
        "version": __version__,
        **{key: value for key, value in recorded.items() if value is not None},
    }
    return result


def theory_record(theory: Theory) -> str:
    """A theory as JSON text."""
    return json.dumps({"theory": name_of(type(theory)), **asdict(theory)})  # type: ignore[call-overload]


def recorded_theory(text: Any) -> Theory:
    """The theory that `theory_record` wrote. Raises InputError if the text is invalid: users may have changed it."""
    try:
        options = json.loads(text)
        name = options.pop("theory")
        if isinstance(name, str):
            checks.one_of("theory", name, THEORIES)
        return THEORIES[name](**options)  # type: ignore[no-any-return]
    except checks.InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError):
        raise checks.argument_error("theory", "recorded in the result as the question wrote it", text) from None


def theory_label(theory: Theory) -> str:
    """A theory as a short text, without the options that have their default in runs: "Exact(100)", "MeanField"."""
    shown = []
    for one in fields(theory):  # type: ignore[arg-type]
        value = getattr(theory, one.name)
        if one.default is MISSING:
            shown.append(f"{value}")
        elif value not in (one.default, TRAJECTORY.get(one.name) if one.default is None else one.default):
            shown.append(f"{one.name}={value}")
    return type(theory).__name__ + (f"({', '.join(shown)})" if shown else "")


def theories_record(theories: Iterable[Theory]) -> str:
    """Several theories as JSON text."""
    return json.dumps([json.loads(theory_record(one)) for one in theories])


def recorded_theories(text: Any) -> list[Theory]:
    """The theories that `theories_record` wrote. Raises InputError if the text is invalid."""
    try:
        listed = [json.dumps(one) for one in json.loads(text)]
    except (TypeError, ValueError):
        raise checks.argument_error("theories", "recorded in the result as the question wrote them", text) from None
    return [recorded_theory(one) for one in listed]


def initial_record(initial: Array | None) -> str | None:
    return None if initial is None else json.dumps(initial.tolist())


def result_record(result: xr.Dataset) -> dict[str, Any]:
    """The attributes and times of a result from which another one starts or is computed: enough to compute it again.

    Of a diagram also the values of its axes.
    """
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in result.attrs.items()}
    record: dict[str, Any] = {
        key: value for key, value in plain.items() if key != "version" and isinstance(value, (str, int, float))
    }
    for name in NESTED & record.keys():
        with suppress(ValueError):  # not JSON: the user has changed it
            record[name] = json.loads(str(record[name]))  # nested, not text within text
    if "time" in result.coords:
        record["times"] = np.atleast_1d(result["time"]).tolist()
    if "axes" in record:  # of a diagram
        along = [n for n, c in result.coords.items() if c.dims in ((), (n,)) and n not in ("group", "other_group")]
        record["values"] = {n: np.atleast_1d(result[n]).tolist() for n in along}
    return record


def source_record(result: xr.Dataset) -> str:
    """`result_record` with the group labels, as JSON text: the record of the result from which a measure is computed."""
    kept = {dim: result[dim].values.tolist() for dim in ("group", "other_group") if dim in result.coords}
    return json.dumps(result_record(result) | {"kept": kept}, default=str)  # other types come from the user


def axes_record(axes: Mapping[str, Array]) -> str:
    """The axes of a diagram in order, as JSON text, with all distributions, of which coordinates hold only the repr."""
    listed = {n: [model_files.plain(one) for one in axis] for n, axis in axes.items() if axis.dtype == object}
    return json.dumps({name: listed.get(name) for name in axes})


def checked_result(result: Any, argument: str = "dataset") -> xr.Dataset:
    """The argument if it is a Dataset that records a model. Raises InputError otherwise."""
    if not isinstance(result, xr.Dataset) or not isinstance(result.attrs.get("model"), str):
        is_ = f"a {type(result).__name__} without a model"
        raise checks.InputError(f"Argument `{argument}` must be a result of spinsync, but is {is_}.")
    return result


def recorded_model(result: Any, name: str) -> Ensemble:
    """The ensemble that a result records; `name` is the argument that error messages name."""
    return from_toml_text(checked_result(result, name).attrs["model"], "the dataset's model")


#: variable -> its last dims; others may precede them
DIMS: Mapping[str, tuple[str, ...]] = {
    "order_parameter": (),
    "coherence": ("group",),
    "inversion": ("group",),
    "correlation": ("group", "other_group"),
    "inversion_correlation": ("group", "other_group"),
    **dict.fromkeys(
        ("coherence_covariance", "anomalous_covariance", "coherence_inversion_covariance", "inversion_covariance"),
        ("group", "other_group"),
    ),
    "spin_coherence": ("spin",),
    "spin_inversion": ("spin",),
}


def variable(result: xr.Dataset, name: str, argument: str = "dataset") -> xr.DataArray:
    """A variable of a result. Raises InputError if its dims have been transposed or removed, or it holds no numbers."""
    found, last = result[name], DIMS[name]
    if found.dtype.kind not in "fc" or (
        found.dtype.kind == "c" and not name.endswith(("coherence", "correlation", "covariance"))
    ):
        raise checks.InputError(f"Argument `{argument}` must hold numbers in {name}, but holds {found.dtype}.")
    if found.dims[found.ndim - len(last) :] != last or found.size == 0:
        shape = ", ".join(f"{dim}: {size}" for dim, size in found.sizes.items())
        must = f"have the last dims ({', '.join(last)}) in {name}" if last else f"hold something in {name}"
        raise checks.InputError(f"Argument `{argument}` must {must}, but has ({checks.one_line(shape, 200)}).")
    for dim in last:
        if dim != "spin" and dim not in result.coords:
            raise checks.InputError(f"Argument `{argument}` must have the coordinate {dim}, but has none.")
    return found


def all_pairs(result: xr.Dataset, name: str, argument: str = "dataset") -> xr.DataArray:
    """As `variable`, for one of all pairs of groups. Raises InputError if it is not square with equal labels in both dims."""
    found = variable(result, name, argument)
    if found.sizes["group"] != found.sizes["other_group"]:
        raise checks.InputError(f"Argument `{argument}` must hold all pairs of its groups, but is cut or transposed.")
    if result.group.values.tolist() != result.other_group.values.tolist():
        raise checks.InputError(f"Argument `{argument}` must name the same groups in group and other_group, but does not.")
    return found


def times_of(result: xr.Dataset, argument: str) -> Array:
    """The times of a result, finite and increasing."""
    if "time" not in result.coords:
        raise checks.InputError(f"Argument `{argument}` must have the coordinate time, but has none.")
    times = np.atleast_1d(result.coords["time"].values)
    if times.dtype.kind not in "fiu":
        raise checks.InputError(f"Argument `{argument}` must have numbers as time, but has {times.dtype}.")
    return checks.increasing(f"{argument}.time", times)


@known_keywords
def model_of(dataset: xr.Dataset) -> Ensemble:
    """The ensemble for which a result was computed.

    Parameters
    ----------
    dataset : xarray.Dataset
        Any result of spinsync, also read from disk.

    Raises
    ------
    InputError
        If the dataset holds no model.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ss.model_of(ss.limit_cycle(one)) == one
    True
    """
    return recorded_model(dataset, "dataset")


@lru_cache(16)
def _distributed(model: str) -> bool:
    """Whether a group of the recorded model has a distribution of frequencies."""
    return any(group.distribution is not None for group in from_toml_text(model, "the dataset's model").groups)


def _missing_part(result: xr.Dataset) -> str | None:
    """The part of the state of a result that its Bloch vectors lack; None if they are the complete state."""
    theories = recorded_theories(result.attrs["theories"]) if "theories" in result.attrs else []
    theories += [recorded_theory(result.attrs["theory"])] if "theory" in result.attrs else []
    spins = [one.spins for one in theories if hasattr(one, "spins")]
    if spins:
        return CORRELATIONS if max(spins) > 1 else None
    single = "spin_coherence" in result or not _distributed(result.attrs["model"])
    return None if single else CLASSES


def whole_at(result: xr.Dataset) -> float | None:
    """The time at which Bloch vectors are the complete state: the start of a run from Bloch vectors; None for other results."""
    recorded = result.attrs
    continued = str(recorded.get("initial", "")).startswith("{")
    return None if continued or "origin" not in recorded else checks.real("origin", recorded["origin"])


@in_range
def bloch(dataset: xr.Dataset) -> xr.DataArray:
    """Bloch vectors m = (2 Re s, -2 Im s, z) of a result, equation (1.1); those at one time can be used as `initial`.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result with coherence and inversion.

    Returns
    -------
    xarray.DataArray
        Shape (..., group, 3), or (..., spin, 3) for a run with each=True. If they are not the complete state, the attribute
        `lost` names the missing part, and `whole_at` the time at which none is missing; `evolve` can continue the run itself.

    Raises
    ------
    InputError
        If the dataset holds no coherence and inversion.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ss.bloch(ss.evolve(one, [0.0, 1.0])).dims
    ('time', 'group', 'axis')
    """
    checked_result(dataset)
    prefix = "spin_" if "spin_coherence" in dataset else ""
    for name in (f"{prefix}coherence", f"{prefix}inversion"):
        if name not in dataset:
            raise checks.InputError(f"Argument `dataset` must hold coherence and inversion, but has no {name}.")
    s, z = variable(dataset, f"{prefix}coherence"), variable(dataset, f"{prefix}inversion")
    if s.dims != z.dims:
        raise checks.InputError(f"Argument `dataset` must have the same dims in coherence and inversion, but has {z.dims}.")
    m = bloch_vectors.vectors(s.values, z.values)
    out = xr.DataArray(m, dims=(*s.dims, "axis"), coords={**s.coords, "axis": np.array(["x", "y", "z"], TEXT)}, name="bloch")
    out.attrs = {"long_name": "Bloch vector", "units": "1"}
    if lost := _missing_part(dataset):
        out.attrs |= {"lost": lost} | ({} if (time := whole_at(dataset)) is None else {"whole_at": time})
    out["axis"].attrs = {"long_name": "axis of the Bloch vector", "units": "1"}
    return out


def phases(coherence: Any) -> Any:
    """-arg<sigma^->, the azimuth of the Bloch vector; NaN where the coherence is below LEAST_COHERENCE."""
    return np.where(abs(coherence) > LEAST_COHERENCE, -np.angle(coherence), np.nan)
