"""What the server answers: each route with and without the token, malformed and too large."""

import json
import re
import socket
import threading
import time
from contextlib import suppress

import pytest

from single_requests import ask
from spinsync.interfaces.explorer import gate, routes, sessions
from stub_server import TOKEN, content, running

HANDSHAKE = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def explorer():
    with running() as explorer:
        yield explorer


ROUTES = [  # method, path, status with the token, without it, with a wrong cookie
    ("GET", "/", 200, 303, 303),
    ("GET", "/assets/main.js", 200, 401, 401),
    ("GET", "/picture/one/map.pdf", 200, 401, 401),
    ("GET", "/picture/one/map.png?V=4", 200, 401, 401),
    ("GET", "/data/one.zarr.zip", 200, 401, 401),
    ("GET", "/health", 200, 200, 200),
    ("GET", "/login", 200, 200, 200),
    ("POST", "/login", 401, 401, 401),  # a form without a token
    ("GET", "/live", 404, 401, 401),  # without a handshake
    ("GET", "/anything", 404, 401, 401),
]


@pytest.mark.parametrize(("method", "path", "inside", "outside", "wrong"), ROUTES)
def test_each_route_asks_for_the_token(explorer, method, path, inside, outside, wrong):
    found = [ask(explorer, path, method, inside=token).status for token in (True, False, "wrong")]
    assert found == [inside, outside, wrong]
    assert "Set-Cookie" not in str(ask(explorer, path, method).headers)


@pytest.mark.parametrize(("method", "path", "inside", "outside", "wrong"), ROUTES)
def test_each_answer_is_as_strict(explorer, method, path, inside, outside, wrong):
    for token in (True, False, "wrong"):
        heads = ask(explorer, path, method, inside=token).headers
        assert heads["Content-Security-Policy"] == gate.POLICY
        assert heads["X-Content-Type-Options"] == "nosniff"
        assert heads["Referrer-Policy"] == ("same-origin" if path == "/login" else "no-referrer")
        assert heads["Cross-Origin-Opener-Policy"] == heads["Cross-Origin-Resource-Policy"] == "same-origin"
        assert heads["Cache-Control"] in ("no-store", "no-cache")
        assert "server" not in {name.lower() for name in heads}


@pytest.mark.parametrize(("method", "path"), [row[:2] for row in ROUTES])
def test_each_route_limits_what_is_sent(explorer, method, path):
    assert ask(explorer, path, method, b"x" * 4097).status == 413
    assert ask(explorer, path, method, b"x" * 4097, inside=False).status == 413
    assert ask(explorer, path, method, iter([b"x" * 3000] * 2), Transfer_Encoding="chunked").status == 413
    with socket.create_connection(("127.0.0.1", explorer.port), 20) as raw:  # 100 MB are announced and never read
        raw.sendall(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{explorer.port}\r\nContent-Length: 100000000\r\n\r\n".encode()
        )
        raw.sendall(b"x" * 100)
        assert raw.makefile("rb").read().startswith(b"HTTP/1.1 413 ")  # to the end: it closes


@pytest.mark.parametrize(("method", "path"), [row[:2] for row in ROUTES])
def test_each_route_is_for_this_name_and_this_page(explorer, method, path):
    assert ask(explorer, path, method, Host=f"evil.example:{explorer.port}").status == 421
    assert ask(explorer, path, method, Origin="http://evil.example").status == 403
    assert ask(explorer, path, method, Origin=f"https://127.0.0.1:{explorer.port}").status == 403
    assert ask(explorer, path, method, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403


@pytest.mark.parametrize("path", ["/", "/assets/main.js", "/health", "/login", "/picture/one/map.pdf"])
def test_head_is_answered_where_get_is(explorer, path):
    answer = ask(explorer, path, "HEAD")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["Content-Length"] == ask(explorer, path).headers["Content-Length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "FOO"])
@pytest.mark.parametrize("path", ["/", "/assets/main.js", "/health", "/picture/one/map.pdf", "/data/one.zarr.zip"])
def test_other_methods_are_none(explorer, path, method):
    assert ask(explorer, path, method).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/@file/64-NAME", "/sse?session_id=s_x", "/ws_sync", "/ws", "/api/version", "/api/home/workspace_files",
        "/og/thumbnail", "/api/export/html", "/assets", "/assets/", "/assets/index.html", "/assets/nothing.js",
        "/assets/MAIN.JS", "/assets/main.js/",
        "/assets/../server.py", "/assets/..%2fserver.py", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/%2fetc%2fpasswd",
        "/assets//etc/passwd", "/assets/main.js%00", "/assets/%ff", "//evil.example/", "/index.html",
        "/robots.txt", "/%00", "/live/",
        "/picture/one", "/picture/nopage/map.pdf", "/picture/one/nothing.pdf", "/picture/one/map.svg", "/picture/one/map",
        "/picture/one/.pdf", "/picture/one/map.pdf/", "/picture/one/__class__.pdf", "/data/one.zip", "/data/nopage.zarr.zip",
        "/data/", "/data/one.zarr.zip/x", "/login/", "/health/",
    ],
)  # fmt: skip
def test_everything_else_is_nothing(explorer, path):
    answer = ask(explorer, path)
    assert answer.status == 404
    assert len(answer.text) < 100
    assert ask(explorer, path, inside=False).status == 401


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/live", {}, 401), ("/live", {"Cookie": "spinsync-{port}=wrong"}, 401), ("/live", {"Cookie": "{cookie}"}, 101),
        ("/other", {"Cookie": "{cookie}"}, 404), ("/assets/main.js", {"Cookie": "{cookie}"}, 404), ("/other", {}, 401),
        ("/live", {"Cookie": "{cookie}", "Origin": "http://evil.example"}, 403),
        ("/live", {"Cookie": "{cookie}", "Origin": "null"}, 403),
        ("/live", {"Cookie": "{cookie}", "Origin": "http://127.0.0.1:{port}"}, 101),
        ("/live", {"Cookie": "{cookie}", "Host": "evil.example:{port}"}, 421),
        ("/live", {"Cookie": "{cookie}", "Sec-WebSocket-Version": "12"}, 400),
        ("/live", {"Cookie": "{cookie}", "Sec-WebSocket-Key": "short"}, 400),
    ],
)  # fmt: skip
def test_handshakes(explorer, path, headers, status):
    filled = {name: value.format(port=explorer.port, cookie=explorer.cookie) for name, value in headers.items()}
    answer = ask_raw(explorer, path, HANDSHAKE | filled)
    assert int(answer.split()[1]) == status
    if status in (101, 401, 403, 404, 421):  # what the package of web sockets refuses comes to nobody's eyes
        assert f"content-security-policy: {gate.POLICY}" in answer


def ask_raw(explorer, path, headers):
    """The head of the answer."""
    heads = {"Host": f"127.0.0.1:{explorer.port}"} | headers
    with socket.create_connection(("127.0.0.1", explorer.port), 20) as raw:
        raw.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in heads.items()) + "\r\n").encode())
        return raw.recv(65536).decode()


def test_the_page_holds_its_catalogue(explorer):
    answer = ask(explorer, "/")
    found = re.search(r'<script type="application/json" id="catalogue">(.*?)</script>$', answer.text)
    assert "<" not in found[1]
    assert json.loads(found[1]) == explorer.content.catalogue()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "kind"), [("main.js", "text/javascript"), ("look.css", "text/css"), ("icon.svg", "image/svg+xml")]
)
def test_assets_have_their_types(explorer, name, kind):
    answer = ask(explorer, f"/assets/{name}")
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.text == explorer.content.files()[name]


def test_files_are_read_once(explorer, monkeypatch):
    monkeypatch.setattr(routes.Path, "read_text", lambda *_, **__: pytest.fail("the disk was read"))
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("a file was opened"))
    assert ask(explorer, "/assets/main.js").status == 200


@pytest.mark.parametrize(("open_pages", "status"), [(sessions.LARGEST - 1, 200), (sessions.LARGEST, 503)])
def test_a_full_server_says_so(explorer, open_pages, status, monkeypatch):
    monkeypatch.setattr(explorer.sessions, "open", open_pages)
    answer = ask(explorer, "/")
    assert answer.status == status
    assert (answer.text == "spinsync explore serves 32 pages at once; close one and load this page again.") == (status == 503)
    assert ask(explorer, "/assets/main.js").status == ask(explorer, "/health").status == 200  # pages that are open go on


def test_the_form_lets_in_with_the_token_only(explorer):
    assert (
        '<form method="post" action="/login?page=two&amp;V=3.2">'
        in ask(explorer, "/login?page=two&V=3.2&x=<b>", inside=False).text
    )
    answer = ask(explorer, "/login?page=two&next=///evil", "POST", f"token={TOKEN}", inside=False, **FORM)
    assert (answer.status, answer.headers["Location"]) == (303, "/?page=two")
    assert answer.headers["Set-Cookie"] == f"{explorer.cookie}; HttpOnly; SameSite=Lax; Path=/"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("token=wrong", 401), ("token=", 401), ("", 401), ("TOKEN=" + TOKEN, 401), (b"\xff\xfe\0", 401), ("&" * 900, 401),
        ("token=%00%ff", 401),
        ("{" * 500, 401), ("token=" + "x" * 1018, 401), ("token=" + "x" * 1019, 413),
    ],
)  # fmt: skip
def test_the_form_refuses_all_else(explorer, body, status):
    answer = ask(explorer, "/login?next=///evil", "POST", body, inside=False, **FORM)
    assert answer.status == status
    assert answer.headers["Set-Cookie"] is answer.headers["Location"] is None
    assert ("This is not the token" in answer.text) == (status == 401)


def test_hundreds_of_wrong_passwords_are_braked(explorer, capfd, monkeypatch):
    monkeypatch.setattr(explorer.lock, "delay", 0.6)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(explorer, "/login", "POST", "token=no", inside=False, **FORM).status))
        for _ in range(300)
    ]
    for thread in threads:
        thread.start()
    begin = time.perf_counter()
    right = ask(explorer, "/login", "POST", f"token={TOKEN}", inside=False, **FORM)
    lasted = time.perf_counter() - begin
    for thread in threads:
        thread.join()
    assert right.status == 303  # and nothing delays it but the crowd itself
    assert lasted < 5
    assert set(found) == {401, 429}
    assert found.count(429) > 200
    assert capfd.readouterr().err == ""


def test_long_addresses_are_refused(explorer):
    assert ask(explorer, "/picture/one/map.pdf?V=" + "1" * 2048).status == 414
    assert ask(explorer, "/data/one.zarr.zip?V=" + "1" * 2048).status == 414
    assert ask(explorer, "/?" + "1" * 20000).status == 414
    with suppress(ConnectionError):  # it may close before all is sent
        assert ask(explorer, "/" + "1" * 200000).status == 400


def test_the_page_is_there_before_the_physics():
    with running(load=False) as explorer:
        assert ask(explorer, "/").status == ask(explorer, "/health").status == 200
        threading.Timer(0.2, explorer.load).start()
        assert ask(explorer, "/data/one.zarr.zip").status == 200  # waits for it


def test_the_server_itself_knows_no_physics():
    """What it imports is small, so that it listens at once."""
    import subprocess
    import sys

    code = "import sys, spinsync.interfaces.explorer.routes, spinsync.interfaces.explorer.server; print(*sorted(sys.modules))"
    known = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "xarray", "matplotlib", "anywidget", "marimo", "zmq"} & set(known)


def test_the_files_of_the_page_are_found():
    files = routes.page_files()
    assert {"index.html", "main.js", "sphere.js", "model.js"} <= set(files)
    assert files["index.html"].count(routes.MARK) == 1
    assert "export" in files["sphere.js"]
    assert content().files()
