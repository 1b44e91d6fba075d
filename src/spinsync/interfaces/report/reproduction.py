"""The whole reproduction: chapters with progress bars, two at a time, then one folder that appears when complete."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import spinsync as ss
from spinsync.base.files import new_folder
from spinsync.base.memory import available
from spinsync.base.parallel import budget
from spinsync.interfaces.report.claims import Advance, Section
from spinsync.interfaces.report.page import write_page
from spinsync.interfaces.report.processes import shared

#: chapter -> its module, in the order of the report
CHAPTERS: dict[str, str] = {
    "spins on the sphere": "spheres",
    "phase diagram": "diagram",
    "interaction phase": "phase",
    "transition": "transition",
    "two groups": "harmony",
    "frequencies": "plateau",
    "Arnold tongue": "tongue",
    "engineered locking": "engineering",
    "microscopic ground": "ground",
    "beyond the article": "beyond",
}
#: in the order in which they are begun: neighbours compile nothing in common, which each process would do for itself
BEGUN = ("spheres", "tongue", "beyond", "diagram", "engineering", "harmony", "plateau", "transition", "phase", "ground")
PROCESSES = 2  # more would compile the same
LARGEST = 2**30  # bytes that one may take


def reproduce(out: str | Path, *, quick: bool = False) -> bool:
    """Write the report to the new folder `out`; True if every claim holds."""
    console = Console(stderr=True)
    with new_folder(out, "--out") as draft:
        parts = _chapters(draft, quick, console)
        claims = [claim.row() for part in parts for claim in part.claims]
        text = json.dumps({"spinsync": ss.__version__, "claims": claims}, indent=1, allow_nan=True)
        (draft / "claims.json").write_text(text + "\n", encoding="utf-8")
        write_page(draft / "index.html", parts, quick=quick)
    failed = [claim["claim"] for claim in claims if not claim["holds"]]
    for claim in failed:
        console.print(f"claim fails: {claim}", markup=False)
    print(f"{len(claims) - len(failed)} of {len(claims)} claims hold; open {Path(out) / 'index.html'}")
    return not failed


def _chapters(draft: Path, quick: bool, console: Console) -> list[Section]:
    """All chapters, written into the draft; in processes of their own where there are several, and cores for them."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    begun = sorted(CHAPTERS.values(), key=BEGUN.index)
    with Progress(*columns, console=console) as progress:
        bars = {module: progress.add_task(name, start=False, visible=False, total=1.0) for name, module in CHAPTERS.items()}

        def told(module: str, share: float) -> None:
            progress.start_task(bars[module])
            progress.update(bars[module], completed=share, visible=True)

        work, processes = partial(_written, draft, quick), _processes()
        if processes > 1:
            parts = shared(work, begun, processes, told, partial(console.print, markup=False, highlight=False, soft_wrap=True))
        else:
            parts = {module: work(module, partial(told, module)) for module in begun}
    return [parts[module] for module in CHAPTERS.values()]


def _processes() -> int:
    """How many compute: those that threads, memory and chapters have use for."""
    return max(1, min(PROCESSES, budget(), int(available() / LARGEST), len(CHAPTERS)))


def _written(draft: Path, quick: bool, module: str, advance: Advance) -> Section:
    """A chapter with its figures and data written, in the process that computes it: only that needs numpy and matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")  # no window, whatever the machine offers
    import matplotlib.pyplot as plt

    advance(0.0)
    with ss.plot.style():
        section: Section = import_module(f"spinsync.interfaces.report.{module}").chapter(quick, advance)
        for folder in ("figures", "data"):
            (draft / folder).mkdir(exist_ok=True)
        for name, figure in section.figures.items():
            ss.plot.save(figure, draft / "figures" / name)
            plt.close(figure)
        for name, data in section.data.items():
            data.to_zarr(draft / "data" / f"{name}.zarr", consolidated=False)
    advance(1.0)
    return replace(section, figures={}, data=dict.fromkeys(section.data))
