"""Overflow in a public function: one error message instead of numpy's warnings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from spinsync.base.checks import IntegrationError
from spinsync.base.keywords import known_keywords

P = ParamSpec("P")
Answer = TypeVar("Answer")


def in_range(question: Callable[P, Answer]) -> Callable[P, Answer]:
    """A decorator for public functions: silences numpy, turns arithmetic errors into one message, and checks keywords."""

    @known_keywords
    @wraps(question)
    def answer(*arguments: P.args, **options: P.kwargs) -> Answer:
        with np.errstate(all="ignore"):
            try:
                return question(*arguments, **options)
            except (ArithmeticError, np.linalg.LinAlgError):  # overflow, division by zero, entries that are not finite
                raise IntegrationError("The rates are too large for double precision, or differ by too many orders.") from None

    return answer
