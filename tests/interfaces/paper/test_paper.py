"""`spinsync paper`: the report is complete and readable from disk, and a wrong claim fails."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import xarray as xr

import spinsync as ss
from spinsync.interfaces.command import run
from spinsync.interfaces.paper import kept, microscopic, reproduction, spheres
from spinsync.interfaces.paper.claims import Chapter, Claim
from spinsync.interfaces.paper.equations import EQUATIONS
from spinsync.interfaces.paper.page import write_page


class Links(HTMLParser):
    """Collects the link targets of a page, its ids, and its unclosed tags."""

    def __init__(self):
        super().__init__()
        self.targets, self.ids, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.targets += [v for k, v in attrs if k in ("src", "href")]
        self.ids += [v for k, v in attrs if k == "id"]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def short(monkeypatch):
    """Only the fastest chapter; the main stage of .ci/run runs all of them."""
    monkeypatch.setattr(reproduction, "CHAPTERS", {"spins on the sphere": "spheres"})


def test_report_is_complete_and_opens_from_disk(short, tmp_path, capsys):
    assert run(["paper", "--quick", "--out", str(tmp_path / "report")]) == 0
    report = tmp_path / "report"
    content = json.loads((report / "claims.json").read_text())
    assert content["spinsync"] == ss.__version__
    assert all({"claim", "expected", "measured", "tolerance", "holds"} <= set(row) for row in content["claims"])
    page = Links()
    page.feed((report / "index.html").read_text())
    assert page.open == []
    for target in page.targets:
        if target.startswith("#"):
            assert target[1:] in page.ids, target
        elif not target.startswith("https://arxiv.org/"):
            assert (report / target).is_file(), target
    for store in (report / "data").iterdir():
        data = xr.open_zarr(store, consolidated=False).load()
        assert ss.rerun(data).identical(data)
    assert len(list((report / "figures").glob("*.pdf"))) == len(list((report / "figures").glob("*.png"))) > 0
    assert f"{len(content['claims'])} of {len(content['claims'])} claims hold" in capsys.readouterr().out


@pytest.fixture
def broken(short, monkeypatch):
    """A report of one claim, which fails."""
    claims = (Claim("water is dry", 1, 0, 0.1, "a planted fault"),)
    chapter = Chapter(title="Water", text="", figures={}, captions={}, data={}, claims=claims)
    monkeypatch.setattr(spheres, "chapter", lambda quick, advance: chapter)


def test_a_claim_that_fails_is_shown_and_exits_with_1(broken, tmp_path, capsys):
    assert run(["paper", "--quick", "--out", str(tmp_path / "report")]) == 1
    assert "claim fails: water is dry" in capsys.readouterr().err
    assert "FAILS" in (tmp_path / "report" / "index.html").read_text()


def test_an_interrupted_report_goes_on_where_it_was(broken, tmp_path, monkeypatch, capsys):
    calls, chapter = [], spheres.chapter
    monkeypatch.setattr(spheres, "chapter", lambda quick, advance: calls.append(1) or chapter(quick, advance))

    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(reproduction, "write_page", interrupt)
        assert run(["paper", "--quick", "--out", str(tmp_path / "report")]) == 130
    assert "what is done is kept, and the same command goes on" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [".report.quick.unfinished"]
    assert run(["paper", "--quick", "--out", str(tmp_path / "report")]) == 1  # the claim that fails
    assert len(calls) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["claims.json", "data", "figures", "index.html"]


def test_an_unfinished_report_of_another_version_or_without_its_files_is_not_taken(tmp_path, monkeypatch):
    chapter = Chapter(title="Water", text="", figures={}, captions={"a": ""}, data={}, claims=())
    kept.keep(tmp_path, "water", chapter)
    assert kept.kept(tmp_path, "water") is None  # its figure is missing
    (tmp_path / "figures").mkdir()
    for kind in ("png", "pdf"):
        (tmp_path / "figures" / f"a.{kind}").touch()
    assert kept.kept(tmp_path, "water") == chapter
    monkeypatch.setattr(kept.ss, "__version__", "0.0.0")
    assert kept.kept(tmp_path, "water") is None


def test_a_diagram_of_the_report_is_that_of_the_question(tmp_path):
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    axes = {"coupling": [2.0, 8.0, 12.0], "gain": [1.0, 3.0]}
    with kept.sweeps_in(tmp_path):
        first = kept.phase_diagram("map", one, axes)
        assert kept.phase_diagram("map", one, axes).identical(first)
    assert first.identical(ss.phase_diagram(one, axes))
    assert (tmp_path / kept.WORK / "sweeps" / "map.zarr").is_dir()


@pytest.mark.slow(slice=1)
def test_chapters_in_two_processes_write_the_same_files_as_in_one(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduction, "CHAPTERS", {"interaction phase": "phase", "microscopic ground": "microscopic"})
    for processes in (1, 2):
        monkeypatch.setattr(reproduction, "_processes", lambda n=processes: n)
        assert run(["paper", "--quick", "--out", str(tmp_path / str(processes))]) == 0
    single, parallel = (
        {p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()} for r in (tmp_path / n for n in "12")
    )
    assert single == parallel


def test_figures_of_all_chapters_are_numbered_in_order(tmp_path):
    def chapter(title, *names):
        captions = dict.fromkeys(names, "What is shown, by (4.5).")
        claim = Claim("theta = -pi/2: a number", -1e-9, 0, 1e-6, "tolerance of order -1")
        return Chapter(title=title, text="", figures={}, captions=captions, data={}, claims=(claim,))

    write_page(tmp_path / "index.html", [chapter("One", "a", "b"), chapter("Two", "c")], quick=False)
    html = (tmp_path / "index.html").read_text()
    page = Links()
    page.feed(html)
    assert page.open == []
    assert [found for found in page.ids if found.startswith("figure")] == ["figure-1", "figure-2", "figure-3"]
    assert '<img src="figures/c.png" alt="What is shown, by (4.5).">' in html
    assert '<b>Figure 3.</b> What is shown, by <a href="#eq-4.5"' in html
    assert "θ = −π/2: a number" in html
    assert ">−1e−09<" in html


def test_equations_are_those_of_the_theory_page():
    """Each listed number is defined there, so that an equation that is moved or removed is noticed."""
    theory = (Path(__file__).parents[3] / "docs" / "theory.md").read_text()
    defined = re.findall(r"\\tag\{(\d\.\d)\}", theory)
    assert set(EQUATIONS) <= set(defined)


def test_every_chapter_is_started_once():
    assert sorted(reproduction.START_ORDER) == sorted(reproduction.CHAPTERS.values())


def test_no_more_processes_than_cores_memory_and_chapters(monkeypatch):
    """With one core, memory for one process, or one chapter, everything runs in this process."""
    monkeypatch.setattr(reproduction, "budget", lambda: 8)
    monkeypatch.setattr(reproduction, "available", lambda: 2.0**40)
    assert reproduction._processes() == 2
    with monkeypatch.context() as small:
        small.setattr(reproduction, "available", lambda: 1.0)
        assert reproduction._processes() == 1
    with monkeypatch.context() as short:
        short.setattr(reproduction, "CHAPTERS", {"spins on the sphere": "spheres"})
        assert reproduction._processes() == 1
    monkeypatch.setattr(reproduction, "budget", lambda: 1)
    assert reproduction._processes() == 1


def test_a_claim_with_a_missing_value_does_not_hold():
    assert not Claim("c", 0.0, float("nan"), 1.0, "").holds
    assert Claim("c", 0.0, 1.0, 1.0, "").holds


def test_random_ensembles_are_general_and_depend_on_the_seed_alone():
    one = microscopic.random_ensemble(3, 2)
    assert one == microscopic.random_ensemble(3, 2)
    assert one != microscopic.random_ensemble(4, 2)
    c = one.coupling_matrix
    assert abs(c - c.conj().T).max() > 0.1
    assert abs(c - c.T).max() > 0.1
