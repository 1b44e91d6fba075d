"""Arithmetic in the translation to LLVM (`translation.py`): constants are folded, other operations become instructions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

REAL, INTEGER, BOOLEAN, BYTE = ir.DoubleType(), ir.IntType(64), ir.IntType(1), ir.IntType(8)
FASTMATH = ("contract", "reassoc", "nsz", "arcp")
PYTHON_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.RShift: operator.rshift, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
FLOAT_OPERATORS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
INTEGER_OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "sdiv", ast.Mod: "srem", ast.RShift: "ashr",
    ast.BitAnd: "and_", ast.BitOr: "or_",
}  # fmt: skip
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class LaneIndex:
    """The loop variable of `simd` plus an offset: an index of all lanes at once."""

    offset: Any = 0


def is_constant(*values: Any) -> bool:
    return all(isinstance(value, (bool, int, float, tuple)) for value in values)


def scalar_type(value: Any) -> ir.Type:
    if isinstance(value, (bool, int, float)):
        return BOOLEAN if isinstance(value, bool) else INTEGER if isinstance(value, int) else REAL
    return value.type.element if isinstance(value.type, ir.VectorType) else value.type


def lane_count(value: Any) -> int:
    return value.type.count if isinstance(value, ir.Value) and isinstance(value.type, ir.VectorType) else 0


class Arithmetic:
    """Operations with the promotions of NumPy: scalar to vector, integer to real."""

    builder: Any
    module: ir.Module

    def cast(self, value: Any, kind: ir.Type, width: int) -> Any:
        """The value with this type and number of lanes; 0 lanes: a scalar."""
        if not isinstance(value, ir.Value):
            number = float(value) if kind is REAL else int(value)
            return ir.Constant(ir.VectorType(kind, width), [number] * width) if width else ir.Constant(kind, number)
        has, wide = scalar_type(value), lane_count(value)
        target = ir.VectorType(kind, wide) if wide else kind
        if kind == REAL and has != REAL:
            value = self.builder.sitofp(value, target) if has == INTEGER else self.builder.uitofp(value, target)
        elif has != kind:
            if has == REAL:
                raise TypeError("an integer variable is assigned a real number")
            bigger = kind.width > has.width
            value = (self.builder.zext if bigger else self.builder.trunc)(value, target)
        return self._splat(value, width) if width and not wide else value

    def _splat(self, value: Any, width: int) -> Any:
        many = ir.VectorType(value.type, width)
        one = self.builder.insert_element(ir.Constant(many, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width))

    def promote(self, a: Any, b: Any) -> tuple[Any, Any, ir.Type]:
        kinds = {scalar_type(a), scalar_type(b)}
        kind = REAL if REAL in kinds else INTEGER if INTEGER in kinds or BYTE in kinds else BOOLEAN
        width = max(lane_count(a), lane_count(b))
        return self.cast(a, kind, width), self.cast(b, kind, width), kind

    def binary(self, op: ast.operator, a: Any, b: Any) -> Any:
        if isinstance(a, LaneIndex) or isinstance(b, LaneIndex):
            lanes, other = (a, b) if isinstance(a, LaneIndex) else (b, a)
            return LaneIndex(self.binary(op, lanes.offset, other))
        if is_constant(a, b):
            return PYTHON_OPERATORS[type(op)](a, b)
        if isinstance(op, ast.Pow):
            return self.power(a, b)
        a, b, kind = self.promote(a, b)
        if isinstance(op, ast.Div) and kind != REAL:
            a, b, kind = self.cast(a, REAL, 0), self.cast(b, REAL, 0), REAL
        if kind == REAL:
            return getattr(self.builder, FLOAT_OPERATORS[type(op)])(a, b, flags=FASTMATH)
        return getattr(self.builder, INTEGER_OPERATORS[type(op)])(a, b)

    def power(self, a: Any, b: Any) -> Any:
        if b == 2:
            return self.binary(ast.Mult(), a, a)
        return self.intrinsic("llvm.pow", self.cast(a, REAL, 0), self.cast(b, REAL, 0))

    def intrinsic(self, name: str, *values: Any) -> Any:
        kind, width = values[0].type, lane_count(values[0])
        full = f"{name}.{f'v{width}' if width else ''}f64"
        declared = self.module.globals.get(full) or ir.Function(self.module, ir.FunctionType(kind, [kind] * len(values)), full)
        return self.builder.call(declared, values, fastmath=FASTMATH)

    def compare(self, op: ast.cmpop, a: Any, b: Any) -> Any:
        if is_constant(a, b):
            return PYTHON_OPERATORS[type(op)](a, b)
        a, b, kind = self.promote(a, b)
        if kind != REAL:
            return self.builder.icmp_signed(COMPARISONS[type(op)], a, b)
        ordered = not isinstance(op, ast.NotEq)  # NaN is unequal to everything
        return (self.builder.fcmp_ordered if ordered else self.builder.fcmp_unordered)(COMPARISONS[type(op)], a, b)

    def logic(self, op: ast.boolop, a: Any, b: Any) -> Any:
        absorbing = isinstance(op, ast.Or)
        for one, other in ((a, b), (b, a)):
            if isinstance(one, bool):
                return one if one == absorbing else other
        a, b, _ = self.promote(a, b)
        return (self.builder.or_ if absorbing else self.builder.and_)(a, b)

    def unary(self, op: ast.unaryop, value: Any) -> Any:
        if is_constant(value):
            return not value if isinstance(op, ast.Not) else -value
        if isinstance(op, ast.Not):
            return self.builder.not_(value)
        return self.builder.fneg(value, flags=FASTMATH) if scalar_type(value) == REAL else self.builder.neg(value)

    def select(self, test: Any, a: Any, b: Any) -> Any:
        if isinstance(test, bool):
            return a if test else b
        a, b, kind = self.promote(a, b)
        width = max(lane_count(test), lane_count(a))
        return self.builder.select(self.cast(test, BOOLEAN, width), self.cast(a, kind, width), self.cast(b, kind, width))
