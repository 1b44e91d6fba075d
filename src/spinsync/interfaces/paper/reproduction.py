"""The whole report: chapters with progress bars, two processes, and one folder that appears when complete."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import spinsync as ss
from spinsync.base.files import continued_folder, unfinished
from spinsync.base.memory import available
from spinsync.base.parallel import budget
from spinsync.base.progress import silence
from spinsync.interfaces.paper.claims import Advance, Chapter
from spinsync.interfaces.paper.kept import WORK, keep, kept, sweeps_in
from spinsync.interfaces.paper.page import write_page
from spinsync.interfaces.paper.processes import run_in_processes

#: chapter -> its module, in the order of the report
CHAPTERS: dict[str, str] = {
    "spins on the sphere": "spheres",
    "random starts": "random_starts",
    "state of one spin": "one_spin",
    "phase diagram": "diagram",
    "interaction phase": "phase",
    "transition": "transition",
    "two groups": "two_groups",
    "frequencies": "plateau",
    "Arnold tongue": "tongue",
    "engineered locking": "engineering",
    "microscopic ground": "microscopic",
    "levels of theory": "levels",
    "beyond the article": "finite_spins",
}
#: order in which they are started: neighbours share no kernels, which both processes would compile
START_ORDER = (
    "spheres", "tongue", "finite_spins", "diagram", "engineering", "random_starts",
    "two_groups", "plateau", "transition", "phase", "one_spin", "levels", "microscopic",
)  # fmt: skip
NOT_QUICK = ("random_starts", "one_spin", "levels")  # chapters that the quick report leaves out
PROCESSES = 2  # more would compile the same kernels again
MEMORY = 2**30  # bytes per process


def draft_of(out: str | Path, quick: bool) -> Path:
    """The folder in which an interrupted report waits for the next call."""
    return unfinished(out, _kind(quick))


def _kind(quick: bool) -> str:
    return "quick" if quick else "whole"


def reproduce(out: str | Path, *, quick: bool = False) -> bool:
    """Write the report to the new folder `out`, or finish one that was interrupted; True if every claim holds."""
    console = Console(stderr=True)
    with continued_folder(out, _kind(quick), "--out") as draft:
        chapters = _chapters(draft, quick, console)
        claims = [claim.row() for chapter in chapters for claim in chapter.claims]
        text = json.dumps({"spinsync": ss.__version__, "claims": claims}, indent=1, allow_nan=True)
        (draft / "claims.json").write_text(text + "\n", encoding="utf-8")
        write_page(draft / "index.html", chapters, quick=quick)
        shutil.rmtree(draft / WORK)
    failed = [claim["claim"] for claim in claims if not claim["holds"]]
    for claim in failed:
        console.print(f"claim fails: {claim}", markup=False)
    print(f"{len(claims) - len(failed)} of {len(claims)} claims hold; open {Path(out) / 'index.html'}")
    return not failed


def _chapters(draft: Path, quick: bool, console: Console) -> list[Chapter]:
    """Compute all chapters and write them into the draft, in several processes if possible."""
    left = TimeRemainingColumn(compact=True, elapsed_when_finished=True)
    columns = (TextColumn("{task.description:<22}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), left)
    chosen = {name: module for name, module in CHAPTERS.items() if not (quick and module in NOT_QUICK)}
    order = sorted(chosen.values(), key=START_ORDER.index)
    with Progress(*columns, console=console) as progress:
        bars = {module: progress.add_task(name, start=False, visible=False, total=1.0) for name, module in chosen.items()}

        def on_progress(module: str, fraction: float) -> None:
            progress.start_task(bars[module])
            progress.update(bars[module], completed=fraction, visible=True)

        work, processes = partial(_write_chapter, draft, quick), _processes()
        if processes > 1:
            on_line = partial(console.print, markup=False, highlight=False, soft_wrap=True)
            chapters = run_in_processes(work, order, processes, on_progress, on_line)
        else:
            with silence():  # the bars of the chapters show it
                chapters = {module: work(module, partial(on_progress, module)) for module in order}
    return [chapters[module] for module in chosen.values()]


def _processes() -> int:
    """Number of processes, limited by threads, memory and chapters."""
    return max(1, min(PROCESSES, budget(), int(available() / MEMORY), len(CHAPTERS)))


def _write_chapter(draft: Path, quick: bool, module: str, advance: Advance) -> Chapter:
    """Compute a chapter and write its figures and data; only the computing process loads numpy and matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")  # without a window
    import matplotlib.pyplot as plt

    advance(0.0)
    if (done := kept(draft, module)) is not None:
        advance(1.0)
        return done
    with ss.plot.style(), nullcontext() if quick else sweeps_in(draft):  # quick diagrams are computed faster than kept
        chapter: Chapter = import_module(f"spinsync.interfaces.paper.{module}").chapter(quick, advance)
        for folder in ("figures", "data"):
            (draft / folder).mkdir(exist_ok=True)
        for name, figure in chapter.figures.items():
            ss.plot.save(figure, draft / "figures" / name)
            plt.close(figure)
        for name, data in chapter.data.items():
            data.to_zarr(draft / "data" / f"{name}.zarr", mode="w", consolidated=False)
    keep(draft, module, chapter)
    advance(1.0)
    return replace(chapter, figures={}, data=dict.fromkeys(chapter.data))
