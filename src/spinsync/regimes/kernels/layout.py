"""What lies where in the memory that kernels work on, by name."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.rates import Rates


@cache
def parameters_type(groups: int) -> np.dtype[Any]:
    """The parameters of a trajectory: rates per group, C_ab p_b as real and imaginary part, the weights p_a."""
    own = [(name, float, (groups,)) for name in ("omega", "gamma_perp", "gamma_1", "net_gain")]
    return np.dtype([*own, ("coupling", float, (groups, groups, 2)), ("weight", float, (groups,))])


def parameters(rates: Rates, frame: Array) -> Array:
    """Records of the parameters of each trajectory, (trajectory,), in frames that rotate at `frame` (trajectory,)."""
    coupling = rates.coupling * rates.weight[:, None, :]
    out = np.empty(len(frame), parameters_type(rates.weight.shape[1]))
    out["omega"], out["weight"] = rates.omega - frame[:, None], rates.weight
    for name in ("gamma_perp", "gamma_1", "net_gain"):
        out[name] = getattr(rates, name)
    out["coupling"][..., 0], out["coupling"][..., 1] = coupling.real, coupling.imag
    return out
