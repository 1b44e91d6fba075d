"""Results of version 0.1.0 can be read, and give the same numbers when they are repeated."""

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
with pytest.warns(ss.CavityWarning):
    CAVITY = ss.Ensemble.cavity(spins=900, vacuum_coupling=0.1, cavity_decay=2.0, gain=3, damping=1)
SYMMETRIC = ss.Ensemble.pair(detuning=1.0, gain=3, damping=1, coupling=16, theta=-HALF_PI)
LORENTZIAN = laser(frequency=ss.Lorentzian(0.5))
MODELS = {
    "evolve_changes": laser().replace(coupling=5.0, **{"A.gain": 1 / 3}),
    "evolve_split": laser().split(2),
    "evolve_gaussian": laser(frequency=ss.Gaussian(0.5)),
    "evolve_uniform": laser(frequency=ss.Uniform(0.5, 0.1)),
    "evolve_samples": laser(frequency=ss.Samples([0.1, 1 / 3, -0.4])),
    "evolve_drawn": laser(frequency=ss.Lorentzian(0.4).sample(9, seed=2)),
    "evolve_crowd": laser(frequency=ss.Lorentzian(0.4).sample(600, seed=3)),
    "evolve_exact_on": PAIR.replace(gain=0.4),
    "evolve_mean_field_on": PAIR.replace(gain=0.4),
    "evolve_from_rest": PAIR.replace(gain=0.0),
    "limit_cycle_dark": laser(theta=-1.2, coupling=0.1),
    "limit_cycle_gaussian": laser(frequency=ss.Gaussian(0.5)),
    "linewidth_modes": ss.Ensemble.pair(detuning=2.0, gain=0.5, damping=0.1, coupling=1.0, theta=-HALF_PI),
    "locking_range": ss.Ensemble.pair(detuning=0.01, gain=3, damping=1, coupling=24, theta=-HALF_PI, cross_coupling=0.1),
    "regime": ss.Ensemble.pair(detuning=8.0, gain=3, damping=1, coupling=16, theta=-HALF_PI),
}
#: models of several results
OF_SEVERAL = [
    (OFF, """asymptotic_phase emission_spectrum entropy evolve_exact evolve_later_times limit_cycle linewidth
        steady_state_exact"""),
    (PAIR, """emission_spectrum_pair entropy_brute_force evolve_brute_force evolve_exact_kept evolve_exact_on_twice evolve_start
        evolve_trajectories_pair husimi linewidth_brute_force one_spin_equation one_spin_equation_seeded pair_measures
        phase_distribution phase_distribution_run regime_start steady_state steady_state_brute_force steady_state_exact_pair
        steady_state_start"""),
    (laser(), """evolve_trajectories phase_diagram_distributions phase_diagram_frequency phase_diagram_line
        steady_state_trajectories"""),
    (GENERAL, "evolve lindblad regime_general"),
    (CAVITY, "evolve_cavity limit_cycle_cavity"),
    (SYMMETRIC, "evolve_each phase_diagram_plane symmetric_pair"),
    (LORENTZIAN, "evolve_lorentzian phase_diagram_lorentzian regime_lorentzian steady_state_lorentzian"),
]  # fmt: skip
MODELS |= {name: model for model, names in OF_SEVERAL for name in names.split()}


def opened(name: str) -> xr.Dataset:
    with ZipStore(FOLDER / f"{name}.zip", mode="r") as store:
        return xr.open_zarr(store, consolidated=False).load()


def test_every_old_result_has_its_model():
    assert set(RESULTS) == set(MODELS)


@pytest.mark.parametrize("name", RESULTS)
def test_an_old_result_gives_its_model(name):
    result = opened(name)
    assert result.attrs["version"] == "0.1.0"
    model = ss.model_of(result)
    assert model == MODELS[name]
    assert ss.model_of(ss.evolve(model, [0.0])) == model


def check_numbers(again: xr.Dataset, result: xr.Dataset) -> None:
    """The new result holds every variable of the old one, and may hold more."""
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
def test_an_old_result_without_a_needed_record_cannot_be_repeated(name):
    with pytest.raises(ss.InputError) as caught:
        ss.rerun(opened(name))
    assert str(caught.value) == f"Argument `result` must record {UNKNOWN[name]}, but does not."
