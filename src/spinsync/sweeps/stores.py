"""The Zarr store of a sweep: one array per variable, cut into chunks that are each written once and whole.

A chunk is done when the chunk of `point_status` is on disk, which is written last.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from spinsync.base.arrays import Array
from spinsync.base.files import new_folder
from spinsync.base.parallel import parallel_map
from spinsync.sweeps.blocks import CODES, Block, Layout, Spec
from spinsync.sweeps.durable import FOLDER, DurableStore, check_run, flush, intact
from spinsync.sweeps.grids import Grid, Index, Slices

STATUS, FAILURE = "point_status", "point_failure"
PENDING, DONE, FAILED = 0, 1, 2  # codes of STATUS
RECORD = "sweep"  # the attribute with what the sweep is
KINDS: Mapping[str, Any] = {
    "function": str, "code": str | None, "model": str | None, "options": dict, "variables": list | None, "seed": int,
    "version": str, "axes": dict, "chunk": list, "most": int | None,
    "layout": str | None,
}  # fmt: skip
READERS = 4  # files read at once
OWN: Mapping[str, Mapping[str, Any]] = {
    STATUS: {
        "long_name": "whether the point is computed", "units": "1",
        "flag_values": [PENDING, DONE, FAILED], "flag_meanings": "pending done failed",
    },
    FAILURE: {"long_name": "why the point failed, empty where it did not"},
}  # fmt: skip


@dataclass(frozen=True)
class Address:
    """Where a worker writes a chunk. `token` differs from call to call, as a store may have grown in between."""

    root: str
    token: str


@dataclass(frozen=True)
class ChunkState:
    """What is on disk of a chunk; `status` holds the codes of its points, None where a file is missing or damaged."""

    index: Index
    status: Array | None


def create(path: Path, record: Mapping[str, Any]) -> None:
    """Create an empty store that only records what the sweep is."""
    with new_folder(path, "store") as draft:
        root = zarr.create_group(DurableStore(draft), zarr_format=3)
        root.create_group(FOLDER)
        root.attrs[RECORD] = json.dumps(record)


def recorded(path: Path) -> dict[str, Any] | None:
    """The record of a sweep's store; None if there is none."""
    try:
        found = dict(json.loads(zarr.open_group(path, mode="r").attrs[RECORD]))  # type: ignore[arg-type]
    except (OSError, KeyError, TypeError, ValueError, zarr.errors.BaseZarrError):
        return None
    sound = all(name in found and isinstance(found[name], kind) for name, kind in KINDS.items())
    return found if sound and _sound_axes(found) else None


def _sound_axes(record: Mapping[str, Any]) -> bool:
    """Whether the axes and chunks of a record are what a sweep writes."""
    axes, chunk = list(record["axes"].values()), record["chunk"]
    sizes = [axis.get("size") if isinstance(axis, dict) and isinstance(axis.get("hash"), str) else None for axis in axes]
    return len(chunk) == len(sizes) and all(type(size) is int and size > 0 for size in (*sizes, *chunk))


def prepare(path: Path, grid: Grid, layout: Layout | None, coordinates: xr.Dataset, attrs: Mapping[str, Any]) -> None:
    """Give a store the arrays, coordinates and sizes of a sweep, and then its attributes. It may be repeated at any time."""
    store = DurableStore(path)
    root = zarr.open_group(store, mode="a")
    specs = {
        **({} if layout is None else layout.variables),
        STATUS: Spec((), (), CODES),
        FAILURE: Spec((), (), np.dtype(object)),
    }
    _remove_damaged(root, path, [FOLDER, *specs], map(str, coordinates.coords))
    root.require_group(FOLDER)
    for name, spec in specs.items():
        shape = (*grid.shape, *spec.shape)
        if name not in root:
            _create_array(root, name, grid, spec)
        elif (found := root[name]).shape != shape:  # type: ignore[union-attr]
            found.resize(shape)  # type: ignore[union-attr]
    for label, coordinate in coordinates.coords.items():
        if str(label) in root and not _same(root[str(label)], coordinate):
            del root[str(label)]
    missing = [label for label in coordinates.coords if str(label) not in root]
    if missing:
        coordinates.drop_vars([n for n in coordinates.coords if n not in missing]).to_zarr(
            store, mode="a", consolidated=False, zarr_format=3
        )
    _flush_metadata(path, [*specs, *map(str, coordinates.coords)])
    root.attrs.update({**coordinates_attribute(coordinates), **attrs})  # last, as they say what is there
    _flush_metadata(path, ())


def _remove_damaged(root: zarr.Group, path: Path, names: Iterable[str], coordinates: Iterable[str]) -> None:
    """Remove metadata that can't be read, so that they are written again; the chunks of variables stay."""
    for name in names:
        try:
            root.get(name)
        except Exception:
            (path / name / "zarr.json").unlink(missing_ok=True)
    for name in coordinates:
        try:
            found = root.get(name)
        except Exception:
            found = None
        if found is None and (path / name).exists():
            shutil.rmtree(path / name)


def _flush_metadata(path: Path, names: Iterable[str]) -> None:
    flush([path / "zarr.json", *(path / name / "zarr.json" for name in names)], path)


def coordinates_attribute(coordinates: xr.Dataset) -> dict[str, str]:
    """The CF attribute by which readers know coordinates that are not named like their dim."""
    extra = " ".join(str(name) for name in coordinates.coords if name not in coordinates.dims)
    return {"coordinates": extra} if extra else {}


def _create_array(root: zarr.Group, name: str, grid: Grid, spec: Spec) -> None:
    text = spec.dtype == object
    attrs = {key: _plain(value) for key, value in OWN.get(name, spec.attrs).items()}
    root.create_array(
        name, shape=(*grid.shape, *spec.shape), chunks=(*grid.chunk, *(max(1, size) for size in spec.shape)),
        dtype=str if text else spec.dtype, fill_value="" if text else PENDING if name == STATUS else spec.fill,
        compressors=(ZstdCodec(level=1), Crc32cCodec()), dimension_names=(*grid.dims, *spec.dims), attributes=attrs,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _same(found: Any, coordinate: xr.DataArray) -> bool:
    try:
        return found.shape == coordinate.shape and bool(np.array_equal(np.asarray(found[...]), coordinate.values))
    except Exception:  # a damaged coordinate is written again
        return False


def load_layout(path: Path, grid: Grid, digest: str) -> Layout | None:
    """The layout of the variables in a store; None if it can't be read, or is not the one of this digest."""
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a folder without metadata
        found = xr.open_zarr(path, consolidated=False, chunks=None, drop_variables=[*grid.dims, *OWN])
        own = {str(n): v.dims[len(grid.dims) :] for n, v in found.data_vars.items()}
        specs = {
            n: Spec(tuple(map(str, dims)), tuple(found.sizes[d] for d in dims), found[n].dtype, dict(found[n].attrs))
            for n, dims in own.items()
        }
        coordinates = found.coords.to_dataset().load()
        coordinates.attrs = {}
        layout = Layout(specs, coordinates)
        return layout if layout.digest == digest else None
    return None


@lru_cache(maxsize=8)
def _arrays(address: Address) -> dict[str, Any]:
    """The open arrays of a store, each for writing also what equals the fill value: a chunk without a file is a lost one."""
    with zarr.config.set({"array.write_empty_chunks": True}):
        root = zarr.open_group(DurableStore(address.root), mode="r+")
        return dict(root.arrays())


def write(address: Address, index: Index, where: Slices, block: Block, status: Array) -> None:
    """Write the results of a chunk, of which `block` holds all points, and when they are on disk mark it as done."""
    arrays, path = _arrays(address), Path(address.root)
    check_run(path, address.token)
    shape = tuple(s.stop - s.start for s in where)
    for name, values in block.variables.items():
        arrays[name][where] = values.reshape((*shape, *values.shape[1:]))
    files = [_file(path, name, index, values.ndim - 1) for name, values in block.variables.items() if values.size]
    failure = _file(path, FAILURE, index)
    if any(block.failures):
        arrays[FAILURE][where] = np.array(block.failures, np.dtypes.StringDType()).reshape(shape)
        files.append(failure)
    else:
        failure.unlink(missing_ok=True)
    flush(files, path)
    arrays[STATUS][where] = status.reshape(shape)
    flush([_file(path, STATUS, index)], path)


def read(address: Address, where: Slices, layout: Layout) -> tuple[Block, Array]:
    """The results of a chunk that is on disk, and the status of its points."""
    arrays = _arrays(address)
    variables = {n: np.asarray(arrays[n][where]).reshape((-1, *spec.shape)) for n, spec in layout.variables.items()}
    failures = [str(text) for text in np.asarray(arrays[FAILURE][where]).ravel()]
    return Block(layout, variables, failures), np.array(arrays[STATUS][where]).ravel()


def states(path: Path, grid: Grid, layout: Layout | None) -> Iterator[ChunkState]:
    """What is on disk of each chunk, in order; every file is read, and its checksum compared."""
    dims = {name: len(spec.dims) for name, spec in ({} if layout is None else layout.variables).items() if 0 not in spec.shape}
    status = _arrays(Address(str(path), uuid_of_call())).get(STATUS)
    for rows in _rows(grid):
        sound = parallel_map(lambda index: _sound(path, index, dims), rows, io_threads=READERS)
        for index, good in zip(rows, sound, strict=True):
            yield ChunkState(index, _codes(status, grid.slices(index)) if good and status is not None else None)


def _codes(status: Any, where: Slices) -> Array:
    """The status of the points of a chunk, (point,), pending where the array ends before."""
    found = np.asarray(status[where])
    codes = np.full([s.stop - s.start for s in where], PENDING, found.dtype)
    codes[tuple(map(slice, found.shape))] = found
    return codes.ravel()


def _rows(grid: Grid) -> Iterator[list[Index]]:
    """All chunks, in lists of limited length."""
    rows: list[Index] = []
    for index in grid.indices():
        rows.append(index)
        if len(rows) == 1000:
            yield rows
            rows = []
    yield rows


def _sound(path: Path, index: Index, dims: Mapping[str, int]) -> bool:
    if not intact(_file(path, STATUS, index)):
        return False
    failure = _file(path, FAILURE, index)
    return (not failure.exists() or intact(failure)) and all(
        intact(_file(path, name, index, own)) for name, own in dims.items()
    )


def _file(path: Path, name: str, index: Index, own: int = 0) -> Path:
    """The file of a chunk of a variable with this number of dims of its own."""
    return path.joinpath(name, "c", *map(str, index), *["0"] * own)


def uuid_of_call() -> str:
    """A text that is new at each call."""
    from uuid import uuid4

    return uuid4().hex


def with_failures(block: Block, layout: Layout, count: int) -> Block:
    """The block with all variables of the layout, also where every point failed."""
    if block.layout is not None:
        return block
    return replace(block, layout=layout, variables={n: spec.blank(count) for n, spec in layout.variables.items()})
