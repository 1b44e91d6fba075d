"""Ensembles and times for tests of figures."""

import numpy as np

import spinsync as ss

TIMES = np.linspace(0, 5, 51)
#: damping 2, so that a figure in units of the damping rate differs from one in units of 1
PAIR = ss.Ensemble.pair(detuning=4.0, gain=6.0, damping=2.0, coupling=40.0, theta=-np.pi / 2)
WEAK = ss.Ensemble.pair(
    detuning=0.0, gain=(6.0, 8.0), damping=2.0, coupling=48.0, theta=-1.0, cross_coupling=0.96, weights=(2, 3)
)  # fmt: skip
