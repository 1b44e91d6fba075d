"""The second order with coherence: `full_equations` as a problem, and the variables of its runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.memory import check_memory
from spinsync.model import realizability
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import GroupTerms
from spinsync.model.observables import order_parameter, pair_mean
from spinsync.model.realizability import Validity
from spinsync.problems.moments.record import Moments
from spinsync.problems.observed import Observed
from spinsync.theory.cumulants import full_equations
from spinsync.theory.cumulants.classes import primed_rates
from spinsync.theory.cumulants.frequency_classes import FrequencyClasses

DIFFUSED = 0.1  # variance of the phase up to which |s| is within 1 % of the exact one (measured, 30 to 300 spins)
MOMENTS, COPIES = 56, 13  # bytes of the moments of a pair of classes, and how many of them a run needs
PAIR = ("time", "group", "other_group")


def with_coherence(
    problem: Moments, terms: GroupTerms, of: FrequencyClasses, ensemble: Ensemble, s: Array, z: Array, z_tail: Array, each: bool
) -> Moments:
    """The problem of the symmetric sector, begun in a product state with the coherences s and inversions z of its classes.

    z_tail : inversion outside the classes, (group,). Raises InputError if the moments do not fit into memory.
    """
    check_memory("ensemble", s.size, COPIES * MOMENTS, "frequency classes", growth=2)
    n, classes, groups = terms.spins.sum(), s.size, terms.spins.size
    planes = np.array([ensemble.coupling_matrix / n, (terms.decay + terms.pumping) / 2], complex).view(float)
    gain, damping = primed_rates(terms)
    g, gamma_1, spins = of.group, gain + damping, terms.spins[of.group] * of.share
    tolerance = 10 * problem.rtol
    table = (
        g, spins, of.frequency, (gamma_1 / 2 + terms.dephasing)[g], gamma_1[g], (gain - damping)[g], spins != 1,
        np.full(g.size, tolerance),
    )  # fmt: skip
    return replace(
        problem, derivative=full_equations.derivative, numbers=full_equations.group_sums,
        table=np.array(table, float), planes=planes, factors=np.array([[terms.spins * of.tail, gamma_1, gain - damping]]),
        work=4 * groups * (3 * classes + 1),
        start=np.concatenate([s.astype(complex).view(float), np.zeros(6 * classes**2), z, np.zeros(classes**2), z_tail]),
        blocks=np.cumsum([0, 2 * classes, *3 * [2 * classes**2], classes, classes**2, groups]),
        floor=np.array([n**-0.5, *3 * [1 / n], 1.0, 1 / n, 1.0]), recorded=9 * groups + 7 * groups**2 + 3 * classes + 2,
        observe=partial(observe, terms.spins, ensemble.rates.weight, each, tolerance),
    )  # fmt: skip


def observe(spins: Array, weight: Array, each: bool, tolerance: float, numbers: Array) -> Observed:
    """The variables of a run from the recorded numbers; tolerance : relative error of moments."""
    spins, groups = spins.astype(float), spins.size  # products of whole numbers overflow
    ends = np.cumsum([6 * groups, 6 * groups**2, 3 * groups, groups**2])
    sums, pair_sums, real_sums, zz, single, violations = np.split(numbers, [*ends, -2], axis=1)
    s, ss, sz = np.moveaxis(_complex(sums).reshape(-1, 3, groups) / spins, 1, 0)
    z, modulus, squares = np.moveaxis(real_sums.reshape(-1, 3, groups) / spins, 1, 0)
    pairs = np.outer(spins, spins) - np.diag(spins)
    count = np.where(pairs > 0, pairs, np.nan)  # NaN: no pair in a group of one
    pm, mm, mz = np.moveaxis(_complex(pair_sums).reshape(-1, 3, groups, groups) / count, 1, 0)
    zz = zz.reshape(-1, groups, groups) / count
    # pairs of one group leave out a spin with itself
    rest = np.eye(groups) / np.maximum(spins - 1, 1)
    pm, mm = pm - rest * (modulus - abs(s) ** 2)[:, :, None], mm - rest * (ss - s * s)[:, :, None]
    mz, zz = mz - rest * (sz - s * z)[:, :, None], zz - rest * (squares - z * z)[:, :, None]
    correlation = pm + np.conj(s)[:, :, None] * s[:, None, :]
    moments = realizability.Moments(spins=spins, z=z, c=pm, zz=zz, s=s, ss=mm, sz=mz)
    codes = realizability.validity_of_parts(violations, moments, tolerance)
    out: Observed = {
        "coherence": (("time", "group"), s),
        "inversion": (("time", "group"), z),
        "correlation": (PAIR, correlation),
        "inversion_correlation": (PAIR, zz + z[:, :, None] * z[:, None, :]),
        "coherence_covariance": (PAIR, pm),
        "anomalous_covariance": (PAIR, mm),
        "coherence_inversion_covariance": (PAIR, mz),
        "inversion_covariance": (PAIR, zz),
        "order_parameter": (("time",), order_parameter(pair_mean(correlation, weight))),
        "status": (("time",), status(codes, moments)),
    }
    if each:
        s, z = np.split(single, [2 * single.shape[1] // 3], axis=1)
        out |= {"spin_coherence": (("time", "spin"), _complex(s)), "spin_inversion": (("time", "spin"), z)}
    return out


def status(codes: Array, moments: realizability.Moments) -> Array:
    """The codes of `Validity` (time,) with that of a diffused phase, where nothing worse is known.

    A phase of variance v has |<e^{-i phi}>|^2 = e^{-v}, so that a share 1 - e^{-v} of <sigma^+_i sigma^-_j> is connected: v is
    linewidth times time. Two spins have no third cumulants, and second order is exact.
    """
    assert moments.s is not None
    spins = moments.spins
    pairs = np.outer(spins, spins) - np.diag(spins)
    full = moments.c + np.conj(moments.s)[:, :, None] * moments.s[:, None, :]
    connected, total = (np.einsum("tab,ab->t", np.nan_to_num(abs(x)), pairs) for x in (moments.c, full))
    diffused = (connected > DIFFUSED * total) & (spins.sum() > 2)
    return np.where((codes == Validity.VALID) & diffused, np.int8(Validity.PHASE_DIFFUSED), codes)


def _complex(numbers: Array) -> Array:
    """Pairs of real numbers (time, 2 n) as complex ones (time, n)."""
    return np.ascontiguousarray(numbers).view(complex)
