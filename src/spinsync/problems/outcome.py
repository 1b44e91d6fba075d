"""Why a problem has no answer: what solvers raise, each with the numbers that a sentence needs. Questions say it in words."""

from __future__ import annotations

from dataclasses import dataclass

from spinsync.base import memory
from spinsync.base.codes import Code


class Ended(Code):
    """How a run of time steps ended; the text is the advice."""

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
    """A problem that has no answer, or none that can be computed here."""


class SeveralError(NoAnswerError):
    """Several steady states: the start decides."""


class NoRelaxationError(NoAnswerError):
    """Something never forgets where it began: there is no way to a steady state."""


class LostTraceError(NoAnswerError):
    """The trace of a density matrix was lost: rates beyond double precision."""


class SlowError(NoAnswerError):
    """An iteration ends before the answer is certain."""


class CrowdedError(NoAnswerError):
    """Modes that nearly coincide: double precision does not tell them apart."""


@dataclass(eq=False)
class MovingError(NoAnswerError):
    """The motion has come to no fixed point of a rotating frame at `time`."""

    time: float


class StoppedError(NoAnswerError):
    """Time steps got too many or too small, after `steps` of them: what to do about it is the text."""

    def __init__(self, ended: Ended, steps: int) -> None:
        super().__init__(ended.text.format(steps=steps))


@dataclass(eq=False)
class TooLargeError(NoAnswerError):
    """A request that memory can't hold.

    needed, available : bytes
    growth : the former grow as the spins to this power
    fits : how many spins do fit, if it is known exactly
    """

    needed: float
    available: float
    growth: int = 1
    fits: int | None = None


def afford(needed: float, growth: int = 1) -> None:
    """Refuse a request of so many bytes, which grow as the spins to the power `growth`, if memory can't hold it.
    Raises TooLargeError with the estimate."""
    if needed > (available := memory.available()):
        raise TooLargeError(needed, available, growth)


@dataclass(eq=False)
class FewError(NoAnswerError):
    """There are only so many lines, `most`, and more are `asked` for."""

    most: int
    asked: int


@dataclass(eq=False)
class TooManyError(NoAnswerError):
    """The first trajectories need more jumps than the `most` that all may take together."""

    most: int


@dataclass(eq=False)
class TooShortError(NoAnswerError):
    """The first trajectories do not end within `most` seconds; they need about `needed` (inf: nobody knows)."""

    most: float
    needed: float
