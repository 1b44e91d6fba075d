"""What pages tell to paste works: the programs of README.md, and the worked examples of CONTRIBUTING.md."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
HEAD = "import numpy as np\n\nimport spinsync as ss\n"
UNIT = 'from spinsync.results.variables import VARIABLES\n\nVARIABLES["excited_fraction"] = ("share of excited spins", "1")\n'


def block(name):
    """The code block behind <!-- test: name -->."""
    found = re.search(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def run_tests(folder, count):
    """Pytest in a process of its own, in which a copy of the package in the folder comes first."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
    ]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} passed" in done.stdout, done.stdout


def edit(folder, changes):
    """Make the changes of a file's section: each hunk stands once in the file, as the lines with ' ' and '-' say."""
    header, *lines = changes.splitlines()
    path = folder / header.split(":")[0].removeprefix("src/")
    text = path.read_text(encoding="utf-8")
    for hunk in "\n".join(lines).split("\n@@\n"):
        before, after = ("".join(f"{line[1:]}\n" for line in hunk.splitlines() if line[0] != sign) for sign in "+-")
        assert text.count(before) == 1, (header, before)
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def test_the_parameter_reaches_every_theory(tmp_path):
    shutil.copytree(ROOT / "src" / "spinsync", tmp_path / "spinsync", ignore=shutil.ignore_patterns("__pycache__"))
    _, *sections = block("parameter").split("--- ")
    assert len(sections) == 4
    for section in sections:
        edit(tmp_path, section)
    (tmp_path / "test_parameter.py").write_text(f"{HEAD}\n{block('parameter law')}")
    run_tests(tmp_path, 1)


def test_the_theory_and_the_question_answer(tmp_path):
    (tmp_path / "test_independent.py").write_text(block("theory"))
    (tmp_path / "excitation.py").write_text(block("question"))
    law = block("question law").replace("ss.excited_fraction", "excited_fraction")
    (tmp_path / "test_excitation.py").write_text(f"{HEAD}from excitation import excited_fraction\n{UNIT}\n{law}")
    run_tests(tmp_path, 2)


def test_the_first_figure_is_drawn_and_a_run_is_saved_as_a_page(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"\.venv/bin/python - <<'END'\n(.*?)\nEND\n", readme, re.DOTALL)
    assert len(programs) == 2
    for code in programs:
        subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True, timeout=200)
    assert (tmp_path / "tongue.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "run.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_pages_name_no_package_of_an_index_that_does_not_have_it():
    """Until spinsync is published, `pip install spinsync` finds nothing."""
    for folder, kinds in {".": ["*.md"], "docs": ["*.md"], "src": ["**/*.py"], "benchmarks": ["*.py"]}.items():
        for path in (path for kind in kinds for path in (ROOT / folder).glob(kind)):
            assert not re.search(r"pip install '?spinsync", path.read_text(encoding="utf-8")), path
