"""Options that would have no effect are errors, and a cavity that is computed at another number of spins gives a warning."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import spinsync as ss
from systems import laser

ONE, START = laser(), [[0.1, 0.0, 0.2]]
CAVITY = ss.Ensemble.cavity(spins=8, vacuum_coupling=1.0, cavity_decay=80.0, gain=1.0, damping=0.1)
BROAD = laser(frequency=ss.Lorentzian(0.2))
WITH_INITIAL = "Argument `seed` must be left at 0 where `initial` is given, as nothing else is random, but is seed=3."
UNUSED = "Argument `seed` must be left at 0 where nothing is random, but is seed=3."
NODES = "Argument `nodes` must be None where no frequency has a smooth distribution, but is nodes=64."
FINER = ss.MeanField(nodes=64)


@pytest.mark.parametrize(
    ("ask", "message"),
    {
        "evolve": (lambda: ss.evolve(ONE, [0, 1], initial=START, seed=3), WITH_INITIAL),
        "evolve from a result": (lambda: ss.evolve(ONE, [1, 2], initial=ss.evolve(ONE, [0, 1]), seed=3), WITH_INITIAL),
        "evolve exactly": (lambda: ss.evolve(ONE, [0, 1], theory=ss.Exact(4), initial=START, seed=3), WITH_INITIAL),
        "steady_state": (lambda: ss.steady_state(ONE, initial=START, seed=3), WITH_INITIAL),
        "steady_state at finite N": (lambda: ss.steady_state(ONE, theory=ss.BruteForce(3), seed=3), UNUSED),
        "regime": (lambda: ss.regime(ONE, initial=START, seed=3), WITH_INITIAL),
        "phase_diagram": (lambda: ss.phase_diagram(ONE, {"gain": [1.0]}, initial=START, seed=3), WITH_INITIAL),
        "phase_diagram at finite N": (lambda: ss.phase_diagram(ONE, {"gain": [1.0]}, theory=ss.Exact(4), seed=3), UNUSED),
        "one_spin_equation": (
            lambda: ss.one_spin_equation(ONE, [0, 1], theory=ss.BruteForce(3), initial=START, seed=3), WITH_INITIAL,
        ),
        "nodes of evolve": (lambda: ss.evolve(ONE, [0, 1], theory=FINER), NODES),
        "nodes of samples": (lambda: ss.steady_state(laser(frequency=ss.Samples([0, 1])), theory=FINER), NODES),
        "nodes of regime": (lambda: ss.regime(ONE, theory=FINER), NODES),
        "nodes of phase_diagram": (lambda: ss.phase_diagram(ONE, {"gain": [1.0]}, theory=FINER), NODES),
        "nodes of frequencies along an axis": (
            lambda: ss.phase_diagram(BROAD, {"frequency": [0.0, 1.0]}, theory=FINER), NODES,
        ),
    }.values(),
)  # fmt: skip
def test_an_option_without_effect_is_an_error(ask, message):
    with pytest.raises(ss.InputError, match=f"^{re.escape(message)}$"):
        ask()


def test_the_same_options_are_taken_where_they_have_an_effect():
    assert not ss.evolve(ONE, [0, 1], seed=3).identical(ss.evolve(ONE, [0, 1]))
    sampled = ss.Trajectories(4, rtol=0.2)
    assert not ss.steady_state(ONE, theory=sampled, seed=3).equals(ss.steady_state(ONE, theory=sampled))
    coarse, fine = (ss.evolve(BROAD, [0, 1], theory=ss.MeanField(nodes=nodes), each=True) for nodes in (16, 64))
    assert coarse.sizes["spin"] < fine.sizes["spin"]
    mixed = ss.phase_diagram(BROAD, {"frequency": [ss.Samples([0.0]), ss.Lorentzian(0.2)]}, theory=FINER)
    assert ss.rerun(mixed).identical(mixed)


def test_results_of_version_0_1_with_a_seed_and_an_initial_state_are_repeated():
    """Version 0.1 recorded the seed although it had no influence."""
    run = ss.evolve(ONE, [0, 1], initial=START)
    again = ss.rerun(run.assign_attrs(seed=3))
    assert again.identical(run)


WARNING = (
    r"^The cavity holds spins=8 and Exact\(spins=6\) computes 6: the coupling V is kept, and with it "
    r"vacuum_coupling \* sqrt\(spins\); `replace\(spins=6\)` keeps vacuum_coupling\.$"
)


@pytest.mark.parametrize(
    "ask",
    {
        "evolve": lambda theory: ss.evolve(CAVITY, [0, 1], theory=theory),
        "steady_state": lambda theory: ss.steady_state(CAVITY, theory=theory),
        "linewidth": lambda theory: ss.linewidth(CAVITY, theory=theory),
        "emission_spectrum": lambda theory: ss.emission_spectrum(CAVITY, [0.0], theory=theory),
        "photon_statistics": lambda theory: ss.photon_statistics(CAVITY, theory=theory),
        "entropy": lambda theory: ss.entropy(CAVITY, theory=theory),
        "phase_diagram": lambda theory: ss.phase_diagram(CAVITY, {"gain": [1.0, 2.0]}, theory=theory),
    }.values(),
    ids=lambda ask: ask.__code__.co_names[1],
)
def test_a_cavity_at_another_number_of_spins_gives_one_warning(ask):
    with pytest.warns(UserWarning, match=WARNING) as warned:
        ask(ss.Exact(6))
    assert [Path(one.filename) for one in warned] == [Path(__file__)]  # the line of the user's call
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(ss.Exact(8))


def test_the_warning_about_a_cavity_is_true():
    with pytest.warns(UserWarning, match="The cavity holds"):
        kept = ss.linewidth(CAVITY, theory=ss.Exact(6))
    stronger = CAVITY.replace(vacuum_coupling=np.sqrt(8 / 6), spins=6)
    np.testing.assert_allclose(ss.linewidth(stronger, theory=ss.Exact(6)).linewidth, kept.linewidth, rtol=1e-12)
    other = ss.linewidth(CAVITY.replace(spins=6), theory=ss.Exact(6))
    assert abs(other.linewidth / kept.linewidth - 1) > 1e-3
