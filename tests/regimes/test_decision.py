"""The decision between irregular and undecided from the growth of a tangent vector in two successive windows."""

from dataclasses import replace

import numpy as np
import pytest

from regime_cases import R
from spinsync.regimes.decision import classify, unmeasured


def window(length, exponent, error, inversion):
    """One window of one group whose tangent vector grows at the rate `exponent` +- `error`."""
    one, pair = np.ones((1, 1)), np.ones((1, 1, 1), complex)
    return replace(
        unmeasured(1, 1), length=np.array([length]), products=0.04 * pair, locking=pair, amplitude=0.2 * one,
        inversion=inversion * one, variance=np.array([0.01]), order_parameter=np.array([0.4]), frequency=one,
        lyapunov=np.array([exponent]), lyapunov_error=np.array([error]),
    )  # fmt: skip


def decided(before, last, *, transient=False, ends=True):
    """The regime of two windows, given as (exponent, error), that do not agree."""
    windows = window(40.0, *last, inversion=0.31), window(20.0, *before, inversion=0.3)
    return R(int(classify(*windows, np.ones(1), np.array([transient]), np.array([ends]))[0]))


@pytest.mark.parametrize("ends", [False, True])
def test_growth_above_four_errors_in_two_windows_is_irregular(ends):
    assert decided((1.0, 0.2), (1.0, 0.1), ends=ends) is R.IRREGULAR
    assert decided((1.0, 0.2), (1.0, 0.3), ends=ends) is R.UNDECIDED
    assert decided((1.0, 0.2), (1.0, 0.1), transient=True, ends=ends) is R.UNDECIDED


def test_at_the_end_of_a_run_the_shorter_window_needs_growth_above_its_error_only():
    """Its error is larger, as the inverse square root of its length, and no longer window follows."""
    assert decided((1.0, 0.3), (1.0, 0.1), ends=False) is R.UNDECIDED
    assert decided((1.0, 0.3), (1.0, 0.1), ends=True) is R.IRREGULAR
    assert decided((1.0, 1.1), (1.0, 0.1), ends=True) is R.UNDECIDED
    assert decided((-1.0, 0.1), (1.0, 0.1), ends=True) is R.UNDECIDED
    assert decided((0.5, 0.1), (1.0, 0.1), ends=True) is R.UNDECIDED  # a factor e^10 only
    assert decided((1.0, 0.3), (1.0, 0.1), transient=True, ends=True) is R.UNDECIDED


def test_an_unstable_orbit_is_not_irregular_at_the_end_of_a_run():
    """Two windows that agree follow a regular motion, which only its symmetry keeps."""
    last = window(40.0, 1.0, 0.01, inversion=0.3)
    before = window(20.0, 1.0, 0.01, inversion=0.3)
    assert classify(last, before, np.ones(1), np.array([False]), np.array([True]))[0] == R.UNDECIDED
