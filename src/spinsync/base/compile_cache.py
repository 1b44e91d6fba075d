"""The cache of compiled code on disk: one folder per user.

An entry is never outdated, since its name contains a hash of everything it depends on; so installations and versions can
share a folder. Entries are written atomically, and damaged ones are removed. For safety, a folder that belongs to another
user, or that others may write to, is not used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from spinsync.base.files import cause

DAY = 86400.0  # seconds
HASH = 32  # bytes of the hash at the end of an entry
UNUSED = 30 * DAY  # age without use after which an entry is removed
OTHER_OWNER = "it belongs to another user"
ENTRY = re.compile(r".+-[0-9a-f]{24}\.nbc|spinsync_\w+\.py|.+\.part")  # machine code, generated source, drafts of both


def candidates() -> Iterator[Path]:
    """Possible folders of the cache, best first; one named by the user is the only one, if it can be used."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        named = Path(given) / "spinsync-cache"  # not `spinsync`, which could be imported from there
        yield named
        if _trouble(named) is None and os.access(named, os.W_OK):
            return
    if own := _of_user(sys.platform):
        yield own
    if hasattr(os, "geteuid"):
        shared = next((folder for folder in (os.environ.get("TMPDIR"), "/tmp") if folder and os.path.isdir(folder)), None)
        if shared:
            yield Path(shared) / f"spinsync-{os.geteuid()}"


def _of_user(platform: str) -> Path | None:
    """The system's folder for a user's caches; None for a user without a home."""
    if os.path.isabs(given := os.environ.get("XDG_CACHE_HOME", "")):
        return Path(given) / "spinsync"
    if platform == "win32":
        given = os.environ.get("LOCALAPPDATA", "")
        return Path(given) / "spinsync" / "Cache" if given else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if not (home.is_absolute() and os.path.isdir(home)):
        return None
    return home / "Library" / "Caches" / "spinsync" if platform == "darwin" else home / ".cache" / "spinsync"


def _trouble(folder: Path) -> str | None:
    """Create `folder` if necessary; the reason why it can't be created or trusted, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _unsafe(folder)
    except OSError as error:
        return cause(error)


def _unsafe(folder: Path) -> str | None:
    """Why the contents of a folder can't be trusted, or None."""
    if not hasattr(os, "geteuid"):
        return None
    found, link = folder.stat(), folder.lstat()
    if {found.st_uid, link.st_uid} != {os.geteuid()}:
        return OTHER_OWNER
    return "others may write to it" if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else None


def load(name: str, valid: Callable[[bytes], bool]) -> tuple[Path, bytes] | None:
    """Path and content of the entry of this name, if there is one; one that is not `valid` is removed."""
    for folder in candidates():
        path = folder / name
        try:
            if not os.path.isdir(folder) or _unsafe(folder):
                continue
            found = path.stat()
            if stat.S_ISREG(found.st_mode) and valid(data := path.read_bytes()):
                if time.time() - found.st_mtime > DAY:  # the modification time records the last use, to a day
                    with suppress(OSError):
                        os.utime(path)
                return path, data
        except FileNotFoundError:
            continue
        except OSError:  # treated as damaged
            pass
        remove(path)
    return None


def load_code(name: str) -> bytes | None:
    """Machine code of this name if it exists and its hash is correct."""
    found = load(name, lambda data: hashlib.sha256(data[:-HASH]).digest() == data[-HASH:])
    return None if found is None else found[1][:-HASH]


def save_code(name: str, code: bytes) -> None:
    """Store machine code, with its hash as the last bytes."""
    save(name, code + hashlib.sha256(code).digest())


def save(name: str, data: bytes) -> Path | None:
    """Store an entry in the first writable folder and return its path; None (logged once) if there is none."""
    reasons = []
    for folder in candidates():
        reason = _trouble(folder)
        if reason is None:
            try:
                _write(folder / name, data)
                _remove_unused(folder)
                return folder / name
            except OSError as error:
                reason = cause(error)
        reasons.append(f"{folder}: {reason}")
    _report(reasons)
    return None


def _write(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _delete(path: Path) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove an entry, or whatever has its name, if possible."""
    with suppress(OSError):
        _delete(path)


@cache
def _remove_unused(folder: Path) -> None:
    """Remove entries that were not used for a long time; once per process that writes."""
    with suppress(OSError):
        for path in entries(folder):
            if time.time() - path.stat().st_mtime > UNUSED:
                remove(path)


def entries(folder: Path) -> Iterator[Path]:
    """Files of this package in a folder, including numba-cuda's cache of generated source; no others."""
    yield from (path for path in list(folder.iterdir()) if ENTRY.fullmatch(path.name))
    yield from list((folder / "__pycache__").glob("spinsync_*"))


_reported: list[str] = []


def _report(reasons: list[str]) -> None:
    """Log once that nothing can be stored. Not a warning, which could be turned into an error: the results are correct."""
    if not _reported:
        _reported.extend(reasons)
        message = "Compiled code can't be cached, so each process recompiles for about 10 s (%s); see `spinsync doctor`."
        logging.getLogger("spinsync").warning(message, "; ".join(reasons) or "no folder")


@dataclass(frozen=True)
class CacheFolder:
    """A folder of the cache with the number and size of its entries; `trouble` says why it can't be written."""

    path: Path
    entries: int
    bytes: int
    trouble: str | None

    def size(self) -> str:
        return f"{self.entries} file{'s' * (self.entries != 1)}, {self.bytes / 1e6:.1f} MB"


def folders() -> Iterator[CacheFolder]:
    """The folder that takes new entries, the unusable ones tried before it, and later ones with old entries."""
    found = False
    for folder in candidates():
        if found and not os.path.isdir(folder):
            continue
        trouble = _trouble(folder)
        sizes: list[int] = []
        try:
            sizes = [path.stat().st_size for path in entries(folder)]
            if trouble is None:
                trial = folder / f"trial-{os.getpid()}.part"
                _write(trial, bytes(2**17))  # a small file may fit on a full disk
                remove(trial)
        except OSError as error:
            trouble = trouble or cause(error)
        if sizes or not found:
            yield CacheFolder(folder, len(sizes), sum(sizes), trouble)
        found = found or trouble is None


def clear() -> Iterator[CacheFolder]:
    """Remove all entries of this user; yields each folder with what was removed, and why something was left, if so."""
    for folder in candidates():
        count = size = 0
        try:
            if not os.path.isdir(folder) or _unsafe(folder) == OTHER_OWNER:
                continue
            for path in entries(folder):
                length = path.stat().st_size
                _delete(path)
                count, size = count + 1, size + length
        except OSError as error:
            yield CacheFolder(folder, count, size, cause(error))
        else:
            yield CacheFolder(folder, count, size, None)
