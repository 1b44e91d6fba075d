"""One sentence where the compiler takes long: what it compiles, and that this is kept for the next time."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

from spinsync.base import compile_cache

PATIENCE = 2.0  # seconds of compilation without a word

_told: set[str] = set()
_telling = threading.Lock()
_within: ContextVar[bool] = ContextVar("within a notice", default=False)


@contextmanager
def compiling_notice(what: str) -> Iterator[None]:
    """Say that `what` is compiled, if the work inside lasts; once per process, and the outermost speaks for all.

    The sentence goes to Python's logger `spinsync`, thus to standard error, where any level above WARNING turns it off. It is
    no warning, so that it ends nothing; but who makes errors of warnings wants a silent standard error, and has it.
    """
    if _within.get():
        yield
        return
    _within.set(True)
    timer = threading.Timer(PATIENCE, copy_context().run, (_tell, what))
    timer.daemon = True
    if not _warnings_are_errors():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _within.set(False)  # not by a token: at the end of the interpreter this is another context


def _tell(what: str) -> None:
    with _telling:
        if what in _told:
            return
        _told.add(what)
    folder = next((place.folder for place in compile_cache.places() if place.trouble is None), None)
    kept = "" if folder is None else f"; the result is kept in {folder} for the next time"
    logging.getLogger("spinsync").warning("spinsync compiles %s, which takes a while%s.", what, kept)


def _warnings_are_errors() -> bool:
    """Whether the first of Python's filters that holds for all of a user's warnings makes errors of them."""
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
