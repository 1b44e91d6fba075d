"""Straight-line code from readable loops: what a compiler needs to put many trajectories side by side in vector lanes.

A template is ordinary Python. Loops over ranges of known numbers are written out, `if`s with a known test are decided,
small arrays become scalars (y[2] -> y_2, k[1][0] -> k_1_0), tables become numbers, and calls of the template's own
macros are replaced by their bodies. One loop is left as it is: that over `lane`, which the compiler vectorizes.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from typing import Any


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
    def __init__(self, known: Mapping[str, Any], small: frozenset[str], macros: Mapping[str, ast.FunctionDef]) -> None:
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
            values = None if node.target.id == "lane" else self.value(node.iter)
        except NameError:
            values = None
        if values is None:
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


def unrolled(template: str, known: Mapping[str, Any], small: frozenset[str], macros: frozenset[str]) -> str:
    """The source of a template's functions, macros aside, with `known` numbers and tables put in."""
    functions = [node for node in ast.parse(template).body if isinstance(node, ast.FunctionDef)]
    unroll = _Unroll(known, small, {f.name: f for f in functions if f.name in macros})
    out = []
    for function in functions:
        if function.name not in macros:
            function.body = unroll.body(function.body)
            out.append(ast.unparse(ast.fix_missing_locations(function)))
    return "\n\n\n".join(out) + "\n"


def functions(template: str) -> frozenset[str]:
    """Names of a template's functions."""
    return frozenset(node.name for node in ast.parse(template).body if isinstance(node, ast.FunctionDef))
