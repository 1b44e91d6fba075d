"""Compilation of kernels by numba, with our own cache on disk instead of numba's.

Numba's own cache is stored next to the source, where it outlives the package. It fails on a damaged file, a full disk or for a
user without a home, and concurrent processes can mix up its entries.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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
_helpers: dict[str, dict[Any, Any]] = {}
#: numba settings that change the machine code (SVML: Intel's vector mathematics, which not every installation has)
SETTINGS = ("USING_SVML", "OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
VERSIONS = ("helpers by options", numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())


@typeof_impl.register(Kernel)
def _type_of_kernel(kernel: Kernel, context: Any) -> Any:
    """Numba's type of a kernel that is called by another one."""
    return numba.types.Dispatcher(kernel.compile())


def dispatcher(kernel: Kernel) -> Any:
    """Numba's dispatcher of a kernel; without a signature it compiles when it is called, for the types of the arguments."""
    compiled = _njit(**kernel.options)(kernel.function)
    with suppress(OSError):  # no cache for a package without source files
        compiled._cache = _DiskCache(compiled.py_func, kernel.options)
    if kernel.signature is not None:
        compiled.compile(kernel.signature)
        compiled.disable_compile()
    return compiled


class _DiskCache(NullCache):
    """Cache of a numba dispatcher: one file per signature, with its hash as the last bytes.

    The hash is checked first: damaged machine code would give a wrong answer or crash the process.
    """

    def __init__(self, function: FunctionType, options: dict[str, Any]) -> None:
        ways = sorted((name, sorted(way) if isinstance(way, set) else way) for name, way in options.items())
        settings = [str(getattr(numba.config, name, None)) for name in SETTINGS]
        code = function.__code__
        where, names = (function.__module__, function.__qualname__, code.co_firstlineno), function.__globals__
        # a generated module has the hash of its sources
        source = str(names.get("SOURCE_HASH") or hashlib.sha256(Path(names["__file__"]).read_bytes()).hexdigest())
        self._parts = (*VERSIONS, *where, code.co_code.hex(), source, ways, settings)
        self._title = re.sub(r"[^\w.]", "", f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}")
        self.display_name = re.sub("^spinsync_|_[0-9a-f]{20}(?=[.])", "", self._title)  # without the hash of a generated module

    def _name(self, signature: Any, codegen: Any) -> str:
        """File name with a hash of everything that the machine code depends on, including the processor (`codegen`)."""
        parts = (*self._parts, str(signature), codegen.magic_tuple())
        return f"{self._title}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}.nbc"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        found = compile_cache.load_code(self._name(sig, target_context.codegen()))
        if found is None:
            return None
        try:
            return _rebuild(target_context, *loads(found))
        except Exception:  # complete, but not from numba: it will be overwritten
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if not data.library.has_dynamic_globals:
            compile_cache.save_code(self._name(sig, data.codegen), _dumps(data._reduce()))


@contextmanager
def _own_helpers(dispatcher: Any) -> Iterator[None]:
    """Helper functions, such as the product of complex numbers, compiled with the options of the dispatcher.

    Numba keeps the helpers of all functions of a process in one table, without their options: after a function with `fastmath`
    the products of any other were fused, with other last digits, and our cache would have kept them.
    """
    context, options = dispatcher.targetctx, dispatcher.targetoptions.get("fastmath", False)
    shared = context.cached_internal_func
    context.cached_internal_func = _helpers.setdefault(str(sorted(options) if isinstance(options, set) else options), {})
    try:
        yield
    finally:
        context.cached_internal_func = shared


class _CompileListener(event.Listener):
    """Issues notices of long compilations, and keeps helpers apart. Numba tries the cache first: cached code causes no event.

    All compilation holds numba's global lock, so that events are nested.
    """

    def __init__(self) -> None:
        self._open: list[ExitStack] = []

    def on_start(self, started: Any) -> None:
        dispatcher, entered = started.data["dispatcher"], ExitStack()
        if isinstance(dispatcher._cache, _DiskCache):
            entered.enter_context(compiling_notice(dispatcher._cache.display_name))
            entered.enter_context(_own_helpers(dispatcher))
        self._open.append(entered)

    def on_end(self, ended: Any) -> None:
        self._open.pop().__exit__(None, None, None)


_register: Any = event.register
_register("numba:compile", _CompileListener())


def compiled_for_device(function: Callable[..., Any]) -> Any:
    """A CUDA kernel, with numba-cuda's own cache next to the generated source where that is possible."""
    from numba import cuda

    jit: Any = cuda.jit
    try:
        kernel = jit(cache=True)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        return jit(function)
    if hasattr(kernel, "_cache"):  # the simulator has none
        _ignore_damage(kernel._cache)
    return kernel


def _ignore_damage(cache: Any) -> None:
    """Treat errors of numba-cuda's cache as cache misses."""
    load, save = cache.load_overload, cache.save_overload

    def load_overload(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception:  # any effect of damage
            return None

    def save_overload(*arguments: Any) -> None:
        try:
            save(*arguments)
        except Exception:  # a damaged index: start a new one
            with suppress(OSError):
                cache.flush()
                save(*arguments)

    cache.load_overload, cache.save_overload = load_overload, save_overload
