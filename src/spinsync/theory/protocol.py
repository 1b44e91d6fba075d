"""What a theory is: frozen options that lower a model to a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError, complain
from spinsync.model.ensembles import Ensemble
from spinsync.problems.flow.record import Flow
from spinsync.problems.linear.record import Linear
from spinsync.problems.many_spins.record import ManySpins
from spinsync.problems.sampled.record import Jumps


class Theory(Protocol):
    """Frozen options that lower a model to a problem.

    cannot : verb -> why this theory does not answer it
    """

    cannot: ClassVar[Mapping[str, str]]

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool) -> ManySpins | Flow | Jumps | Linear: ...


def refuse(theory: Theory, verb: str) -> None:
    """One sentence for something that is no theory, or for a question that it cannot answer.

    Raises
    ------
    InputError
        If `theory` is none, or `verb` is in its table `cannot`.
    """
    if isinstance(theory, type) or not hasattr(theory, "cannot"):
        raise complain("theory", "a theory with its options, such as MeanField() or Exact(100)", theory)
    if verb in theory.cannot:
        raise InputError(f"Argument `theory` must be one that answers {verb}, but is {theory!r}: {theory.cannot[verb]}.")
