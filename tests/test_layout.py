"""The tree of the tests: folders mirror the package, and tests share modules, never each other."""

import ast
from pathlib import Path

import spinsync as ss

TESTS, PACKAGE = Path(__file__).parent, Path(ss.__file__).parent
#: what all tests may import
SHARED = {"browser", "error_cases", "known_answers", "reference", "systems", "toy_theories", "two_spin_moments"}
#: folders that test the package as a whole: random calls, error messages, files of an older version
WHOLE = {"error_messages", "fuzz", "version_0_1"}
#: a test file that numba's simulator runs in a process of its own
HIDDEN = {"cuda_kernels"}


def modules():
    return [path for path in TESTS.rglob("*.py") if not path.name.startswith(".")]


def imported(source: str) -> set[str]:
    """First parts of the names of all imported modules."""
    out = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            out |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            out.add("." if node.level else (node.module or "").partition(".")[0])
    return out


def forbidden(path: Path, source: str) -> set[str]:
    """What a file of the tests imports of the tests but may not: another test, or a helper of another folder."""
    ours = {other.stem: other.parent for other in modules()}
    helpers = {name for name, folder in ours.items() if folder == path.parent and not name.startswith("test_")} - HIDDEN
    return imported(source) & ({*ours, "conftest", "tests", "."} - helpers - SHARED | {"conftest"})


def test_no_test_imports_another_test_or_a_helper_of_another_folder():
    assert {path: wrong for path in modules() if (wrong := forbidden(path, path.read_text(encoding="utf-8")))} == {}


def test_a_wrong_import_is_seen():
    here = TESTS / "plot" / "test_plot.py"
    for line in ("from test_results import PAIR", "import test_plot_pairs", "from regime_cases import R", "from . import x"):
        assert forbidden(here, f"def f():\n    {line}"), line
    assert not forbidden(here, "from plot_cases import PAIR\nfrom systems import laser\nimport numpy")


def test_modules_have_names_of_their_own():
    """pytest imports test files by their bare names."""
    names = [path.stem for path in modules() if path.stem != "conftest"]
    assert sorted(names) == sorted(set(names))


def test_what_all_share_stands_at_the_top_and_nothing_else():
    at_top = {path.stem for path in TESTS.glob("*.py")}
    assert {name for name in at_top if not name.startswith("test_")} == SHARED | {"conftest"}
    used = {name for path in modules() if path.parent != TESTS for name in imported(path.read_text(encoding="utf-8"))}
    assert used >= SHARED


def test_every_folder_mirrors_one_of_the_package():
    folders = {path.parent.relative_to(TESTS) for path in modules()} - {Path()}
    assert len(folders) > 15
    for folder in folders:
        assert folder.parts[0] in WHOLE or (PACKAGE / folder).is_dir(), folder
    assert {folder.parts[0] for folder in folders} >= WHOLE
    packages = {path.parent.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*/*.py")}
    assert packages <= {folder.parts[0] for folder in folders}
