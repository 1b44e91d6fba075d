"""Connections as they come in, before anything is asked: who sends half a request, or reads nothing, does not stay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Response

from spinsync.interfaces.explorer.gate import SECURITY

LARGEST = 256  # connections at once, those of open pages among them
PATIENCE, UNREAD = 20.0, 30.0  # seconds for a whole request to come, and in which nothing of an answer is read
LARGEST_PIECES = 256  # of one message
AT_ONCE = 4096  # bytes that are taken of a page before others have their turn: thousands of tiny frames take long


class Reading:
    """How long the other side has read nothing of what waits for it."""

    transport: Any
    left, moved = 0, 0.0  # bytes that waited when it was looked last, and when that last changed

    def unread(self, now: float) -> bool:
        """Whether it is too long. A connection that is being closed waits as well, for the rest to be read."""
        left = self.transport.get_write_buffer_size()
        if not left or left != self.left:
            self.left, self.moved = left, now
        return now - self.moved > UNREAD


class Requests(Reading, H11Protocol):
    """A connection with one request after the other."""

    since = 0.0  # when the present request was first waited for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        make_room(self.connections)

    def on_response_complete(self) -> None:
        self.since = self.loop.time()
        super().on_response_complete()

    @property
    def waits(self) -> bool:
        """Whether the other side has something to do: send the rest of a request, or read an answer."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def overdue(self, now: float) -> bool:
        """Whether a request is on its way for too long."""
        return self.waits and not self.flow.write_paused and now - self.since > PATIENCE

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request; as strictly as the gate answers."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # an answer to what came before has begun
            self.transport.close()
            return
        heads = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *SECURITY.items()]
        events = (
            h11.Response(status_code=400, headers=heads, reason=b"Bad Request"),
            h11.Data(data=msg.encode()),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event))
        self.transport.close()


class Live(Reading, WebSocketsSansIOProtocol):
    """The connection of an open page."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        reject = self.conn.reject

        def strictly(status: Any, text: str) -> Response:
            response = reject(status, text)
            response.headers.update({name.decode(): value.decode() for name, value in SECURITY.items()})
            return response

        self.conn.reject = strictly  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if hasattr(transport, "max_size"):  # of the usual event loop
            transport.max_size = AT_ONCE

    def overdue(self, now: float) -> bool:
        """A page may be silent as long as it likes."""
        return False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():  # uvicorn would leave it open
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:  # the answers are not read and would pile up
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < LARGEST_PIECES:
            super().handle_cont(event)
        else:  # empty ones do not count as bytes and could go on for ever
            self.transport.abort()


def make_room(connections: Iterable[Any]) -> None:
    """Where too many are connected, let the one go that has been waited for longest, which may be the newest."""
    there = [connection for connection in connections if not connection.transport.is_closing()]
    if len(there) > LARGEST:
        waiting = [connection for connection in there if isinstance(connection, Requests) and connection.waits]
        min(waiting, key=lambda connection: connection.since).transport.abort()


def sweep(connections: Iterable[Any]) -> None:
    """Let those go that have been waited for long enough; to be called now and then."""
    now = asyncio.get_running_loop().time()
    for connection in list(connections):
        if connection.unread(now) or connection.overdue(now):
            connection.transport.abort()
