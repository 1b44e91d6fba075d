"""The questions that a theory answers follow from its kinds of problem; for others an error names the theories that do."""

from functools import partial

import pytest

import spinsync as ss
from spinsync.theory.every import THEORIES
from spinsync.theory.protocol import ANSWERS, answers
from systems import laser

ONE = laser()
EXAMPLES = {
    "MeanField": ss.MeanField(), "Cumulants": ss.Cumulants(4), "TruncatedWigner": ss.TruncatedWigner(4, 2),
    "Exact": ss.Exact(4), "Trajectories": ss.Trajectories(4), "BruteForce": ss.BruteForce(2),
}  # fmt: skip
ANSWERED = {
    "evolve": {*EXAMPLES},
    "keep_state": {"Cumulants", "Exact", "BruteForce"},
    "steady_state": {*EXAMPLES},
    "linewidth": {"MeanField", "Cumulants", "Exact", "BruteForce"},
    "emission_spectrum": {"Cumulants", "TruncatedWigner", "Exact", "BruteForce"},
    "photon_statistics": {"TruncatedWigner", "Exact", "BruteForce"},
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
    "entropy": ss.entropy, "asymptotic_phase": partial(ss.asymptotic_phase, states=[[0.5, 0.0, 0.0]]),
    "regime": ss.regime, "phase_diagram": partial(ss.phase_diagram, axes={"coupling": [1.0]}),
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
    listed, _, reason = names.partition(f"), but is {EXAMPLES[name]!r}")
    assert listed.replace(" or ", ", ").split(", ") == [theory for theory in EXAMPLES if theory in ANSWERED[question]]
    assert reason.startswith(": ")
    assert reason.endswith(".")


def test_the_error_for_single_spins_names_the_theories_that_show_them():
    refused, shown = [], []
    for name, theory in EXAMPLES.items():
        try:
            ss.evolve(ONE, [0.0, 0.1], theory=theory, each=True)
            shown.append(name)
        except ss.InputError as error:
            refused.append(str(error))
    *most, last = shown
    assert len(refused) == 2
    assert all(message.endswith(f"; {', '.join(most)} and {last} show single spins.") for message in refused)


def test_the_error_for_keep_state_names_the_theory_and_those_that_keep_one():
    for name, theory in EXAMPLES.items():
        if name not in ANSWERED["keep_state"]:
            message = (
                f"^Argument `keep_state` must be False for {name}, .*; with Cumulants, Exact or BruteForce it may be True.$"
            )
            with pytest.raises(ss.InputError, match=message):
                ss.evolve(ONE, [0.0, 1.0], theory=theory, keep_state=True)
