"""steady_state: the state that an ensemble settles to."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.checks import IntegrationError
from spinsync.base.interrupts import aside
from spinsync.base.threads import one_thread
from spinsync.model.ensembles import Ensemble
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import Approach, settle, slowest
from spinsync.problems.flow.record import Flow
from spinsync.problems.many_spins.record import Crowd
from spinsync.problems.observed import Observed
from spinsync.problems.sampled.record import Jumps
from spinsync.questions.evolution import not_finished
from spinsync.questions.finite_n import at_rest, in_words
from spinsync.questions.initial_states import lowered
from spinsync.questions.statistics import mean_at_rest, near_rest
from spinsync.regimes.decision import shining
from spinsync.regimes.follow import NOTHING
from spinsync.results.datasets import dataset, theory_record
from spinsync.results.registry import question
from spinsync.theory.mean_field.theory import MeanField
from spinsync.theory.permutation.trajectories import Trajectories
from spinsync.theory.protocol import Theory, refuse

PATIENCE = 10_000.0  # longest run, in units of the slowest relaxation time
LONGER = 1.1  # each stretch between two looks: they are dear where there are many classes


@aside
def _rest(flow: Flow) -> tuple[Observed, float, bool | None]:
    """What is observed at rest, the frequency, and whether the state is stable (None: too many classes to say)."""
    slow = slowest(flow)
    if slow <= NOTHING:
        raise checks.InputError(
            "Argument `ensemble` must have gain, damping or dephasing in every group to settle, but one has none."
        )
    settled = settle(flow, Approach(), stretch=10 / slow, most=PATIENCE / slow, longer=LONGER)
    if settled.status != DONE:
        raise not_finished(settled.status, settled.steps)
    rest = settled.rest
    if rest is None:
        raise IntegrationError(
            f"The ensemble still moves after a time of {settled.time:.6g}: it has no steady state in a common rotating frame, "
            "or is too close to a threshold; `regime` tells more, `evolve` shows the motion."
        )
    observed = flow.observe(rest.state[None, :], np.zeros(1))
    return observed, rest.flow.frame, rest.stable if rest.growth.size else None


@question
def steady_state(
    ensemble: Ensemble,
    *,
    theory: Theory = MeanField(),  # noqa: B008  # frozen options
    initial: Any = None,
    seed: int = 0,
) -> xr.Dataset:
    """The state that the ensemble settles to: fixed in mean field's rotating frame, or the null vector at finite N.

    Parameters
    ----------
    ensemble : Ensemble
    theory : MeanField, Exact, Trajectories or BruteForce
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors at the start, or a result whose last state they are, as in `evolve` (mean field
        only: several states can coexist).
    seed : int
        Of the random start and of trajectories, as in `evolve`.

    Returns
    -------
    xarray.Dataset
        (group): inversion; order_parameter; mean field: coherence (its phase is arbitrary), frequency (NaN where
        a group has no coherence) and stable (unless there are a thousand frequency classes); finite N:
        correlation and inversion_correlation (group, other_group), NaN with their errors within a group of one spin.
        Trajectories add the standard error of each, their number in trajectories, and in converged whether they came to
        rest with the errors asked for.

    Raises
    ------
    InputError
        If `initial` does not fit or is given at finite N, a group does not relax, or the steady state is not unique.
    IntegrationError
        If the motion does not come to rest in a rotating frame.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> round(float(ss.steady_state(one).inversion[0]), 6)
    0.166667
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, "steady_state")
    seed = checks.seed(seed)
    problem, record = lowered(ensemble, theory, initial, seed, False)
    if isinstance(problem, Crowd):
        problem = problem.flow()
    extra: dict[str, Any] = {}
    if isinstance(problem, Flow):
        observed, common, stable = _rest(problem)
        dim, s = observed["coherence"]
        extra = {"frequency": (dim[1:], np.where(shining(abs(s))[0], common, np.nan))}
        if stable is not None:
            extra["stable"] = ((), stable)
    else:
        if initial is not None:
            raise checks.complain("initial", "None at finite N, where the steady state does not depend on it", initial)
        if isinstance(problem, Jumps):
            assert isinstance(theory, Trajectories)
            near = near_rest(ensemble, theory, seed)
            return dataset(
                mean_at_rest(theory.lower(ensemble, near, seed), seed), problem.coordinates, "steady_state", ensemble,
                theory=theory_record(theory), seed=seed,
            )  # fmt: skip
        with one_thread(), in_words(theory, growth=1):
            part, rho = at_rest(problem)
        observed = part.observe({0: rho[None, :]})
    variables = {name: (dims[1:], values[0]) for name, (dims, values) in observed.items()}
    return dataset(
        variables | extra, problem.coordinates, "steady_state", ensemble, theory=theory_record(theory), seed=seed,
        initial=record,
    )  # fmt: skip
