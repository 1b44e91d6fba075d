"""Files that appear under their name only when complete."""

from __future__ import annotations

import os
import shutil
import uuid
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spinsync.base.checks import InputError


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _sync(folder: Path) -> None:
    """Flush every file below `folder` and the folders themselves to disk."""
    for path in [folder, *folder.rglob("*")]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def new_folder(path: str | Path, name: str = "out") -> Iterator[Path]:
    """A folder to fill; it takes the name `path` when the block ends well, and vanishes otherwise.

    Raises
    ------
    InputError
        If `path` exists, or its parent is missing or can't be written.
    """
    target = Path(path).absolute()
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    try:
        taken = target.is_symlink() or target.exists()
        if not taken:
            draft.mkdir()
    except OSError as error:
        raise InputError(f"Argument `{name}` must be writable, but {str(path)!r} is not ({_reason(error)}).") from None
    if taken:
        raise InputError(f"Argument `{name}` must be a new path, but {str(path)!r} exists.")
    try:
        yield draft
        _sync(draft)
        draft.rename(target)
    except OSError as error:
        raise InputError(f"Argument `{name}` must be writable, but {str(path)!r} is not ({_reason(error)}).") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_text(path: str | Path, text: str, name: str = "path") -> None:
    """Write `text` to `path` in one move: a reader sees the old file or the new one, never half of it."""
    with new_version(path, name) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def new_version(path: str | Path, name: str = "path") -> Iterator[Path]:
    """A file to write; it takes the place of `path` when the block ends well, and vanishes otherwise.

    Raises
    ------
    InputError
        If `path` can't be written.
    """
    target = Path(path).absolute()
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    try:
        yield draft
        os.replace(draft, target)
    except OSError as error:
        raise InputError(f"Argument `{name}` must be writable, but {str(path)!r} is not ({_reason(error)}).") from None
    finally:
        draft.unlink(missing_ok=True)


def read_text(path: str | Path, name: str = "path") -> str:
    """The text of a file, with one sentence if it can't be read; a byte order mark, as some editors write, is no text."""
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"Argument `{name}` must be a readable file, but {str(path)!r} is not ({_reason(error)}).") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 has them beside every letter, also where it bears no mark
        is_not = "in UTF-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "not"
        raise InputError(f"Argument `{name}` must be a text file in UTF-8, but {str(path)!r} is {is_not}.")
    return text.replace("\r\n", "\n")
