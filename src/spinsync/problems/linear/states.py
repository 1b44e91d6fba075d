"""States over time: their traces, and the variables observed in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.linear.sectors import Sectors
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import LostTraceError

TRACE_ERROR = 1e-6  # largest deviation of a trace from 1
STATE = "state_{}"  # name of the vector of a charge


def last_states(states: Mapping[int, Array]) -> Observed:
    """The last states, as variables."""
    return {STATE.format(q): ((f"component_{q}",), vectors[-1].copy()) for q, vectors in states.items()}


def check_trace(trace: Any, states: Mapping[int, Array]) -> None:
    """Raise LostTraceError unless all traces are 1 and all states are finite."""
    if not np.allclose(trace, 1, rtol=0, atol=TRACE_ERROR) or not all(np.all(np.isfinite(rho)) for rho in states.values()):
        raise LostTraceError


def observe_stepwise(sectors: Sectors, runs: Sequence[Iterator[Array]], keep_state: bool) -> Observed:
    """Observe each time as soon as it is reached, as all states would not fit. runs : states over time, by charge"""
    rows = []
    for vectors in zip(*runs, strict=True):
        states = {q: v[None] for q, v in zip(sectors.charges, vectors, strict=True)}
        states = normalized(states, sectors.trace)
        rows.append(sectors.observe(states))
    return concatenated(rows) | (last_states(states) if keep_state else {})


def normalized(states: Mapping[int, Array], covector: Array) -> dict[int, Array]:
    """{q: states of shape (time, component)} with trace 1."""
    trace = (states[0] @ covector).real
    check_trace(trace, states)
    return {**states, 0: states[0] / trace[:, None]}


def concatenated(rows: Sequence[Observed]) -> Observed:
    """Variables of consecutive times, joined."""
    return {name: (dims, np.concatenate([row[name][1] for row in rows])) for name, (dims, _) in rows[0].items()}
