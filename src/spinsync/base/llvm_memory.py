"""Names and memory access in the translation to LLVM (`translation.py`)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from llvmlite import ir

from spinsync.base.llvm_arithmetic import BOOLEAN, BYTE, INTEGER, REAL, Arithmetic, LaneIndex, is_constant

REAL_BYTES = 8  # records contain real numbers only


@dataclass(frozen=True)
class ArrayView:
    """A pointer to an array of this shape, or to part of one; the first length may be unknown.

    The elements are numbers, or records with named fields if `record` is given.
    """

    pointer: Any
    shape: tuple[int | None, ...] = ()
    record: np.dtype[Any] | None = None

    @property
    def strides(self) -> list[int]:
        """Step of each remaining index, in real numbers."""
        size = 1 if self.record is None else self.record.itemsize // REAL_BYTES
        return [prod([size, *(length or 0 for length in self.shape[k + 1 :])]) for k in range(len(self.shape))]

    @property
    def single(self) -> bool:
        """Whether it is one number, which can be read and written."""
        return not self.shape and self.record is None


@dataclass
class Scope:
    """The names of a function during its translation."""

    bindings: list[dict[str, Any]]  # values of names without storage of their own, innermost scope last
    assigned_once: Set[str] = frozenset()  # names that are constants if their only value is one
    variables: dict[str, Any] = field(default_factory=dict)  # name -> pointer
    results: list[Any] | None = None  # pointers to the results of a function with early returns
    end: Any = None  # the block after it


@dataclass(frozen=True)
class Program:
    """Functions by name, and compile-time constants: numbers, tables, and objects with such attributes."""

    functions: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, Any]
    keeps_loop: Callable[[str], bool]  # whether the loop over this name is not unrolled

    @classmethod
    def of(cls, *sources: str | ModuleType, constants: Mapping[str, Any], keeps_loop: Callable[[str], bool]) -> Program:
        """The functions of all sources, and the constants of those that are modules, own or imported."""
        modules = [source for source in sources if isinstance(source, ModuleType)]
        numbers = {name: value for module in modules for name, value in vars(module).items() if is_constant(value)}
        texts = [source if isinstance(source, str) else source_of(source) for source in sources]
        functions = {name: node for text in texts for name, node in functions_in(text).items()}
        return cls(functions, numbers | dict(constants), keeps_loop)


def source_of(module: ModuleType) -> str:
    """The source text of a module."""
    return Path(str(module.__file__)).read_text(encoding="utf-8")


@cache
def functions_in(source: str) -> Mapping[str, ast.FunctionDef]:
    """The functions of a source text by name. They are cached: do not change them."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


@cache
def assigned(function: ast.FunctionDef) -> Counter[str]:
    """Number of assignments to each name."""
    return Counter(n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


@cache
def contains(node: ast.stmt, *kinds: type[ast.stmt]) -> bool:
    """Whether the statement contains one of these kinds."""
    return any(isinstance(one, kinds) for one in ast.walk(node))


class Memory(Arithmetic):
    """Emits reads and writes at the position of `builder`."""

    def __init__(self, program: Program, module: ir.Module, builder: ir.IRBuilder) -> None:
        self.program, self.module, self.builder = program, module, builder
        self.width = 0  # lanes of the vectors inside `simd`; 0 outside
        self.loops: list[tuple[Any, Any]] = []  # targets of `continue` and `break`
        self.tables: dict[str, ArrayView] = {}

    def look_up(self, name: str, scope: Scope) -> Any:
        for names in reversed(scope.bindings):
            if name in names:
                return names[name]
        if name in scope.variables:
            return self.builder.load(scope.variables[name], align=alignment_of(element_type(ArrayView(scope.variables[name]))))
        return self.program.constants[name]

    def allocate(self, kind: ir.Type, count: int = 1) -> Any:
        """Pointer to stack memory for `count` elements: vectors inside `simd`."""
        wide = ir.VectorType(kind, self.width) if self.width else kind
        with self.builder.goto_entry_block():
            memory = self.builder.alloca(ir.ArrayType(wide, count))
            return self.builder.bitcast(memory, wide.as_pointer())

    def constant_table(self, name: str, rows: Any) -> ArrayView:
        """A constant table in memory, for loops that are not unrolled; short rows are filled with zeros."""
        if name not in self.tables:
            nested = isinstance(rows[0], tuple)
            size = max(len(row) for row in rows) if nested else len(rows)
            numbers = [x for row in rows for x in (*row, *[0] * (size - len(row)))] if nested else list(rows)
            kind = REAL if any(isinstance(x, float) for x in numbers) else INTEGER
            stored = ir.GlobalVariable(self.module, ir.ArrayType(kind, len(numbers)), f"table.{name}")
            stored.initializer = ir.Constant(stored.value_type, numbers)
            stored.global_constant, stored.linkage = True, "internal"
            first = stored.bitcast(kind.as_pointer())
            self.tables[name] = ArrayView(first, (len(rows), size) if nested else (size,))
        return self.tables[name]

    def element(self, view: ArrayView, indices: Sequence[Any]) -> ArrayView:
        offset: Any = 0
        for index, stride in zip(indices, view.strides, strict=False):
            offset = self.binary(ast.Add(), offset, self.binary(ast.Mult(), index, stride))
        lanes = isinstance(offset, LaneIndex)
        pointer = self.builder.gep(view.pointer, [self.cast(offset.offset if lanes else offset, INTEGER, 0)])
        if lanes:
            pointer = self.builder.bitcast(pointer, ir.VectorType(REAL, self.width).as_pointer())
        return ArrayView(pointer, view.shape[len(indices) :], view.record)

    def record_field(self, view: ArrayView, name: str) -> ArrayView:
        """A field of a record."""
        assert view.record is not None
        assert view.record.fields is not None
        kind, begin = view.record.fields[name][:2]
        pointer = self.builder.gep(view.pointer, [self.cast(begin // REAL_BYTES, INTEGER, 0)])
        return ArrayView(pointer, kind.shape)

    def read(self, view: Any) -> Any:
        if not isinstance(view, ArrayView) or not view.single:
            return view
        found = self.builder.load(view.pointer, align=alignment_of(element_type(view)))
        return self.builder.icmp_signed("!=", found, ir.Constant(BYTE, 0)) if found.type == BYTE else found

    def write(self, view: ArrayView, value: Any) -> None:
        target, kind = view.pointer.type.pointee, element_type(view)
        width = target.count if isinstance(target, ir.VectorType) else 0
        self.builder.store(self.cast(value, kind, width), view.pointer, align=alignment_of(kind))


def element_type(view: ArrayView) -> ir.Type:
    target = view.pointer.type.pointee
    return target.element if isinstance(target, ir.VectorType) else target


def alignment_of(kind: ir.Type) -> int:
    """Alignment in bytes; vectors may begin at any element."""
    return 1 if kind in (BOOLEAN, BYTE) else 8
