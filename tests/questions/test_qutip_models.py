"""The QuTiP models have the same generator as BruteForce, and populations (j, m) of piqs agree."""

import sys

import numpy as np
import pytest

import spinsync as ss
from spinsync.model.master_equation import lindbladian
from spinsync.problems.linear.state_lattice import steady_populations
from spinsync.theory.brute_force import theory
from spinsync.theory.permutation.exact import Exact
from systems import laser, one_group, random_spins

qutip = pytest.importorskip("qutip")


@pytest.mark.parametrize(("seed", "counts"), [(0, (3,)), (2, (1, 2)), (4, (1, 1, 1)), (6, (1,))])
def test_the_generator_is_that_of_brute_force(seed, counts):
    ensemble, _ = random_spins(seed, counts)
    spins = sum(counts)
    model = ss.to_qutip(ensemble, spins)
    generator = qutip.liouvillian(model.hamiltonian, model.collapse_operators).full()
    order = np.arange(4**spins).reshape(2**spins, -1).T.reshape(-1)  # QuTiP stacks columns, BruteForce rows
    reference = theory.liouvillian(theory.SpinSpace(spins), lindbladian(ensemble, spins)).toarray()
    np.testing.assert_allclose(generator[np.ix_(order, order)], reference, atol=1e-13)
    assert model.hamiltonian.dims == [[2] * spins] * 2


@pytest.mark.parametrize(("seed", "spins"), [(0, 1), (1, 6), (2, 19), (5, 30)])
def test_populations_agree_with_piqs(seed, spins):
    """The null vector of the rate matrix of qutip.piqs.Pim by dense linear algebra."""
    ensemble, _ = one_group(seed)
    ensemble = ensemble.replace(**{"A.gain": 1.1, "A.damping": 0.6})
    system = ss.to_piqs(ensemble, spins)
    matrix = qutip.piqs.Pim(
        spins, emission=system.emission, pumping=system.pumping, dephasing=system.dephasing,
        collective_emission=system.collective_emission, collective_pumping=system.collective_pumping,
    ).coefficient_matrix().toarray()  # fmt: skip
    matrix[0] = 1
    theirs = np.linalg.solve(matrix, np.eye(len(matrix))[0])
    order = [(j, m) for j in np.arange(spins / 2, -0.1, -1) for m in np.arange(j, -j - 0.1, -1)]
    found = steady_populations.steady_state(Exact(spins).lower(ensemble, None, 0).sectors)
    ours = {(row + spins % 2 / 2, column - spins / 2): p
            for (row, column), p in zip(found.lattice.sites(0), found.probability, strict=True)}  # fmt: skip
    np.testing.assert_allclose([ours.get(site, 0.0) for site in order], theirs, atol=1e-12)


def test_the_liouvillian_of_piqs_has_our_eigenvalues():
    """With Hamiltonian, frequency and dephasing, to the single precision of its liouvillian."""
    ensemble = laser(theta=-0.8, dephasing=0.3, frequency=0.9)
    system = ss.to_piqs(ensemble, 4)
    eigenvalues = np.linalg.eigvals(system.liouvillian().full())
    problem = Exact(4).lower(ensemble, None, 0)
    for q in (0, 1, 2):
        for value in np.linalg.eigvals(problem.sectors.block(q).toarray()):
            assert abs(eigenvalues - value).min() < 1e-5


def test_a_missing_qutip_is_an_import_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    for call, name in ((ss.to_qutip, "to_qutip"), (ss.to_piqs, "to_piqs")):
        with pytest.raises(ImportError) as caught:
            call(laser(), 2)
        assert str(caught.value) == f"{name} needs the package qutip: pip install qutip."
