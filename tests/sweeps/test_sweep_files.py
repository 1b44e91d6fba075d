"""Sweep files and the commands sweep and status."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from jsonschema import Draft202012Validator

import spinsync as ss
from spinsync.interfaces.command import run
from spinsync.sweeps import sweep_files

ONE = "[model.single]\ngain = 3.0\ndamping = 1.0\ncoupling = 12.0\ntheta = -1.5\n"
GOOD = f'question = "limit_cycle"\n{ONE}[axes]\ncoupling = [2.0, 6.0]\ngain = {{start = 1.0, stop = 4.0, count = 4}}\n'
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "tongue-sweep.toml"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.toml").write_text(GOOD)
    return tmp_path


def read(text: str, folder: Path) -> dict:
    (folder / "other.toml").write_text(text)
    return sweep_files.read_sweep(folder / "other.toml")


def test_a_file_gives_what_the_call_gives(folder, capsys):
    assert run(["sweep", "sweep.toml", "--out", "out.zarr"]) == 0
    assert capsys.readouterr().out == "8 of 8 points done, 0 failed, 0 pending\n"
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.5)
    direct = ss.sweep(ss.limit_cycle, {"coupling": [2.0, 6.0], "gain": [1.0, 2.0, 3.0, 4.0]}, model=one)
    stored = xr.open_zarr("out.zarr", consolidated=False)
    for name in direct.data_vars:
        np.testing.assert_array_equal(stored[name].values, direct[name].values)


def test_the_same_command_goes_on_and_another_one_is_refused(folder, capsys):
    assert run(["sweep", "sweep.toml", "--out", "out.zarr"]) == 0
    assert run(["sweep", "sweep.toml", "--out", "out.zarr"]) == 0
    (folder / "sweep.toml").write_text(GOOD.replace("2.0, 6.0", "2.0, 7.0"))
    assert run(["sweep", "sweep.toml", "--out", "out.zarr"]) == 2
    assert "value 1 of the axis coupling is 6.0 there and 7.0 here" in capsys.readouterr().err


def test_failed_points_are_a_status_of_their_own(folder, capsys):
    """Below its threshold an ensemble has no line in mean field."""
    end = '[axes]\ncoupling = [2.0, 12.0]\n[theory]\nname = "mean-field"\n[options]\nspins = 100000\n'
    (folder / "sweep.toml").write_text(f'question = "linewidth"\n{ONE}{end}')
    assert run(["sweep", "sweep.toml", "--out", "out.zarr"]) == 3
    assert "1 of 2 points done, 1 failed" in capsys.readouterr().out


def test_status_reads_the_store(folder, capsys):
    run(["sweep", "sweep.toml", "--out", "out.zarr"])
    capsys.readouterr()
    assert run(["status", "out.zarr"]) == 0
    assert capsys.readouterr().out == "8 of 8 points done, 0 failed, 0 pending\n"
    assert run(["status", "sweep.toml"]) == 2
    assert capsys.readouterr().err == "Argument `store` must hold a sweep, but 'sweep.toml' does not.\n"


def test_a_cavity_outside_its_limit_is_told(folder):
    """As `spinsync regime` tells of the same model."""
    cavity = "[model.cavity]\nspins = 1000\nvacuum_coupling = 1.0\ncavity_decay = 100.0\ngain = 3.0\ndamping = 1.0\n"
    with pytest.warns(ss.CavityWarning, match="does not follow the spins"):
        found = read(f'question = "regime"\n{cavity}[axes]\nspins = {{start = 10, stop = 1000, count = 4}}\n', folder)
    assert found["axes"]["spins"].tolist() == [10, 340, 670, 1000]


def test_numbers_of_spins_of_a_logarithmic_range_are_whole(folder):
    axis = "[axes]\nspins = {start = 10, stop = 1000, count = 4, spacing = 'logarithmic'}\n"
    found = read(f'question = "limit_cycle"\n{ONE}{axis}', folder)
    assert found["axes"]["spins"].tolist() == [10, 46, 215, 1000]


def test_all_that_a_file_may_hold(folder):
    (folder / "one.toml").write_text(ONE.replace("model.", ""))
    found = read(
        'question = "evolve"\nmodel = "one.toml"\nseed = 3\nrealizations = 2\nchunk = 5\nvariables = ["order_parameter"]\n'
        '[axes]\n"A.coupling" = [1]\nfrequency = [{gaussian = {std = 1.0}}, 0.5]\n'
        'coupling = {start = 1.0, stop = 100.0, count = 3, spacing = "logarithmic"}\n'
        "[theory]\nname = 'mean-field'\nrtol = 1e-6\n[options]\ntimes = {start = 0.0, stop = 2.0, count = 3}\n",
        folder,
    )
    assert found["function"] is ss.evolve
    assert found["model"] == ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.5)
    assert found["theory"] == ss.MeanField(rtol=1e-6)
    assert found["axes"]["frequency"] == [ss.Gaussian(1.0), 0.5]
    np.testing.assert_allclose(found["axes"]["coupling"], [1, 10, 100])
    np.testing.assert_array_equal(found["times"], [0, 1, 2])
    assert (found["seed"], found["realizations"], found["chunk"], found["variables"]) == (3, 2, 5, ["order_parameter"])


BAD = [
    ("question = 3\n", "`model` must be given in a sweep file"),
    (GOOD.replace("limit_cycle", "limitcycle"), "did you mean 'limit_cycle'"),
    (GOOD.replace("[axes]", "[axis]"), "did you mean 'axes'"),
    (GOOD.replace("count = 4", "cuont = 4"), "did you mean 'count'"),
    (GOOD.replace(", count = 4", ""), "`axes.gain` must have start, stop and count, but count is missing"),
    (GOOD.replace("count = 4", "count = 0"), "`axes.gain.count` must be a whole number from 1"),
    (GOOD.replace("count = 4", 'count = 4, spacing = "log"'), "`axes.gain.spacing` must be one of linear, logarithmic"),
    (GOOD.replace("start = 1.0", 'start = 0.0, spacing = "logarithmic"'), "`axes.gain.start` must be positive"),
    (GOOD.replace("[2.0, 6.0]", "3.0"), "`axes.coupling` must be a list, or a range such as"),
    (GOOD.replace("gain = 3.0\n", ""), "`gain` must be given in [single]"),
    (GOOD.replace("[axes]", "[theory]\nspins = 3\n[axes]"), "`theory.name` must be one of"),
    (GOOD.replace("[axes]", "[theory]\nname = 'exact'\n[axes]"), "`theory` must have spins, but it is missing"),
    (GOOD.replace("[axes]", "[theory]\nname = 'exact'\nspin = 3\n[axes]"), "did you mean 'spins'"),
    (GOOD.replace("[axes]", "[options]\nseed = 3\n[axes]"), "`options` must not hold seed, but does"),
    ("axes = 3\n" + GOOD.partition("[axes]")[0], "`axes` must be a table, [axes]"),
    ("question = \n", "`SWEEP.toml` must be TOML"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[said for _, said in BAD])
def test_a_bad_file_is_one_sentence(folder, capsys, text, said):
    (folder / "bad.toml").write_text(text)
    assert run(["sweep", "bad.toml", "--out", "out.zarr"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (folder / "out.zarr").exists()


def test_missing_arguments_are_named(folder, capsys):
    assert run(["sweep", "--out", "out.zarr"]) == 2
    assert capsys.readouterr().err == "Argument `SWEEP.toml` must be given, but is missing.\n"
    assert run(["sweep", "sweep.toml"]) == 2
    assert capsys.readouterr().err == "Argument `--out` must be given, but is missing.\n"


def test_the_schema_takes_good_files_and_refuses_bad_ones(capsys):
    import tomllib

    assert run(["sweep", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    for text in (GOOD, EXAMPLE.read_text(encoding="utf-8")):
        judge.validate(tomllib.loads(text))
    for text, _ in (BAD[1], BAD[2], BAD[3], BAD[4], BAD[8], BAD[10], BAD[11], BAD[12]):
        assert not judge.is_valid(tomllib.loads(text)), text


def test_the_example_of_the_docs_is_a_sweep():
    found = sweep_files.read_sweep(EXAMPLE)
    assert found["function"] is ss.regime
    assert found["axes"]["detuning"].size == 200
