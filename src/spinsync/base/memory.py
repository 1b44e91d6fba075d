"""The memory that a computation may use, and the error message for one that needs more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from math import floor, log10
from pathlib import Path

from spinsync.base.checks import InputError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SHARE = 0.8  # of the memory limit that a computation may use
UNKNOWN = 4 * 2.0**30  # bytes if no limit is known
GIB = 2.0**30
LONG = 10**15  # from here on numbers are shown with two digits


def available() -> float:
    """Bytes that a computation may use: a share of the smallest limit of machine, container and shell."""
    return SHARE * min(_limits(), default=UNKNOWN / SHARE)


def _limits() -> Iterator[float]:
    with suppress(AttributeError, ValueError, OSError):
        yield float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    yield from _containers()
    if resource is not None:  # address space; libraries reserve much of it without using it
        most, used = resource.getrlimit(resource.RLIMIT_AS)[0], 0
        if most != resource.RLIM_INFINITY:
            with suppress(OSError, ValueError, IndexError):
                used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
            yield float(max(most - used, 0))


def _containers() -> Iterator[float]:
    for file in cgroup_files("memory", "memory.max", "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max": no limit; inside a container the path may not exist
            yield float(file.read_text(encoding="ascii"))


def cgroup_files(kind: str, name: str, older: str) -> Iterator[Path]:
    """Files of a limit in the control groups of this process and in their parents (Linux).

    kind, name, older : controller ("memory", "cpu"), and the file's name in version 2 and in version 1
    """
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, group = line.split(":", 2)
            if kinds and kind not in kinds.split(","):
                continue
            root = Path("/sys/fs/cgroup", kind if kinds else "")
            inner = root / group.lstrip("/")
            for folder in (inner, *inner.parents):
                yield folder / (older if kinds else name)
                if folder == root:
                    break


def check_memory(name: str, count: int, size: float, holds: str | None = None, growth: int = 1) -> None:
    """Raise an InputError with estimates if the result does not fit into memory.

    name : argument that sets the size of the result
    count, size, growth : the result takes size * count**growth bytes
    holds : noun for the entries of the argument (it has `count` of them); None: the argument is `count` itself
    """
    limit = available()
    fits = max((limit / size) ** (1 / growth), 1.0)
    if count <= fits:
        return
    digits = 10 ** (floor(log10(fits)) - 1)
    most = f"{floor(fits / digits) * digits:.0f}"
    number = str(count) if count < LONG else _short(count)
    given = f"is {name}={number}" if holds is None else f"holds {number}"
    must = f"be at most about {most}" if holds is None else f"hold at most about {most} {holds}"
    raise InputError(
        f"Argument `{name}` must {must} for this question and this machine, but {given}: "
        f"it would take about {_short(count, growth, size / GIB)} GiB of memory, and {limit / GIB:.2g} may be used."
    )


def _short(count: int, growth: int = 1, size: float = 1.0) -> str:
    """size * count**growth to two digits, also where that is too large for a float."""
    try:
        return f"{float(count) ** growth * size:.2g}"
    except OverflowError:
        return "more than 1e+300"
