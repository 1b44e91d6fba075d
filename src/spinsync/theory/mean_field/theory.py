"""Mean field: the nonlinear quantum master equation, exact at N -> infinity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType, ModuleType
from typing import ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.distributions import Distributions, Lorentzian
from spinsync.model.ensembles import Ensemble
from spinsync.model.quadratures import MAX_NODES
from spinsync.model.rates import Rates
from spinsync.model.samples import Samples
from spinsync.problems.flow.record import Flow
from spinsync.problems.observed import Observed
from spinsync.problems.spins_in_fields.record import SpinsInFields
from spinsync.theory.mean_field.frequency_classes import SpinClasses, spin_classes
from spinsync.theory.mean_field.sampled_spins import check_flow_size, coordinates, many_spins, observed, use_many_spins
from spinsync.theory.mean_field.stationary import stationary_state
from spinsync.theory.options import with_defaults

#: default tolerances of a trajectory, and of regimes and diagrams
TRAJECTORY: Mapping[str, float] = MappingProxyType({"rtol": 1e-8, "atol": 1e-10})
MAPS: Mapping[str, float] = MappingProxyType({"rtol": 1e-6, "atol": 1e-8})
FAR_CLASSES = 0.1  # relative error of a Lyapunov exponent due to the far classes of a Lorentzian
STRICTER = 20.0  # ratio of `rtol` to the tolerance of a step: errors of the phase of a limit cycle accumulate


@known_fields
@dataclass(frozen=True)
class MeanField:
    """The nonlinear quantum master equation (3.2) of each group in the mean field of all groups, exact for N -> infinity.

    Parameters
    ----------
    rtol, atol : float, optional
        Relative and absolute accuracy, positive, at most 0.1; rtol at least 1e-13. By default those of the question,
        as its result records: 1e-8 and 1e-10 for `evolve` and `steady_state`, 1e-6 and 1e-8 for `regime` and `phase_diagram`.
        Errors stay within about 10 rtol up to ten relaxation times of the coherence, and grow linearly from there. With 500
        or more sampled spins this holds for the means of the groups, down to rtol 1e-8; a single one of a few hundred
        strongly coupled spins can have an error of some hundred rtol if it rotates much faster than the field changes.
    nodes : int, optional
        Number of frequency classes (quadrature nodes) of a distribution, 16 to 20000, rounded up to a multiple of 4; by
        default as many as `rtol` requires. None where no frequency has a smooth distribution.

    Raises
    ------
    InputError
        If a tolerance is not positive or too large, or `nodes` is not a whole number from 16 to 20000.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.MeanField(rtol=1e-10)
    MeanField(rtol=1e-10, atol=None, nodes=None)
    """

    rtol: float | None = None
    atol: float | None = None
    nodes: int | None = None
    kinds: ClassVar[tuple[type, ...]] = (Flow, SpinsInFields)
    maps: ClassVar[str] = "regimes"
    faster: ClassVar[str] = "a larger rtol takes fewer steps"
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({
        "keep_state": "whose Bloch vectors are its full state: `initial` takes any of its results, with each=True where a "
        "frequency is distributed",
        "emission_spectrum": "at N -> infinity the line of synchronized spins has no width",
        "photon_statistics": "it has no fluctuations of the light; at N -> infinity g2(0) is 1 where the emission is steady, "
        "and 2 where the spins are incoherent",
        "entropy": "at N -> infinity only the entropy per spin is finite",
    })  # fmt: skip

    def __post_init__(self) -> None:
        for name in ("rtol", "atol"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, checks.positive(name, getattr(self, name)))
        if self.rtol is not None and not 1e-13 <= self.rtol <= 0.1:
            raise checks.argument_error("rtol", "from 1e-13 to 0.1", self.rtol)
        if self.atol is not None and self.atol > 0.1:
            raise checks.argument_error("atol", "at most 0.1", self.atol)
        if self.nodes is not None:
            object.__setattr__(self, "nodes", 4 * -(-checks.whole("nodes", self.nodes, 16, MAX_NODES) // 4))

    def check_distributions(self, distributions: Distributions) -> None:
        """Raises InputError if `nodes` are given and no distribution has any."""
        if self.nodes is not None and not _has_smooth(distributions):
            raise checks.argument_error("nodes", "None where no frequency has a smooth distribution", self.nodes)

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> SpinsInFields | Flow:
        """The ensemble as a Flow with the state (s, z) of each row, or as SpinsInFields if it has many sampled spins."""
        theory, rates, names = with_defaults(self, TRAJECTORY), ensemble.rates, ensemble.names
        distributions = tuple(group.distribution for group in ensemble.groups)
        as_flow = partial(theory._flow, rates, distributions, names, initial, seed, each)
        if use_many_spins(distributions):
            start = bloch_vectors.random_start(rates, seed) if initial is None else initial
            return many_spins(rates, distributions, names, start, *theory._accuracy, each, as_flow)
        flow = as_flow()
        if not _has_smooth(distributions) or (initial is not None and len(initial) != len(distributions)):
            return flow
        return replace(flow, coarse=theory.coarser()._flow(rates, distributions, names, initial, seed, False))

    def flow(self, rates: Rates, distributions: Distributions, names: tuple[str, ...], initial: Array) -> Flow:
        """The Flow for the long-time motion of one point of a batch of `Rates`.

        Smooth distributions have few classes here; fixed points are then refined with many.
        """
        theory = with_defaults(self, MAPS)
        if not _has_smooth(distributions):
            return theory._flow(rates, distributions, names, initial, 0, False)
        theory = theory.coarser()
        lyapunov_error = FAR_CLASSES if any(isinstance(d, Lorentzian) for d in distributions) else 0.0
        refine = partial(stationary_state, rates, distributions, theory.nodes)
        flow = theory._flow(rates, distributions, names, initial, 0, False)
        return replace(flow, refine=refine, lyapunov_error=lyapunov_error)

    def lines(self, ensemble: Ensemble, spins: int) -> tuple[float, float]:
        """Frequency and linewidth of many spins: a closed form, so that no problem has to be lowered."""
        from spinsync.theory.mean_field.closed_forms_one import many_spin_linewidth

        if self != MeanField():
            raise checks.argument_error("theory", "MeanField() without options, as its linewidth is a closed form", self)
        return many_spin_linewidth(ensemble, spins)

    @property
    def equation(self) -> ModuleType:
        """The equation of one group in a field, as scalar functions from which kernels are generated."""
        from spinsync.theory.mean_field import equations

        return equations

    @property
    def _accuracy(self) -> tuple[float, float]:
        assert self.rtol is not None
        assert self.atol is not None
        return self.rtol, self.atol

    def coarser(self) -> MeanField:
        """Ten times the tolerance and fewer classes: the distance between the two runs bounds the error of the finer one."""
        nodes = self.nodes and (3 * self.nodes // 4 if self.nodes > 21 else self.nodes + 4)
        rtol, atol = self._accuracy
        return MeanField(min(10 * rtol, 0.1), min(10 * atol, 0.1), nodes)

    def _flow(
        self, rates: Rates, distributions: Distributions, names: tuple[str, ...], initial: Array | None,
        seed: int, each: bool,
    ) -> Flow:  # fmt: skip
        from spinsync.theory.mean_field.equations import derivative, nonlinear, with_tangent

        rtol, atol = self._accuracy
        check_flow_size(sum(d.values.size for d in distributions if isinstance(d, Samples)))
        classes = spin_classes(rates, distributions, rtol, self.nodes, _spins_per_group(initial, distributions) if each else 1)
        frame = float(rates.weight @ rates.omega)
        group = classes.group
        decay = rates.gamma_perp[group] + classes.damping + 1j * (classes.omega - frame)
        start = _initial_state(rates, classes, initial, seed, each)
        weight, spins = rates.weight[group] * classes.weight, slice(classes.spins)
        table = np.stack([group, weight, rates.net_gain[group], classes.back_action]).astype(float)
        return Flow(
            nonlinear=nonlinear, tangent=with_tangent, derivative=derivative, table=table, start=start, frame=frame,
            decay=np.concatenate([decay, rates.gamma_1[group]]).astype(complex),
            coupling=np.array(rates.coupling, complex, order="C"),
            symmetry=np.repeat([1, 0], group.size), real=np.repeat([False, True], group.size),
            rtol=max(rtol / STRICTER, 1e-13), atol=atol / STRICTER, fastest_rate=_fastest_rate(rates, classes, decay),
            groups=partial(_groups, classes, rates.weight.size), observe=partial(_observe, rates, classes, frame, each),
            coordinates=coordinates(names, group[spins] if each else None, classes.omega[spins], weight[spins]),
        )  # fmt: skip


def _has_smooth(distributions: Distributions) -> bool:
    """Whether a distribution has a density, so that frequency classes represent it."""
    return any(d is not None and not isinstance(d, Samples) for d in distributions)


def _fastest_rate(rates: Rates, classes: SpinClasses, decay: Array) -> float:
    """Estimate of the fastest rate: twice the largest field, with |s| of (4.4), plus the largest 0.9 quantile of |decay|."""
    field = float((abs(rates.coupling) @ rates.weight).max()) / np.sqrt(8)
    fastest = 0.0
    for a in range(rates.weight.size):
        rows = np.flatnonzero(classes.group[: classes.spins] == a)
        rows = rows[np.argsort(abs(decay[rows]))]
        share = np.cumsum(classes.weight[rows])
        fastest = max(fastest, float(abs(decay[rows[np.searchsorted(share, 0.9 * share[-1])]])))
    return float(2 * field + fastest)


def _spins_per_group(initial: Array | None, distributions: Distributions) -> int:
    """Number of equal spins per group that so many Bloch vectors mean; 1 if none are given, a frequency is distributed, or the
    vectors cannot be divided evenly."""
    if initial is None or any(d is not None for d in distributions) or len(initial) % len(distributions):
        return 1
    return len(initial) // len(distributions)


def _initial_state(rates: Rates, classes: SpinClasses, initial: Array | None, seed: int, each: bool) -> Array:
    """The initial state (s, z) of every row, from Bloch vectors per group, or per spin."""
    groups = rates.weight.size
    m = bloch_vectors.random_start(rates, seed) if initial is None else initial
    if len(m) == groups:
        m = m[classes.group]
    elif each and len(m) == classes.spins:
        if np.any(classes.back_action == 0):  # the average by residue needs equal initial states in a group
            raise checks.InputError(
                "Argument `initial` must have one vector per group where a frequency is Lorentzian, but has one per spin."
            )
    else:
        clean = classes.spins == groups  # no classes: any number of equal spins per group
        spins = f" or (n, 3) with n a multiple of {groups}" if clean else f" or ({classes.spins}, 3)"
        shapes = f"({groups}, 3)" + (spins if each else "")
        raise checks.InputError(f"Argument `initial` must have shape {shapes}, but has shape {m.shape}.")
    s, z = bloch_vectors.coherences(m)
    return np.concatenate([s, z]).astype(complex)


def _groups(classes: SpinClasses, groups: int, states: Array) -> tuple[Array, Array]:
    """Mean coherence and inversion of each group, in the rotating frame of the states."""
    n = classes.group.size
    return classes.average(states[:, :n], groups), classes.average(states[:, n:].real, groups)


def _observe(rates: Rates, classes: SpinClasses, frame: float, each: bool, states: Array, elapsed: Array) -> Observed:
    """The variables of a run, transformed to the laboratory frame before rows are averaged."""
    n, groups = classes.group.size, rates.weight.size
    with np.errstate(over="ignore"):
        angle = frame * elapsed
    s = states[:, :n] * np.exp(-1j * np.where(np.isfinite(angle), angle, 0))[:, None]  # infinite: no phase
    z = states[:, n:].real
    single = (s[:, : classes.spins], z[:, : classes.spins]) if each else None
    return observed(classes.average(s, groups), classes.average(z, groups), rates.weight, single)
