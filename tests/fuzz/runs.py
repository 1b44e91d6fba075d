"""The seed, how many questions, and how long they may take.

Each run has a new seed, and stops asking when its time is up. SPINSYNC_FUZZ_SEED=n repeats one, in full however long
it takes; SPINSYNC_FUZZ_TIMES=20 asks twenty times as much, in twenty times the time.
"""

from __future__ import annotations

import math
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from hypothesis import HealthCheck, Phase, settings

GIVEN = os.environ.get("SPINSYNC_FUZZ_SEED")
SEED = int(GIVEN or secrets.randbits(32))
TIMES = float(os.environ.get("SPINSYNC_FUZZ_TIMES") or 1)
SECONDS = math.inf if GIVEN else 90 * TIMES  # of all tests together, with what is compiled for them

settings.register_profile(
    "fuzz", database=None, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)  # fmt: skip

Test = Callable[..., None]


class TimeIsUpError(BaseException):
    """The end of a test that has failed nowhere; no `except Exception` may swallow it."""


class Clock:
    """Gives each test its share of the time that is left, so that a slow machine asks less of everything."""

    def __init__(self) -> None:
        self.end, self.stop = time.monotonic() + SECONDS, math.inf
        self.cut = 0  # tests whose examples the time did not suffice for

    @contextmanager
    def share(self, part: float) -> Iterator[None]:
        """The time of one test, as a part of all that is left; its first example is asked in any case."""
        now = time.monotonic()
        self.stop = now + part * (self.end - now)
        try:
            yield
        except TimeIsUpError:
            self.cut += 1

    def timed(self, example: Test) -> Test:
        """A test that ends after an example when its time is up; before one, hypothesis takes it for an inconstant test."""

        @wraps(example)
        def asked(*arguments: Any, **options: Any) -> None:
            try:
                example(*arguments, **options)
            except Exception:
                self.stop = math.inf  # it will be repeated once to be told, and that must not be cut
                raise
            if time.monotonic() > self.stop:
                raise TimeIsUpError

        return asked


clock = Clock()


def examples(count: int) -> Callable[[Test], Test]:
    """As many random examples of a test, if the time suffices."""
    some = settings(settings.get_profile("fuzz"), max_examples=max(1, round(count * TIMES)))
    return lambda test: some(clock.timed(test))
