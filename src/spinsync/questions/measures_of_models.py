"""Measures of quantum synchronization of ensembles: entropy, the asymptotic phase (section 8)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.questions.errors import error_messages
from spinsync.questions.initial_states import asked
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
        entropy -Tr rho ln rho in nats, at most N ln 2; purity Tr rho^2 (0 where it is below 1e-308).

    Raises
    ------
    InputError
        If the theory does not answer this or does not take the ensemble, or the steady state is not unique.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> free = ss.Ensemble.single(gain=1.0, damping=1.0, coupling=0.0, theta=0.0)
    >>> round(float(ss.entropy(free, theory=ss.Exact(50)).entropy / 50 / np.log(2)), 9)
    1.0
    """
    problem = asked(ensemble, theory, "entropy")
    with error_messages(theory):
        p, copies = problem.mixture()
    positive = p > 0
    logarithm = np.log(p[positive]) - copies[positive]  # ln of the eigenvalues, each exp(copies) times
    variables: dict[str, Any] = {
        "entropy": ((), float(-(p[positive] @ logarithm))),
        "purity": ((), float(p[positive] @ np.exp(logarithm))),
    }
    return dataset(variables, {}, "entropy", ensemble, theory=theory_record(theory))


@question
def asymptotic_phase(ensemble: Ensemble, states: Any, *, theory: Theory) -> xr.Dataset:
    """The phase that product states end up with, by the slowest mode of sector +1, equation (9.9).

    -arg of the mode's left eigenvector times the state: it advances uniformly at the line's frequency, and is zero for the
    place (j, m) where the product of the mode's two eigenvectors is largest, at zero azimuth. The quantum counterpart of the
    isochrons (5.5).

    Parameters
    ----------
    ensemble : Ensemble
        One group.
    states : real array of shape (state, 3)
        Bloch vectors that all spins share, length at most 1.
    theory : Exact

    Returns
    -------
    xarray.Dataset
        (state): phase (NaN without coherence) and amplitude, the modulus of the same number.

    Raises
    ------
    InputError
        If a vector is too long, there are several groups, or the spins are too many for the memory.
    IntegrationError
        If the slowest modes nearly coincide, or the rates are too large for double precision.

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
        mode = asked(ensemble, theory, "asymptotic_phase").slowest_mode()
    strongest = mode.left[np.argmax(abs(mode.left * mode.right))]
    left = mode.left * (abs(strongest) / strongest)
    starts: Any = (theory.lower(ensemble, vector[None], 0, False) for vector in m)
    values = np.array([left @ problem.start(1) for problem in starts])
    phase = np.where(abs(values) > 0, -np.angle(values), np.nan)
    variables = {"phase": (("state",), phase), "amplitude": (("state",), abs(values))}
    recorded = {"theory": theory_record(theory), "states": initial_record(m)}
    return dataset(variables, {}, "asymptotic_phase", ensemble, **recorded)
