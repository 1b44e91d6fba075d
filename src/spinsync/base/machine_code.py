"""Machine code of kernels, kept on disk where a cache can be written, compiled anew in each process where not.

Numba has a cache of its own. It is not used, as it lies beside the source, where it outlives the package, does not survive
a damaged file, a full disk or a user without a home, and lets processes that write at once mix up their entries.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import event
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock as compiling
from numba.core.serialize import dumps, loads
from numba.extending import typeof_impl

from spinsync.base import compile_cache
from spinsync.base.compiled import Kernel
from spinsync.base.notices import compiling_notice

__all__ = ["compiled_for_device", "compiling", "dispatcher"]

_njit: Any = numba.njit
_rebuild: Any = CompileResult._rebuild
_dumps: Any = dumps
#: what numba makes other code for; one installation may have Intel's vector mathematics, and the next one lack it
SETTINGS = ("USING_SVML", "OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
VERSIONS = (numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())


@typeof_impl.register(Kernel)
def _of_kernel(kernel: Kernel, context: Any) -> Any:
    """What numba takes a kernel for that another one calls."""
    return numba.types.Dispatcher(kernel.made())


def dispatcher(kernel: Kernel) -> Any:
    """The machine code of a kernel; without a signature it is made when the types of its arguments are known."""
    made = _njit(**kernel.options)(kernel.function)
    with suppress(OSError):  # a package without its source has no cache
        made._cache = _Kept(made.py_func, kernel.options)
    if kernel.signature is not None:
        made.compile(kernel.signature)
        made.disable_compile()
    return made


class _Kept(NullCache):
    """What a dispatcher asks before it compiles and tells after: one entry per signature, whose last bytes are its hash.

    The hash comes first: machine code with a wrong bit would run, and give a wrong answer or end the process.
    """

    def __init__(self, function: FunctionType, options: dict[str, Any]) -> None:
        ways = sorted((name, sorted(way) if isinstance(way, set) else way) for name, way in options.items())
        settings = [str(getattr(numba.config, name, None)) for name in SETTINGS]
        code = function.__code__
        where, names = (function.__module__, function.__qualname__, code.co_firstlineno), function.__globals__
        # a generated module tells itself what it was made of
        source = str(names.get("MADE_OF") or hashlib.sha256(Path(names["__file__"]).read_bytes()).hexdigest())
        self._parts = (*VERSIONS, *where, code.co_code.hex(), source, ways, settings)
        self._title = re.sub(r"[^\w.]", "", f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}")
        self.called = re.sub("^spinsync_|_[0-9a-f]{20}(?=[.])", "", self._title)  # what people read, of generated modules too

    def _name(self, signature: Any, codegen: Any) -> str:
        """All that the machine code depends on; `codegen` knows the processor."""
        parts = (*self._parts, str(signature), codegen.magic_tuple())
        return f"{self._title}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}.nbc"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        found = compile_cache.load_code(self._name(sig, target_context.codegen()))
        if found is None:
            return None
        try:
            return _rebuild(target_context, *loads(found))
        except Exception:  # whole, but nothing of ours: what is compiled now takes its place
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if not data.library.has_dynamic_globals:
            compile_cache.save_code(self._name(sig, data.codegen), _dumps(data._reduce()))


class _Telling(event.Listener):
    """Tells what takes the compiler long. Numba asks the cache first: what is on the disk does not get here.

    All compilation holds one lock of numba, so that what is begun last ends first.
    """

    def __init__(self) -> None:
        self._open: list[AbstractContextManager[None]] = []

    def on_start(self, begun: Any) -> None:
        cache = begun.data["dispatcher"]._cache
        self._open.append(compiling_notice(cache.called) if isinstance(cache, _Kept) else nullcontext())
        self._open[-1].__enter__()

    def on_end(self, ended: Any) -> None:
        self._open.pop().__exit__(None, None, None)


_register: Any = event.register
_register("numba:compile", _Telling())


def compiled_for_device(function: Callable[..., Any]) -> Any:
    """A CUDA kernel; numba-cuda's own cache, which lies beside generated source, is used as far as it can be."""
    from numba import cuda

    jit: Any = cuda.jit
    try:
        kernel = jit(cache=True)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        return jit(function)
    if hasattr(kernel, "_cache"):  # the simulator has none
        _forgive(kernel._cache)
    return kernel


def _forgive(cache: Any) -> None:
    load, save = cache.load_overload, cache.save_overload

    def load_overload(*asked: Any) -> Any:
        try:
            return load(*asked)
        except Exception:  # whatever damage does
            return None

    def save_overload(*given: Any) -> None:
        try:
            save(*given)
        except Exception:  # a damaged index is read before it is written: begin again
            with suppress(OSError):
                cache.flush()
                save(*given)

    cache.load_overload, cache.save_overload = load_overload, save_overload
