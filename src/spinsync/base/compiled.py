"""Kernels: functions compiled at their first call, or interpreted where compilation would take longer.

Importing this module loads no compiler, so that a short run does not wait for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any

from spinsync.base.checks import InputError
from spinsync.base.interrupts import in_background


def require_compiler() -> None:
    """Raise an InputError if numba's compiler is disabled: some kernels can't be interpreted."""
    if not compiler_enabled():
        raise InputError("The environment variable NUMBA_DISABLE_JIT must be unset for many spins, but is set.")


def compiler_enabled() -> bool:
    """Whether numba's compiler may be used."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


class Kernel:
    """A function and, from the first call on, its machine code. It may call other kernels of its own module."""

    def __init__(self, function: FunctionType, signature: str | None, options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.function, self.signature, self.options = function, signature, options
        self._machine_code: Any = None

    def __call__(self, *arguments: Any) -> Any:
        machine_code = self.machine_code
        given = [argument.machine_code if isinstance(argument, Kernel) else argument for argument in arguments]
        if self.signature is None and self.ready and not machine_code.overloads:
            return in_background(machine_code)(*given)  # compiles for the types of these arguments
        return machine_code(*given)

    def without_compiling(self, *arguments: Any) -> Any:
        """A call with little work: interpreted unless the machine code already exists."""
        if self.ready or not compiler_enabled():
            return self(*arguments)
        return self.interpreted(*(given.interpreted if isinstance(given, Kernel) else given for given in arguments))

    @property
    def ready(self) -> bool:
        """Whether the machine code exists in this process."""
        return self._machine_code is not None

    @property
    def machine_code(self) -> Any:
        """Numba's dispatcher, to be called or passed to other compiled functions; compiled at first access."""
        if self._machine_code is None:
            if not compiler_enabled():
                return self.interpreted
            in_background(self.compile)()  # a compiler reacts late to an interrupt, or swallows it
        return self._machine_code

    def compile(self) -> Any:
        """Compile in this thread, which may hold numba's compiler lock already (for the caller of this kernel)."""
        from spinsync.base.machine_code import compiling, dispatcher

        with compiling:  # one result for several threads
            self._machine_code = self._machine_code or dispatcher(self)
        return self._machine_code

    @cached_property
    def interpreted(self) -> FunctionType:
        """The same function as plain Python, together with the kernels that it calls."""
        function, names = self.function, self.function.__globals__
        called = {name: names[name] for name in function.__code__.co_names if isinstance(names.get(name), Kernel)}
        names = names | {name: kernel.interpreted for name, kernel in called.items()}
        return FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def compiled(signature: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator `@compiled(signature)`: machine code that releases the GIL and respects NaN and infinity.

    `options` go to numba. Functions of one module may call each other; pass those of other modules as arguments
    (first-class functions), as the caller's cache entry would otherwise contain outdated code after an edit.
    """

    def decorate(function: Any) -> Any:
        return Kernel(function, signature, {"nogil": True, "error_model": "numpy", **options})

    return decorate
