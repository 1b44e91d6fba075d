"""What is done of an unfinished report, so that the next call goes on: diagrams as sweeps, chapters as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import spinsync as ss
from spinsync.base.files import write_text
from spinsync.interfaces.paper.claims import Chapter, Claim

WORK = "unfinished"  # folder of the draft that the finished report does not have
OF_A_SWEEP = ("point_status", "point_failure")  # variables that a phase diagram does not have

_folder: ContextVar[Path | None] = ContextVar("folder of the sweeps", default=None)


@contextmanager
def sweeps_in(draft: Path) -> Iterator[None]:
    """Keep the diagrams that are computed within the block in this draft."""
    folder = draft / WORK / "sweeps"
    folder.mkdir(parents=True, exist_ok=True)
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def phase_diagram(name: str, model: ss.Ensemble, axes: Mapping[str, Any]) -> Any:
    """`ss.phase_diagram` as a sweep, which goes on where it was stopped."""
    folder = _folder.get()
    found = ss.sweep(ss.regime, axes, model=model, store=None if folder is None else folder / f"{name}.zarr").load()
    plain = found.drop_vars(OF_A_SWEEP)
    plain.attrs = {key: value for key, value in found.attrs.items() if key not in ("sweep", "function")}
    return plain


def _file(draft: Path, module: str) -> Path:
    return draft / WORK / f"{module}.json"


def keep(draft: Path, module: str, chapter: Chapter) -> None:
    """Note that a chapter is done: its figures and data are in the draft."""
    (draft / WORK).mkdir(exist_ok=True)
    names = {"figures": list(chapter.captions), "data": list(chapter.data)}
    claims = [{**claim.row(), "holds": None} for claim in chapter.claims]
    content = {"version": ss.__version__, "title": chapter.title, "text": chapter.text, "captions": dict(chapter.captions)}
    write_text(_file(draft, module), json.dumps({**content, **names, "claims": claims}))


def kept(draft: Path, module: str) -> Chapter | None:
    """The chapter if it is done, by this version."""
    try:
        found = json.loads(_file(draft, module).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    there = [draft / "figures" / f"{name}.{kind}" for name in found["figures"] for kind in ("png", "pdf")]
    there += [draft / "data" / f"{name}.zarr" for name in found["data"]]
    if found["version"] != ss.__version__ or not all(file.exists() for file in there):
        return None
    claims = [Claim(**{key: value for key, value in row.items() if key != "holds"}) for row in found["claims"]]
    return Chapter(found["title"], found["text"], {}, found["captions"], dict.fromkeys(found["data"]), tuple(claims))
