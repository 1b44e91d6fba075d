"""sweep of functions: what they return comes back, whatever the order of the axes and the chunks."""

import numpy as np
import pytest
import xarray as xr

import spinsync as ss


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Functions are computed in this process, which is fast to start."""
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def kinds(x):
    return {
        "float": 0.5 * x,
        "int": 2 + x,
        "bool": x > 1,
        "complex": 1j * x,
        "array": np.array([[x, 1.0], [2.0, 3.0]]),
        "integers": np.array([x, 2]),
        "tuple": (x, 1.5),
        "list": [True, x > 1],
        "scalar of numpy": np.float32(x),
        "nan": np.nan,
        "dataset": xr.Dataset({"a": ("t", [1.0, x], {"units": "1"}), "b": ((), 1j * x)}, {"t": ["u", "v"], "k": 3}),
        "array of xarray": xr.DataArray([1.0, x], {"t": [0.5, 1.5]}, ["t"], name="w"),
    }


EXPECTED = {"float": "f", "int": "f", "bool": "b", "complex": "c", "array": "f", "integers": "f", "tuple": "f", "list": "b"}


@pytest.mark.parametrize("kind", kinds(1))
def test_what_a_function_returns_is_what_comes_back(kind, tmp_path):
    def function(x):
        return kinds(x)[kind]

    axis = [0, 1, 2, 3, 4]
    in_memory = ss.sweep(function, {"x": axis}, chunk=2)
    ss.sweep(function, {"x": axis}, chunk=2, store=tmp_path / "store")
    plain = xr.open_zarr(tmp_path / "store", consolidated=False).load()
    for found in (in_memory, plain):
        assert not found.point_failure.values.any()
        for k, x in enumerate(axis):
            value = kinds(x)[kind]
            if isinstance(value, (xr.Dataset, xr.DataArray)):
                value = value.to_dataset() if isinstance(value, xr.DataArray) else value
                for name, one in value.data_vars.items():
                    xr.testing.assert_equal(found[name].isel(x=k, drop=True), one)
                    assert found[name].dtype == one.dtype
            else:
                np.testing.assert_array_equal(found.function.values[k], np.asarray(value))
                assert found.function.dtype.kind == EXPECTED.get(kind, "f")


def test_a_point_may_be_labelled_with_its_own_values():
    """As a selection of a larger Dataset is."""
    whole = xr.Dataset({"a": ("x", [3.0, 4.0, 5.0])}, {"x": [0, 1, 2]})

    def chosen(x):
        return whole.sel(x=x)

    assert ss.sweep(chosen, {"x": [0, 2]}).a.values.tolist() == [3.0, 5.0]


def test_values_reach_a_function_as_python_values():
    def typed(a, b, c, d):
        assert [type(one) for one in (a, b, c, d)] == [int, float, str, bool]
        return len(c)

    axes = {"a": [1, 2], "b": np.array([0.5]), "c": ["x", "longer"], "d": [True, False]}
    found = ss.sweep(typed, axes)
    assert not found.point_failure.values.any()
    assert found.typed.sel(c="longer").values.tolist() == [[[6.0, 6.0]], [[6.0, 6.0]]]


def fraction(a, b, c):
    return a / b + c


def test_the_order_of_axes_is_irrelevant():
    axes = {"a": np.linspace(0, 1, 5), "b": np.linspace(1, 2, 4), "c": [0.1, 0.2, 0.3]}
    first = ss.sweep(fraction, axes, chunk=7)
    other = ss.sweep(fraction, dict(reversed(axes.items())), chunk=7)
    np.testing.assert_array_equal(first.fraction.values, other.fraction.transpose("a", "b", "c").values)
    a, b, c = np.meshgrid(*axes.values(), indexing="ij")
    np.testing.assert_array_equal(first.fraction.values, a / b + c)


@pytest.mark.parametrize("chunk", [None, 1, 2, 7, 60, 10**6])
def test_chunks_are_irrelevant(chunk, tmp_path):
    axes = {"a": np.linspace(0, 1, 5), "b": np.linspace(1, 2, 4), "c": [0.1, 0.2, 0.3]}
    expected = ss.sweep(fraction, axes).fraction.values
    for store in (None, tmp_path / "store"):
        np.testing.assert_array_equal(ss.sweep(fraction, axes, chunk=chunk, store=store).fraction.values, expected)
    sizes = [
        -(-n // step)
        for n, step in zip(expected.shape, xr.open_zarr(store, consolidated=False).fraction.encoding["chunks"], strict=True)
    ]
    files = [path for path in (store / "fraction" / "c").rglob("*") if path.is_file()]
    assert len(files) == np.prod(sizes)


def drawn(x, seed):
    return np.random.default_rng(seed).normal() + 0 * x


def test_realizations_depend_on_their_seed_alone_and_are_shared_by_the_points():
    found = ss.sweep(drawn, {"x": [0.0, 1.0, 2.0]}, realizations=4, seed=5, chunk=2)
    assert found.drawn.dims == ("x", "realization")
    assert found.realization.values.tolist() == [0, 1, 2, 3]
    assert np.all(found.drawn.values == found.drawn.values[0])
    assert len(set(found.drawn.values[0])) == 4
    assert found.drawn.values[0, 0] == drawn(0.0, 5)
    more = ss.sweep(drawn, {"x": [1.0]}, realizations=6, seed=5)
    assert more.drawn.values[0, :4].tolist() == found.drawn.values[1].tolist()
    other = ss.sweep(drawn, {"x": [1.0]}, realizations=6, seed=6)
    assert not set(other.drawn.values[0]) & set(more.drawn.values[0])


def test_explain_computes_one_chunk_and_stores_nothing(tmp_path):
    computed = []

    def counted(x, y):
        computed.append(x)
        return np.zeros(3)

    found = ss.sweep(counted, {"x": range(10), "y": range(4)}, chunk=7, explain=True, store=tmp_path / "store")
    assert len(computed) == int(found.points_per_chunk) == 6
    assert int(found.points) == 40
    assert int(found.chunk_count) == 8
    assert int(found.bytes) == 40 * (3 * 8 + 1)
    assert float(found.seconds) == pytest.approx(8 * float(found.seconds_per_chunk))
    assert not (tmp_path / "store").exists()
    assert all(one.attrs["long_name"] and one.attrs["units"] for one in found.data_vars.values())


def test_a_finished_sweep_computes_nothing_more(tmp_path):
    computed = []

    def counted(x):
        computed.append(x)
        return x

    first = ss.sweep(counted, {"x": range(10)}, chunk=3, store=tmp_path / "store").load()
    second = ss.sweep(counted, {"x": range(10)}, chunk=3, store=tmp_path / "store").load()
    assert computed == list(range(10))
    xr.testing.assert_identical(first, second)
    status = ss.sweep_status(tmp_path / "store")
    assert [int(status[name]) for name in ("points", "done", "failed", "pending")] == [10, 10, 0, 0]


def test_nan_and_zero_are_results_and_not_computed_again(tmp_path):
    computed = []

    def nothing(x):
        computed.append(x)
        return np.nan if x % 2 else 0.0

    for _ in range(2):
        found = ss.sweep(nothing, {"x": range(6)}, chunk=1, store=tmp_path / "store")
    assert computed == list(range(6))
    np.testing.assert_array_equal(found.nothing.values, [0, np.nan] * 3)
    assert np.all(found.point_status == 1)
