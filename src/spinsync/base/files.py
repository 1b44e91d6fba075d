"""Files that appear under their name only when complete."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spinsync.base.checks import InputError, shown


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _shown(path: str | Path) -> str:
    return shown(str(path), 200)


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
        raise InputError(f"Argument `{name}` must be writable, but {_shown(path)} is not ({_reason(error)}).") from None
    if taken:
        raise InputError(f"Argument `{name}` must be a new path, but {_shown(path)} exists.")
    try:
        yield draft
        _sync(draft)
        draft.rename(target)
    except OSError as error:
        raise InputError(f"Argument `{name}` must be writable, but {_shown(path)} is not ({_reason(error)}).") from error
    except InputError as error:
        if draft.name not in str(error) or not isinstance(error.__context__, OSError):
            raise
        reason = _reason(error.__context__)  # a file in the draft can't be written, whose name nobody gave
        raise InputError(f"Argument `{name}` must be writable, but {_shown(path)} is not ({reason}).") from None
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
        If `path` can't be written, or is something else than a file: a folder, or a device, which must not be replaced.
    """
    target = Path(path).absolute()
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    try:
        if target.exists() and not target.is_file():
            raise InputError(f"Argument `{name}` must be writable, but {_shown(path)} is not (no regular file).")
        yield draft
        os.replace(draft, target)
    except OSError as error:
        raise InputError(f"Argument `{name}` must be writable, but {_shown(path)} is not ({_reason(error)}).") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def read_text(path: str | Path, name: str = "path") -> str:
    """The text of a file, with one sentence if it can't be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"Argument `{name}` must be a text file in UTF-8, but {_shown(path)} is not.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"Argument `{name}` must be a readable file, but {_shown(path)} is not ({_reason(error)}).") from None
