"""Interfaces of theories and problems, and which theory answers which question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError, argument_error
from spinsync.model.ensembles import Ensemble
from spinsync.problems.observed import Observed

#: question -> name of the method, of a kind of problem or of the theory itself, that answers it
ANSWERS: Mapping[str, str] = {
    "evolve": "motion",
    "keep_state": "motion_and_state",
    "steady_state": "steady_state",
    "linewidth": "lines",
    "emission_spectrum": "response",
    "photon_statistics": "photon_correlation",
    "entropy": "density_eigenvalues",
    "asymptotic_phase": "slowest_mode",
    "regime": "flow",
    "phase_diagram": "maps",
}

#: question -> why a theory without a hint of its own does not answer it
REASONS: Mapping[str, str] = {
    "asymptotic_phase": "the left eigenvector of the slowest mode, which defines it, is not computed there",
    "regime": "at a finite number of spins U(1) is unbroken, so that there is no regime; `steady_state` tells the order",
    "phase_diagram": "it has no diagrams; `ss.sweep(ss.steady_state, axes, model=ensemble, theory=...)` computes their points",
}


class Problem(Protocol):
    """The methods that every kind of problem has.

    coordinates : coordinates of the dims of its variables
    start_decides : whether the steady state depends on the initial state
    stochastic : whether it draws random numbers of its own, so that answers depend on the seed
    motion : times, seed -> variables over time
    steady_state : seed -> variables of the steady state
    bytes_per_time : bytes of the variables at one time -> bytes of memory that a run needs per time
    """

    start_decides: ClassVar[bool]
    stochastic: ClassVar[bool]

    @property
    def coordinates(self) -> Mapping[str, tuple[str, Array]]: ...

    def motion(self, times: Array, seed: int) -> Observed: ...

    def steady_state(self, seed: int) -> Observed: ...

    def bytes_per_time(self, observed: float) -> float: ...


class Theory(Protocol):
    """A frozen dataclass of options, with a method that turns (lowers) a model into a problem.

    kinds : the kinds of problem that `lower` returns; their methods determine which questions the theory answers
    hints : question that the theory does not answer -> the reason and advice, added to the error message
    lower : ensemble, initial Bloch vectors of shape (group or spin, 3) or None, seed, whether to show each spin -> problem

    It may also have a text `faster`: how a call that takes minutes would take less time, said while it runs.
    """

    kinds: ClassVar[tuple[type[Problem], ...]]
    hints: ClassVar[Mapping[str, str]]

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool) -> Problem: ...


def answers(theory: type[Theory], question: str) -> bool:
    """Whether a theory answers a question, by a method of its own or of one of its kinds of problem."""
    return any(hasattr(one, ANSWERS[question]) for one in (theory, *theory.kinds))


def who_answers(question: str) -> str:
    """The names of the theories that answer a question, as text: "Exact or BruteForce"."""
    from spinsync.theory.every import THEORIES

    *names, last = [theory.__name__ for theory in THEORIES.values() if answers(theory, question)]
    return f"{', '.join(names)} or {last}" if names else last


def check_theory(theory: Theory, question: str) -> None:
    """Check that `theory` is a theory and answers `question`. Raises InputError otherwise."""
    if isinstance(theory, type) or not hasattr(theory, "kinds"):
        raise argument_error("theory", "a theory with its options, such as MeanField() or Exact(100)", theory)
    if not answers(type(theory), question):
        why = theory.hints.get(question, REASONS.get(question))
        raise InputError(
            f"Argument `theory` must be one that answers {question} ({who_answers(question)}), but is {theory!r}"
            f"{f': {why}' if why else ''}."
        )


def seed_matters(theory: Theory, question: str, started: bool) -> bool:
    """Whether a seed changes an answer: of trajectories, or if no initial state is given (not `started`) and it matters."""
    if any(kind.stochastic for kind in theory.kinds):
        return True
    at_rest = question in ("steady_state", "phase_diagram", "photon_statistics")
    return not (started or (at_rest and not any(kind.start_decides for kind in theory.kinds)))
