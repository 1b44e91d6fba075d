"""Compiled functions: cached where a cache can be written, compiled anew in each process where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from spinsync.base.checks import InputError

_njit: Any = numba.njit
Decorator = Callable[[Callable[..., Any]], Any]


def need_compiler() -> None:
    """Some kernels can't be interpreted.

    Raises
    ------
    InputError
        Where numba is told not to compile.
    """
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        raise InputError("The environment variable NUMBA_DISABLE_JIT must be unset for diagrams and many spins, but is set.")


def compiled(signature: Any = None) -> Decorator:
    """`@compiled(signature)`: machine code without the interpreter's lock, NaN and infinity kept.

    A read-only installation for a user without a home has no place for a cache; that is no reason to fail.
    Functions of one module may call each other; across modules pass them as arguments (first-class functions): the
    cache of the caller would keep the old code of an edited function.
    """
    arguments = () if signature is None else (signature,)

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return _njit(*arguments, cache=True, nogil=True, error_model="numpy")(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            return _njit(*arguments, nogil=True, error_model="numpy")(function)

    return decorate
