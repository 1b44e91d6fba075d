"""Linear algebra (BLAS) on one thread.

Dense matrices are small here, and large ones are sparse. BLAS threads gain nothing then, and busy-wait for each other: next
to other busy processes a call can take a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

_lock = Lock()
_inside: list[list[int]] = []  # the original settings, once per active `one_blas_thread`


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread within the block, and restore the previous setting.

    Most libraries have one setting per process. When several threads are within such blocks, the first to enter sets it and
    the last to leave restores it.
    """
    shared, own = _libraries()
    with _lock:
        _inside.append(_inside[0] if _inside else [library.num_threads for library in shared])
        if len(_inside) == 1:
            _set(shared, [1] * len(shared))
    try:
        with own.limit(limits=1):
            yield
    finally:
        with _lock:
            before = _inside.pop()
            if not _inside:
                _set(shared, before)


def _set(libraries: list[Any], numbers: list[int]) -> None:
    """Set the numbers of threads. Before and after, release OpenBLAS: threadpoolctl ties it to the thread that set it first."""
    for library, number in zip(libraries, numbers, strict=True):
        release = getattr(library, "clear_controlling_thread", lambda force: None)
        release(force=True)
        library.set_num_threads(number)
        release(force=True)


@cache
def _libraries() -> tuple[list[Any], Any]:
    """BLAS libraries with one setting per process, and a controller of those with one per thread."""
    import scipy.linalg  # noqa: F401  # numpy and scipy each bring a BLAS, which is found once loaded
    from threadpoolctl import ThreadpoolController

    every = ThreadpoolController().select(user_api="blas")
    own = [
        library for library in every.lib_controllers
        if library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"
    ]  # fmt: skip
    shared = [library for library in every.lib_controllers if library not in own]
    return shared, every.select(filepath=[library.filepath for library in own])
