"""Which theory answers what follows from the kinds of problem that it makes; the others say who does."""

from functools import partial

import pytest

import spinsync as ss
from spinsync.theory.every import THEORIES
from spinsync.theory.protocol import ANSWERS, answers
from systems import laser

ONE = laser()
GIVEN = {
    "MeanField": ss.MeanField(), "Exact": ss.Exact(4), "Trajectories": ss.Trajectories(4), "BruteForce": ss.BruteForce(2)
}  # fmt: skip
TABLE = {
    "evolve": {*GIVEN},
    "keep_state": {"Exact", "BruteForce"},
    "steady_state": {*GIVEN},
    "linewidth": {"Exact", "BruteForce"},
    "emission_spectrum": {"Exact", "BruteForce"},
    "entropy": {"Exact", "BruteForce"},
    "asymptotic_phase": {"Exact"},
    "regime": {"MeanField"},
    "phase_diagram": {"MeanField", "Exact"},
}
ASKED = {
    "linewidth": ss.linewidth, "emission_spectrum": partial(ss.emission_spectrum, frequencies=[0.0, 1.0]),
    "entropy": ss.entropy, "regime": ss.regime, "phase_diagram": partial(ss.phase_diagram, axes={"coupling": [1.0]}),
}  # fmt: skip


def test_the_table_names_every_question_and_theory():
    assert TABLE.keys() == ANSWERS.keys()
    assert {theory.__name__ for theory in THEORIES.values()} == GIVEN.keys()
    for question, who in TABLE.items():
        assert {name for name, theory in GIVEN.items() if answers(type(theory), question)} == who, question


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("question", ASKED)
def test_a_theory_answers_or_says_who_does(question, name):
    ask = partial(ASKED[question], ONE, theory=GIVEN[name])
    if name in TABLE[question]:
        assert len(ask()) > 0
        return
    with pytest.raises(ss.InputError) as caught:
        ask()
    said, _, who = str(caught.value).partition("(")
    assert said == f"Argument `theory` must be one that answers {question} "
    listed = who.partition("), but is ")[0].replace(" or ", ", ").split(", ")
    assert listed == [theory for theory in GIVEN if theory in TABLE[question]]


def test_who_keeps_no_state_says_why():
    for name, theory in GIVEN.items():
        if name not in TABLE["keep_state"]:
            with pytest.raises(ss.InputError, match=f"Argument `keep_state` must be False for {name}, "):
                ss.evolve(ONE, [0.0, 1.0], theory=theory, keep_state=True)
