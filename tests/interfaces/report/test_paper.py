"""`spinsync paper`: complete, readable from disk, and able to fail."""

import json
from html.parser import HTMLParser

import pytest
import xarray as xr

import spinsync as ss
from spinsync.interfaces.command import run
from spinsync.interfaces.report import ground, reproduction, spheres
from spinsync.interfaces.report.claims import Claim, Section


class Links(HTMLParser):
    """What a page refers to, and the tags it leaves open."""

    def __init__(self):
        super().__init__()
        self.targets, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.targets += [v for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def short(monkeypatch):
    """Only the quickest chapter: the whole reproduction is the main job, which .ci/run runs as a user would."""
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
        if not target.startswith(("#", "https://arxiv.org/")):
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
    section = Section(title="Water", text="", figures={}, captions={}, data={}, claims=claims)
    monkeypatch.setattr(spheres, "chapter", lambda quick, advance: section)


def test_a_claim_that_fails_is_shown_and_exits_with_1(broken, tmp_path, capsys):
    assert run(["paper", "--quick", "--out", str(tmp_path / "report")]) == 1
    assert "claim fails: water is dry" in capsys.readouterr().err
    assert "FAILS" in (tmp_path / "report" / "index.html").read_text()


def test_an_interrupted_report_does_not_appear(broken, tmp_path, monkeypatch):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduction, "write_page", interrupt)
    assert run(["paper", "--quick", "--out", str(tmp_path / "report")]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow(slice=1)
def test_chapters_side_by_side_write_what_they_write_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduction, "CHAPTERS", {"interaction phase": "phase", "microscopic ground": "ground"})
    for processes in (1, 2):
        monkeypatch.setattr(reproduction, "_processes", lambda n=processes: n)
        assert run(["paper", "--quick", "--out", str(tmp_path / str(processes))]) == 0
    alone, beside = (
        {p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()} for r in (tmp_path / n for n in "12")
    )
    assert alone == beside


def test_every_chapter_is_begun_once():
    assert sorted(reproduction.BEGUN) == sorted(reproduction.CHAPTERS.values())


def test_a_process_too_many_is_not_begun(monkeypatch):
    """Where there is one core, or memory for one process, or one chapter, none is begun."""
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


def test_a_claim_of_nothing_measured_does_not_hold():
    assert not Claim("c", 0.0, float("nan"), 1.0, "").holds
    assert Claim("c", 0.0, 1.0, 1.0, "").holds


def test_random_ensembles_are_general_and_depend_on_the_seed_alone():
    one = ground.random_ensemble(3, 2)
    assert one == ground.random_ensemble(3, 2)
    assert one != ground.random_ensemble(4, 2)
    c = one.coupling_matrix
    assert abs(c - c.conj().T).max() > 0.1
    assert abs(c - c.T).max() > 0.1
