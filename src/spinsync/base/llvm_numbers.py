"""Arithmetic while functions become code for LLVM (`translation.py`): with numbers that are known, and with instructions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

REAL, WHOLE, TRUTH, BYTE = ir.DoubleType(), ir.IntType(64), ir.IntType(1), ir.IntType(8)
LOOSE = ("contract", "reassoc", "nsz", "arcp")
STATIC: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.RShift: operator.rshift, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
REALS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
WHOLES = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "sdiv", ast.Mod: "srem", ast.RShift: "ashr",
    ast.BitAnd: "and_", ast.BitOr: "or_",
}  # fmt: skip
TESTS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class Lanes:
    """The index of the first lane, beside the others."""

    offset: Any = 0


def is_static(*values: Any) -> bool:
    return all(isinstance(value, (bool, int, float, tuple)) for value in values)


def kind_of(value: Any) -> ir.Type:
    if isinstance(value, (bool, int, float)):
        return TRUTH if isinstance(value, bool) else WHOLE if isinstance(value, int) else REAL
    return value.type.element if isinstance(value.type, ir.VectorType) else value.type


def width_of(value: Any) -> int:
    return value.type.count if isinstance(value, ir.Value) and isinstance(value.type, ir.VectorType) else 0


class Numbers:
    """Arithmetic: known numbers are worked out, others become instructions; scalars meet vectors and whole numbers reals."""

    builder: Any
    module: ir.Module

    def of(self, value: Any, kind: ir.Type, width: int) -> Any:
        """The value with this type in so many lanes; 0 for a scalar."""
        if not isinstance(value, ir.Value):
            number = float(value) if kind is REAL else int(value)
            return ir.Constant(ir.VectorType(kind, width), [number] * width) if width else ir.Constant(kind, number)
        has, wide = kind_of(value), width_of(value)
        target = ir.VectorType(kind, wide) if wide else kind
        if kind == REAL and has != REAL:
            value = self.builder.sitofp(value, target) if has == WHOLE else self.builder.uitofp(value, target)
        elif has != kind:
            if has == REAL:
                raise TypeError("a whole number is given a real one")
            bigger = kind.width > has.width
            value = (self.builder.zext if bigger else self.builder.trunc)(value, target)
        return self._splat(value, width) if width and not wide else value

    def _splat(self, value: Any, width: int) -> Any:
        many = ir.VectorType(value.type, width)
        one = self.builder.insert_element(ir.Constant(many, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width))

    def both(self, a: Any, b: Any) -> tuple[Any, Any, ir.Type]:
        kinds = {kind_of(a), kind_of(b)}
        kind = REAL if REAL in kinds else WHOLE if WHOLE in kinds or BYTE in kinds else TRUTH
        width = max(width_of(a), width_of(b))
        return self.of(a, kind, width), self.of(b, kind, width), kind

    def binary(self, op: ast.operator, a: Any, b: Any) -> Any:
        if isinstance(a, Lanes) or isinstance(b, Lanes):
            lanes, other = (a, b) if isinstance(a, Lanes) else (b, a)
            return Lanes(self.binary(op, lanes.offset, other))
        if is_static(a, b):
            return STATIC[type(op)](a, b)
        if isinstance(op, ast.Pow):
            return self.power(a, b)
        a, b, kind = self.both(a, b)
        if isinstance(op, ast.Div) and kind != REAL:
            a, b, kind = self.of(a, REAL, 0), self.of(b, REAL, 0), REAL
        if kind == REAL:
            return getattr(self.builder, REALS[type(op)])(a, b, flags=LOOSE)
        return getattr(self.builder, WHOLES[type(op)])(a, b)

    def power(self, a: Any, b: Any) -> Any:
        if b == 2:
            return self.binary(ast.Mult(), a, a)
        return self.intrinsic("llvm.pow", self.of(a, REAL, 0), self.of(b, REAL, 0))

    def intrinsic(self, name: str, *values: Any) -> Any:
        kind, width = values[0].type, width_of(values[0])
        full = f"{name}.{f'v{width}' if width else ''}f64"
        declared = self.module.globals.get(full) or ir.Function(self.module, ir.FunctionType(kind, [kind] * len(values)), full)
        return self.builder.call(declared, values, fastmath=LOOSE)

    def compare(self, op: ast.cmpop, a: Any, b: Any) -> Any:
        if is_static(a, b):
            return STATIC[type(op)](a, b)
        a, b, kind = self.both(a, b)
        if kind != REAL:
            return self.builder.icmp_signed(TESTS[type(op)], a, b)
        ordered = not isinstance(op, ast.NotEq)  # NaN differs from everything
        return (self.builder.fcmp_ordered if ordered else self.builder.fcmp_unordered)(TESTS[type(op)], a, b)

    def logic(self, op: ast.boolop, a: Any, b: Any) -> Any:
        absorbing = isinstance(op, ast.Or)
        for one, other in ((a, b), (b, a)):
            if isinstance(one, bool):
                return one if one == absorbing else other
        a, b, _ = self.both(a, b)
        return (self.builder.or_ if absorbing else self.builder.and_)(a, b)

    def negated(self, op: ast.unaryop, value: Any) -> Any:
        if is_static(value):
            return not value if isinstance(op, ast.Not) else -value
        if isinstance(op, ast.Not):
            return self.builder.not_(value)
        return self.builder.fneg(value, flags=LOOSE) if kind_of(value) == REAL else self.builder.neg(value)

    def chosen(self, test: Any, a: Any, b: Any) -> Any:
        if isinstance(test, bool):
            return a if test else b
        a, b, kind = self.both(a, b)
        width = max(width_of(test), width_of(a))
        return self.builder.select(self.of(test, TRUTH, width), self.of(a, kind, width), self.of(b, kind, width))
