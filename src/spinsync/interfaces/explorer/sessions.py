"""An open page: wishes come in, parts of the page that change go out, and nothing stays when it closes."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from html import escape
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

import spinsync as ss
from spinsync.interfaces.explorer.controls import Values, accepted, starts
from spinsync.interfaces.explorer.gate import complain
from spinsync.interfaces.explorer.workers import Job, Workers

if TYPE_CHECKING:
    from spinsync.interfaces.explorer.steps import Step, View

LARGEST = 32  # pages at once
FULL = f"spinsync explore serves {LARGEST} pages at once; close one and load this page again."
LARGEST_MESSAGE = 4096  # bytes
MALFORMED = "A message must be a JSON object with number, page and values."
TICK, SAID_AFTER, LONG, ALIVE = 0.25, 0.5, 1.0, 4.0  # seconds: of looking, until a status, until a longer one, and again
UNREAD = 30.0  # seconds that a page may take to read a message
WRONG = "<b>Something went wrong here.</b> The terminal of spinsync explore says what."
LOADING = "Loading the numerical packages…"


class MalformedError(Exception):
    """A message that no page sends; its text goes to the sender."""


class GoneError(Exception):
    """The page has closed, or reads no more."""


@dataclass(frozen=True)
class Wish:
    """A page with its values, numbered by the browser."""

    number: int
    page: str
    values: Mapping[str, Any]


def wish(text: str) -> Wish:
    """The wish in a message, or MalformedError."""
    try:
        if len(text) > LARGEST_MESSAGE:
            raise ValueError
        asked = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise MalformedError(MALFORMED) from None
    if not isinstance(asked, dict) or set(asked) != {"number", "page", "values"}:
        raise MalformedError(MALFORMED)
    number, page, values = asked["number"], asked["page"], asked["values"]
    if type(number) is not int or abs(number) >= 2**53 or not isinstance(page, str) or not isinstance(values, dict):
        raise MalformedError(MALFORMED)
    return Wish(number, page, {name: _number(value) for name, value in values.items()})


def _refused(constant: str) -> None:
    raise ValueError(constant)  # NaN and infinities are no JSON


def _number(value: Any) -> Any:
    """A whole number of hundreds of digits is as little a number of physics as text is."""
    return None if isinstance(value, int) and abs(value) > 1e300 else value


def encoded(value: Any) -> Any:
    """What JSON can hold: arrays and bytes as {"base64": text}, numbers that are none as null."""
    if isinstance(value, dict):
        return {str(name): encoded(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"base64": b64encode(value).decode()}
    if hasattr(value, "tobytes"):  # of numpy, which is not imported here
        return encoded(value.item() if value.ndim == 0 else value.tobytes())
    return value


def message(asked: Wish, **content: Any) -> str:
    """The text of a message about a wish."""
    return json.dumps({"number": asked.number, "page": asked.page, **encoded(content)}, allow_nan=False)


class Session:
    """One page. Two tasks: one takes wishes, the other answers the newest."""

    def __init__(self, socket: WebSocket, views: Future[Mapping[str, View]], workers: Workers) -> None:
        self.socket, self.views, self.workers = socket, views, workers
        self.loop = asyncio.get_running_loop()
        self.woken = asyncio.Event()  # a newer wish, or something computed
        self.newest: Wish | None = None
        self.drawn: dict[str, dict[str, object]] = {}  # of each page, which pictures stand there completely
        self.values: dict[str, dict[str, float]] = {}
        self.slow: Job | None = None  # it may still run when nobody waits for it; the page starts no other meanwhile
        self.status, self.since, self.sent = ("", ""), 0.0, 0.0  # (label, text), when the label came, last message

    async def run(self) -> None:
        """Serve until the page closes."""
        tasks = [asyncio.create_task(self._take()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self.slow is not None:
                self.slow.cancel()
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, MalformedError):
                await self._close(1008, str(error))
            elif isinstance(error, Exception) and not isinstance(error, GoneError):
                complain(f"{type(error).__name__}: {error}")
                await self._close(1011, "Something went wrong here.")

    async def _close(self, code: int, reason: str) -> None:
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it may have gone meanwhile
            async with asyncio.timeout(TICK):
                await self.socket.close(code, reason)

    async def _take(self) -> None:
        while True:
            event = await self.socket.receive()
            if event["type"] != "websocket.receive":
                return
            if event.get("text") is None:
                raise MalformedError(MALFORMED)
            self.newest = wish(event["text"])
            self.woken.set()

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(UNREAD):
                await self.socket.send_text(text)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            raise GoneError from None
        self.sent = self.loop.time()

    async def _answers(self) -> None:
        while True:
            self.woken.clear()
            asked, self.newest = self.newest, None
            if asked is None:
                await self.woken.wait()
            else:
                await self._answer(asked)

    async def _answer(self, asked: Wish) -> None:
        """Send what changes, step by step, until it is done or a newer wish has come."""
        await self._say(asked, "", "")
        self.since = self.loop.time()
        view = await self._view(asked)
        if view is None:
            return
        before = self.values.get(asked.page) or starts(view.controls)
        values, said = accepted(view.controls, asked.values, before)
        self.values[asked.page] = values
        await self._send(message(asked, parts={"panel": {"values": values, "said": said}}))
        steps = _lazily(view, values, MappingProxyType(self.drawn.setdefault(asked.page, {})))
        first, failed = True, False
        while True:
            job = self._start(partial(next, steps, None), "quick")
            step: Step | None = job.result if await self._finish(job, asked, must=first) else None
            if step is not None:
                job = await self._computed(step, asked, first)
            if self.newest is not None and not first:
                break
            if job.error is not None:
                if not failed:
                    await self._send(message(asked, parts=_words(job.error, asked, step)))
                failed = True
            if step is None:
                await self._say(asked, "", "")
                await self._send(message(asked, done=True))
                break
            first = False

    async def _computed(self, step: Step, asked: Wish, first: bool) -> Job:
        """Compute a step and send it, unless a newer wish comes."""
        kind = (asked.page, step.label)
        if step.label != self.status[0]:
            await self._say(asked, step.label, "")
            self.since = self.loop.time()
        pool = self.workers.pool(kind, first)
        if pool == "slow" and self.slow is not None and not await self._finish(self.slow, asked, must=first, kind=kind):
            return self.slow
        job = self._start(partial(_parts, step, asked), pool)
        self.slow = job if pool == "slow" else None
        if await self._finish(job, asked, must=first, kind=kind) and job.error is None:
            self.workers.took[kind] = job.seconds
            text, changed = job.result
            job.result = self.slow = None
            drawn = self.drawn[asked.page]
            for part in changed:
                drawn.pop(part, None)  # another picture is there now, which may be a coarse one
            if text:
                await self._send(text)
            drawn.update(step.finishes)
        return job

    def _start(self, work: Callable[[], Any], pool: str) -> Job:
        return self.workers.start(work, pool, self._wake)

    def _wake(self) -> None:
        """Called in any thread, perhaps after the end of the loop."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.woken.set)

    async def _finish(self, job: Job, asked: Wish, *, must: bool, kind: tuple[str, str] = ("", "")) -> bool:
        """Wait, and tell the page what for; False, without waiting, if a newer wish has come and this need not be."""
        while not job.done:
            if self.newest is not None and not must:
                job.cancel()
                return False
            await self._pause()
            await self._tell(asked, kind)
        return True

    async def _pause(self) -> None:
        self.woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK):
                await self.woken.wait()

    async def _tell(self, asked: Wish, kind: tuple[str, str]) -> None:
        """Say what is computed, if that takes long, and now and then again, so that the page knows that somebody is there."""
        lasted, label = self.loop.time() - self.since, kind[1]
        if not label or lasted < SAID_AFTER:
            return
        text = f"Computing {label}…"
        if lasted > LONG and kind not in self.workers.took:
            text = f"Preparing {label}: its code is compiled once on this machine, some seconds."
        if text != self.status[1] or self.loop.time() - self.sent > ALIVE:
            await self._say(asked, label, text)

    async def _say(self, asked: Wish, label: str, text: str) -> None:
        before, self.status = self.status[1], (label, text)
        if text or before:
            await self._send(message(asked, parts={"status": {"text": text}}))

    async def _view(self, asked: Wish) -> View | None:
        """The view that is wished for; None if a newer wish has come before it could be loaded, or it can't be."""
        if not self.views.done():
            self.views.add_done_callback(lambda _: self._wake())
        while not self.views.done():
            if self.newest is not None:
                return None
            await self._pause()
            if self.loop.time() - self.since > SAID_AFTER and self.loop.time() - self.sent > ALIVE:
                await self._say(asked, "", LOADING)
        if error := self.views.exception():
            await self._send(message(asked, parts=_words(error, asked, None)))
            return None
        await self._say(asked, "", "")
        view = self.views.result().get(asked.page)
        if view is None:
            raise MalformedError("There is no such page.")
        return view


def _lazily(view: View, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
    """The steps of a view, of which nothing happens before the first is asked for."""
    yield from view.steps(values, drawn)


def _parts(step: Step, asked: Wish) -> tuple[str, list[str]]:
    """Compute a step: the message, if anything changes, and the pictures that it changes."""
    parts = step.compute()
    return message(asked, parts=parts) if parts else "", [name for name, traits in parts.items() if "figure" in traits]


def _words(error: BaseException, asked: Wish, step: Step | None) -> dict[str, dict[str, Any]]:
    """What the page says of an error."""
    if isinstance(error, (ss.InputError, ss.IntegrationError)):
        return {"words": {"text": f"<b>No answer here.</b> {escape(str(error))}", "busy": False}}
    where = "its steps" if step is None else step.label
    complain(f"{type(error).__name__} in {where} of page {asked.page} at {dict(asked.values)}: {error}")
    return {"words": {"text": WRONG, "busy": False}}


class Sessions:
    """All open pages."""

    def __init__(self, views: Future[Mapping[str, View]], workers: Workers) -> None:
        self.views, self.workers, self.open = views, workers, 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve a page until it closes, if there is room."""
        await socket.accept()
        if self.open >= LARGEST:
            await socket.close(1013, FULL)
            return
        self.open += 1
        try:
            await Session(socket, self.views, self.workers).run()
        finally:
            self.open -= 1
