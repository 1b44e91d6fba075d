"""What tests of kernels share: kernels without machine code."""

import pytest

from spinsync.regimes.kernels import fixed_point_kernel, lane_kernel
from spinsync.theory.mean_field import equations


@pytest.fixture
def interpreted(monkeypatch):
    """Kernels that are run as plain Python."""
    for module in (lane_kernel, fixed_point_kernel):
        for name in ("spin", "spin_tangent"):
            monkeypatch.setattr(module, name, getattr(equations, name).interpreted)
