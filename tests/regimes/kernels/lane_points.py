"""Random points in the form that kernels in SIMD lanes take, fixed points near them, and an equation with an edited line."""

import importlib.util
from dataclasses import fields
from pathlib import Path

import numpy as np

import spinsync as ss
from spinsync.model.rates import Rates
from spinsync.problems.flow.fixed_points import SEARCH_RADIUS
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import Layout
from spinsync.regimes.lane_mover import LaneMover
from spinsync.regimes.movers import Batch
from spinsync.theory.mean_field import equations
from spinsync.theory.mean_field.theory import MeanField


def ensemble(groups, seed, drift=0.0):
    rng = np.random.default_rng([11, groups, seed])
    matrix = rng.uniform(4, 24, (groups, groups)) * np.exp(1j * rng.normal(-np.pi / 2, 0.5, (groups, groups)))
    members = [
        ss.Group(rng.uniform(2, 4), rng.uniform(0.5, 1.5), dephasing=rng.uniform(0, 0.3), weight=rng.uniform(1, 2),
                 frequency=float(rng.normal(0, 3) + drift * a)) for a in range(groups)
    ]  # fmt: skip
    return ss.Ensemble(members, matrix)


def batch(ensembles, start):
    rates = Rates(**{f.name: np.stack([getattr(e.rates, f.name) for e in ensembles]) for f in fields(Rates)})
    return Batch(
        rates=rates, distributions=(None,) * rates.weight.shape[1], names=ensembles[0].names, initial=start, theory=MeanField()
    )


def start(groups, seed=3):
    m = np.array([np.random.default_rng([seed, a]).normal(size=3) for a in range(groups)])
    return 0.7 * m / np.linalg.norm(m, axis=1)[:, None]


def ready(ensembles, initial, tangent=False, measured=False):
    """The points at their initial states, their kernel, and the states in its layout."""
    points = LaneMover(batch(ensembles, initial), Lanes).points(np.arange(len(ensembles)))
    kernel = Lanes(Layout(len(initial), measured=measured, tangent=tangent), equations)
    state = points.state.reshape(len(ensembles), -1, 3)
    if tangent:
        v = np.random.default_rng(2).normal(size=state.shape[1:])
        state = np.concatenate([state, np.tile(v / np.linalg.norm(v), (len(state), 1, 1))], axis=2)
    return points, kernel, np.ascontiguousarray(state.reshape(len(state), -1))


def nearby_fixed_points(kernel, points, state, incoherent=False):
    """Distances, states and frequencies of the fixed points near `state`."""
    return kernel.fixed_points.find_fixed_points(
        points.parameters, state, np.broadcast_to(incoherent, len(state)).copy(), SEARCH_RADIUS
    )


def edited(tmp_path, name, before, after):
    """A module whose source is that of the equation with `before` replaced by `after`."""
    path = tmp_path / f"{name}.py"
    text = Path(equations.__file__).read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
