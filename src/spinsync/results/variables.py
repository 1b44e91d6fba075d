"""Long names and units of all variables of results, in one table; those of parameters come from model/parameters.py."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from spinsync.base.codes import flags
from spinsync.model.parameters import RATE, parameter
from spinsync.model.realizability import Validity

#: name -> (long_name, units)
VARIABLES: Mapping[str, tuple[str, str]] = {
    "time": ("time", f"1/{RATE}"),
    "theory": ("level of theory", "1"),
    "group": ("group", "1"),
    "other_group": ("other group", "1"),
    "coherence": ("coherence <sigma^-> of a group", "1"),
    "correlation_error": ("error of the pair correlation <sigma^+_i sigma^-_j>", "1"),
    "inversion_correlation_error": ("error of the pair correlation <sigma^z_i sigma^z_j>", "1"),
    "trajectories": ("number of trajectories", "1"),
    "converged": ("all errors are within the tolerances", "1"),
    "inversion": ("inversion <sigma^z> of a group", "1"),
    "order_parameter": ("order parameter R", "1"),
    "inversion_correlation": ("pair correlation <sigma^z_i sigma^z_j>, i != j", "1"),
    "inversion_covariance": ("covariance <sigma^z_i sigma^z_j> - <sigma^z_i><sigma^z_j> of pairs, i != j", "1"),
    "coherence_covariance": ("covariance <sigma^+_i sigma^-_j> - <sigma^+_i><sigma^-_j> of pairs, i != j", "1"),
    "anomalous_covariance": ("covariance <sigma^-_i sigma^-_j> - <sigma^-_i><sigma^-_j> of pairs, i != j", "1"),
    "coherence_inversion_covariance": ("covariance <sigma^-_i sigma^z_j> - <sigma^-_i><sigma^z_j> of pairs, i != j", "1"),
    "wineland": ("squeezing parameter of Wineland", "1"),
    "dicke": ("Dicke squeezing parameter", "1"),
    "concurrence": ("concurrence of two spins", "1"),
    "mutual_information": ("mutual information of two spins", "nat"),
    "entropy": ("von Neumann entropy of the steady state", "nat"),
    "purity": ("purity of the steady state", "1"),
    "husimi": ("Husimi function of a spin", "1/sr"),
    "phase_density": ("phase distribution of a spin", "1/rad"),
    "phase_difference_density": ("distribution of the phase difference of two spins", "1/rad"),
    "polar": ("polar angle", "rad"),
    "azimuth": ("azimuth", "rad"),
    "phase": ("asymptotic phase", "rad"),
    "correlation": ("pair correlation <sigma^+_i sigma^-_j>, i != j", "1"),
    "spin_coherence": ("coherence <sigma^-> of a spin or class", "1"),
    "spin_inversion": ("inversion <sigma^z> of a spin or class", "1"),
    "spin_group": ("group of a spin or class", "1"),
    "spin_frequency": ("natural frequency of a spin or class", RATE),
    "spin_weight": ("share of all spins", "1"),
    "state_0": ("density matrix at the end, elements of coherence order 0", "1"),
    "state_1": ("density matrix at the end, elements of coherence order 1", "1"),
    "state_moments": ("all moments at the end, in the order of the theory", "1"),
    "state_2": ("density matrix at the end, elements of coherence order 2", "1"),
    "coherence_rate": ("rate of <sigma^-> from the generator", RATE),
    "inversion_rate": ("rate of <sigma^z> from the generator", RATE),
    "coherence_identity": ("rate of <sigma^-> from the one-spin equation", RATE),
    "inversion_identity": ("rate of <sigma^z> from the one-spin equation", RATE),
    "synchronized": ("a synchronized state exists", "1"),
    "exists": ("the state exists", "1"),
    "stable": ("the state is stable", "1"),
    "incoherent_stable": ("the incoherent state is stable", "1"),
    "locked": ("the groups lock", "1"),
    "frequency": ("frequency -d arg<sigma^->/dt", RATE),
    "linewidth": ("full width at half maximum of the line", RATE),
    "degenerate": ("another line has the same width", "1"),
    "emission": ("spectrum of the collective emission, per frequency nu/2 pi", f"1/{RATE}"),
    "delay": ("delay between two photons", f"1/{RATE}"),
    "g2": ("intensity correlation g2 of the collective emission", "1"),
    "amplitude": ("amplitude |s|", "1"),
    "floquet_exponent": ("Floquet exponent of the limit cycle", RATE),
    "phase_diffusion": ("diffusion of the phase times N: the linewidth times N for large N", RATE),
    "cavity_frequency": ("frequency of the light, with the cavity mode kept", RATE),
    "photon_number": ("number of photons in the cavity", "1"),
    "photon_flux": ("photons that leave the cavity per time", "1/time"),
    "cavity_threshold": ("inversion that lases, with the cavity mode kept", "1"),
    "cavity_stable": ("the cycle is stable, with the cavity mode kept", "1"),
    "phase_difference": ("phase of the first group minus the second", "rad"),
    "existence_detuning": ("detuning at which full synchronization ceases to exist", RATE),
    "incoherent_detuning": ("detuning beyond which the incoherent state is stable", RATE),
    "hopf_detuning": ("detuning at which full synchronization loses stability", RATE),
    "effective_detuning": ("difference of the uncoupled synchronized frequencies", RATE),
    "locking_range": ("largest effective detuning that locks, K_eff", RATE),
    "phase_offset": ("locked phase difference at zero effective detuning", "rad"),
    "beat_frequency": ("mean rate of the phase difference", RATE),
    "weak": ("the cross coupling is weak: the error of the locking range is below 10 %", "1"),
    "regime": ("regime of the long-time motion", "1"),
    "period": ("period of the order parameter", f"1/{RATE}"),
    "order_parameter_range": ("least and largest order parameter of the motion", "1"),
    "bound": ("least or largest", "1"),
    "phase_locking": ("phase-locking value of two groups", "1"),
    "lyapunov": ("largest Lyapunov exponent, without the zero of the common phase", RATE),
    "lyapunov_error": ("error of the Lyapunov exponent", RATE),
    "settled": ("the motion has converged", "1"),
    "status": ("what is known against the moments of the state", "1"),
    "regime_fraction": ("share of the realizations with this regime", "1"),
    "exchange": ("exchange Hc of two spins", RATE),
    "correlated_decay": ("correlated decay 2 K_- of two spins", RATE),
    "correlated_pumping": ("correlated pumping 2 K_+ of two spins", RATE),
}


#: variable that holds codes -> these, if the question gives no others
CODES: Mapping[str, type[IntEnum]] = {"status": Validity}


def attributes(name: str) -> dict[str, Any]:
    """`long_name` and `units` of a variable, of its `_error` and its `_count`, or of a parameter, also dotted as "A.gain"."""
    if name in VARIABLES:
        long_name, units = VARIABLES[name]
        return {"long_name": long_name, "units": units} | (flags(CODES[name]) if name in CODES else {})
    if (base := name.removesuffix("_error")) in VARIABLES:
        return {"long_name": f"error of the {base.replace('_', ' ')}", "units": VARIABLES[base][1]}
    if (base := name.removesuffix("_count")) in VARIABLES:
        return {"long_name": f"number of realizations with a value of the {base.replace('_', ' ')}", "units": "1"}
    found, where = parameter(name), f" of {name.rsplit('.', 1)[0]}" if "." in name else ""
    return {"long_name": found.meaning + where, "units": found.unit}
