"""All theories, by the names that results, model files and the command line use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spinsync.theory.brute_force.theory import BruteForce
from spinsync.theory.cumulants.theory import Cumulants
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.permutation.exact import Exact
from spinsync.theory.permutation.trajectories import Trajectories
from spinsync.theory.wigner.theory import TruncatedWigner


def name_of(theory: type[Any]) -> str:
    """The class name in small letters with hyphens: "mean-field" for MeanField."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", theory.__name__).lower()


THEORIES: Mapping[str, type[Any]] = {
    name_of(theory): theory for theory in (MeanField, Cumulants, TruncatedWigner, Exact, Trajectories, BruteForce)
}
