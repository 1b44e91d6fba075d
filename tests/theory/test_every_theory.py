"""Every theory answers every question that it claims about every ensemble of `known_answers.KNOWN`, within its own error.

A new theory gets its first tests by one line in THEORIES.
"""

from functools import partial

import numpy as np
import pytest

import spinsync as ss
from known_answers import KNOWN, LIGHT
from spinsync.theory.every import THEORIES as ALL
from spinsync.theory.protocol import answers

#: a theory, and its error where its results state none; where they do, five standard errors are added to it
THEORIES = {
    "MeanField": (ss.MeanField(), 1e-6),  # steps of 1e-8
    "Exact": (ss.Exact(4), 1e-9),
    "Exact of two spins": (ss.Exact(2), 1e-9),
    "Cumulants of two spins": (ss.Cumulants(2, rtol=1e-10), 1e-7),  # no third spin whose correlation is closed
    "BruteForce": (ss.BruteForce(4), 1e-9),
    "Trajectories": (ss.Trajectories(4), 1e-9),
    "TruncatedWigner": (ss.TruncatedWigner(4, 700), 0.03),  # an approximation for many spins
}
#: that a result may state of numbers of order 1; noise of the vacuum, larger than the light of few spins, is subtracted from it
LARGEST_ERROR = {"emission": 0.4}
OF_OTHERS = 0.03


def start(known, theory):
    """Steady states of finitely many spins take no start."""
    return known.initial if theory.spins is None else None


def ask(question, known, theory):
    ensemble = known.ensemble
    return {
        "evolve": partial(ss.evolve, ensemble, known.times, initial=known.initial),
        "steady_state": partial(ss.steady_state, ensemble),
        "linewidth": partial(ss.linewidth, ensemble),
        "emission_spectrum": partial(ss.emission_spectrum, ensemble, LIGHT),
        "photon_statistics": partial(ss.photon_statistics, ensemble),
        "entropy": partial(ss.entropy, ensemble),
        "regime": partial(ss.regime, ensemble),
    }[question](theory=theory)


def expected(question, system, theory):
    """The exact answer at the theory's number of spins; None where it is not known."""
    answer = KNOWN[system].answers.get(question)
    return answer and answer(getattr(theory, "spins", None))


#: of so few spins: g2 is undefined below an intensity of some photons; tested with more spins in theory/wigner
UNANSWERED = {("TruncatedWigner", "photon_statistics")}
CASES = [
    (name, question, system)
    for name, (theory, _) in THEORIES.items()
    for system, known in KNOWN.items()
    for question in known.answers
    if answers(type(theory), question) and (name, question) not in UNANSWERED and expected(question, system, theory) is not None
]


@pytest.mark.parametrize(("name", "question", "system"), CASES)
def test_a_theory_agrees_with_the_exact_answer(name, question, system):
    theory, error = THEORIES[name]
    result, exact = ask(question, KNOWN[system], theory), expected(question, system, theory)
    if "amplitude" in exact and "coherence" in result:
        result = result.assign(amplitude=abs(result.coherence))  # the phase of a steady state is free
    compared = exact.keys() & result.data_vars.keys()
    assert compared >= {"inversion"} & exact.keys()
    assert compared
    for variable in compared:
        value, wanted = result[variable].values, np.asarray(exact[variable])
        assert value.shape == wanted.shape, variable
        stated = result[f"{variable}_error"].values if f"{variable}_error" in result else np.zeros(value.shape)
        if variable == "order_parameter":  # a root: its error is large where it vanishes
            value, wanted, stated = value**2, wanted**2, 2 * value * stated + stated**2
        known = np.isfinite(wanted)
        np.testing.assert_array_equal(np.isfinite(value), known, err_msg=variable)
        assert np.all(stated[known] < LARGEST_ERROR.get(variable, OF_OTHERS)), variable
        assert np.all(abs(value - wanted)[known] <= error + 5 * stated[known]), variable


@pytest.mark.parametrize("system", [name for name, known in KNOWN.items() if not np.isnan(known.critical_coupling)])
def test_the_critical_coupling_is_the_exact_one(system):
    known = KNOWN[system]
    assert ss.critical_coupling(known.ensemble) == pytest.approx(known.critical_coupling, rel=1e-9)


def test_every_theory_and_every_answer_is_tested():
    assert {type(theory) for theory, _ in THEORIES.values()} == set(ALL.values())
    assert {(question, system) for _, question, system in CASES} == {
        (question, system) for system, known in KNOWN.items() for question in known.answers
    }
    assert {name for name, *_ in CASES} == set(THEORIES)
    assert {question for _, question, _ in CASES} == {
        "evolve", "steady_state", "linewidth", "emission_spectrum", "photon_statistics", "entropy", "regime"
    }  # fmt: skip
