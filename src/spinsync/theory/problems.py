"""The two kinds of problem that a theory lowers a model to; verbs are written once per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from spinsync.base.checks import InputError, complain
from spinsync.data.ensembles import Ensemble
from spinsync.data.rates import Array

Observed = dict[str, tuple[tuple[str, ...], Array]]  # variable -> (dims, values); "time" is the first axis of states


@dataclass(frozen=True)
class Flow:
    """dy/dt = -decay * y + nonlinear(y): a few smooth variables with fast diagonal rotation and relaxation.

    nonlinear : compiled function (y, table, coupling, out)
    decay, start : complex arrays of shape (component,)
    table, coupling : parameters of `nonlinear`, float (row, component) and complex (group, group)
    charge : int array of shape (component,), how y turns under the U(1) symmetry
    rtol, atol : tolerances of a time step
    frame : angular frequency of the rotating frame in which y is written
    observe : states of shape (time, component), times -> variables, back in the laboratory frame
    coordinates : coordinates of the dims that `observe` names
    companion : the same flow more coarsely, where the error has to be seen from outside: a run amplifies errors
    """

    nonlinear: Any
    decay: Array
    table: Array
    coupling: Array
    start: Array
    charge: Array
    rtol: float
    atol: float
    frame: float
    observe: Callable[[Array, Array], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    companion: Flow | None = None


@dataclass(frozen=True)
class Linear:
    """d rho_q/dt = L_q rho_q: one sparse block per charge q of the U(1) symmetry.

    block : q -> sparse matrix L_q
    start : q -> vector rho_q at the first time
    charges : the charges that `observe` needs
    trace : covector of sector 0 whose product with rho_0 is 1
    observe : {q: states of shape (time, component)} -> variables
    coordinates : coordinates of the dims that `observe` names
    """

    block: Callable[[int], Any]
    start: Callable[[int], Array]
    charges: tuple[int, ...]
    trace: Array
    observe: Callable[[Mapping[int, Array]], Observed]
    coordinates: Mapping[str, tuple[str, Array]]


class Theory(Protocol):
    """Frozen options that lower a model to a problem.

    cannot : verb -> why this theory does not answer it
    """

    cannot: ClassVar[Mapping[str, str]]

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool) -> Flow | Linear: ...


def refuse(theory: Theory, verb: str) -> None:
    """One sentence for something that is no theory, or for a question that it cannot answer.

    Raises
    ------
    InputError
        If `theory` is none, or `verb` is in its table `cannot`.
    """
    if isinstance(theory, type) or not hasattr(theory, "cannot"):
        raise complain("theory", "a theory, such as MeanField() or BruteForce(4)", theory)
    if verb in theory.cannot:
        raise InputError(f"Argument `theory` must be one that answers {verb}, but is {theory!r}: {theory.cannot[verb]}.")
