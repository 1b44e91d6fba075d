"""Error messages of the public functions: the argument, what it must be, and what it is."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from error_cases import PARAMETERS, case_names, check_message
from spinsync.theory.protocol import who_answers
from systems import laser, pair


@dataclass(frozen=True)
class Silent:
    """A theory that answers nothing."""

    kinds: ClassVar = ()
    hints: ClassVar = {}


ONE, TWO = laser(), pair(1.0, 16.0)
THREE = ss.Ensemble([ss.Group(1, 1) for _ in range(3)], np.zeros((3, 3)))
WIDE, T = laser(frequency=ss.Lorentzian(0.5)), [0.0, 1.0]
SHAPE = "Argument `initial` must have shape"

CASES = [
    # compare
    (lambda: ss.compare(3, T, theories=[ss.MeanField()]), "Argument `ensemble` must be an Ensemble, but is ensemble=3."),
    (lambda: ss.compare(ONE, T, theories=[]), "Argument `theories` must hold at least one theory, but is empty."),
    (
        lambda: ss.compare(ONE, T, theories=ss.MeanField()),
        "Argument `theories` must be a list of theories, such as [MeanField(), Exact(100)], but is "
        "theories=MeanField(rtol=None, atol=None, nodes=None).",
    ),
    (
        lambda: ss.compare(ONE, T, theories=np.array(1.0)),
        "Argument `theories` must be a list of theories, such as [MeanField(), Exact(100)], but is theories=array(1.).",
    ),
    (
        lambda: ss.compare(ONE, T, theories=["exact", ss.Exact(3)]),
        "Argument `theory` must be a theory with its options, such as MeanField() or Exact(100), but is theory='exact'.",
    ),
    (
        lambda: ss.compare(ONE, T, theories=[ss.Exact(3), ss.MeanField(), ss.Exact(3)]),
        "Argument `theories` must hold each theory once, but holds Exact(3) 2 times.",
    ),
    (
        lambda: ss.compare(ONE, T, theories=[ss.MeanField(), ss.MeanField(rtol=1e-8)]),
        "Argument `theories` must hold each theory once, but holds MeanField 2 times.",
    ),
    (
        lambda: ss.compare(ONE, T, theories=[ss.MeanField(), Silent()]),
        f"Argument `theory` must be one that answers evolve ({who_answers('evolve')}), but is Silent().",
    ),
    (
        lambda: ss.compare(ONE, T, theories=[ss.Exact(3)], initial=ss.evolve(ONE, T, theory=ss.Exact(3), keep_state=True)),
        "Argument `initial` must be Bloch vectors, from which every theory can start, but is a Dataset.",
    ),
    (
        lambda: ss.compare(ONE, T, theories=[ss.MeanField(), ss.Exact(3)], initial=[[0, 0, 1]], seed=4),
        "Argument `seed` must be left at 0 where `initial` is given, as nothing else is random, but is seed=4.",
    ),
    (lambda: ss.compare(ONE, T, theories=[ss.Exact(3)], initial=[[0, 0, 1]] * 2), f"{SHAPE} (1, 3), but has shape (2, 3)."),
    # evolve
    (lambda: ss.evolve(3, T), "Argument `ensemble` must be an Ensemble, but is ensemble=3."),
    (lambda: ss.evolve(ONE, []), "Argument `times` must hold at least one time, but is empty."),
    (lambda: ss.evolve(ONE, [0, 2, 1.5]), "Argument `times` must increase, but has 2 before 1.5."),
    (lambda: ss.evolve(ONE, 3.0), "Argument `times` must be a list of increasing times, but has shape ()."),
    (lambda: ss.evolve(ONE, ["a"]), "Argument `times` must be a list of increasing times, but is times=['a']."),
    (lambda: ss.evolve(ONE, [0, np.inf]), "Argument `times` must be finite, but has the entry inf."),
    (lambda: ss.evolve(ONE, T, each="yes"), "Argument `each` must be True or False, but is each='yes'."),
    (lambda: ss.evolve(ONE, T, seed=-1), "Argument `seed` must be a whole number of at least 0, but is seed=-1."),
    (
        lambda: ss.evolve(ONE, T, initial=[[1, 0, 0.5]]),
        "Argument `initial` must hold vectors of length <= 1, but entry 0 has length 1.11803399.",
    ),
    (
        lambda: ss.evolve(ONE, T, initial=[1]),
        "Argument `initial` must be real Bloch vectors of shape (group, 3), but has shape (1,).",
    ),
    (lambda: ss.evolve(ONE, T, initial=[[0, 0, 0]] * 2), f"{SHAPE} (1, 3), but has shape (2, 3)."),
    (
        lambda: ss.evolve(ONE, T, initial=[[0, 0, 0]] * 2, theory=ss.BruteForce(3), each=True),
        "Argument `initial` must have shape (1, 3) or (3, 3), but has shape (2, 3).",
    ),
    (
        lambda: ss.evolve(ONE, T, initial=[[0, 0, 0]] * 2, theory=ss.BruteForce(2)),
        f"{SHAPE} (1, 3), but has shape (2, 3).",
    ),
    (
        lambda: ss.evolve(WIDE, T, initial=[[0, 0, 0]] * 33, theory=ss.MeanField(nodes=32), each=True),
        "Argument `initial` must have one vector per group where a frequency is Lorentzian, but has one per spin.",
    ),
    (
        lambda: ss.evolve(laser(frequency=ss.Gaussian(1e5)), T),
        "Argument `nodes` must be given for this ensemble: a frequency width of 100000 at a coherence relaxation of 2 would "
        "need more than 20000 classes.",
    ),
    # closed forms
    (lambda: ss.limit_cycle(TWO), "Argument `ensemble` must have one group for this closed form, but has 2."),
    (
        lambda: ss.limit_cycle(laser(frequency=ss.Samples([1.0]))),
        "Argument `ensemble` must have one frequency or a smooth distribution for this closed form, but has Samples.",
    ),
    (lambda: ss.symmetric_pair(ONE), "Argument `ensemble` must have two groups for this closed form, but has 1."),
    (lambda: ss.locking_range(THREE), "Argument `ensemble` must have two groups for this closed form, but has 3."),
    (
        lambda: ss.symmetric_pair(TWO.replace(**{"B.frequency": ss.Uniform(1.0)})),
        "Argument `ensemble` must have one frequency per group for this closed form, but group 'B' has "
        "Uniform(half_width=1.0, center=0.0).",
    ),
    (
        lambda: ss.symmetric_pair(pair(1, 16, gain=(3, 2))),
        "Argument `ensemble` must be a symmetric pair, but its groups differ in gain.",
    ),
    (
        lambda: ss.symmetric_pair(pair(1, 16, weights=(1, 2))),
        "Argument `ensemble` must be a symmetric pair, but its groups differ in weight.",
    ),
    (
        lambda: ss.symmetric_pair(pair(1, 16, cross_coupling=2)),
        "Argument `ensemble` must be a symmetric pair, but its four couplings differ.",
    ),
    (
        lambda: ss.symmetric_pair(TWO.replace(theta=-1.0)),
        "Argument `ensemble` must be a symmetric pair at theta = -pi/2 or pi/2, but theta is -1.",
    ),
    (
        lambda: ss.symmetric_pair(pair(1, 16, gain=0, damping=0)),
        "Argument `ensemble` must have gain or damping for this closed form, but has neither.",
    ),
    (
        lambda: ss.locking_range(pair(1, 6)),
        "Argument `ensemble` must have groups that synchronize by themselves, but group 'A' does not at V = 6 and weight 0.5.",
    ),
    # diagrams
    (
        lambda: ss.phase_diagram(ONE, {}),
        "Argument `axes` must be a mapping of at least one parameter to its values, but is axes={}.",
    ),
    (
        lambda: ss.phase_diagram(ONE, ["gain"]),
        "Argument `axes` must be a mapping of at least one parameter to its values, but is axes=['gain'].",
    ),
    (
        lambda: ss.phase_diagram(ONE, {"thet": [1]}),
        f"Argument `axes` must be one of {PARAMETERS}, but is axes='thet' (did you mean 'theta'?).",
    ),
    (
        lambda: ss.phase_diagram(ONE, {"A.gain": [1, 2], "gain": [3]}),
        "Argument `axes` must vary each parameter once, but has gain and A.gain.",
    ),
    (
        lambda: ss.phase_diagram(ONE, {"coupling": [1, 2], "A.A.coupling": [3]}),
        "Argument `axes` must vary each parameter once, but has coupling and A.A.coupling.",
    ),
    (lambda: ss.phase_diagram(ONE, {"gain": []}), "Argument `gain` must hold at least one value, but is empty."),
    (lambda: ss.phase_diagram(ONE, {"gain": [1, -1, 2]}), "Argument `gain` must be non-negative, but is gain=-1.0."),
    (lambda: ss.phase_diagram(ONE, {"gain": 1.0}), "Argument `gain` must be a list of numbers, but has shape ()."),
    (lambda: ss.phase_diagram(ONE, {"gain": [1, np.nan]}), "Argument `gain` must be finite, but has the entry nan."),
    (
        lambda: ss.phase_diagram(ONE, {"gain": [1]}, threads=0),
        "Argument `threads` must be a whole number of at least 1, but is threads=0.",
    ),
    (
        lambda: ss.phase_diagram(ONE, {"gain": [1]}, device="gpu"),
        "Argument `device` must be one of cpu, cuda, but is device='gpu' (did you mean 'cpu'?).",
    ),
    (
        lambda: ss.phase_diagram(ONE, {"gain": [1]}, initial=[[0, 0, 0]] * 2),
        f"{SHAPE} (1, 3), but has shape (2, 3).",
    ),
    # light
    (
        lambda: ss.emission_spectrum(ONE, 0.0, theory=ss.Exact(5)),
        "Argument `frequencies` must be a list of increasing numbers, but has shape ().",
    ),
    # regimes
    (lambda: ss.regime(3), "Argument `ensemble` must be an Ensemble, but is ensemble=3."),
    (lambda: ss.regime(ONE, seed=1.5), "Argument `seed` must be a whole number of at least 0, but is seed=1.5."),
    (lambda: ss.regime(TWO, initial=[[0, 0, 0]]), f"{SHAPE} (2, 3), but has shape (1, 3)."),
    (lambda: ss.regime(ONE, initial=[[0, np.nan, 0]]), "Argument `initial` must be finite, but has the entry nan."),
    (
        lambda: ss.regime(ONE, initial=[[0, 0.6, 1]]),
        "Argument `initial` must hold vectors of length <= 1, but entry 0 has length 1.16619038.",
    ),
    (lambda: ss.label(6), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=6."),
    (lambda: ss.label([1, 2.5]), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=[1, 2.5]."),
    (lambda: ss.label("full"), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes='full'."),
    (lambda: ss.label(np.nan), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=nan."),
    (lambda: ss.label(None), "Argument `codes` must be regimes, whole numbers from -1 to 5, but is codes=None."),
    # results
    (lambda: ss.model_of(3), "Argument `dataset` must be a result of spinsync, but is a int without a model."),
    (lambda: ss.bloch(ss.limit_cycle(ONE)), "Argument `dataset` must hold coherence and inversion, but has no coherence."),
    (
        lambda: ss.rerun(ss.limit_cycle(ONE).assign_attrs(verb="limit")),
        "Argument `result` must be a result of a question, but is one of limit.",
    ),
    (
        lambda: ss.rerun(xr.concat([ss.limit_cycle(ONE), ss.limit_cycle(ONE)], "run")),
        "Argument `result` must be one unchanged result, but has the dim run.",
    ),
    (
        lambda: ss.rerun(xr.concat([ss.evolve(ONE, [0.0], theory=ss.Exact(n)) for n in (2, 3)], "spins")),
        "Argument `result` must be of one run, but is of several numbers of spins.",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)


@pytest.mark.parametrize("theory", ["mean field", ss.MeanField, None])
@pytest.mark.parametrize("question", [partial(ss.evolve, times=T), ss.steady_state], ids=["evolve", "steady_state"])
def test_a_theory_must_be_an_instance_of_a_theory(question, theory):
    with pytest.raises(ss.InputError, match="Argument `theory` must be"):
        question(ONE, theory=theory)


def test_every_value_of_an_axis_is_checked():
    cavity = ss.Ensemble.cavity(spins=5, vacuum_coupling=1, cavity_decay=90, gain=1, damping=0.3)
    with pytest.raises(ss.InputError, match="Argument `spins` must be a whole number of at least 1"):
        ss.phase_diagram(cavity, {"spins": [1, 1.5, 2]})


def test_only_a_cavity_has_a_critical_number_of_spins():
    cavity = ss.Ensemble.cavity(spins=5, vacuum_coupling=1, cavity_decay=90, gain=1, damping=0.3)
    for ensemble in (ONE, TWO, cavity.replace(**{"A.A.coupling": 2.0}), cavity.split(2)):
        with pytest.raises(
            ss.InputError, match=r"must be one of Ensemble\.cavity, as no other has a coupling of each spin, but"
        ):
            ss.critical_spins(ensemble)
    for question in (ss.critical_spins, ss.critical_gain):
        with pytest.raises(ss.InputError, match="Argument `ensemble` must be an Ensemble, but is ensemble=3"):
            question(3)


def test_a_message_about_spins_lists_each_shape_once():
    with pytest.raises(ss.InputError, match="Argument `initial` must have shape") as caught:
        ss.evolve(TWO, T, initial=[[0, 0, 0]] * 3, each=True)
    assert str(caught.value).count("(2, 3)") == 1


def test_two_values_for_one_group_and_one_weight_for_two_are_refused():
    with pytest.raises(ss.InputError, match=r"Argument `gain` must be a real number, but is gain=\(3.0, 99.0\)"):
        laser(gain=(3.0, 99.0))
    with pytest.raises(ss.InputError, match="Argument `weights` must be two numbers, but is weights=3"):
        TWO.replace(weights=3)
    for values in ([1.0, 2.0], [[1, 1], [1, 2]]):
        with pytest.raises(ss.InputError, match=r"`A\.weight` rather than `weights`"):
            ss.phase_diagram(TWO, {"weights": values})


@pytest.mark.parametrize("value", [10**400, "3", True, [1 + 1j], np.array(["2020-01-01"], "datetime64[D]")])
def test_values_that_are_no_finite_real_numbers_are_refused(value):
    for call in (lambda: ss.Group(value, 1), lambda: ss.Samples(value if np.ndim(value) else [value])):
        with pytest.raises(ss.InputError, match="must be"):
            call()


def test_an_empty_start_and_too_many_nodes():
    with pytest.raises(ss.InputError, match=r"`initial` must be real Bloch vectors .* but is empty"):
        ss.evolve(TWO, T, initial=np.empty((0, 3)), each=True)
    with pytest.raises(ss.InputError, match="`nodes` must be a whole number from 16 to 20000, but is nodes=1000000000"):
        ss.MeanField(nodes=10**9)
