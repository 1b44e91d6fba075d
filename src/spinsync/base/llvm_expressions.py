"""Expressions in the translation to LLVM (`translation.py`)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import partial, reduce
from itertools import pairwise
from math import prod
from typing import Any

from llvmlite import ir

from spinsync.base.llvm_arithmetic import INTEGER, REAL, is_constant, lane_count, scalar_type
from spinsync.base.llvm_memory import ArrayView, Memory, Scope, assigned, contains

MODULES = {"math", "np"}  # their supported functions are built in


class Expressions(Memory):
    """Emits expressions at the position of `builder`."""

    body: Callable[[Iterable[ast.stmt], Scope], None]  # emits statements
    assign: Callable[[str, Any, Scope], None]  # assigns a value to a name

    def scope(self, function: ast.FunctionDef, names: dict[str, Any]) -> Scope:
        times = assigned(function)
        scope = Scope([names], {name for name in times if times[name] == 1})
        for name in set(times) & set(names):
            self.assign(name, names.pop(name), scope)
        return scope

    def locate(self, node: ast.expr, scope: Scope) -> Any:
        """The array view, or the constant, that a name with subscripts and fields refers to."""
        if isinstance(node, ast.Attribute):
            found = self.locate(node.value, scope)
            return self.record_field(found, node.attr) if isinstance(found, ArrayView) else getattr(found, node.attr)
        if not isinstance(node, ast.Subscript):
            return self.value(node, scope)
        indices: list[Any] = []
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            own = root.slice.elts if isinstance(root.slice, ast.Tuple) else [root.slice]
            indices, root = [*(self.value(index, scope) for index in own), *indices], root.value
        found = self.locate(root, scope)
        if isinstance(found, tuple):
            if not is_constant(*indices):
                return self.element(self.constant_table(ast.unparse(root), found), indices)
            for index in indices:
                found = found[index]
            return found
        return self.element(found, indices)

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
        if isinstance(node.value, ast.Name) and node.value.id in MODULES:
            return float(node.attr) if node.attr == "inf" else node.attr
        return self.read(self.locate(node, scope))

    def value_of_subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        return self.read(self.locate(node, scope))

    def value_of_binop(self, node: ast.BinOp, scope: Scope) -> Any:
        return self.binary(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def value_of_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Any:
        return self.unary(node.op, self.value(node.operand, scope))

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
        return self.select(test, self.value(node.body, scope), self.value(node.orelse, scope))

    def values(self, node: ast.expr, scope: Scope) -> list[Any]:
        """The values of a tuple, or of a call with several results."""
        if isinstance(node, ast.Tuple):
            return [self.value(one, scope) for one in node.elts]
        found = self.value(node, scope)
        return found if isinstance(found, list) else [found]

    def value_of_call(self, node: ast.Call, scope: Scope) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id  # type: ignore[attr-defined]
        if name in ("empty", "zeros"):  # with a second argument: of integers
            shape = tuple(self.values(node.args[0], scope))
            return ArrayView(self.allocate(INTEGER if len(node.args) > 1 else REAL, prod(shape)), shape)
        if name == "reshape":
            assert isinstance(node.func, ast.Attribute)
            view = self.locate(node.func.value, scope)
            return ArrayView(view.pointer, tuple(self.value(one, scope) for one in node.args), view.record)
        arguments = [self.value(one, scope) for one in node.args]
        if name not in self.program.functions:
            return self.builtin(name, arguments)
        function = self.program.functions[name]
        return self.inline(function, dict(zip((one.arg for one in function.args.args), arguments, strict=True)))

    def builtin(self, name: str, given: list[Any]) -> Any:
        first = given[0]
        if name == "len":
            return first.shape[0]
        if name in ("max", "min"):
            larger = self.compare(ast.Gt() if name == "max" else ast.Lt(), given[1], first)
            return self.select(larger, given[1], first)
        if name == "count_true":
            lanes = self.builder.zext(self.builder.bitcast(first, ir.IntType(self.width)), INTEGER)
            return self.builder.call(self.module.declare_intrinsic("llvm.ctpop", [INTEGER]), [lanes])
        width = lane_count(first)
        if name in ("float_bits", "bits_to_float", "int"):
            kind = REAL if name == "bits_to_float" else INTEGER
            target = ir.VectorType(kind, width) if width else kind
            convert = self.builder.fptosi if name == "int" else self.builder.bitcast
            return first if name == "int" and scalar_type(first) == INTEGER else convert(first, target)
        if name == "float":
            return self.cast(first, REAL, width)
        return self.intrinsic({"abs": "llvm.fabs", "sqrt": "llvm.sqrt"}[name], self.cast(first, REAL, width))

    def inline(self, function: ast.FunctionDef, names: dict[str, Any]) -> Any:
        """Inline a call by value, with names of its own. Returns the result, a list of several, or None."""
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
        results = [self.builder.load(pointer) for pointer in scope.results or []]
        return results if len(results) > 1 else results[0] if results else None
