"""Memory layout of the kernels in lanes, by named fields, and the constants that are compiled into them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, combinations
from math import factorial
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.rates import Rates

VECTOR_LANES = 8  # lanes of one SIMD vector
MAX_UNROLLED = 3  # groups up to which loops over groups are unrolled; more would take too long to compile
PHASE_FLOOR = 1e-16  # |s|^2 below which the phase is undefined
WINDOW_INTEGRAL = 4**6 * factorial(6) ** 2 / factorial(13)  # integral of the window (4 x (1-x))^6 over 0..1
WINDOW_VARIANCE = 4**12 * factorial(12) ** 2 / factorial(25) / WINDOW_INTEGRAL**2  # of a windowed over that of a plain mean

#: Ch. Tsitouras, Comput. Math. Appl. 62, 770 (2011): the stages, of which the last is the step, and the embedded error estimate
BUTCHER: tuple[tuple[float, ...], ...] = (
    (),
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
    (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
)
EMBEDDED_ERROR = (
    -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552,
    -0.45808210592918697, 0.015151515151515152,
)  # fmt: skip


@cache
def parameters_type(groups: int) -> np.dtype[Any]:
    """The record of the parameters of a trajectory: rates per group, C_ab p_b as real and imaginary part, weights p_a."""
    per_group = [(name, float, (groups,)) for name in ("omega", "gamma_perp", "gamma_1", "net_gain")]
    return np.dtype([*per_group, ("coupling", float, (groups, groups, 2)), ("weight", float, (groups,))])


def parameters(rates: Rates, frame: Array) -> Array:
    """Parameter records (trajectory,), in frames that rotate at `frame` (trajectory,)."""
    coupling = rates.coupling * rates.weight[:, None, :]
    out = np.empty(len(frame), parameters_type(rates.weight.shape[1]))
    out["omega"], out["weight"] = rates.omega - frame[:, None], rates.weight
    for name in ("gamma_perp", "gamma_1", "net_gain"):
        out[name] = getattr(rates, name)
    out["coupling"][..., 0], out["coupling"][..., 1] = coupling.real, coupling.imag
    return out


@dataclass(frozen=True)
class Layout:
    """The layout of a kernel for `groups` groups, with sums over a window if `measured`, and with a tangent vector or not."""

    groups: int
    measured: bool
    tangent: bool

    @property
    def components(self) -> int:
        """Components per group: x, y, z, and those of the tangent vector."""
        return 6 if self.tangent else 3

    @property
    def state_size(self) -> int:
        return self.components * self.groups

    @property
    def interleaved(self) -> int:
        """Interleaved SIMD vectors: two hide the latency of short steps, while long steps need all registers for one."""
        return 2 if self.state_size <= (3 if self.measured else 6) else 1

    @property
    def lanes(self) -> int:
        return VECTOR_LANES * self.interleaved

    @cached_property
    def pairs(self) -> tuple[tuple[int, ...], ...]:
        """The index of each pair of groups a < b; 0 for all other entries."""
        order = {pair: k for k, pair in enumerate(combinations(range(self.groups), 2))}
        return tuple(tuple(order.get((a, b), 0) for b in range(self.groups)) for a in range(self.groups))

    @property
    def inverses(self) -> int:
        """How many inverse amplitudes there are: 1/|s| of each group and, for several groups, 1/|sum_a p_a s_a|."""
        return self.groups + (self.groups > 1) if self.measured else 0

    @cached_property
    def sums(self) -> np.dtype[Any]:
        """The record of the sums over a window. `undefined` counts steps with undefined phase.

        Per group |s|^2, |s|, |s|^4, z, z^2, the phase increment. Per pair s_a^* s_b and its phase factor, as real and imaginary
        part, and its squared modulus. The tangent vector's growth is followed by its first four Legendre moments.
        """
        if not self.measured:
            return np.dtype([])
        per_group, per_pair = (self.groups,), (self.groups * (self.groups - 1) // 2,)
        names = ("square", "modulus", "fourth", "inversion", "inversion_square", "phase_increment", "undefined")
        products = [("product", float, (*per_pair, 2)), ("locking", float, (*per_pair, 2)), ("product_square", float, per_pair)]
        growth = [("growth", float, ()), ("moments", float, (4,))] if self.tangent else []
        return np.dtype([*((name, float, per_group) for name in names), ("order_parameter", float, ()), *products, *growth])

    @property
    def sum_count(self) -> int:
        return self.sums.itemsize // 8

    def by_name(self, sums: Array) -> Array:
        """The array `sums` (trajectory, sum) as records (trajectory,)."""
        return sums.view(self.sums)[:, 0] if self.measured else np.empty(len(sums), self.sums)

    @cached_property
    def row(self) -> np.dtype[Any]:
        """The record of all numbers of all lanes; the last axis of each field is the lane. `sums` overlaps the single sums."""
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("state", "slope"), (self.groups, self.components))
        shapes |= dict.fromkeys(("time", "step", "span", "log_error", "steps", "trajectory"), ())
        shapes |= {"inverse": (self.inverses,)} | _shapes(self.sums) | _shapes(parameters_type(self.groups))
        formats = {name: np.dtype((float, (*shape, self.lanes))) for name, shape in shapes.items()}
        offsets = dict(zip(formats, accumulate((kind.itemsize for kind in formats.values()), initial=0), strict=False))
        formats["sums"] = np.dtype((float, (self.sum_count, self.lanes)))
        offsets["sums"] = offsets[next(iter(self.sums.names or shapes))]
        return np.dtype({"names": [*formats], "formats": [*formats.values()], "offsets": [*offsets.values()]})

    @property
    def row_length(self) -> int:
        """How many numbers a lane has."""
        return self.row.itemsize // (8 * self.lanes)

    @property
    def changing_length(self) -> int:
        """How many of these are not parameters; they come first."""
        assert self.row.fields is not None
        return self.row.fields["omega"][1] // (8 * self.lanes)


def _shapes(record: np.dtype[Any]) -> dict[str, tuple[int, ...]]:
    return {name: field[0].shape for name, field in (record.fields or {}).items()}
