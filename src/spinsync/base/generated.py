"""Modules of generated source, compiled once per machine: a file whose name tells all that it was made of.

Its name is a hash of the source, of the sources that it imports, of the versions and of the processor. So a kernel is
compiled anew after an edit of what it was made of, and never served stale. The file appears when it is complete; what is
found in its place is imported only if it is the same text.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from spinsync.base.compiled import need_compiler


def _folders() -> Iterator[Path]:
    """Where generated modules may live, best first."""
    if "NUMBA_CACHE_DIR" in os.environ:
        yield Path(os.environ["NUMBA_CACHE_DIR"]) / "spinsync"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spinsync"


def _fingerprint(source: str, made_of: Sequence[ModuleType]) -> str:
    import llvmlite
    import numba
    from llvmlite import binding

    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in made_of]
    parts = [source, *texts, numba.__version__, llvmlite.__version__]
    parts += [platform.python_version(), binding.get_host_cpu_name(), str(binding.get_host_cpu_features().flatten())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


@cache
def _module(name: str, source: str, made_of: tuple[ModuleType, ...]) -> ModuleType:
    full = f"spinsync_{name}_{_fingerprint(source, made_of)}"
    for folder in _folders():
        path = folder / f"{full}.py"
        try:
            _write(path, source)
            return _imported(full, path)
        except OSError:
            continue
    with tempfile.TemporaryDirectory() as passing:  # nowhere to keep it: compiled in each process
        path = Path(passing) / f"{full}.py"
        _write(path, source)
        return _imported(full, path)


def _write(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and path.read_text(encoding="utf-8") == source:
        return
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(source)
    os.replace(draft, path)


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def generated(name: str, source: str, made_of: Sequence[ModuleType]) -> ModuleType:
    """The module with this source, which imports from the modules `made_of`."""
    need_compiler()
    return _module(name, source, tuple(made_of))
