"""Straight-line source from readable loops, for a compiler that takes Python: numba's for graphics processors.

A template is ordinary Python. Calls of the template's own macros are replaced by their bodies, known numbers are put in,
`if`s with a known test are decided, loops over ranges of known numbers are written out, small arrays become scalars
(y[2] -> y_2, k[1][0] -> k_1_0), and tables become numbers. For processors `base/translation.py` does the same on the way
to LLVM.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Set
from typing import Any

from spinsync.base.translation import functions_of


class _Replace(ast.NodeTransformer):
    """Parameters of a macro by its arguments."""

    def __init__(self, arguments: Mapping[str, ast.expr]) -> None:
        self.arguments = arguments

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.arguments:
            return node
        new = copy.deepcopy(self.arguments[node.id])
        if isinstance(new, (ast.Name, ast.Subscript)):
            new.ctx = node.ctx
        return new


class _Unroll(ast.NodeTransformer):
    """Macros, known numbers, known tests; loops and small arrays written out."""

    def __init__(self, known: Mapping[str, Any], small: Set[str], macros: Mapping[str, ast.FunctionDef]) -> None:
        self.known, self.small, self.macros = dict(known), small, macros

    def value(self, node: ast.expr) -> Any:
        """The value of an expression of known numbers; NameError if something in it is not known."""
        code = compile(ast.fix_missing_locations(ast.Expression(copy.deepcopy(node))), "template", "eval")
        return eval(code, {"__builtins__": {"range": range, "len": len}}, self.known)

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in statements:
            new = self.visit(copy.deepcopy(statement))
            out += new if isinstance(new, list) else [] if new is None else [new]
        return out

    def visit_For(self, node: ast.For) -> Any:
        assert isinstance(node.target, ast.Name)
        try:
            values = self.value(node.iter)
        except NameError:
            node.iter, node.body = self.visit(node.iter), self.body(node.body)
            return node
        out: list[ast.stmt] = []
        for value in values:
            self.known[node.target.id] = value
            out += self.body(node.body)
            del self.known[node.target.id]
        return out

    def visit_If(self, node: ast.If) -> Any:
        try:
            return self.body(node.body if self.value(node.test) else node.orelse)
        except NameError:
            node.test, node.body, node.orelse = self.visit(node.test), self.body(node.body), self.body(node.orelse)
            return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in self.macros:
            macro = self.macros[call.func.id]
            arguments = {parameter.arg: argument for parameter, argument in zip(macro.args.args, call.args, strict=True)}
            return self.body([_Replace(arguments).visit(copy.deepcopy(s)) for s in macro.body if not _docstring(s)])
        return None if _docstring(node) else self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        indices: list[ast.expr] = []
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            indices.append(root.slice)
            root = root.value
        if isinstance(root, ast.Name) and root.id in self.small:
            name = "_".join([root.id, *(str(self.value(i)) for i in reversed(indices))])
            return ast.Name(name, node.ctx)
        if isinstance(root, ast.Name) and root.id in self.known:
            return ast.Constant(self.value(node))
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        known = self.known.get(node.id)
        return ast.Constant(known) if isinstance(known, (int, float)) and isinstance(node.ctx, ast.Load) else node


def _docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def unrolled(template: str, known: Mapping[str, Any], small: Set[str], macros: Set[str]) -> str:
    """The source of a template's functions, macros aside, with everything known written out."""
    functions = functions_of(template)
    written = _Unroll(known, small, {name: functions.pop(name) for name in macros})
    for function in functions.values():
        function.body = written.body(function.body)
    return "\n\n\n".join(ast.unparse(ast.fix_missing_locations(f)) for f in functions.values()) + "\n"
