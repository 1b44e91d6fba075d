"""Names, and places in memory, while functions become code for LLVM (`translation.py`)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from llvmlite import ir

from spinsync.base.llvm_numbers import BYTE, REAL, TRUTH, WHOLE, Lanes, Numbers

NUMBER = 8  # bytes of a real number, of which alone records are made


@dataclass(frozen=True)
class Place:
    """Where elements lie: those of an array of this shape, whose first length may be unknown, or of a part of one.

    An element may be a record, which has no value itself, but named fields.
    """

    pointer: Any
    shape: tuple[int | None, ...] = ()
    record: np.dtype[Any] | None = None

    @property
    def strides(self) -> list[int]:
        """Numbers from one element to the next, per index that is still to come."""
        whole = 1 if self.record is None else self.record.itemsize // NUMBER
        return [prod([whole, *(length or 0 for length in self.shape[k + 1 :])]) for k in range(len(self.shape))]

    @property
    def single(self) -> bool:
        """Whether it is a number, that can be read and written."""
        return not self.shape and self.record is None


@dataclass
class Scope:
    """The names of a function that is being written out; `bound` has those that are not assigned to, innermost last.

    Names that are given a value at one place only, without macros that might change it, stay known where the value is.
    """

    bound: list[dict[str, Any]]
    lasting: Set[str] = frozenset()
    variables: dict[str, Any] = field(default_factory=dict)
    small: dict[str, Place] = field(default_factory=dict)
    results: list[Any] | None = None
    end: Any = None


@dataclass(frozen=True)
class Text:
    """What is translated: functions by name, which of them are macros, known numbers, and shapes of small arrays."""

    functions: Mapping[str, ast.FunctionDef]
    macros: Set[str]
    known: Mapping[str, Any]
    small: Mapping[str, tuple[int, ...]]
    staying: Callable[[str], bool]  # whether a loop over this name stays a loop

    @classmethod
    def of(cls, *sources: str, **options: Any) -> Text:
        return cls({name: function for source in sources for name, function in functions_of(source).items()}, **options)


def functions_of(source: str) -> dict[str, ast.FunctionDef]:
    """The functions of a text, by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def assigned(statements: Iterable[ast.stmt]) -> Counter[str]:
    """How many statements assign to each name."""
    nodes = (node for statement in statements for node in ast.walk(statement))
    return Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


class Places(Numbers):
    """Reads and writes names and memory behind the place where `builder` stands."""

    def __init__(self, text: Text, module: ir.Module, builder: ir.IRBuilder) -> None:
        self.text, self.module, self.builder = text, module, builder
        self.width = 0  # of the vectors that are being worked on
        self.loops: list[tuple[Any, Any]] = []  # where `continue` and `break` lead
        self.tables: dict[str, Place] = {}

    def look_up(self, name: str, scope: Scope) -> Any:
        for names in reversed(scope.bound):
            if name in names:
                return names[name]
        if name in scope.variables:
            return self.builder.load(scope.variables[name], align=alignment_of(kind_at(Place(scope.variables[name]))))
        if name in self.text.small:
            if name not in scope.small:
                scope.small[name] = self.array(self.text.small[name], REAL)
            return scope.small[name]
        return self.text.known[name]

    def slot(self, kind: ir.Type, count: int = 1) -> Any:
        """Memory of a function: `count` elements, each as wide as what is being worked on."""
        wide = ir.VectorType(kind, self.width) if self.width else kind
        with self.builder.goto_entry_block():
            made = self.builder.alloca(ir.ArrayType(wide, count))
            return self.builder.bitcast(made, wide.as_pointer())

    def array(self, shape: tuple[int, ...], kind: ir.Type) -> Place:
        return Place(self.slot(kind, prod(shape)), shape)

    def table(self, name: str, rows: Any) -> Place:
        """A known table as memory, for loops that stay: ragged ones are filled up."""
        if name not in self.tables:
            nested = isinstance(rows[0], tuple)
            size = max(len(row) for row in rows) if nested else len(rows)
            numbers = [x for row in rows for x in (*row, *[0] * (size - len(row)))] if nested else list(rows)
            kind = REAL if any(isinstance(x, float) for x in numbers) else WHOLE
            kept = ir.GlobalVariable(self.module, ir.ArrayType(kind, len(numbers)), f"table.{name}")
            kept.initializer = ir.Constant(kept.value_type, numbers)
            kept.global_constant, kept.linkage = True, "internal"
            first = kept.bitcast(kind.as_pointer())
            self.tables[name] = Place(first, (len(rows), size) if nested else (size,))
        return self.tables[name]

    def moved(self, place: Place, indices: Sequence[Any]) -> Place:
        offset: Any = 0
        for index, stride in zip(indices, place.strides, strict=False):
            offset = self.binary(ast.Add(), offset, self.binary(ast.Mult(), index, stride))
        pointer = place.pointer
        if isinstance(offset, Lanes):
            pointer = self.builder.gep(pointer, [self.of(offset.offset, WHOLE, 0)])
            pointer = self.builder.bitcast(pointer, ir.VectorType(REAL, self.width).as_pointer())
        else:
            pointer = self.builder.gep(pointer, [self.of(offset, WHOLE, 0)])
        return Place(pointer, place.shape[len(indices) :], place.record)

    def part(self, place: Place, name: str) -> Place:
        """A field of a record."""
        assert place.record is not None
        assert place.record.fields is not None
        kind, begin = place.record.fields[name][:2]
        pointer = self.builder.gep(place.pointer, [self.of(begin // NUMBER, WHOLE, 0)])
        return Place(pointer, kind.shape)

    def read(self, place: Any) -> Any:
        if not isinstance(place, Place) or not place.single:
            return place
        found = self.builder.load(place.pointer, align=alignment_of(kind_at(place)))
        return self.builder.icmp_signed("!=", found, ir.Constant(BYTE, 0)) if found.type == BYTE else found

    def write(self, place: Place, value: Any) -> None:
        target, kind = place.pointer.type.pointee, kind_at(place)
        width = target.count if isinstance(target, ir.VectorType) else 0
        self.builder.store(self.of(value, kind, width), place.pointer, align=alignment_of(kind))


def kind_at(place: Place) -> ir.Type:
    target = place.pointer.type.pointee
    return target.element if isinstance(target, ir.VectorType) else target


def alignment_of(kind: ir.Type) -> int:
    """Of elements in memory; vectors may begin at any of them."""
    return 1 if kind in (TRUTH, BYTE) else 8
