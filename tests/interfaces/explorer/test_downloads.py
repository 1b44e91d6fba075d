"""What is downloaded from the server: pictures and data of the values in the address, two at once."""

import socket
import threading
import time

import pytest

from single_requests import ask
from spinsync.base.interrupts import CancelledError, check_interrupt
from spinsync.interfaces.explorer import routes, workers
from stub_server import View, running


@pytest.fixture(scope="module")
def explorer():
    with running() as explorer:
        yield explorer


@pytest.mark.parametrize(
    ("query", "name", "values"),
    [
        ("", "map", {"V": 3.0, "theta": -0.38, "alike": 1.0}),
        ("?V=4&theta=-0.5", "map-V4-theta-0.5", {"V": 4.0, "theta": -0.5, "alike": 1.0}),
        ("?V=99&alike=0", "map-V5-alike0", {"V": 5.0, "theta": -0.38, "alike": 0.0}),
        ("?V=nan&theta=x&alike=", "map", {"V": 3.0, "theta": -0.38, "alike": 1.0}),
        ("?V=1e999&theta=-1e999&W=7&__class__=1", "map", {"V": 3.0, "theta": -0.38, "alike": 1.0}),
        ("?V=1&V=2", "map-V2", {"V": 2.0, "theta": -0.38, "alike": 1.0}),
        ("?V=" + "9" * 400, "map", {"V": 3.0, "theta": -0.38, "alike": 1.0}),
        ("?%ff&&&=%00", "map", {"V": 3.0, "theta": -0.38, "alike": 1.0}),
    ],
)
def test_a_picture_is_that_of_the_address(explorer, query, name, values):
    for kind, media in routes.PICTURES.items():
        answer = ask(explorer, f"/picture/one/map.{kind}{query}")
        assert answer.text == f"{kind} {('figure', values)}"
        assert answer.headers["Content-Type"] == media
        assert answer.headers["Content-Disposition"] == f'attachment; filename="spinsync-one-ensemble-{name}.{kind}"'
    data = ask(explorer, f"/data/one.zarr.zip{query}")
    assert data.text == str(("data", values))
    assert data.headers["Content-Type"] == "application/zip"
    assert f'"spinsync-one-ensemble{name[3:]}.zarr.zip"' in data.headers["Content-Disposition"]


def test_a_picture_without_an_answer_is_a_sentence(explorer, capfd):
    answer = ask(explorer, "/picture/one/none.png")
    assert (answer.status, answer.text) == (422, "No answer here. No figure <here>.")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert capfd.readouterr().err == ""


class Slow(View):
    """Counts how many downloads are computed at once; one picture has a fault."""

    def __init__(self):
        super().__init__()
        self.now, self.most, self.lock = 0, 0, threading.Lock()
        self.pictures = {"slow": self.slow, "fault": lambda values: {}["a key\nand more"]}

    def slow(self, values):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        with self.lock:
            self.now -= 1


def test_two_downloads_are_computed_at_once_and_the_rest_wait(capfd):
    view, found = Slow(), []
    with running({"one": view}) as explorer:
        threads = [
            threading.Thread(target=lambda: found.append(ask(explorer, "/picture/one/slow.pdf").status)) for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [200] * 10
        assert view.most == 2
        assert ask(explorer, "/picture/one/fault.pdf").status == 500
        assert capfd.readouterr().err == "spinsync explorer: KeyError in spinsync-one-ensemble-fault.pdf: 'a key\\nand more'\n"
        explorer.waiting = routes.LARGEST_QUEUE
        assert ask(explorer, "/picture/one/slow.pdf").status == 503


def test_a_download_that_nobody_waits_for_is_not_computed():
    """What runs is cancelled, what waits is not begun, or soon cancelled too."""
    begun, cancelled = [], []

    def slow(values):
        begun.append(values)
        for _ in range(100):
            time.sleep(0.1)
            try:
                check_interrupt()
            except CancelledError:
                cancelled.append(values)
                raise

    view = View()
    view.pictures = {"map": slow}
    with running({"one": view}) as explorer:
        head = f"Host: 127.0.0.1:{explorer.port}\r\nCookie: {explorer.cookie}\r\n"
        for _ in range(6):
            with socket.create_connection(("127.0.0.1", explorer.port), 10) as raw:
                raw.sendall(f"GET /picture/one/map.png HTTP/1.1\r\n{head}\r\n".encode())
                time.sleep(0.05)
        time.sleep(2.0)
        assert workers.DOWNLOADS <= len(begun) == len(cancelled)
        assert explorer.waiting == 0
