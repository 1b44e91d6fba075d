"""Error messages about unusual values: masked, complex, time, missing, ragged, huge, and objects whose methods fail."""

import os
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import spinsync as ss
from error_cases import case_names, check_message
from spinsync.base import checks
from systems import laser, pair

ONE, TWO = laser(), pair(1.0, 16.0)
MASKED = np.ma.array([1.0, 2.0], mask=[0, 1])


class Lines:
    def __repr__(self):
        return "first\nsecond\x1b[31m"


class Broken:
    def __repr__(self):
        raise RuntimeError

    def __array__(self, *_, **__):
        raise RuntimeError


NO_REAL = [
    (np.ma.masked, "masked"),
    (True, "True"),
    (np.bool_(True), "True"),
    (np.complex64(2 + 3j), "(2+3j)"),
    (2 + 0j, "(2+0j)"),
    (np.timedelta64(1, "s"), "np.timedelta64(1,'s')"),
    (np.datetime64("2026-01-01"), "np.datetime64('2026-01-01')"),
    (timedelta(1), "datetime.timedelta(days=1)"),
    (pd.NA, "<NA>"),
    (pd.NaT, "NaT"),
    (pd.Series([1.0]), "0 1.0 dtype: float64"),
    ("\ud800", "'\\ud800'"),
    (b"3", "b'3'"),
    (np.str_("3"), "'3'"),
    (Lines(), "first second [31m"),
    (Broken(), "an object of type Broken"),
]


@pytest.mark.parametrize(("value", "shown"), NO_REAL, ids=case_names(__file__, "NO_REAL"))
def test_a_value_that_is_no_real_number_is_refused(value, shown):
    for call in (lambda v: ONE.replace(theta=v), lambda v: ss.Group(1, 1, weight=v), lambda v: ss.MeanField(atol=v)):
        with pytest.raises(ss.InputError, match=r"must be a real number") as caught:
            call(value)
        assert str(caught.value).endswith(f"={shown}.")
        assert str(caught.value).isprintable()
    for theory in (ss.Exact, ss.BruteForce, ss.Trajectories):
        with pytest.raises(ss.InputError, match=r"`spins` must be a whole number"):
            theory(value)
    with pytest.raises(ss.InputError, match=r"`center` must be a real number"):
        ss.Samples([1.0]).centered(value)


def test_numbers_of_every_type_are_accepted():
    for value in (2, 2.0, np.float32(2), np.int8(2), np.uint64(2), np.longdouble(2), Fraction(2), Decimal(2), np.array(2.0)):
        assert ONE.replace(gain=value) == ONE.replace(gain=2.0)
    assert ONE.replace(gain=np.ma.array(2.0)) == ONE.replace(gain=2.0)
    for values in ([1, 2], (1.0, 2), np.ma.array([1.0, 2.0], mask=[0, 0]), pd.Series([1, 2]), xr.DataArray([1.0, 2.0])):
        assert ss.Samples(values) == ss.Samples([1.0, 2.0])
    assert ss.Samples([10**30, Fraction(1, 2)]) == ss.Samples([1e30, 0.5])


BEYOND = [10**400, -(10**400), 10**5000, np.longdouble("1e4000"), Decimal("NaN"), Decimal("sNaN")]


@pytest.mark.parametrize("value", BEYOND, ids=case_names(__file__, "BEYOND"))
def test_a_number_beyond_double_precision_is_refused(value):
    with pytest.raises(ss.InputError, match=r"^Argument `theta` must be finite, but is theta=") as caught:
        ONE.replace(theta=value)
    assert len(str(caught.value)) < 130
    with pytest.raises(ss.InputError, match="must be"):
        ss.Samples([1.0, value])


LISTS = [
    MASKED,
    [1.0, np.ma.masked],
    [MASKED, [1.0, 2.0]],
    [1.0, True],
    [1.0, np.complex64(2)],
    np.array([1, 2], "m8[s]"),
    np.array([1, 2], "M8[s]"),
    np.array(["1", "2"]),
    [[1.0], [2.0, 3.0]],
    [1.0, None],
    pd.Series([1.0, pd.NA]),
    xr.Dataset({"a": ("x", [1.0])}),
    {"a": 1},
    {1.0},
    Broken(),
    "ab",
]


@pytest.mark.parametrize("values", LISTS, ids=case_names(__file__, "LISTS"))
def test_a_value_that_is_no_list_of_numbers_is_refused(values):
    for call, must in (
        (ss.Samples, "`values` must be a list of frequencies"),
        (lambda v: ss.evolve(ONE, v), "`times` must be a list of increasing times"),
        (lambda v: ss.evolve(ONE, [0.0], initial=v), "`initial` must be (real Bloch vectors|a result of spinsync)"),
        (lambda v: TWO.replace(weights=v), "`weights` must be "),
        (lambda v: ss.phase_diagram(ONE, {"coupling": v}), "`coupling` must be a list of numbers"),
        (ss.label, "`codes` must be regimes, whole numbers from -1 to 5"),
    ):
        with pytest.raises(ss.InputError, match=must) as caught:
            call(values)
        assert str(caught.value).isprintable()


CASES = [
    (lambda: ss.label(np.ma.masked), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=masked."),
    (lambda: ss.label(True), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=True."),
    (lambda: ss.label(1 + 0j), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=(1+0j)."),
    (lambda: ss.label([True]), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=[True]."),
    (
        lambda: TWO.replace(cross_theta=[[1.0, 2.0], [3.0]]),
        "Argument `cross_theta` must be a real number, but is cross_theta=[1.0, 2.0].",
    ),
    (lambda: TWO.replace(cross_theta=(None, 1.0)), "Argument `cross_theta` must be a real number, but is cross_theta=None."),
    (lambda: TWO.replace(weights=3), "Argument `weights` must be two numbers, but is weights=3."),
    (
        lambda: ss.Group(1.7e308, 1.7e308),
        "Argument `gain + damping + dephasing` must be finite, but is gain + damping + dephasing=inf.",
    ),
    (
        lambda: ONE.split(10**400),
        f"Argument `parts` must be a whole number of at least 1, below 2^63, but is parts=1{'0' * 76}....",
    ),
    (
        lambda: ss.evolve(ONE, [0.0], seed=2**128),
        f"Argument `seed` must be a whole number of at least 0, below 2^128, but is seed={2**128}.",
    ),
    (lambda: ONE.to_toml("a\0b"), "Argument `path` must be the path of a file, but is path='a\\x00b'."),
    (lambda: ONE.to_toml("\ud800"), "Argument `path` must be the path of a file, but is path='\\ud800'."),
    (lambda: ONE.to_toml(".."), "Argument `path` must be the path of a file, but is path='..'."),
    (
        lambda: ss.Group(1, 1, name="\ud800"),
        "Argument `name` must be a word without dots or outer blanks, but is name='\\ud800'.",
    ),
    (
        lambda: ss.evolve(ONE, [-1.7e308, 1.7e308]),
        "Argument `times` must span a finite range, but goes from -1.7e+308 to 1.7e+308.",
    ),
    (
        lambda: ss.show(ss.evolve(ONE, [0.0, 1.0]), colour=pd.NA),
        "Argument `colour` must be one of group, phase, but is colour=<NA>.",
    ),
    (
        lambda: ss.show(ss.evolve(ONE, [0.0, 1.0]), colour="x" * 5000),
        f"Argument `colour` must be one of group, phase, but is colour='{'x' * 76}....",
    ),
    (
        lambda: ss.show(ss.evolve(ONE, [0.0, 1.0]), colour=Lines()),
        "Argument `colour` must be one of group, phase, but is colour=first second [31m.",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)


def test_a_long_path_is_shortened_in_a_message(tmp_path):
    for call in (ONE.to_toml, ss.Ensemble.from_toml):
        with pytest.raises(ss.InputError) as caught:
            call(str(tmp_path / ("x" * 5000)))
        assert len(str(caught.value)) < 320
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_no_regular_file_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # as good as a device
    with pytest.raises(ss.InputError, match=r"must be writable, but .* is not \(no regular file\)\.$"):
        ONE.to_toml(pipe)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_message_is_one_printable_line_for_any_names():
    odd = ss.Ensemble([ss.Group(1, 1, name="a\nb"), ss.Group(1, 1, name="\x1b")], np.zeros((2, 2)))
    for call in (lambda: odd.replace(gian=1), lambda: ss.Exact(3).lower(odd, None, 0)):
        with pytest.raises(ss.InputError) as caught:
            call()
        assert str(caught.value).isprintable()
    assert checks.one_line("a  b\n\tc" + "d" * 100).startswith("a b cddd")
    assert str(ss.IntegrationError("a\nb")) == "a b"


TOO_LARGE = "The rates are too large for double precision, or differ by too many orders."
#: a call, and its error message; None: it has an answer
HUGE = [
    (lambda: ss.lindblad(laser(coupling=1e300), 4), None),
    (lambda: ss.lindblad(laser(coupling=1.7e308), 4), "The coupling is too large for double precision."),
    (lambda: ss.entropy(laser(coupling=1e300), theory=ss.Exact(3)), None),
    (lambda: ss.evolve(ss.Ensemble([ss.Group(1e300, 1, frequency=ss.Uniform(1e-3))], [[1j]]), [0.0, 1.0]), TOO_LARGE),
    (lambda: ss.evolve(laser(frequency=ss.Lorentzian(1e300), damping=1e300), [0.0, 1.0]), TOO_LARGE),
    (
        lambda: ss.evolve(laser(frequency=ss.Lorentzian(1.0), coupling=1e300), [0.0, 1.0]),
        "Argument `nodes` must be given for this ensemble: a frequency width of 1 at a coherence relaxation of 2 would need "
        "more than 20000 classes.",
    ),
    (lambda: xr.Dataset({"sample": ("spin", ss.Lorentzian(1e300).sample(100).values)}), None),
    (lambda: xr.Dataset({"center": ss.Samples([1.7e308, 1.7e308]).center}), None),
    (
        lambda: ss.Ensemble.cavity(spins=10**9, vacuum_coupling=1e200, cavity_decay=1.0, gain=1, damping=1),
        "Argument `coupling_matrix` must be finite, but has the entry (nan+nanj).",
    ),
    (
        lambda: ss.Ensemble.pair(detuning=0, gain=1, damping=1, coupling=1, theta=0, weights=(1.7e308, 1.7e308)),
        "Argument `weight` must be positive, but is weight=0.0.",
    ),
    (lambda: ss.plot.phases(ss.evolve(ONE, [0.0, 1.0, 2.0]), frame=1.7e308), None),
    (lambda: ss.limit_cycle(laser(coupling=1e300)), None),
    (lambda: ss.critical_coupling(laser(gain=1e100, theta=-1.2, frequency=ss.Lorentzian(1e300))), TOO_LARGE),
    (lambda: ss.one_spin_equation(laser(gain=1e154), [0.0, 1.0], theory=ss.BruteForce(2)), None),
    (lambda: ss.symmetric_pair(pair(1e300, 1e300)), TOO_LARGE),
    (lambda: ss.to_qutip(laser(coupling=1.7e308), 2), "The coupling is too large for double precision."),
]


@pytest.mark.parametrize(("call", "message"), HUGE, ids=case_names(__file__, "HUGE"))
def test_numbers_close_to_the_largest_double_give_an_answer_or_an_error_message(call, message):
    """A warning of numpy is an error here."""
    if message is None:
        answer = call()
        assert not isinstance(answer, xr.Dataset) or not any(np.isnan(v).any() for v in answer.data_vars.values())
        return
    with pytest.raises((ss.InputError, ss.IntegrationError)) as caught:
        call()
    assert str(caught.value) == message
