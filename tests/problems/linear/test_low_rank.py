"""Lines and response of a diagonal matrix plus one of low rank, against dense linear algebra."""

import numpy as np
import pytest

from spinsync.problems.linear.fluctuations import Fluctuations
from spinsync.problems.outcome import NoLineError, TooFewLinesError


def fluctuations(components, columns, seed, spread=2.0, strength=2.5, band=-np.inf):
    """A band of decaying modes and a coupling of all of them that lets one decay more slowly."""
    rng = np.random.default_rng([1, seed])
    left, right = np.ones((components, columns)) + 0.2 * rng.normal(size=(2, components, columns))
    return Fluctuations(
        diagonal=-4.0 - rng.uniform(0, 0.3, components) - 1j * rng.uniform(-spread, spread, components),
        left=strength * (1 + 0.2j) * left / components, right=right / columns + 0j,
        source=rng.normal(size=components) + 1j, observable=rng.uniform(1, 2, components), band=np.full(components, band),
    )  # fmt: skip


def dense(own):
    return np.diag(own.diagonal) + own.left @ own.right.T


@pytest.mark.parametrize(("components", "columns"), [(1, 1), (5, 1), (5, 5), (300, 1), (300, 3), (40, 40)])
def test_lines_are_eigenvalues(components, columns):
    own = fluctuations(components, columns, components)
    number = min(components, 3)
    found = own.lines(number)
    expected = sorted(np.linalg.eigvals(dense(own)), key=lambda value: -value.real)[:number]
    np.testing.assert_allclose([line.value for line in found], expected, atol=1e-10)
    assert all(abs(line.value - value) <= line.error + 1e-13 for line, value in zip(found, expected, strict=True))


def test_a_separate_line_takes_few_vectors(monkeypatch):
    """The slowest mode of ten thousand is found without the full spectrum."""
    own = fluctuations(10_000, 1, 4)
    monkeypatch.setattr("spinsync.problems.linear.low_rank.lines_of_projection", None)
    (line,) = own.lines(1)
    loop = np.sum(own.left[:, 0] * own.right[:, 0] / (line.value - own.diagonal))
    assert loop == pytest.approx(1.0, abs=1e-9)  # the secular equation


def test_modes_that_the_observable_does_not_see_are_no_lines():
    """Two equal components: their difference is dark."""
    own = Fluctuations(
        diagonal=-np.ones(2) + 0j, left=np.full((2, 1), 0.3 + 0j), right=np.ones((2, 1)), source=np.ones(2),
        observable=np.ones(2), band=np.full(2, -np.inf),
    )  # fmt: skip
    assert own.lines(1)[0].value == pytest.approx(-0.4)
    with pytest.raises(TooFewLinesError) as caught:
        own.lines(2)
    assert caught.value.most == 1


def test_a_driven_component_that_is_not_seen_is_no_line():
    """The second component follows the first one and does not act back."""
    own = Fluctuations(
        diagonal=np.array([-1.0, -0.5]) + 0j, left=np.array([[0.0], [1.0]]), right=np.array([[1.0], [0.0]]),
        source=np.ones(2), observable=np.array([1.0, 0.0]), band=np.full(2, -np.inf),
    )  # fmt: skip
    assert own.lines(1)[0].value == pytest.approx(-1.0)
    with pytest.raises(TooFewLinesError):
        own.lines(2)


def test_two_lines_of_equal_width():
    """Two mirrored halves: the line of higher frequency, -Im, is the first, and it is said that there is another."""
    half = fluctuations(150, 1, 6)
    left = np.zeros((300, 2), complex)
    left[:150, 0], left[150:, 1] = half.left[:, 0], half.left[:, 0].conj()
    own = Fluctuations(
        diagonal=np.concatenate([half.diagonal - 5j, (half.diagonal - 5j).conj()]), left=left,
        right=(left != 0) * half.right[0, 0], source=np.ones(300), observable=np.ones(300), band=np.full(300, -np.inf),
    )  # fmt: skip
    (line,) = own.lines(1)
    assert line.degenerate
    assert line.value.imag < -4


def test_modes_of_a_continuous_spectrum_are_no_lines():
    strong, weak = (fluctuations(60, 1, 2, strength=strength, band=-3.7) for strength in (2.5, 0.1))
    assert strong.lines(1)[0].value.real > -3.7
    with pytest.raises(TooFewLinesError):
        strong.lines(2)
    with pytest.raises(NoLineError):
        weak.lines(1)


@pytest.mark.parametrize(("components", "columns"), [(1, 1), (6, 2), (6, 6), (200, 1), (200, 3), (30, 30)])
def test_the_response_is_that_of_dense_solutions(components, columns):
    own, frequencies = fluctuations(components, columns, columns), np.linspace(-4, 4, 9)
    identity = np.eye(components)
    expected = [own.observable @ np.linalg.solve(-1j * w * identity - dense(own), own.source) for w in frequencies]
    np.testing.assert_allclose(own.response(frequencies), expected, rtol=1e-11)
