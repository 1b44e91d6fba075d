"""The peak of fused multiply-adds of one core, and what share of it a kernel reaches."""

from __future__ import annotations

import ast
import time

import numpy as np
from numba import njit

from spinsync.numerics.lanes import Layout, source
from spinsync.theory import spin_equation


@njit(fastmath={"contract", "reassoc", "nsz"})
def _multiply_add(count: int, factor: float) -> float:
    x = np.empty(80)
    for i in range(80):
        x[i] = 1.0 + i * 1e-3
    for _ in range(count):
        for i in range(80):
            x[i] = x[i] * factor + 1e-9
    return x.sum()


def peak() -> float:
    """Floating-point operations per second of one core, as many multiply-adds as it can do."""
    _multiply_add(10, 0.999)
    best = np.inf
    for _ in range(5):
        begin = time.perf_counter()
        _multiply_add(2_000_000, 0.999)
        best = min(best, time.perf_counter() - begin)
    return 2 * 80 * 2_000_000 / best


def operations(layout: Layout) -> int:
    """Additions, multiplications, divisions and roots of one step of one lane, counted in the generated source."""
    tree = ast.parse(source(layout, spin_equation))
    step = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "step")
    lane = next(node for node in step.body if isinstance(node, ast.For))
    per_call = {"spin": 17, "spin_tangent": 25, "sqrt": 1}  # operations of theory/spin_equation.py
    total = 0
    for node in ast.walk(lane):
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and not isinstance(node.op, (ast.RShift, ast.BitAnd, ast.BitOr)):
            total += not _address(node)
        elif isinstance(node, ast.Call):
            total += per_call.get(getattr(node.func, "id", getattr(node.func, "attr", "")), 0)
    return total // layout.streams


def _address(node: ast.BinOp | ast.AugAssign) -> bool:
    """Arithmetic of whole numbers: places in a lane's row."""
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    floats = any(isinstance(child, ast.Constant) and isinstance(child.value, float) for child in ast.walk(node))
    return names <= {"lane"} and not floats
