"""Kernels for graphics processors: run in numba's simulator, and compiled for a real device, which need not exist."""

import importlib.util
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import spinsync as ss
from spinsync.regimes.kernels import cuda_lanes
from spinsync.theory.mean_field import equations
from systems import laser

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="there is no CUDA for macOS")
ONE, FOUR = laser(), ss.Ensemble([ss.Group(1, 1) for _ in range(4)], np.eye(4))
INSTALL = "(pip install 'numba-cuda[cu12]')"


def compiler():
    """The folder of NVIDIA's compiler, or None: the other tests do not need it."""
    try:
        found = importlib.util.find_spec("nvidia.cuda_nvcc")
    except ModuleNotFoundError:  # no package of NVIDIA
        return None
    return None if found is None else next(iter(found.submodule_search_locations))


def run_kernels(simulator):
    """Run the tests of `cuda_kernels.py` in a new process, as numba chooses the simulator when it is imported."""
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(here / "cuda_kernels.py")]
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1" if simulator else "0"}
    done = subprocess.run(
        command, cwd=here.parents[2], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"\d+ passed in", done.stdout.splitlines()[-1]), done.stdout  # and none skipped


@pytest.mark.slow(slice=2)
def test_kernels_in_the_simulator():
    run_kernels(simulator=True)


def test_kernels_on_a_gpu_where_there_is_one():
    from numba import cuda

    if cuda.is_available():
        run_kernels(simulator=False)
    else:
        with pytest.raises(ss.InputError, match=r"^Argument `device` must be 'cpu' w.*, but is device='cuda'\.$"):
            ss.phase_diagram(ONE, {"gain": [3.0]}, device="cuda")


def assembly(monkeypatch, layout):
    """The assembly code (PTX) of all kernels for compute capability 9.0; no GPU is needed."""
    from numba import boolean, cuda, float64, int64
    from numba.cuda import dispatcher

    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=(9, 0)))
    row, table, real = float64[::1], float64[:, ::1], float64
    kernels = cuda_lanes._kernels(layout, equations)
    for kernel, arguments in (
        (kernels.begin, (table, float64[:, :, ::1], row, table)),
        (kernels.resume, (int64[::1], table, real, real, real, int64, boolean[::1])),
        (kernels.end, (table, float64[:, :, ::1], table, row, boolean[::1])),
    ):
        text, _ = cuda.compile_ptx(kernel.py_func, arguments, cc=(9, 0))
        yield text


def spilled(assembly):
    """Bytes of register spills that NVIDIA's assembler reports for each kernel."""
    command = [f"{compiler()}/bin/ptxas", "-v", "-arch=sm_90", "-o", os.devnull, "-"]
    done = subprocess.run(command, input=assembly, capture_output=True, text=True, check=True)
    return [int(count) for count in re.findall(r"(\d+) bytes spill", done.stderr)]


@pytest.mark.skipif(compiler() is None, reason="needs NVIDIA's compiler: pip install 'numba-cuda[cu12]'")
@pytest.mark.parametrize(
    ("groups", "measured"),
    [(1, False), (1, True), (2, False), (3, False), pytest.param(2, True, marks=pytest.mark.slow(slice=0)),
     pytest.param(3, True, marks=pytest.mark.slow(slice=0))],
)  # fmt: skip
def test_kernels_compile_for_a_real_device(monkeypatch, groups, measured):
    begin, resume, end = assembly(monkeypatch, cuda_lanes.ThreadLayout(groups, measured=measured, tangent=measured))
    for text in (begin, resume, end):
        assert ".target sm_90" in text
        for slow in (r"\bcall\b", r"\.local\b", r"\.f32\b"):  # all inlined, small arrays are scalars, double precision
            assert not re.search(slow, text), slow
    # per component, the six stages of a step are sums over all earlier ones: 21 products, and 7 of the error estimate
    assert len(re.findall(r"(fma\.rn|mul|sub)\.f64", resume)) > 28 * 3 * groups
    assert begin.count("div.rn.f64") == 1
    if groups == 1 or (groups == 2 and not measured):
        assert spilled(resume) == [0, 0]


@pytest.mark.parametrize(
    ("version", "found", "error", "model", "must"),
    [
        (None, True, None, ONE, f"without numba-cuda {INSTALL}"),
        ("0.30", False, "CUDA driver library cannot be found.", ONE, "where no CUDA GPU is found"),
        ("0.30", False, None, ONE, f"without NVIDIA's compiler {INSTALL}"),
        ("0.30", True, None, FOUR, "for more than 3 groups"),
        ("0.30", True, None, ONE.replace(frequency=ss.Gaussian(1.0)), "for distributed frequencies"),
    ],
)
def test_an_unavailable_device_is_refused(monkeypatch, version, found, error, model, must):
    def installed(name):
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    known = SimpleNamespace(version=installed, PackageNotFoundError=metadata.PackageNotFoundError)
    monkeypatch.setattr(cuda_lanes, "metadata", known)  # in this module alone
    monkeypatch.setattr(cuda_lanes, "_cuda", lambda: SimpleNamespace(is_available=lambda: found, cuda_error=lambda: error))
    with pytest.raises(ss.InputError) as caught:
        ss.phase_diagram(model, {"A.gain": [1.0]}, device="cuda")
    assert str(caught.value) == f"Argument `device` must be 'cpu' {must}, but is device='cuda'."
