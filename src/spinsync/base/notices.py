"""Warnings of the package, and a log message when compilation takes long: what is compiled, and where it is cached."""

from __future__ import annotations

import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from types import FrameType

from spinsync.base import compile_cache, progress

DELAY = 2.0  # seconds of compilation before the message

_reported: set[str] = set()
_lock = threading.Lock()
_within: ContextVar[bool] = ContextVar("within a notice", default=False)

Kept = dict[str, tuple[str, type[Warning]]]  # place in the package that warns -> its first sentence, category
_kept: ContextVar[Kept | None] = ContextVar("warnings that are kept", default=None)


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
    kept, caller = _kept.get(), sys._getframe(1)
    if kept is None or _action(sentence, category, frame) in ("ignore", "error"):
        warnings.warn(sentence, category, stacklevel=level)
    else:
        kept.setdefault(f"{caller.f_globals['__name__']}.{caller.f_code.co_name}", (sentence, category))


@contextmanager
def kept_warnings() -> Iterator[Kept]:
    """Keep the warnings of the package within the block, one of each kind, for whoever gives them later.

    Python shows a warning again whenever its numbers differ, and those of other processes and machines where nobody looks.
    """
    before, kept = _kept.get(), Kept()
    _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.set(before)


def _action(sentence: str, category: type[Warning], frame: FrameType) -> str:
    """What the filters of Python do with a warning about a line of code."""
    name = frame.f_globals.get("__name__", "")
    for action, text, kind, module, line in warnings.filters:
        here = (module is None or re.match(module, name)) and line in (0, frame.f_lineno)
        if here and issubclass(category, kind) and (text is None or re.match(text, sentence)):
            return action
    return "default"
