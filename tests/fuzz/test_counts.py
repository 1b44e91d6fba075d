"""Enough calls were made, of every public name, and enough of them were answered and compared."""

from __future__ import annotations

from pathlib import Path

import pytest

import ledger
import spinsync as ss
from runs import clock

MOST_CASES = 1000
NOT_CALLED = {"__version__", "plot", "CavityWarning"}  # a text; functions, counted one by one; given by calls, not called


def test_counts(request: pytest.FixtureRequest) -> None:
    files = {item.path for item in request.session.items}
    if files < set(Path(__file__).parent.glob("test_*.py")) or request.config.getoption("keyword"):
        pytest.skip("only a part of the fuzz was asked for")
    if clock.cut:
        pytest.skip(f"the time was up in {clock.cut} tests")
    total, computed = sum(ledger.calls.values()), sum(ledger.computed.values())
    assert total >= 5000, f"only {total} calls"
    assert computed >= total / 2, f"only {computed} of {total} calls compute"
    names = [*(set(ss.__all__) - NOT_CALLED), *(f"plot.{name}" for name in ss.plot.__all__)]
    rare = {name: ledger.calls[name] for name in names if ledger.calls[name] < 30}
    assert not rare, f"called too rarely: {rare}"
    idle = {name: ledger.compared[name] for name, count in ledger.asked.items() if ledger.compared[name] < count / 4}
    assert len(ledger.asked) == 8
    assert not idle, f"compared too rarely: {idle} of {dict(ledger.asked)}"
    assert sum(ledger.cases.values()) >= MOST_CASES, f"only {sum(ledger.cases.values())} files and command lines"
    assert ledger.cases[0] >= MOST_CASES // 4, f"only {ledger.cases[0]} command lines compute"
