"""The examples for SLURM run as they are printed in the docs, with commands of SLURM that run the job scripts here."""

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import slurm_stub
import spinsync as ss

pytestmark = [
    pytest.mark.dask,
    pytest.mark.skipif(sys.platform == "win32", reason="job scripts are shell scripts"),
    *(  # not imported here: dask-jobqueue makes the process end silently at Ctrl-C
        pytest.mark.skipif(find_spec(name) is None, reason=f"needs {name}") for name in ("dask_jobqueue", "submitit")
    ),
]

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LONGEST = 150  # seconds


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A folder with the commands of SLURM, in which the jobs of the test are listed."""
    folder = tmp_path / "slurm"
    slurm_stub.install(folder)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    yield folder
    for job in folder.glob("[0-9]*"):
        subprocess.run([folder / "scancel", job.name], check=True)


def started(name, folder):
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / name)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_workers_are_jobs_and_one_that_is_cancelled_costs_no_result(slurm, tmp_path):
    run = started("slurm_dask.py", tmp_path)
    log = tmp_path / "tongue.zarr" / "sweep" / "log.jsonl"
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and not (log.exists() and '"chunk"' in log.read_text()):
        time.sleep(0.05)
    subprocess.run([slurm / "scancel", "1"], check=True)
    out, errors = run.communicate(timeout=LONGEST)
    assert run.returncode == 0, errors
    found = xr.open_zarr(tmp_path / "tongue.zarr", consolidated=False)
    assert out == f"{int((found.regime == ss.Regime.FULL).sum())} of 10000 points are fully synchronized\n"
    assert (found.point_status == 1).all()
    pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=10.0, theta=-np.pi / 2)
    axes = {"detuning": np.linspace(0.0, 8.0, 100), "coupling": np.linspace(1.0, 30.0, 100)}
    np.testing.assert_array_equal(found.regime, ss.phase_diagram(pair, axes).regime)
    states = {job.name: (job / "status").read_text().strip() for job in slurm.glob("[0-9]*") if (job / "status").exists()}
    assert states["1"] == "cancelled"
    assert len(list(slurm.glob("[0-9]*"))) == 2


def test_chunks_are_jobs(slurm, tmp_path):
    run = started("slurm_submitit.py", tmp_path)
    out, errors = run.communicate(timeout=LONGEST)
    assert run.returncode == 0, errors
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    widths = [float(ss.linewidth(one.replace(coupling=v), theory=ss.Exact(100)).linewidth) for v in np.linspace(5, 30, 8)]
    assert out.split() == str(np.round(widths, 4)).split()
    found = xr.open_zarr(tmp_path / "widths.zarr", consolidated=False)
    np.testing.assert_array_equal(found.linewidth, widths)
    assert {job.name for job in slurm.glob("[0-9]*")} == set("1234")
