"""Public names exist, are documented and quick to import; every equation that the code cites is in the docs."""

import ast
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

import pytest

import spinsync as ss

PACKAGE = Path(ss.__file__).parent
STUB = (PACKAGE / "__init__.pyi").read_text()
NAMES = re.findall(r"import \w+ as (\w+)", STUB)
HEAVY = ("xarray", "scipy", "numba", "matplotlib", "zarr", "typer")


def test_the_stub_all_and_dir_agree():
    assert len(NAMES) == len(set(NAMES)) > 20
    assert set(NAMES) == set(ss.__all__)
    assert set(NAMES) <= set(dir(ss))


def test_every_name_stays_the_same_object_after_all_modules_are_imported():
    first = {name: getattr(ss, name) for name in NAMES}
    for module in pkgutil.walk_packages([str(PACKAGE)], "spinsync."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    for name in NAMES:
        assert getattr(ss, name) is first[name], name
        if name != "plot":
            assert not inspect.ismodule(first[name]), name
    with pytest.raises(AttributeError):
        ss.no_such_name  # noqa: B018


def test_no_module_has_the_name_of_a_public_function():
    modules = {module.name.rsplit(".", 1)[-1] for module in pkgutil.walk_packages([str(PACKAGE)], "spinsync.")}
    assert modules & set(NAMES) <= {"plot"}
    assert modules & set(ss.plot.__all__) == set()


def callables():
    for name in NAMES:
        thing = getattr(ss, name)
        if inspect.isclass(thing):
            yield name, thing
            for method, _ in inspect.getmembers(thing, lambda m: inspect.isfunction(m) or inspect.ismethod(m)):
                if not method.startswith("_") and method in vars(thing) and issubclass(thing, ss.Ensemble):
                    yield f"{name}.{method}", getattr(thing, method)
        elif callable(thing):
            yield name, thing


@pytest.mark.parametrize(("name", "thing"), list(callables()), ids=lambda x: x if isinstance(x, str) else "")
def test_docstrings_have_their_sections(name, thing):
    text = inspect.getdoc(thing)
    assert text, name
    if inspect.isclass(thing) and issubclass(thing, Exception | IntEnum):
        return
    arguments = [a for a in inspect.signature(thing).parameters if a not in ("self", "recipe")]
    sections = set(re.findall(r"^(\w+)\n-+$", text, re.MULTILINE))
    assert {"Parameters", "Examples", "Raises"} <= sections if arguments else True, name
    for argument in arguments:
        assert re.search(rf"\b{argument}\b", text.split("Parameters\n")[1]), (name, argument)


def test_every_module_has_a_docstring():
    for path in PACKAGE.rglob("*.py"):
        assert path.read_text().startswith('"""') or not path.read_text().strip(), path


def test_no_function_is_longer_than_a_page():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                assert body[-1].end_lineno - body[0].lineno < 60, (path, node.name)


def run_python(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_is_fast_and_loads_no_heavy_package():
    code = "import sys, time; t = time.perf_counter(); import spinsync; print(time.perf_counter() - t, *sys.modules)"
    seconds, modules = [], set()
    for _ in range(3):
        first, *loaded = run_python(code).split()
        seconds.append(float(first))
        modules |= {name.split(".")[0] for name in loaded}
    assert modules & set(HEAVY) == set()
    assert min(seconds) < 0.3  # it is 0.06 s; the best of three, so that a busy machine does not matter


def test_making_a_model_loads_no_heavy_package():
    code = (
        "import sys, spinsync as ss; ss.Ensemble.pair(detuning=1, gain=3, damping=1, coupling=2, theta=1).replace(coupling=3)"
        "; ss.MeanField(); print(*sys.modules)"
    )
    loaded = {name.split(".")[0] for name in run_python(code).split()}
    assert loaded & {"xarray", "numba", "matplotlib", "zarr", "typer"} == set()


def test_every_equation_that_the_code_cites_is_in_the_documentation():
    pages = sorted((PACKAGE.parents[1] / "docs").glob("*.md"))
    if not pages:
        pytest.skip("no documentation: an installed package without its docs")
    tags = re.findall(r"\\tag\{(\d+\.\d+)\}", "".join(page.read_text() for page in pages))
    assert len(tags) == len(set(tags))
    cited = {}
    for path in PACKAGE.rglob("*.py"):
        for line in path.read_text().splitlines():
            for number in re.findall(r"\((\d\.\d{1,2})\)", line):
                if '"""' in line or "#" in line or "equation" in line.lower() or "Equation" in line or "," in line:
                    cited.setdefault(number, path.name)
    assert len(cited) > 15
    assert {number: where for number, where in cited.items() if number not in tags} == {}


def test_every_public_name_is_on_the_api_page():
    page = (PACKAGE.parents[1] / "docs" / "api.md").read_text()
    for name in ss.__all__:
        if name not in ("plot", "__version__"):
            assert f"spinsync.{name}" in page, name
    for name in ss.plot.__all__:
        assert f"spinsync.plot.{name}" in page, name


def test_signatures_written_on_the_api_page_are_those_of_the_code():
    page = (PACKAGE.parents[1] / "docs" / "api.md").read_text()
    written = re.findall(r":: spinsync\.(\w+)(\(.+\))$", page, re.MULTILINE)
    assert written
    for name, arguments in written:
        listed = ast.parse(f"def f{arguments}: ...").body[0].args
        names = [argument.arg for argument in (*listed.args, *listed.kwonlyargs)]
        assert names == [one for one in inspect.signature(getattr(ss, name)).parameters if one != "recipe"], name


def test_a_run_that_needs_compiled_code_is_refused_without_it():
    code = """
import spinsync as ss
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
try:
    ss.evolve(one.replace(frequency=ss.Gaussian(1.0).sample(600)), [0.0, 1.0])
except ss.InputError as error:
    print(error)
"""
    assert run_python(code, NUMBA_DISABLE_JIT="1") == (
        "The environment variable NUMBA_DISABLE_JIT must be unset for many spins, but is set."
    )
