"""photon_statistics: the intensity correlation g2 of the collective emission."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.memory import check_memory
from spinsync.model.ensembles import Ensemble
from spinsync.questions.errors import error_messages
from spinsync.questions.initial_states import steady_state_problem
from spinsync.questions.options import checked_seed
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.protocol import Theory

BYTES = 20 * 8  # of memory for each delay


@question
def photon_statistics(ensemble: Ensemble, delays: Any = (0.0,), *, theory: Theory, seed: int = 0) -> xr.Dataset:
    """Intensity correlation of the collective emission in the steady state, equation (9.18).

    g2(tau) = <J_+(0) J_+(tau) J_-(tau) J_-(0)> / <J_+ J_->^2, where J_- is the sum of sigma^- over all spins of all groups: the
    rate of photons at a time tau after a photon, relative to their mean rate. It is 1 for a laser, 2 at tau = 0 for thermal
    light, 0 at tau = 0 for one spin, and tends to 1 for long delays.

    Parameters
    ----------
    ensemble : Ensemble
    delays : array of shape (delay,)
        Increasing, in units of 1/rate. In the steady state g2(-tau) = g2(tau).
    theory : TruncatedWigner, Exact or BruteForce
    seed : int
        Seed of theories that draw random numbers; 0 for others.

    Returns
    -------
    xarray.Dataset
        (delay): g2; NaN where the ensemble emits no light. TruncatedWigner adds g2_error, and gives NaN where the mean
        intensity <J_+ J_-> is below 4 or not known well enough.

    Raises
    ------
    InputError
        If delays do not increase, the theory does not answer this question or does not support the ensemble, or the steady
        state is not unique.
    IntegrationError
        If there is so little light that rounding errors decide, or the rates are too large for double precision.

    Notes
    -----
    Light that a cavity emits has this g2 if the mode follows the spins, as in `Ensemble.cavity`. Detectors that miss photons
    measure the same g2.

    Time on one core, to a delay of 10, with Exact: one group of 1000 spins 5 s, of 3000 spins 26 s; two groups of 10 spins each
    1 s, of 20 spins each 15 s. At zero delay it is that of the steady state, 1 s for 1000 spins.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> light = ss.photon_statistics(one, [0.0, 0.5, 10.0], theory=ss.Exact(200))
    >>> light.g2.values.round(3)
    array([1.237, 0.941, 1.   ])
    """
    problem = steady_state_problem(ensemble, theory, "photon_statistics")
    tau, seed = checks.increasing("delays", delays), checked_seed(theory, "photon_statistics", None, seed)
    check_memory("delays", tau.size, BYTES, "delays")
    sizes, position = np.unique(abs(tau), return_inverse=True)
    with error_messages(theory):
        found = problem.photon_correlation(sizes, seed)
    variables = {name: (dims, values[position]) for name, (dims, values) in found.items()}
    coordinates = {"delay": ("delay", tau)}
    return dataset(variables, coordinates, "photon_statistics", ensemble, theory=theory_record(theory), seed=seed)
