"""Serves the explorer: on loopback unless told otherwise, behind a token, and nothing from anywhere else."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import spinsync as ss

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LARGEST = 32  # pages at once: each holds one thread and a few results
#: the browser itself refuses whatever would come from, or go to, another place
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'; form-action 'self'"
FULL = f"spinsync explore serves {LARGEST} pages at once; close one and load this page again."


class Guard:
    """Lets in only what comes from the page's own address, so many pages at once, and tells the browser to stay here."""

    def __init__(self, app: Any) -> None:
        self.app, self.open = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        heads = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        origin = heads.get("origin")
        if origin is not None and urlsplit(origin).netloc != heads.get("host"):
            await _refuse(scope, send, 403, "Requests from other pages are refused.")
        elif scope["type"] == "http":
            await self._page(scope, receive, send)
        elif self.open >= LARGEST:
            await _refuse(scope, send, 503, FULL)
        else:
            self.open += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.open -= 1

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/" and self.open >= LARGEST:
            await _refuse(scope, send, 503, FULL)
            return

        async def stricter(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY.encode())]
            await send(message)

        await self.app(scope, receive, stricter)


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain; charset=utf-8")]})
    await send({"type": "http.response.body", "body": sentence.encode()})


def application(token: str) -> Any:
    """The page behind its token, as an ASGI application."""
    import marimo

    page = str(Path(__file__).parent / "app.py")
    return Guard(marimo.create_asgi_app(quiet=True, token=token, session_ttl=60).with_app(path="", root=page).build())


def warm() -> None:
    """Load what compiles before anybody waits for it."""
    from spinsync.interfaces.explorer.pages import FewSpins, OneGroup, TwoGroups

    for page in (OneGroup, TwoGroups, FewSpins):
        page().live.finish()


def needs() -> None:
    """Raise if a package of the extra is missing."""
    for name, package in (("marimo", "marimo"), ("anywidget", "anywidget"), ("zmq", "pyzmq")):
        if find_spec(name) is None:
            raise ss.InputError(f"The explorer needs the package {package}, which is missing: pip install {package}.")


def _listening(host: str, port: int) -> socket.socket:
    listener = None
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen()  # who comes before the server is up waits
    except OSError as error:
        if listener is not None:
            listener.close()
        raise ss.InputError(
            f"Arguments `--host` and `--port` must be an address of this machine that is free, but are {host} and {port} "
            f"({error.strerror})."
        ) from None
    return listener


def address(listener: socket.socket, token: str, *, story: bool) -> str:
    """Where the page is, with the token that opens it."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/?access_token={token}" + ("&page=story" if story else "")


def serve(*, host: str = "127.0.0.1", port: int = 0, story: bool = False, browser: bool = True) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    host : str
        An address of this machine; others than loopback can be reached from outside.
    port : int
        0: a free one.
    story : bool
        Open at the story.
    browser : bool
        Open the page in the browser of this machine.

    Raises
    ------
    InputError
        If a package is missing, or the address is not free.
    """
    needs()
    import uvicorn

    token = secrets.token_urlsafe(24)
    with _listening(host, port) as listener:
        where = address(listener, token, story=story)
        app = application(token)
        threading.Thread(target=warm, daemon=True).start()
        print(f"spinsync explorer: {where}\nCtrl-C ends it.", file=sys.stderr, flush=True)
        if browser:
            threading.Timer(0.5, webbrowser.open, [where]).start()
        with suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)).run(sockets=[listener])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the threads of open pages would keep the process alive, and there is nothing to save
