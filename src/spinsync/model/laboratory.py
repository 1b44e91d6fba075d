"""From the laboratory to the coupling C."""

from __future__ import annotations

from typing import Any

import numpy as np


def bad_cavity(spins: Any, vacuum_coupling: Any, cavity_decay: Any, cavity_detuning: Any) -> Any:
    """C = -i N g^2 / (kappa_c/2 + i Delta_c), theory page equation (7.1); arrays broadcast.

    Delta_c is the cavity's frequency minus the spins'. Errors fall as 1/kappa_c.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        return np.divide(-1j * spins * vacuum_coupling**2, cavity_decay / 2 + 1j * cavity_detuning)
