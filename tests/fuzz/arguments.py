"""A table with a cheap valid call of every public function, whose arguments are replaced one after the other.

A new argument is added to the row of its function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import spinsync as ss
from odd import ONE

TIMES = np.linspace(0.0, 2.0, 5)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
CAVITY = dict(spins=1000, vacuum_coupling=0.1, cavity_decay=100.0, cavity_detuning=1.0, gain=3.0, damping=1.0, dephasing=0.1)
START = [[0.3, 0.1, 0.2]]


@cache
def results() -> dict[str, xr.Dataset]:
    """Results that other functions take, made once."""
    one, two = ONE, PAIR
    return {
        "run": ss.evolve(one, np.linspace(0, 3, 9)),
        "pair run": ss.evolve(two, np.linspace(0, 3, 9)),
        "each": ss.evolve(one, np.linspace(0, 3, 9), initial=[[0.3, 0, 0.1], [0, 0.3, 0.1]], each=True),
        "long": ss.evolve(two, np.linspace(0, 20, 160)),
        "finite": ss.evolve(two, TIMES, theory=ss.Exact(4)),
        "steady": ss.steady_state(one, theory=ss.Exact(3)),
        "pairs": ss.steady_state(two, theory=ss.Exact(4)),
        "line": ss.phase_diagram(one, {"coupling": [2.0, 8.0, 12.0]}),
        "plane": ss.phase_diagram(one, {"coupling": [2.0, 12.0], "gain": [2.0, 3.0, 5.0]}),
        "tongue": ss.phase_diagram(two, {"detuning": [1.0, 9.0], "coupling": [12.0, 16.0]}),
        "plateau": ss.phase_diagram(two, {"detuning": [1.0, 2.0, 9.0]}),
        "by spins": xr.concat([ss.steady_state(one, theory=ss.Exact(n)) for n in (2, 3)], "spins"),
        "widths": xr.concat([ss.linewidth(one, theory=ss.Exact(n)) for n in (2, 3)], "spins"),
        "light": ss.emission_spectrum(one, np.linspace(-4, 4, 9), theory=ss.Exact(3)),
        "cycle": ss.limit_cycle(one),
    }


#: names of rows, which the collection of tests needs
NAMES = [
    "Group", "Lorentzian", "Gaussian", "Uniform", "Samples",
    "Samples/centered", "Lorentzian/centered", "Gaussian/sample", "Lorentzian/sample", "Ensemble",
    "Ensemble/single", "Ensemble/pair", "Ensemble/cavity", "Ensemble/replace", "Ensemble/replace_pair",
    "Ensemble/replace_dotted", "Ensemble/split", "Ensemble/to_toml", "Ensemble/from_toml", "MeanField",
    "Exact", "Cumulants", "BruteForce", "Trajectories", "evolve", "evolve/exact", "evolve/cumulants",
    "rerun", "steady_state", "steady_state/exact", "linewidth", "linewidth/mean field", "emission_spectrum",
    "photon_statistics", "squeezing",
    "limit_cycle", "symmetric_pair", "locking_range", "critical_coupling", "critical_gain", "critical_spins", "regime",
    "phase_diagram", "phase_diagram/realizations", "label", "model_of", "bloch", "husimi",
    "phase_distribution", "pair_measures", "entropy", "asymptotic_phase", "lindblad",
    "one_spin_equation", "to_qutip", "to_piqs", "show", "BlochSphere/save", "plot.order_parameter",
    "plot.phases", "plot.phases/each", "plot.phase_difference", "plot.beat_spectrum", "plot.bloch_sphere",
    "plot.phase_diagram", "plot.phase_diagram/tongue", "plot.cut", "plot.frequency", "plot.frequency/each",
    "plot.finite_size", "plot.linewidths", "plot.spectra", "plot.save", "plot.style",
    "plot.movie", "plot.project",
]  # fmt: skip

Row = tuple[Callable[..., Any], dict[str, Any]]


@cache
def functions() -> dict[str, Row]:
    """name -> (function, arguments by name); a name after `/` tells two rows of one function apart."""
    return models() | questions() | {f"plot.{name}": row for name, row in figures().items()}


def models() -> dict[str, Row]:
    """As `functions`, for what makes models and theories; `to_toml` writes into the current folder."""
    return {
        "Group": (ss.Group, dict(gain=3.0, damping=1.0, dephasing=0.1, frequency=0.2, weight=1.0, name="A")),
        "Lorentzian": (ss.Lorentzian, dict(half_width=0.5, center=0.1)),
        "Gaussian": (ss.Gaussian, dict(std=0.5, center=0.1)),
        "Uniform": (ss.Uniform, dict(half_width=0.5, center=0.1)),
        "Samples": (ss.Samples, dict(values=[0.1, -0.2])),
        "Samples/centered": (ss.Samples([0.1, 0.2]).centered, dict(center=0.5)),
        "Lorentzian/centered": (ss.Lorentzian(0.5).centered, dict(center=0.5)),
        "Gaussian/sample": (ss.Gaussian(0.5).sample, dict(count=3, seed=1)),
        "Lorentzian/sample": (ss.Lorentzian(0.5).sample, dict(count=3, seed=1)),
        "Ensemble": (ss.Ensemble, dict(groups=[ss.Group(3, 1)], coupling_matrix=[[-6j]], lamb_shift=False)),
        "Ensemble/single": (
            ss.Ensemble.single, dict(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2, frequency=0.1, dephasing=0.2)
        ),
        "Ensemble/pair": (
            ss.Ensemble.pair,
            dict(detuning=2.0, gain=3.0, damping=(1.0, 2.0), coupling=16.0, theta=-1.5, cross_coupling=1.0, cross_theta=0.3,
                 dephasing=0.1, weights=(1, 2)),
        ),
        "Ensemble/cavity": (ss.Ensemble.cavity, dict(CAVITY, frequency=0.1)),
        "Ensemble/replace": (ONE.replace, dict(gain=2.0, coupling=3.0, theta=1.0, frequency=0.0, dephasing=0.0)),
        "Ensemble/replace_pair": (
            PAIR.replace, dict(weights=(1, 2), cross_theta=(1.0, 2.0), cross_coupling=1.0, gain=(1.0, 2.0))
        ),
        "Ensemble/replace_dotted": (PAIR.replace, {"A.gain": 1.0, "A.B.theta": 0.4, "B.frequency": 1.0, "B.weight": 2.0}),
        "Ensemble/split": (ONE.split, dict(parts=2)),
        "Ensemble/to_toml": (ONE.to_toml, dict(path=Path("model.toml"))),
        "Ensemble/from_toml": (ss.Ensemble.from_toml, dict(path=Path("given.toml"))),
        "MeanField": (ss.MeanField, dict(rtol=1e-6, atol=1e-8, nodes=32)),
        "Exact": (ss.Exact, dict(spins=3)),
        "Cumulants": (ss.Cumulants, dict(spins=3, rtol=1e-4, nodes=16)),
        "BruteForce": (ss.BruteForce, dict(spins=3)),
        "Trajectories": (ss.Trajectories, dict(spins=3, rtol=0.1, atol=0.1, most_jumps=1000, most_seconds=9.0)),
    }  # fmt: skip


def questions() -> dict[str, Row]:
    """As `functions`, for questions, measures and `show`."""
    made = results()
    exact, brute = ss.Exact(2), ss.BruteForce(2)
    return {
        "evolve": (ss.evolve, dict(ensemble=ONE, times=TIMES, theory=ss.MeanField(), initial=START, seed=0, each=False)),
        "evolve/seeded": (ss.evolve, dict(ensemble=ONE, times=TIMES, seed=1)),
        "evolve/exact": (
            ss.evolve,
            dict(ensemble=ONE, times=TIMES, theory=exact, initial=START, seed=0, each=False, keep_state=True),
        ),
        "evolve/cumulants": (
            ss.evolve,
            dict(ensemble=ONE, times=TIMES, theory=ss.Cumulants(30), initial=START, seed=0, each=False, keep_state=True),
        ),
        "rerun": (ss.rerun, dict(result=made["run"])),
        "steady_state": (ss.steady_state, dict(ensemble=ONE, theory=ss.MeanField(), initial=START, seed=0)),
        "steady_state/exact": (ss.steady_state, dict(ensemble=ONE, theory=exact, initial=None, seed=0)),
        "linewidth": (ss.linewidth, dict(ensemble=ONE, theory=exact, modes=1)),
        "linewidth/mean field": (ss.linewidth, dict(ensemble=ONE, theory=ss.MeanField(), spins=10**6)),
        "emission_spectrum": (ss.emission_spectrum, dict(ensemble=ONE, frequencies=[-1.0, 0.0, 1.0], theory=brute)),
        "photon_statistics": (ss.photon_statistics, dict(ensemble=ONE, delays=[-1.0, 0.0, 1.0], theory=exact, seed=0)),
        "limit_cycle": (ss.limit_cycle, dict(ensemble=ONE)),
        "symmetric_pair": (ss.symmetric_pair, dict(ensemble=PAIR)),
        "locking_range": (ss.locking_range, dict(ensemble=PAIR.replace(cross_coupling=1.0))),
        "critical_coupling": (ss.critical_coupling, dict(ensemble=ONE)),
        "critical_gain": (ss.critical_gain, dict(ensemble=ONE)),
        "critical_spins": (ss.critical_spins, dict(ensemble=ss.Ensemble.cavity(**CAVITY))),
        "regime": (ss.regime, dict(ensemble=ONE, initial=START, seed=0)),
        "regime/seeded": (ss.regime, dict(ensemble=ONE, seed=1)),
        "phase_diagram": (
            ss.phase_diagram, dict(ensemble=ONE, axes={"coupling": [2.0, 12.0]}, initial=START, seed=0, device="cpu", threads=1)
        ),
        "phase_diagram/realizations": (
            ss.phase_diagram,
            dict(
                ensemble=ONE.replace(frequency=ss.Gaussian(0.5)), axes={"coupling": [2.0]}, realizations=2, spins=3, seed=1
            ),
        ),
        "label": (ss.label, dict(codes=[0, 1])),
        "model_of": (ss.model_of, dict(dataset=made["cycle"])),
        "bloch": (ss.bloch, dict(dataset=made["run"])),
        "husimi": (ss.husimi, dict(dataset=made["run"], polar=[0.0, 1.0], azimuth=[0.0, 1.0, 2.0])),
        "phase_distribution": (ss.phase_distribution, dict(dataset=made["finite"], azimuth=[0.0, 1.0])),
        "pair_measures": (ss.pair_measures, dict(dataset=made["pairs"])),
        "squeezing": (ss.squeezing, dict(result=made["pairs"])),
        "entropy": (ss.entropy, dict(ensemble=ONE, theory=exact)),
        "asymptotic_phase": (ss.asymptotic_phase, dict(ensemble=ONE, states=START, theory=exact)),
        "lindblad": (ss.lindblad, dict(ensemble=ONE, spins=3)),
        "one_spin_equation": (
            ss.one_spin_equation, dict(ensemble=ONE, times=TIMES, theory=brute, initial=START, seed=0)
        ),
        "to_qutip": (ss.to_qutip, dict(ensemble=ONE, spins=2)),
        "to_piqs": (ss.to_piqs, dict(ensemble=ONE, spins=2)),
        "show": (ss.show, dict(run=made["run"], height=300, colour="phase", trails=True)),
        "BlochSphere/save": (ss.show(made["run"]).save, dict(path=Path("run.html"))),
    }  # fmt: skip


def figures() -> dict[str, Row]:
    """As `functions`, for ss.plot; `save` and `movie` write into the current folder."""
    made = results()
    return {
        "order_parameter": (ss.plot.order_parameter, dict(run=made["pair run"], ax=None, unit="damping")),
        "phases": (ss.plot.phases, dict(run=made["run"], ax=None, frame=1.0, unit=("Hz", 6.28))),
        "phases/each": (ss.plot.phases, dict(run=made["each"], frame=0.0)),
        "phase_difference": (
            ss.plot.phase_difference, dict(run=made["pair run"], ax=None, groups=("A", "B"), color="C1", unit="rate")
        ),
        "beat_spectrum": (
            ss.plot.beat_spectrum, dict(run=made["long"], ax=None, skip=0.3, frequencies=(-9.0, 9.0), unit="damping")
        ),
        "bloch_sphere": (
            ss.plot.bloch_sphere, dict(run=made["each"], ax=None, azimuth=-50.0, elevation=22.0, frame="mean", cycle=True)
        ),
        "phase_diagram": (ss.plot.phase_diagram, dict(diagram=made["plane"], ax=None, variable="order_parameter", unit="rate")),
        "phase_diagram/tongue": (ss.plot.phase_diagram, dict(diagram=made["tongue"], variable="regime")),
        "cut": (ss.plot.cut, dict(diagram=made["line"], ax=None, variable="amplitude", color="C1", unit=("1/s", 2.0))),
        "frequency": (ss.plot.frequency, dict(diagram=made["plateau"], ax=None, difference=True, unit="damping")),
        "frequency/each": (ss.plot.frequency, dict(diagram=made["plateau"], difference=False)),
        "finite_size": (
            ss.plot.finite_size,
            dict(results=made["by spins"], ax=None, variable="order_parameter", color="red", label="a", unit="rate"),
        ),
        "linewidths": (
            ss.plot.linewidths, dict(results=made["widths"], ax=None, color=(0.1, 0.2, 0.3), label="a", unit="damping")
        ),
        "spectra": (ss.plot.spectra, dict(results=[made["light"]], ax=None, unit="damping")),
        "project": (ss.plot.project, dict(points=START, azimuth=-50.0, elevation=22.0)),
        "save": (ss.plot.save, dict(figure=None, path=Path("figure.png"))),
        "style": (_styled, dict(columns=1, font_size=8.0, figure_figsize=(2.0, 2.0), axes_titlecolor="red")),
        "movie": (
            ss.plot.movie,
            dict(run=made["run"], path=Path("movie.gif"), size=64, frames_per_second=10, speed=10.0, azimuth=-50.0,
                 elevation=22.0, frame=1.0, trails=0.5, cycle=True, progress=False, unit="rate"),
        ),
    }  # fmt: skip


def _styled(**options: Any) -> bool:
    with ss.plot.style(**options):
        return True
