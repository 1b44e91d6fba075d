"""Every theory, by the name that results, model files and the command line know it by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spinsync.theory.brute_force.theory import BruteForce
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.permutation.exact import Exact
from spinsync.theory.permutation.trajectories import Trajectories


def name_of(theory: type[Any]) -> str:
    """The class's name in small letters: "mean-field" of MeanField."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", theory.__name__).lower()


THEORIES: Mapping[str, type[Any]] = {name_of(theory): theory for theory in (MeanField, Exact, Trajectories, BruteForce)}
