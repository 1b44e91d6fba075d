"""The wishes of open pages: newer ones replace older ones, pages take turns, and nothing is left when one closes."""

import gc
import json
import os
import struct
import threading
import time
import weakref

import pytest

from spinsync.base.interrupts import check_interrupt
from spinsync.interfaces.explorer import sessions
from stub_server import Made, Step, View, answers, ask, closed, merged, page, running, until, words


@pytest.fixture(scope="module")
def explorer():
    with running() as explorer:
        yield explorer


def test_a_newer_wish_replaces_what_is_computed():
    view = View(pieces=50, pause=0.1)
    with running({"one": view}) as explorer, page(explorer) as socket:
        ask(socket, 1)
        while not merged([json.loads(socket.recv(10))], "map", "figure"):
            pass
        begin = time.perf_counter()
        ask(socket, 2, V=4.0, theta=0.5)
        while json.loads(socket.recv(10)).get("parts", {}).get("words") != {"text": "V = 4"}:
            pass
        assert time.perf_counter() - begin < 1.0  # not the 5 seconds of the older one
        view.pieces = 1
        ask(socket, 3, V=4.2)
        assert merged(answers(socket, 3), "words", "text")[-1] == "V = 4.2"


def test_a_moving_slider_always_gets_words():
    """Wishes faster than their words: the words of some are finished, and nothing piles up."""
    slow = Made(Step("the words", lambda: (time.sleep(0.1), words("here")())[1]), Step("the map", words("there")))
    with running({"one": slow}) as explorer, page(explorer) as socket:
        for number in range(1, 41):
            ask(socket, number)
            time.sleep(0.02)
        said = answers(socket, 40)
        started = {m["number"] for m in said}
    assert 5 <= merged(said, "words", "text").count("here") <= 15
    assert len(started) <= 16
    assert [m["number"] for m in said] == sorted(m["number"] for m in said)


def test_a_picture_that_was_left_half_done_is_drawn_again():
    """Otherwise a page that goes back to its values before would keep the coarse picture of other values."""
    view = View(pieces=3, pause=0.15)
    with running({"one": view}) as explorer, page(explorer) as socket:
        ask(socket, 1, theta=0.5)
        answers(socket, 1)
        ask(socket, 2, theta=0.6)
        while not merged([json.loads(socket.recv(10))], "map", "figure"):
            pass
        ask(socket, 3, theta=0.5)
        said = [m for m in answers(socket, 3) if m["number"] == 3]
        assert [figure["piece"] for figure in merged(said, "map", "figure")] == [0, 1, 2]


def test_a_computation_that_nobody_waits_for_is_cancelled():
    ended = threading.Event()

    def long():
        try:
            while True:
                check_interrupt()
                time.sleep(0.01)
        finally:
            ended.set()

    view = Made(Step("the words", words("a")), Step("the map", long))
    with running({"one": view}) as explorer:
        with page(explorer) as socket:
            ask(socket, 1)
            assert merged([json.loads(socket.recv(10)) for _ in range(2)], "words", "text") == ["a"]
            time.sleep(0.3)
            assert not ended.is_set()
            ask(socket, 2)
            assert ended.wait(5)  # by a newer wish
            ended.clear()
            time.sleep(0.3)
        assert ended.wait(5)  # by the end of the page
        until(lambda: explorer.workers._active == 0)


def test_it_is_said_what_takes_long(monkeypatch):
    view = Made(*(Step("the map", lambda: (time.sleep(1.4), {})[1]) for _ in range(2)), Step("the rest", words("b")))
    with running({"one": view}) as explorer, page(explorer) as socket:
        ask(socket, 1)
        first = merged(answers(socket, 1), "status", "text")
        ask(socket, 2)
        second = merged(answers(socket, 2), "status", "text")
        monkeypatch.setattr(sessions, "ALIVE", 0.6)
        ask(socket, 3)
        third = merged(answers(socket, 3), "status", "text")
    prepared = "Preparing the map: its code is compiled once on this machine, some seconds."
    assert first == ["Computing the map…", prepared, "Computing the map…", ""]
    assert second == ["Computing the map…", ""]
    assert third[:3] == ["Computing the map…"] * 3  # now and then again, so that the page knows that somebody is there
    assert third[-1] == ""


def test_quick_steps_say_nothing(explorer):
    with page(explorer) as socket:
        ask(socket, 1)
        assert merged(answers(socket), "status", "text") == []


def test_a_wish_waits_for_the_physics(monkeypatch):
    monkeypatch.setattr(sessions, "ALIVE", 0.3)
    with running(load=False) as explorer, page(explorer) as socket:
        ask(socket, 1, V=4)
        assert json.loads(socket.recv(5))["parts"] == {"status": {"text": sessions.LOADING}}
        ask(socket, 2, V=4.2)
        threading.Timer(0.5, explorer.load).start()
        said = answers(socket, 2)
    assert merged(said, "status", "text")[-1] == ""
    assert merged(said, "words", "text") == ["V = 4.2"]


def test_physics_that_cannot_be_loaded_is_a_sentence(capfd):
    def broken():
        raise ImportError("no such module")

    with running(load=False) as explorer, page(explorer) as socket:
        object.__setattr__(explorer.content, "views", broken)
        explorer.load()
        ask(socket)
        assert json.loads(socket.recv(5))["parts"]["words"]["text"] == sessions.WRONG
    assert "no such module" in capfd.readouterr().err


def test_pages_take_turns_and_words_do_not_wait():
    """Every slow thread is busy for long, and yet words come at once; many slow pages share the threads evenly."""
    view = View(pieces=3, pause=0.5)
    with running({"one": view}) as explorer:
        pages = [page(explorer) for _ in range(8)]
        sockets = [p.__enter__() for p in pages]
        for socket in sockets:
            ask(socket, 1)
        time.sleep(0.2)
        with page(explorer) as late:
            begin = time.perf_counter()
            ask(late, 1)
            assert merged([json.loads(late.recv(10)) for _ in range(2)], "words", "text") == ["V = 3"]
            assert time.perf_counter() - begin < 0.5
        ends = []
        for socket in sockets:
            answers(socket)
            ends.append(time.perf_counter())
        assert ends[-1] - ends[0] < 2.5  # all end at about the same time, though all need some seconds
        for p in pages:
            p.__exit__(None, None, None)


def test_no_more_than_32_pages():
    with running() as explorer:
        pages = [page(explorer) for _ in range(60)]
        sockets = [p.__enter__() for p in pages]
        for socket in sockets[:32]:
            ask(socket)
        for socket in sockets[32:]:
            assert closed(socket) == (1013, sessions.FULL)
        for socket in sockets[:32]:
            assert answers(socket)[-1]["done"]
        assert explorer.sessions.open == 32
        for p in pages:
            p.__exit__(None, None, None)
        until(lambda: explorer.sessions.open == 0)
        with page(explorer) as socket:
            ask(socket)
            assert answers(socket)[-1]["done"]


def test_a_page_that_reads_nothing_keeps_no_more_than_one_message(monkeypatch):
    monkeypatch.setattr(sessions, "UNREAD", 1.0)
    counted = Counted({"map": {"figure": "x" * 900_000}})
    with running({"one": Made(*[Step("the map", counted)] * 200)}) as explorer, page(explorer, max_queue=1) as socket:
        ask(socket)
        until(lambda: counted.count > 1)
        assert explorer.sessions.open == 1
        until(lambda: explorer.sessions.open == 0)  # it is given up
        assert counted.count < 40  # what the system's buffers hold
        socket.socket.close()


class Counted:
    def __init__(self, result):
        self.result, self.count = result, 0

    def __call__(self):
        self.count += 1
        return self.result


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_of_a_page_stays(monkeypatch):
    """200 pages are opened, used and closed in all ways: no session, thread or connection is left."""
    made = weakref.WeakSet()
    original = sessions.Session.__init__
    monkeypatch.setattr(sessions.Session, "__init__", lambda self, *given: (made.add(self), original(self, *given))[1])
    with running({"one": View(pieces=2, pause=0.001)}) as explorer:
        counts = []
        for k in range(200):
            with page(explorer) as socket:
                ask(socket, 1, V=1.0, theta=k / 200)
                if k % 4:
                    answers(socket)
                if k % 4 == 1:
                    socket.send("malformed")
                elif k % 4 == 2:  # it is gone without a word, in the middle of an answer
                    ask(socket, 2, theta=-0.5)
                    socket.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))
                    socket.socket.close()
            if k in (24, 199):
                until(lambda: explorer.sessions.open == 0)
                gc.collect()
                until(lambda: not made)
                counts.append((threading.active_count(), len(gc.get_objects())))
        assert explorer.workers._active == 0
    (threads, objects), (more_threads, more_objects) = counts
    assert more_threads <= threads + 4  # those of the pools, which are made as they are needed
    assert more_objects < objects + 2000
