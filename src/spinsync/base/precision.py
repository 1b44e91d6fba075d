"""Overflow in a public function: one error message instead of numpy's warnings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from spinsync.base.checks import IntegrationError

P = ParamSpec("P")
Answer = TypeVar("Answer")


def in_range(question: Callable[P, Answer]) -> Callable[P, Answer]:
    """A decorator for functions that check their own result: silences numpy, and turns arithmetic errors into one message."""

    @wraps(question)
    def answer(*arguments: P.args, **options: P.kwargs) -> Answer:
        with np.errstate(all="ignore"):
            try:
                return question(*arguments, **options)
            except (ArithmeticError, np.linalg.LinAlgError):  # overflow, division by zero, entries that are not finite
                raise IntegrationError("The rates are too large for double precision, or differ by too many orders.") from None

    return answer
