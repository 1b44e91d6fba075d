"""Samples of frequencies as very many spins, single ones that meet in the mean fields of their groups, (3.1), (3.3), (3.4)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates
from spinsync.model.samples import Samples
from spinsync.problems.flow.record import Flow
from spinsync.problems.many_spins.record import ManySpins
from spinsync.problems.observed import Observed

WORTH = 500  # sampled spins from which they are faster so than as a flow at rtol = 1e-6; at 1e-8 it is from 700 on (measured)
MOST_ROWS = 100_000  # of a flow


def are_many(spread: tuple[Distribution | None, ...]) -> bool:
    """Whether sampled frequencies, and nothing smooth, ask for very many spins."""
    sampled = sum(d.values.size for d in spread if isinstance(d, Samples))
    return sampled >= WORTH and all(d is None or isinstance(d, Samples) for d in spread)


def check_rows(rows: int) -> None:
    """A flow keeps the history of every spin."""
    if rows > MOST_ROWS:
        raise checks.InputError(
            f"Argument `ensemble` must have at most {MOST_ROWS} frequencies where its state of rest or its regime is asked "
            f"for, but has {rows}; `evolve` takes more, and smooth distributions need fewer."
        )


def many_spins(
    rates: Rates, spread: tuple[Distribution | None, ...], names: tuple[str, ...], start: Array, rtol: float, atol: float,
    each: bool, flow: Callable[[], Flow],
) -> ManySpins:  # fmt: skip
    """The ensemble as very many spins; `start`: Bloch vectors per group, or per spin where each is asked for."""
    from spinsync.theory.mean_field import equations

    omega = tuple(d.values if isinstance(d, Samples) else np.array([w]) for d, w in zip(spread, rates.omega, strict=True))
    sizes = [one.size for one in omega]
    if len(start) != len(sizes) and not (each and len(start) == sum(sizes)):
        wanted = f"({len(sizes)}, 3)" + (f" or ({sum(sizes)}, 3)" if each else "")
        raise checks.InputError(f"Argument `initial` must have shape {wanted}, but has shape {start.shape}.")

    def observe(means: Array, members: Array | None) -> Observed:
        single = None if members is None else (members[0] + 1j * members[1], members[2])
        return observed(means[:, :, 0] + 1j * means[:, :, 1], means[:, :, 2].copy(), rates.weight, single)

    places = np.repeat(np.arange(len(sizes)), sizes) if each else None
    return ManySpins(
        equation=equations, omega=omega, rates=np.stack([rates.gamma_perp, rates.gamma_1, rates.net_gain], axis=1),
        coupling=np.array(rates.coupling * rates.weight, complex), start=start * [0.5, -0.5, 1.0], rtol=rtol, atol=atol,
        frame=float(rates.weight @ np.array([np.median(one) for one in omega])),  # heavy tails have no mean
        each=each, observe=observe, flow=flow,
        coordinates=coordinates(names, places, np.concatenate(omega), np.repeat(rates.weight / sizes, sizes)),
    )  # fmt: skip


def coordinates(names: tuple[str, ...], group: Array | None, frequency: Array, weight: Array) -> dict[str, tuple[str, Array]]:
    """Names of the groups, and of each spin the group (None: spins are not shown), the frequency and the weight."""
    if group is None:
        return {"group": ("group", np.array(names))}
    spins = {"spin_group": np.array(names)[group], "spin_frequency": frequency, "spin_weight": weight}
    return {"group": ("group", np.array(names))} | {name: ("spin", values) for name, values in spins.items()}


def observed(coherence: Array, inversion: Array, weight: Array, single: tuple[Array, Array] | None) -> Observed:
    """The variables of a run from coherence and inversion (time, group), and those of single spins (time, spin)."""
    out: Observed = {
        "coherence": (("time", "group"), coherence),
        "inversion": (("time", "group"), inversion),
        "order_parameter": (("time",), 2 * abs(coherence @ weight)),
    }
    if single is not None:
        out |= {f"spin_{name}": (("time", "spin"), part) for name, part in zip(("coherence", "inversion"), single, strict=True)}
    return out
