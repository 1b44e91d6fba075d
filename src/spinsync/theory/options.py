"""Options that a theory leaves to the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


def completed(theory: T, options: Mapping[str, Any]) -> T:
    """The theory with these values for its options of such names that are None: as it runs, and as a result records it."""
    missing = {name: value for name, value in options.items() if getattr(theory, name, value) is None}
    return replace(theory, **missing) if missing else theory  # type: ignore[type-var]
