"""Files of a sweep on disk: written so that a crash at any moment loses nothing that was called done, locked, and checked.

Beside the arrays of a store is a folder with what is no data: the lock, drafts of files, and the log of what differs from
run to run. It is an empty Zarr group, so that readers of the store leave it alone.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import google_crc32c
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from spinsync.base.checks import InputError, short_repr

with suppress(ImportError):  # Windows
    import fcntl

FOLDER = "sweep"  # beside the arrays
DRAFTS, LOCK, LOG, RUN = (f"{FOLDER}/{name}" for name in ("drafts", "lock", "log.jsonl", "run"))
FLUSH_THREADS = 16  # they only wait for the disk
CHECKSUM = 4  # bytes of the checksum at the end of a chunk


class DurableStore(LocalStore):
    """A Zarr store in a folder whose files get their name when they are complete; `flush` forces them to disk."""

    async def set(self, key: str, value: Buffer) -> None:
        await asyncio.to_thread(_write, Path(self.root), key, value.to_bytes())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if not await self.exists(key):
            await self.set(key, value)


def _write(root: Path, key: str, content: bytes) -> None:
    """Write a file whose name appears when it is complete."""
    target, draft = root / key, root / DRAFTS / uuid.uuid4().hex
    for folder in (target.parent, draft.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        draft.write_bytes(content)
        os.replace(draft, target)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def flush(files: Iterable[Path], root: Path) -> None:
    """Force files to disk, and the entries of their folders up to the root. Many at once take hardly longer than one."""
    files = list(files)
    folders = {folder for file in files for folder in file.parents if folder == root or root in folder.parents}
    for paths in (files, folders):
        list(_flushers().map(_flush, paths))


@cache
def _flushers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FLUSH_THREADS, "spinsync flush")


def _flush(path: Path) -> None:
    """Force a file or the entries of a folder to disk, where the system can."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems can't
            raise
    finally:
        os.close(handle)


def intact(file: Path) -> bool:
    """Whether a chunk is complete: its last bytes are the checksum of the others."""
    try:
        content = file.read_bytes()
    except OSError:
        return False
    sound = len(content) > CHECKSUM
    return sound and google_crc32c.value(content[:-CHECKSUM]) == int.from_bytes(content[-CHECKSUM:], "little")


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lock of a store within the block. The system frees it when the process ends, however it ends."""
    if os.name == "nt":
        yield
        return
    try:
        (root / FOLDER).mkdir(exist_ok=True)
        handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _unwritable(root, error) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "unknown"
            raise InputError(
                f"Argument `store` must be used by one sweep at a time, but {short_repr(str(root), 200)} "
                f"is in use (by {holder})."
            ) from None
        except OSError:  # a file system without locks
            pass
        os.truncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
        yield
    finally:
        os.close(handle)


def remove_drafts(root: Path) -> None:
    """Remove what killed writers have left; to be called under the lock."""
    shutil.rmtree(root / DRAFTS, ignore_errors=True)


def _unwritable(root: Path, error: OSError) -> InputError:
    text = (error.strerror or str(error)).lower()
    return InputError(f"Argument `store` must be writable, but {short_repr(str(root), 200)} is not ({text}).")


class StorageError(Exception):
    """What could not be written, with the reason. (It crosses processes, so it holds text only.)"""


@contextmanager
def storing() -> Iterator[None]:
    """Turn the errors of the file system within the block into a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError((error.strerror or str(error)).lower()) from None


def begin(root: Path, token: str) -> None:
    """Name the present run of a store, so that workers of an earlier one that was killed write nothing more."""
    with storing():
        (root / RUN).write_text(token, encoding="ascii")


def check_run(root: Path, token: str) -> None:
    if (root / RUN).read_text(encoding="ascii", errors="replace") != token:
        raise StorageError("another run has begun")


class Log:
    """The log of a store: a line of JSON for each event, with its time."""

    def __init__(self, root: Path) -> None:
        with storing():
            self._file = (root / LOG).open("ab", buffering=0)
            if self._file.tell() and not _ends_in_newline(root / LOG):  # the last writer was killed within a line
                self._file.write(b"\n")

    def write(self, event: str, **what: Any) -> None:
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **what}
        with storing():
            self._file.write(f"{json.dumps(line)}\n".encode())

    def close(self) -> None:
        self._file.close()


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def events(root: Path) -> Iterator[Mapping[str, Any]]:
    """The events of the log, without lines that a killed writer left unfinished."""
    with suppress(OSError), (root / LOG).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError):
                yield json.loads(line)
