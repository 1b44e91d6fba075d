"""Who is let in: by name, by origin, by size and by token; and what every answer tells the browser."""

import asyncio

import pytest

from spinsync.interfaces.explorer import gate
from stub_server import TOKEN, called

PORT = 2718
HOST = (b"host", b"127.0.0.1:2718")
COOKIE = (b"cookie", f"a=b; spinsync-{PORT}={TOKEN}; c=d".encode())


async def inner(scope, receive, send):
    """Answers "inside" and the body; a path of /fault fails before, /late after it has begun."""
    if scope["path"] == "/fault":
        raise KeyError("a fault\nof two lines")
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    body = (await receive())["body"]
    await gate.respond(send, 200, b"inside " + body)
    if scope["path"] == "/late":
        raise KeyError("late")


def door(delay=0.0):
    return gate.Gate(inner, gate.Lock(TOKEN, PORT, delay), gate.own_names("my.host"), PORT)


def call(path="/", *headers, kind="http", query="", body=b"", app=None, method="GET"):
    """Status, headers and body of the answer."""
    scope = {"type": kind, "method": method, "path": path, "query_string": query.encode(), "headers": list(headers)}
    said = asyncio.run(called(app or door(), scope, body))
    heads = {name.decode(): value.decode() for name, value in said[0].get("headers", [])}
    return said[0].get("status", said[0]["type"]), heads, said[-1].get("body", b"")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:2718", "[::1]:2718", "192.168.7.9:2718", "localhost:2718", "LOCALHOST:2718", "my.host:2718"]
)
def test_own_names_are_let_in(host):
    assert call("/", (b"host", host.encode()), COOKIE)[0] == 200


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "host",
    ["evil.example:2718", "127.0.0.1", "127.0.0.1:2719", "localhost", "", "127.0.0.1:2718.evil.example",
     "localhost.evil.example:2718",
     "127.0.0.1:2718:1", "[::1]", "[evil]:2718", "localhost:027180", "127.0.0.1:99999", "a b:2718", "\xe9:2718"],
)  # fmt: skip
def test_other_names_are_refused(host, kind):
    status, _, body = call("/live", (b"host", host.encode("latin-1")), COOKIE, kind=kind)
    assert status == 421
    assert body.endswith(b"goes by no other name.")


GOOD = f"http://127.0.0.1:{PORT}".encode()


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        (b"host", [HOST[1], b"evil"], 421),
        (b"origin", [GOOD, b"http://evil"], 403),
        (b"origin", [GOOD, GOOD], 403),
        (b"sec-fetch-site", [b"same-origin", b"cross-site"], 403),
        (b"content-length", [b"0", b"1000000"], 413),
        (b"cookie", [COOKIE[1], b"a=b"], 200),
    ],
)
def test_what_is_said_twice_is_believed_neither_time(name, values, status, turn):
    """But cookies may come in several headers."""
    others = [head for head in (HOST, COOKIE) if head[0] != name]
    assert call("/x", *others, *((name, value) for value in values[::turn]))[0] == status


def test_without_a_host_nobody_is_let_in():
    assert call("/", COOKIE)[0] == 421


def test_the_port_of_http_need_not_be_said():
    app = gate.Gate(inner, gate.Lock(TOKEN, 80), gate.own_names(""), 80)
    assert call("/", (b"host", b"localhost"), (b"cookie", f"spinsync-80={TOKEN}".encode()), app=app)[0] == 200


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "origin",
    ["http://elsewhere.example", "https://127.0.0.1:2718", "http://127.0.0.1:9999", "http://127.0.0.1", "null", "", "http://localhost:2718",
     "ws://127.0.0.1:2718", "http://127.0.0.1:2718/", "http://127.0.0.1:2718.evil.example"],
)  # fmt: skip
def test_other_pages_are_refused(origin, kind):
    assert call("/live", HOST, COOKIE, (b"origin", origin.encode()), kind=kind)[0] == 403


def test_the_page_itself_is_let_in():
    assert call("/x", HOST, COOKIE, (b"origin", b"http://127.0.0.1:2718"))[2] == b"inside "
    assert call("/live", HOST, COOKIE, (b"origin", b"http://127.0.0.1:2718"), kind="websocket")[0] == "websocket.accept"


@pytest.mark.parametrize(
    ("path", "site", "mode", "status"),
    [
        ("/", "cross-site", "navigate", 200),  # a link elsewhere, as in the terminal of JupyterLab
        ("/", "same-site", "no-cors", 403),  # an image of another port, to which the browser sends the cookie
        ("/picture/one/map.png", "same-site", "navigate", 403),
        ("/picture/one/map.png", "same-site", "no-cors", 403),
        ("/picture/one/map.png", "none", "navigate", 200),
        ("/picture/one/map.png", "same-origin", "no-cors", 200),
    ],
)
def test_only_the_page_may_be_a_link_elsewhere(path, site, mode, status):
    given = (b"sec-fetch-site", site.encode()), (b"sec-fetch-mode", mode.encode())
    assert call(path, HOST, COOKIE, *given)[0] == status


@pytest.mark.parametrize(
    ("path", "headers", "kind", "status"),
    [
        ("/x", (HOST, COOKIE), "http", 200), ("/x", (HOST,), "http", 401), ("/", (HOST,), "http", 303), ("/x", (), "http", 421),
        ("/x", (HOST, (b"content-length", b"5000")), "http", 413), ("/fault", (HOST, COOKIE), "http", 500),
        ("/health", (HOST,), "http", 200), ("/live", (HOST,), "websocket", 401), ("/health", (HOST,), "websocket", 401),
        ("/other", (HOST, COOKIE), "websocket", 404), ("/live", (HOST, COOKIE), "websocket", "websocket.accept"),
    ],
)  # fmt: skip
def test_every_answer_tells_the_browser_to_stay_here(path, headers, kind, status, capsys):
    found, heads, _ = call(path, *headers, kind=kind)
    assert found == status
    assert heads["content-security-policy"] == gate.POLICY
    assert "unsafe" not in gate.POLICY
    assert "data:" not in gate.POLICY
    assert "*" not in gate.POLICY
    assert heads["x-content-type-options"] == "nosniff"
    assert heads["referrer-policy"] == "no-referrer"
    assert heads["cross-origin-opener-policy"] == heads["cross-origin-resource-policy"] == "same-origin"
    assert heads["cache-control"] == "no-store"


def test_a_fault_is_one_line_and_an_answer(capsys):
    status, _, body = call("/fault", HOST, COOKIE)
    assert (status, body) == (500, b"Something went wrong here.")
    assert capsys.readouterr().err == "spinsync explorer: KeyError in '/fault': 'a fault\\nof two lines'\n"
    assert call("/late", HOST, COOKIE)[0] == 200
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("path", ["/live", "/other"])
def test_who_leaves_before_the_answer_is_no_fault(path, capsys):
    async def gone(message):
        raise ConnectionResetError

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [HOST, COOKIE]}
    asyncio.run(door()(scope, receive, gone))
    assert capsys.readouterr().err == ""


def test_the_right_token_sets_the_cookie_of_this_port_and_leaves_the_address():
    status, heads, _ = call("/", HOST, query=f"access_token={TOKEN}&page=story&V=3.2")
    assert (status, heads["location"]) == (303, "/?page=story&V=3.2")
    assert heads["set-cookie"] == f"spinsync-{PORT}={TOKEN}; HttpOnly; SameSite=Lax; Path=/"


def test_two_explorers_do_not_throw_each_other_out():
    """Browsers send the cookies of all ports of a host."""
    both = (b"cookie", f"spinsync-1={'x' * 32}; spinsync-{PORT}={TOKEN}; spinsync-3=y".encode())
    assert call("/x", HOST, both)[0] == 200
    assert gate.Lock("t", 1).cookie != gate.Lock("t", 2).cookie


@pytest.mark.parametrize("given", ["", "x", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "\u00e9", "%00", "\udc80"])
def test_a_wrong_token_opens_nothing(given):
    lock = gate.Lock(TOKEN, PORT)
    assert not lock.fits(given)
    assert lock.fits(TOKEN)


@pytest.mark.parametrize("path", ["/", "/x", "/live"])
def test_a_token_in_the_address_opens_only_the_page(path):
    status, heads, _ = call(path, HOST, query=f"access_token={TOKEN}")
    assert (status == 303) == (path == "/")
    assert ("set-cookie" in heads) == (path == "/")


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("page=two&V=3.2&theta_cross=-0.38&alike=1", "?page=two&V=3.2&theta_cross=-0.38&alike=1"),
        ("next=///evil&next=http://evil.example&a=/b&c=%0d%0aSet-Cookie:x", ""),
        ("access_token=abc&token=abc&page=one", "?page=one"),
        ("page=one#x&V=3&__proto__=1", "?V=3&__proto__=1"),
        ("%0d%0a=1&=1&V", ""),
        ("&" * 1000, ""), ("V=1&" * 70, ""), ("V=" + "1" * 2000, ""), ("", ""), ("\xff\xfe", ""),
    ],
)  # fmt: skip
def test_what_is_kept_of_an_address_leads_nowhere_else(query, left):
    assert gate.kept(query) == left
    status, heads, _ = call("/", HOST, query=query.encode("utf-8").decode("latin-1"))
    assert (status, heads.get("location")) in [(303, "/login" + left), (401, None)]  # 401: there was a wrong token


async def _at_once(app, count, **extra):
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"access_token=wrong", "headers": [HOST]} | extra
    wrong = [asyncio.create_task(called(app, dict(scope))) for _ in range(count)]
    await asyncio.sleep(0)
    begin = asyncio.get_running_loop().time()
    right = await called(app, scope | {"path": "/", "query_string": f"access_token={TOKEN}".encode(), "headers": [HOST]})
    fast = asyncio.get_running_loop().time() - begin
    statuses = [said[0]["status"] for said in await asyncio.gather(*wrong)]
    return statuses, asyncio.get_running_loop().time() - begin, right[0]["status"], fast


@pytest.mark.parametrize(
    "extra", [{}, {"query_string": b"", "path": "/x", "headers": [HOST, (b"cookie", b"spinsync-2718=wrong")]}]
)
def test_wrong_tokens_wait_and_the_right_one_does_not(extra, capsys):
    statuses, lasted, right, fast = asyncio.run(_at_once(door(0.5), 300, **extra))
    assert statuses.count(401) == gate.WAITING
    assert statuses.count(429) == 300 - gate.WAITING
    assert lasted >= 0.49
    assert (right, fast < 0.3) == (303, True)
    assert capsys.readouterr().err == ""


def test_a_cookie_of_an_earlier_server_leads_to_the_form():
    status, heads, _ = call("/", HOST, (b"cookie", b"spinsync-2718=old"), query="page=two")
    assert (status, heads["location"]) == (303, "/login?page=two")


@pytest.mark.parametrize("length", [b"4097", b"100000000", b"1" * 30, b"-1", b"x", b"", b"\xb2"])
def test_large_bodies_are_refused_before_they_are_read(length):
    async def never():
        raise AssertionError("the body was read")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "query_string": b"",
        "headers": [HOST, (b"content-length", length)],
    }
    said = []

    async def send(message):
        said.append(message)

    asyncio.run(door()(scope, never, send))
    assert said[0]["status"] == 413
    assert (b"connection", b"close") in said[0]["headers"]


@pytest.mark.parametrize(("size", "status"), [(4096, 200), (4097, 413)])
def test_bodies_of_unknown_length_are_counted(size, status):
    found, _, body = call("/login", HOST, (b"transfer-encoding", b"chunked"), body=b"x" * size, method="POST")
    assert found == status
    assert body == (b"inside " + b"x" * size if status == 200 else b"A request has at most 4096 bytes.")


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    async def slow():
        await asyncio.sleep(10)

    said = []

    async def send(message):
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "query_string": b"",
        "headers": [HOST, (b"content-length", b"9")],
    }
    asyncio.run(door()(scope, slow, send))
    assert said[0]["status"] == 408
