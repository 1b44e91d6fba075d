"""Modules of generated source, whose name tells all that they were made of.

The name holds a hash of the source and of the sources that it imports. So a kernel is compiled anew after an edit of what it
was made of, and never served stale. The text lies beside its machine code, for people, tracebacks and numba-cuda; the
module itself is made from the source in memory.
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
_making = threading.RLock()


def generated(name: str, source: str, made_of: Sequence[ModuleType]) -> ModuleType:
    """The module with this source, which imports from the modules `made_of`."""
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in made_of]
    stamp = hashlib.sha256("\0".join([source, *texts]).encode()).hexdigest()[:20]
    module = ModuleType(f"spinsync_{name}_{stamp}")
    file, text = f"{module.__name__}.py", source.encode()
    found = compile_cache.load(file, text.__eq__)
    module.__file__ = str((found[0] if found else compile_cache.save(file, text)) or file)
    module.__dict__["MADE_OF"] = stamp
    sys.modules[module.__name__] = module
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


def once(make: Callable[..., Any]) -> Any:
    """A function that makes each module once, in one thread at a time, and remembers it.

    CPython 3.11 and 3.12 count the depth of syntax trees for all threads together: two of them at it may both fail, with
    a SystemError. Other people's threads don't know of our lock, hence the tries.
    """
    made = cache(make)

    @wraps(make)
    def ask(*given: Any) -> Any:
        with _making:
            for left in reversed(range(TRIES)):
                try:
                    return made(*given)
                except SystemError as error:
                    if not left or "recursion depth mismatch" not in str(error):
                        raise
        raise AssertionError("the last try returns or raises")

    ask.cache_clear = made.cache_clear  # type: ignore[attr-defined]
    return ask
