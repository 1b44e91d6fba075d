"""Realizations of frequency disorder: random frequencies in place of distributions, and averages over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.codes import flags
from spinsync.base.memory import check_memory
from spinsync.model.distributions import Distributions, Smooth
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import split_by_weight
from spinsync.model.parameters import parameter
from spinsync.model.samples import disorder_seed
from spinsync.questions.options import warn_of_other_spins
from spinsync.regimes.codes import Regime
from spinsync.theory.protocol import Theory

DIM = "realization"
DROPPED = ("settled", "status", "lyapunov_error")  # `regime_fraction` and counts tell the first two; the third is numerical


@dataclass(frozen=True)
class Disorder:
    """How the disorder of a diagram is drawn.

    realizations : their number
    spins : number of random frequencies of each group, shape (group,)
    """

    realizations: int
    spins: Array
    seed: int

    def drawn(self, distributions: Distributions, realization: int) -> Distributions:
        """One realization: random frequencies in place of each distribution with a density."""
        return tuple(
            one.sample(int(count), disorder_seed(self.seed, realization, group)) if isinstance(one, Smooth) else one
            for group, (one, count) in enumerate(zip(distributions, self.spins, strict=True))
        )


def checked_disorder(
    ensemble: Ensemble, values: Mapping[str, Array], theory: Theory, realizations: Any, spins: Any, seed: int
) -> Disorder | None:
    """The disorder that the options ask for, None without realizations. Raises InputError where they have no meaning."""
    if realizations is None:
        if spins is not None:
            raise checks.argument_error("spins", "None without `realizations`", spins)
        return None
    realizations = checks.whole("realizations", realizations, 2)
    if theory.maps != "regimes":  # type: ignore[attr-defined]
        raise checks.argument_error("realizations", "None at finite N, where no frequency is distributed", realizations)
    if listed := [name for name, axis in values.items() if axis.dtype == object]:
        raise checks.InputError(
            f"Argument `axes` must hold numbers where `realizations` are drawn, but `{listed[0]}` does not."
        )
    if weights := [name for name in values if "weight" in parameter(name).fields]:
        raise checks.InputError(
            f"Argument `axes` must keep the weights where `realizations` are drawn, but varies {weights[0]}."
        )
    if not any(isinstance(one, Smooth) for one in ensemble.recipe.distributions(values)):
        must = "None where no frequency has a Lorentzian, Gaussian or Uniform distribution"
        raise checks.argument_error("realizations", must, realizations)
    if spins is None:
        raise checks.argument_error("spins", "the number of random frequencies where `realizations` are drawn", None)
    spins = checks.whole("spins", spins, 1)
    check_memory("spins", spins, 8.0 * (realizations + 4))  # all realizations, and temporary copies of one
    if "spins" not in values:
        warn_of_other_spins(ensemble, theory, spins)
    return Disorder(realizations, split_by_weight(ensemble, spins), seed)


def averaged(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Means over realizations, the first dim of all variables, with standard errors and the numbers of realizations counted.

    A realization without a value, NaN, is left out. The share of each regime takes the place of the regime.
    """
    out: dict[str, Any] = {}
    for name, (dims, values, *_) in variables.items():
        if name == "regime":
            shares = np.stack([np.mean(values == code, axis=0) for code in Regime], axis=-1)
            out["regime_fraction"] = ((*dims[1:], "regime"), shares)
        elif name not in DROPPED:
            mean, error, count = (_circular_mean if name == "phase_difference" else _mean)(values)
            for suffix, one in (("", mean), ("_error", error), ("_count", count)):
                out[name + suffix] = (dims[1:], one)
    return out


def regime_axis() -> Any:
    """The coordinate of the dim `regime`: the codes of all regimes."""
    return ("regime", np.array([code.value for code in Regime], np.int8), flags(Regime))


def _mean(values: Array) -> tuple[Array, Array, Array]:
    """Mean over the first axis, its standard error, and the number of values, without NaN."""
    count = np.sum(~np.isnan(values), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(values, axis=0) / count
        error = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / (count - 1) / count)
    return np.where(count > 0, mean, np.nan), np.where(count > 1, error, np.nan), count


def _circular_mean(angles: Array) -> tuple[Array, Array, Array]:
    """As `_mean`, for angles: the direction of the mean of e^{i angle}.

    The error is that of the component of this mean across its direction, divided by its length: the circular standard error
    of Fisher, Statistical Analysis of Circular Data (1993), which for a small spread is the standard error of the angles.
    """
    with np.errstate(invalid="ignore"):
        mean, _, count = _mean(np.exp(1j * angles))
    direction = np.where(count > 0, np.angle(mean), np.nan)
    across = _mean(np.sin(angles - direction))[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return direction, across / abs(mean), count
