"""The whole reproduction: chapters with progress bars, then one folder that appears when complete."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no window, whatever the machine offers

import matplotlib.pyplot as plt
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import spinsync as ss
from spinsync.base.files import new_folder
from spinsync.faces.paper import beyond, diagram, engineering, ground, harmony, phase, plateau, spheres, tongue, transition
from spinsync.faces.paper.claims import Chapter, Section
from spinsync.faces.paper.page import write_page

CHAPTERS: dict[str, Chapter] = {
    "spins on the sphere": spheres.chapter,
    "phase diagram": diagram.chapter,
    "interaction phase": phase.chapter,
    "transition": transition.chapter,
    "two groups": harmony.chapter,
    "frequencies": plateau.chapter,
    "Arnold tongue": tongue.chapter,
    "engineered locking": engineering.chapter,
    "microscopic ground": ground.chapter,
    "beyond the article": beyond.chapter,
}


def reproduce(out: str | Path, *, quick: bool = False) -> bool:
    """Write the report to the new folder `out`; True if every claim holds."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<22}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with new_folder(out, "--out") as draft, ss.plot.style():
        sections = []
        with Progress(*columns, console=console) as progress:
            for name, chapter in CHAPTERS.items():
                task = progress.add_task(name, total=1.0)
                section = chapter(quick, lambda share, task=task: progress.update(task, completed=share))  # type: ignore[misc]
                _write(draft, section)
                progress.update(task, completed=1.0)
                sections.append(section)
        claims = [claim.row() for section in sections for claim in section.claims]
        text = json.dumps({"spinsync": ss.__version__, "claims": claims}, indent=1, allow_nan=True)
        (draft / "claims.json").write_text(text + "\n", encoding="utf-8")
        write_page(draft / "index.html", sections, quick=quick)
    failed = [claim["claim"] for claim in claims if not claim["holds"]]
    for claim in failed:
        console.print(f"claim fails: {claim}", markup=False)
    print(f"{len(claims) - len(failed)} of {len(claims)} claims hold; open {Path(out) / 'index.html'}")
    return not failed


def _write(draft: Path, section: Section) -> None:
    for folder in ("figures", "data"):
        (draft / folder).mkdir(exist_ok=True)
    for name, figure in section.figures.items():
        ss.plot.save(figure, draft / "figures" / name)
        plt.close(figure)
    for name, data in section.data.items():
        data.to_zarr(draft / "data" / f"{name}.zarr", consolidated=False)
