"""Straight-line code from readable loops: what a compiler needs to put many trajectories side by side in vector lanes.

A template is ordinary Python. Calls of the template's own macros are replaced by their bodies, known numbers are put in,
and `if`s with a known test are decided. Then there are two ways. `unrolled`: loops over ranges of known numbers are
written out, small arrays become scalars (y[2] -> y_2, k[1][0] -> k_1_0), tables become numbers; the loop over `lane` is
left as it is, and the compiler vectorizes it. A macro may also become a function of scalars, which is analyzed once,
however often it is called. Code and compile time grow with the cube of the number of groups, so for many of them
`looped`: loops stay, small arrays and scalars get one more axis for the lane, and the loop over `lane` is put around
every run of simple statements.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Mapping, Set
from typing import Any

from spinsync.numerics.straight_line import Once, assigned, interleaved, lane_loops


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

    def __init__(
        self,
        known: Mapping[str, Any],
        small: Set[str],
        macros: Mapping[str, ast.FunctionDef],
        staying: Set[str] = frozenset(),
        apart: Set[str] = frozenset(),
    ) -> None:
        self.known, self.small, self.macros, self.staying = dict(known), small, macros, staying
        self.apart: dict[str, _Apart | None] = dict.fromkeys(sorted(apart))  # the same source in every process

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
            values = None if node.target.id in self.staying else self.value(node.iter)
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
            if macro.name in self.apart:
                return self.visit(self.function(macro).called(arguments))
            return self.body([_Replace(arguments).visit(copy.deepcopy(s)) for s in macro.body if not _docstring(s)])
        return None if _docstring(node) else self.generic_visit(node)

    def function(self, macro: ast.FunctionDef) -> _Apart:
        made = self.apart[macro.name]
        if made is None:
            formal = {parameter.arg for parameter in macro.args.args}
            body = _Unroll(self.known, self.small | formal, self.macros).body(macro.body)
            made = self.apart[macro.name] = _Apart(macro.name, formal, self.small | formal, body)
        return made

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


class _Apart:
    """A macro as a function: elements of small arrays in, elements of its parameters that it assigns to out."""

    def __init__(self, name: str, formal: Set[str], small: Set[str], body: list[ast.stmt]) -> None:
        self.name, self.formal, self.body = name, formal, body
        taken: dict[str, None] = {}
        given: dict[str, None] = {}
        for statement in body:
            names = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and _root(node.id) in small]
            stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
            again = stored if isinstance(statement, ast.AugAssign) else set()
            read = {node.id for node in names if isinstance(node.ctx, ast.Load)} | again
            taken |= dict.fromkeys(sorted(read - set(given)))
            given |= dict.fromkeys(sorted(stored))
        self.taken, self.given = list(taken), [name for name in given if _root(name) in formal]

    def called(self, arguments: Mapping[str, ast.expr]) -> ast.Assign:
        def element(name: str, context: ast.expr_context) -> ast.expr:
            node: ast.expr = ast.Name(name, context)
            if _root(name) in self.formal:
                node = copy.deepcopy(arguments[_root(name)])
                for index in name.split("_")[1:]:
                    node = ast.Subscript(node, ast.Constant(int(index)), context)
            return node

        call = ast.Call(ast.Name(self.name, ast.Load()), [element(name, ast.Load()) for name in self.taken], [])
        return ast.Assign([ast.Tuple([element(name, ast.Store()) for name in self.given], ast.Store())], call)

    def definition(self) -> ast.FunctionDef:
        out = ast.Return(ast.Tuple([ast.Name(name, ast.Load()) for name in self.given], ast.Load()))
        function = ast.parse(f"def {self.name}({', '.join(self.taken)}): pass").body[0]
        assert isinstance(function, ast.FunctionDef)
        function.body = [*self.body, out]
        return function


def _root(name: str) -> str:
    """The small array of which a scalar is an element."""
    return re.sub(r"(_\d+)+$", "", name)


class _Loop(_Unroll):
    """Macros, known numbers, known tests; loops stay, tables and small arrays are indexed."""

    def visit_For(self, node: ast.For) -> Any:  # a loop variable hides nothing, as all names of the template differ
        node.iter, node.body = self.visit(node.iter), self.body(node.body)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        slices: list[ast.expr] = []
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            slices.insert(0, root.slice)
            root = root.value
        if not isinstance(root, ast.Name) or root.id not in {*self.small, *self.known}:
            return self.generic_visit(node)
        indices: list[ast.expr] = [self.visit(index) for index in slices]
        if root.id in self.small:
            indices.append(ast.Name("lane", ast.Load()))
        return ast.Subscript(root, ast.Tuple(indices, ast.Load()), node.ctx)


class _PerLane(ast.NodeTransformer):
    """Scalars of the loop over lanes by their own entry of an array."""

    def __init__(self, names: Set[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            return node
        return ast.Subscript(ast.Name(node.id, ast.Load()), ast.Name("lane", ast.Load()), node.ctx)


def _distributed(statements: list[ast.stmt], around: ast.For) -> list[ast.stmt]:
    """The loop `around` each run of simple statements, inside all other loops."""
    out: list[ast.stmt] = []
    for statement in statements:
        if isinstance(statement, ast.For):
            statement.body = _distributed(statement.body, around)
            out.append(statement)
            continue
        if not (out and isinstance(out[-1], ast.For) and getattr(out[-1].target, "id", "") == "lane"):
            out.append(ast.For(copy.deepcopy(around.target), copy.deepcopy(around.iter), [], []))
        out[-1].body.append(statement)  # type: ignore[attr-defined]
    return out


def _over_lanes(function: ast.FunctionDef, small: Mapping[str, tuple[int, ...]], lanes: int) -> dict[str, tuple[int, ...]]:
    """The loop over lanes inside all other loops of a function; shapes of the arrays that it then works on."""
    arrays = {name: (*shape, lanes) for name, shape in small.items()}
    body: list[ast.stmt] = []
    for k, statement in enumerate(function.body):
        if isinstance(statement, ast.For) and getattr(statement.target, "id", "") == "lane":
            before = assigned(function.body[:k], loops=False)
            own = assigned(statement.body, loops=False) - before - set(small)
            arrays |= dict.fromkeys(sorted(own), (lanes,))
            body += _distributed([_PerLane(own).visit(s) for s in statement.body], statement)
        else:
            body.append(statement)
    function.body = body
    used = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return {name: shape for name, shape in arrays.items() if name in used}


def _functions(template: str, transform: _Unroll) -> list[ast.FunctionDef]:
    out = []
    for function in ast.parse(template).body:
        if isinstance(function, ast.FunctionDef) and function.name not in transform.macros:
            function.body = transform.body(function.body)
            out.append(function)
    return out


def _macros(template: str, names: Set[str]) -> dict[str, ast.FunctionDef]:
    return {f.name: f for f in ast.parse(template).body if isinstance(f, ast.FunctionDef) and f.name in names}


def _text(functions: Iterable[ast.stmt]) -> str:
    return "\n\n\n".join(ast.unparse(ast.fix_missing_locations(f)) for f in functions) + "\n"


def unrolled(
    template: str,
    known: Mapping[str, Any],
    small: Mapping[str, tuple[int, ...]],
    macros: Set[str],
    *,
    streams: int = 1,
    staying: Set[str] = frozenset({"lane"}),
    apart: Set[str] = frozenset(),
) -> str:
    """The source of a template's functions, macros aside, with everything known written out.

    The lanes of `step` are worked on as `streams` vectors at once. Loops over the names `staying` stay loops; the macros
    `apart` become functions of scalars.
    """
    transform = _Unroll(known, set(small), _macros(template, macros), staying, apart)
    functions = _functions(template, transform)
    for function in functions:
        for loop, names in lane_loops(function):
            once = Once(names)
            loop.body = [once.visit(statement) for statement in loop.body]
        if function.name == "step" and streams > 1:
            interleaved(function, streams, known["LANES"] // streams)
    return _text([made.definition() for made in transform.apart.values() if made] + functions)


def looped(
    template: str, known: Mapping[str, Any], small: Mapping[str, tuple[int, ...]], macros: Set[str], whole: Set[str]
) -> str:
    """The same with loops; `small` gives the shapes of small arrays, `whole` the scalars that are whole numbers.

    `step` is the function with the loop over lanes, `load` works on one lane.
    """
    functions = {f.name: f for f in _functions(template, _Loop(known, set(small), _macros(template, macros)))}
    lanes = known["LANES"]
    made = {"load": {name: (*shape, lanes) for name, shape in small.items()}}
    made["step"] = _over_lanes(functions["step"], small, lanes)
    for name, arrays in made.items():  # local arrays: handed over, they might overlap for all that a compiler knows
        make = [f"{n} = np.empty({shape}{', np.int64' * (n in whole)})" for n, shape in arrays.items()]
        functions[name].body = [*ast.parse("\n".join(make)).body, *functions[name].body]
    tables = {name: value for name, value in known.items() if isinstance(value, (tuple, list))}
    head = "\n".join(f"{name} = np.array({_padded(value)!r})" for name, value in tables.items())
    return head + "\n\n\n" + _text(functions.values())


def _padded(table: Any) -> Any:
    """A ragged table with zeros where there is nothing."""
    if not isinstance(table[0], (tuple, list)):
        return list(table)
    width = max(len(row) for row in table)
    return [[*row, *([0.0] * (width - len(row)))] for row in table]


def functions(template: str) -> frozenset[str]:
    """Names of a template's functions."""
    return frozenset(node.name for node in ast.parse(template).body if isinstance(node, ast.FunctionDef))
