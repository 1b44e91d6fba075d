"""Inlining and loop unrolling of Python source, for numba's compiler for graphics processors.

The kernels are ordinary Python. Calls of their own functions are inlined with renamed variables, compile-time constants are
inserted, `if`s with a constant test are decided, and loops over constant ranges are unrolled. Small arrays and the record W of
a trajectory's variables become scalars (y[2] -> y_2, K[1, 0] -> K_1_0), fields of the records P of parameters become columns
(P[n].omega[0] -> P[n, 0]), and entries of constant tables are inserted as numbers.
For CPUs `base/translation.py` does the same while it writes LLVM code.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from spinsync.base.translation import Program

Record = np.dtype[Any]


class _Rename(ast.NodeTransformer):
    """Replaces the names of a function by expressions."""

    def __init__(self, replacement: Mapping[str, ast.expr]) -> None:
        self.replacement = replacement

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.replacement:
            return node
        new = copy.deepcopy(self.replacement[node.id])
        if isinstance(new, (ast.Name, ast.Subscript, ast.Attribute)):
            new.ctx = node.ctx
        return new


class _Unroll(ast.NodeTransformer):
    """Inserts compile-time constants, `known`. `records`: types of W, which becomes scalars, and of arrays of records."""

    def __init__(self, program: Program, records: Mapping[str, Record]) -> None:
        self.known, self.functions, self.records = dict(program.constants), program.functions, records
        self.shapes: dict[str, tuple[int, ...]] = {}  # of small arrays
        self.statements: list[ast.stmt] = []  # from inlined calls, inserted before the current statement
        self.calls = 0

    def value(self, node: ast.expr) -> Any:
        """The value of an expression. Raises NameError if it is no compile-time constant."""
        node = _Lengths(self).visit(copy.deepcopy(node))
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "kernel", "eval")
        return eval(code, {"__builtins__": {"range": range}}, self.known)

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        outer = self.statements
        for statement in statements:
            self.statements = []
            new = self.visit(copy.deepcopy(statement))
            out += self.statements + (new if isinstance(new, list) else [] if new is None else [new])
        self.statements = outer
        return out

    def visit_For(self, node: ast.For) -> Any:
        assert isinstance(node.target, ast.Name)
        out: list[ast.stmt] = []
        for value in self.value(node.iter):
            self.known[node.target.id] = value
            out += self.body(node.body)
            del self.known[node.target.id]
        return out

    def visit_While(self, node: ast.While) -> Any:
        node.test, node.body = self.visit(node.test), self.body(node.body)
        return node

    def visit_If(self, node: ast.If) -> Any:
        try:
            return self.body(node.body if self.value(node.test) else node.orelse)
        except NameError:
            node.test, node.body, node.orelse = self.visit(node.test), self.body(node.body), self.body(node.orelse)
            return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        node.value = self.visit(node.value)
        return None if isinstance(node.value, (ast.Constant, ast.Tuple)) else node

    def visit_Assign(self, node: ast.Assign) -> Any:
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and "np.empty" in ast.unparse(node.value):
            return self.body([ast.Assign([one], value) for one, value in zip(target.elts, node.value.elts, strict=True)])
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "np.empty":
            shape = self.value(node.value.args[0])
            self.shapes[ast.unparse(target)] = shape if isinstance(shape, tuple) else (shape,)
            return None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        """Insert the body of the function before the statement, and replace the call by the result."""
        name = ast.unparse(node.func)
        if name == "len":
            return ast.Constant(self.value(node))
        if name not in self.functions:
            return self.generic_visit(node)
        self.calls += 1
        function, number = self.functions[name], self.calls
        values = dict(zip((one.arg for one in function.args.args), node.args, strict=True))
        stored = {n.id for s in function.body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        renamed: dict[str, ast.expr] = {one: ast.Name(f"{one}_{number}", ast.Load()) for one in stored}
        copies = [ast.Assign([ast.Name(f"{one}_{number}", ast.Store())], values[one]) for one in sorted(stored & set(values))]
        inside = _Rename(values | renamed)
        body: list[ast.stmt] = [inside.visit(copy.deepcopy(statement)) for statement in function.body]
        result = body.pop() if isinstance(body[-1], ast.Return) else ast.Return(ast.Constant(None))
        self.statements += self.body([*copies, *body])
        assert isinstance(result, ast.Return)
        assert result.value is not None
        return self.visit(result.value)

    def access_path(self, node: ast.expr) -> tuple[str, list[Any]]:
        """The name at the root of an access such as P[n].omega[0], and its fields and indices from left to right."""
        if isinstance(node, ast.Attribute):
            root, path = self.access_path(node.value)
            return root, [*path, node.attr]
        if isinstance(node, ast.Subscript):
            root, path = self.access_path(node.value)
            return root, [*path, *(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice])]
        return ast.unparse(node), []

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        root, path = self.access_path(node)
        if root in self.shapes:
            return ast.Name("_".join([root, *(str(self.value(index)) for index in path)]), node.ctx)
        if root in self.records:
            first, rest = ([], path) if isinstance(path[0], str) or len(path) == 1 else (path[:1], path[1:])
            column = self.offset(root, rest)
            if root == "W":
                return ast.Name(f"W_{column}", node.ctx)
            index = [self.visit(one) for one in first] + [ast.Constant(column)]
            return ast.Subscript(ast.Name(root, ast.Load()), ast.Tuple(index, ast.Load()), node.ctx)
        if root in self.known:
            return ast.Constant(self.value(node))
        return self.generic_visit(node)

    def offset(self, root: str, path: list[Any]) -> int:
        """The position of a number in a record, given by itself or by a field with indices."""
        if not isinstance(path[0], str):
            return int(self.value(path[0]))
        fields = self.records[root].fields
        assert fields is not None
        kind, offset = fields[path[0]][:2]
        indices = tuple(int(self.value(index)) for index in path[1:])
        return int(offset // 8 + (np.ravel_multi_index(indices, kind.shape) if kind.shape else 0))

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        return ast.Constant(self.value(node)) if self.access_path(node)[0] in self.known else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        known = self.known.get(node.id)
        return ast.Constant(known) if isinstance(known, (int, float)) and isinstance(node.ctx, ast.Load) else node


class _Lengths(ast.NodeTransformer):
    """Evaluates `len` of small arrays, of their rows, and of fields of records."""

    def __init__(self, unroll: _Unroll) -> None:
        self.unroll = unroll

    def visit_Call(self, node: ast.Call) -> Any:
        if ast.unparse(node.func) != "len":
            return self.generic_visit(node)
        root, path = self.unroll.access_path(node.args[0])
        fields = [k for k, step in enumerate(path) if isinstance(step, str)]
        if root in self.unroll.records:
            shape = self.unroll.records[root][path[fields[0]]].shape
            return ast.Constant(shape[len(path) - fields[0] - 1])
        return ast.Constant(self.unroll.shapes[root][len(path)])


def unrolled(program: Program, names: list[str], records: Mapping[str, Record]) -> str:
    """The source of the named functions of a program, inlined and unrolled."""
    sources = []
    for name in names:
        function = copy.deepcopy(program.functions[name])
        function.body = _Unroll(program, records).body(function.body)
        removed = {*program.constants, "W", "cuda"}
        function.args.args = [ast.arg(one.arg) for one in function.args.args if one.arg not in removed]
        function.returns = None
        sources.append(ast.unparse(ast.fix_missing_locations(function)))
    return "\n\n\n".join(sources) + "\n"
