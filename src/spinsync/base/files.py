"""Files that appear under their name only when complete."""

from __future__ import annotations

import glob
import os
import shutil
import stat
import time
import uuid
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spinsync.base.checks import InputError, shown
from spinsync.base.parallel import each

with suppress(ImportError):  # Windows
    import fcntl

DRAFT = ".draft"  # ends the names of drafts
REMOVALS = (0.1, 0.2, 0.4)  # seconds to wait after each try to remove a draft
FLUSHED = 4  # files at once: a thousand small ones take a third of a second, and ten one after the other
LONGEST = 2**26  # bytes of a file that is read
TIMEOUT = 10.0  # seconds in which a pipe must bring its text


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _shown(path: str | Path) -> str:
    return shown(str(path), 200)


def _flush(path: Path) -> None:
    """Have a file, or a folder itself, written to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class UnwritableError(InputError):
    """A file that can't be written, and why not."""

    def __init__(self, name: str, path: str | Path, reason: str) -> None:
        super().__init__(f"Argument `{name}` must be writable, but {_shown(path)} is not ({reason}).")
        self.path, self.reason = Path(path).absolute(), reason
        self._given = name, path, reason

    def __reduce__(self) -> Any:  # its sentence alone does not make it again in another process
        return UnwritableError, self._given


@contextmanager
def new_folder(path: str | Path, name: str = "out") -> Iterator[Path]:
    """A folder to fill; it takes the name `path`, which must be new, when the block ends well, and vanishes otherwise."""
    target = Path(path).absolute()
    try:
        taken = target.is_symlink() or target.exists()
    except OSError as error:
        raise UnwritableError(name, path, _reason(error)) from None
    if taken:
        raise InputError(f"Argument `{name}` must be a new path, but {_shown(path)} exists.")
    try:
        with _draft(target) as draft:
            yield draft
            each(_flush, [draft, *draft.rglob("*")], waiting=FLUSHED)  # several at once, which a disk writes together
            draft.rename(target)
    except OSError as error:
        raise UnwritableError(name, path, _reason(error)) from error
    except UnwritableError as error:  # the reader asked for the folder, not for a file in its draft
        if draft not in error.path.parents:
            raise
        raise UnwritableError(name, path, error.reason) from error


def write_text(path: str | Path, text: str, name: str = "path") -> None:
    """Write `text` to `path` in one move: a reader sees the old file or the new one, never half of it."""
    with new_version(path, name) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def new_version(path: str | Path, name: str = "path") -> Iterator[Path]:
    """A file to write; it takes the place of `path` when the block ends well, and vanishes otherwise.

    A `path` that is something else than a file is refused: a folder, or a device, must not be replaced.
    """
    target = Path(path).absolute()
    try:
        if target.exists() and not target.is_file():
            raise UnwritableError(name, path, "no regular file")
        with _draft(target) as draft:
            yield draft / target.name
            os.replace(draft / target.name, target)
            draft.rmdir()
    except OSError as error:
        raise UnwritableError(name, path, _reason(error)) from None


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A hidden folder beside `target`, which is gone when the block ends; those of dead processes are swept."""
    _sweep(target)
    new = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.new"
    new.mkdir()
    with _held(new):
        draft = new.rename(new.with_suffix(DRAFT))  # it is locked before others can take it for left behind
        try:
            yield draft
        finally:
            _remove(draft)


def _sweep(target: Path) -> None:
    """Remove what writers of `target` have left who were killed: their drafts are locked no more."""
    for draft in target.parent.glob(f".{glob.escape(target.name)}.????????{DRAFT}"):
        with suppress(OSError), _held(draft) as alone:
            if alone:
                _remove(draft)


@contextmanager
def _held(draft: Path) -> Iterator[bool]:
    """Lock a draft as long as this process lives; whether nobody else has locked it. The system unlocks it at any end."""
    if os.name == "nt":  # no such locks there: nothing is swept
        yield False
        return
    handle = os.open(draft, os.O_RDONLY)
    try:
        alone = False
        with suppress(OSError):  # somebody else has it, or the file system has no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        yield alone
    finally:
        os.close(handle)


def _remove(draft: Path) -> None:
    """Remove a draft, and again while threads of a failed writer still put files into it."""
    for pause in REMOVALS:
        if not draft.exists():
            return
        shutil.rmtree(draft, ignore_errors=True)
        time.sleep(pause)


def read_text(path: str | Path, name: str = "path") -> str:
    """The text of a file, also of a pipe, with one sentence if it can't be read.

    A byte order mark, as some editors write, is no text.
    """
    try:
        content = _content(path)
    except (OSError, ValueError) as error:
        raise InputError(f"Argument `{name}` must be a readable file, but {_shown(path)} is not ({_reason(error)}).") from None
    if len(content) > LONGEST:
        raise InputError(f"Argument `{name}` must be a file of at most {LONGEST >> 20} MiB, but {_shown(path)} is longer.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 has them beside every letter, also where it bears no mark
        is_not = "in UTF-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "not"
        raise InputError(f"Argument `{name}` must be a text file in UTF-8, but {_shown(path)} is {is_not}.")
    return text.replace("\r\n", "\n")


def _content(path: str | Path) -> bytes:
    """All bytes, or LONGEST and some more. A pipe in which nothing comes is not waited for without end."""
    end = time.monotonic() + TIMEOUT
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb", buffering=0) as file:
        pipe, content = stat.S_ISFIFO(os.fstat(handle).st_mode), bytearray()
        while len(content) <= LONGEST:
            part = file.read(2**20)  # None: nothing yet; of a pipe also b"", while nobody writes to it
            if part:
                content += part
            elif part is not None and (content or not pipe):
                break
            elif time.monotonic() > end:
                raise TimeoutError(0, f"nothing came for {TIMEOUT:g} seconds")
            else:
                time.sleep(0.01)
    return bytes(content)
