"""Names, places in memory and expressions while functions become code for LLVM (`translation.py`)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import prod
from typing import Any

from llvmlite import ir

from spinsync.base.llvm_numbers import BYTE, REAL, TRUTH, WHOLE, Lanes, Numbers, is_static, kind_of, width_of


@dataclass(frozen=True)
class Place:
    """Where elements lie: those of an array, or of a part of one, with one stride per index that is still to come."""

    pointer: Any
    strides: tuple[int, ...]


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


def strides(inner: Sequence[int]) -> list[int]:
    return [prod(inner[k:]) for k in range(len(inner))]


def assigned(statements: Iterable[ast.stmt]) -> Counter[str]:
    """How many statements assign to each name."""
    nodes = (node for statement in statements for node in ast.walk(statement))
    return Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


class Expressions(Numbers):
    """Writes expressions behind the place where `builder` stands."""

    def __init__(self, text: Text, module: ir.Module, builder: ir.IRBuilder) -> None:
        self.text, self.module, self.builder = text, module, builder
        self.width = 0  # of the vectors that are being worked on
        self.loops: list[tuple[Any, Any]] = []  # where `continue` and `break` lead
        self.tables: dict[str, Place] = {}

    def body(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        """Write the statements of a function or a macro."""
        raise NotImplementedError

    def assign(self, name: str, value: Any, scope: Scope) -> None:
        """Give a name a value."""
        raise NotImplementedError

    def scope(self, function: ast.FunctionDef, names: dict[str, Any]) -> Scope:
        times = assigned(function.body)
        scope = Scope([names], frozenset() if self.text.macros else {name for name in times if times[name] == 1})
        for name in set(times) & set(names):
            self.assign(name, names.pop(name), scope)
        return scope

    def look_up(self, name: str, scope: Scope) -> Any:
        for names in reversed(scope.bound):
            if name in names:
                return names[name]
        if name in scope.variables:
            return self.builder.load(scope.variables[name], align=alignment_of(kind_at(Place(scope.variables[name], ()))))
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
        return Place(self.slot(kind, prod(shape)), (*strides(shape[1:]), 1))

    def table(self, name: str) -> Place:
        """A known table as memory, for loops that stay: ragged ones are filled up."""
        if name not in self.tables:
            rows = self.text.known[name]
            nested = isinstance(rows[0], tuple)
            size = max(len(row) for row in rows) if nested else 1
            numbers = [x for row in rows for x in (*row, *[0] * (size - len(row)))] if nested else list(rows)
            kind = REAL if any(isinstance(x, float) for x in numbers) else WHOLE
            kept = ir.GlobalVariable(self.module, ir.ArrayType(kind, len(numbers)), f"table.{name}")
            kept.initializer = ir.Constant(kept.value_type, numbers)
            kept.global_constant, kept.linkage = True, "internal"
            first = kept.bitcast(kind.as_pointer())
            self.tables[name] = Place(first, (size, 1) if nested else (1,))
        return self.tables[name]

    def at(self, node: ast.Subscript, scope: Scope) -> Any:
        """The place that a subscript names, or the known number."""
        slices: list[ast.expr] = []
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            own = root.slice.elts if isinstance(root.slice, ast.Tuple) else [root.slice]
            slices, root = [*own, *slices], root.value
        indices = [self.value(index, scope) for index in slices]
        assert isinstance(root, ast.Name)
        found = self.look_up(root.id, scope)
        if isinstance(found, tuple):
            if not is_static(*indices):
                return self.moved(self.table(root.id), indices)
            for index in indices:
                found = found[index]
            return found
        return self.moved(found, indices)

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
        return Place(pointer, place.strides[len(indices) :])

    def read(self, place: Any) -> Any:
        if not isinstance(place, Place) or place.strides:
            return place
        found = self.builder.load(place.pointer, align=alignment_of(kind_at(place)))
        return self.builder.icmp_signed("!=", found, ir.Constant(BYTE, 0)) if found.type == BYTE else found

    def write(self, place: Place, value: Any) -> None:
        target, kind = place.pointer.type.pointee, kind_at(place)
        width = target.count if isinstance(target, ir.VectorType) else 0
        self.builder.store(self.of(value, kind, width), place.pointer, align=alignment_of(kind))

    def value(self, node: ast.expr, scope: Scope) -> Any:
        kind = type(node).__name__
        if kind not in ("Constant", "Name", "Attribute", "Subscript", "BinOp", "UnaryOp", "Compare", "BoolOp", "IfExp", "Call"):
            raise TypeError(f"no code for {ast.unparse(node)}")
        return getattr(self, f"value_of_{kind.lower()}")(node, scope)

    def value_of_constant(self, node: ast.Constant, _: Scope) -> Any:
        return node.value

    def value_of_name(self, node: ast.Name, scope: Scope) -> Any:
        return self.look_up(node.id, scope)

    def value_of_attribute(self, node: ast.Attribute, _: Scope) -> Any:
        return float(node.attr) if node.attr == "inf" else node.attr

    def value_of_subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        return self.read(self.at(node, scope))

    def value_of_binop(self, node: ast.BinOp, scope: Scope) -> Any:
        return self.binary(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def value_of_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Any:
        return self.negated(node.op, self.value(node.operand, scope))

    def value_of_compare(self, node: ast.Compare, scope: Scope) -> Any:
        values = [self.value(one, scope) for one in (node.left, *node.comparators)]
        tests = [self.compare(op, a, b) for op, a, b in zip(node.ops, values, values[1:], strict=False)]
        return self.folded(ast.And(), tests)

    def value_of_boolop(self, node: ast.BoolOp, scope: Scope) -> Any:
        return self.folded(node.op, [self.value(one, scope) for one in node.values])

    def value_of_ifexp(self, node: ast.IfExp, scope: Scope) -> Any:
        test = self.value(node.test, scope)
        if isinstance(test, bool):
            return self.value(node.body if test else node.orelse, scope)
        return self.chosen(test, self.value(node.body, scope), self.value(node.orelse, scope))

    def folded(self, op: ast.boolop, tests: Sequence[Any]) -> Any:
        whole = tests[0]
        for test in tests[1:]:
            whole = self.logic(op, whole, test)
        return whole

    def values(self, node: ast.expr, scope: Scope) -> list[Any]:
        """Those of a tuple, or of a call that returns several."""
        if isinstance(node, ast.Tuple):
            return [self.value(one, scope) for one in node.elts]
        found = self.value(node, scope)
        return found if isinstance(found, list) else [found]

    def value_of_call(self, node: ast.Call, scope: Scope) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id  # type: ignore[attr-defined]
        if name in ("empty", "zeros"):
            return self.local(node, scope)
        arguments = [self.value(one, scope) for one in node.args]
        if name not in self.text.functions:
            return self.builtin(name, arguments)
        function = self.text.functions[name]
        names = dict(zip((one.arg for one in function.args.args), arguments, strict=True))
        if name in self.text.macros:
            scope.bound.append(names)
            self.body(function.body, scope)
            scope.bound.pop()
            return None
        return self.written_out(function, names)

    def local(self, node: ast.Call, scope: Scope) -> Place:
        first = node.args[0]
        shape = tuple(self.values(first, scope)) if isinstance(first, ast.Tuple) else (self.value(first, scope),)
        return self.array(shape, WHOLE if len(node.args) > 1 else REAL)

    def builtin(self, name: str, given: list[Any]) -> Any:
        first = given[0]
        if name in ("max", "min"):
            larger = self.compare(ast.Gt() if name == "max" else ast.Lt(), given[1], first)
            return self.chosen(larger, given[1], first)
        if name == "count":
            lanes = self.builder.zext(self.builder.bitcast(first, ir.IntType(self.width)), WHOLE)
            return self.builder.call(self.module.declare_intrinsic("llvm.ctpop", [WHOLE]), [lanes])
        width = width_of(first)
        if name in ("bits", "number", "int"):
            kind = REAL if name == "number" else WHOLE
            target = ir.VectorType(kind, width) if width else kind
            turn = self.builder.fptosi if name == "int" else self.builder.bitcast
            return first if name == "int" and kind_of(first) == WHOLE else turn(first, target)
        if name == "float":
            return self.of(first, REAL, width)
        return self.intrinsic({"abs": "llvm.fabs", "sqrt": "llvm.sqrt"}[name], self.of(first, REAL, width))

    def written_out(self, function: ast.FunctionDef, names: dict[str, Any]) -> Any:
        """A call by value: the body with names of its own; its results, None where it has none."""
        scope = self.scope(function, names)
        *before, last = function.body
        if isinstance(last, ast.Return) and not any(isinstance(n, ast.Return) for s in before for n in ast.walk(s)):
            self.body(before, scope)
            assert last.value is not None
            found = self.values(last.value, scope)
            return found if len(found) > 1 else found[0]
        scope.end = self.builder.append_basic_block(f"after.{function.name}")
        self.body(function.body, scope)
        if not self.builder.block.is_terminated:
            self.builder.branch(scope.end)
        self.builder.position_at_end(scope.end)
        results = [self.builder.load(slot) for slot in scope.results or []]
        return results if len(results) > 1 else results[0] if results else None


def kind_at(place: Place) -> ir.Type:
    target = place.pointer.type.pointee
    return target.element if isinstance(target, ir.VectorType) else target


def alignment_of(kind: ir.Type) -> int:
    """Of elements in memory; vectors may begin at any of them."""
    return 1 if kind in (TRUTH, BYTE) else 8
