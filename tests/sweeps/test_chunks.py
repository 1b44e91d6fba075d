"""The default size of chunks, as the documentation tells it."""

from math import prod

import numpy as np
import pytest

import spinsync as ss
from spinsync.sweeps.grids import chunk_shape


@pytest.mark.parametrize("shape", [(1,), (7,), (128,), (1000,), (100, 100), (1000, 1000), (10**7,), (3, 5, 7, 11)])
def test_a_chunk_has_a_128th_of_the_points_or_down_to_a_quarter_of_that_and_at_most_16384(shape):
    points = prod(shape)
    most = min(max(points / 128, 1), 16384)
    assert most / 4 <= prod(chunk_shape(shape, None)) <= np.ceil(most)


@pytest.mark.parametrize("shape", [(7,), (400,), (100, 100), (1000, 1000), (10**8,)])
def test_a_chunk_of_points_that_are_computed_together_has_1024_to_65536(shape):
    points = prod(shape)
    most = min(max(points / 128, 1024), 65536)
    assert min(points, most / 4) <= prod(chunk_shape(shape, None, batch=True)) <= np.ceil(most)


def test_explain_tells_the_default_chunks():
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    told = ss.sweep(ss.regime, {"coupling": np.linspace(1, 9, 400)}, model=one, explain=True)
    assert int(told.chunk_count) == 1
