"""Compiled functions: cached where a cache can be written, compiled anew in each process where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

_njit: Any = numba.njit
Decorator = Callable[[Callable[..., Any]], Any]


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
