"""Diagrams that are averaged over blocks of points before they are drawn."""

import numpy as np
import pytest
import xarray as xr

from spinsync.plot import large_diagrams
from spinsync.plot.large_diagrams import reduced


def values(array: np.ndarray) -> xr.DataArray:
    x, y = (np.arange(size, dtype=float) for size in array.shape)
    return xr.DataArray(array, {"x": ("x", x), "y": ("y", y)}, ("x", "y"))


def test_small_diagrams_stay_as_they_are():
    small = values(np.random.default_rng(0).normal(size=(20, 30)))
    assert reduced(small, 30) is small


@pytest.mark.parametrize("shape", [(100, 60), (101, 7), (7, 101), (64, 64)])
def test_blocks_are_means_also_at_the_cut_edge(shape):
    array = np.random.default_rng(1).normal(size=shape)
    array[3, 2:5] = np.nan
    found = reduced(values(array), 20)
    steps = [-(-size // 20) for size in shape]
    for i, j in np.ndindex(found.shape):
        block = array[i * steps[0] : (i + 1) * steps[0], j * steps[1] : (j + 1) * steps[1]]
        assert found.values[i, j] == pytest.approx(np.nanmean(block) if np.isfinite(block).any() else np.nan, nan_ok=True)
    assert found.x.values[0] == pytest.approx((steps[0] - 1) / 2)


def test_pieces_do_not_matter(monkeypatch):
    large = values(np.random.default_rng(2).normal(size=(90, 40)))
    whole = reduced(large, 10)
    monkeypatch.setattr(large_diagrams, "PIECE", 100)
    assert reduced(large, 10).equals(whole)


def test_of_regimes_the_most_frequent_one_is_taken():
    codes = np.zeros((4, 4), np.int8)
    codes[:2, :2] = [[1, 3], [3, 3]]
    codes[2:, 2:] = -1
    np.testing.assert_array_equal(reduced(values(codes), 2).values, [[3, 0], [0, -1]])


def test_angles_have_a_circular_mean():
    angles = np.array([[np.pi - 0.1, -np.pi + 0.1], [np.pi - 0.1, -np.pi + 0.1]])
    assert abs(reduced(values(angles), 1, cyclic=True).item()) == pytest.approx(np.pi)
    assert reduced(values(angles), 1).item() == pytest.approx(0.0)
