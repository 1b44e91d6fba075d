"""Results depend on the seed of the call only; numpy's global random state is left to the user."""

import numpy as np
import pytest

import spinsync as ss
from systems import laser

ONE, T = laser(theta=-1.2), np.linspace(0.0, 2.0, 5)

QUESTIONS = {
    "evolve": lambda: ss.evolve(ONE, T, theory=ss.BruteForce(4), initial=[[0.3, 0.1, 0.2]]),
    "uneven times": lambda: ss.evolve(ONE, [0.0, 0.5, 2.0], theory=ss.BruteForce(4), initial=[[0.3, 0.1, 0.2]]),
    "steady_state": lambda: ss.steady_state(ONE, theory=ss.BruteForce(4)),
    "emission_spectrum": lambda: ss.emission_spectrum(ONE, [-1.0, 0.0, 1.0], theory=ss.BruteForce(3)),
    "photon_statistics": lambda: ss.photon_statistics(ONE, [0.0, 1.0], theory=ss.BruteForce(3)),
    "one_spin_equation": lambda: ss.one_spin_equation(ONE, T, theory=ss.BruteForce(3)),
    "linewidth": lambda: ss.linewidth(ONE, theory=ss.Exact(40)),
    "trajectories": lambda: ss.evolve(ONE, [0.0, 0.2], theory=ss.Trajectories(3, most_jumps=1000)),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_numpys_global_random_state_is_neither_used_nor_changed(name):
    np.random.seed(1)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    found = []
    for start in (1, 2):
        np.random.seed(start)  # noqa: NPY002
        found.append(QUESTIONS[name]())
        if start == 1:
            assert np.array_equal(np.random.random(3), expected)  # noqa: NPY002
    assert found[0].identical(found[1])
