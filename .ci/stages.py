"""The stages of .ci/run, each with a time budget, and a table of times at the end. Standard library only."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SLICES = 3  # of the slow physics tests


class StageError(Exception):
    """A failed stage, with a message."""


def readme_block(mark: str) -> str:
    """The shell block of the README after <!-- ci: mark -->."""
    found = re.search(rf"<!-- ci: {mark} -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    if found is None:
        raise StageError(f"README.md has no block marked <!-- ci: {mark} -->")
    return found.group(1)


def export(work: Path, name: str) -> Path:
    """Export HEAD to a new folder."""
    folder = work / name
    folder.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    return folder


class Stages:
    """The stages, with their common working folder, home folders, and slice of slow tests."""

    def __init__(self, work: Path, slice_of_slow: int | None) -> None:
        self.work, self.slice, self.deadline = work, slice_of_slow, 0.0
        self.developed = work / "test"  # export with the environment of the README's second block
        self.home = work / "home-test"  # of the stages that share a compile cache

    def shell(self, command: str, folder: Path, home: Path | None = None, **settings: str) -> None:
        """Run a command with an empty home, or with `home`, within the remaining time of the stage."""
        if home is None:
            home = Path(tempfile.mkdtemp(dir=self.work, prefix="home-"))
        home.mkdir(exist_ok=True)
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "XDG_", "PYTHON", "MPL", "NUMBA"))}
        environment = keep | {"HOME": str(home)} | settings
        print(f"$ {command.strip()}", flush=True)
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            status = process.wait(timeout=max(1.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise StageError("ran out of its time budget") from None
        finally:
            with suppress(ProcessLookupError):  # its remaining processes, which would slow down later stages
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status:
            raise StageError(f"exit status {status}")

    def main(self) -> None:
        """The README's first command: install, and run the main job with warnings as errors (pip has warnings of its own)."""
        folder = export(self.work, "main")
        install, _, job = readme_block("main").rpartition("&&")
        self.shell(install, folder)
        self.shell(job, folder, PYTHONWARNINGS="error")
        claims = json.loads((folder / "report" / "claims.json").read_text())["claims"]
        if not claims or not all(claim["holds"] for claim in claims):
            raise StageError("report/claims.json has a claim that does not hold")

    def test(self) -> None:
        """The README's second command: install and pass the tests."""
        self.shell(readme_block("test"), export(self.work, self.developed.name), self.home)

    def slow(self) -> None:
        """One slice of the slow physics tests, or all, with the compile cache of the tests."""
        chosen = "slow" if self.slice is None else f"slow(slice={self.slice})"
        self.shell(f".venv/bin/pytest -m '{chosen}'", self.developed, self.home)

    def browser(self) -> None:
        """The explorer and the widget in Chromium, the widget in notebooks of JupyterLab and marimo."""
        install = ".venv/bin/pip install --quiet -e '.[browser]'"
        self.shell(f"{install}\n.venv/bin/pytest -m browser", self.developed, self.home)

    def dask(self) -> None:
        """Sweeps on a Dask scheduler with worker processes over TCP, one of which is killed."""
        self.shell(".venv/bin/pytest -n0 -m dask", self.developed, self.home)

    def fuzz(self) -> None:
        """Random calls, files and command lines with a new seed, which is printed at the start and at the end."""
        self.shell(".venv/bin/pytest tests/fuzz", self.developed, self.home)

    def lint(self) -> None:
        """ruff, mypy over the whole package, and import-linter for the layers."""
        install, tools = ".venv/bin/pip install --quiet -e '.[lint]'", "PATH=$PWD/.venv/bin:$PATH"
        self.shell(f"{install}; {tools}; ruff check .; ruff format --check .; mypy; lint-imports", self.developed)

    def docs(self) -> None:
        """Build the docs, executing their examples; warnings are errors."""
        self.shell(
            ".venv/bin/pip install --quiet '.[docs]'\n.venv/bin/sphinx-build -W --keep-going -q -b html docs docs/_build/html",
            self.developed,
        )

    def packages(self) -> None:
        """Wheel and sdist, each installed into an empty environment, tested by `spinsync doctor` and by opening the explorer.

        The browser is driven by Playwright of the stage `browser`, which stands before this one.
        """
        folder = export(self.work, "packages")
        self.shell(
            "python3 -m venv build-env && build-env/bin/pip install --quiet build && build-env/bin/python -m build", folder
        )
        for kind in ("whl", "tar.gz"):
            name = f"env-{kind.replace('.', '-')}"
            self.shell(f'python3 -m venv {name} && {name}/bin/pip install --quiet "$(echo dist/*.{kind})[explorer]"', folder)
            elsewhere, command = _empty(folder, f"elsewhere-{name}"), folder / name / "bin" / "spinsync"
            self.shell(f"{command} doctor", elsewhere, folder / "home")
            opener = self.developed / ".ci" / "open_explorer.py"
            self.shell(f"{self.developed}/.venv/bin/python {opener} {command}", elsewhere, folder / "home")


def _empty(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


#: seconds; an idle machine with two cores takes two thirds at most
BUDGETS = {
    "main": 240, "test": 900, "slow": 400, "browser": 700, "dask": 180, "fuzz": 180, "lint": 120, "docs": 300, "packages": 300,
}  # fmt: skip


def run(stages: Stages) -> int:
    """Run every stage, even after failures, and print the table."""
    rows = []
    for name, budget in BUDGETS.items():
        print(f"\n=== {name} (budget {budget} s)", flush=True)
        begin = time.monotonic()
        stages.deadline = begin + budget
        stage: Callable[[], None] = getattr(stages, name)
        try:
            stage()
            verdict = "passed"
        except (StageError, OSError, subprocess.SubprocessError, ValueError) as error:
            verdict = f"FAILED: {error}"
        rows.append((name, time.monotonic() - begin, budget, verdict))
    print("\nstage      time/s  budget/s  result")
    for name, spent, budget, verdict in rows:
        print(f"{name:<10} {spent:6.0f}  {budget:8d}  {verdict}")
    failed = sum(row[3] != "passed" for row in rows)
    slow = "all" if stages.slice is None else f"slice {stages.slice}"
    print(f"{sum(row[1] for row in rows):.0f} s in all; slow tests: {slow}")
    print(f"{len(rows) - failed} passed, {failed} failed")
    return min(failed, 1)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--all"]):
        print(f"usage: .ci/run [--all], but got {' '.join(arguments)}", file=sys.stderr)
        return 2
    count = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    slice_of_slow = None if arguments else int(count) % SLICES
    if slice_of_slow is None:
        BUDGETS["slow"] *= SLICES
    work = Path(tempfile.mkdtemp(prefix="spinsync-ci-"))
    try:
        return run(Stages(work, slice_of_slow))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
