"""The kernels of `lanes.py` on a graphics processor: one thread per trajectory, from the same template."""

from __future__ import annotations

import re
import warnings
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.generated import built_once, generated
from spinsync.base.translation import Program
from spinsync.regimes.kernels import cuda_kernel, lane_kernel, measure_kernel
from spinsync.regimes.kernels.fixed_points import FixedPoints
from spinsync.regimes.kernels.layout import Layout, parameters_type
from spinsync.regimes.kernels.unroll import unrolled

THREADS = 64  # of a block: few, as each takes many registers
BUDGET = 500  # steps of a launch: it ends within a second on any card, so that a run can be stopped and a display is served
MOST = 2**18  # trajectories at once: more than a card has threads, less than it has memory

HEAD = '''"""Written by spinsync.regimes.kernels.cuda_lanes for numba-cuda {version}; not to be edited."""

import math

from numba import config, cuda

from spinsync.base.machine_code import compiled_for_device

if config.ENABLE_CUDASIM:  # the simulator runs Python, and has none of the device's functions
    from spinsync.base.vectors import bits_to_float, float_bits
else:
    from numba.cuda.libdevice import double_as_longlong as float_bits
    from numba.cuda.libdevice import longlong_as_double as bits_to_float


'''


class Alone(Layout):
    """A layout of one lane, a thread."""

    @property
    def lanes(self) -> int:
        return 1


def _cuda() -> Any:
    from numba import cuda

    return cuda


def unavailable() -> str | None:
    """Why nothing can be run here, in the words of what the device must then be; None where it can."""
    install = "pip install 'spinsync[cuda]'"
    try:
        metadata.version("numba-cuda")
    except metadata.PackageNotFoundError:
        return f"'cpu' without numba-cuda ({install})"
    cuda = _cuda()
    if cuda.is_available():
        return None
    return f"'cpu' without NVIDIA's compiler ({install})" if cuda.cuda_error() is None else "'cpu' where no CUDA GPU is found"


def source(layout: Alone, equation: ModuleType) -> str:
    """The text of the module with `begin` and `resume`."""
    modules = lane_kernel, measure_kernel, cuda_kernel, equation
    program = Program.of(*modules, constants={"layout": layout}, keeps_loop=lambda _: False)
    body = unrolled(program, ["begin", "resume"], {"W": layout.row, "P": parameters_type(layout.groups)})
    return HEAD.format(version=metadata.version("numba-cuda")) + re.sub("^def ", "@compiled_for_device\ndef ", body, flags=re.M)


@built_once
def _kernels(layout: Alone, equation: ModuleType) -> Any:
    name = f"cuda_{layout.groups}{'_measured' * layout.measured}{'_tangent' * layout.tangent}"
    return generated(name, source(layout, equation), [equation])


class CudaLanes:
    """As `Lanes`, for up to UNROLLED groups: trajectories move on the device, states of rest are found on the host."""

    shares = False  # one device, that all trajectories at once keep busy best

    def __init__(self, layout: Layout, equation: ModuleType) -> None:
        self.layout = Alone(layout.groups, layout.measured, layout.tangent)
        self.kernels = _kernels(self.layout, equation)
        self.fixed_points = FixedPoints(equation)

    def advance(
        self, parameters: Array, states: Array, spans: Array, rtol: float, atol: float, most_steps: float
    ) -> tuple[Array, Array, Array]:
        """Move `states` on by `spans`; sums (trajectory,) by name, steps taken, and whether each came to its end."""
        count, layout, limits = len(states), self.layout, (float(rtol), float(atol), float(most_steps))
        y, flat = states.reshape(count, layout.groups, layout.parts), parameters.view(float).reshape(count, -1)
        sums, steps, finished = np.empty((count, layout.summed)), np.empty(count), np.empty(count, bool)
        for first in range(0, count, MOST):
            part = slice(first, min(first + MOST, count))
            rows = self._run(flat[part], y[part], spans[part], limits)
            y[part], sums[part] = rows["state"][..., 0], rows["sums"][..., 0]
            steps[part], finished[part] = rows["steps"][:, 0], rows["time"][:, 0] >= rows["span"][:, 0]
        return layout.named(sums), steps, finished & np.isfinite(states).all(axis=1)

    def _run(self, parameters: Array, states: Array, spans: Array, limits: tuple[float, ...]) -> Array:
        """Records (trajectory,) of `Layout.row` at the end; launches go on with those that still move."""
        cuda, count = _cuda(), len(states)
        rows = cuda.device_array((self.layout.numbers, count))
        given = [cuda.to_device(np.ascontiguousarray(array)) for array in (parameters, states, spans)]
        alive = np.arange(count)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Grid size")  # the last trajectories are few
            self.kernels.begin[-(-count // THREADS), THREADS](*given, rows)
            while len(alive):
                moving = cuda.device_array(len(alive), np.bool_)
                launch = self.kernels.resume[-(-len(alive) // THREADS), THREADS]
                launch(cuda.to_device(alive), rows, *limits, BUDGET, moving)
                alive = alive[moving.copy_to_host()]
        return np.ascontiguousarray(rows.copy_to_host().T).view(self.layout.row)[:, 0]
