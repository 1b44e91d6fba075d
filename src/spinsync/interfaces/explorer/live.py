"""From a visitor's wish to changed pictures: first what is quick, then, piece by piece while nobody wishes more, the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from html import escape
from typing import Any

import spinsync as ss
from spinsync.interfaces.explorer.controls import Control, Values, accepted, starts
from spinsync.interfaces.explorer.widgets import Panel, Said

Quick = Callable[[Values], str]
Put = Callable[[], None]
Slow = Callable[[Values], Iterator[Put]]
PATIENCE = 0.02  # seconds that an answer waits for a piece of what takes longer


class Live:
    """A panel, the words beside it, and what they drive.

    Parameters
    ----------
    controls : sequence of Control
    quick : callable
        Values to words, in HTML; changes the pictures that follow a slider.
    slow : callable, optional
        Values to an iterator. Each step of it computes a piece of what takes longer, in a thread of its own, and gives a
        function that puts it on the page. So a slow piece never delays the answer to a slider.
    idle : callable, optional
        Values to the names of controls without influence.
    """

    def __init__(
        self, controls: Sequence[Control], quick: Quick, slow: Slow | None = None,
        idle: Callable[[Values], list[str]] | None = None,
    ) -> None:  # fmt: skip
        self.controls, self._quick, self._slow, self._idle = tuple(controls), quick, slow, idle
        self._rest: Iterator[Put] = iter(())
        self._piece: Future[Put | None] | None = None
        self._thread, self._answers = ThreadPoolExecutor(1), 0
        self.words = Said(kind="words")
        self.panel = Panel(controls=[asdict(control) for control in controls], values=starts(controls))
        self.panel.observe(self._asked, "request")
        self._show()
        self._answer()

    @property
    def values(self) -> Values:
        """What holds."""
        values: Values = self.panel.values
        return values

    def put(self, **changes: Any) -> None:
        """Set some values, as a click in a diagram does."""
        self._take(dict(self.values) | changes)
        self._answer()

    def finish(self) -> None:
        """Compute all that is left."""
        for put in self._rest:
            put()
        self.more = False
        self._answer()

    def _asked(self, change: Any) -> None:
        wish = change.new.get("values")
        try:
            if isinstance(wish, dict):
                self._take(wish)
            else:
                self._step()
        finally:  # without an answer the panel would wait
            self._answer()

    def _take(self, wish: dict[str, Any]) -> None:
        values, said = accepted(self.controls, wish, self.values)
        with self.panel.hold_sync():
            self.panel.values, self.panel.said = values, said
        self._show()

    def _show(self) -> None:
        self.panel.idle = self._idle(self.values) if self._idle else []
        self._rest, self._piece = iter(()), None
        try:
            self.words.text = self._quick(self.values)
            if self._slow:
                self._rest = self._slow(self.values)
        except (ss.InputError, ss.IntegrationError) as error:
            self.words.text = f"<b>No answer here.</b> {escape(str(error))}"
        self.more = self._slow is not None

    def _step(self) -> None:
        if self._piece is None:
            self._piece = self._thread.submit(next, self._rest, None)
        if not wait([self._piece], PATIENCE).done:
            return
        piece, self._piece = self._piece, None
        try:
            put = piece.result()
        except (ss.InputError, ss.IntegrationError) as error:
            self.words.text += f" {escape(str(error))}"
            put = None
        if put is None:
            self.more = False
        else:
            put()

    def _answer(self) -> None:
        # the count makes every answer differ from the last, so that the browser hears of it
        self._answers += 1
        key = str(self.panel.request.get("key", ""))[:64]
        self.panel.answer = {"key": key, "more": self.more, "count": self._answers}
