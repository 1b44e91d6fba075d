"""Random valid models, with numbers short enough to read."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import spinsync as ss


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda x: float(f"{x:.4g}"))


RATES = st.one_of(numbers(0.05, 8.0), numbers(0.05, 8.0), st.just(0.0))
SURE_RATES = numbers(0.05, 8.0)
COUPLINGS = st.one_of(numbers(0.0, 20.0), numbers(0.0, 20.0), st.just(0.0))
ANGLES = st.one_of(numbers(-np.pi, np.pi), st.sampled_from([0.0, -np.pi / 2, np.pi / 2, np.pi, 7.0]))
FREQUENCIES = st.one_of(numbers(-5.0, 5.0), st.just(0.0))
WIDTHS = numbers(0.05, 2.0)


@st.composite
def vectors(draw: st.DrawFn, longest: float = 1.0) -> list[float]:
    """A Bloch vector."""
    length, azimuth, height = draw(numbers(0.01, longest)), draw(ANGLES), draw(numbers(-1, 1))
    across = length * np.sqrt(max(0.0, 1 - height**2))
    return [float(across * np.cos(azimuth)), float(across * np.sin(azimuth)), length * height]


@st.composite
def singles(draw: st.DrawFn, frequency: st.SearchStrategy[Any] = FREQUENCIES) -> ss.Ensemble:
    return ss.Ensemble.single(
        gain=draw(RATES), damping=draw(SURE_RATES), coupling=draw(COUPLINGS), theta=draw(ANGLES), frequency=draw(frequency),
        dephasing=draw(RATES),
    )  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn, symmetric: bool = False) -> ss.Ensemble:
    """Two groups; symmetric: those of the closed form."""
    own = dict(
        detuning=draw(FREQUENCIES), gain=draw(SURE_RATES), damping=draw(RATES), coupling=draw(COUPLINGS), dephasing=draw(RATES)
    )
    if symmetric:
        return ss.Ensemble.pair(**own, theta=draw(st.sampled_from([-np.pi / 2, np.pi / 2])))
    return ss.Ensemble.pair(
        **own, theta=draw(ANGLES), cross_coupling=draw(st.none() | COUPLINGS), cross_theta=draw(st.none() | ANGLES),
        weights=draw(st.sampled_from([(1, 1), (1, 3), (2.0, 1.0)])),
    )  # fmt: skip


@st.composite
def cavities(draw: st.DrawFn) -> ss.Ensemble:
    return ss.Ensemble.cavity(
        spins=draw(st.integers(1, 10**6)), vacuum_coupling=draw(numbers(1e-3, 0.1)), cavity_decay=draw(numbers(10, 1e4)),
        cavity_detuning=draw(FREQUENCIES), gain=draw(RATES), damping=draw(SURE_RATES), dephasing=draw(RATES),
    )  # fmt: skip


@st.composite
def any_groups(draw: st.DrawFn, most: int = 3) -> ss.Ensemble:
    """Any number of groups with any matrix."""
    size = draw(st.integers(1, most))
    groups = [
        ss.Group(draw(RATES), draw(SURE_RATES), dephasing=draw(RATES), frequency=draw(FREQUENCIES), weight=draw(SURE_RATES))
        for _ in range(size)
    ]
    entries = [[draw(COUPLINGS) * np.exp(1j * draw(ANGLES)) for _ in range(size)] for _ in range(size)]
    return ss.Ensemble(groups, entries)


distributions = st.one_of(
    st.builds(ss.Lorentzian, WIDTHS, FREQUENCIES),
    st.builds(ss.Gaussian, WIDTHS, FREQUENCIES),
    st.builds(ss.Uniform, WIDTHS, FREQUENCIES),
)
models = st.one_of(singles(), singles(distributions), pairs(), cavities(), any_groups())


@st.composite
def times(draw: st.DrawFn, longest: float = 3.0) -> list[float]:
    span, count, origin = draw(numbers(0.1, longest)), draw(st.integers(2, 6)), draw(st.sampled_from([0.0, 0.0, -1.0, 5.0]))
    return (origin + np.linspace(0, span, count)).tolist()
