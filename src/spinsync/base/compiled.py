"""Kernels: functions that become machine code when they are first called, and are interpreted where that costs more.

Nothing here loads a compiler: who only runs a few steps does not wait for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any

from spinsync.base.checks import InputError
from spinsync.base.interrupts import aside


def need_compiler() -> None:
    """Refuse to go on where numba is told not to compile: some kernels can't be interpreted."""
    if not allowed():
        raise InputError("The environment variable NUMBA_DISABLE_JIT must be unset for many spins, but is set.")


def allowed() -> bool:
    """Whether there is a compiler to be used."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


class Kernel:
    """A function and, from the first call on, its machine code. Functions of its own module that it calls are kernels too."""

    def __init__(self, function: FunctionType, signature: str | None, options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.function, self.signature, self.options = function, signature, options
        self._machine: Any = None

    def __call__(self, *arguments: Any) -> Any:
        machine = self.machine
        given = [one.machine if isinstance(one, Kernel) else one for one in arguments]
        if self.signature is None and self.ready and not machine.overloads:
            return aside(machine)(*given)  # compiles now, for the types of these arguments
        return machine(*given)

    def light(self, *arguments: Any) -> Any:
        """A call that has little to do: interpreted, as long as there is no machine code."""
        if self.ready or not allowed():
            return self(*arguments)
        return self.interpreted(*(given.interpreted if isinstance(given, Kernel) else given for given in arguments))

    @property
    def ready(self) -> bool:
        """Whether this process has the machine code."""
        return self._machine is not None

    @property
    def machine(self) -> Any:
        """What numba makes of it: to be called, or given to other machine code."""
        if self._machine is None:
            if not allowed():
                return self.interpreted
            aside(self.made)()  # a compiler hears an interrupt late, or swallows it
        return self._machine

    def made(self) -> Any:
        """The machine code, made in this very thread: while it compiles a caller, it keeps any other from compiling."""
        from spinsync.base.machine_code import compiling, dispatcher

        with compiling:  # two threads that ask for it at once get the same
            self._machine = self._machine or dispatcher(self)
        return self._machine

    @cached_property
    def interpreted(self) -> FunctionType:
        """The same as plain Python, for little work before there is machine code."""
        function, known = self.function, self.function.__globals__
        called = {name: known[name] for name in function.__code__.co_names if isinstance(known.get(name), Kernel)}
        names = known | {name: kernel.interpreted for name, kernel in called.items()}
        return FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def compiled(signature: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`@compiled(signature)`: machine code without the interpreter's lock, NaN and infinity kept; `options` go to numba.

    Functions of one module may call each other; across modules pass them as arguments (first-class functions): the
    cache of the caller would keep the old code of an edited function.
    """

    def decorate(function: Any) -> Any:
        return Kernel(function, signature, {"nogil": True, "error_model": "numpy", **options})

    return decorate
