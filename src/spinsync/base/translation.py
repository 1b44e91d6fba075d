"""Functions of numbers and arrays, written in a part of Python, become code for LLVM.

What is known beforehand (the number of groups, the coefficients of a method) is put in while a function is translated:
tests of it are decided, loops over it are written out, tables of it become numbers. There is no search for types, which is
what makes numba take ten seconds for the thousand lines of a kernel: a name has the type of what it is first given.

The part of Python: numbers, tuples of results, `for` over `range`, `while`, `if`, `break`, `continue`, `return`, calls of
functions of the same texts, which are all written out where they are called, and

* arrays with parts (`x[i]`, `x.reshape`, `len`), records with named fields (`x.field`), `np.empty` of a known shape;
* known objects, whose attributes are known numbers and tables;
* `for lane in together(lanes)`: all lanes at once, in vectors. In it numbers are vectors, `x[i, lane]` is all of the last
  axis, tests can only choose between values, and `count(test)` is in how many lanes it holds;
* `bits` and `number`: the bits of a float as a whole number, and back. `vectors.py` has all four for the interpreter.

Both sides of `and`, `or` and `x if test else y` are worked out. Contractions and other orders of sums are allowed, nothing
is supposed about NaN and infinity.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from spinsync.base.llvm_expressions import Expressions
from spinsync.base.llvm_numbers import BYTE, REAL, TRUTH, WHOLE, Lanes, is_static, kind_of, width_of
from spinsync.base.llvm_places import Place, Scope, Text, contains, text_of

__all__ = ["Given", "Text", "text_of", "translated"]

KINDS = {"float64": REAL, "int64": WHOLE, "int8": BYTE, "bool": BYTE}


@dataclass(frozen=True)
class Given:
    """An argument of a kernel: a number, or a contiguous array with axes of these lengths after the first one.

    Its elements may be records of real numbers, with named fields; a record alone is an array without axes.
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

    def place(self, pointer: Any) -> Place:
        """Where it lies."""
        record = self.dtype if isinstance(self.dtype, np.dtype) else None
        return Place(pointer, () if self.inner is None else (None, *self.inner), record)


def translated(text: Text, name: str, signature: Mapping[str, Given]) -> str:
    """LLVM's code of one function of a text, whose arguments are of the types of the `signature`."""
    module = ir.Module(name)
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), [given.type for given in signature.values()]), name)
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    arguments: dict[str, Any] = {}
    for argument, (label, given) in zip(made.args, signature.items(), strict=True):
        arguments[label] = argument
        if given.array:
            argument.add_attribute("noalias")
            arguments[label] = given.place(argument)
    writer = Writer(text, module, builder)
    writer.body(text.functions[name].body, writer.scope(text.functions[name], arguments))
    builder.ret_void()
    return str(module)


class Writer(Expressions):
    """Writes statements, too."""

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
                self.give(one, value, scope)
        else:
            self.give(target, self.value(node.value, scope), scope)

    def statement_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Subscript):
            place = self.at(node.target, scope)
            self.write(place, self.binary(node.op, self.read(place), self.value(node.value, scope)))
        else:
            assert isinstance(node.target, ast.Name)
            before = self.look_up(node.target.id, scope)
            self.assign(node.target.id, self.binary(node.op, before, self.value(node.value, scope)), scope)

    def statement_break(self, node: ast.Break | ast.Continue, _: Scope) -> None:
        self.builder.branch(self.loops[-1][isinstance(node, ast.Break)])

    statement_continue = statement_break

    def give(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Subscript):
            self.write(self.at(target, scope), value)
        else:
            assert isinstance(target, ast.Name)
            self.assign(target.id, value, scope)

    def assign(self, name: str, value: Any, scope: Scope) -> None:
        if isinstance(value, Place) or (name in scope.lasting and is_static(value)):
            scope.bound[0][name] = value
            return
        if name not in scope.variables:
            scope.variables[name] = self.slot(kind_of(value))
        self.write(Place(scope.variables[name]), value)

    def statement_return(self, node: ast.Return, scope: Scope) -> None:
        values = [] if node.value is None else self.values(node.value, scope)
        if scope.results is None:
            scope.results = [self.slot(kind_of(value)) for value in values]
        for slot, value in zip(scope.results, values, strict=True):
            self.write(Place(slot), value)
        self.builder.branch(scope.end)

    def statement_if(self, node: ast.If, scope: Scope) -> None:
        test = self.value(node.test, scope)
        if isinstance(test, bool):
            self.body(node.body if test else node.orelse, scope)
            return
        if width_of(test):
            raise TypeError(f"lanes can't part at `if {ast.unparse(node.test)}`")
        yes, no, after = (self.builder.append_basic_block(name) for name in ("yes", "no", "after"))
        self.builder.cbranch(test, yes, no)
        for block, statements in ((yes, node.body), (no, node.orelse)):
            self.builder.position_at_end(block)
            self.body(statements, scope)
            if not self.builder.block.is_terminated:
                self.builder.branch(after)
        self.builder.position_at_end(after)

    def statement_while(self, node: ast.While, scope: Scope) -> None:
        head, inside, after = (self.builder.append_basic_block(name) for name in ("head", "inside", "after"))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        self.builder.cbranch(self.value(node.test, scope), inside, after)
        self.inside(inside, head, after, node.body, scope)
        if not self.builder.block.is_terminated:
            self.builder.branch(head)
        self.builder.position_at_end(after)

    def inside(self, block: Any, again: Any, after: Any, statements: list[ast.stmt], scope: Scope) -> None:
        self.builder.position_at_end(block)
        self.loops.append((again, after))
        self.body(statements, scope)
        self.loops.pop()

    def statement_for(self, node: ast.For, scope: Scope) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        name, bounds = node.target.id, [self.value(bound, scope) for bound in node.iter.args]
        if isinstance(node.iter.func, ast.Name) and node.iter.func.id == "together":
            self.width = bounds[0]
            self.with_bound(name, Lanes(), node.body, scope)
            self.width = 0
        elif is_static(*bounds) and not self.text.staying(name) and not contains(node, ast.Break, ast.Continue):
            for value in range(*bounds):
                self.with_bound(name, value, node.body, scope)
        else:
            self.counted(name, bounds, node.body, scope)

    def with_bound(self, name: str, value: Any, statements: list[ast.stmt], scope: Scope) -> None:
        scope.bound.append({name: value})
        self.body(statements, scope)
        scope.bound.pop()

    def counted(self, name: str, bounds: list[Any], statements: list[ast.stmt], scope: Scope) -> None:
        """A loop that stays one."""
        first, last, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        width, self.width = self.width, 0
        counter, self.width = self.slot(WHOLE), width
        self.write(Place(counter), first)
        head, inside, following, after = (self.builder.append_basic_block(f"{name}.{k}") for k in range(4))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        now = self.builder.load(counter)
        test = self.compare(ast.Lt() if step > 0 else ast.Gt(), now, last)
        self.builder.cbranch(self.of(test, TRUTH, 0), inside, after)
        scope.bound.append({name: now})
        self.inside(inside, following, after, statements, scope)
        scope.bound.pop()
        if not self.builder.block.is_terminated:
            self.builder.branch(following)
        self.builder.position_at_end(following)
        self.write(Place(counter), self.binary(ast.Add(), now, step))
        self.builder.branch(head)
        self.builder.position_at_end(after)
