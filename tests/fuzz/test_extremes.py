"""Models with numbers at both ends of double precision: an error message, or an answer without NaN, and no warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

import spinsync as ss
from ledger import REFUSED, call
from runs import SEED, examples

EXTREMES = [0.0, 5e-324, 1e-300, 1e-100, 1e-12, 1e3, 1e12, 1e100, 1e154, 1e300]
NUMBERS = st.sampled_from([0.3, 1.0, 3.0]) | st.sampled_from(EXTREMES)
POSITIVE = NUMBERS.filter(bool)
ANGLES = st.sampled_from([-1.57079632679, -1.2, 0.0, 1e300])
TWO, FEW = ss.Exact(2), ss.BruteForce(2)
TIMES = [0.0, 0.1, 1.0]

#: without `regime` and `phase_diagram`, which take seconds until their budget of steps is used up
QUESTIONS: dict[str, list[Callable[[ss.Ensemble], Any]]] = {
    "limit_cycle": [ss.limit_cycle],
    "critical_coupling": [ss.critical_coupling],
    "critical_gain": [ss.critical_gain],
    "critical_spins": [ss.critical_spins],
    "symmetric_pair": [ss.symmetric_pair],
    "locking_range": [ss.locking_range],
    "lindblad": [lambda e: ss.lindblad(e, 2)],
    "to_qutip": [lambda e: ss.to_qutip(e, 2)],
    "to_piqs": [lambda e: ss.to_piqs(e, 2)],
    "entropy": [lambda e: ss.entropy(e, theory=TWO), lambda e: ss.entropy(e, theory=FEW)],
    "steady_state": [lambda e: ss.steady_state(e, theory=TWO), lambda e: ss.steady_state(e, theory=FEW), ss.steady_state],
    "linewidth": [lambda e: ss.linewidth(e, theory=TWO), lambda e: ss.linewidth(e, theory=FEW)],
    "evolve": [
        lambda e: ss.evolve(e, TIMES),
        lambda e: ss.evolve(e, TIMES, theory=TWO),
        lambda e: ss.evolve(e, TIMES, theory=FEW),
        lambda e: ss.evolve(e, TIMES, theory=ss.Trajectories(2, most_jumps=1000)),
    ],
    "asymptotic_phase": [lambda e: ss.asymptotic_phase(e, [[0.1, 0.0, 0.0]], theory=TWO)],
    "one_spin_equation": [lambda e: ss.one_spin_equation(e, TIMES, theory=FEW)],
    "Ensemble": [lambda e: e.replace(**{"A.gain": 1.0}), lambda e: e.split(2)],
}


@st.composite
def models(draw: st.DrawFn) -> tuple[Callable[..., ss.Ensemble], dict[str, Any]]:
    """A constructor and its parameters, which it may refuse."""
    rates = dict(gain=draw(NUMBERS), damping=draw(NUMBERS))
    kind = draw(st.sampled_from(["single", "pair", "cavity", "groups"]))
    if kind == "single":
        smooth = [st.builds(distribution, POSITIVE) for distribution in (ss.Lorentzian, ss.Gaussian, ss.Uniform)]
        own = dict(coupling=draw(NUMBERS), theta=draw(ANGLES), frequency=draw(NUMBERS | st.one_of(smooth)))
        return ss.Ensemble.single, rates | own | dict(dephasing=draw(NUMBERS))
    if kind == "pair":
        own = dict(detuning=draw(NUMBERS), coupling=draw(NUMBERS), theta=draw(ANGLES))
        return ss.Ensemble.pair, rates | own | dict(cross_coupling=draw(st.none() | NUMBERS))
    if kind == "cavity":
        own = dict(spins=draw(st.sampled_from([1, 1000, 2**62])), vacuum_coupling=draw(NUMBERS), cavity_decay=draw(POSITIVE))
        return ss.Ensemble.cavity, rates | own | dict(cavity_detuning=draw(NUMBERS))
    groups = [ss.Group(**rates), ss.Group(draw(NUMBERS), 1.0, weight=draw(POSITIVE))]
    return ss.Ensemble, dict(groups=groups, coupling_matrix=[[draw(NUMBERS), 1j * draw(NUMBERS)], [-draw(NUMBERS), 1.0]])


@pytest.mark.seconds(3)
@given(models(), st.data())
@examples(100)
@seed(SEED)
def test_an_extreme_model_ends_in_an_error_message_or_an_answer(model: Any, data: st.DataObject) -> None:
    constructor, parameters = model
    ensemble = call("Ensemble", constructor, **parameters)
    if ensemble is REFUSED:
        return
    for name in data.draw(st.lists(st.sampled_from(list(QUESTIONS)), min_size=3, max_size=3, unique=True)):
        call(name, data.draw(st.sampled_from(QUESTIONS[name])), ensemble)
