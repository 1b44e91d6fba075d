"""Stores of sweeps: extended without computing anything twice, refused with the difference named, and mended when damaged."""

import errno
import os
import shutil
import subprocess
import sys
from functools import partial
from types import FunctionType

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from spinsync.sweeps import durable, records, stores
from spinsync.sweeps.blocks import stacked
from spinsync.sweeps.grids import Grid
from stored_sweeps import calls, differing, everything, forget, noted_product, noted_square
from systems import laser

ONE = laser()


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def squares(folder, count, store="store", **options):
    """Sweep over `count` points, and the values for which the function was called."""
    forget(folder)
    found = ss.sweep(noted_square, {"x": range(count)}, store=folder / store, folder=str(folder), **options).load()
    assert found.noted_square.values.tolist() == [float(x**2) for x in range(count)]
    assert np.all(found.point_status == 1)
    return sorted(int(x) for x in calls(folder).elements())


@pytest.mark.parametrize(("old", "new"), [(6, 9), (5, 9), (5, 6), (1, 2), (4, 40)], ids=str)
def test_a_longer_axis_computes_only_its_new_points(old, new, tmp_path):
    assert squares(tmp_path, old, chunk=3) == list(range(old))
    assert squares(tmp_path, new, chunk=3) == list(range(old, new))
    assert squares(tmp_path, new, chunk=3) == []
    assert [int(ss.sweep_status(tmp_path / "store")[name]) for name in ("points", "done")] == [new, new]


def products(folder, x, y, realizations, store):
    forget(folder)
    options = dict(realizations=realizations, seed=3, chunk=5, store=store, folder=str(folder))
    found = ss.sweep(noted_product, {"x": range(x), "y": range(y)}, **options).load()
    return found, calls(folder)


def test_several_axes_and_realizations_grow_at_once_into_the_same_results(tmp_path):
    _, first = products(tmp_path, 3, 4, 2, tmp_path / "store")
    found, then = products(tmp_path, 5, 7, 3, tmp_path / "store")
    assert sum(first.values()) == 3 * 4 * 2
    assert not first & then
    assert sum(then.values()) == 5 * 7 * 3 - 3 * 4 * 2
    expected, whole = products(tmp_path, 5, 7, 3, tmp_path / "other")
    assert first + then == whole
    for name in ("noted_product", "point_status", "point_failure"):
        np.testing.assert_array_equal(found[name].values, expected[name].values)
    np.testing.assert_array_equal(found.realization, [0, 1, 2])


def test_a_grown_sweep_of_regimes_equals_a_diagram(tmp_path):
    axes = {"coupling": np.linspace(1, 20, 5), "gain": np.linspace(0.2, 8, 4)}
    more = {"coupling": np.linspace(1, 24.8, 6), "gain": np.array([*axes["gain"], 9.0])}
    more["coupling"][:5] = axes["coupling"]
    ss.sweep(ss.regime, axes, model=ONE, chunk=3, store=tmp_path / "store")
    found = ss.sweep(ss.regime, more, model=ONE, chunk=3, store=tmp_path / "store")
    expected = ss.phase_diagram(ONE, more)
    for name, one in expected.data_vars.items():
        np.testing.assert_array_equal(found[name].values, one.values)
    assert found.attrs["axes"] == expected.attrs["axes"]


def test_a_store_grows_in_chunks_that_it_chose_itself(tmp_path):
    squares(tmp_path, 1000)
    assert squares(tmp_path, 2000) == list(range(1000, 2000))


# refusals
BASE = dict(axes={"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0]}, seed=1, realizations=2, chunk=4, n=2, text="a", table=np.arange(3.0))


def drawn(x, y, seed, n, text, table):
    return x * y + seed + n


def renamed(x, y, seed, n, text, table):
    return x * y + seed + n


def rewritten(x, y, seed, n, text, table):
    return x * y - seed + n


def same_but_for_words(x, y, seed, n, text, table):
    """A docstring."""
    # and a comment
    return x * y + seed + n


def named_drawn(function):
    """The function with another's code, but under the name of the first."""
    copy = FunctionType(function.__code__, function.__globals__, "drawn")
    copy.__qualname__, copy.__module__ = "drawn", __name__
    return copy


CHANGES = [
    (dict(function=renamed), "function is 'test_sweep_stores.drawn' there and 'test_sweep_stores.renamed' here"),
    (dict(function=named_drawn(rewritten)), "the code of the function has changed"),
    (dict(seed=2), "seed is 1 there and 2 here"),
    (dict(n=3), "n is 2 there and 3 here"),
    (dict(text="b"), "text is 'a' there and 'b' here"),
    (dict(table=np.arange(1.0, 4.0)), "table is [0.0, 1.0, 2.0] there and [1.0, 2.0, 3.0] here"),
    (dict(variables=["drawn"]), "variables is None there and ['drawn'] here"),
    (dict(chunk=3), "chunk is 4 there and 3 here"),
    (dict(realizations=1), "axes is 'x, y, realization' there and 'x, y' here"),
    (dict(axes={"y": [1.0, 2.0], "x": [1.0, 2.0, 3.0]}), "axes is 'x, y, realization' there and 'y, x, realization' here"),
    (dict(axes={"x": [1.0, 2.0], "y": [1.0, 2.0]}), "the axis x has 3 values there and 2 here"),
    (dict(axes={"x": [1.0, 2.5, 3.0], "y": [1.0, 2.0]}), "value 1 of the axis x is 2.0 there and 2.5 here"),
    (dict(axes={"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 2.0]}), "value 0 of the axis x is 1.0 there and 0.0 here"),
    (dict(axes={"x": [1, 2, 3], "y": [1.0, 2.0]}), "value 0 of the axis x is 1.0 there and 1 here"),
]


def run_base(store, **changed):
    options = {**BASE, "function": drawn, **changed}
    return ss.sweep(options.pop("function"), options.pop("axes"), store=store, **options)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    os.environ["SPINSYNC_THREADS"] = "1"
    run_base(path := tmp_path_factory.mktemp("base") / "store")
    del os.environ["SPINSYNC_THREADS"]
    return path


@pytest.mark.parametrize(("change", "difference"), CHANGES, ids=[text for _, text in CHANGES])
def test_another_sweep_is_refused_with_the_difference_and_touches_nothing(change, difference, base, tmp_path):
    store = shutil.copytree(base, tmp_path / "store")
    before = everything(store)
    with pytest.raises(ss.InputError) as caught:
        run_base(store, **change)
    must = f"Argument `store` must hold the same sweep or be new, but {str(store)!r} differs: "
    assert str(caught.value) == f"{must}{difference}."
    after = everything(store)
    lock = str(store / "sweep" / "lock")
    assert {name: one for name, one in after.items() if name != lock} == {n: one for n, one in before.items() if n != lock}


def test_words_of_a_function_and_other_pythons_are_no_difference(base, tmp_path, monkeypatch):
    store = shutil.copytree(base, tmp_path / "store")
    run_base(store, function=named_drawn(same_but_for_words))
    monkeypatch.setattr(records.platform, "python_version_tuple", lambda: ("3", "99", "0"))
    run_base(store, function=named_drawn(same_but_for_words))


def made(factor, power=1):
    def held(x, offset=0.0, own=power):
        return factor * x**own + offset

    return held


def test_values_that_a_function_holds_are_part_of_its_code():
    digests = [
        made(2),
        made(3),
        made(2, 2),
        partial(made(2), offset=1.0),
        partial(made(2), offset=2.0),
        partial(made(3), offset=1.0),
    ]
    assert len({records.code_digest(one) for one in digests}) == 6
    assert records.code_digest(made(2)) == records.code_digest(made(2))
    assert records.code_digest(lambda x: x in {"a", "b"}) != records.code_digest(lambda x: x in {"a", "c"})


def test_the_code_of_a_function_is_the_same_in_every_process():
    """Sets of texts have another order in each."""
    script = "import spinsync.sweeps.records as r; print(r.code_digest(lambda x: x in {'a', 'b', 'c', 'd', 'e'}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


def test_another_version_or_model_is_named(tmp_path, monkeypatch):
    store = tmp_path / "store"
    ss.sweep(ss.limit_cycle, {"coupling": [2.0, 3.0]}, model=ONE, store=store)
    with pytest.raises(ss.InputError, match=r"differs: the model has gain = 3\.0 there and gain = 4\.0 here"):
        ss.sweep(ss.limit_cycle, {"coupling": [2.0, 3.0]}, model=ONE.replace(gain=4.0), store=store)
    with pytest.raises(
        ss.InputError, match=r"differs: function is 'spinsync\.limit_cycle' there and 'spinsync\.steady_state' here"
    ):
        ss.sweep(ss.steady_state, {"coupling": [2.0, 3.0]}, model=ONE, store=store)
    monkeypatch.setattr(records, "__version__", "9.9")
    with pytest.raises(ss.InputError, match=r"differs: version is '.*' there and '9\.9' here"):
        ss.sweep(ss.limit_cycle, {"coupling": [2.0, 3.0]}, model=ONE, store=store)


@pytest.mark.parametrize("count", [33, 300])
def test_differences_of_long_axes_are_seen(count, tmp_path):
    squares(tmp_path, count, chunk=50)
    axis = np.arange(count)
    axis[-2] = count + 5
    with pytest.raises(ss.InputError, match=rf"differs: the first {count} values of the axis x are others there"):
        ss.sweep(noted_square, {"x": axis}, store=tmp_path / "store", folder=str(tmp_path), chunk=50)


# damage
def chunk(store, name="noted_square", index="1"):
    return store / name / "c" / index


def flip(path, position=5):
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.write_bytes(content)


ONLY = [3, 4, 5]  # the points of chunk 1
FIRST = [0, 1, 2]  # of the first chunk, which tells what the function returns
DAMAGES = {
    "a chunk is gone": (lambda store: chunk(store).unlink(), ONLY),
    "a chunk is cut": (lambda store: chunk(store).write_bytes(chunk(store).read_bytes()[:-3]), ONLY),
    "a chunk is empty": (lambda store: chunk(store).write_bytes(b""), ONLY),
    "a byte is flipped": (lambda store: flip(chunk(store)), ONLY),
    "the checksum is flipped": (lambda store: flip(chunk(store), -1), ONLY),
    "a status is gone": (lambda store: chunk(store, "point_status").unlink(), ONLY),
    "a status is cut": (lambda store: chunk(store, "point_status").write_bytes(b"ab"), ONLY),
    "a status is flipped": (lambda store: flip(chunk(store, "point_status")), ONLY),
    "a reason is damaged": (lambda store: write(chunk(store, "point_failure"), b"nonsense"), ONLY),
    "all chunks are gone": (lambda store: shutil.rmtree(store / "noted_square" / "c"), list(range(9))),
    "a variable is gone": (lambda store: shutil.rmtree(store / "noted_square"), list(range(9))),
    "a variable has no metadata": (lambda store: (store / "noted_square" / "zarr.json").unlink(), FIRST),
    "metadata are damaged": (lambda store: (store / "noted_square" / "zarr.json").write_text("{"), FIRST),
    "the status is gone": (lambda store: shutil.rmtree(store / "point_status"), list(range(9))),
    "the status has no metadata": (lambda store: (store / "point_status" / "zarr.json").write_text("{"), FIRST),
    "reasons have no metadata": (lambda store: (store / "point_failure" / "zarr.json").unlink(), []),
    "a coordinate is gone": (lambda store: shutil.rmtree(store / "x"), []),
    "a coordinate has no values": (lambda store: chunk(store, "x", "0").unlink(), []),
    "a coordinate is damaged": (lambda store: chunk(store, "x", "0").write_bytes(b"abc"), []),
    "a coordinate has no metadata": (lambda store: (store / "x" / "zarr.json").unlink(), []),
    "the metadata of a coordinate are damaged": (lambda store: (store / "x" / "zarr.json").write_text("{"), FIRST),
    "the log is gone": (lambda store: (store / "sweep" / "log.jsonl").unlink(), []),
    "the log is nonsense": (lambda store: (store / "sweep" / "log.jsonl").write_bytes(b'\xff\n3\n[]\n{"time": 3}\n{"ti'), []),
    "the log is empty": (lambda store: (store / "sweep" / "log.jsonl").write_bytes(b""), []),
    "the folder beside the arrays is gone": (lambda store: shutil.rmtree(store / "sweep"), []),
    "the folder beside the arrays is empty": (lambda store: [shutil.rmtree(store / "sweep"), (store / "sweep").mkdir()], []),
}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize(("damage", "computed"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_computed_again_and_nothing_else(damage, computed, tmp_path):
    squares(tmp_path, 9, chunk=3)
    shutil.copytree(tmp_path / "store", tmp_path / "whole")
    damage(tmp_path / "store")
    status = ss.sweep_status(tmp_path / "store")
    assert int(status.done + status.pending) == 9
    assert squares(tmp_path, 9, chunk=3) == computed
    assert squares(tmp_path, 9, chunk=3) == []
    assert differing(tmp_path / "store", tmp_path / "whole") == []
    assert not (tmp_path / "store" / "sweep" / "drafts").exists() or not any(
        (tmp_path / "store" / "sweep" / "drafts").iterdir()
    )


@pytest.mark.parametrize("name", ["time", "group", "coherence"])
def test_damaged_coordinates_of_a_function_are_written_again(name, tmp_path):
    def run():
        return ss.sweep(ss.evolve, {"coupling": [2.0, 12.0]}, model=ONE, times=[0, 1.0, 2.0], store=tmp_path / "store").load()

    expected = run()
    shutil.copytree(tmp_path / "store", tmp_path / "whole")
    shutil.rmtree(tmp_path / "store" / name)
    xr.testing.assert_identical(run(), expected)
    assert differing(tmp_path / "store", tmp_path / "whole") == []


# a disk that is full, or refuses
def test_a_full_disk_is_one_sentence_and_the_sweep_goes_on_when_it_is_not(tmp_path, monkeypatch):
    written = []

    def full(root, key, content, own=durable._write):
        if key.startswith("noted_square/c/") and len(written) >= 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(key) if key.startswith("noted_square/c/") else None
        own(root, key, content)

    monkeypatch.setattr(durable, "_write", full)
    with pytest.raises(ss.InputError) as caught:
        squares(tmp_path, 12, chunk=3)
    assert str(caught.value) == (
        f"Argument `store` must be writable, but {str(tmp_path / 'store')!r} is not (no space left on device); "
        "what is done is kept, and the same call goes on."
    )
    assert int(ss.sweep_status(tmp_path / "store").done) == 6
    monkeypatch.undo()
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    assert squares(tmp_path, 12, chunk=3) == [6, 7, 8, 9, 10, 11]


def test_a_store_that_may_only_be_read_is_refused(tmp_path, monkeypatch):
    """The system's answer is imitated, as root may write everywhere."""
    squares(tmp_path, 6, chunk=3)
    before = everything(tmp_path / "store")

    def read_only(path, flags, *mode, own=os.open, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(tmp_path / "store") in str(path):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return own(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(ss.InputError) as caught:
        squares(tmp_path, 9, chunk=3)
    monkeypatch.undo()
    assert str(caught.value) == (
        f"Argument `store` must be writable, but {str(tmp_path / 'store')!r} is not (read-only file system)."
    )
    assert int(ss.sweep_status(tmp_path / "store").done) == 6
    assert everything(tmp_path / "store") == before


def test_workers_of_an_earlier_run_write_nothing(tmp_path):
    squares(tmp_path, 6, chunk=3)
    before, late = everything(tmp_path / "store"), stacked([5.0, 6.0, 7.0], "noted_square")
    address = stores.Address(str(tmp_path / "store"), "earlier")
    with pytest.raises(durable.StorageError, match="another run has begun"):
        stores.write(address, Grid({"x": np.arange(6)}, (3,)), (1,), late, np.ones(3, np.int8))
    assert everything(tmp_path / "store") == before
