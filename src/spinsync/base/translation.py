"""A small compiler from a subset of Python to LLVM's intermediate code, for functions of numbers and arrays.

Compile-time constants (number of groups, coefficients of a method) are inserted during the translation: tests of them are
decided, loops over them are unrolled, tables of them become numbers. There is no type inference, for which numba needs ten
seconds in the thousand lines of a kernel: a name has the type of its first value.

The subset: numbers, tuples of results, `for` over `range`, `while`, `if`, `break`, `continue`, `return`, calls of functions
of the same sources, which are all inlined, and

* arrays with slices (`x[i]`, `x.reshape`, `len`), records with named fields (`x.field`), `np.empty` of a constant shape;
* constant objects whose attributes are numbers and tables;
* `for lane in simd(lanes)`: the loop body in SIMD vectors. In it numbers are vectors, `x[i, lane]` is the whole last axis,
  tests can only select between values, and `count_true(test)` is the number of lanes in which a test holds;
* `float_bits` and `bits_to_float`: the bits of a float as an integer, and back. `vectors.py` has all four for the interpreter.

Both sides of `and`, `or` and `x if test else y` are evaluated. Fused multiply-adds and reordered sums are allowed; NaN and
infinity are respected.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from spinsync.base.llvm_arithmetic import BOOLEAN, BYTE, INTEGER, REAL, LaneIndex, is_constant, lane_count, scalar_type
from spinsync.base.llvm_expressions import Expressions
from spinsync.base.llvm_memory import ArrayView, Program, Scope, contains, source_of

__all__ = ["Argument", "Program", "source_of", "translate"]

KINDS = {"float64": REAL, "int64": INTEGER, "int8": BYTE, "bool": BYTE}


@dataclass(frozen=True)
class Argument:
    """Type of a kernel's argument: a number (inner=None), or a contiguous array with axes `inner` after the first.

    The elements may be records of real numbers with named fields; a single record is an array without axes.
    """

    dtype: str | np.dtype[Any]
    inner: tuple[int, ...] | None = None

    @property
    def array(self) -> bool:
        return self.inner is not None or isinstance(self.dtype, np.dtype)

    @property
    def type(self) -> ir.Type:
        kind = KINDS[self.dtype] if isinstance(self.dtype, str) else REAL
        return kind.as_pointer() if self.array else kind

    def view(self, pointer: Any) -> ArrayView:
        record = self.dtype if isinstance(self.dtype, np.dtype) else None
        return ArrayView(pointer, () if self.inner is None else (None, *self.inner), record)


def translate(program: Program, name: str, signature: Mapping[str, Argument]) -> str:
    """LLVM's intermediate code of one function of the program, for arguments of these types."""
    module = ir.Module(name)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [kind.type for kind in signature.values()]), name)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arguments: dict[str, Any] = {}
    for argument, (label, kind) in zip(function.args, signature.items(), strict=True):
        arguments[label] = argument
        if kind.array:
            argument.add_attribute("noalias")
            arguments[label] = kind.view(argument)
    writer = Writer(program, module, builder)
    writer.body(program.functions[name].body, writer.scope(program.functions[name], arguments))
    builder.ret_void()
    return str(module)


class Writer(Expressions):
    """Emits statements."""

    def body(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            if self.builder.block.is_terminated:
                return
            self.statement(statement, scope)

    def statement(self, node: ast.stmt, scope: Scope) -> None:
        write = getattr(self, f"statement_{type(node).__name__.lower()}", None)
        if write is None:
            raise TypeError(f"no code for {ast.unparse(node)}")
        write(node, scope)

    def statement_expr(self, node: ast.Expr, scope: Scope) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.value(node.value, scope)

    def statement_assign(self, node: ast.Assign, scope: Scope) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            for one, value in zip(target.elts, self.values(node.value, scope), strict=True):
                self.store(one, value, scope)
        else:
            self.store(target, self.value(node.value, scope), scope)

    def statement_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Subscript):
            view = self.locate(node.target, scope)
            self.write(view, self.binary(node.op, self.read(view), self.value(node.value, scope)))
        else:
            assert isinstance(node.target, ast.Name)
            before = self.look_up(node.target.id, scope)
            self.assign(node.target.id, self.binary(node.op, before, self.value(node.value, scope)), scope)

    def statement_break(self, node: ast.Break | ast.Continue, _: Scope) -> None:
        self.builder.branch(self.loops[-1][isinstance(node, ast.Break)])

    statement_continue = statement_break

    def store(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Subscript):
            self.write(self.locate(target, scope), value)
        else:
            assert isinstance(target, ast.Name)
            self.assign(target.id, value, scope)

    def assign(self, name: str, value: Any, scope: Scope) -> None:
        if isinstance(value, ArrayView) or (name in scope.assigned_once and is_constant(value)):
            scope.bindings[0][name] = value
            return
        if name not in scope.variables:
            scope.variables[name] = self.allocate(scalar_type(value))
        self.write(ArrayView(scope.variables[name]), value)

    def statement_return(self, node: ast.Return, scope: Scope) -> None:
        values = [] if node.value is None else self.values(node.value, scope)
        if scope.results is None:
            scope.results = [self.allocate(scalar_type(value)) for value in values]
        for pointer, value in zip(scope.results, values, strict=True):
            self.write(ArrayView(pointer), value)
        self.builder.branch(scope.end)

    def statement_if(self, node: ast.If, scope: Scope) -> None:
        test = self.value(node.test, scope)
        if isinstance(test, bool):
            self.body(node.body if test else node.orelse, scope)
            return
        if lane_count(test):
            raise TypeError(f"lanes can't branch differently at `if {ast.unparse(node.test)}`")
        yes, no, after = (self.builder.append_basic_block(name) for name in ("yes", "no", "after"))
        self.builder.cbranch(test, yes, no)
        for block, statements in ((yes, node.body), (no, node.orelse)):
            self.builder.position_at_end(block)
            self.body(statements, scope)
            if not self.builder.block.is_terminated:
                self.builder.branch(after)
        self.builder.position_at_end(after)

    def statement_while(self, node: ast.While, scope: Scope) -> None:
        head, loop_body, after = (self.builder.append_basic_block(name) for name in ("head", "inside", "after"))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        self.builder.cbranch(self.value(node.test, scope), loop_body, after)
        self.loop_body(loop_body, head, after, node.body, scope)
        if not self.builder.block.is_terminated:
            self.builder.branch(head)
        self.builder.position_at_end(after)

    def loop_body(self, block: Any, again: Any, after: Any, statements: list[ast.stmt], scope: Scope) -> None:
        self.builder.position_at_end(block)
        self.loops.append((again, after))
        self.body(statements, scope)
        self.loops.pop()

    def statement_for(self, node: ast.For, scope: Scope) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        name, bounds = node.target.id, [self.value(bound, scope) for bound in node.iter.args]
        if isinstance(node.iter.func, ast.Name) and node.iter.func.id == "simd":
            self.width = bounds[0]
            self.with_bound(name, LaneIndex(), node.body, scope)
            self.width = 0
        elif is_constant(*bounds) and not self.program.keeps_loop(name) and not contains(node, ast.Break, ast.Continue):
            for value in range(*bounds):
                self.with_bound(name, value, node.body, scope)
        else:
            self.counted_loop(name, bounds, node.body, scope)

    def with_bound(self, name: str, value: Any, statements: list[ast.stmt], scope: Scope) -> None:
        scope.bindings.append({name: value})
        self.body(statements, scope)
        scope.bindings.pop()

    def counted_loop(self, name: str, bounds: list[Any], statements: list[ast.stmt], scope: Scope) -> None:
        """A loop that is not unrolled."""
        first, last, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        width, self.width = self.width, 0
        counter, self.width = self.allocate(INTEGER), width
        self.write(ArrayView(counter), first)
        head, loop_body, following, after = (self.builder.append_basic_block(f"{name}.{k}") for k in range(4))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        now = self.builder.load(counter)
        test = self.compare(ast.Lt() if step > 0 else ast.Gt(), now, last)
        self.builder.cbranch(self.cast(test, BOOLEAN, 0), loop_body, after)
        scope.bindings.append({name: now})
        self.loop_body(loop_body, following, after, statements, scope)
        scope.bindings.pop()
        if not self.builder.block.is_terminated:
            self.builder.branch(following)
        self.builder.position_at_end(following)
        self.write(ArrayView(counter), self.binary(ast.Add(), now, step))
        self.builder.branch(head)
        self.builder.position_at_end(after)
