"""The coupling between groups, C_ab = V_ab exp(i theta_ab).

C is stored as given. Setting the strength V or the phase theta of an entry recomputes this entry only; all others keep every
bit. The phase of an entry with V = 0 is recorded in the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.parameters import LINKS

#: new strength ("coupling") and phase ("theta") of some entries, numbers or arrays of one batch shape; the rest is unchanged
Edits = dict[tuple[int, int], dict[str, Any]]


class Coupling(Protocol):
    """Interface of a coupling of groups, independent of its storage."""

    @property
    def matrix(self) -> Array:
        """All C_ab, an array of shape (..., group, group), the form that solvers take."""

    def apply(self, s: Array) -> Array:
        """The field sum_b C_ab s_b at each group, of arrays of shape (..., group)."""

    def names(self, groups: Sequence[str]) -> Iterator[str]:
        """Iterator over the dotted names of all strengths and phases: N groups have 2 N^2."""

    def edited(self, edits: Edits) -> Self:
        """The coupling with new strengths or phases of some entries."""

    def record(self) -> dict[str, Any]:
        """Plain numbers for a model file, from which the coupling is restored bit by bit."""


@dataclass(frozen=True)
class Dense:
    """A coupling matrix.

    matrix : complex array of shape (..., group, group), C_ab; batch axes first
    """

    matrix: Array

    def apply(self, s: Array) -> Array:
        return np.asarray((self.matrix @ np.asarray(s)[..., None])[..., 0])

    @staticmethod
    def names(groups: Sequence[str]) -> Iterator[str]:
        return (f"{a}.{b}.{name}" for a in groups for b in groups for name in LINKS)

    def edited(self, edits: Edits) -> Dense:
        if not edits:
            return self
        given = [np.shape(value) for edit in edits.values() for value in edit.values()]
        matrix = np.array(
            np.broadcast_to(self.matrix, np.broadcast_shapes(self.matrix.shape[:-2], *given) + self.matrix.shape[-2:])
        )
        for (a, b), edit in edits.items():
            strength = edit["coupling"] if "coupling" in edit else abs(matrix[..., a, b])
            angle = edit["theta"] if "theta" in edit else np.angle(matrix[..., a, b])
            matrix[..., a, b] = strength * np.exp(1j * np.asarray(angle))
        return Dense(matrix)

    def record(self) -> dict[str, Any]:
        return {"real": self.matrix.real.tolist(), "imag": self.matrix.imag.tolist()}
