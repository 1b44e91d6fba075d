"""Options of a theory whose default depends on the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


def with_defaults(theory: T, defaults: Mapping[str, Any]) -> T:
    """The theory with these defaults in place of options that are None, as it is run and recorded."""
    missing = {name: value for name, value in defaults.items() if getattr(theory, name, value) is None}
    return replace(theory, **missing) if missing else theory  # type: ignore[type-var]
