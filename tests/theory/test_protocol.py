"""The questions that a theory answers follow from its kinds of problem; for others an error names the theories that do."""

from functools import partial

import pytest

import spinsync as ss
from spinsync.theory.every import THEORIES
from spinsync.theory.protocol import ANSWERS, answers
from systems import laser

ONE = laser()
EXAMPLES = {
    "MeanField": ss.MeanField(), "Cumulants": ss.Cumulants(4), "Exact": ss.Exact(4), "Trajectories": ss.Trajectories(4),
    "BruteForce": ss.BruteForce(2),
}  # fmt: skip
ANSWERED = {
    "evolve": {*EXAMPLES},
    "keep_state": {"Cumulants", "Exact", "BruteForce"},
    "steady_state": {*EXAMPLES},
    "linewidth": {"MeanField", "Cumulants", "Exact", "BruteForce"},
    "emission_spectrum": {"Cumulants", "Exact", "BruteForce"},
    "photon_statistics": {"Exact", "BruteForce"},
    "entropy": {"Exact", "BruteForce"},
    "asymptotic_phase": {"Exact"},
    "regime": {"MeanField"},
    "phase_diagram": {"MeanField", "Cumulants", "Exact"},
}
QUESTIONS = {
    "linewidth": lambda ensemble, theory: ss.linewidth(
        ensemble, theory=theory, spins=10**6 if isinstance(theory, ss.MeanField) else None
    ),
    "emission_spectrum": partial(ss.emission_spectrum, frequencies=[0.0, 1.0]),
    "photon_statistics": ss.photon_statistics,
    "entropy": ss.entropy, "regime": ss.regime, "phase_diagram": partial(ss.phase_diagram, axes={"coupling": [1.0]}),
}  # fmt: skip


def test_the_table_has_every_question_and_theory():
    assert ANSWERED.keys() == ANSWERS.keys()
    assert {theory.__name__ for theory in THEORIES.values()} == EXAMPLES.keys()
    for question, names in ANSWERED.items():
        assert {name for name, theory in EXAMPLES.items() if answers(type(theory), question)} == names, question


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_theory_answers_or_the_error_names_those_that_do(question, name):
    ask = partial(QUESTIONS[question], ONE, theory=EXAMPLES[name])
    if name in ANSWERED[question]:
        assert len(ask()) > 0
        return
    with pytest.raises(ss.InputError) as caught:
        ask()
    message, _, names = str(caught.value).partition("(")
    assert message == f"Argument `theory` must be one that answers {question} "
    listed = names.partition("), but is ")[0].replace(" or ", ", ").split(", ")
    assert listed == [theory for theory in EXAMPLES if theory in ANSWERED[question]]


def test_the_error_for_keep_state_names_the_theory():
    for name, theory in EXAMPLES.items():
        if name not in ANSWERED["keep_state"]:
            with pytest.raises(ss.InputError, match=f"Argument `keep_state` must be False for {name}, "):
                ss.evolve(ONE, [0.0, 1.0], theory=theory, keep_state=True)
