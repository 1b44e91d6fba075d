"""Numpy's common random numbers, which belong to the user."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
Answer = TypeVar("Answer")

_lock = Lock()
_inside: list[Any] = []  # what the user had, once for each call that is under way


def reproducible(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """For what asks scipy to estimate norms: it draws from numpy's common random numbers.

    They are the same in each call, so that no result depends on what the user drew before, and the user's own come back.
    """

    @wraps(function)
    def called(*arguments: P.args, **options: P.kwargs) -> Answer:
        with _lock:
            _inside.append(_inside[0] if _inside else np.random.get_state())  # noqa: NPY002
            np.random.seed(0)  # noqa: NPY002
        try:
            return function(*arguments, **options)
        finally:
            with _lock:
                before = _inside.pop()
                if not _inside:
                    np.random.set_state(before)  # noqa: NPY002

    return called
