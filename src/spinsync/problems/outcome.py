"""Why a problem has no answer: what solvers raise, each with the numbers that a sentence needs. Questions say it in words."""

from __future__ import annotations

from spinsync.base import memory


class NoAnswerError(Exception):
    """A problem that has no answer, or none that can be computed here."""


class SeveralError(NoAnswerError):
    """Several steady states: the start decides."""


class NoRelaxationError(NoAnswerError):
    """Something never forgets where it began: there is no way to a steady state."""


class MovingError(NoAnswerError):
    """The motion has come to no fixed point of a rotating frame at `time`."""

    def __init__(self, time: float) -> None:
        super().__init__()
        self.time = time


class StoppedError(NoAnswerError):
    """Time steps got too many or too small; `advice` is the sentence of that status, `steps` were taken."""

    def __init__(self, advice: str, steps: int) -> None:
        super().__init__()
        self.advice, self.steps = advice, steps


class LostTraceError(NoAnswerError):
    """The trace of a density matrix was lost: rates beyond double precision."""


class TooLargeError(NoAnswerError):
    """A request that memory can't hold.

    needed, available : bytes
    growth : the former grow as the spins to this power
    fits : how many spins do fit, if it is known exactly
    """

    def __init__(self, needed: float, available: float, *, growth: int = 1, fits: int | None = None) -> None:
        super().__init__()
        self.needed, self.available, self.growth, self.fits = needed, available, growth, fits


def afford(needed: float, growth: int = 1) -> None:
    """Refuse a request of so many bytes, which grow as the spins to the power `growth`, if memory can't hold it.

    Raises
    ------
    TooLargeError
        With the estimate.
    """
    if needed > (available := memory.available()):
        raise TooLargeError(needed, available, growth=growth)


class SlowError(NoAnswerError):
    """An iteration ends before the answer is certain."""


class CrowdedError(NoAnswerError):
    """Modes that nearly coincide: double precision does not tell them apart."""


class FewError(NoAnswerError):
    """There are only so many lines, `most`, and more are `asked` for."""

    def __init__(self, most: int, asked: int) -> None:
        super().__init__()
        self.most, self.asked = most, asked


class TooManyError(NoAnswerError):
    """The first trajectories need more jumps than the `most` that all may take together."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most


class TooShortError(NoAnswerError):
    """The first trajectories do not end within `most` seconds; they need about `needed` (inf: nobody knows)."""

    def __init__(self, most: float, needed: float) -> None:
        super().__init__()
        self.most, self.needed = most, needed
