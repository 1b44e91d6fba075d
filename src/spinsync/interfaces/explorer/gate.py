"""The door of the explorer: who comes in, from which address, with how much, and what every answer tells the browser."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LARGEST_BODY, LARGEST_ADDRESS = 4096, 2048  # bytes of a request
PATIENCE = 10.0  # seconds for a body of so many bytes to arrive
DELAY, WAITING = 1.0, 8  # a wrong token waits so many seconds; so many wait at once
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
#: on every answer
SECURITY = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
OPEN = ("/health", "/login")  # without a token
LIVE = "/live"  # the only web socket
#: what the address of a page may hold besides the token: short names of controls and tabs, with plain values
KEPT = re.compile(r"(?!access_token|token)[A-Za-z_][A-Za-z0-9_-]{0,31}"), re.compile(r"[A-Za-z0-9._+-]{1,40}")


class Lock:
    """The token, the cookie that holds it, and the brake for wrong tokens."""

    def __init__(self, token: str, port: int, delay: float = DELAY) -> None:
        self.token, self.delay, self.waiting = token.encode(), delay, 0
        self.cookie = f"spinsync-{port}"  # browsers send cookies to all ports of a host, so that each port needs its own

    def fits(self, given: str) -> bool:
        """Whether this is the token; the time taken says nothing about it."""
        return compare_digest(given.encode("utf-8", "replace"), self.token)

    async def brake(self) -> bool:
        """Let a wrong token wait; False, at once, where too many wait."""
        if self.waiting >= WAITING:
            return False
        self.waiting += 1
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.waiting -= 1
        return True

    def setting(self) -> dict[str, str]:
        """The header that sets the cookie."""
        return {"set-cookie": f"{self.cookie}={self.token.decode()}; HttpOnly; SameSite=Lax; Path=/"}


def kept(query: str) -> str:
    """The state of a page, of the query of its address: rebuilt from what is harmless, so that it leads nowhere else."""
    good = [(name, value) for name, value in _pairs(query) if KEPT[0].fullmatch(name) and KEPT[1].fullmatch(value)]
    return f"?{urlencode(good)}" if good else ""


def own_names(host: str) -> frozenset[str]:
    """Names, besides addresses, under which this machine may be called."""
    return frozenset({"localhost", host.lower(), socket.gethostname().lower()} - {""})


def joined(headers: Headers) -> dict[str, str]:
    """Headers by name. What is said twice stands there twice, so that it is no good name or origin whichever comes last."""
    heads: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        between = "; " if name == "cookie" else ", "
        heads[name] = heads[name] + between + value if name in heads else value
    return heads


class Gate:
    """Lets in what is called by the right name, comes from the page itself, is small, and has the token."""

    def __init__(self, app: Any, lock: Lock, names: frozenset[str], port: int) -> None:
        self.app, self.lock, self.names, self.port = app, lock, names, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        begun = gone = False

        async def secured(message: Message) -> None:
            nonlocal begun, gone
            if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
                begun = True
                said = dict(message.get("headers", ()))
                message["headers"] = [*message.get("headers", ()), *((k, v) for k, v in SECURITY.items() if k not in said)]
            try:
                await send(message)
            except OSError:  # nobody is there any more, which is no fault
                gone = True
                raise

        try:
            await self._answer(scope, receive, secured)
        except Exception as error:  # a fault of this package: one line, and the page goes on
            if gone:
                return
            complain(f"{type(error).__name__} in {scope['path'][:100]!r}: {error}")
            if not begun:
                await refuse(scope, secured, 500, "Something went wrong here.")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        heads = joined(scope["headers"])
        trouble = self._foreign(heads, scope["path"])
        if trouble is None and len(scope["path"]) + len(scope["query_string"]) > LARGEST_ADDRESS:
            trouble = 414, f"An address has at most {LARGEST_ADDRESS} bytes."
        if trouble is None and scope["type"] == "http":
            body = await _body(heads, receive)
            trouble = body if isinstance(body, tuple) else None
            receive = _once(body, receive) if isinstance(body, bytes) else receive
        if trouble is None and (scope["type"] == "websocket" or scope["path"] not in OPEN):
            trouble = await self._locked(scope, heads, send)
            if trouble is None and scope["type"] == "websocket" and scope["path"] != LIVE:
                trouble = 404, "There is nothing here."
        if trouble is None:
            await self.app(scope, receive, send)
        elif trouble[0]:
            await refuse(scope, send, *trouble)

    def _foreign(self, heads: dict[str, str], path: str) -> tuple[int, str] | None:
        """Why a request comes by a wrong name or from another page, if so."""
        host = heads.get("host", "").lower()
        if not self._own(host):
            return 421, f"This is spinsync explore at port {self.port} of this machine; it goes by no other name."
        if heads.get("origin", f"http://{host}") != f"http://{host}":
            return 403, "Requests from other pages are refused."
        # a browser says so also where it sends no origin: only the address of the page may be a link elsewhere
        link = path in ("/", "/login") and heads.get("sec-fetch-mode") == "navigate"
        if heads.get("sec-fetch-site", "none") not in ("none", "same-origin") and not link:
            return 403, "Requests from other pages are refused."
        return None

    def _own(self, host: str) -> bool:
        """Whether this is an address, or a name, of this machine, with the port. An address can't be rebound."""
        parts = re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", host)
        if parts is None or int(parts[2] or 80) != self.port:
            return False
        if parts[1] in self.names:
            return True
        try:
            ip_address(parts[1].strip("[]"))
        except ValueError:
            return False
        return True

    async def _locked(self, scope: Scope, heads: dict[str, str], send: Send) -> tuple[int, str] | None:
        """What a request without the token is told, if it lacks it; status 0: it has been answered already."""
        query, front = scope["query_string"].decode("latin-1"), scope["type"] == "http" and scope["path"] == "/"
        given = [value for name, value in _pairs(query) if name == "access_token"] if front else []
        if any(map(self.lock.fits, given)):
            await redirect(send, f"/{kept(query)}", *((k.encode(), v.encode()) for k, v in self.lock.setting().items()))
            return 0, ""
        cookies = [part.strip().partition("=") for part in heads.get("cookie", "").split(";")]
        tried = [value for name, _, value in cookies if name == self.lock.cookie]
        if not given and any(map(self.lock.fits, tried)):
            return None
        if (given or tried) and not await self.lock.brake():
            return 429, "Too many wrong tokens; wait some seconds."
        if front and not given:
            await redirect(send, f"/login{kept(query)}")
            return 0, ""
        return 401, "This needs the token: open the address that spinsync explore printed."


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query) if query.count("&") < 64 else []


async def _body(heads: dict[str, str], receive: Receive) -> bytes | tuple[int, str]:
    """The body of a request, or why it is refused."""
    too_large = 413, f"A request has at most {LARGEST_BODY} bytes."
    length = heads.get("content-length", "0")
    if not length.isdecimal() or len(length) > 12 or int(length) > LARGEST_BODY:
        return too_large
    body, more = b"", length != "0" or "transfer-encoding" in heads
    try:
        async with asyncio.timeout(PATIENCE):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return 400, "The request broke off."
                body, more = body + message.get("body", b""), message.get("more_body", False)
                if len(body) > LARGEST_BODY:
                    return too_large
    except TimeoutError:
        return 408, "The request did not arrive in time."
    return body


def _once(body: bytes, receive: Receive) -> Receive:
    """Gives the body, which has been read already; then what comes, which is that the other side has gone."""
    bodies: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return bodies.pop() if bodies else await receive()

    return received


async def respond(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes], kind: str = "text/plain") -> None:
    """Answer a request as a whole."""
    known: Headers = [(b"content-type", f"{kind}; charset=utf-8".encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": known + list(headers)})
    await send({"type": "http.response.body", "body": body})


async def redirect(send: Send, where: str, *headers: tuple[bytes, bytes]) -> None:
    """Send the browser to another address of this server."""
    await respond(send, 303, b"", (b"location", where.encode("latin-1")), *headers)


async def refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Answer with a sentence; a connection whose request has not been read to its end is closed."""
    more = [(b"connection", b"close")] if status in (408, 413) else []
    more += [(b"retry-after", b"5")] if status in (429, 503) else []
    if scope["type"] == "http":
        await respond(send, status, sentence.encode(), *more)
        return
    known: Headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": known + more})
    await send({"type": "websocket.http.response.body", "body": sentence.encode()})


def complain(text: str) -> None:
    """One line for whoever started the server."""
    print(f"spinsync explorer: {' '.join(text.split())[:500]}", file=sys.stderr, flush=True)
