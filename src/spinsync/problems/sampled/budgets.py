"""Time limit of a sampling run, and the completed fraction that its progress line shows."""

from __future__ import annotations

from math import inf, nan
from time import monotonic

from spinsync.base.progress import report
from spinsync.problems.outcome import TimeLimitError


class Budget:
    """Time limit and progress of work done in pieces; amounts of work have any one unit, such as trajectories."""

    def __init__(self, most_seconds: float | None) -> None:
        self._most, self._started = most_seconds, monotonic()
        self._before, self._piece, self._share, self._expected = 0.0, 1.0, 0.0, 0.0

    def begin(self, before: float, piece: float) -> None:
        """Begin a piece of work, after an amount `before` is done."""
        self._before, self._piece, self._share = before, piece, 0.0

    def expect(self, amount: float) -> None:
        """Set the present estimate of the total amount of work."""
        self._expected = amount

    def report(self, share: float) -> bool:
        """Show that a share of the present piece is done; return whether the time limit is reached."""
        self._share = share
        spent, done = monotonic() - self._started, self._before + share * self._piece
        expected = max(self._expected, self._before + self._piece)
        fraction = done / expected
        if self._most is not None:
            fraction = max(fraction, min(spent / self._most, 1.0))
        report(fraction if done > 0 else nan, at_least=self._expected == 0)
        return self._most is not None and spent >= self._most

    def too_short(self) -> TimeLimitError:
        """The error of a run whose first piece does not end within the time limit."""
        needed = (monotonic() - self._started) / self._share if self._share > 0 else inf
        return TimeLimitError(self._most or inf, needed)
