"""The Runge-Kutta pair: conditions of order on its weights, one for each rooted tree (J. C. Butcher, Math. Comput. 26, 79)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod

import numpy as np
import pytest

from spinsync.problems.moments.runge_kutta import DENSE_WEIGHTS, ERROR_WEIGHTS, STAGE_WEIGHTS, STAGES

Tree = tuple  # of the trees at its root, sorted
WEIGHTS = STAGE_WEIGHTS[STAGES - 1]  # of the stages in the state at the end of a step, which is the last stage


@cache
def trees(order: int) -> list[Tree]:
    """All rooted trees with this number of nodes."""
    return sorted({tuple(sorted(forest)) for forest in forests(order - 1)})


def forests(nodes: int) -> Iterator[list[Tree]]:
    if nodes == 0:
        yield []
    for first in range(1, nodes + 1):
        for tree in trees(first):
            for others in forests(nodes - first):
                yield [tree, *others]


def size(tree: Tree) -> int:
    return 1 + sum(size(branch) for branch in tree)


def density(tree: Tree) -> int:
    return size(tree) * prod(density(branch) for branch in tree)


def of_stages(tree: Tree) -> np.ndarray:
    """The elementary weight of a tree at each stage."""
    return np.prod([STAGE_WEIGHTS @ of_stages(branch) for branch in tree], axis=0) * np.ones(STAGES)


def test_there_are_as_many_trees_as_known():
    assert [len(trees(order)) for order in range(1, 7)] == [1, 1, 2, 4, 9, 20]


@pytest.mark.parametrize("order", range(1, 6))
def test_the_step_has_order_five(order):
    for tree in trees(order):
        assert WEIGHTS @ of_stages(tree) == pytest.approx(1 / density(tree), abs=1e-13)


def test_the_estimate_is_that_of_order_four():
    """The error of a method of order 4: no terms up to that order, and some beyond."""
    for order in range(1, 5):
        for tree in trees(order):
            assert ERROR_WEIGHTS @ of_stages(tree) == pytest.approx(0, abs=1e-13)
    assert max(abs(ERROR_WEIGHTS @ of_stages(tree)) for tree in trees(5)) > 1e-4


@pytest.mark.parametrize("fraction", [0.2, 0.7, 1.0])
def test_the_dense_output_has_order_four(fraction):
    weights = DENSE_WEIGHTS @ fraction ** np.arange(1, 5)
    for order in range(1, 5):
        for tree in trees(order):
            assert weights @ of_stages(tree) == pytest.approx(fraction**order / density(tree), abs=1e-13)
    if fraction == 1:
        np.testing.assert_allclose(weights, WEIGHTS, atol=2e-14)  # as of its published digits
