"""What a theory is: frozen options that lower a model to a problem; and what follows from the kinds of problem it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError, argument_error
from spinsync.model.ensembles import Ensemble
from spinsync.problems.observed import Observed

#: question -> the method with which a kind of problem (or the theory itself) answers it
ANSWERS: Mapping[str, str] = {
    "evolve": "motion",
    "keep_state": "motion_and_state",
    "steady_state": "rest",
    "linewidth": "lines",
    "emission_spectrum": "response",
    "entropy": "mixture",
    "asymptotic_phase": "slowest_mode",
    "regime": "flow",
    "phase_diagram": "maps",
}


class Problem(Protocol):
    """What every kind of problem answers.

    coordinates : coordinates of the dims of what it observes
    start_decides : whether the state at rest depends on the start
    motion : times, seed -> variables over time
    rest : seed -> variables of the steady state
    bytes_per_time : bytes of a time's variables -> bytes that a run takes for each of its times
    """

    start_decides: ClassVar[bool]

    @property
    def coordinates(self) -> Mapping[str, tuple[str, Array]]: ...

    def motion(self, times: Array, seed: int) -> Observed: ...

    def rest(self, seed: int) -> Observed: ...

    def bytes_per_time(self, observed: float) -> float: ...


class Theory(Protocol):
    """Frozen options that lower a model to a problem.

    kinds : the kinds of problem that it makes; which questions it answers follows from their methods
    why : question -> what helps somebody who asks it in vain; an entry more or less changes no answer
    """

    kinds: ClassVar[tuple[type[Problem], ...]]
    why: ClassVar[Mapping[str, str]]

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool) -> Problem: ...


def answers(theory: type[Theory], question: str) -> bool:
    """Whether a theory answers a question: by a method of its own, or by one of a kind of problem that it makes."""
    return any(hasattr(one, ANSWERS[question]) for one in (theory, *theory.kinds))


def who_answers(question: str) -> str:
    """The names of the theories that answer a question."""
    from spinsync.theory.every import THEORIES

    *names, last = [theory.__name__ for theory in THEORIES.values() if answers(theory, question)]
    return f"{', '.join(names)} or {last}" if names else last


def refuse(theory: Theory, question: str) -> None:
    """One sentence for something that is no theory, or for a question that it cannot answer.
    Raises InputError if `theory` is none, or no kind of problem that it makes answers `question`."""
    if isinstance(theory, type) or not hasattr(theory, "kinds"):
        raise argument_error("theory", "a theory with its options, such as MeanField() or Exact(100)", theory)
    if not answers(type(theory), question):
        why = f": {theory.why[question]}" if question in theory.why else ""
        raise InputError(
            f"Argument `theory` must be one that answers {question} ({who_answers(question)}), but is {theory!r}{why}."
        )
