"""explain=True tells what the same call would compute, and changes nothing."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import spinsync as ss
from error_cases import check_message
from spinsync.sweeps import running
from stored_sweeps import everything


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def root(x):
    if x < 0:
        raise ValueError("negative")
    return float(np.sqrt(x))


def explained(axis, store, **options):
    """Points and chunks that a sweep would compute, after a check that this changes no file of the store."""
    before = everything(store)
    found = ss.sweep(root, {"x": axis}, store=store, explain=True, **options)
    assert everything(store) == before
    return int(found.points), int(found.chunk_count)


def computed(axis, store, monkeypatch, **options):
    """Points and chunks that a sweep then computes."""
    units = []
    run = running.Pool.run

    def counted(self, runner, given, done, watch):
        run(self, runner, (units.append(unit) or unit for unit in given), done, watch)

    with monkeypatch.context() as patch:
        patch.setattr(running.Pool, "run", counted)
        ss.sweep(root, {"x": axis}, store=store, **options)
    return sum(unit.points for unit in units), len(units)


@pytest.mark.parametrize("count", [7, 8, 9, 20])
def test_of_a_store_what_is_missing_counts_as_it_is_computed(count, tmp_path, monkeypatch):
    store = tmp_path / "store"
    ss.sweep(root, {"x": range(7)}, store=store, chunk=3)
    expected = {7: (0, 0), 8: (1, 1), 9: (2, 2), 20: (13, 7)}[count]  # in chunks of two points
    assert explained(range(count), store) == expected
    assert computed(range(count), store, monkeypatch) == expected
    assert explained(range(count), store) == (0, 0)


def test_failed_points_count_where_they_are_computed_again(tmp_path, monkeypatch):
    axis = [1.0, -1.0, 2.0, 3.0, -2.0, -3.0]
    ss.sweep(root, {"x": axis}, store=tmp_path / "store", chunk=2)
    assert explained(axis, tmp_path / "store") == (0, 0)
    assert explained(axis, tmp_path / "store", retry_failed=True) == (3, 2)
    assert computed(axis, tmp_path / "store", monkeypatch, retry_failed=True) == (3, 2)


def test_a_chunk_that_is_damaged_counts(tmp_path):
    store = tmp_path / "store"
    ss.sweep(root, {"x": range(9)}, store=store, chunk=3)
    (store / "root" / "c" / "1").write_bytes(b"damaged")
    assert explained(range(9), store) == (3, 1)
    (store / "root" / "zarr.json").write_text("damaged")
    assert explained(range(9), store) == (9, 3)
    (store / "point_status" / "zarr.json").unlink()
    assert explained(range(9), store) == (9, 3)


def test_a_finished_sweep_takes_no_time_and_has_its_size(tmp_path):
    ss.sweep(root, {"x": range(9)}, store=tmp_path / "store")
    found = ss.sweep(root, {"x": range(9)}, store=tmp_path / "store", explain=True)
    assert [float(found[name]) for name in ("points", "seconds", "seconds_per_chunk", "bytes")] == [0, 0, 0, 9 * (8 + 1)]


def test_an_executor_computes_the_chunk():
    submitted = []

    class Watched(ThreadPoolExecutor):
        def submit(self, *given, **options):
            submitted.append(given)
            return super().submit(*given, **options)

    with Watched(1) as executor:
        found = ss.sweep(root, {"x": range(9)}, chunk=3, executor=executor, explain=True)
    assert len(submitted) == 1
    assert found.seconds.attrs["long_name"] == "estimated time of all chunks by one worker of the executor"
    assert float(found.seconds) == pytest.approx(3 * float(found.seconds_per_chunk))


def test_no_variable_hides_an_attribute_of_datasets():
    found = ss.sweep(root, {"x": range(9)}, explain=True)
    assert not [name for name in found.data_vars if hasattr(type(found), str(name))]


def test_a_store_that_the_sweep_would_refuse_is_refused(tmp_path):
    ss.sweep(root, {"x": range(9)}, store=tmp_path / "store", chunk=3)
    for other in ({"x": range(8)}, {"x": range(1, 10)}):
        with pytest.raises(ss.InputError, match=r"^Argument `store` must hold the same sweep or be new, but .* differs: "):
            ss.sweep(root, other, store=tmp_path / "store", explain=True)
    (tmp_path / "folder").mkdir()
    check_message(
        lambda: ss.sweep(root, {"x": [1.0]}, store=tmp_path / "folder", explain=True),
        f"Argument `store` must be new or hold a sweep, but '{tmp_path / 'folder'}' does not.",
    )
