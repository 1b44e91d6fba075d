"""Model files of version 0.1 can be read, and are written again with the same bytes."""

import json
from pathlib import Path

import numpy as np
import pytest

import spinsync as ss
from spinsync.model import model_files

FOLDER = Path(__file__).parent
NUMBERS = json.loads((FOLDER / "models.json").read_text())  # what version 0.1 made of these files
ONE = {"gain": 3, "damping": 1, "coupling": 12, "theta": -1.2}
SINGLE = ss.Ensemble.single(**ONE, frequency=0.3, dephasing=0.2)
PAIR = ss.Ensemble.pair(
    detuning=2, gain=(3, 2), damping=1, coupling=16, theta=-1.3, cross_coupling=5.5, cross_theta=(0.1, 0.2),
    dephasing=(0.1, 0), weights=(2, 1),
)  # fmt: skip
FOLLOWED = ss.Ensemble.pair(detuning=2, gain=3, damping=1, coupling=16, theta=-1.3)
with pytest.warns(ss.CavityWarning):
    CAVITY = ss.Ensemble.cavity(
        spins=500, vacuum_coupling=0.1, cavity_decay=9, cavity_detuning=2, gain=1, damping=0.3, frequency=0.7
    )
MADE = {
    "single": SINGLE,
    "pair": PAIR,
    "followed": FOLLOWED,
    "cavity": CAVITY,
    "lorentzian": ss.Ensemble.single(**ONE, frequency=ss.Lorentzian(0.1)),
    "gaussian": ss.Ensemble.single(**ONE, frequency=ss.Gaussian(1 / 3, 2.5)),
    "uniform": ss.Ensemble.single(**ONE, frequency=ss.Uniform(7.0, -1e-7)),
    "samples": ss.Ensemble.single(**ONE, frequency=ss.Samples([0.1, -2 / 3, 1e5])),
    "drawn": ss.Ensemble.single(**ONE, frequency=ss.Gaussian(0.3, 1.0).sample(50, seed=3)),
    "long_samples": ss.Ensemble.single(**ONE, frequency=ss.Samples(np.arange(1001) / 7)),
    "single_changed": SINGLE.replace(**{"A.gain": 0.1 + 0.2, "A.A.coupling": 1 / 3, "A.A.theta": -2.0}),
    "single_dark": ss.Ensemble.single(**ONE | {"coupling": 0.0}),
    "pair_changed": PAIR.replace(
        **{"A.B.theta": 0.7, "A.frequency": 5.0, "B.frequency": ss.Lorentzian(0.5, -1.0), "A.weight": 3.0}
    ),
    "pair_dark": FOLLOWED.replace(**{"A.B.coupling": 0.0, "coupling": 3.0}),
    "pair_moved": FOLLOWED.replace(**{"A.frequency": ss.Gaussian(0.2, 1.0)}).replace(detuning=3.0),
    "cavity_changed": CAVITY.replace(**{"A.A.theta": -1.0, "A.dephasing": 0.25}),
    "cavity_split": CAVITY.split(3),
    "ring": ss.Ensemble([ss.Group(3.0, 1.0)] * 10, -8j * np.roll(np.eye(10), 1, axis=1)).replace(**{"A.B.coupling": 3.0}),
}
FILES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def numbers(ensemble):
    """All numbers of an ensemble, and how its frequencies are distributed."""
    names = ("gain", "damping", "dephasing", "mean_frequency", "weight")
    columns = {name: [getattr(group, name) for group in ensemble.groups] for name in names}
    c = ensemble.coupling_matrix
    shown = [repr(group.frequency) for group in ensemble.groups]
    return {"names": list(ensemble.names), **columns, "real": c.real.tolist(), "imag": c.imag.tolist(), "shown": shown}


@pytest.mark.filterwarnings("ignore::spinsync.CavityWarning")
@pytest.mark.parametrize("name", FILES)
def test_a_model_file_of_version_0_1_is_read_and_written_again(name, tmp_path):
    model = ss.Ensemble.from_toml(FOLDER / f"{name}.toml")
    model.to_toml(tmp_path / "again.toml")
    assert (tmp_path / "again.toml").read_bytes() == (FOLDER / f"{name}.toml").read_bytes()
    expected = NUMBERS[name]
    for key, found in numbers(model).items():
        if key in ("names", "shown"):
            assert found == expected[key]
        else:
            np.testing.assert_allclose(found, expected[key], rtol=4e-16, err_msg=key)


@pytest.mark.filterwarnings("ignore::spinsync.CavityWarning")
@pytest.mark.parametrize("name", MADE)
def test_constructors_make_the_models_that_version_0_1_wrote(name):
    written = ss.Ensemble.from_toml(FOLDER / f"{name}.toml")
    assert written == MADE[name]
    assert hash(written) == hash(MADE[name])
    assert model_files.text(MADE[name].recipe, MADE[name].lamb_shift) == (FOLDER / f"{name}.toml").read_text()


def test_every_file_has_its_numbers():
    assert set(MADE) | {"groups", "groups_changed", "groups_distributed"} == set(FILES) == set(NUMBERS)
