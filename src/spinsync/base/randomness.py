"""Protection of numpy's global random state, which belongs to the user."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
Answer = TypeVar("Answer")

_lock = Lock()
_inside: list[Any] = []  # the user's state, once per running call


def reproducible(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """Run a function with numpy's global random state seeded by 0, and restore the user's state afterwards.

    For calls of scipy's norm estimates, which draw from the global state: their result is then the same in each call.
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
