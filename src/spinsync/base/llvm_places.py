"""Names, and places in memory, while functions become code for LLVM (`translation.py`)."""

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

from spinsync.base.llvm_numbers import BYTE, REAL, TRUTH, WHOLE, Lanes, Numbers, is_static

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

    Names that are given a value at one place only stay known where the value is.
    """

    bound: list[dict[str, Any]]
    lasting: Set[str] = frozenset()
    variables: dict[str, Any] = field(default_factory=dict)
    results: list[Any] | None = None
    end: Any = None


@dataclass(frozen=True)
class Text:
    """What is translated: functions by name, and what is known: numbers, tables, and objects that have them as attributes."""

    functions: Mapping[str, ast.FunctionDef]
    known: Mapping[str, Any]
    staying: Callable[[str], bool]  # whether a loop over this name stays a loop

    @classmethod
    def of(cls, *sources: str | ModuleType, known: Mapping[str, Any], staying: Callable[[str], bool]) -> Text:
        """Texts or modules, whose functions may call each other; modules with their numbers and tables, own or imported."""
        modules = [source for source in sources if isinstance(source, ModuleType)]
        numbers = {name: value for module in modules for name, value in vars(module).items() if is_static(value)}
        texts = [source if isinstance(source, str) else text_of(source) for source in sources]
        return cls({name: made for text in texts for name, made in functions_of(text).items()}, numbers | dict(known), staying)


def text_of(module: ModuleType) -> str:
    """The text that a module is made of."""
    return Path(str(module.__file__)).read_text(encoding="utf-8")


@cache
def functions_of(source: str) -> Mapping[str, ast.FunctionDef]:
    """The functions of a text, by name; they are shared, and so not to be changed."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


@cache
def assigned(function: ast.FunctionDef) -> Counter[str]:
    """How many statements assign to each name."""
    return Counter(n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


@cache
def contains(node: ast.stmt, *kinds: type[ast.stmt]) -> bool:
    """Whether there are statements of these kinds in it."""
    return any(isinstance(one, kinds) for one in ast.walk(node))


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
        return self.text.known[name]

    def slot(self, kind: ir.Type, count: int = 1) -> Any:
        """Memory of a function: `count` elements, each as wide as what is being worked on."""
        wide = ir.VectorType(kind, self.width) if self.width else kind
        with self.builder.goto_entry_block():
            made = self.builder.alloca(ir.ArrayType(wide, count))
            return self.builder.bitcast(made, wide.as_pointer())

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
        lanes = isinstance(offset, Lanes)
        pointer = self.builder.gep(place.pointer, [self.of(offset.offset if lanes else offset, WHOLE, 0)])
        if lanes:
            pointer = self.builder.bitcast(pointer, ir.VectorType(REAL, self.width).as_pointer())
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
