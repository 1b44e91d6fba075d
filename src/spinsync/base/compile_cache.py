"""The files of compiled code: one folder per user, names that tell what was compiled, and damage that heals.

An entry is never stale, as its name holds a hash of all that it was made of; so installations and versions share a folder.
It appears when it is complete. What is damaged is removed, what can't be written is compiled again by the next process.
Compiled code is run as it is found: a folder that belongs to somebody else, or that others may write to, is not used.
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

DAY = 86400.0  # seconds
HASH = 32  # bytes of it
UNUSED = 30 * DAY  # after which an entry goes
STRANGE = "it belongs to another user"
OURS = re.compile(r".+-[0-9a-f]{24}\.nbc|spinsync_\w+\.py|.+\.part")  # machine code, generated source, drafts of both


def candidates() -> Iterator[Path]:
    """Where the cache may be, best first; a folder that the user names is the only one as far as it can be used."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        named = Path(given) / "spinsync-cache"  # not `spinsync`: that could be imported where the folder is on Python's path
        yield named
        if _trouble(named) is None and os.access(named, os.W_OK):
            return
    if own := _of_user(sys.platform):
        yield own
    if hasattr(os, "geteuid"):
        shared = next((place for place in (os.environ.get("TMPDIR"), "/tmp") if place and os.path.isdir(place)), None)
        if shared:
            yield Path(shared) / f"spinsync-{os.geteuid()}"


def _of_user(platform: str) -> Path | None:
    """The folder that the system sets aside for caches of a user; None for a user without a home."""
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
    """Why `folder` can't be trusted or made; None where it stands."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _foreign(folder)
    except OSError as error:
        return _reason(error)


def _foreign(folder: Path) -> str | None:
    if not hasattr(os, "geteuid"):
        return None
    found, link = folder.stat(), folder.lstat()
    if {found.st_uid, link.st_uid} != {os.geteuid()}:
        return STRANGE
    return "others may write to it" if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def load(name: str, sound: Callable[[bytes], bool]) -> tuple[Path, bytes] | None:
    """The entry of this name and where it is, if there is one; one that is not `sound` is removed."""
    for folder in candidates():
        path = folder / name
        try:
            if not os.path.isdir(folder) or _foreign(folder):
                continue
            found = path.stat()
            if stat.S_ISREG(found.st_mode) and sound(data := path.read_bytes()):
                if time.time() - found.st_mtime > DAY:  # the time of change tells when an entry was used last, to a day
                    with suppress(OSError):
                        os.utime(path)
                return path, data
        except FileNotFoundError:
            continue
        except OSError:  # as good as damaged
            pass
        remove(path)
    return None


def load_code(name: str) -> bytes | None:
    """Machine code of this name, if there is some that is whole: with a wrong bit it would run, and give a wrong answer."""
    found = load(name, lambda data: hashlib.sha256(data[:-HASH]).digest() == data[-HASH:])
    return None if found is None else found[1][:-HASH]


def save_code(name: str, code: bytes) -> None:
    """Keep machine code, with its hash as the last bytes."""
    save(name, code + hashlib.sha256(code).digest())


def save(name: str, data: bytes) -> Path | None:
    """Keep an entry in the first folder that takes it; None, and once a word about it, where none does."""
    reasons = []
    for folder in candidates():
        reason = _trouble(folder)
        if reason is None:
            try:
                _place(folder / name, data)
                _tidy(folder)
                return folder / name
            except OSError as error:
                reason = _reason(error)
        reasons.append(f"{folder}: {reason}")
    _tell(reasons)
    return None


def _place(path: Path, data: bytes) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _take_away(path: Path) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Take away an entry, or whatever stands in its place, where that is possible."""
    with suppress(OSError):
        _take_away(path)


@cache
def _tidy(folder: Path) -> None:
    """Once per process that writes: entries that nobody used for long go."""
    with suppress(OSError):
        for path in entries(folder):
            if time.time() - path.stat().st_mtime > UNUSED:
                remove(path)


def entries(folder: Path) -> Iterator[Path]:
    """All that is ours in a folder, and nothing else; beside it numba-cuda keeps what it compiled of generated source."""
    yield from (path for path in list(folder.iterdir()) if OURS.fullmatch(path.name))
    yield from list((folder / "__pycache__").glob("spinsync_*"))


_told: list[str] = []


def _tell(reasons: list[str]) -> None:
    """Not a warning: those may be errors, and the result of this process is right."""
    if not _told:
        _told.extend(reasons)
        sentence = "Compiled code can't be kept, so each process compiles anew, some 10 s (%s); see `spinsync doctor`."
        logging.getLogger("spinsync").warning(sentence, "; ".join(reasons) or "no folder")


@dataclass(frozen=True)
class Place:
    """A folder of the cache: how many entries and bytes, and why it can't be written, if so."""

    folder: Path
    entries: int
    bytes: int
    trouble: str | None

    def size(self) -> str:
        return f"{self.entries} file{'s' * (self.entries != 1)}, {self.bytes / 1e6:.1f} MB"


def places() -> Iterator[Place]:
    """The folder that takes new entries, those before it that don't, and those behind it with entries from before."""
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
                _place(trial, bytes(2**17))  # a full disk still takes a file that is small
                remove(trial)
        except OSError as error:
            trouble = trouble or _reason(error)
        if sizes or not found:
            yield Place(folder, len(sizes), sum(sizes), trouble)
        found = found or trouble is None


def clear() -> Iterator[Place]:
    """Remove all entries that this user has; each folder with what went, and why the rest stays, if so."""
    for folder in candidates():
        count = size = 0
        try:
            if not os.path.isdir(folder) or _foreign(folder) == STRANGE:
                continue
            for path in entries(folder):
                length = path.stat().st_size
                _take_away(path)
                count, size = count + 1, size + length
        except OSError as error:
            yield Place(folder, count, size, _reason(error))
        else:
            yield Place(folder, count, size, None)
