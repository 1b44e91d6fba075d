"""What the explorer's server lets in, and what it says where it cannot start."""

import asyncio
import socket

import pytest

import spinsync as ss
from spinsync.interfaces.command import run
from spinsync.interfaces.explorer import server

HOST = (b"host", b"127.0.0.1:2718")


async def _inner(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"inside"})


def call(guard, kind="http", path="/", headers=(HOST,), receive=None):
    """The messages that a request is answered with."""
    said = []

    async def send(message):
        said.append(message)

    async def nothing():
        return {"type": "websocket.disconnect"}

    asyncio.run(guard({"type": kind, "path": path, "headers": list(headers)}, receive or nothing, send))
    return said


def test_the_browser_is_told_to_stay_here():
    start, body = call(server.Guard(_inner))
    assert start["status"] == 200
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http" not in policy  # no other place is named
    assert body["body"] == b"inside"


@pytest.mark.parametrize("origin", [b"http://elsewhere.example", b"http://127.0.0.1:9999", b"null"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_other_pages_are_refused(kind, origin):
    (first, *_) = call(server.Guard(_inner), kind, headers=(HOST, (b"origin", origin)))
    assert first.get("status", first.get("code")) in (403, 1008)


def test_the_page_itself_is_let_in():
    start, _ = call(server.Guard(_inner), headers=(HOST, (b"origin", b"http://127.0.0.1:2718")))
    assert start["status"] == 200


def test_only_so_many_pages_at_once():
    guard = server.Guard(_inner)
    guard.open = server.LARGEST
    start, body = call(guard)
    assert start["status"] == 503
    assert body["body"].decode() == server.FULL
    assert str(server.LARGEST) in server.FULL
    assert call(guard, "websocket")[0]["reason"] == server.FULL
    assert call(guard, path="/assets/x.js")[0]["status"] == 200  # pages that are open go on


def test_pages_are_counted():
    guard, seen = server.Guard(_inner), []

    async def receive():
        seen.append(guard.open)
        return {"type": "websocket.disconnect"}

    call(guard, "websocket", receive=receive)
    assert seen == [1]
    assert guard.open == 0


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == "marimo" else object())
    with pytest.raises(ss.InputError, match=r"^The explorer needs the package marimo, .*: pip install marimo\.$"):
        server.serve()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("explore --port 70000", "Argument `--port` must be from 0 to 65535, but is --port=70000."),
        ("explore --port x", "must be a whole number, but is 'x'"),
        ("explore --host 203.0.113.7", "must be an address of this machine that is free, but are 203.0.113.7 and 0"),
        ("explore --host no.such.host.invalid", "must be an address of this machine that is free"),
        ("explore --tale", "--story"),
    ],
)
def test_bad_calls(call, said, capsys):
    assert run(call.split()) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_taken_port_is_one_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["explore", "--port", str(port)]) == 2
    assert f"but are 127.0.0.1 and {port}" in capsys.readouterr().err


def test_loopback_unless_told_otherwise():
    with server._listening("127.0.0.1", 0) as listener:
        where = server.address(listener, "TOKEN", story=True)
    assert where.startswith("http://127.0.0.1:")
    assert where.endswith("/?access_token=TOKEN&page=story")
