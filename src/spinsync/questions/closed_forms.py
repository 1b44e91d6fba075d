"""Closed forms of mean field: one group, the symmetric pair, two weakly coupled groups, and the threshold of any ensemble."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.precision import in_range
from spinsync.base.progress import progress
from spinsync.model.cavities import cavity_of
from spinsync.model.ensembles import Ensemble
from spinsync.results.datasets import dataset
from spinsync.results.registry import question
from spinsync.theory.mean_field import adler, closed_forms_one, closed_forms_two
from spinsync.theory.mean_field.gain_range import gain_range
from spinsync.theory.mean_field.kept_cavity import KeptCavity
from spinsync.theory.mean_field.thresholds import threshold


def _checked(ensemble: Any) -> Ensemble:
    return checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")  # type: ignore[no-any-return]


@in_range
def available(ensemble: Ensemble) -> frozenset[str]:
    """The names of those closed forms that hold for an ensemble; `critical_coupling` holds for any and is not among them."""
    modules = {"limit_cycle": closed_forms_one, "symmetric_pair": closed_forms_two, "locking_range": adler}
    return frozenset(name for name, module in modules.items() if module.applicability_error(ensemble) is None)


@question
def limit_cycle(ensemble: Ensemble) -> xr.Dataset:
    """The synchronized state of one group in mean field, s = |s| exp(-i Omega t), equations (4.2) to (4.4), (4.6) and (4.7).

    With frequency disorder: the stationary state with the largest order parameter, equations (6.3) and (6.4). Amplitude and
    inversion are then means over the spins, and the stability of the state is not determined.

    Parameters
    ----------
    ensemble : Ensemble
        One group; its frequency is a number, Lorentzian, Gaussian or Uniform.

    Returns
    -------
    xarray.Dataset
        Scalars synchronized, frequency (angular; NaN where not synchronized), amplitude |s|, inversion (NaN without gain and
        damping, where any inversion is stationary), order_parameter 2|s|; without disorder also phase_diffusion, the linewidth
        (angular, FWHM) of N spins times N for large N, and (exponent): floquet_exponent, complex, three; both NaN where there
        is no limit cycle.

        Of `Ensemble.cavity` without disorder also what the cavity gives if its mode is kept instead of eliminated, (7.2) to
        (7.6), at any cavity_decay: cavity_frequency (angular; NaN where it does not lase), photon_number N |alpha|^2 in the
        cavity, photon_flux kappa_c N |alpha|^2 (photons per time; times the photon energy it is the output power), both 0
        where it does not lase, whatever `synchronized` of the eliminated mode says; cavity_threshold, the inversion z* that
        lases (inf without coupling); cavity_stable, whether small perturbations of this cycle decay (False where there is
        none).

    Raises
    ------
    InputError
        If there are several groups, or the frequency is a list of samples.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> cycle = ss.limit_cycle(ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2))
    >>> round(float(cycle.inversion), 6), round(float(cycle.amplitude), 6)
    (0.166667, 0.166667)

    A superradiant laser of strontium in 1/s, whose cavity is 30 kHz away: frequency in Hz, cavity eliminated and kept, and
    photons per second. The page "A strontium laser in Hz" has more.

    >>> Hz = 2 * np.pi
    >>> g = np.sqrt(0.41 * 1e-3 * 150e3) / 2 * Hz
    >>> laser = ss.Ensemble.cavity(
    ...     spins=10**6, vacuum_coupling=g, cavity_decay=150e3 * Hz, cavity_detuning=30e3 * Hz, gain=205 * Hz, damping=1e-3 * Hz
    ... )
    >>> light = ss.limit_cycle(laser)
    >>> round(float(light.frequency) / Hz, 3), round(float(light.cavity_frequency) / Hz, 3), f"{light.photon_flux:.3g}"
    (41.0, 40.944, '2.71e+08')
    """
    one = closed_forms_one.one_group(_checked(ensemble))
    frequency, amplitude, inversion = closed_forms_one.cycle(one)
    variables: dict[str, Any] = {
        "synchronized": amplitude > 0, "frequency": frequency, "amplitude": amplitude, "inversion": inversion,
        "order_parameter": 2 * amplitude,
    }  # fmt: skip
    if one.group.distribution is None:
        synchronized = amplitude > 0
        exponents = closed_forms_one.floquet(one, amplitude) if synchronized else np.full(3, complex(nan, nan))
        variables["floquet_exponent"] = (("exponent",), exponents)
        variables["phase_diffusion"] = closed_forms_one.diffusion(one, amplitude, inversion) if synchronized else nan
        if cavity := cavity_of(ensemble.recipe):
            variables |= KeptCavity(cavity, one.group).values()
    return dataset(variables, {}, "limit_cycle", ensemble)


@question
def symmetric_pair(ensemble: Ensemble) -> xr.Dataset:
    """Full synchronization of two equal groups whose four couplings all equal V exp(-i pi/2) or V exp(i pi/2), (5.1) to (5.4).

    Parameters
    ----------
    ensemble : Ensemble
        Two groups with equal rates and weights, and any two frequencies.

    Returns
    -------
    xarray.Dataset
        Scalars exists, stable (of the fully synchronized state), incoherent_stable; frequency (angular), phase_difference (A
        minus B), amplitude |s| and inversion of each group, NaN where the full state does not exist; existence_detuning and
        hopf_detuning (angular), at which the full state ceases to exist and to be stable, NaN where there is no such
        detuning; incoherent_detuning, beyond which the incoherent state is stable (inf: it is unstable at any detuning).

    Raises
    ------
    InputError
        If the ensemble is not such a pair.

    Notes
    -----
    The two-ensemble superradiant laser of arXiv:1811.01515 is the case without damping.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> full = ss.symmetric_pair(pair)
    >>> bool(full.stable), round(float(full.phase_difference), 6)
    (True, 0.927295)
    """
    return dataset(closed_forms_two.full_state(_checked(ensemble)), {}, "symmetric_pair", ensemble)


@question
def locking_range(ensemble: Ensemble) -> xr.Dataset:
    """Phase locking of two synchronized groups by a weak cross coupling: the Adler equation with shear, (5.6) to (5.8).

    Parameters
    ----------
    ensemble : Ensemble
        Two groups, each synchronized by itself.

    Returns
    -------
    xarray.Dataset
        Scalars effective_detuning, locking_range K_eff (the largest effective detuning that locks), phase_offset (NaN where
        the range is 0), locked, phase_difference (A minus B) and frequency (both NaN where not locked), beat_frequency (mean
        rate of the phase difference; 0 where locked). All frequencies are angular. locking_range_error is the distance from
        K_eff to the end of the locked states, stable or not (inf: unknown); beat_frequency_error is the contribution of
        second order (5.11); weak is whether the error of the range is below a tenth of the range.

    Raises
    ------
    InputError
        If there are not two groups, or one is not synchronized by itself.

    Notes
    -----
    Valid for K_eff << |Re mu| of (4.6), the rate at which each group relaxes to its limit cycle. This rate vanishes at the
    threshold of the group, so that a cross coupling much smaller than the coupling within groups is not sufficient. The
    beat frequency also needs a small effective detuning, |Delta_eff| << |mu|.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> weak = ss.Ensemble.pair(detuning=0.01, gain=3, damping=1, coupling=24, theta=-np.pi / 2, cross_coupling=0.1)
    >>> lock = ss.locking_range(weak)
    >>> round(float(lock.locking_range), 6), bool(lock.locked), bool(lock.weak)
    (0.016667, True, True)
    """
    return dataset(adler.locking(_checked(ensemble)), {}, "locking_range", ensemble)


@in_range
def critical_coupling(ensemble: Ensemble) -> float:
    """Critical coupling, above which the incoherent state is unstable: (4.5) for one group, a root of (6.10) in general.

    Parameters
    ----------
    ensemble : Ensemble
        Any groups, frequencies or distributions of frequencies, and any coupling matrix C. A group without gain and damping
        is left out, as its inversion in the incoherent state is arbitrary.

    Returns
    -------
    float
        For one group the strength V_c (angular frequency); without disorder Gamma_perp / (-z0 sin theta). For
        `Ensemble.pair` the value of `coupling` with all other parameters fixed: a separate cross coupling is kept, and 0
        means that it is sufficient alone. For any other ensemble, also two clouds in a cavity, the factor s > 0 at which s C
        reaches the threshold; below 1 the ensemble is above threshold. If there are several thresholds, the
        smallest one; inf if there is none.

    Raises
    ------
    InputError
        If `ensemble` is not an Ensemble.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> ss.critical_coupling(ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2))
    4.0

    Three groups in a ring, each coupled only to the next one:

    >>> ring = ss.Ensemble([ss.Group(gain=3.0, damping=1.0)] * 3, -8j * np.roll(np.eye(3), 1, axis=1))
    >>> round(ss.critical_coupling(ring), 12)
    1.5
    """
    with one_blas_thread(), progress("critical coupling"):
        return threshold(_checked(ensemble))


@in_range
def critical_gain(ensemble: Ensemble) -> tuple[float, float]:
    """The two ends of the gain between which the incoherent state is unstable: (4.1) for one group, (3.3) or (6.10) in general.

    Parameters
    ----------
    ensemble : Ensemble
        As in `critical_coupling`; its own gains matter only where they differ between groups.

    Returns
    -------
    tuple of two floats
        (lower, upper), gain rates; where the groups have different gains, the two values of a factor of all gains. The lower
        end is 0 if the state is unstable at the smallest gain, the upper one inf if it is unstable at any large gain. Both
        are NaN if no gain makes it unstable. If there are several unstable ranges, the ends of the lowest and the highest.

    Raises
    ------
    InputError
        If `ensemble` is not an Ensemble.

    Notes
    -----
    Of a cavity these are the ends of the model without the mode. Where `CavityWarning` is given they can be wrong by any
    factor, above all with a detuned cavity; `limit_cycle` then has photon_number, 0 where the kept cavity emits nothing.

    Time on one core: 100 groups 1 s, 200 groups 4 s; a pair with frequency disorder 1 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=1.0, damping=1.0, coupling=4.5, theta=-np.pi / 2)
    >>> tuple(round(end, 6) for end in ss.critical_gain(one))
    (2.0, 5.0)

    The pump rates between which strontium lases, in 1/s (a line of 1 mHz, a cavity of 150 kHz, cooperativity 0.41):

    >>> line, cavity = 2 * np.pi * 1e-3, 2 * np.pi * 150e3
    >>> g = np.sqrt(0.41 * line * cavity) / 2
    >>> atoms = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=g, cavity_decay=cavity, gain=1.0, damping=line)
    >>> [f"{end:.4g}" for end in ss.critical_gain(atoms)]
    ['0.006283', '2576']
    """
    with one_blas_thread(), progress("critical gain"):
        return gain_range(_checked(ensemble))


@in_range
def critical_spins(ensemble: Ensemble) -> float:
    """Number of spins in a cavity above which the incoherent state is unstable, at fixed g: N V_c/V by (4.5) and (7.1).

    Parameters
    ----------
    ensemble : Ensemble
        One of `Ensemble.cavity`.

    Returns
    -------
    float
        A real number; inf if no number of spins synchronizes.

    Raises
    ------
    InputError
        If the ensemble is not one of `Ensemble.cavity`, or its coupling has been replaced by dotted names.

    Notes
    -----
    The mode is eliminated: where `CavityWarning` is given, the number can be wrong by any factor.

    Examples
    --------
    >>> import spinsync as ss
    >>> laser = ss.Ensemble.cavity(spins=10_000, vacuum_coupling=0.01, cavity_decay=20.0, gain=0.05, damping=0.01)
    >>> round(ss.critical_spins(laser), 6)
    4500.0
    """
    cavity = cavity_of(_checked(ensemble).recipe)
    if cavity is None:
        raise checks.argument_error("ensemble", "one of Ensemble.cavity, as no other has a coupling of each spin", ensemble)
    strength = abs(complex(ensemble.coupling_matrix[0, 0]))
    if strength == 0:
        return inf
    return cavity.spins * threshold(ensemble) / (strength if len(ensemble.groups) == 1 else 1)
