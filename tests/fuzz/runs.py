"""The seed, new in each run (SPINSYNC_FUZZ_SEED repeats one), and how many examples (SPINSYNC_FUZZ_TIMES as many)."""

from __future__ import annotations

import os
import secrets

from hypothesis import HealthCheck, Phase, settings

SEED = int(os.environ.get("SPINSYNC_FUZZ_SEED") or secrets.randbits(32))
TIMES = float(os.environ.get("SPINSYNC_FUZZ_TIMES") or 1)

settings.register_profile(
    "fuzz", database=None, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)  # fmt: skip


def examples(count: int) -> settings:
    return settings(settings.get_profile("fuzz"), max_examples=max(1, round(count * TIMES)))
