"""Threads of the linear algebra: one while we compute, and the user's own setting afterwards."""

from dataclasses import replace
from functools import partial
from threading import Barrier, Thread

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import spinsync as ss
from reference import laser
from spinsync.base.threads import one_thread

T = np.linspace(0, 1, 3)
ASKED = {
    "evolve": partial(ss.evolve, times=T),
    "steady_state": ss.steady_state,
    "linewidth": ss.linewidth,
    "emission_spectrum": partial(ss.emission_spectrum, frequencies=T),
    "entropy": ss.entropy,
    "asymptotic_phase": partial(ss.asymptotic_phase, states=[[0.5, 0.0, 0.1]]),
}


@pytest.fixture
def threads():
    """A function that tells how many threads BLAS may use; it starts at two."""
    with one_thread():  # loads the libraries
        libraries = ThreadpoolController().select(user_api="blas")
    if not libraries.lib_controllers:
        pytest.skip("numpy and scipy have a BLAS here whose threads can't be set")
    with libraries.limit(limits=2):
        yield lambda: {library.num_threads for library in libraries.lib_controllers}


@pytest.mark.parametrize("verb", ASKED)
def test_verbs_compute_on_one_thread(verb, threads, monkeypatch):
    """Seen from inside, where a block of the generator is asked for."""
    seen, lower = [], ss.Exact.lower

    def watched(problem):
        def block(q):
            seen.append(threads())
            return problem.block(q)

        lattice = replace(problem.lattice, cut=lambda box: watched(problem.lattice.cut(box)))
        return replace(problem, block=block, lattice=lattice)

    monkeypatch.setattr(ss.Exact, "lower", lambda *arguments: watched(lower(*arguments)))
    ASKED[verb](laser(), theory=ss.Exact(6))
    assert seen
    assert all(number == {1} for number in seen)
    assert threads() == {2}


def test_the_setting_returns_whoever_leaves_first(threads):
    """Two threads whose times inside overlap."""
    inside, outside = Barrier(2), Barrier(2)

    def other():
        with one_thread():
            inside.wait()
            outside.wait()

    thread = Thread(target=other)
    thread.start()
    with one_thread():
        inside.wait()
        assert threads() == {1}
    assert threads() == {2}
    outside.wait()
    thread.join()
    assert threads() == {2}
    with one_thread():
        assert threads() == {1}
