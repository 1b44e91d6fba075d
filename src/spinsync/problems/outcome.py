"""Exceptions that solvers raise, with the numbers for a message. `questions/errors.py` turns them into messages."""

from __future__ import annotations

from dataclasses import dataclass

from spinsync.base import memory
from spinsync.base.codes import Code


class Ended(Code):
    """How a time integration ended; the text is the advice."""

    DONE = 0, "The run is complete."
    BUDGET = 1, "The run was stopped after {steps} steps: shorten `times`, loosen `rtol`, or choose slower rates."
    UNDERFLOW = 2, "The step size fell to zero after {steps} steps: the rates are too large for double precision."
    BEYOND = 3, "The run would take more than {steps} steps: shorten `times`, loosen `rtol`, or choose slower rates."
    MOVING = 4, "The run goes on."

    def check(self, steps: int) -> None:
        """Raise StoppedError unless the run is complete."""
        if self is not Ended.DONE:
            raise StoppedError(self, steps)


class NoAnswerError(Exception):
    """A problem without a solution, or without one that can be computed on this machine."""


class NotUniqueError(NoAnswerError):
    """The steady state is not unique: it depends on the initial state."""


class NoRelaxationError(NoAnswerError):
    """At least one group has no relaxation, so that the initial state never decays to a steady state."""


class LostTraceError(NoAnswerError):
    """The trace of a density matrix is no longer 1: the rates are too large for double precision."""


class NotConvergedError(NoAnswerError):
    """An iteration stopped before it reached its tolerance."""


class IllConditionedError(NoAnswerError):
    """An eigenvalue is ill-conditioned: modes nearly coincide, and double precision does not separate them."""


@dataclass(eq=False)
class NoFixedPointError(NoAnswerError):
    """The trajectory has reached no fixed point in a rotating frame by `time`."""

    time: float


class StoppedError(NoAnswerError):
    """A time integration needs too many or too small steps; the text, after `steps` steps, is the advice."""

    def __init__(self, ended: Ended, steps: int) -> None:
        super().__init__(ended.text.format(steps=steps))


@dataclass(eq=False)
class DivergedError(NoAnswerError):
    """Moments grow without bound towards this time, as those of no state do: their equations were closed where it is wrong."""

    time: float


@dataclass(eq=False)
class TooLargeError(NoAnswerError):
    """A request that needs more memory than the machine has.

    needed, available : bytes
    growth : the needed bytes grow as spins**growth
    fits : the largest number of spins that fits, if it is known exactly
    """

    needed: float
    available: float
    growth: int = 1
    fits: int | None = None


def afford(needed: float, growth: int = 1) -> None:
    """Raise TooLargeError if memory can't hold `needed` bytes, which grow as spins**growth."""
    if needed > (available := memory.available()):
        raise TooLargeError(needed, available, growth)


@dataclass(eq=False)
class TooFewLinesError(NoAnswerError):
    """The model has only `most` lines, fewer than `requested`."""

    most: int
    requested: int


class NoLineError(NoAnswerError):
    """No mode decays more slowly than the spread of natural frequencies lets all of them decay."""


@dataclass(eq=False)
class TooManyJumpsError(NoAnswerError):
    """The first trajectories need more jumps than `most`, the limit for all trajectories together."""

    most: int


@dataclass(eq=False)
class TimeLimitError(NoAnswerError):
    """The first trajectories do not end within `most` seconds; they need about `needed` (inf: unknown)."""

    most: float
    needed: float


@dataclass(eq=False)
class TooManyStepsError(NoAnswerError):
    """A run needs more than `most` time steps, whose numbers would no longer give it random numbers of their own."""

    most: int


@dataclass(eq=False)
class NarrowLineError(NoAnswerError):
    """A line so narrow that correlations do not decay within `time`, the longest that is computed."""

    time: float
