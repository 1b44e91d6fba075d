"""Linear algebra on one thread.

Our dense matrices are small, and the large ones are sparse. Threads of BLAS gain nothing there, and spin while they wait
for each other: beside other busy processes a call can take a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

_lock = Lock()
_inside: list[list[int]] = []  # what the libraries were set to, once for each who computes on one thread at present


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS on one thread; the setting of before comes back.

    Most libraries have one setting for the whole process. Of several threads that are here at once the first to come makes
    it, and the last to leave takes it back: none of them computes with another number on the way, and the user's own stays.
    """
    whole, own = _libraries()
    with _lock:
        _inside.append(_inside[0] if _inside else [library.num_threads for library in whole])
        if len(_inside) == 1:
            _set(whole, [1] * len(whole))
    try:
        with own.limit(limits=1):
            yield
    finally:
        with _lock:
            before = _inside.pop()
            if not _inside:
                _set(whole, before)


def _set(libraries: list[Any], numbers: list[int]) -> None:
    """threadpoolctl lets only one thread set OpenBLAS, the first that did: whoever leaves last here has to be that one."""
    for library, number in zip(libraries, numbers, strict=True):
        free = getattr(library, "clear_controlling_thread", lambda force: None)
        free(force=True)
        library.set_num_threads(number)
        free(force=True)


@cache
def _libraries() -> tuple[list[Any], Any]:
    """Those with one setting for the process, and a controller of those with one for each thread."""
    import scipy.linalg  # noqa: F401  # numpy and scipy bring a BLAS each, which must be loaded to be found
    from threadpoolctl import ThreadpoolController

    every = ThreadpoolController().select(user_api="blas")
    own = [
        library for library in every.lib_controllers
        if library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"
    ]  # fmt: skip
    whole = [library for library in every.lib_controllers if library not in own]
    return whole, every.select(filepath=[library.filepath for library in own])
