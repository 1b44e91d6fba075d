"""How much memory a computation may take."""

from __future__ import annotations

import os


def available() -> float:
    """Bytes that a computation may take: most of the machine's memory, or 4 GiB where it can't be told."""
    try:
        return 0.8 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 2.0**30
