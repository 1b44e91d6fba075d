"""Failures are data: a point that fails tells why, all others are computed, and failed ones can be tried again."""

import os
import signal
import sys

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from stored_sweeps import calls, forget, note
from systems import laser

ONE = laser()


@pytest.fixture
def one_thread(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def fails(x):
    raise ValueError(f"no {x}\nbut a line")


WRONG = {
    "exception": (lambda x: 1 / 0, "ZeroDivisionError: division by zero"),
    "without text": (lambda x: (_ for _ in ()).throw(KeyError), "KeyError"),
    "two lines": (fails, "ValueError: no 1 but a line"),
    "assert": (lambda x: [].pop(), "IndexError: pop from empty list"),
    "package": (lambda x: ss.Group(-1.0, 1.0), "Argument `gain` must be non-negative, but is gain=-1.0."),
    "integration": (
        lambda x: (_ for _ in ()).throw(ss.IntegrationError("The run stopped at t = 3.")), "The run stopped at t = 3."
    ),
    "exit": (lambda x: sys.exit(3), "SystemExit: 3"),
    "text": (lambda x: "a", "the function must return numbers, arrays or a Dataset of them, but good is <U1"),
    "nothing": (lambda x: None, "the function must return numbers, arrays or a Dataset of them, but good is object"),
    "dates": (lambda x: np.datetime64("2020"), "numbers, arrays or a Dataset of them, but good is datetime64[Y]"),
    "ragged": (lambda x: [1, [2, 3]], "ValueError: setting an array element with a sequence."),
    "shape": (lambda x: [1.0, 2.0], "must be float64 of shape () and dims () as at other points, but is float64 of shape (2,)"),
    "complex": (lambda x: 1j, "must be float64 of shape () and dims () as at other points, but is complex128"),
    "other variable": (lambda x: xr.Dataset({"q": 1.0}), "the same variables at all points, but here good is missing"),
    "more variables": (
        lambda x: xr.Dataset({"good": 1.0, "q": 1.0}), "must return the same variables at all points, but here it does not"
    ),
    "coordinates": (
        lambda x: xr.Dataset({"good": 1.0}, {"q": 1.0}), "must return the same coordinates at all points, but here it"
    ),
    "no variable": (lambda x: xr.Dataset(), "the function must return at least one variable, but the Dataset has none"),
    "name": (lambda x: xr.Dataset({"a/b": 1.0}), "must return variables and dims with plain names, but has 'a/b'"),
    "own name": (lambda x: xr.Dataset({"point_status": 1.0}), "variables and dims with plain names, but has 'point_status'"),
    "dim": (lambda x: xr.Dataset({"good": ("..", [1.0])}), "must return variables and dims with plain names, but has '..'"),
    "coordinate": (lambda x: xr.Dataset({"good": 1.0}, {"sweep": 1}), "return coordinates with plain names, but has 'sweep'"),
    "objects": (
        lambda x: xr.Dataset({"good": 1.0}, {"q": ("t", np.array([None, 1]))}),
        "the function must return coordinates of numbers or text, but q holds others",
    ),
    "flags": (
        lambda x: xr.Dataset({"good": ((), 300, {"flag_values": [0, 300]})}),
        "the function must return flags from -128 to 127, but good has others",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("first", [0, 1], ids=["fails at first", "fails later"])
def test_a_failed_point_says_why_and_the_others_are_computed(wrong, reason, first, tmp_path):
    def good(x):
        return wrong(x) if x == 1 else 0.5 * x

    # what another kind of result would be at the first point decides what the others must be
    axis = [0, 1, 2, 3] if first or "same" in reason or "as at other" in reason else [1, 0, 2, 3]
    for store in (None, tmp_path / "store"):
        found = ss.sweep(good, {"x": axis}, store=store, chunk=2).load()
        failed = found.sel(x=1)
        assert reason in str(failed.point_failure.values)
        assert "\n" not in str(failed.point_failure.values)
        assert int(failed.point_status) == 2
        assert np.isnan(failed.good)
        others = found.sel(x=[0, 2, 3])
        assert others.good.values.tolist() == [0.0, 1.0, 1.5]
        assert others.point_failure.values.tolist() == [""] * 3
        assert others.point_status.values.tolist() == [1] * 3


@pytest.mark.usefixtures("one_thread")
def test_missing_results_have_the_fill_value_of_their_kind():
    def several(x):
        if x == 1:
            raise ValueError("one")
        flags = {"flag_values": [-1, 0, 1], "flag_meanings": "undecided no yes"}
        return xr.Dataset({"a": 1.0, "b": 1j, "c": True, "d": ((), 1, flags), "e": ("t", [1, 2])}, {"t": [1, 2]})

    found = ss.sweep(several, {"x": [0, 1]})
    assert [found[name].dtype for name in "abcde"] == [float, complex, bool, np.int8, float]
    missing = found.sel(x=1)
    assert np.isnan(missing.a)
    assert np.isnan(missing.b)
    assert not missing.c
    assert int(missing.d) == -1
    assert np.all(np.isnan(missing.e))


@pytest.mark.usefixtures("one_thread")
def test_real_numbers_fit_into_complex_ones_but_not_the_other_way():
    def root(x):
        return x if x > 0 else 1j

    assert ss.sweep(root, {"x": [-1.0, 2.0]}).root.values.tolist() == [1j, 2.0]
    assert ss.sweep(root, {"x": [2.0, -1.0]}).point_status.values.tolist() == [1, 2]


def test_impossible_points_of_regimes_fail_alone(tmp_path):
    """A width that needs too many classes, in a chunk whose points are computed together."""
    widths = [ss.Gaussian(0.5), ss.Gaussian(1e5), ss.Gaussian(1.0)]
    found = ss.sweep(ss.regime, {"frequency": widths, "coupling": [4.0, 12.0]}, model=ONE, store=tmp_path / "store")
    assert found.point_status.values.tolist() == [[1, 1], [2, 2], [1, 1]]
    assert all("would need more than 20000 classes" in why for why in found.point_failure.values[1])
    expected = ss.phase_diagram(ONE, {"frequency": [widths[0], widths[2]], "coupling": [4.0, 12.0]})
    for name in expected.data_vars:
        np.testing.assert_array_equal(found[name].values[[0, 2]], expected[name].values)
    assert found.regime.values[1].tolist() == [-1, -1]


def test_questions_fail_with_their_own_message():
    found = ss.sweep(ss.linewidth, {"coupling": [2.0, 12.0]}, model=ONE, theory=ss.MeanField(), spins=10**6)
    assert found.point_status.values.tolist() == [2, 1]
    with pytest.raises(ss.InputError) as caught:
        ss.linewidth(ONE.replace(coupling=2.0), theory=ss.MeanField(), spins=10**6)
    assert found.point_failure.values[0] == str(caught.value)


def repaired(x, folder):
    note(folder, x)
    if x in (3, 4, 8) and not os.path.exists(f"{folder}/mended"):
        raise ValueError(f"broken {x}")
    if x == 8 and not os.path.exists(f"{folder}/mended again"):
        raise OSError("still broken")
    return 1.0 * x


@pytest.mark.usefixtures("one_thread")
def test_failed_points_are_computed_again_when_asked_and_no_others(tmp_path):
    def run(**options):
        forget(tmp_path)
        found = ss.sweep(repaired, {"x": range(10)}, chunk=4, store=tmp_path / "store", folder=str(tmp_path), **options).load()
        return found, sorted(map(int, calls(tmp_path).elements()))

    found, called = run()
    assert called == list(range(10))
    assert [k for k in range(10) if found.point_status.values[k] == 2] == [3, 4, 8]
    assert run()[1] == []
    status = ss.sweep_status(tmp_path / "store")
    assert [int(status[name]) for name in ("done", "failed", "pending")] == [7, 3, 0]
    (tmp_path / "mended").touch()
    assert run()[1] == []
    found, called = run(retry_failed=True)
    assert called == [3, 4, 8]
    assert found.point_failure.values.tolist() == [""] * 8 + ["OSError: still broken", ""]
    assert found.point_status.values.tolist() == [1] * 8 + [2, 1]
    (tmp_path / "mended again").touch()
    found, called = run(retry_failed=True)
    assert called == [8]
    assert found.repaired.values.tolist() == list(range(10))
    assert not found.point_failure.values.any()
    assert list((tmp_path / "store" / "point_failure").rglob("c/*")) == []
    assert run(retry_failed=True)[1] == []


@pytest.mark.usefixtures("one_thread")
def test_a_sweep_of_which_all_points_fail_is_mended_too(tmp_path):
    def run(axis, **options):
        forget(tmp_path)
        found = ss.sweep(repaired, {"x": axis}, chunk=2, store=tmp_path / "store", folder=str(tmp_path), **options).load()
        return found, sorted(map(int, calls(tmp_path).elements()))

    found, called = run([3, 4, 8])
    assert set(found.data_vars) == {"point_status", "point_failure"}
    assert called == [3, 4, 8]
    assert run([3, 4, 8])[1] == []
    found, called = run([3, 4, 8, 9, 10, 11])
    assert called == [8, 9, 10, 11]  # a chunk with a pending point is computed as a whole, as long as no variables are known
    assert found.point_status.values.tolist() == [2, 2, 2, 1, 1, 1]
    np.testing.assert_array_equal(found.repaired.values, [np.nan] * 3 + [9, 10, 11])
    (tmp_path / "mended").touch()
    (tmp_path / "mended again").touch()
    found, called = run([3, 4, 8, 9, 10, 11], retry_failed=True)
    assert called == [3, 4, 8]
    assert found.repaired.values.tolist() == [3, 4, 8, 9, 10, 11]


DEADLY = "the process was killed, ran out of memory, or crashed in compiled code"


def deadly(x):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 8:
        os._exit(3)
    return x**2


def test_a_process_that_dies_costs_its_chunk_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("SPINSYNC_THREADS", "2")
    found = ss.sweep(deadly, {"x": range(12)}, chunk=2, store=tmp_path / "store").load()
    dead = [2, 3, 8, 9]
    assert found.point_failure.values.tolist() == [DEADLY if x in dead else "" for x in range(12)]
    assert found.point_status.values.tolist() == [2 if x in dead else 1 for x in range(12)]
    np.testing.assert_array_equal(found.deadly.values, [np.nan if x in dead else x**2 for x in range(12)])


@pytest.mark.parametrize("threads", ["1", "2"])
def test_an_interrupt_within_a_function_ends_the_sweep_and_keeps_what_is_done(threads, monkeypatch, tmp_path):
    monkeypatch.setenv("SPINSYNC_THREADS", threads)
    store = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt, match="the same call goes on"):
        ss.sweep(interrupts, {"x": range(6)}, chunk=1, store=store, folder=str(tmp_path))
    (tmp_path / "mended").touch()
    found = ss.sweep(interrupts, {"x": range(6)}, chunk=1, store=store, folder=str(tmp_path))
    assert found.interrupts.values.tolist() == list(range(6))


def interrupts(x, folder):
    if x == 3 and not os.path.exists(f"{folder}/mended"):
        raise KeyboardInterrupt
    return 1.0 * x
