"""The explorer's server around pages that need no physics: what they compute, and how long, is up to the test."""

import asyncio
import json
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed

import spinsync as ss
from spinsync.interfaces.explorer import routes, server
from spinsync.interfaces.explorer.controls import Control

TOKEN = "the-right-token"
CONTROLS = (
    Control("V", "coupling", 0, 5, 0.02, 3),
    Control("theta", "phase", -1, 1, 0.01, -0.38),
    Control("alike", "alike", 0, 1, 1, 1, "tick"),
)


@dataclass(frozen=True)
class Step:
    label: str
    compute: object
    finishes: dict = field(default_factory=dict)


class View:
    """Words at once, then a map in pieces, unless it stands already."""

    controls, name = CONTROLS, "one-ensemble"

    def __init__(self, pieces=2, pause=0.0):
        self.pieces, self.pause, self.computed = pieces, pause, 0
        self.pictures = {"map": lambda values: ("figure", dict(values)), "none": self.none}

    def none(self, values):
        raise ss.InputError("No figure <here>.")

    def data(self, values):
        return ("data", dict(values))

    def words(self, values):
        self.computed += 1
        if values["V"] == 5:
            raise ss.InputError("V < 5 & more.")
        if values["V"] == 4.5:
            raise KeyError("a fault")
        return {"words": {"text": f"V = {values['V']:g}"}, "map": {"place": [values["V"], 0.0], "busy": True}}

    def piece(self, values, k):
        time.sleep(self.pause)
        return {
            "map": {"figure": {"lines": [{"x": [0.0, float("nan")], "y": b"\0\1"}], "piece": k}, "busy": k + 1 < self.pieces}
        }

    def steps(self, values, drawn):
        yield Step("the words", lambda: self.words(values))
        if drawn.get("map") != values["theta"]:
            for k in range(self.pieces):
                last = {"map": values["theta"]} if k + 1 == self.pieces else {}
                yield Step("the map", lambda k=k: self.piece(values, k), last)


def content(views=None):
    """What the stub serves."""
    files = {"index.html": '<!doctype html><script type="application/json" id="catalogue">{{catalogue}}</script>'}
    return routes.Content(
        files=lambda: {**files, "main.js": "export const here = 1;\n", "look.css": "body {}\n", "icon.svg": "<svg/>"},
        catalogue=lambda: {"pages": [{"key": "one", "intro": "</script><b>"}]},
        views=lambda: {"one": View()} if views is None else views,
        drawn=lambda draw, values, kind: f"{kind} {draw(values)}".encode(),
        stored=lambda result: f"{result}".encode(),
    )


@contextmanager
def running(views=None, *, load=True, delay=0.05):
    """The server in a thread, at a free port of loopback."""
    with server.listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        app, explorer = routes.application(TOKEN, "127.0.0.1", port, content(views))
        explorer.lock.delay = delay
        served = server.web_server(app)
        thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]})
        thread.start()
        if load:
            explorer.load()
        explorer.port, explorer.cookie = port, f"spinsync-{port}={TOKEN}"
        try:
            yield explorer
        finally:
            served.should_exit = True
            thread.join(20)
            explorer.workers.close()
        assert not thread.is_alive()


@contextmanager
def page(explorer, **options):
    """A client of /live."""
    from websockets.sync.client import connect

    headers = {"Cookie": explorer.cookie}
    with connect(f"ws://127.0.0.1:{explorer.port}/live", additional_headers=headers, compression=None, **options) as socket:
        yield socket


def ask(socket, number=1, name="one", **values):
    socket.send(json.dumps({"number": number, "page": name, "values": values}))


def answers(socket, number=1, timeout=20):
    """All messages up to the one that ends the answer to a wish."""
    said = []
    while not said or not said[-1].get("done") or said[-1]["number"] != number:
        said.append(json.loads(socket.recv(timeout)))
    return said


async def called(app, scope, body=b""):
    """The messages that an ASGI application answers with."""
    said, pending = [], [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return pending.pop(0) if pending else {"type": "http.disconnect"}

    async def send(message):
        said.append(message)

    await asyncio.wait_for(app(scope, receive, send), 20)
    return said


def main():
    """The server as a process of its own."""
    original = routes.application
    routes.application = lambda token, host, port: original(TOKEN, host, port, content({"one": View(40, 5.0)}))
    server.serve(browser=False, port=int(sys.argv[1]) if sys.argv[1:] else 0)


if __name__ == "__main__":
    main()


class Made(View):
    """A page of given steps."""

    def __init__(self, *steps):
        super().__init__()
        self.made = steps

    def steps(self, values, drawn):
        for step in self.made:
            if isinstance(step, Exception):
                raise step
            yield step


def words(text):
    return lambda: {"words": {"text": text}}


def merged(said, part, trait):
    """All values that a trait was given, in order."""
    return [m["parts"][part][trait] for m in said if trait in m.get("parts", {}).get(part, {})]


def until(condition, seconds=10.0):
    """Wait for what happens soon."""
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end
        time.sleep(0.01)


def closed(socket, timeout=10):
    """Code and reason with which the server closes."""
    try:
        while True:
            socket.recv(timeout)
    except ConnectionClosed as end:
        return end.rcvd.code, end.rcvd.reason
