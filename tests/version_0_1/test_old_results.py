"""Results as version 0.1.0 wrote them still open, and give the same numbers when they are repeated."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from zarr.storage import ZipStore

import spinsync as ss
from systems import HALF_PI, laser

FOLDER = Path(__file__).parent  # Zarr stores, zipped
RESULTS = sorted(path.stem for path in FOLDER.glob("*.zip"))
UNKNOWN = {
    "asymptotic_phase": "states",
    "husimi": "the result that it was computed from",
    "pair_measures": "the result that it was computed from",
    "phase_distribution": "the result that it was computed from",
    "phase_distribution_run": "the result that it was computed from",
    "phase_diagram_distributions": "the distributions along A.frequency",
}
ALMOST = {"regime": 2e-3, "phase_diagram": 2e-3}  # averages over windows; everything else follows within 1e-6

OFF = laser(theta=-1.2)
PAIR = ss.Ensemble.pair(
    detuning=1.0, gain=(3.0, 2.0), damping=1.0, coupling=6.0, theta=-1.2, cross_theta=(-0.4, 0.3), weights=(1, 2)
)
GENERAL = ss.Ensemble(
    [ss.Group(3.0, 1.0, dephasing=0.2, frequency=0.3), ss.Group(2.0, 0.5, weight=2.0, name="cold")],
    [[1 - 8j, 2j], [-3.0, -6j]],
)
CAVITY = ss.Ensemble.cavity(spins=900, vacuum_coupling=0.1, cavity_decay=2.0, gain=3, damping=1)
MODELS = {
    "evolve": GENERAL,
    "evolve_start": PAIR,
    "evolve_changes": laser().replace(coupling=5.0, **{"A.gain": 1 / 3}),
    "evolve_cavity": CAVITY,
    "evolve_split": laser().split(2),
    "evolve_lorentzian": laser(frequency=ss.Lorentzian(0.5)),
    "evolve_gaussian": laser(frequency=ss.Gaussian(0.5)),
    "evolve_uniform": laser(frequency=ss.Uniform(0.5, 0.1)),
    "evolve_samples": laser(frequency=ss.Samples([0.1, 1 / 3, -0.4])),
    "evolve_drawn": laser(frequency=ss.Lorentzian(0.4).sample(9, seed=2)),
    "evolve_crowd": laser(frequency=ss.Lorentzian(0.4).sample(600, seed=3)),
    "evolve_exact_on": PAIR.replace(gain=0.4),
    "linewidth": OFF,
    "pair_measures": PAIR,
    "limit_cycle_cavity": CAVITY,
    "locking_range": ss.Ensemble.pair(detuning=0.01, gain=3, damping=1, coupling=24, theta=-HALF_PI, cross_coupling=0.1),
}


def opened(name: str) -> xr.Dataset:
    with ZipStore(FOLDER / f"{name}.zip", mode="r") as store:
        return xr.open_zarr(store, consolidated=False).load()


@pytest.mark.parametrize("name", RESULTS)
def test_the_model_of_an_old_result_is_known(name):
    result = opened(name)
    assert result.attrs["version"] == "0.1.0"
    model = ss.model_of(result)
    assert model == MODELS.get(name, model)
    assert ss.model_of(ss.evolve(model, [0.0])) == model


def check_numbers(again: xr.Dataset, result: xr.Dataset) -> None:
    """What the old result holds is held again; new variables may come."""
    tolerance = ALMOST.get(result.attrs["verb"], 1e-6)
    for name, old in result.variables.items():
        new = again.variables[name]
        assert new.dims == old.dims, name
        if old.dtype.kind not in "fc":
            assert new.values.tolist() == old.values.tolist(), name
        elif not name.endswith("_error"):
            np.testing.assert_allclose(new.values, old.values, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("name", [name for name in RESULTS if name not in UNKNOWN])
def test_an_old_result_is_repeated(name):
    result = opened(name)
    again = ss.rerun(result)
    check_numbers(again, result)
    assert ss.model_of(again) == ss.model_of(result)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_an_old_result_does_not_record_is_said(name):
    with pytest.raises(ss.InputError) as caught:
        ss.rerun(opened(name))
    assert str(caught.value) == f"Argument `result` must record {UNKNOWN[name]}, but does not."
