"""Files and folders that appear under their name only when complete: drafts are renamed at the end."""

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

from spinsync.base.checks import InputError, short_repr
from spinsync.base.parallel import parallel_map

with suppress(ImportError):  # Windows
    import fcntl

DRAFT, UNFINISHED = ".draft", ".unfinished"  # suffixes of drafts, and of those that are continued
REMOVAL_PAUSES = (0.1, 0.2, 0.4)  # seconds to wait after each try to remove a draft
FLUSH_THREADS = 4  # files flushed at once: a thousand small ones take 0.3 s, and 10 s one after the other
LONGEST = 2**26  # bytes; longer files are not read
TIMEOUT = 10.0  # seconds to wait for the text of a pipe


def cause(error: Exception) -> str:
    """The text of an error, without the number and path of an OSError."""
    return str(getattr(error, "strerror", None) or error).lower()


def _shown(path: str | Path) -> str:
    return short_repr(str(path), 200)


def _flush(path: Path) -> None:
    """Force a file, or a folder entry, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class UnwritableError(InputError):
    """A file that can't be written, with the reason."""

    def __init__(self, name: str, path: str | Path, reason: str) -> None:
        super().__init__(f"Argument `{name}` must be writable, but {_shown(path)} is not ({reason}).")
        self.path, self.reason = Path(path).absolute(), reason
        self._given = name, path, reason

    def __reduce__(self) -> Any:  # to unpickle it, the message alone is not enough
        return UnwritableError, self._given


@contextmanager
def new_folder(path: str | Path, name: str = "out") -> Iterator[Path]:
    """Yield a draft folder; it is renamed to `path`, which must be new, at the end of the block, or removed after an error."""
    target = Path(path).absolute()
    with _errors_of_folder(path, name) as drafts:
        _check_new(path, name)
        with _draft(target) as draft:
            drafts.append(draft)
            yield draft
            _finish(draft, target)


@contextmanager
def _errors_of_folder(path: str | Path, name: str) -> Iterator[list[Path]]:
    """Errors of writing name the folder, not a file in one of its drafts, which the block appends to the list."""
    drafts: list[Path] = []
    try:
        yield drafts
    except OSError as error:
        raise UnwritableError(name, path, cause(error)) from error
    except UnwritableError as error:
        if not set(drafts) & set(error.path.parents):
            raise
        raise UnwritableError(name, path, error.reason) from error


def _check_new(path: str | Path, name: str) -> None:
    target = Path(path).absolute()
    if target.is_symlink() or target.exists():
        raise InputError(f"Argument `{name}` must be a new path, but {_shown(path)} exists.")


def _finish(draft: Path, target: Path) -> None:
    """Force a draft to disk and give it its name."""
    parallel_map(_flush, [draft, *draft.rglob("*")], io_threads=FLUSH_THREADS)  # a disk writes several at once faster
    draft.rename(target)


def unfinished(path: str | Path, kind: str) -> Path:
    """The draft of a `continued_folder`."""
    target = Path(path).absolute()
    return target.parent / f".{target.name}.{kind}{UNFINISHED}"


@contextmanager
def continued_folder(path: str | Path, kind: str, name: str = "out") -> Iterator[Path]:
    """As `new_folder`, but after an error or a crash the draft stays, and the next call with this `kind` goes on with it."""
    target, draft = Path(path).absolute(), unfinished(path, kind)
    with _errors_of_folder(path, name) as drafts:
        _check_new(path, name)
        draft.mkdir(exist_ok=True)
        drafts.append(draft)
        with _lock(draft) as locked:
            if locked is False:
                raise InputError(f"Argument `{name}` must be written by one process at a time, but {_shown(path)} is in use.")
            try:
                yield draft
            except BaseException:
                if not any(draft.iterdir()):
                    draft.rmdir()
                raise
            _finish(draft, target)


def write_text(path: str | Path, text: str, name: str = "path") -> None:
    """Write `text` to `path` atomically: a reader sees the old file or the new one, never part of it."""
    with new_version(path, name) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def new_version(path: str | Path, name: str = "path") -> Iterator[Path]:
    """Yield the path of a draft file; it replaces `path` at the end of the block, or is removed after an error.

    A `path` that is no regular file (a folder, a device) is refused.
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
        raise UnwritableError(name, path, cause(error)) from None


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A hidden folder next to `target`, removed at the end of the block; drafts of dead processes are removed first."""
    _remove_abandoned(target)
    new = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.new"
    new.mkdir()
    with _lock(new):
        draft = new.rename(new.with_suffix(DRAFT))  # locked before others could take it for abandoned
        try:
            yield draft
        finally:
            _remove(draft)


def _remove_abandoned(target: Path) -> None:
    """Remove drafts of `target` that are not locked, since their writers were killed."""
    for draft in target.parent.glob(f".{glob.escape(target.name)}.????????{DRAFT}"):
        with suppress(OSError), _lock(draft) as locked:
            if locked:
                _remove(draft)


@contextmanager
def _lock(draft: Path) -> Iterator[bool | None]:
    """Lock a draft within the block; the system unlocks it when the process ends.

    Yields whether that succeeded: False if another process holds it, None where there are no locks, so that drafts stay.
    """
    if os.name == "nt":
        yield None
        return
    handle = os.open(draft, os.O_RDONLY)
    try:
        locked: bool | None = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            locked = False
        except OSError:
            locked = None
        yield locked
    finally:
        os.close(handle)


def _remove(draft: Path) -> None:
    """Remove a draft, repeatedly if threads of a failed writer still add files."""
    for pause in REMOVAL_PAUSES:
        if not draft.exists():
            return
        shutil.rmtree(draft, ignore_errors=True)
        time.sleep(pause)


def read_text(path: str | Path, name: str = "path") -> str:
    """The text of a UTF-8 file or pipe, without a byte order mark; an InputError if it can't be read."""
    try:
        content = _content(path)
    except (OSError, ValueError) as error:
        raise InputError(f"Argument `{name}` must be a readable file, but {_shown(path)} is not ({cause(error)}).") from None
    if len(content) > LONGEST:
        raise InputError(f"Argument `{name}` must be a file of at most {LONGEST >> 20} MiB, but {_shown(path)} is longer.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 without a byte order mark also contains zero bytes
        is_not = "in UTF-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "not"
        raise InputError(f"Argument `{name}` must be a text file in UTF-8, but {_shown(path)} is {is_not}.")
    return text.replace("\r\n", "\n")


def _content(path: str | Path) -> bytes:
    """All bytes, or somewhat more than LONGEST. Raises TimeoutError for a pipe without data."""
    end = time.monotonic() + TIMEOUT
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb", buffering=0) as file:
        pipe, content = stat.S_ISFIFO(os.fstat(handle).st_mode), bytearray()
        while len(content) <= LONGEST:
            part = file.read(2**20)  # None: nothing yet; so is b"" of a pipe without a writer
            if part:
                content += part
            elif part is not None and (content or not pipe):
                break
            elif time.monotonic() > end:
                raise TimeoutError(0, f"nothing came for {TIMEOUT:g} seconds")
            else:
                time.sleep(0.01)
    return bytes(content)
