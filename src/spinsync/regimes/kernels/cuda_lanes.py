"""The kernels of `lanes.py` on a graphics processor: one thread per trajectory, from the same functions."""

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
from spinsync.regimes.kernels.fixed_points import FixedPointKernels
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import Layout, parameters_type
from spinsync.regimes.kernels.unroll import unrolled

THREADS_PER_BLOCK = 64  # few, as each thread needs many registers
STEPS_PER_LAUNCH = 500  # a launch ends within a second on any card: runs can be interrupted, displays stay responsive
FEW = 2048  # trajectories, below which the host's lanes are faster: a device hides the latency of its steps by their number
MAX_TRAJECTORIES = 2**18  # at once: more than a card has threads, and few enough for its memory

HEADER = '''"""Written by spinsync.regimes.kernels.cuda_lanes for numba-cuda {version}; not to be edited."""

import math

from numba import config, cuda

from spinsync.base.machine_code import compiled_for_device

if config.ENABLE_CUDASIM:  # the simulator runs Python, and has none of the device's functions
    from spinsync.base.vectors import bits_to_float, float_bits
else:
    from numba.cuda.libdevice import double_as_longlong as float_bits
    from numba.cuda.libdevice import longlong_as_double as bits_to_float


'''


class ThreadLayout(Layout):
    """A layout with a single lane, for one thread."""

    @property
    def lanes(self) -> int:
        return 1


def _cuda() -> Any:
    from numba import cuda

    return cuda


def unavailable() -> str | None:
    """What the device must be because CUDA is unavailable, as part of an error message; None if it is available."""
    install = "pip install 'numba-cuda[cu12]'"
    try:
        metadata.version("numba-cuda")
    except metadata.PackageNotFoundError:
        return f"'cpu' without numba-cuda ({install})"
    cuda = _cuda()
    if cuda.is_available():
        return None
    return f"'cpu' without NVIDIA's compiler ({install})" if cuda.cuda_error() is None else "'cpu' where no CUDA GPU is found"


def source(layout: ThreadLayout, equation: ModuleType) -> str:
    """The source of the module with the kernels `begin`, `resume` and `end`."""
    modules = lane_kernel, measure_kernel, cuda_kernel, equation
    program = Program.of(*modules, constants={"layout": layout}, keeps_loop=lambda _: False)
    body = unrolled(program, ["begin", "resume", "end"], {"W": layout.row, "P": parameters_type(layout.groups)})
    body = re.sub("^def ", "@compiled_for_device\ndef ", body, flags=re.M)
    return HEADER.format(version=metadata.version("numba-cuda")) + body


@built_once
def _kernels(layout: ThreadLayout, equation: ModuleType) -> Any:
    name = f"cuda_{layout.groups}{'_measured' * layout.measured}{'_tangent' * layout.tangent}"
    return generated(name, source(layout, equation), [equation])


def _grid(count: int) -> tuple[int, int]:
    """Blocks, and threads of a block, for so many trajectories."""
    return -(-count // THREADS_PER_BLOCK), THREADS_PER_BLOCK


class CudaLanes:
    """As `Lanes`, for up to MAX_UNROLLED groups: the device advances trajectories, the host finds fixed points.

    The host advances the last few trajectories, too. They agree with those of the device to within rounding.
    """

    chunked = False  # one device is used best by all trajectories at once

    def __init__(self, layout: Layout, equation: ModuleType) -> None:
        self.layout = ThreadLayout(layout.groups, layout.measured, layout.tangent)
        self.kernels, self.host = _kernels(self.layout, equation), Lanes(layout, equation)
        self.fixed_points = FixedPointKernels(equation)

    def advance(
        self, parameters: Array, states: Array, spans: Array, rtol: float, atol: float, max_steps: float
    ) -> tuple[Array, Array, Array]:
        """Advance `states` by `spans`: records of sums, numbers of steps, which reached the end, each (trajectory,)."""
        count, layout, limits = len(states), self.layout, (float(rtol), float(atol), float(max_steps))
        if count < FEW:
            return self.host.advance(parameters, states, spans, *limits)
        y, flat = states.reshape(count, layout.groups, layout.components), parameters.view(float).reshape(count, -1)
        sums = np.empty((count, layout.sum_count or 1))  # a device has no empty arrays
        steps, finished = np.empty(count), np.empty(count, bool)
        for first in range(0, count, MAX_TRAJECTORIES):
            chunk = slice(first, min(first + MAX_TRAJECTORIES, count))
            self._run(flat[chunk], y[chunk], spans[chunk], limits, (y[chunk], sums[chunk], steps[chunk], finished[chunk]))
        return layout.by_name(sums), steps, finished & np.isfinite(states).all(axis=1)

    def _run(
        self, parameters: Array, states: Array, spans: Array, limits: tuple[float, ...], results: tuple[Array, ...]
    ) -> None:
        """Write final states, sums, steps and which finished to `results`. Each launch continues what has not finished."""
        cuda, count = _cuda(), len(states)
        rows = cuda.device_array((self.layout.row_length, count))
        arguments = [cuda.to_device(np.ascontiguousarray(array)) for array in (parameters, states, spans)]
        active = np.arange(count)
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", ".*Grid size"
            )  # numba warns, in bold, of the small grids of the last trajectories
            self.kernels.begin[_grid(count)](*arguments, rows)
            while len(active):
                moving = cuda.device_array(len(active), np.bool_)
                self.kernels.resume[_grid(len(active))](cuda.to_device(active), rows, *limits, STEPS_PER_LAUNCH, moving)
                active = active[moving.copy_to_host()]
            found = [cuda.device_array(array.shape, array.dtype) for array in results]
            self.kernels.end[_grid(count)](rows, *found)
        for device, array in zip(found, results, strict=True):
            device.copy_to_host(array)
