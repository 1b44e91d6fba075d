"""What can be done with straight-line code: several copies of it side by side, and names that are assigned to once."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Set
from typing import Any


class Stream(ast.NodeTransformer):
    """One of several independent copies of straight-line code: its own names, its own lanes."""

    def __init__(self, names: Set[str], number: int, width: int) -> None:
        self.names, self.number, self.width = names, number, width

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return ast.Name(f"{node.id}_s{self.number}", node.ctx)
        if node.id == "lane" and self.number:
            return ast.BinOp(node, ast.Add(), ast.Constant(self.number * self.width))
        return node


class Once(ast.NodeTransformer):
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


def lane_loops(function: ast.FunctionDef) -> Iterator[tuple[ast.For, set[str]]]:
    """The loops over lanes of a function, and the names of their own."""
    for loop in function.body:
        if isinstance(loop, ast.For) and getattr(loop.target, "id", "") == "lane":
            outside = assigned([s for s in function.body if s is not loop], loops=False)
            yield loop, assigned(loop.body, loops=False) - outside


def interleaved(function: ast.FunctionDef, streams: int, width: int) -> None:
    """Several vectors of lanes at once, statement by statement: one's waiting is the other's work."""
    for loop, names in lane_loops(function):
        loop.iter = ast.parse(f"range({width})", mode="eval").body
        loop.body = [Stream(names, k, width).visit(copy.deepcopy(s)) for s in loop.body for k in range(streams)]


def assigned(statements: Iterable[ast.stmt], loops: bool) -> set[str]:
    """Names that are assigned to, or that loops run over."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    targets = {node.target.id for node in nodes if isinstance(node, ast.For) and isinstance(node.target, ast.Name)}
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return targets if loops else names - targets
