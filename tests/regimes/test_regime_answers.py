"""The results of `regime`: variables, initial states, undecided points, labels."""

import json

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from regime_cases import TABLE, R, near_full, random_motion, regime_of, table_pair, weak_pair
from spinsync.regimes import follow
from spinsync.regimes.codes import Status
from systems import HALF_PI, laser, pair

# variables and initial states


def test_variables_have_names_units_and_flags(tmp_path):
    found = ss.regime(pair(6.5, 20.0), seed=3)
    names = {"regime", "frequency", "amplitude", "inversion", "order_parameter", "phase_locking", "phase_difference"}
    names |= {"lyapunov", "lyapunov_error", "period", "order_parameter_range"}
    assert set(found.data_vars) == names | {"settled", "status"}
    for name in ("frequency", "amplitude", "inversion"):
        assert found[name].dims == ("group",)
    for name in ("phase_locking", "phase_difference"):
        assert found[name].dims == ("group", "other_group")
    for name in found.variables:
        assert found[name].attrs["long_name"], name
        assert found[name].attrs["units"], name
    assert found.regime.dtype == np.int8
    assert found.regime.attrs["flag_values"].tolist() == [-1, 0, 1, 2, 3, 4, 5]
    meanings = "undecided incoherent full phase_trapped partial irregular pulsating"
    assert found.regime.attrs["flag_meanings"] == meanings
    assert found.attrs["verb"] == "regime"
    assert found.attrs["seed"] == 3
    assert ss.model_of(found) == pair(6.5, 20.0)
    found.to_zarr(tmp_path / "regime.zarr", consolidated=False)
    stored = xr.open_zarr(tmp_path / "regime.zarr", consolidated=False).load()
    xr.testing.assert_equal(stored, found)
    assert ss.label(stored.regime) == "partial"


def test_the_initial_state_is_that_of_evolve():
    ensemble = pair(5.0, 16.0)
    start = ss.bloch(ss.evolve(ensemble, [0.0], seed=4)).values[0]
    seeded, given = ss.regime(ensemble, seed=4), ss.regime(ensemble, initial=start)
    np.testing.assert_allclose(seeded.frequency, given.frequency, atol=1e-6)
    assert regime_of(seeded) is regime_of(given)
    assert "initial" not in seeded.attrs
    np.testing.assert_allclose(json.loads(given.attrs["initial"]), start)
    assert ss.regime(ensemble, seed=4).identical(seeded)


def test_one_detuning_holds_more_than_one_regime():
    """V = 10 just below the Hopf line: the fixed point and the drift are both stable (section 5); the start decides."""
    hopf = float(ss.symmetric_pair(pair(1.0, 10.0)).hopf_detuning)
    ensemble, beyond = pair(0.98 * hopf, 10.0), pair(1.02 * hopf, 10.0)
    drift = ss.evolve(beyond, [0.0, 100.0])
    assert regime_of(ss.regime(beyond, initial=ss.bloch(drift).isel(time=1))) is R.PARTIAL
    assert regime_of(ss.regime(ensemble, initial=ss.bloch(drift).isel(time=1))) is R.PARTIAL
    assert regime_of(ss.regime(ensemble, initial=near_full(ensemble, 1e-3))) is R.FULL
    assert regime_of(ss.regime(pair(0.96 * hopf, 10.0), initial=ss.bloch(drift).isel(time=1))) is R.FULL


# undecided points


def driven_through_zero():
    """A and B rotate at +-1 and couple equally to C, whose coherence is a cosine: its phase is undefined twice per beat."""
    groups = [ss.Group(3, 1, frequency=1.0), ss.Group(3, 1, frequency=-1.0), ss.Group(1, 1.5)]
    return ss.Ensemble(groups, -1j * np.array([[24.0, 0, 0], [0, 24.0, 0], [6.0, 6.0, 0]]))


UNDECIDED = {
    Status.STILL_CHANGING: lambda: weak_pair(2, 1.01)[0],
    Status.FAILED: lambda: laser(coupling=1e300),
    Status.NO_RELAXATION: lambda: laser(gain=0.0, damping=0.0),
    Status.THROUGH_ZERO: driven_through_zero,
}


@pytest.mark.parametrize("status", UNDECIDED)
def test_an_undecided_point_has_the_reason_in_its_status(status, monkeypatch):
    monkeypatch.setattr(follow, "MAX_TIME", 300.0)
    found = ss.regime(UNDECIDED[status]())
    assert regime_of(found) is R.UNDECIDED
    assert Status(int(found.status)) is status
    assert not found.settled
    assert ss.label(found.regime) == "undecided"
    if status in (Status.FAILED, Status.NO_RELAXATION):
        for name in ("frequency", "amplitude", "inversion", "order_parameter", "phase_locking", "lyapunov"):
            assert np.isnan(found[name]).all(), name
    else:
        assert np.all(found.amplitude > 1e-3)  # the averages of the last window are returned


def test_every_reason_is_tested():
    assert set(UNDECIDED) == set(Status) - {Status.SETTLED}


@pytest.mark.slow(slice=2)
def test_a_beat_that_is_too_slow_is_undecided_and_not_locked():
    """A beat of 10^5 relaxation times is PARTIAL or UNDECIDED, but never a fixed point."""
    ensemble = ss.Ensemble.pair(
        detuning=1.0, gain=3.0, damping=1.0, coupling=24.0, theta=-HALF_PI, cross_coupling=0.005, cross_theta=-HALF_PI
    )
    reach = float(ss.locking_range(ensemble).locking_range)
    found = ss.regime(ensemble.replace(detuning=1.01 * reach))
    assert regime_of(found) in (R.UNDECIDED, R.PARTIAL)
    assert bool(found.settled) == (regime_of(found) is R.PARTIAL)


def test_only_decided_points_are_settled():
    diagram = ss.phase_diagram(laser(damping=0.0), {"gain": [0.0, 1.0], "coupling": [0.0, 9.0, 1e300]})
    decided = diagram.regime.values != R.UNDECIDED
    np.testing.assert_array_equal(diagram.settled, decided)
    np.testing.assert_array_equal(diagram.status == Status.SETTLED, decided)
    assert ss.label(diagram.regime).values.tolist() == [["undecided"] * 3, ["incoherent", "full", "undecided"]]


def test_exponents_are_positive_in_irregular_motion_alone():
    found = [ss.regime(table_pair(row)) for row in TABLE[::3]] + [random_motion(seed)[1] for seed in range(12)]
    for one in found:
        grows = float(one.lyapunov) > float(one.lyapunov_error)
        assert grows == (regime_of(one) is R.IRREGULAR)
        assert float(one.lyapunov_error) > 0
        if regime_of(one) in (R.FULL, R.INCOHERENT):
            assert float(one.lyapunov) < 0


# labels of codes


def test_labels_of_codes():
    assert ss.label(R.PHASE_TRAPPED) == "phase-trapped"
    assert ss.label(-1) == "undecided"
    assert type(ss.label(np.int8(3))) is str
    assert ss.label([0, 1, 2, 3, 4, 5]).tolist() == [
        "incoherent", "full", "phase-trapped", "partial", "irregular", "pulsating",
    ]  # fmt: skip
    assert ss.label(np.array([[1, 3]])).shape == (1, 2)
    assert ss.label([]).shape == (0,)
    diagram = ss.phase_diagram(laser(), {"coupling": [2.0, 12.0]})
    labels = ss.label(diagram.regime)
    assert labels.dims == ("coupling",)
    assert labels.sel(coupling=12.0) == "full"
    np.testing.assert_array_equal(labels.coupling, [2.0, 12.0])
    assert ss.label(diagram.regime[0]) == "incoherent"
    assert [regime.value for regime in R] == [-1, 0, 1, 2, 3, 4, 5]
