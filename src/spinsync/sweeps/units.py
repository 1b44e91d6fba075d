"""Units of work of a sweep: one chunk, computed by one call, and written by whoever computes it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.notices import Kept, kept_warnings
from spinsync.sweeps import stores
from spinsync.sweeps.blocks import Block, Layout, Spec
from spinsync.sweeps.durable import storing
from spinsync.sweeps.grids import Grid, Index, Slices
from spinsync.sweeps.work import Work


@dataclass(frozen=True)
class Unit:
    """A chunk to compute.

    where : its points among all points
    grid : of its points alone
    todo : which points to compute, (point,); None: all
    """

    index: Index
    where: Slices
    grid: Grid
    todo: Array | None = None

    @property
    def points(self) -> int:
        return self.grid.points if self.todo is None else int(self.todo.sum())


@dataclass(frozen=True)
class Report:
    """What happened to a unit; `block` and `status` hold its results if they were not written.

    warnings : of the package about its points, one of each kind
    """

    points: int
    failed: int
    seconds: float
    host: str
    process: int
    block: Block | None = None
    status: Array | None = None
    warnings: Kept = field(default_factory=dict)


@dataclass(frozen=True)
class Runner:
    """Computes units and writes them, in any process.

    address : of the store; None: the results are returned
    layout : of the variables; None: not known yet, so that the results are returned
    threads : for each unit
    """

    work: Work
    layout: Layout | None
    address: stores.Address | None
    threads: int | None

    def __call__(self, unit: Unit) -> Report:
        start = time.perf_counter()
        columns = unit.grid.columns((0,) * len(unit.grid.shape))
        if unit.todo is not None:
            columns = {name: values[unit.todo] for name, values in columns.items()}
        with kept_warnings() as heard:
            block = self.work.compute(columns, self.layout, self.threads)
        failed = sum(map(bool, block.failures))
        block, status = self._whole(unit, block)
        report = Report(unit.points, failed, 0.0, socket.gethostname(), os.getpid(), warnings=heard)
        kept: Mapping[str, Any] = {"block": block, "status": status}
        if self.layout is not None and self.address is not None:
            self.write(unit, block, status)
            kept = {}
        return Report(**{**report.__dict__, "seconds": time.perf_counter() - start, **kept})

    def write(self, unit: Unit, block: Block, status: Array) -> None:
        assert self.address is not None
        assert self.layout is not None
        with storing():
            stores.write(self.address, unit.index, unit.where, stores.with_failures(block, self.layout, len(status)), status)

    def _whole(self, unit: Unit, block: Block) -> tuple[Block, Array]:
        """The block with the points of the chunk that were computed before, and the status of all points."""
        status = np.where(np.array(block.failures, bool) if block.failures else False, stores.FAILED, stores.DONE).astype(
            np.int8
        )
        if unit.todo is None:
            return block, status
        assert self.address is not None
        assert self.layout is not None
        known, merged = stores.read(self.address, unit.where, self.layout)
        new = stores.with_failures(block, self.layout, len(status))
        for name, values in known.variables.items():
            values[unit.todo] = new.variables[name]
        failures = np.array(known.failures, object)
        failures[unit.todo] = block.failures
        merged[unit.todo] = status
        return Block(self.layout, known.variables, failures.tolist()), merged

    def given_up(self, unit: Unit, why: str) -> tuple[Block, Array]:
        """The chunk if its worker died: the reason at each point that was to be computed."""
        return self._whole(unit, Block(None, {}, [why] * unit.points))


def part(grid: Grid, index: Index, todo: Array | None = None) -> Unit:
    """The unit of a chunk, with the values of its points and no others: it is sent to other processes."""
    where = grid.slices(index)
    axes = {name: axis[own] for (name, axis), own in zip(grid.axes.items(), where, strict=True)}
    return Unit(index, where, Grid(axes, tuple(axis.size for axis in axes.values())), todo)


class Arrays:
    """Results in memory, for a sweep without a store."""

    def __init__(self, grid: Grid, layout: Layout) -> None:
        self.grid = grid
        self.variables = {name: self._blank(spec) for name, spec in layout.variables.items()}
        self.status = np.full(grid.shape, stores.PENDING, np.int8)
        self.failures = np.full(grid.shape, "", np.dtypes.StringDType())

    def _blank(self, spec: Spec) -> Array:
        return spec.blank(prod(self.grid.shape)).reshape((*self.grid.shape, *spec.shape))

    def put(self, unit: Unit, block: Block, status: Array) -> None:
        where = unit.where
        shape = unit.grid.shape
        for name, values in block.variables.items():
            self.variables[name][where] = values.reshape((*shape, *values.shape[1:]))
        self.status[where] = status.reshape(shape)
        self.failures[where] = np.array(block.failures, np.dtypes.StringDType()).reshape(shape)
