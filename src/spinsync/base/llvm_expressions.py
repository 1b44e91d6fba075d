"""Expressions while functions become code for LLVM (`translation.py`)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import partial, reduce
from itertools import pairwise
from math import prod
from typing import Any

from llvmlite import ir

from spinsync.base.llvm_numbers import REAL, WHOLE, is_static, kind_of, width_of
from spinsync.base.llvm_places import Place, Places, Scope, assigned, contains

ELSEWHERE = {"math", "np"}  # whose names are known here


class Expressions(Places):
    """Writes expressions behind the place where `builder` stands."""

    body: Callable[[Iterable[ast.stmt], Scope], None]  # writes the statements of a function
    assign: Callable[[str, Any, Scope], None]  # gives a name a value

    def scope(self, function: ast.FunctionDef, names: dict[str, Any]) -> Scope:
        times = assigned(function)
        scope = Scope([names], {name for name in times if times[name] == 1})
        for name in set(times) & set(names):
            self.assign(name, names.pop(name), scope)
        return scope

    def at(self, node: ast.expr, scope: Scope) -> Any:
        """The place that a name with subscripts and fields means, or the known value."""
        if isinstance(node, ast.Attribute):
            found = self.at(node.value, scope)
            return self.part(found, node.attr) if isinstance(found, Place) else getattr(found, node.attr)
        if not isinstance(node, ast.Subscript):
            return self.value(node, scope)
        indices: list[Any] = []
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            own = root.slice.elts if isinstance(root.slice, ast.Tuple) else [root.slice]
            indices, root = [*(self.value(index, scope) for index in own), *indices], root.value
        found = self.at(root, scope)
        if isinstance(found, tuple):
            if not is_static(*indices):
                return self.moved(self.table(ast.unparse(root), found), indices)
            for index in indices:
                found = found[index]
            return found
        return self.moved(found, indices)

    def value(self, node: ast.expr, scope: Scope) -> Any:
        kind = type(node).__name__
        if kind not in ("Constant", "Name", "Attribute", "Subscript", "BinOp", "UnaryOp", "Compare", "BoolOp", "IfExp", "Call"):
            raise TypeError(f"no code for {ast.unparse(node)}")
        return getattr(self, f"value_of_{kind.lower()}")(node, scope)

    def value_of_constant(self, node: ast.Constant, _: Scope) -> Any:
        return node.value

    def value_of_name(self, node: ast.Name, scope: Scope) -> Any:
        return self.look_up(node.id, scope)

    def value_of_attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id in ELSEWHERE:
            return float(node.attr) if node.attr == "inf" else node.attr
        return self.read(self.at(node, scope))

    def value_of_subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        return self.read(self.at(node, scope))

    def value_of_binop(self, node: ast.BinOp, scope: Scope) -> Any:
        return self.binary(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def value_of_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Any:
        return self.negated(node.op, self.value(node.operand, scope))

    def value_of_compare(self, node: ast.Compare, scope: Scope) -> Any:
        values = [self.value(one, scope) for one in (node.left, *node.comparators)]
        tests = [self.compare(op, a, b) for op, (a, b) in zip(node.ops, pairwise(values), strict=True)]
        return reduce(partial(self.logic, ast.And()), tests)

    def value_of_boolop(self, node: ast.BoolOp, scope: Scope) -> Any:
        return reduce(partial(self.logic, node.op), [self.value(one, scope) for one in node.values])

    def value_of_ifexp(self, node: ast.IfExp, scope: Scope) -> Any:
        test = self.value(node.test, scope)
        if isinstance(test, bool):
            return self.value(node.body if test else node.orelse, scope)
        return self.chosen(test, self.value(node.body, scope), self.value(node.orelse, scope))

    def values(self, node: ast.expr, scope: Scope) -> list[Any]:
        """Those of a tuple, or of a call that returns several."""
        if isinstance(node, ast.Tuple):
            return [self.value(one, scope) for one in node.elts]
        found = self.value(node, scope)
        return found if isinstance(found, list) else [found]

    def value_of_call(self, node: ast.Call, scope: Scope) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id  # type: ignore[attr-defined]
        if name in ("empty", "zeros"):  # with a second argument of whole numbers
            shape = tuple(self.values(node.args[0], scope))
            return Place(self.slot(WHOLE if len(node.args) > 1 else REAL, prod(shape)), shape)
        if name == "reshape":
            assert isinstance(node.func, ast.Attribute)
            place = self.at(node.func.value, scope)
            return Place(place.pointer, tuple(self.value(one, scope) for one in node.args), place.record)
        arguments = [self.value(one, scope) for one in node.args]
        if name not in self.text.functions:
            return self.builtin(name, arguments)
        function = self.text.functions[name]
        return self.written_out(function, dict(zip((one.arg for one in function.args.args), arguments, strict=True)))

    def builtin(self, name: str, given: list[Any]) -> Any:
        first = given[0]
        if name == "len":
            return first.shape[0]
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
        if isinstance(last, ast.Return) and not any(contains(statement, ast.Return) for statement in before):
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
