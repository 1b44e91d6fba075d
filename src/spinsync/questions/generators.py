"""The microscopic model behind mean field: its Lindblad master equation, and the exact one-spin equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.interrupts import in_background
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import lindbladian
from spinsync.questions.errors import error_messages
from spinsync.questions.evolution import check_times_memory
from spinsync.questions.initial_states import initial_value_problem
from spinsync.questions.options import checked_seed
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.brute_force.one_spin import generator_side, identity_side
from spinsync.theory.brute_force.theory import BruteForce, SpinSpace


@question
def lindblad(ensemble: Ensemble, spins: int) -> xr.Dataset:
    """Rates in the Lindblad master equation of N spins with the coupling C: exchange, correlated decay and pumping.

    C = Hc + i (K_+ - K_-), equations (2.1) and (2.2); there is such an equation for every complex matrix C.

    Parameters
    ----------
    ensemble : Ensemble
        Every group has a single frequency.
    spins : int
        Number N of spins, at most 2000; they must split over the groups by weight.

    Returns
    -------
    xarray.Dataset
        (spin, other_spin): exchange Hc, correlated_decay 2 K_-, correlated_pumping 2 K_+, complex Hermitian matrices;
        (spin): spin_frequency, gain, damping, dephasing, and the coordinate spin_group. All are angular.

    Raises
    ------
    InputError
        If the spins do not split over the groups, or a frequency is distributed.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> laser = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> float(ss.lindblad(laser, 4).correlated_decay[0, 1].real.round(9))
    6.0
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    terms = in_background(lindbladian)(ensemble, checks.whole("spins", spins, 1, 2000))
    names: Array = np.array(ensemble.names)[terms.group]
    pair_values = {"exchange": terms.exchange, "correlated_decay": terms.decay, "correlated_pumping": terms.pumping}
    spin_values = {"spin_frequency": terms.omega} | {n: getattr(terms, n) for n in ("gain", "damping", "dephasing")}
    variables = {name: (("spin", "other_spin"), values) for name, values in pair_values.items()}
    variables |= {name: (("spin",), values) for name, values in spin_values.items()}
    return dataset(variables, {"spin_group": ("spin", names)}, "lindblad", ensemble, spins=spins)


@question
def one_spin_equation(ensemble: Ensemble, times: Any, *, theory: BruteForce, initial: Any = None, seed: int = 0) -> xr.Dataset:
    """Both sides of the exact one-spin equations (2.3) and (2.4) during the evolution of N spins.

    Parameters
    ----------
    ensemble : Ensemble
        Any complex coupling; every group has a single frequency.
    times : array of shape (time,)
        Increasing.
    theory : BruteForce
    initial : real array of shape (group, 3) or (spin, 3) or xarray.Dataset, optional
        Bloch vectors of the product state at times[0], or a result of BruteForce to continue, as in `evolve`.
    seed : int
        Seed of the random initial state, as in `evolve`; 0 where `initial` is given.

    Returns
    -------
    xarray.Dataset
        (time, spin): coherence_rate and inversion_rate from the Lindblad generator (2.2), coherence_identity and
        inversion_identity from the right-hand sides of (2.3) and (2.4), with the pair correlations of the same run.

    Raises
    ------
    InputError
        If times do not increase, `initial` does not fit, or the spins do not split over the groups.
    IntegrationError
        If the rates are too large for double precision.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.0)
    >>> sides = ss.one_spin_equation(one, [0.0, 0.5], theory=ss.BruteForce(3))
    >>> bool(abs(sides.coherence_rate - sides.coherence_identity).max() < 1e-12)
    True
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    checks.instance("theory", theory, BruteForce, "BruteForce")
    times, seed = checks.increasing("times", times), checked_seed(theory, "evolve", initial, seed)
    problem, record = initial_value_problem(ensemble, theory, initial, seed, each=True)
    check_times_memory(problem, times)
    blocks = {q: problem.sectors.block(q) for q in problem.sectors.charges}
    with error_messages(theory):
        states = problem.states(times)
    space, terms = SpinSpace(theory.spins), lindbladian(ensemble, theory.spins)
    s_rate, z_rate = generator_side(space, blocks, states)
    s_identity, z_identity = identity_side(space, terms, states)
    sides = {
        "coherence_rate": s_rate, "inversion_rate": z_rate, "coherence_identity": s_identity, "inversion_identity": z_identity,
    }  # fmt: skip
    if not all(np.all(np.isfinite(side)) for side in sides.values()):
        raise checks.IntegrationError("The rates are too large for double precision, or differ by too many orders.")
    variables = {name: (("time", "spin"), side) for name, side in sides.items()}
    coordinates = {"time": ("time", times), "spin_group": ("spin", np.array(ensemble.names)[terms.group])}
    return dataset(
        variables, coordinates, "one_spin_equation", ensemble, theory=theory_record(theory), seed=seed,
        origin=float(times[0]), initial=record,
    )  # fmt: skip
