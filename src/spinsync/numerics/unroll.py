"""Straight-line code from readable loops: what a compiler needs to put many trajectories side by side in vector lanes.

A template is ordinary Python. Calls of the template's own macros are replaced by their bodies, known numbers are put in,
and `if`s with a known test are decided. Then there are two ways. `unrolled`: loops over ranges of known numbers are
written out, small arrays become scalars (y[2] -> y_2, k[1][0] -> k_1_0), tables become numbers; the loop over `lane` is
left as it is, and the compiler vectorizes it. Code and compile time grow with the cube of the number of groups, so for
many of them `looped`: loops stay, small arrays and scalars get one more axis for the lane, and the loop over `lane` is
put around every run of simple statements.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping, Set
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


class _Stream(ast.NodeTransformer):
    """One of several independent copies of straight-line code: its own names, its own lanes."""

    def __init__(self, names: Set[str], number: int, width: int) -> None:
        self.names, self.number, self.width = names, number, width

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return ast.Name(f"{node.id}_s{self.number}", node.ctx)
        if node.id == "lane" and self.number:
            return ast.BinOp(node, ast.Add(), ast.Constant(self.number * self.width))
        return node


class _Once(ast.NodeTransformer):
    """Straight-line code in which each of `names` is assigned to once: a new name for every later value.

    What the compiler would find out by itself, in a time that grows with the square of the code.
    """

    def __init__(self, names: Set[str]) -> None:
        self.values = dict.fromkeys(names, -1)

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        node.value = self.visit(node.value)
        node.targets = [self.visit(target) for target in node.targets]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if not (isinstance(node.target, ast.Name) and node.target.id in self.values):
            return self.generic_visit(node)
        before = ast.Name(node.target.id, ast.Load())
        return self.visit(ast.Assign([node.target], ast.BinOp(before, node.op, node.value)))

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id not in self.values:
            return node
        self.values[node.id] += isinstance(node.ctx, ast.Store)
        value = self.values[node.id]
        return ast.Name(f"{node.id}_v{value}" if value > 0 else node.id, node.ctx)


def _lane_loops(function: ast.FunctionDef) -> Iterator[tuple[ast.For, set[str]]]:
    """The loops over lanes of a function, and the names of their own."""
    for loop in function.body:
        if isinstance(loop, ast.For) and getattr(loop.target, "id", "") == "lane":
            outside = _stored([s for s in function.body if s is not loop], loops=False)
            yield loop, _stored(loop.body, loops=False) - outside


def _interleaved(function: ast.FunctionDef, streams: int, width: int) -> None:
    """Several vectors of lanes at once, statement by statement: one's waiting is the other's work."""
    for loop, names in _lane_loops(function):
        loop.iter = ast.parse(f"range({width})", mode="eval").body
        loop.body = [_Stream(names, k, width).visit(copy.deepcopy(s)) for s in loop.body for k in range(streams)]


class _PerLane(ast.NodeTransformer):
    """Scalars of the loop over lanes by their own entry of an array."""

    def __init__(self, names: Set[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            return node
        return ast.Subscript(ast.Name(node.id, ast.Load()), ast.Name("lane", ast.Load()), node.ctx)


def _stored(statements: Iterable[ast.stmt], loops: bool) -> set[str]:
    """Names that are assigned to, or that loops run over."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    targets = {node.target.id for node in nodes if isinstance(node, ast.For) and isinstance(node.target, ast.Name)}
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return targets if loops else names - targets


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
            before = _stored(function.body[:k], loops=False)
            own = _stored(statement.body, loops=False) - before - set(small)
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
    template: str, known: Mapping[str, Any], small: Mapping[str, tuple[int, ...]], macros: Set[str], streams: int = 1
) -> str:
    """The source of a template's functions, macros aside, with everything known written out.

    The lanes of `step` are worked on as `streams` vectors at once.
    """
    functions = _functions(template, _Unroll(known, set(small), _macros(template, macros)))
    for function in functions:
        for loop, names in _lane_loops(function):
            once = _Once(names)
            loop.body = [once.visit(statement) for statement in loop.body]
        if function.name == "step" and streams > 1:
            _interleaved(function, streams, known["LANES"] // streams)
    return _text(functions)


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
