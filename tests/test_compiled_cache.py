"""The compiled cache is never stale: an edited equation takes effect, while the stepper is served from the cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spinsync

RUN = """
import numpy as np, spinsync as ss
from spinsync.numerics.exponential_adams import solve
from spinsync.theory.mean_field_equations import nonlinear
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
last = ss.evolve(one, [0.0, 30.0]).isel(time=1, group=0)
hits = [sum(f.stats.cache_hits.values()) for f in (solve, nonlinear)]
print(ss.__file__, *hits, repr(float(last.order_parameter)))
"""


@pytest.mark.slow(1)
def test_an_edited_equation_takes_effect(tmp_path):
    source = Path(spinsync.__file__).parent
    copy = tmp_path / "spinsync"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=environment, check=True)
        file, stepper, equation, order_parameter = done.stdout.split()
        assert Path(file).parent == copy
        return int(stepper), int(equation), float(order_parameter)

    assert run() == (0, 0, pytest.approx(1 / 3, abs=1e-6))  # compiled
    assert run() == (1, 1, pytest.approx(1 / 3, abs=1e-6))  # all from the cache
    equations = copy / "theory" / "mean_field_equations.py"
    text, before = equations.read_text(), equations.stat()
    edited = text.replace("* 4 * (h", "* 3 * (h")  # another constant in the same bytecode
    assert edited != text
    equations.write_text(edited)  # the same size: let the time of change differ, as it does when a person edits
    os.utime(equations, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))
    # |s|^2 = (kappa - gamma - Gamma_1 z*)/(3 V)
    assert run() == (1, 0, pytest.approx((4 / 3) ** 0.5 / 3, abs=1e-6))  # the stepper came from the cache, the equation did not
