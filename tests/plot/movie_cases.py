"""A run with a known motion, and where its image shows it, for tests of movies and of their frames."""

import numpy as np
from matplotlib.colors import to_rgb

import spinsync as ss
from spinsync.plot.renderer import Renderer
from spinsync.plot.spheres import BACK_OPACITY, HALF_WIDTH, SPHERE_COLOUR, View

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
VIEW = View(-50, 22)


def rotating_run(times, *, turns=1.0, radius=0.6, height=0.3):
    """A run of one group with a known m, which rotates about z `turns` times per unit of time."""
    times = np.asarray(times, float)
    run = ss.evolve(ONE, times)
    s = radius / 2 * np.exp(-2j * np.pi * turns * times)[:, None]
    values = {"coherence": s, "inversion": np.full(s.shape, height), "order_parameter": 2 * abs(s[:, 0])}
    return run.assign({name: (run[name].dims, array, run[name].attrs) for name, array in values.items()})


def bloch_at(time, turns=1.0, radius=0.6, height=0.3):
    """The Bloch vector of `rotating_run` at a time."""
    angle = 2 * np.pi * turns * np.asarray(time)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full_like(angle, height)], axis=-1)


def pixels(m, size, view=VIEW):
    """Column and row of a Bloch vector, and its depth."""
    x, y, depth = view(m)
    return np.array([(x + HALF_WIDTH), (HALF_WIDTH - y)]) * size / (2 * HALF_WIDTH), depth


def faded(colour, depth):
    """The colour of a dot at a depth: blended over its white rim over the sphere."""
    share = BACK_OPACITY + (1 - BACK_OPACITY) * (depth + 1) / 2
    rim = np.array(to_rgb(SPHERE_COLOUR)) * (1 - share) + share
    return 255 * (rim + share * (np.array(to_rgb(colour)) - rim))


def make_renderer(run, size=400, **options):
    settings = {"view": VIEW, "frame": 0.0, "trail": 0.0, "step": 0.01, "cycle": False}
    return Renderer(run, size=size, **(settings | options))
