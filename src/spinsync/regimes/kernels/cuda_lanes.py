"""The kernels of `lanes.py` on a graphics processor: one thread per trajectory, from the same template."""

from __future__ import annotations

import ast
import re
import warnings
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from spinsync.base.generated import generated, once
from spinsync.base.translation import functions_of
from spinsync.regimes.kernels.fixed_points import FixedPoints
from spinsync.regimes.kernels.lanes import Layout, template_of
from spinsync.regimes.kernels.unroll import unrolled

THREADS = 64  # of a block: few, as each takes many registers
BUDGET = 500  # steps of a launch: it ends within a second on any card, so that a run can be stopped and a display is served
MOST = 2**18  # trajectories at once: more than a card has threads, less than it has memory

HEAD = '''"""Written by spinsync.regimes.kernels.cuda_lanes for numba-cuda {version}; not to be edited."""

import math
import struct

from numba import config, cuda

from spinsync.base.machine_code import compiled_for_device

if config.ENABLE_CUDASIM:  # the simulator runs Python, and has none of the device's functions

    def bits(value):
        return struct.unpack("<q", struct.pack("<d", value))[0]

    def number(value):
        return struct.unpack("<d", struct.pack("<q", value))[0]

else:
    from numba.cuda.libdevice import double_as_longlong as bits
    from numba.cuda.libdevice import longlong_as_double as number


'''


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


def source(layout: Layout, equation: ModuleType) -> str:
    """The text of the module with `begin` and `resume`."""
    steps = template_of("lane", "measure")
    known = layout.known() | {"LANES": 1, "lane": 0}
    small = {*layout.small, "W"}
    body = unrolled(steps + template_of("cuda"), known, small, set(functions_of(steps)))
    kernels = re.sub("^def ", "@compiled_for_device\ndef ", body, flags=re.MULTILINE)
    called = re.sub("^def ", "@cuda.jit(device=True)\ndef ", _of_one_group(equation), flags=re.MULTILINE)
    return f"{HEAD.format(version=metadata.version('numba-cuda'))}{called}\n\n{kernels}"


def _of_one_group(equation: ModuleType) -> str:
    """The equation's functions of scalars, without what makes them code for the processor."""
    known = functions_of(Path(str(equation.__file__)).read_text(encoding="utf-8"))
    needed = ["spin", "spin_tangent"]
    for name in needed:  # grows by what these call
        called = [node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name) and node.id in known]
        needed += [one for one in called if one not in needed]
    for name in needed:
        known[name].decorator_list = []
    return "\n\n\n".join(ast.unparse(known[name]) for name in reversed(needed)) + "\n"


@once
def _kernels(layout: Layout, equation: ModuleType) -> Any:
    name = f"cuda_{layout.groups}{'_measured' * layout.measured}{'_tangent' * layout.tangent}"
    return generated(name, source(layout, equation), [equation])


class CudaLanes:
    """As `Lanes`, for up to UNROLLED groups: trajectories move on the device, states of rest are found on the host."""

    shares = False  # one device, that all trajectories at once keep busy best

    def __init__(self, layout: Layout, equation: ModuleType, threads: int) -> None:
        self.layout = layout
        self.kernels = _kernels(layout, equation)
        self.fixed_points = FixedPoints(equation, threads)

    def advance(
        self, parameters: np.ndarray, states: np.ndarray, spans: np.ndarray, rtol: float, atol: float, most_steps: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move `states` on by `spans`; sums (trajectory, sum), steps taken, and whether each came to its end."""
        count, known = len(states), self.layout.known()
        given = parameters.view(float).reshape(count, -1)
        sums, steps, finished = np.empty((count, known["SUMMED"])), np.empty(count), np.empty(count, bool)
        for first in range(0, count, MOST):
            part = slice(first, min(first + MOST, count))
            rows = self._run(given[part], states[part], spans[part], (float(rtol), float(atol), float(most_steps)))
            states[part] = rows[: known["D"]].T
            sums[part] = rows[known["SUMS"] : known["SUMS"] + known["SUMMED"]].T
            time, _, span, _, steps[part], _ = rows[known["CLOCK"] : known["CLOCK"] + 6]
            finished[part] = time >= span
        return sums, steps, finished & np.isfinite(states).all(axis=1)

    def _run(self, parameters: np.ndarray, states: np.ndarray, spans: np.ndarray, limits: tuple[float, ...]) -> np.ndarray:
        """Rows (row, trajectory) at the end, without the parameters; launches go on with those that still move."""
        cuda, known, count = _cuda(), self.layout.known(), len(states)
        rows = cuda.device_array((known["ROWS"], count))
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
        return np.asarray(rows[: known["PARAMETER"]].copy_to_host())
