"""How long a question may take, and how long it will: told while it is answered."""

from __future__ import annotations

from math import inf, nan
from time import monotonic

from spinsync.base.progress import ProgressLine, duration
from spinsync.problems.outcome import TooShortError


class Budget:
    """Watches work that comes in pieces; `amount` counts it in any unit."""

    def __init__(self, line: ProgressLine, most_seconds: float | None) -> None:
        self._line, self._most, self._started = line, most_seconds, monotonic()
        self._before, self._piece, self._share, self._expected = 0.0, 1.0, 0.0, 0.0

    def begin(self, before: float, piece: float) -> None:
        """The next piece, after an amount of `before`."""
        self._before, self._piece, self._share = before, piece, 0.0

    def expect(self, amount: float) -> None:
        """As much as it will take altogether, as far as can be told now."""
        self._expected = amount

    def told(self, share: float) -> bool:
        """How much of the piece is done; whether time is up."""
        self._share = share
        spent, done = monotonic() - self._started, self._before + share * self._piece
        expected = max(self._expected, self._before + self._piece)
        if done > 0:
            left = duration(spent * (expected / done - 1))
            word = "at least " if self._expected == 0 else "about "
            self._line.update(done / expected, f"{word}{left} left")
        else:
            self._line.update(nan)
        return self._most is not None and spent >= self._most

    def too_short(self) -> TooShortError:
        """What is wrong with a question that got no answer in its time."""
        needed = (monotonic() - self._started) / self._share if self._share > 0 else inf
        return TooShortError(self._most or inf, needed)
