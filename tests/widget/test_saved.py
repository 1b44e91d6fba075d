"""A saved page is one file that holds the run and makes no request; what can't be saved is one sentence."""

import base64
import errno
import json
import os
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import spinsync as ss
from spinsync.widget.packing import packed
from spinsync.widget.saved import HERE, encoded, page
from systems import laser

TIMES = np.linspace(0, 6, 61)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-1.2)
ENDING = "Argument `path` must be a file that ends in .html, but is path={!r}."


@pytest.fixture(scope="module")
def run():
    return ss.evolve(PAIR, TIMES)


@pytest.fixture
def sphere(run):
    return ss.show(run)


class Elements(HTMLParser):
    """The elements of a page as a browser's parser sees them: (tag, attributes, text)."""

    def __init__(self, text):
        super().__init__()
        self.found, self.ended = [], True
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        self.ended = False

    def handle_data(self, data):
        if not self.ended:
            self.found[-1][2] += data

    def handle_endtag(self, tag):
        self.ended = True

    def of(self, tag, **attrs):
        return [text for name, has, text in self.found if name == tag and attrs.items() <= has.items()]

    def attributes(self, tag):
        return [has for name, has, _ in self.found if name == tag]


def elements(file):
    return Elements(file.read_text(encoding="utf-8"))


def state_of(file):
    """The traits in a saved page, with arrays as bytes."""
    (text,) = elements(file).of("script", id="state")
    return json.loads(text, object_hook=lambda d: base64.b64decode(d["base64"]) if d.keys() == {"base64"} else d)


def test_the_file_holds_the_run_and_the_state_of_the_widget(tmp_path, run):
    sphere = ss.show(run, height=300, colour="phase", trails=False)
    sphere.frame, sphere.playing, sphere.speed = 12.5, False, 2.0
    assert sphere.save(tmp_path / "run.html") == tmp_path / "run.html"
    options = {"height": 300, "colour": "phase", "trails": False, "frame": 12.5, "playing": False, "speed": 2.0}
    assert state_of(tmp_path / "run.html") == {"run": packed(run), **options}


def test_the_file_requests_nothing(tmp_path, sphere):
    parsed = elements(sphere.save(tmp_path / "run.html"))
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"']*", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"@import|url\(|\bimport\b.*\bfrom\b|\bfetch\(", text)
    linked = [v for _, has, _ in parsed.found for name, v in has.items() if name in ("src", "href", "srcset", "action", "data")]
    assert linked == ["data:,"]  # an empty icon, for which a browser would ask the server
    assert not {"iframe", "base", "form", "object", "embed", "img"} & {tag for tag, _, _ in parsed.found}


def test_the_content_security_policy_allows_its_own_script_and_style_alone(tmp_path, sphere):
    parsed = elements(sphere.save(tmp_path / "run.html"))
    (policy,) = (has["content"] for has in parsed.attributes("meta") if "http-equiv" in has)
    (script,), (style,) = parsed.of("script", type="module"), parsed.of("style")
    hashes = [base64.b64encode(sha256(part.encode()).digest()).decode() for part in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    assert not any(name.startswith("on") or name == "style" for _, has, _ in parsed.found for name in has)


def test_the_file_has_a_title_and_a_language(tmp_path, sphere):
    parsed = elements(sphere.save(tmp_path / "a <b> & c.html"))
    assert parsed.attributes("html") == [{"lang": "en"}]
    assert parsed.of("title") == ["a <b> & c: a run on the Bloch sphere"]


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "<!--<script>", "é\u2028{$state}"])
def test_no_name_of_a_group_ends_the_data(tmp_path, name):
    run = ss.evolve(ss.Ensemble([ss.Group(3.0, 1.0, name=name)], [[-6j]]), TIMES[:3])
    file = ss.show(run).save(tmp_path / "run.html")
    assert state_of(file)["run"]["names"] == [name]
    assert len(elements(file).of("script")) == 2


def test_the_scripts_can_stand_in_a_page():
    for path in HERE.glob("*.js"):
        assert not re.search(r"</script|<script|<!--", path.read_text(encoding="utf-8"), re.IGNORECASE), path
    for path in HERE.glob("*.css"):
        assert "</" not in path.read_text(encoding="utf-8"), path


def test_the_size_is_that_of_the_data(tmp_path):
    run = ss.evolve(laser(theta=-1.2), np.linspace(0, 4, 101), each=True, initial=np.full((500, 3), 0.3))
    size = ss.show(run).save(tmp_path / "run.html").stat().st_size
    data = sum(len(value) for value in packed(run).values() if isinstance(value, bytes))
    assert data > 12 * 101 * 500
    assert size < 4 / 3 * data + 50_000  # base64, and the scripts


def test_equal_widgets_give_equal_files(tmp_path, run):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    assert len({ss.show(run).save(tmp_path / folder / "run.html").read_bytes() for folder in ("a", "b")}) == 1


def test_bytes_anywhere_in_the_state_are_encoded():
    assert encoded({"a": b"xyz", "b": {"c": b""}, "d": [1, "e"], "f": None}) == {
        "a": {"base64": "eHl6"}, "b": {"c": {"base64": ""}}, "d": [1, "e"], "f": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match="JSON"):
        page({"height": 300, "frame": float("nan")}, "", "", "")


def test_an_older_file_is_replaced_and_a_failed_save_keeps_it(tmp_path, sphere, monkeypatch):
    file = tmp_path / "run.html"
    file.write_text("older")
    sphere.save(file)
    assert state_of(file)["run"] == sphere.run
    before = file.read_bytes()

    def half(error):
        def write(path, text, **_):
            path.write_bytes(text[: len(text) // 2].encode())
            raise error

        return write

    for error, raised in (
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "No space left on device"), ss.InputError),
    ):
        monkeypatch.setattr(Path, "write_text", half(error))
        with pytest.raises(raised) as caught:
            sphere.save(file)
        if raised is ss.InputError:
            assert str(caught.value) == f"Argument `path` must be writable, but '{file}' is not (no space left on device)."
        assert file.read_bytes() == before
        assert os.listdir(tmp_path) == ["run.html"]


def test_paths_that_can_not_be_written_are_error_messages(tmp_path, sphere, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.html").mkdir()
    cases = [
        (3, "Argument `path` must be the path of a file, but is path=3."),
        ("", "Argument `path` must be the path of a file, but is path=''."),
        ("run", ENDING.format("run")),
        ("run.htm", ENDING.format("run.htm")),
        (".html", ENDING.format(".html")),
        ("run.html.gz", ENDING.format("run.html.gz")),
        ("no/run.html", "Argument `path` must be writable, but 'no/run.html' is not (no such file or directory)."),
        ("folder.html", "Argument `path` must be writable, but 'folder.html' is not (no regular file)."),
    ]
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.html")
        cases.append(("pipe.html", "Argument `path` must be writable, but 'pipe.html' is not (no regular file)."))
    before = sorted(os.listdir())
    for path, message in cases:
        with pytest.raises(ss.InputError) as caught:
            sphere.save(path)
        assert str(caught.value) == message
    with pytest.raises(ss.InputError, match=r"`keyword` must be .*but is keyword='pth' \(did you mean 'path'\?\)"):
        sphere.save(pth="run.html")
    assert sorted(os.listdir()) == before


def test_a_state_that_a_page_can_not_hold_is_an_error_message(tmp_path, sphere):
    for name, value in (("speed", float("inf")), ("frame", float("nan"))):
        setattr(sphere, name, value)
        with pytest.raises(ss.InputError, match=f"^Argument `{name}` must be .*, but is {name}={value}"):
            sphere.save(tmp_path / "run.html")
        setattr(sphere, name, 1.0)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names of files")
def test_a_name_that_is_no_text_is_a_name(tmp_path, sphere):
    try:
        file = sphere.save(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff.html"))
    except ss.InputError as error:
        assert "must be writable" in str(error)  # noqa: PT017  (a file system that takes text alone)
    else:
        assert elements(file).of("title") == ["r?: a run on the Bloch sphere"]


# ---- in a browser
