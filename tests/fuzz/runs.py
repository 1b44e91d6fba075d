"""The seed, the number of random examples, and their time limit.

Each run has a new seed, and stops when its time is up. SPINSYNC_FUZZ_SEED=n repeats a run, without a time limit;
SPINSYNC_FUZZ_TIMES=20 makes twenty times as many examples, in twenty times the time.
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
SECONDS = math.inf if GIVEN else 90 * TIMES  # of all tests together, compilation included

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
        self.cut = 0  # tests that ran out of time

    @contextmanager
    def share(self, part: float) -> Iterator[None]:
        """Limit a test to a part of the time that is left; its first example runs in any case."""
        now = time.monotonic()
        self.stop = now + part * (self.end - now)
        try:
            yield
        except TimeIsUpError:
            self.cut += 1

    def timed(self, example: Test) -> Test:
        """End a test after an example, when its time is up; before an example, hypothesis would report a flaky test."""

        @wraps(example)
        def limited(*arguments: Any, **options: Any) -> None:
            try:
                example(*arguments, **options)
            except Exception:
                self.stop = math.inf  # hypothesis repeats a failure once, which must not be cut
                raise
            if time.monotonic() > self.stop:
                raise TimeIsUpError

        return limited


clock = Clock()


def examples(count: int) -> Callable[[Test], Test]:
    """`count` random examples of a test, or fewer if its time is up."""
    some = settings(settings.get_profile("fuzz"), max_examples=max(1, round(count * TIMES)))
    return lambda test: some(clock.timed(test))
