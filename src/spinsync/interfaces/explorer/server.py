"""Serves the explorer until it is interrupted: on loopback unless told otherwise."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import spinsync as ss

if TYPE_CHECKING:
    import uvicorn

SWITCH = 0.001  # seconds that a thread may compute in Python while the one that answers waits


def needs() -> None:
    """Raise if a package of the extra is missing."""
    for package in ("starlette", "uvicorn", "websockets"):
        if find_spec(package) is None:
            raise ss.InputError(f"The explorer needs the package {package}, which is missing: pip install {package}.")


def listening(host: str, port: int) -> socket.socket:
    """A socket that already takes calls: who comes before the server is up waits."""
    listener = None
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        reason = getattr(error, "strerror", None) or "no such name"
        raise ss.InputError(
            f"Arguments `--host` and `--port` must be an address of this machine that is free, but are {host} and {port} "
            f"({reason})."
        ) from None
    return listener


def address(listener: socket.socket, token: str, *, story: bool) -> str:
    """Where the page is, with the token that opens it."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/?access_token={token}" + ("&page=story" if story else "")


def web_server(app: Any) -> uvicorn.Server:
    """The server around the application; it says nothing, whatever comes in."""
    import uvicorn

    from spinsync.interfaces.explorer.connections import Live, Requests, sweep
    from spinsync.interfaces.explorer.sessions import LARGEST_MESSAGE

    for name in ("asyncio", "uvicorn.error"):  # what other programs send can make these write tracebacks
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    async def swept() -> None:
        sweep(server.server_state.connections)

    server = uvicorn.Server(uvicorn.Config(
        app, http=Requests, ws=Live, lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, ws_max_size=LARGEST_MESSAGE, ws_per_message_deflate=False, h11_max_incomplete_event_size=16384,
        timeout_graceful_shutdown=1, callback_notify=swept, timeout_notify=0,
    ))  # fmt: skip
    return server


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
    token = secrets.token_urlsafe(24)
    with listening(host, port) as listener, suppress(KeyboardInterrupt):
        where = address(listener, token, story=story)
        print(f"spinsync explorer: {where}\nCtrl-C ends it.", file=sys.stderr, flush=True)
        _run(listener, token, host, where if browser else "")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the threads of open pages would keep the process alive, and there is nothing to save


def _run(listener: socket.socket, token: str, host: str, shown: str) -> None:
    """Serve in another thread while this one waits, so that a signal ends it whatever is computed."""
    from spinsync.interfaces.explorer.routes import application, load

    sys.setswitchinterval(SWITCH)
    app, explorer = application(token, host, listener.getsockname()[1])
    server = web_server(app)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    serving.start()
    if shown:
        threading.Thread(target=webbrowser.open, args=(shown,), daemon=True).start()
    load(explorer)
    while serving.is_alive():
        serving.join(timeout=1.0)  # with a limit, as only then a signal is heard on every system
