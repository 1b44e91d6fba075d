"""A log message when compilation takes long: what is compiled, and where the result is cached."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

from spinsync.base import compile_cache, progress

DELAY = 2.0  # seconds of compilation before the message

_reported: set[str] = set()
_lock = threading.Lock()
_within: ContextVar[bool] = ContextVar("within a notice", default=False)


@contextmanager
def compiling_notice(what: str) -> Iterator[None]:
    """Log that `what` is compiled, if the block lasts long: once per process, and only for the outermost block.

    A progress line says it instead, where one is shown.

    The message goes to Python's logger `spinsync`, by default to standard error; a level above WARNING turns it off. It is
    not issued through `warnings`, and omitted if warnings are errors, where a silent standard error is expected.
    """
    if _within.get():
        yield
        return
    _within.set(True)
    timer = threading.Timer(DELAY, copy_context().run, (_report, what))
    timer.daemon = True
    try:
        with progress.pause(f"compiling {what}, once") as visible:
            if not visible and not _warnings_are_errors():
                timer.start()
            yield
    finally:
        timer.cancel()
        _within.set(False)  # not by a token: at interpreter exit the context is another one


def _report(what: str) -> None:
    with _lock:
        if what in _reported:
            return
        _reported.add(what)
    folder = next((found.path for found in compile_cache.folders() if found.trouble is None), None)
    kept = "" if folder is None else f"; the result is kept in {folder} for the next time"
    logging.getLogger("spinsync").warning("spinsync compiles %s, which takes a while%s.", what, kept)


def _warnings_are_errors() -> bool:
    """Whether the first warning filter that applies to all UserWarnings turns them into errors."""
    for action, text, category, module, line in warnings.filters:
        if text is None and module is None and not line and issubclass(UserWarning, category):
            return action == "error"
    return False


def warn(sentence: str, category: type[Warning] = UserWarning) -> None:
    """A warning that names the line of the user's own code which called the package."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "spinsync":
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, category, stacklevel=level)
