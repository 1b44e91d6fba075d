"""BLAS runs on one thread within a question; the user's own setting is restored afterwards."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event, Thread

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import spinsync as ss
from spinsync.base.blas_threads import one_blas_thread
from spinsync.theory.permutation.exact import DickeLattice
from systems import laser

T = np.linspace(0, 1, 3)
QUESTIONS = {
    "evolve": partial(ss.evolve, times=T),
    "steady_state": ss.steady_state,
    "linewidth": ss.linewidth,
    "emission_spectrum": partial(ss.emission_spectrum, frequencies=T),
    "photon_statistics": partial(ss.photon_statistics, delays=T),
    "entropy": ss.entropy,
    "asymptotic_phase": partial(ss.asymptotic_phase, states=[[0.5, 0.0, 0.1]]),
}


@pytest.fixture
def threads():
    """A function that returns the numbers of BLAS threads; initially two."""
    with one_blas_thread():  # loads the libraries
        libraries = ThreadpoolController().select(user_api="blas")
    if not libraries.lib_controllers:
        pytest.skip("numpy and scipy have a BLAS here whose threads can't be set")
    with libraries.limit(limits=2):
        yield lambda: {library.num_threads for library in libraries.lib_controllers}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_use_one_blas_thread(question, threads, monkeypatch):
    """Recorded where a block of the generator is computed."""
    recorded, block = [], DickeLattice.block

    def watched(lattice, q):
        recorded.append(threads())
        return block(lattice, q)

    monkeypatch.setattr(DickeLattice, "block", watched)
    QUESTIONS[question](laser(), theory=ss.Exact(6))
    assert recorded
    assert all(number == {1} for number in recorded)
    assert threads() == {2}


@pytest.mark.parametrize("leaves_first", [0, 1])
def test_the_last_thread_to_leave_restores_the_setting(threads, leaves_first):
    """Two threads whose blocks overlap in time; within them BLAS never uses more than one thread."""
    inside, may_leave, left = Barrier(3), [Event(), Event()], [Event(), Event()]

    def enter(k):
        with one_blas_thread():
            inside.wait()
            may_leave[k].wait()
        left[k].set()

    callers = [Thread(target=enter, args=(k,)) for k in (0, 1)]
    for caller in callers:
        caller.start()
    inside.wait()
    assert threads() == {1}
    may_leave[leaves_first].set()
    left[leaves_first].wait()
    assert threads() == {1}
    may_leave[1 - leaves_first].set()
    left[1 - leaves_first].wait()
    assert threads() == {2}
    with one_blas_thread():
        assert threads() == {1}
    assert threads() == {2}


def test_concurrent_calls_restore_the_setting_and_agree_bit_for_bit(threads):
    """Eight calls in eight threads give the result of a single call."""
    question = partial(ss.linewidth, laser(), theory=ss.Exact(30))
    single = float(question().linewidth)
    with ThreadPoolExecutor(8) as pool:
        several = [float(found.linewidth) for found in pool.map(lambda _: question(), range(8))]
    assert several == [single] * 8
    assert threads() == {2}
