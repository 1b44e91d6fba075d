"""Measures of quantum synchronization that need the model: entropy (8.6) and asymptotic phase (9.9)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.questions.errors import error_messages
from spinsync.questions.initial_states import steady_state_problem
from spinsync.results.datasets import dataset, initial_record, theory_record
from spinsync.results.registry import question
from spinsync.theory.protocol import Theory, check_theory


@question
def entropy(ensemble: Ensemble, *, theory: Theory) -> xr.Dataset:
    """Von Neumann entropy and purity of the steady state, equation (8.6).

    Parameters
    ----------
    ensemble : Ensemble
    theory : Exact or BruteForce

    Returns
    -------
    xarray.Dataset
        Scalars entropy -Tr rho ln rho in nats, at most N ln 2, and purity Tr rho^2 (0 where it is below 1e-308).

    Raises
    ------
    InputError
        If the theory does not answer this question or does not support the ensemble, or the steady state is not unique.

    Notes
    -----
    Time: that of the steady state; on one core a group of 4000 spins takes 7 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> free = ss.Ensemble.single(gain=1.0, damping=1.0, coupling=0.0, theta=0.0)
    >>> round(float(ss.entropy(free, theory=ss.Exact(50)).entropy / 50 / np.log(2)), 9)
    1.0
    """
    problem = steady_state_problem(ensemble, theory, "entropy")
    with error_messages(theory):
        p, multiplicity = problem.density_eigenvalues()
    positive = p > 0
    logarithm = np.log(p[positive]) - multiplicity[positive]  # ln of the eigenvalues; multiplicity: logarithms, too
    variables: dict[str, Any] = {
        "entropy": ((), float(-(p[positive] @ logarithm))),
        "purity": ((), float(p[positive] @ np.exp(logarithm))),
    }
    return dataset(variables, {}, "entropy", ensemble, theory=theory_record(theory))


@question
def asymptotic_phase(ensemble: Ensemble, states: Any, *, theory: Theory) -> xr.Dataset:
    """Asymptotic phase of product states, defined by the slowest mode of sector +1, equation (9.9).

    It is -arg of the scalar product of the mode's left eigenvector and the state, and advances uniformly at the frequency of
    the line. It is zero for the component (j, m) where the product of left and right eigenvector is largest, at zero azimuth.
    The quantum counterpart of the isochrons (5.5).

    Parameters
    ----------
    ensemble : Ensemble
        One group.
    states : real array of shape (state, 3)
        Bloch vectors of length at most 1; in each product state all spins have the same one.
    theory : Exact

    Returns
    -------
    xarray.Dataset
        (state): phase in radians (NaN without coherence), and amplitude, the modulus of the scalar product.

    Raises
    ------
    InputError
        If a vector is longer than 1, there are several groups, or there are too many spins for the memory.
    IntegrationError
        If the slowest modes nearly coincide, or the rates are too large for double precision.

    Notes
    -----
    Time on one core: 500 spins 2 s, and more than in proportion to their square beyond, as the whole lattice is used.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> found = ss.asymptotic_phase(one, [[0.5, 0.0, 0.1], [0.0, 0.5, 0.1]], theory=ss.Exact(30))
    >>> (found.phase.values / np.pi).round(9) + 0
    array([0. , 0.5])
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    check_theory(theory, "asymptotic_phase")
    if len(ensemble.groups) > 1:
        raise checks.InputError(f"Argument `ensemble` must have one group for a phase, but has {len(ensemble.groups)}.")
    m = bloch_vectors.checked(states, "real Bloch vectors of shape (state, 3)", "states")
    with error_messages(theory):
        mode = steady_state_problem(ensemble, theory, "asymptotic_phase").slowest_mode()
    strongest = mode.left[np.argmax(abs(mode.left * mode.right))]
    left = mode.left * (abs(strongest) / strongest)
    starts: Any = (theory.lower(ensemble, vector[None], 0, False) for vector in m)
    values = np.array([left @ problem.start(1) for problem in starts])
    phase = np.where(abs(values) > 0, -np.angle(values), np.nan)
    variables = {"phase": (("state",), phase), "amplitude": (("state",), abs(values))}
    return dataset(variables, {}, "asymptotic_phase", ensemble, theory=theory_record(theory), states=initial_record(m))
