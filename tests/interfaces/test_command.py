"""The command line: bad input of any kind gives one message and exit status 2, and writes nothing."""

import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from spinsync.interfaces.command import run

GOOD = "[single]\ngain = 3.0\ndamping = 1.0\ncoupling = 12.0\ntheta = -1.2\n"


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A folder with one.toml in it, as the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.toml").write_text(GOOD)
    return tmp_path


BAD_CALLS = [
    ("--nope", "No such option: --nope", "--version"),
    ("evolv one.toml", "evolv", "evolve"),
    ("evolv one.toml", "commands are", "steady-state"),
    ("evolve", "MODEL.toml", "issing"),
    ("evolve missing.toml", "'missing.toml'", "no such file"),
    ("evolve one.toml --until x", "--until", "must be a number, but is 'x'"),
    ("evolve one.toml --until nan", "--until", "must be positive and finite, but is --until=nan"),
    ("evolve one.toml --until -3", "--until", "must be positive and finite, but is --until=-3.0"),
    ("evolve one.toml --points 1", "--points", "must be from 2 to 10000000, but is --points=1"),
    ("evolve one.toml --points 2.5", "--points", "must be a whole number, but is '2.5'"),
    ("evolve one.toml --seed -3", "seed", "at least 0, but is seed=-3"),
    (
        "steady-state one.toml --theory exact --spins 4 --seed 3",
        "seed",
        "must be left at 0 where nothing is random, but is seed=3",
    ),
    ("evolve one.toml --theory exactly", "--theory", "brute-force"),
    ("evolve one.toml --theory exact --spins 0", "spins", "from 1 to 20000, but is spins=0"),
    ("evolve one.toml --theory trajectories", "--spins", "must be given with --theory trajectories"),
    ("steady-state one.toml --theory trajectories --spins 0", "spins", "from 1 to 10000000, but is spins=0"),
    ("evolve one.toml --theory brute-force", "--spins", "must be given with --theory brute-force"),
    ("evolve one.toml --theory brute-force --spins 7", "spins", "from 1 to 6, but is spins=7"),
    ("evolve one.toml --spins 3", "--spins", "must go with a theory of finite N"),
    ("evolve one.toml --out one.toml", "out", "must be a new path, but 'one.toml' exists"),
    ("evolve one.toml --out nowhere/run.zarr", "out", "must be writable, but 'nowhere/run.zarr' is not"),
    ("regime", "MODEL.toml", "issing"),
    ("regime missing.toml", "'missing.toml'", "no such file"),
    ("regime one.toml --seed -3", "seed", "at least 0, but is seed=-3"),
    ("regime one.toml --seed x", "--seed", "must be a whole number, but is 'x'"),
    ("regime one.toml --theory mean-field", "--theory", "--seed, --out"),
    ("regime one.toml --out one.toml", "out", "must be a new path, but 'one.toml' exists"),
    ("paper --qick", "--qick", "--quick"),
    ("paper --out one.toml", "out", "must be a new path, but 'one.toml' exists"),
    ("paper --out nowhere/report", "out", "must be writable, but 'nowhere/report' is not"),
]


@pytest.mark.parametrize(("call", "name", "text"), BAD_CALLS)
def test_a_bad_call_is_one_message(call, name, text, model, capsys):
    before = sorted(model.rglob("*"))
    assert run(call.split()) == 2
    out, error = capsys.readouterr()
    assert name in error
    assert text in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert out == ""
    assert sorted(model.rglob("*")) == before


BAD_MODELS = [
    ("gain = 3.0", "gain = -0.1", "Argument `gain` must be non-negative, but is gain=-0.1."),
    ("gain = 3.0", "gain = nan", "Argument `gain` must be finite, but is gain=nan."),
    ("gain = 3.0", "gain = inf", "Argument `gain` must be finite, but is gain=inf."),
    ("gain = 3.0", 'gain = "high"', "Argument `gain` must be a real number, but is gain='high'."),
    ("gain = 3.0", "gian = 3.0", "did you mean 'gain'?"),
    ("gain = 3.0", "gain = = 3", "but bad.toml is not: Invalid value (at line 2, column 8)"),
    ("gain = 3.0\n", "", "Argument `gain` must be given in [single], but is missing."),
    ("[single]", "[singel]", "did you mean 'single'?"),
]


@pytest.mark.parametrize(("old", "new", "text"), BAD_MODELS)
def test_a_bad_model_is_one_message(old, new, text, model, capsys):
    (model / "bad.toml").write_text(GOOD.replace(old, new))
    assert run(["evolve", "bad.toml", "--out", "run.zarr"]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1
    assert not (model / "run.zarr").exists()


def test_evolve_writes_the_result_of_python(model):
    assert run(["evolve", "one.toml", "--until", "3", "--points", "31", "--seed", "4", "--out", "run.zarr"]) == 0
    stored = xr.open_zarr(model / "run.zarr", consolidated=False).load()
    assert stored.identical(ss.evolve(ss.Ensemble.from_toml("one.toml"), np.linspace(0, 3, 31), seed=4))
    assert ss.rerun(stored).identical(stored)


PAIR = "[pair]\ndetuning = 6.5\ngain = 3.0\ndamping = 1.0\ncoupling = 20.0\ntheta = -1.5707963267948966\n"


def test_regime_prints_its_label_and_writes_the_result_of_python(model, capsys):
    (model / "two.toml").write_text(PAIR)
    assert run(["regime", "two.toml", "--seed", "4"]) == 0
    out, error = capsys.readouterr()
    assert out.startswith("partial\n")
    assert "phase_locking" in out
    assert error == ""
    assert run(["regime", "two.toml", "--seed", "4", "--out", "run.zarr"]) == 0
    out, error = capsys.readouterr()
    assert (out, error) == ("wrote run.zarr\n", "partial\n")
    stored = xr.open_zarr(model / "run.zarr", consolidated=False).load()
    expected = ss.regime(ss.Ensemble.from_toml("two.toml"), seed=4)
    xr.testing.assert_equal(stored, expected)
    assert stored.attrs == expected.attrs
    assert stored.regime.attrs["flag_meanings"] == expected.regime.attrs["flag_meanings"]


def test_an_undecided_regime_is_a_result(model, capsys):
    """It is not a bad input: exit status 0, with the reason in `status`."""
    (model / "still.toml").write_text(GOOD.replace("gain = 3.0", "gain = 0").replace("damping = 1.0", "damping = 0"))
    assert run(["regime", "still.toml", "--out", "run.zarr"]) == 0
    assert capsys.readouterr().err == "undecided\n"
    stored = xr.open_zarr(model / "run.zarr", consolidated=False).load()
    assert stored.status.attrs["flag_meanings"].split()[int(stored.status)] == "no_relaxation"
    assert not stored.settled


def test_steady_state_by_brute_force_prints_a_summary(model, capsys):
    assert run(["steady-state", "one.toml", "--theory", "brute-force", "--spins", "3"]) == 0
    assert "inversion" in capsys.readouterr().out


def test_trajectories_write_the_result_of_python(model):
    call = ["evolve", "one.toml", "--theory", "trajectories", "--spins", "40", "--until", "1", "--points", "3", "--seed", "4"]
    assert run([*call, "--out", "run.zarr"]) == 0
    stored = xr.open_zarr(model / "run.zarr", consolidated=False).load()
    one = ss.Ensemble.from_toml("one.toml")
    assert stored.identical(ss.evolve(one, np.linspace(0, 1, 3), theory=ss.Trajectories(40), seed=4))
    assert ss.rerun(stored).identical(stored)
    assert run(["steady-state", "one.toml", "--theory", "trajectories", "--spins", "40", "--out", "steady.zarr"]) == 0
    steady = xr.open_zarr(model / "steady.zarr", consolidated=False).load()
    assert steady.identical(ss.steady_state(one, theory=ss.Trajectories(40)))


def test_version_and_doctor(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"spinsync {ss.__version__}\n"
    assert run(["doctor"]) == 0
    assert "numba" in capsys.readouterr().out


def test_an_interrupt_writes_nothing_and_is_reported(model, monkeypatch, capsys):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_zarr", interrupt)
    assert run(["evolve", "one.toml", "--until", "1", "--points", "3", "--out", "run.zarr"]) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert sorted(p.name for p in model.iterdir()) == ["one.toml"]


def test_the_installed_command_exits_with_the_status(model):
    done = subprocess.run([sys.executable, "-m", "spinsync", "evolve", "no.toml"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Argument")


def test_a_run_that_cannot_finish_is_a_message(model, capsys):
    (model / "fast.toml").write_text(GOOD.replace("12.0", "1e300"))
    assert run(["evolve", "fast.toml", "--out", "run.zarr"]) == 2
    assert "step" in capsys.readouterr().err
    assert not (model / "run.zarr").exists()


def test_claims_are_valid_json(tmp_path):
    from spinsync.interfaces.paper.claims import Claim

    row = Claim("c", 1, np.float64(1.5), 0.1, "why").row()
    assert json.loads(json.dumps(row))["holds"] is False


def test_an_existing_output_is_refused_before_the_computation(model, monkeypatch, capsys):
    monkeypatch.setattr(ss, "evolve", lambda *_a, **_k: pytest.fail("the computation started"))
    assert run(["evolve", "one.toml", "--out", "one.toml"]) == 2
    assert "must be a new path" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "[" * 3000])
def test_absurd_toml_is_a_message(model, capsys, number):
    (model / "bad.toml").write_text(GOOD.replace("3.0", number))
    assert run(["evolve", "bad.toml"]) == 2
    assert capsys.readouterr().err.startswith("Argument `")
    assert run(["evolve", "one.toml", "--out", "x" * 300]) == 2
    assert "must be writable" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line_and_the_answer_stands(model, capsys):
    cavity = ss.Ensemble.cavity(spins=8, vacuum_coupling=1.0, cavity_decay=80.0, gain=1.0, damping=0.1)
    cavity.to_toml("cavity.toml")
    assert run(["steady-state", "cavity.toml", "--theory", "exact", "--spins", "6", "--out", "steady.zarr"]) == 0
    assert capsys.readouterr().err.startswith("Warning: The cavity holds spins=8 and Exact(spins=6) computes 6: ")
    assert ss.model_of(xr.open_zarr("steady.zarr", consolidated=False)) == cavity
    assert run(["steady-state", "cavity.toml", "--theory", "exact", "--spins", "8"]) == 0
    assert capsys.readouterr().err == ""
