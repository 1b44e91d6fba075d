"""Linear algebra on one thread.

Our dense matrices are small, and the large ones are sparse. Threads of BLAS gain nothing there, and spin while they wait
for each other: beside other busy processes a call can take a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS on one thread; the setting of before comes back.

    It is one for the whole process. Of several threads that are here at once the first one makes it and takes it back.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401  # numpy and scipy bring a BLAS each, which must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
