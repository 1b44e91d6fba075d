"""The server as a process: where it cannot start, how it ends, and that nothing that is sent to it makes it talk."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import spinsync as ss
from server_process import KEY, MASK, STUB, frame, process
from spinsync.interfaces.command import run
from spinsync.interfaces.explorer import server
from stub_server import ask, page


def test_it_listens_at_once():
    with process() as started:
        assert started.health() < 1.0
        assert started.took < 5.0  # some tenths of a second on a quiet machine


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_ends_it_at_once(number, status):
    """Even with an open page whose computation takes long. Below the command line SIGTERM has its usual effect."""
    with process() as started, page(started) as socket:
        ask(socket)
        for _ in range(2):
            socket.recv(5)  # a piece of five seconds has begun
        time.sleep(0.2)
        found, said, took = started.end(number)
        assert (found, said) == (status, "")
        assert took < 1.0


def test_the_command_line_ends_as_its_other_commands_do():
    """As batch systems and containers end it."""
    wrapped = f"import sys; sys.path.insert(0, {str(STUB.parent)!r}); from spinsync.interfaces import command; " \
        "import stub_server as e; r = e.routes; o = r.application; " \
        "r.application = lambda token, host, port: o(e.TOKEN, host, port, e.content()); " \
        "sys.argv = ['spinsync', 'explore', '--no-browser']; command.main()"  # fmt: skip
    for number, status, sentence in [(signal.SIGINT, 0, ""), (signal.SIGTERM, 143, "Terminated; nothing was written.\n")]:
        popen = subprocess.Popen([sys.executable, "-c", wrapped], stderr=subprocess.PIPE, text=True)
        assert popen.stderr.readline().startswith("spinsync explorer: http://127.0.0.1:")
        assert popen.stderr.readline() == "Ctrl-C ends it.\n"
        time.sleep(0.1)
        popen.send_signal(number)
        assert popen.communicate(timeout=20)[1] == sentence
        assert popen.returncode == status


HEAD = "Host: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
UPGRADE = "GET /live HTTP/1.1\r\n" + HEAD + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + KEY


ODD_REQUESTS = {
    "nothing": b"",
    "garbage": b"\x00\xff\x80garbage\r\n\r\n",
    "random bytes": bytes(range(256)) * 40,
    "tls": b"\x16\x03\x01\x02\x00\x01" * 50,
    "half a request": "GET / HTT",
    "half a head": "GET / HTTP/1.1\r\nHost: 127",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "old": "GET /\r\n\r\n",
    "older": "GET / HTTP/0.9\r\n\r\n",
    "http 2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http 1.0": "GET /health HTTP/1.0\r\n\r\n",
    "many heads": "GET / HTTP/1.1\r\n" + HEAD + "X: y\r\n" * 5000 + "\r\n",
    "long head": "GET / HTTP/1.1\r\n" + HEAD + "X: " + "y" * 100_000 + "\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\n" + HEAD + "Host: evil\r\n\r\n",
    "two lengths": "POST /login HTTP/1.1\r\n" + HEAD + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "bad length": "POST /login HTTP/1.1\r\n" + HEAD + "Content-Length: x\r\n\r\n",
    "bad chunk": "POST /login HTTP/1.1\r\n" + HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "large chunk": "POST /login HTTP/1.1\r\n" + HEAD + "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nxx",
    "half a body": "POST /login HTTP/1.1\r\n" + HEAD + "Content-Length: 100\r\n\r\nxx",
    "other encoding": "POST /login HTTP/1.1\r\n" + HEAD + "Transfer-Encoding: gzip\r\n\r\n",
    "binary path": b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    "binary head": "GET / HTTP/1.1\r\n" + HEAD + "X: \xff\xfe\r\n\r\n",
    "binary cookie": "GET /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: spinsync-{port}=\xff\xe9\r\n\r\n",
    "null": "GET /\0 HTTP/1.1\r\n\r\n",
    "folded": "GET / HTTP/1.1\r\n" + HEAD + "X: a\r\n b\r\n\r\n",
    "whole address": "GET http://evil/ HTTP/1.1\r\n" + HEAD + "\r\n",
    "star": "OPTIONS * HTTP/1.1\r\n" + HEAD + "\r\n",
    "tunnel": "CONNECT evil:80 HTTP/1.1\r\n" + HEAD + "\r\n",
    "expecting": "POST /login HTTP/1.1\r\n" + HEAD + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "pipelined": ("GET /health HTTP/1.1\r\n" + HEAD + "\r\n") * 50,
    "pipelined garbage": "GET /health HTTP/1.1\r\n" + HEAD + "\r\n\0\0\0\r\n\r\n",
    "other upgrade": "GET / HTTP/1.1\r\n" + HEAD + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "no key": UPGRADE.replace(KEY, "") + "\r\n",
    "bad key": UPGRADE.replace("dGhl", "\xff\xff") + "\r\n",
    "other version": UPGRADE.replace(": 13", ": 99") + "\r\n",
    "posted": UPGRADE.replace("GET", "POST") + "\r\n",
    "many heads of a socket": UPGRADE + "X: y\r\n" * 300 + "\r\n",
    "long head of a socket": UPGRADE + "X: " + "y" * 9000 + "\r\n\r\n",
    "binary head of a socket": UPGRADE + "X: \xff\xfe\r\n\r\n",
    "socket without a cookie": UPGRADE.replace("Cookie", "Kooky") + "\r\n",
    "socket elsewhere": UPGRADE.replace("/live", "/%00%ff") + "\r\n",
    "socket with a body": UPGRADE + "Content-Length: 5\r\n\r\nhello",
    "bad extension": UPGRADE + "Sec-WebSocket-Extensions: ;;;,=\r\n\r\n",
    "protocols": UPGRADE + "Sec-WebSocket-Protocol: a, \xff\r\n\r\n",
}
ODD_FRAMES = {
    "text that is none": frame(0x81, b"\xff\xfe\xfd"),
    "half a letter": frame(0x81, b"\xc3"),
    "bytes": frame(0x82, b"\0\1"),
    "empty": frame(0x81, b""),
    "not masked": b"\x81\x02hi",
    "reserved bits": frame(0xF1, b"hi"),
    "reserved code": frame(0x83, b"hi"),
    "reserved control": frame(0x8B, b"hi"),
    "continued nothing": frame(0x80, b"hi"),
    "begun twice": frame(0x01, b"a") + frame(0x01, b"b"),
    "never ended": frame(0x01, b"a") * 1,
    "pieces": frame(0x01, b"{") + frame(0x00, b"") * 50 + frame(0x80, b"}"),
    "bad pieces": frame(0x01, b"\xff") + frame(0x80, b"\xff"),
    "pieces of 8 kB": frame(0x01, b"x" * 3000) + frame(0x00, b"x" * 3000) + frame(0x80, b"x" * 3000),
    "announced 9 EB": bytes([0x81, 0xFF]) + struct.pack(">Q", 2**63 - 1) + MASK,
    "negative": bytes([0x81, 0xFF]) + b"\xff" * 8 + MASK,
    "half a frame": frame(0x81, b"hi", 50),
    "long ping": frame(0x89, b"x" * 126),
    "ping": frame(0x89, b"x"),
    "pong": frame(0x8A, b"x"),
    "ping in pieces": frame(0x09, b"x"),
    "closing": frame(0x88, b"\x03\xe8"),
    "closing badly": frame(0x88, b"\x00\x00"),
    "closing with a letter": frame(0x88, b"\x03"),
    "closing in no words": frame(0x88, b"\x03\xe8\xff"),
    "closing twice": frame(0x88, b"\x03\xe8") * 2,
    "after closing": frame(0x88, b"") + frame(0x81, b"{}"),
    "many": frame(0x81, b"{}") * 300,
    "garbage": bytes(range(256)) * 30,
    "deep": frame(0x81, b"[" * 4000),
    "not a number": frame(0x81, b'{"number": NaN, "page": "one", "values": {}}'),
    "huge": frame(0x81, b"9" * 4090),
    "a wish": frame(0x81, b'{"number": 1, "page": "one", "values": {}}'),
    "wishes": frame(0x81, b'{"number": 1, "page": "one", "values": {}}') * 100,
}


def test_nothing_that_is_sent_makes_it_talk():
    """Requests, handshakes and frames of all kinds, ended in three ways, and it goes on as if nothing had been."""
    with process() as started:
        filled = [
            piece
            if isinstance(piece, bytes)
            else piece.replace("{port}", str(started.port)).replace("{cookie}", started.cookie)
            for piece in ODD_REQUESTS.values()
        ]
        upgrade = (UPGRADE + "\r\n").replace("{port}", str(started.port)).replace("{cookie}", started.cookie).encode()
        for piece in filled:
            started.raw(piece)
        for piece in ODD_FRAMES.values():
            assert started.raw(upgrade).startswith(b"HTTP/1.1 101")
            started.raw(upgrade + piece)  # at once with the handshake
            opened(started, upgrade, piece)
        assert max(started.health() for _ in range(3)) < 1.0
        with page(started) as socket:  # and pages are served
            ask(socket)
            assert "panel" in socket.recv(5)
        assert started.end()[:2] == (0, "")


def opened(started, upgrade, piece):
    """Send a frame to an open page, and break off: politely, or with a reset while it answers."""
    for reset in (False, True):
        with socket.create_connection(("127.0.0.1", started.port), 10) as raw:
            raw.sendall(upgrade)
            raw.recv(4096)
            raw.sendall(piece)
            if reset:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                raw.settimeout(0.03)
                try:
                    while raw.recv(65536):
                        pass
                except (TimeoutError, ConnectionError):
                    pass


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(ss.InputError, match=r"^The explorer needs the package uvicorn, .*: pip install uvicorn\.$"):
        server.serve()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("explore --port 70000", "Argument `--port` must be from 0 to 65535, but is --port=70000."),
        ("explore --port x", "must be a whole number, but is 'x'"),
        ("explore --host 203.0.113.7", "must be an address of this machine that is free, but are 203.0.113.7 and 0"),
        ("explore --host no.such.host.invalid", "must be an address of this machine that is free"),
        ("explore --host " + "x" * 80, "must be an address of this machine that is free"),
        ("explore --host .", "must be an address of this machine that is free"),
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


@pytest.mark.parametrize(
    ("host", "begin"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:"), ("localhost", "http://127.0.0.1:")]
)
def test_the_address_leads_to_the_page(host, begin):
    try:
        with server.listening(host, 0) as listener:
            where = server.address(listener, "TOKEN", story=True)
    except ss.InputError:
        pytest.skip("no such address here")
    assert where.startswith(begin) or host == "localhost"
    assert where.endswith("/?access_token=TOKEN&page=story")
    assert "page" not in where.replace("&page=story", "")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat():
    """The process, after pages have come and gone; a page that is read badly stays as little as others."""
    with process() as started:
        levels = []
        for k in range(150):
            with page(started) as socket:
                ask(socket, 1, theta=k / 150)
                socket.recv(5)
            if k in (24, 149):
                time.sleep(0.3)
                levels.append(int(Path(f"/proc/{started.popen.pid}/statm").read_text(encoding="ascii").split()[1]))
                files = len(os.listdir(f"/proc/{started.popen.pid}/fd"))
        assert (levels[1] - levels[0]) * os.sysconf("SC_PAGE_SIZE") < 10 * 2**20
        assert files < 30
