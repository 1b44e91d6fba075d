"""An open page: answers step by step, and malformed messages and errors as sentences."""

import json

import numpy as np
import pytest

import spinsync as ss
from spinsync.interfaces.explorer import sessions
from stub_server import Made, Step, answers, ask, closed, merged, page, running, words


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
        ({"V": 1e6}, {"V": 5.0}, "coupling: 1000000 is outside 0 to 5; 5 is used."),
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
