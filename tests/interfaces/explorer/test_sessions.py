"""An open page: answers step by step, newer wishes, errors as sentences, fairness, and nothing left when it closes."""

import gc
import json
import os
import struct
import threading
import time
import weakref

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

import spinsync as ss
from spinsync.base.interrupts import check_interrupt
from spinsync.interfaces.explorer import sessions
from stub_server import Step, View, answers, ask, page, running


def merged(said, part, trait):
    """All values that a trait was given, in order."""
    return [m["parts"][part][trait] for m in said if trait in m.get("parts", {}).get(part, {})]


def closed(socket, timeout=10):
    """Code and reason with which the server closes."""
    try:
        while True:
            socket.recv(timeout)
    except ConnectionClosed as end:
        return end.rcvd.code, end.rcvd.reason


def until(condition, seconds=10.0):
    """Wait for what happens soon."""
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def explorer():
    with running() as explorer:
        yield explorer


def test_a_wish_is_answered_in_pieces(explorer):
    with page(explorer) as socket:
        ask(socket, 7, V=3.2)
        said = answers(socket, 7)
    assert {(m["number"], m["page"]) for m in said} == {(7, "one")}
    assert said[0]["parts"] == {"panel": {"values": {"V": 3.2, "theta": -0.38, "alike": 1.0}, "said": ""}}
    assert said[1]["parts"]["words"] == {"text": "V = 3.2"}
    assert [figure["piece"] for figure in merged(said, "map", "figure")] == [0, 1]
    assert merged(said, "map", "busy") == [True, True, False]
    assert merged(said, "map", "figure")[0]["lines"] == [{"x": [0.0, None], "y": {"base64": "AAE="}}]
    assert said[-1] == {"number": 7, "page": "one", "done": True}


def test_what_stands_is_not_drawn_again(explorer):
    with page(explorer) as socket:
        ask(socket, 1)
        assert len(merged(answers(socket, 1), "map", "figure")) == 2
        ask(socket, 2, V=4)  # the same map
        assert merged(answers(socket, 2), "map", "figure") == []
        ask(socket, 3, theta=0.5)  # another
        assert len(merged(answers(socket, 3), "map", "figure")) == 2


def test_each_page_has_a_state_of_its_own(explorer):
    """What one visitor sets, no message of another can reach: a session is its connection, and has no name."""
    with page(explorer) as first, page(explorer) as second:
        ask(first, 1, V=4.0)
        assert merged(answers(first), "words", "text") == ["V = 4"]
        ask(second, 1, theta=0.1)
        said = answers(second)
        assert merged(said, "words", "text") == ["V = 3"]
        assert len(merged(said, "map", "figure")) == 2  # nothing of the other's pictures is taken for its own
        ask(first, 2, theta=0.2)
        assert merged(answers(first, 2), "panel", "values") == [{"V": 4.0, "theta": 0.2, "alike": 1.0}]


@pytest.mark.parametrize(
    ("asked", "values", "said"),
    [
        ({"V": 9}, {"V": 5.0}, "coupling: 9 is outside 0 to 5; 5 is used."),
        ({"V": "3"}, {"V": 3.0}, "coupling must be a number."),
        ({"V": None}, {"V": 3.0}, "coupling must be a number."),
        ({"V": [1] * 100}, {"V": 3.0}, "coupling must be a number."),
        ({"V": {"V": 1}}, {"V": 3.0}, "coupling must be a number."),
        ({"V": True}, {"V": 3.0}, "coupling must be a number."),
        ({"V": 10**400}, {"V": 3.0}, "coupling must be a number."),
        ({"V": 1e6}, {"V": 5.0}, "coupling: 1e+06 is outside 0 to 5; 5 is used."),
        ({"W": 1, "__class__": 2}, {"V": 3.0}, ""),
        ({f"x{k}": k for k in range(300)}, {"V": 3.0}, ""),
    ],
)
def test_values_are_checked(explorer, asked, values, said):
    with page(explorer) as socket:
        ask(socket, 1, **asked)
        panel = answers(socket)[0]["parts"]["panel"]
    assert panel["values"] == {"V": 3.0, "theta": -0.38, "alike": 1.0} | values
    assert panel["said"] == said


def test_what_is_no_number_stays_as_it_was(explorer):
    with page(explorer) as socket:
        ask(socket, 1, V=4)
        answers(socket)
        ask(socket, 2, V="x")
        assert merged(answers(socket, 2), "panel", "values")[0]["V"] == 4


WISH = '{"number": 1, "page": "one", "values": {}}'


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "{", "null", "[]", "1", '"x"', "{}", '{"number": 1, "page": "one"}', WISH[:-1] + ', "more": 1}',
        WISH.replace("1", "1.5"), WISH.replace("1", "true"), WISH.replace("1", '"1"'), WISH.replace("1", "9" * 30),
        WISH.replace("1", "NaN"), WISH.replace("1", "1e999"), WISH.replace('"one"', "1"), WISH.replace('"one"', "null"),
        WISH.replace("{}", "[]"), WISH.replace("{}", "1"), WISH.replace("{}", '{"V": NaN}'),
        WISH.replace("{}", '{"V": -Infinity}'), WISH.replace("{}", '{"V": ' + "9" * 4040 + "}"), "[" * 4000,
        '{"a":' * 700, "\u00e9" * 2000, WISH + WISH,
    ],
)  # fmt: skip
def test_malformed_messages_close_the_page_with_a_sentence(explorer, text, capfd):
    with page(explorer) as socket:
        if text == WISH.replace("{}", '{"V": ' + "9" * 4040 + "}"):  # it is a whole number, if a long one
            socket.send(text)
            assert answers(socket)[0]["parts"]["panel"]["said"] == "coupling must be a number."
            return
        socket.send(text)
        assert closed(socket) == (1008, sessions.MALFORMED)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["two", "", "__class__", "\ud800", "one "])
def test_there_are_no_other_pages(explorer, name):
    with page(explorer) as socket:
        ask(socket, 1, name)
        assert closed(socket) == (1008, "There is no such page.")


def test_binary_messages_close_the_page(explorer):
    with page(explorer) as socket:
        socket.send(WISH.encode())
        assert closed(socket) == (1008, sessions.MALFORMED)


@pytest.mark.parametrize("size", [4097, 100_000])
def test_large_messages_close_the_page(explorer, size):
    with page(explorer) as socket:
        socket.send("x" * size)
        assert closed(socket)[0] == 1009


def test_a_message_in_pieces_is_a_message(explorer):
    with page(explorer) as socket:
        socket.send([WISH[:5], WISH[5:9], WISH[9:]])
        assert answers(socket)[-1]["done"]


def test_an_error_of_physics_is_a_sentence(explorer, capfd):
    with page(explorer) as socket:
        ask(socket, 1, V=5)
        said = answers(socket)
        assert merged(said, "words", "text") == ["<b>No answer here.</b> V &lt; 5 &amp; more."]
        assert len(merged(said, "map", "figure")) == 2  # the rest goes on
        ask(socket, 2, V=3)
        assert merged(answers(socket, 2), "words", "text") == ["V = 3"]
    assert capfd.readouterr().err == ""


def test_a_fault_is_a_sentence_and_one_line_for_the_terminal(explorer, capfd):
    with page(explorer) as socket:
        ask(socket, 1, V=4.5)
        assert merged(answers(socket), "words", "text") == [sessions.WRONG]
    assert capfd.readouterr().err == "spinsync explorer: KeyError in the words of page one at {'V': 4.5}: 'a fault'\n"


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


@pytest.mark.parametrize("error", [ss.IntegrationError("It does not converge."), ValueError("x"), MemoryError()])
def test_errors_between_the_steps_are_said_too(error, capfd):
    view = Made(Step("the words", words("a")), error, Step("the map", words("b")))
    with running({"one": view}) as explorer, page(explorer) as socket:
        ask(socket)
        found = merged(answers(socket), "words", "text")
    physics = isinstance(error, ss.IntegrationError)
    assert found == ["a", "<b>No answer here.</b> It does not converge." if physics else sessions.WRONG]
    assert capfd.readouterr().err.count("\n") == (0 if physics else 1)


def test_arrays_and_numbers_of_numpy_become_json():
    values = {
        "array": np.array([1, 2], np.uint8), "bytes": b"\1\2", "view": memoryview(b"\1\2"), "single": np.float32(0.5),
        "whole": np.int64(3), "true": np.bool_(True), "nan": [np.nan, np.inf, np.float64(1.5)], 1: (None, "<b>"),
    }  # fmt: skip
    assert json.loads(json.dumps(sessions.encoded(values), allow_nan=False)) == {
        "array": {"base64": "AQI="}, "bytes": {"base64": "AQI="}, "view": {"base64": "AQI="}, "single": 0.5,
        "whole": 3, "true": True, "nan": [None, None, 1.5], "1": [None, "<b>"],
    }  # fmt: skip


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
