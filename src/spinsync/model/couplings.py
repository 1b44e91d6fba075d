"""How the groups drive each other: the complex numbers C_ab = V_ab exp(i theta_ab), and what is asked of them.

C is kept as it was given. Strength V and phase theta are views of an entry that edit it: an entry that nobody edits keeps every
bit, and the phase of a vanishing strength is remembered by who gave it, the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.parameters import LINKS

#: strength ("coupling") and phase ("theta") of some entries, numbers or arrays of one batch shape; one not given is C's own
Edits = dict[tuple[int, int], dict[str, Any]]


class Coupling(Protocol):
    """A coupling of groups, whatever it is stored as."""

    @property
    def matrix(self) -> Array:
        """All C_ab, an array of shape (..., group, group), which the solvers take."""

    def apply(self, s: Array) -> Array:
        """The field sum_b C_ab s_b at each group, of arrays of shape (..., group)."""

    def names(self, groups: Sequence[str]) -> Iterator[str]:
        """The dotted parameters of groups of these names, one at a time: N groups have 2 N^2."""

    def edited(self, edits: Edits) -> Self:
        """The same coupling with some entries at another strength or phase."""

    def record(self) -> dict[str, Any]:
        """What a model file keeps: plain numbers from which the coupling is made again, bit by bit."""


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
        given = [np.shape(value) for parts in edits.values() for value in parts.values()]
        matrix = np.array(
            np.broadcast_to(self.matrix, np.broadcast_shapes(self.matrix.shape[:-2], *given) + self.matrix.shape[-2:])
        )
        for (a, b), parts in edits.items():
            strength = parts["coupling"] if "coupling" in parts else abs(matrix[..., a, b])
            angle = parts["theta"] if "theta" in parts else np.angle(matrix[..., a, b])
            matrix[..., a, b] = strength * np.exp(1j * np.asarray(angle))
        return Dense(matrix)

    def record(self) -> dict[str, Any]:
        return {"real": self.matrix.real.tolist(), "imag": self.matrix.imag.tolist()}
