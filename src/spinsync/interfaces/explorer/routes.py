"""All that the explorer answers: the page and its files, what is live, downloads, the form that asks for the token."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

import spinsync as ss
from spinsync.interfaces.explorer.controls import Values, accepted, starts
from spinsync.interfaces.explorer.gate import LIVE, Gate, Lock, complain, kept, own_names
from spinsync.interfaces.explorer.sessions import FULL, LARGEST, TICK, Sessions
from spinsync.interfaces.explorer.workers import Workers, step_back

if TYPE_CHECKING:
    from spinsync.interfaces.explorer.steps import View

PAGE = Path(__file__).parent / "page"
MARK = "{{catalogue}}"  # in index.html
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PICTURES = {"pdf": "application/pdf", "png": "image/png"}
LARGEST_FORM, LARGEST_QUEUE = 1024, 32  # bytes, downloads that wait
LOGIN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>spinsync explorer: token</title></head>
<body><main><h1>spinsync explorer</h1>
<p>This browser has not been let in yet. The terminal in which <code>spinsync explore</code> runs has printed an address:
open that, or paste its token here, which is what stands behind <code>access_token=</code>. The view that you asked for opens
then.</p>
<form method="post" action="/login{query}"><p><label>Token <input name="token" type="password" size="40" required autofocus
autocomplete="off"></label> <button>Open</button></p>{said}</form></main></body></html>
"""


def _views() -> Mapping[str, View]:
    from spinsync.interfaces.explorer.views import VIEWS

    return VIEWS


def _catalogue() -> dict[str, Any]:
    from spinsync.interfaces.explorer.catalogue import catalogue

    return catalogue()


def _drawn(draw: Callable[[Values], Any], values: Values, kind: str) -> bytes:
    from spinsync.interfaces.explorer.pictures import drawn

    return drawn(draw, values, kind)


def _stored(result: Any) -> bytes:
    from spinsync.interfaces.explorer.pictures import stored

    return stored(result)


def page_files() -> dict[str, str]:
    """The files of the page by name, read once: what is asked for later is looked up here and nowhere else."""
    from spinsync.widget.scripts import model_module, sphere_module

    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(PAGE.iterdir()) if path.suffix in (*KINDS, ".html")}
    return {**files, "sphere.js": sphere_module(), "model.js": model_module()}


@dataclass(frozen=True)
class Content:
    """What the server serves, loaded where it is first needed: the server itself knows no physics."""

    files: Callable[[], dict[str, str]] = page_files
    catalogue: Callable[[], dict[str, Any]] = _catalogue
    views: Callable[[], Mapping[str, View]] = _views
    drawn: Callable[[Callable[[Values], Any], Values, str], bytes] = _drawn
    stored: Callable[[Any], bytes] = _stored


@dataclass
class Explorer:
    """The answers to requests that have passed the gate."""

    lock: Lock
    content: Content
    workers: Workers = field(default_factory=Workers)
    views: Future[Mapping[str, View]] = field(default_factory=Future)
    waiting: int = 0  # downloads

    def __post_init__(self) -> None:
        self.files, self.sessions, self.index = self.content.files(), Sessions(self.views, self.workers), b""
        self.filling = asyncio.Lock()

    def load(self, *, warm: bool = False) -> None:
        """Import the physics, in the thread that calls this; then prepare all pages, while nobody computes anything."""
        try:
            self.views.set_result(self.content.views())
        except BaseException as error:  # each wish says so
            self.views.set_exception(error)
        if warm and self.views.exception() is None:
            step_back()
            for view in self.views.result().values():
                self._prepare(view)

    def _prepare(self, view: View) -> None:
        """Compute one step of each kind at the values of the start: this compiles, or loads, what the page needs."""
        seen = set()
        with suppress(Exception):  # the page itself will say it
            for step in view.steps(starts(view.controls), {}):
                if step.label not in seen:
                    seen.add(step.label)
                    self.workers.aside(step.compute)

    async def page(self, request: Request) -> Response:
        if self.sessions.open >= LARGEST:
            return PlainTextResponse(FULL, 503, {"retry-after": "5"})
        async with self.filling:
            if not self.index:
                text = json.dumps(await asyncio.to_thread(self.content.catalogue)).replace("<", "\\u003c")
                self.index = self.files["index.html"].replace(MARK, text).encode()
        return HTMLResponse(self.index)

    async def file(self, request: Request) -> Response:
        name = request.path_params["name"]
        text, kind = self.files.get(name), KINDS.get(Path(name).suffix)
        if text is None or kind is None:
            return _missing()
        return Response(text, media_type=kind, headers={"cache-control": "no-cache"})

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    async def login(self, request: Request) -> Response:
        query, said = kept(request.url.query), ""
        if request.method == "POST":
            body = await request.body()
            if len(body) > LARGEST_FORM:
                return PlainTextResponse(f"A form has at most {LARGEST_FORM} bytes.", 413)
            fields = parse_qsl(body.decode("utf-8", "replace")) if body.count(b"&") < 8 else []
            if any(name == "token" and self.lock.fits(value) for name, value in fields):
                return RedirectResponse(f"/{query}", 303, self.lock.setting())
            if not await self.lock.brake():
                return PlainTextResponse("Too many wrong tokens; wait some seconds.", 429, {"retry-after": "5"})
            said = '<p role="alert">This is not the token of this explorer.</p>'
        text = LOGIN.format(query=escape(query), said=said)
        # with "no-referrer" a browser would send the form with an origin of "null", which is refused
        return HTMLResponse(text, 401 if said else 200, {"referrer-policy": "same-origin"})

    async def picture(self, request: Request) -> Response:
        name, _, kind = request.path_params["name"].rpartition(".")
        view = (await self._ready()).get(request.path_params["page"])
        if view is None or name not in view.pictures or kind not in PICTURES:
            return _missing()
        values = _asked(view, request.url.query)
        draw = partial(self.content.drawn, view.pictures[name], values, kind)
        return await self._download(request, draw, PICTURES[kind], f"{_named(view, name, values)}.{kind}")

    async def data(self, request: Request) -> Response:
        page, _, kind = request.path_params["name"].partition(".")
        view = (await self._ready()).get(page)
        if view is None or view.data is None or kind != "zarr.zip":
            return _missing()
        values, compute = _asked(view, request.url.query), view.data
        return await self._download(
            request, lambda: self.content.stored(compute(values)), "application/zip", f"{_named(view, '', values)}.zarr.zip"
        )

    async def _ready(self) -> Mapping[str, View]:
        return await asyncio.shield(asyncio.wrap_future(self.views))

    async def _download(self, request: Request, compute: Callable[[], bytes], kind: str, name: str) -> Response:
        """Compute a file when it is its turn, if somebody still waits for it."""
        if self.waiting >= LARGEST_QUEUE:
            return PlainTextResponse("Too many downloads at once; try again when some are done.", 503, {"retry-after": "5"})
        self.waiting += 1
        job = self.workers.start(compute, "downloads")
        try:
            over = asyncio.wrap_future(job.future)
            while not job.done and not await request.is_disconnected():
                await asyncio.wait([over], timeout=TICK)
        finally:
            self.waiting -= 1
            job.cancel()  # which leaves alone what is done
        if isinstance(job.error, (ss.InputError, ss.IntegrationError)):
            return PlainTextResponse(f"No answer here. {job.error}", 422)
        if job.error is not None:
            complain(f"{type(job.error).__name__} in {name}: {job.error}")
            return PlainTextResponse("Something went wrong here. The terminal of spinsync explore says what.", 500)
        return Response(job.result, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def _missing() -> Response:
    return PlainTextResponse("There is nothing here.", 404)


def _asked(view: View, query: str) -> dict[str, float]:
    """The values in an address, inside their ranges; what is no number is that of the start."""
    numbers: dict[str, float] = {}
    for name, text in parse_qsl(query):
        with suppress(ValueError):
            numbers[name] = float(text)
    return accepted(view.controls, numbers, starts(view.controls))[0]


def _named(view: View, name: str, values: Values) -> str:
    """A file name that tells the picture, and what differs from the start."""
    changes = [f"{c.name}{values[c.name]:.4g}" for c in view.controls if values[c.name] != c.start]
    return re.sub(r"[^A-Za-z0-9._-]", "", "-".join(filter(None, ["spinsync", view.name, name, *changes])))[:120]


def application(token: str, host: str, port: int, content: Content | None = None) -> tuple[Gate, Explorer]:
    """The explorer as an ASGI application behind its gate, and what answers there."""
    lock = Lock(token, port)
    explorer = Explorer(lock, content or Content())
    answers: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/": explorer.page,
        "/assets/{name}": explorer.file,
        "/health": explorer.health,
        "/picture/{page}/{name}": explorer.picture,
        "/data/{name}": explorer.data,
    }
    app = Starlette(routes=[
        *(Route(path, answer, methods=["GET"]) for path, answer in answers.items()),
        Route("/login", explorer.login, methods=["GET", "POST"]),
        WebSocketRoute(LIVE, explorer.sessions.serve),
    ])  # fmt: skip
    app.router.redirect_slashes = False
    return Gate(app, lock, own_names(host), port), explorer


def load(explorer: Explorer) -> None:
    """Import the physics in the background."""
    threading.Thread(target=explorer.load, kwargs={"warm": True}, daemon=True).start()
