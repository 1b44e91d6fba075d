"""Modules of generated source, named by a hash of that source and of the modules that it imports.

So a kernel is recompiled after an edit of any of them. The source text is stored in the compile cache, for people, tracebacks
and numba-cuda; the module itself is executed from memory.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from spinsync.base import compile_cache

TRIES = 10
_lock = threading.RLock()


def generated(name: str, source: str, dependencies: Sequence[ModuleType]) -> ModuleType:
    """The module with this source, which imports from the modules `dependencies`."""
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in dependencies]
    digest = hashlib.sha256("\0".join([source, *texts]).encode()).hexdigest()[:20]
    module = ModuleType(f"spinsync_{name}_{digest}")
    file, text = f"{module.__name__}.py", source.encode()
    found = compile_cache.load(file, text.__eq__)
    module.__file__ = str((found[0] if found else compile_cache.save(file, text)) or file)
    module.__dict__["SOURCE_HASH"] = digest
    sys.modules[module.__name__] = module
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


def built_once(make: Callable[..., Any]) -> Any:
    """A cached function that builds one module at a time.

    CPython 3.11 and 3.12 share the depth counter of syntax trees among threads: two that build trees at once may both fail
    with a SystemError. Threads of other packages don't take our lock, hence several tries.
    """
    cached = cache(make)

    @wraps(make)
    def build(*arguments: Any) -> Any:
        with _lock:
            for left in reversed(range(TRIES)):
                try:
                    return cached(*arguments)
                except SystemError as error:
                    if not left or "recursion depth mismatch" not in str(error):
                        raise
        raise AssertionError("the last try returns or raises")

    build.cache_clear = cached.cache_clear  # type: ignore[attr-defined]
    return build
