"""Warnings about the points of a sweep: one of each kind, given where the sweep was called, wherever points are computed."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest

import spinsync as ss
from stored_sweeps import noted_square

DECAYS = np.linspace(1.0, 2.0, 8)
CAVITY = dict(spins=100, vacuum_coupling=0.01, gain=2.0, damping=0.1)


def threshold(decay):
    return ss.critical_coupling(ss.Ensemble.cavity(cavity_decay=decay, **CAVITY))


def quiet_threshold(decay):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.CavityWarning)
        return threshold(decay)


def given(caught, category):
    """Texts of the warnings of a category, all of which name this file."""
    assert {one.filename for one in caught if one.category is category} <= {__file__}
    return [str(one.message) for one in caught if one.category is category]


@pytest.mark.parametrize("stored", [False, True], ids=["memory", "store"])
@pytest.mark.parametrize("where", ["here", "processes", "threads"])
def test_a_warning_of_many_points_is_given_once_with_the_numbers_of_one(where, stored, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("SPINSYNC_THREADS", "2" if where == "processes" else "1")
    pool = ThreadPoolExecutor(2) if where == "threads" else nullcontext()
    with pool as executor, pytest.warns(ss.CavityWarning) as caught:
        found = ss.sweep(
            threshold, {"decay": DECAYS}, chunk=2, executor=executor, store=tmp_path / "store" if stored else None
        )  # fmt: skip
    (text,) = given(caught, ss.CavityWarning)
    assert sum(f"cavity_decay/2 = {decay / 2:.6g} " in text for decay in DECAYS) == 1
    assert np.all(found.point_status == 1)
    assert "CavityWarning" not in capfd.readouterr().err


def test_a_function_may_silence_its_warnings(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ss.sweep(quiet_threshold, {"decay": DECAYS})
    assert np.all(found.point_status == 1)


def test_a_warning_that_is_an_error_fails_its_point(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("error", ss.CavityWarning)
        found = ss.sweep(threshold, {"decay": [1.0, 1000.0]})
    assert found.point_status.values.tolist() == [2, 1]
    assert found.point_failure.values[0].startswith("CavityWarning: The cavity does not follow the spins")


def test_other_spins_than_those_of_a_cavity_are_said_once():
    cavity = ss.Ensemble.cavity(cavity_decay=1000.0, **CAVITY)
    with pytest.warns(UserWarning, match="^The cavity holds spins=") as caught:
        ss.sweep(ss.steady_state, {"spins": np.arange(5, 15)}, model=cavity, theory=ss.Exact(4), chunk=2)
    assert len(given(caught, UserWarning)) == 1


def test_a_cavity_that_is_varied_warns_once():
    cavity = ss.Ensemble.cavity(cavity_decay=1000.0, **CAVITY)
    with pytest.warns(ss.CavityWarning, match="cavity_decay/2 = 0.5 ") as caught:
        ss.sweep(ss.limit_cycle, {"cavity_decay": DECAYS}, model=cavity, chunk=2)
    assert len(given(caught, ss.CavityWarning)) == 1


def test_nothing_is_kept_after_a_sweep(tmp_path, monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    ss.sweep(noted_square, {"x": [1.0]}, folder=str(tmp_path))
    with pytest.warns(ss.CavityWarning):
        threshold(1.0)
