"""Variables that a problem computes from its states."""

from __future__ import annotations

from spinsync.base.arrays import Array

Observed = dict[str, tuple[tuple[str, ...], Array]]  # name of a variable -> (its dims, values)
