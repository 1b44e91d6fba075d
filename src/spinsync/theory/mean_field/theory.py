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
from spinsync.model import bloch_vectors
from spinsync.model.distributions import Distribution, Lorentzian
from spinsync.model.ensembles import Ensemble
from spinsync.model.quadratures import MOST_NODES
from spinsync.model.rates import Rates
from spinsync.model.samples import Samples
from spinsync.problems.flow.record import Flow
from spinsync.problems.many_spins.record import ManySpins
from spinsync.problems.observed import Observed
from spinsync.theory.mean_field.frequency_classes import Rows, rows
from spinsync.theory.mean_field.sampled_spins import are_many, check_rows, coordinates, many_spins, observed
from spinsync.theory.mean_field.stationary import stationary
from spinsync.theory.options import completed

#: what is asked for where the theory leaves it open: of a trajectory, and of a regime, which asks for less
TRAJECTORY: Mapping[str, float] = MappingProxyType({"rtol": 1e-8, "atol": 1e-10})
MAPS: Mapping[str, float] = MappingProxyType({"rtol": 1e-6, "atol": 1e-8})
FAR_CLASSES = 0.1  # relative error of an exponent by the far classes of a Lorentzian, of deviations that no sum shows well
STRICTER = 20.0  # steps than `rtol` says: the free phase of a limit cycle adds up their errors


@dataclass(frozen=True)
class MeanField:
    """The nonlinear quantum master equation (3.2) of each group in the field of all, exact at N -> infinity.

    Parameters
    ----------
    rtol, atol : float, optional
        Relative and absolute accuracy, positive, at most 0.1; rtol at least 1e-13. By default what the question asks for, which
        its result records: 1e-8 and 1e-10 of `evolve` and `steady_state`, 1e-6 and 1e-8 of `regime` and `phase_diagram`. Steps
        are controlled so that errors stay within about 10 rtol up to ten relaxation times of the coherence, and grow linearly
        from there. With 500 or more sampled spins this holds for the means of the groups, down to rtol 1e-8; a single one of
        a few hundred strongly coupled spins can be off by some hundred rtol if it turns much faster than the field changes.
    nodes : int, optional
        Quadrature classes of a frequency distribution, 16 to 20000, rounded up to a multiple of 4; by
        default as many as `rtol` asks for.

    Raises
    ------
    InputError
        If a tolerance is not positive or too large, or `nodes` is no whole number from 16 to 20000.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.MeanField(rtol=1e-10)
    MeanField(rtol=1e-10, atol=None, nodes=None)
    """

    rtol: float | None = None
    atol: float | None = None
    nodes: int | None = None
    kinds: ClassVar[tuple[type, ...]] = (Flow, ManySpins)
    maps: ClassVar[str] = "regimes"
    why: ClassVar[Mapping[str, str]] = MappingProxyType({
        "keep_state": "whose Bloch vectors are its state: `initial` takes any of its runs, with each=True where a "
        "frequency is distributed",
        "linewidth": "at N -> infinity the line has no width",
        "emission_spectrum": "at N -> infinity the line has no width",
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
            object.__setattr__(self, "nodes", 4 * -(-checks.whole("nodes", self.nodes, 16, MOST_NODES) // 4))

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> ManySpins | Flow:
        """The ensemble as a flow of (s, z) rows, or as very many sampled spins."""
        theory, rates, names = completed(self, TRAJECTORY), ensemble.rates, ensemble.names
        spread = tuple(group.distribution for group in ensemble.groups)
        as_flow = partial(theory._flow, rates, spread, names)
        if are_many(spread):
            start = bloch_vectors.seeded(rates, seed) if initial is None else initial
            return many_spins(rates, spread, names, start, *theory._accuracy, each, partial(as_flow, initial, seed, each))
        flow = as_flow(initial, seed, each)
        if not _smooth(spread) or (initial is not None and len(initial) != len(spread)):
            return flow
        return replace(flow, companion=theory.coarser()._flow(rates, spread, names, initial, seed, False))

    def flow(self, rates: Rates, spread: tuple[Distribution | None, ...], names: tuple[str, ...], initial: Array) -> Flow:
        """What the long-time motion of one point of a batch is found from, without an ensemble per point.

        Smooth distributions have as few classes as a motion needs; its fixed points are found on many.
        """
        theory = completed(self, MAPS)
        if not _smooth(spread):
            return theory._flow(rates, spread, names, initial, 0, False)
        theory = theory.coarser()
        doubt = FAR_CLASSES if any(isinstance(d, Lorentzian) for d in spread) else 0.0
        finer = partial(stationary, rates, spread, theory.nodes)
        return replace(theory._flow(rates, spread, names, initial, 0, False), finer=finer, doubt=doubt)

    @property
    def equation(self) -> ModuleType:
        """The equation of one group in a field, as scalar functions that kernels are made from."""
        from spinsync.theory.mean_field import equations

        return equations

    @property
    def _accuracy(self) -> tuple[float, float]:
        assert self.rtol is not None
        assert self.atol is not None
        return self.rtol, self.atol

    def coarser(self) -> MeanField:
        """Ten times the tolerance and fewer classes: how far that run ends from this one bounds this one's error."""
        nodes = self.nodes and (3 * self.nodes // 4 if self.nodes > 21 else self.nodes + 4)
        rtol, atol = self._accuracy
        return MeanField(min(10 * rtol, 0.1), min(10 * atol, 0.1), nodes)

    def _flow(
        self, rates: Rates, spread: tuple[Distribution | None, ...], names: tuple[str, ...], initial: Array | None,
        seed: int, each: bool,
    ) -> Flow:  # fmt: skip
        from spinsync.theory.mean_field.equations import derivative, nonlinear, with_tangent

        rtol, atol = self._accuracy
        check_rows(sum(d.values.size for d in spread if isinstance(d, Samples)))
        layout = rows(rates, spread, rtol, self.nodes, _parts(initial, spread) if each else 1)
        frame = float(rates.weight @ rates.omega)
        group = layout.group
        decay = rates.gamma_perp[group] + layout.damping + 1j * (layout.omega - frame)
        start = _start(rates, layout, initial, seed, each)
        own, spins = rates.weight[group] * layout.weight, slice(layout.spins)
        table = np.stack([group, own, rates.net_gain[group], layout.back]).astype(float)
        return Flow(
            nonlinear=nonlinear, tangent=with_tangent, derivative=derivative, table=table, start=start, frame=frame,
            decay=np.concatenate([decay, rates.gamma_1[group]]).astype(complex),
            coupling=np.array(rates.coupling, complex, order="C"),
            symmetry=np.repeat([1, 0], group.size), real=np.repeat([False, True], group.size),
            rtol=max(rtol / STRICTER, 1e-13), atol=atol / STRICTER, pace=_pace(rates, layout, decay),
            groups=partial(_groups, layout, rates.weight.size), observe=partial(_observe, rates, layout, frame, each),
            coordinates=coordinates(names, group[spins] if each else None, layout.omega[spins], own[spins]),
        )  # fmt: skip


def _smooth(spread: tuple[Distribution | None, ...]) -> bool:
    """Whether there are distributions that classes stand for, not spins of given frequencies."""
    return any(d is not None and not isinstance(d, Samples) for d in spread)


def _pace(rates: Rates, layout: Rows, decay: Array) -> float:
    """Twice the largest field, |s| as in (4.4), and what nine tenths of the spins of the fastest group do without it."""
    field = float((abs(rates.coupling) @ rates.weight).max()) / np.sqrt(8)
    fastest = 0.0
    for a in range(rates.weight.size):
        mine = np.flatnonzero(layout.group[: layout.spins] == a)
        mine = mine[np.argsort(abs(decay[mine]))]
        share = np.cumsum(layout.weight[mine])
        fastest = max(fastest, float(abs(decay[mine[np.searchsorted(share, 0.9 * share[-1])]])))
    return float(2 * field + fastest)


def _parts(initial: Array | None, spread: tuple[Distribution | None, ...]) -> int:
    """How many spins each group is asked for, from the number of given Bloch vectors."""
    if initial is None or any(d is not None for d in spread) or len(initial) % len(spread):
        return 1
    return len(initial) // len(spread)


def _start(rates: Rates, layout: Rows, initial: Array | None, seed: int, each: bool) -> Array:
    """(s, z) of every row from Bloch vectors per group, or per spin."""
    groups = rates.weight.size
    m = bloch_vectors.seeded(rates, seed) if initial is None else initial
    if len(m) == groups:
        m = m[layout.group]
    elif each and len(m) == layout.spins:
        if np.any(layout.back == 0):  # a Lorentzian's residue knows one start per group only
            raise checks.InputError(
                "Argument `initial` must have one vector per group where a frequency is Lorentzian, but has one per spin."
            )
    else:
        plain = layout.spins == groups  # no classes: any number of equal spins per group
        spins = f" or (n, 3) with n a multiple of {groups}" if plain else f" or ({layout.spins}, 3)"
        wanted = f"({groups}, 3)" + (spins if each else "")
        raise checks.InputError(f"Argument `initial` must have shape {wanted}, but has shape {m.shape}.")
    s, z = bloch_vectors.coherences(m)
    return np.concatenate([s, z]).astype(complex)


def _groups(layout: Rows, groups: int, states: Array) -> tuple[Array, Array]:
    """Coherence and inversion of each group, in the frame of the states."""
    n = layout.group.size
    return layout.average(states[:, :n], groups), layout.average(states[:, n:].real, groups)


def _observe(rates: Rates, layout: Rows, frame: float, each: bool, states: Array, elapsed: Array) -> Observed:
    """The variables of a run, turned into the laboratory frame: of every row first, since rows are what is seen."""
    n, groups = layout.group.size, rates.weight.size
    with np.errstate(over="ignore"):
        angle = frame * elapsed
    s = states[:, :n] * np.exp(-1j * np.where(np.isfinite(angle), angle, 0))[:, None]  # beyond, no phase is left to tell
    z = states[:, n:].real
    single = (s[:, : layout.spins], z[:, : layout.spins]) if each else None
    return observed(layout.average(s, groups), layout.average(z, groups), rates.weight, single)
