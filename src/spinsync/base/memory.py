"""How much memory a computation may take, and the sentence for one that would take more."""

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

SHARE = 0.8  # of the memory that may be taken
UNKNOWN = 4 * 2.0**30  # bytes where nothing can be told
GIB = 2.0**30
LONG = 10**15  # a number that is shown to two digits


def available() -> float:
    """Bytes that a computation may take: most of what the machine has, its container allows and the shell leaves."""
    return SHARE * min(_limits(), default=UNKNOWN / SHARE)


def _limits() -> Iterator[float]:
    with suppress(AttributeError, ValueError, OSError):
        yield float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    yield from _containers()
    if resource is not None:  # of addresses, most of which are taken by libraries and never used
        most, taken = resource.getrlimit(resource.RLIMIT_AS)[0], 0
        if most != resource.RLIM_INFINITY:
            with suppress(OSError, ValueError, IndexError):
                taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
            yield float(max(most - taken, 0))


def _containers() -> Iterator[float]:
    for file in control_groups("memory", "memory.max", "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max": no limit; within a container the path may be of the outside
            yield float(file.read_text(encoding="ascii"))


def control_groups(kind: str, name: str, older: str) -> Iterator[Path]:
    """Files of a limit in the control groups that this process is in, and in those around them (Linux).

    kind, name, older : of the limit, and the file's name in the unified and in the older hierarchy
    """
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, place = line.split(":", 2)
            if kinds and kind not in kinds.split(","):
                continue
            root = Path("/sys/fs/cgroup", kind if kinds else "")
            inner = root / place.lstrip("/")
            for folder in (inner, *inner.parents):
                yield folder / (older if kinds else name)
                if folder == root:
                    break


def afford(name: str, count: int, size: float, holds: str | None = None, growth: int = 1) -> None:
    """Refuse a number for which memory can't hold the result, with an estimate, and how many do fit.

    name : of the argument that says how many
    size : bytes that it takes, times the number to the power `growth`
    holds : what the argument holds so many of; None: it is the number
    """
    may = available()
    fits = max((may / size) ** (1 / growth), 1.0)
    if count <= fits:
        return
    digits = 10 ** (floor(log10(fits)) - 1)
    most = f"{floor(fits / digits) * digits:.0f}"
    told = str(count) if count < LONG else _short(count)
    asked = f"is {name}={told}" if holds is None else f"holds {told}"
    must = f"be at most about {most}" if holds is None else f"hold at most about {most} {holds}"
    raise InputError(
        f"Argument `{name}` must {must} for this question and this machine, but {asked}: "
        f"it would take about {_short(count, growth, size / GIB)} GiB of memory, and {may / GIB:.2g} may be used."
    )


def _short(count: int, growth: int = 1, size: float = 1.0) -> str:
    """size * count**growth to two digits, also where that is too large for a float."""
    try:
        return f"{float(count) ** growth * size:.2g}"
    except OverflowError:
        return "more than 1e+300"
