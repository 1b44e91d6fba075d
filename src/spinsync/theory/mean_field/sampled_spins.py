"""Sampled frequencies as very many single spins, coupled by the mean fields of their groups, (3.1), (3.3), (3.4)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.distributions import Distributions
from spinsync.model.rates import Rates
from spinsync.model.samples import Samples
from spinsync.problems.flow.record import Flow
from spinsync.problems.observed import Observed
from spinsync.problems.spins_in_fields.record import SpinsInFields

MIN_SPINS = 500  # from this number on, SpinsInFields is faster than Flow at rtol = 1e-6 (at 1e-8 from 700; measured)
MAX_FLOW_SPINS = 100_000  # a flow stores the history of every spin


def use_many_spins(distributions: Distributions) -> bool:
    """Whether the sampled spins are many, and no frequency has a smooth distribution."""
    sampled = sum(d.values.size for d in distributions if isinstance(d, Samples))
    return sampled >= MIN_SPINS and all(d is None or isinstance(d, Samples) for d in distributions)


def check_flow_size(spins: int) -> None:
    """Raise InputError if there are too many sampled spins for a flow."""
    if spins > MAX_FLOW_SPINS:
        raise checks.InputError(
            f"Argument `ensemble` must have at most {MAX_FLOW_SPINS} frequencies for a steady state or a regime, but has "
            f"{spins}; `evolve` takes more, and smooth distributions need fewer."
        )


def many_spins(
    rates: Rates, distributions: Distributions, names: tuple[str, ...], start: Array, rtol: float, atol: float,
    each: bool, flow: Callable[[], Flow],
) -> SpinsInFields:  # fmt: skip
    """The ensemble as SpinsInFields; `start`: Bloch vectors per group, or per spin if `each`."""
    from spinsync.theory.mean_field import equations

    pairs = zip(distributions, rates.omega, strict=True)
    omega = tuple(d.values if isinstance(d, Samples) else np.array([w]) for d, w in pairs)
    sizes = [one.size for one in omega]
    if len(start) != len(sizes) and not (each and len(start) == sum(sizes)):
        shapes = f"({len(sizes)}, 3)" + (f" or ({sum(sizes)}, 3)" if each else "")
        raise checks.InputError(f"Argument `initial` must have shape {shapes}, but has shape {start.shape}.")

    def observe(means: Array, spins: Array | None) -> Observed:
        single = None if spins is None else (spins[0] + 1j * spins[1], spins[2])
        return observed(means[:, :, 0] + 1j * means[:, :, 1], means[:, :, 2].copy(), rates.weight, single)

    group = np.repeat(np.arange(len(sizes)), sizes) if each else None
    return SpinsInFields(
        equation=equations, omega=omega, rates=np.stack([rates.gamma_perp, rates.gamma_1, rates.net_gain], axis=1),
        coupling=np.array(rates.coupling * rates.weight, complex), start=start * [0.5, -0.5, 1.0], rtol=rtol, atol=atol,
        frame=float(rates.weight @ np.array([np.median(one) for one in omega])),  # a mean does not exist for heavy tails
        each=each, observe=observe, flow=flow,
        coordinates=coordinates(names, group, np.concatenate(omega), np.repeat(rates.weight / sizes, sizes)),
    )  # fmt: skip


def coordinates(names: tuple[str, ...], group: Array | None, frequency: Array, weight: Array) -> dict[str, tuple[str, Array]]:
    """Coordinates of a result: names of the groups; group, frequency and weight of each spin unless `group` is None."""
    if group is None:
        return {"group": ("group", np.array(names))}
    spins = {"spin_group": np.array(names)[group], "spin_frequency": frequency, "spin_weight": weight}
    return {"group": ("group", np.array(names))} | {name: ("spin", values) for name, values in spins.items()}


def observed(coherence: Array, inversion: Array, weight: Array, single: tuple[Array, Array] | None) -> Observed:
    """Variables of a run from coherence and inversion of groups (time, group), and of single spins (time, spin)."""
    out: Observed = {
        "coherence": (("time", "group"), coherence),
        "inversion": (("time", "group"), inversion),
        "order_parameter": (("time",), 2 * abs(coherence @ weight)),
    }
    if single is not None:
        out |= {"spin_coherence": (("time", "spin"), single[0]), "spin_inversion": (("time", "spin"), single[1])}
    return out
