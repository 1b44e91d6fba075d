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
        coherence = means[:, :, 0] + 1j * means[:, :, 1]
        out: Observed = {
            "coherence": (("time", "group"), coherence),
            "inversion": (("time", "group"), means[:, :, 2].copy()),
            "order_parameter": (("time",), 2 * abs(coherence @ rates.weight)),
        }
        if members is not None:
            out["spin_coherence"] = (("time", "spin"), members[0] + 1j * members[1])
            out["spin_inversion"] = (("time", "spin"), members[2])
        return out

    coordinates: dict[str, tuple[str, Array]] = {"group": ("group", np.array(names))}
    if each:
        coordinates |= {
            "spin_group": ("spin", np.repeat(np.array(names), sizes)),
            "spin_frequency": ("spin", np.concatenate(omega)),
            "spin_weight": ("spin", np.repeat(rates.weight / sizes, sizes)),
        }
    return ManySpins(
        equation=equations,
        omega=omega,
        rates=np.stack([rates.gamma_perp, rates.gamma_1, rates.net_gain], axis=1),
        coupling=np.array(rates.coupling * rates.weight, complex),
        start=start * [0.5, -0.5, 1.0],
        rtol=rtol,
        atol=atol,
        frame=_typical(omega, rates.weight),
        each=each,
        observe=observe,
        coordinates=coordinates,
        flow=flow,
    )


def _typical(omega: tuple[Array, ...], weight: Array) -> float:
    """The mean of the groups' medians: heavy tails have no mean."""
    return float(weight @ np.array([np.median(one) for one in omega]))
