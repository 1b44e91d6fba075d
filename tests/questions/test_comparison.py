"""compare holds what `evolve` finds at each level of theory, and nothing where a theory has no such variable."""

import numpy as np
import pytest

import spinsync as ss
from spinsync.model.realizability import Validity
from spinsync.questions.comparison import side_by_side

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.3)
TWO = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-1.2)
TIMES = [0.0, 0.3, 0.7]
ROUGH = ss.Trajectories(10, rtol=0.5, atol=0.2)


@pytest.mark.parametrize("options", [{"seed": 3}, {"initial": [[0.3, 0.1, -0.2]]}, {"initial": [[0.3, 0.1, -0.2]], "seed": 5}])
def test_each_level_is_the_run_of_evolve(options):
    """A seed goes to the theories for which it matters: with an initial state, to the trajectories alone."""
    theories = [ss.Exact(10), ss.MeanField(), ROUGH, ss.BruteForce(2)]
    levels = ss.compare(ONE, TIMES, theories=theories, **options)
    for i, theory in enumerate(theories):
        drawn = theory is ROUGH or "initial" not in options
        alone = ss.evolve(ONE, TIMES, theory=theory, **options | ({} if drawn else {"seed": 0}))
        level = levels.isel(theory=i)
        for name in levels.data_vars:
            if name in alone:
                assert levels[name].dims == ("theory", *alone[name].dims)
                np.testing.assert_array_equal(level[name], alone[name])
            else:
                assert np.isnan(level[name]).all(), name
        assert set(alone.data_vars) <= set(levels.data_vars)
    assert levels.coherence.dtype == complex


def test_levels_are_named_and_count_their_spins():
    levels = ss.compare(ONE, [0.0], theories=[ss.MeanField(), ss.MeanField(rtol=1e-6), ROUGH, ss.Exact(3)])
    labels = ["MeanField", "MeanField(rtol=1e-06)", "Trajectories(10, rtol=0.5, atol=0.2)", "Exact(3)"]
    assert levels.theory.values.tolist() == labels
    assert levels.spins.values.tolist() == [np.inf, np.inf, 10, 3]
    assert levels.sel(theory="Exact(3)").spins == 3


def test_the_order_of_theories_changes_nothing():
    theories = [ss.MeanField(), ROUGH, ss.Exact(3)]
    there, back = (ss.compare(ONE, TIMES, theories=these, seed=1) for these in (theories, theories[::-1]))
    for name in there.data_vars:
        np.testing.assert_array_equal(there[name], back[name].isel(theory=slice(None, None, -1)))


def test_a_selection_of_levels_is_computed_again():
    levels = ss.compare(ONE, TIMES, theories=[ss.MeanField(), ROUGH, ss.Exact(3)], seed=1)
    some = levels.isel(theory=[0, 2], time=slice(1, 3))
    again = ss.rerun(some)
    assert again.theory.values.tolist() == ["MeanField", "Exact(3)"]
    for name in again.data_vars:
        np.testing.assert_array_equal(again[name], some[name])
    alone = ss.rerun(levels.sel(theory="Trajectories(10, rtol=0.5, atol=0.2)"))
    np.testing.assert_array_equal(alone.inversion[0], levels.inversion[1])


def test_altered_levels_are_not_computed_again():
    levels = ss.compare(ONE, TIMES, theories=[ss.MeanField(), ss.Exact(3)])
    with pytest.raises(ss.InputError, match="must record the theories that it holds, but does not"):
        ss.rerun(levels.assign_coords(theory=["MeanField", "Exact(4)"]))
    for text in (3, "[", "{}", "[3]"):
        with pytest.raises(ss.InputError, match=r"recorded in the result|theories that it holds"):
            ss.rerun(levels.assign_attrs(theories=text))


def test_bloch_vectors_of_levels_have_lost_the_correlations():
    levels = ss.compare(TWO, TIMES, theories=[ss.MeanField(), ss.Exact(4)])
    assert ss.bloch(levels).attrs["lost"] == "the correlations"
    assert "lost" not in ss.bloch(ss.compare(TWO, TIMES, theories=[ss.MeanField()])).attrs


def test_a_status_is_missing_where_a_theory_tests_nothing():
    runs = [{"status": (("time",), np.array([0, 2], np.int8))}, {"inversion": (("time",), np.array([0.1, 0.2]))}]
    found = side_by_side(runs)
    assert found["status"][0] == ("theory", "time")
    assert found["status"][1].dtype == np.int8
    assert found["status"][1].tolist() == [[Validity.VALID, Validity.PAIR_NOT_POSITIVE], [Validity.NOT_TESTED] * 2]
    assert np.isnan(found["inversion"][1][0]).all()
