"""Threads of the linear algebra: one while we compute, and the user's own setting afterwards."""

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
    with one_blas_thread():  # loads the libraries
        libraries = ThreadpoolController().select(user_api="blas")
    if not libraries.lib_controllers:
        pytest.skip("numpy and scipy have a BLAS here whose threads can't be set")
    with libraries.limit(limits=2):
        yield lambda: {library.num_threads for library in libraries.lib_controllers}


@pytest.mark.parametrize("verb", ASKED)
def test_verbs_compute_on_one_thread(verb, threads, monkeypatch):
    """Seen from inside, where a block of the generator is asked for."""
    seen, block = [], DickeLattice.block

    def watched(lattice, q):
        seen.append(threads())
        return block(lattice, q)

    monkeypatch.setattr(DickeLattice, "block", watched)
    ASKED[verb](laser(), theory=ss.Exact(6))
    assert seen
    assert all(number == {1} for number in seen)
    assert threads() == {2}


@pytest.mark.parametrize("leaves_first", [0, 1])
def test_the_setting_returns_with_the_last_who_leaves(threads, leaves_first):
    """Two threads whose times inside overlap; nobody inside ever computes on more than one."""
    inside, may_leave, left = Barrier(3), [Event(), Event()], [Event(), Event()]

    def visit(k):
        with one_blas_thread():
            inside.wait()
            may_leave[k].wait()
        left[k].set()

    visitors = [Thread(target=visit, args=(k,)) for k in (0, 1)]
    for visitor in visitors:
        visitor.start()
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


def test_calls_side_by_side_leave_the_setting_and_agree_bit_for_bit(threads):
    """Eight calls over eight threads: each has the result of a call alone."""
    ask = partial(ss.linewidth, laser(), theory=ss.Exact(30))
    alone = float(ask().linewidth)
    with ThreadPoolExecutor(8) as pool:
        together = [float(found.linewidth) for found in pool.map(lambda _: ask(), range(8))]
    assert together == [alone] * 8
    assert threads() == {2}
