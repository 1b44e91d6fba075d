"""Connections that send too little, too slowly or too much, and read nothing: they end, and the server answers all others."""

import os
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from server_process import KEY, frame, process
from spinsync.interfaces.explorer import connections, gate, sessions
from stub_server import page, running

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files in /proc")


@pytest.fixture(scope="module")
def explorer():
    with running() as explorer:
        yield explorer


@contextmanager
def hurried(monkeypatch):
    """A server that waits for tenths of a second only."""
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    monkeypatch.setattr(connections, "UNREAD", 0.2)
    with running() as explorer:
        yield explorer


def head(explorer, line="GET /health", *more):
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: 127.0.0.1:{explorer.port}", *more]) + "\r\n"


def upgrade(explorer, *more):
    fixed = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        KEY.strip(),
        f"Cookie: {explorer.cookie}",
    )
    return head(explorer, "GET /live", *fixed, *more) + "\r\n"


def opened(explorer, sent, size=None):
    """A connection after it has sent something; with `size`, its system takes so many bytes that nobody reads."""
    raw = socket.socket()
    if size is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    raw.settimeout(10)
    raw.connect(("127.0.0.1", explorer.port))
    raw.sendall(sent if isinstance(sent, bytes) else sent.encode("latin-1"))
    return raw


def ended(raw, wait):
    """What comes until the server ends the connection; fails if it does not."""
    raw.settimeout(wait)
    said = b""
    try:
        while piece := raw.recv(65536):
            said += piece
    except ConnectionError:
        pass
    return said


def broken_off(raw, piece, times, pause=0.0):
    """Whether the server ends the connection while it is sent so many pieces."""
    try:
        for _ in range(times):
            raw.sendall(piece)
            time.sleep(pause)
    except OSError:
        return True
    return False


def healthy(explorer):
    begin = time.perf_counter()
    with opened(explorer, head(explorer, "GET /health", "Connection: close") + "\r\n") as raw:
        return ended(raw, 5.0).endswith(b"ok") and time.perf_counter() - begin < 1.0


HALVES = {
    "nothing": lambda explorer: "",
    "half a line": lambda explorer: "GET /hea",
    "half a head": head,
    "half a second request": lambda explorer: head(explorer) + "\r\nGET /hea",
    "half a body": lambda explorer: head(explorer, "POST /login", "Content-Length: 100") + "\r\nx",
    "a refused body": lambda explorer: head(explorer, "POST /", "Origin: http://evil", "Content-Length: 100") + "\r\nx",
}


@pytest.mark.parametrize("kind", HALVES)
def test_half_a_request_is_not_waited_for(kind, monkeypatch):
    with hurried(monkeypatch) as explorer, opened(explorer, HALVES[kind](explorer)) as raw:
        ended(raw, 4.0)
        assert healthy(explorer)


def test_a_request_that_drips_is_not_waited_for(monkeypatch):
    with hurried(monkeypatch) as explorer, opened(explorer, head(explorer)) as raw:
        assert broken_off(raw, b"X: y\r\n", 40, 0.1)


def test_hundreds_of_half_requests_keep_nobody_out(explorer):
    before = len(os.listdir("/proc/self/fd"))
    with ExitStack() as stack:
        held = [stack.enter_context(opened(explorer, head(explorer))) for _ in range(connections.LARGEST + 150)]
        assert healthy(explorer)
        with page(explorer):
            assert healthy(explorer)
        assert len(os.listdir("/proc/self/fd")) - before - len(held) < connections.LARGEST + 20
        assert ended(held[0], 1.0) == b""  # the oldest had to go


def test_an_open_page_is_never_the_one_that_has_to_go(explorer):
    with page(explorer) as socket, ExitStack() as stack:
        for _ in range(connections.LARGEST + 20):
            stack.enter_context(opened(explorer, "GET"))
        assert socket.ping().wait(5)


def test_who_reads_nothing_is_not_waited_for(monkeypatch):
    with hurried(monkeypatch) as explorer:
        explorer.files["main.js"] = "x" * 20_000_000
        request = head(explorer, "GET /assets/main.js", f"Cookie: {explorer.cookie}") + "\r\n"
        with opened(explorer, request, 4096) as raw:
            time.sleep(3.0)
            assert len(ended(raw, 4.0)) < 19_000_000


def test_a_page_that_reads_no_answers_to_its_pings_ends(explorer):
    """Otherwise the answers would pile up."""
    with opened(explorer, upgrade(explorer), 4096) as raw:
        assert raw.recv(4096).startswith(b"HTTP/1.1 101 ")
        assert broken_off(raw, frame(0x89, b"x" * 125) * 1000, 200)


def test_a_message_of_endless_pieces_ends(explorer):
    with opened(explorer, upgrade(explorer)) as raw:
        assert raw.recv(4096).startswith(b"HTTP/1.1 101 ")
        raw.sendall(frame(0x01, b"{"))
        assert broken_off(raw, frame(0x00, b"") * 1000, 100, 0.005)


REFUSED = {
    "garbage": lambda explorer: ("\0garbage\r\n\r\n", 400),
    "two hosts": lambda explorer: (head(explorer, "GET /", "Host: evil") + "\r\n", 400),
    "other version": lambda explorer: (upgrade(explorer).replace(": 13", ": 99"), 400),
    "bad key": lambda explorer: (upgrade(explorer).replace("dGhl", "!!!!"), 400),
    "many heads of a socket": lambda explorer: (upgrade(explorer, *["X: y"] * 300), 431),
    "long head of a socket": lambda explorer: (upgrade(explorer, "X: " + "y" * 9000), 431),
    "long path of a socket": lambda explorer: (upgrade(explorer).replace("/live", "/" + "y" * 9000), 414),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_request_is_answered_as_strictly(kind, explorer):
    """The libraries answer these, before the gate."""
    sent, status = REFUSED[kind](explorer)
    with opened(explorer, sent) as raw:
        said = ended(raw, 2.0)
    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    for name, value in gate.SECURITY.items():
        assert b"\r\n" + name + b": " + value + b"\r\n" in said


def test_a_closed_page_that_reads_nothing_leaves(monkeypatch):
    monkeypatch.setattr(sessions, "UNREAD", 0.2)
    monkeypatch.setattr(sessions, "message", lambda *_, **__: "x" * 20_000_000)
    with hurried(monkeypatch) as explorer:
        wish = frame(0x81, b'{"number": 1, "page": "one", "values": {}}')
        with opened(explorer, upgrade(explorer), 4096) as raw:
            raw.recv(4096)
            raw.sendall(wish)
            time.sleep(4.0)
            assert len(ended(raw, 4.0)) < 19_000_000


def test_floods_of_tiny_frames_do_not_keep_others_waiting():
    """Each costs more to read than to send, so that a page may send but a few before others have their turn."""
    with process() as started, ExitStack() as stack:
        for _ in range(4):
            raw = stack.enter_context(opened(started, upgrade(started)))
            assert raw.recv(4096).startswith(b"HTTP/1.1 101 ")
            threading.Thread(target=broken_off, args=(raw, frame(0x8A, b"") * 40_000, 100), daemon=True).start()
        time.sleep(0.5)
        assert max(started.health() for _ in range(3)) < 2.0
