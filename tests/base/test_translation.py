"""Functions compiled through LLVM agree with Python."""

import ast
import math
import struct
import time
from types import SimpleNamespace

import numpy as np
import pytest

from spinsync.base import compile_cache, notices
from spinsync.base.llvm_arithmetic import COMPARISONS, FLOAT_OPERATORS, INTEGER_OPERATORS, PYTHON_OPERATORS
from spinsync.base.native import native
from spinsync.base.translation import Argument, Program, translate
from spinsync.base.vectors import bits_to_float, count_true, float_bits, simd

REAL, INTEGER, ROW, BOOLEANS = (
    Argument("float64"),
    Argument("int64"),
    Argument("float64", ()),
    Argument("bool", ()),
)


def machine(source, name="f", *, constants=None, kept=(), **signature):
    """The function compiled to machine code."""
    program = Program.of(source, constants=constants or {}, keeps_loop=lambda loop: kept == "all" or loop in kept)
    sources = repr((source, constants, kept))
    return native("test", name, signature, sources, lambda: translate(program, name, signature))


def both(source, *arguments, constants=None, kept=(), **signature):
    """The first argument, an array, after the call; machine code and Python must agree."""
    space = {"math": math, "np": np, **(constants or {})}
    exec(source, space)
    ends = []
    for run in (space["f"], machine(source, constants=constants, kept=kept, **signature)):
        given = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]
        run(*given)
        ends.append(given[0])
    np.testing.assert_array_equal(*ends)
    return ends[0]


SUM = """
def f(out, x, n):
    total, k = 0.0, 0
    for i in range(n):
        if x[i] < 0.0:
            continue
        if x[i] > 8.0:
            break
        total += x[i]
        k += 2
    while k > 3 and not k == 4:
        k -= 1
    out[0], out[1] = total, k
    for i in range(n - 1, -1, -2):
        out[2] += i * x[i] ** 2
    out[3] = max(x[0], x[1]) - min(x[0], x[1]) + abs(x[2]) + math.sqrt(x[1])
"""


def test_loops_and_branches():
    x = np.array([1.0, 4.0, -2.0, 3.0, 9.0, 5.0])
    both(SUM, np.zeros(4), x, 6, out=ROW, x=ROW, n=INTEGER)
    both(SUM, np.zeros(4), x, 2, out=ROW, x=ROW, n=INTEGER)


RETURNS = """
def digits(x, base):
    count = 0
    while x >= base:
        x = x // base
        count += 1
        if count > 5:
            return False, count, 0.0
    return True, count, 1.5 * x


def squares(at, to):
    for i in range(3):
        to[i] = at[i] ** 2
    return to[0] + to[2]


def f(out, n):
    work = np.empty(3)
    for i in range(3):
        good, count, left = digits(n, 10)
        work[i] = (count if good else -1.0) + left
    out[1, 0] = squares(work, out[0])
    out[1, 1] = n % 7 + n // 3
    out[1, 2] = squares(out[0], work)
"""


@pytest.mark.parametrize("n", [3, 4711, 10**8])
def test_early_returns_and_writes_to_slices(n):
    both(RETURNS, np.zeros((2, 3)), n, out=Argument("float64", (3,)), n=INTEGER)


CONSTANTS = """
def f(out, x):
    for a in range(M):
        for j in range(1, a + 1):
            out[a] += TABLE[a][j] * x * WHOLES[j]
        if TANGENT:
            out[a] = -1.0
        if M > 2 and not TANGENT:
            out[a] += 0.5
        out[a] += 0.25 if (x > 2.0 and M == 3) or TANGENT else 100.0
        out[a] += 0.25 if (x > 5.0 or M == 3) and not TANGENT else 100.0
"""


@pytest.mark.parametrize("kept", [(), "all", ("j",)])
def test_constants_and_tables(kept):
    constants = {"M": 3, "TABLE": ((), (1.5, 2.5), (3.5, 4.5, 5.5)), "WHOLES": (1, 2, 3), "TANGENT": False}
    end = both(CONSTANTS, np.zeros(3), 3.0, constants=constants, kept=kept, out=ROW, x=REAL)
    assert end.tolist() == [1.0, 2.5 * 3 * 2 + 1.0, 4.5 * 3 * 2 + 5.5 * 3 * 3 + 1.0]


def test_loops_with_break_or_continue_are_not_unrolled():
    source = "def f(out, x):\n    for i in range(4):\n        if i == x:\n            continue\n        out[i] = 1.0\n"
    source += "    for i in range(4):\n        if i == x + 1:\n            break\n        out[i] += 2.0\n"
    assert both(source, np.zeros(4), 1, out=ROW, x=INTEGER).tolist() == [3.0, 2.0, 1.0, 1.0]


def test_loops_over_constant_ranges_are_unrolled_unless_excluded():
    counts = []
    for kept in ((), "all"):
        text = Program.of(
            "def f(x):\n    for i in range(5):\n        x[i] += 1.0\n",
            constants={}, keeps_loop=lambda _, kept=kept: kept == "all",
        )  # fmt: skip
        counts.append(translate(text, "f", {"x": ROW}).count("fadd"))
    assert counts == [5, 1]


TESTS = """
def f(out, x, y):
    out[0] = x < y or x > y
    out[1] = x == y
    out[2] = x != y
    out[3] = not x <= y
    out[4] = 0.0 < x < y and y < 1e300
    out[5] = (1.0 if x > y else 0.0) > 0.5
"""


@pytest.mark.parametrize("pair", [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0), (math.nan, 1.0), (math.nan, math.nan), (1.0, math.inf)])
def test_comparisons_agree_with_python_for_nan_and_infinity(pair):
    both(TESTS, np.zeros(6, bool), *pair, out=BOOLEANS, x=REAL, y=REAL)


def test_powers_and_infinity():
    both("def f(out, x):\n    out[0] = max(x, 1e-9) ** (-1.0 / 3.0)\n    out[1] = np.inf", np.zeros(2), 5.0, out=ROW, x=REAL)


BITS = """
def f(out, x):
    raw = float_bits(x)
    out[0] = float((raw >> 52) - 1023)
    out[1] = bits_to_float((raw & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    out[2] = int(x)
"""


@pytest.mark.parametrize("x", [1.0, 3.75, 1e-200])
def test_bits_of_a_float(x):
    out, space = np.zeros(3), {"float_bits": float_bits, "bits_to_float": bits_to_float}
    machine(BITS, out=ROW, x=REAL)(out, x)
    exec(BITS, space)
    space["f"](again := np.zeros(3), x)
    np.testing.assert_array_equal(again, out)
    mantissa, exponent = math.frexp(x)
    assert out.tolist() == [exponent - 1, 2 * mantissa, int(x)]
    assert struct.pack("<d", out[1] * 2.0 ** out[0]) == struct.pack("<d", x)


LANES = '''
def double(a, factor, to):
    for i in range(len(a)):
        to[i] = factor * FACTOR[i] * a[i]


def step(W, most):
    """Double everything, and count the lanes in which the sum is large or small."""
    done = 0
    for lane in simd(L):
        x, y = np.empty(N), np.empty(N)
        for i in range(N):
            x[i] = W.values[i, lane]
        double(x, 2.0, y)
        total = 0.0
        for i in range(N):
            total += y[i] if y[i] > 5.0 else math.sqrt(abs(y[i]))
            W.values[i, lane] = y[i]
        done += count_true(total > most or total < 3.0)
    return done


def f(W, most, rounds, out):
    for n in range(rounds):
        out[n] = step(W, most)
'''


@pytest.mark.parametrize("kept", [("n",), "all"])
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_lanes_are_independent(lanes, kept):
    factor = np.array([2.0, 0.25, 1.0])
    record, numbers = (
        np.dtype([("other", float, (5,)), ("values", float, (3, lanes))]),
        {"N": 3, "L": lanes, "FACTOR": tuple(factor)},
    )
    run = machine(LANES, constants=numbers, kept=kept, W=Argument(record), most=REAL, rounds=INTEGER, out=Argument("int64", ()))
    W, out = np.zeros((), record), np.zeros(4, np.int64)
    W["values"] = np.arange(3.0 * lanes).reshape(3, lanes)
    expected, counts, interpreted, found = W["values"].copy(), [], W.copy().view(np.recarray), np.zeros(4, np.int64)
    run(W, 30.0, 4, out)
    space = {"math": math, "np": np, "simd": simd, "count_true": count_true, **numbers}
    exec(LANES, space)
    space["f"](interpreted, 30.0, 4, found)
    for _ in range(4):
        expected = 2.0 * factor[:, None] * expected
        total = np.where(expected > 5.0, expected, np.sqrt(abs(expected))).sum(axis=0)
        counts.append(np.count_nonzero((total > 30.0) | (total < 3.0)))
    np.testing.assert_array_equal(W["values"], expected)
    np.testing.assert_array_equal(interpreted["values"], expected)
    assert out.tolist() == found.tolist() == counts
    assert not W["other"].any()


RECORDS = """
def f(out, records, n):
    for k in range(n):
        one = records[k]
        table = one.table.reshape(4)
        out[k] = one.scale * table[3] + len(one.table) + len(table) + LAYOUT.pairs[1][k]
        one.table[0, 1] = out[k]
"""


def test_records_have_named_fields_and_constant_objects_attributes():
    record = np.dtype([("scale", float), ("table", float, (2, 2))])
    given = np.zeros(3, record)
    given["scale"], given["table"] = [1.0, 2.0, 3.0], np.arange(12).reshape(3, 2, 2)
    run = machine(
        RECORDS,
        constants={"LAYOUT": SimpleNamespace(pairs=((0, 0, 0), (5, 6, 7)))},
        out=ROW,
        records=Argument(record, ()),
        n=INTEGER,
    )
    out = np.zeros(3)
    run(out, given, 3)
    assert out.tolist() == [3 + 6 + 5, 14 + 6 + 6, 33 + 6 + 7]
    assert given["table"][:, 0, 1].tolist() == out.tolist()
    assert given["scale"].tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(AssertionError, match="records is"):
        run(out, given.astype([("scale", float), ("other", float, (2, 2))]), 3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(x):\n    for lane in simd(8):\n        if x[lane] > 0.0:\n            x[lane] = 1.0\n", "lanes can't branch"),
        ("def f(x):\n    k = 1\n    k = x[0]\n", "an integer variable is assigned a real number"),
        ("def f(x):\n    with x:\n        pass\n", "no code for with x"),
        ("def f(x):\n    x[0] = lambda: 1\n", "no code for lambda"),
    ],
)
def test_unsupported_code_is_an_error(source, message):
    with pytest.raises(TypeError, match=message):
        machine(source, x=ROW)


@pytest.mark.parametrize("wrong", [np.zeros(3, np.float32), np.zeros((3, 2)), np.zeros(6)[::2], np.zeros(3, int)])
def test_arrays_of_other_types_or_layouts_are_refused(wrong):
    run = machine("def f(x):\n    x[0] = 1.0\n", x=ROW)
    with pytest.raises(AssertionError, match="x is"):
        run(wrong)


def test_machine_code_is_cached_and_a_damaged_file_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter([tmp_path]))
    text = Program.of("def f(x):\n    x[0] += 1.0\n", constants={}, keeps_loop=lambda _: True)
    compilations = []

    def code():
        compilations.append(1)
        return translate(text, "f", {"x": ROW})

    def run():
        x = np.zeros(1)
        native("kept", "f", {"x": ROW}, "this", code)(x)
        return x[0], len(compilations)

    assert run() == (1.0, 1)
    assert run() == (1.0, 1)  # from the file
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(entry.read_bytes()[:100] + b"\0" + entry.read_bytes()[101:])
    assert run() == (1.0, 2)
    assert run() == (1.0, 2)


def test_a_long_compilation_by_llvm_is_logged_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter([tmp_path]))
    monkeypatch.setattr(notices, "DELAY", 0.05)
    monkeypatch.setattr(notices, "_warnings_are_errors", lambda: False)

    def code():
        time.sleep(0.5)
        return translate(Program.of("def f(x):\n    x[0] = 1.0\n", constants={}, keeps_loop=bool), "f", {"x": ROW})

    for _ in range(2):  # the second one is read from the file
        native("slow_to_make", "f", {"x": ROW}, "that", code)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("spinsync compiles slow_to_make, which takes a while; the result is kept in ")


def test_every_operator_can_be_folded_and_compiled():
    assert {ast.Add, ast.Sub, ast.Mult, ast.Div} == set(FLOAT_OPERATORS)
    assert set(FLOAT_OPERATORS) | set(INTEGER_OPERATORS) | set(COMPARISONS) | {ast.Pow} == set(PYTHON_OPERATORS)
