"""Trajectories on the Bloch sphere, in orthographic projection."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from spinsync.base import checks
from spinsync.base.keywords import known_keywords
from spinsync.model import bloch_vectors
from spinsync.plot.appearance import COLOURS, ONE_COLUMN, axes, group_colour, in_style, ink, on_dark
from spinsync.plot.legends import add_legend, once
from spinsync.plot.traces import require_variable
from spinsync.questions.closed_forms import limit_cycle
from spinsync.results.datasets import bloch, model_of

Array = NDArray[Any]
BACK_OPACITY = 0.25  # opacity of a line at the back of the sphere
OPACITY_LEVELS = 64  # number of distinct opacities of a line
MANY = 4  # largest number of trajectories with thick lines
THIN, THICK = (0.7, 0.65, 2.6), (1.2, 0.95, 4.5)  # width and opacity of a line, diameter of its dots; in points
HALF_WIDTH = 1.2  # from the centre of the sphere to the edge of the figure
SPHERE_COLOUR, LINE_COLOUR, LABEL_COLOUR = "#f4f6f8", "#8a929b", "#4a525b"
DARK_SPHERE, DARK_LABEL = "#20262c", "#c5ccd3"  # on a dark ground


class View:
    """Orthographic projection: right, up and depth (towards the viewer) of points in space, shape (..., 3)."""

    def __init__(self, azimuth: float, elevation: float) -> None:
        a, e = np.radians(azimuth), np.radians(elevation)
        right = [-np.sin(a), np.cos(a), 0]
        up = [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)]
        out = [np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)]
        self.matrix = np.array([right, up, out])

    def __call__(self, points: Array) -> Array:
        return np.asarray(points @ self.matrix.T)


AZIMUTH, ELEVATION = -50.0, 22.0  # default direction of the viewer, in degrees


@known_keywords
def project(points: ArrayLike, *, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> Array:
    """Positions of Bloch vectors on the axes of `bloch_sphere`, for additional points, lines and labels.

    Parameters
    ----------
    points : array of shape (..., 3)
        Bloch vectors (x, y, z), equation (1.1), in the frame of the figure; any length, the sphere's radius is 1.
    azimuth, elevation : float
        Those of the figure, in degrees.

    Returns
    -------
    array of shape (..., 2)
        Coordinates on the axes: to the right and up, from the centre of the sphere. With azimuth a and elevation e, a
        point is in the front half if x cos(e) cos(a) + y cos(e) sin(a) + z sin(e) > 0.

    Raises
    ------
    InputError
        If the points do not have three finite coordinates each.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.bloch_sphere(ss.evolve(one, np.linspace(0, 5, 200)))
    >>> where = ss.plot.project([1.0, 0.0, 0.0])
    >>> text = ax.annotate("x = 1", where)
    >>> where.round(3).tolist()
    [0.766, -0.241]
    """
    described = "Bloch vectors, an array of shape (..., 3)"
    before = (None,) * (max(checks.dims(points), 1) - 1)
    given = checks.array("points", points, float, (*before, 3), described)
    return View(checks.real("azimuth", azimuth), checks.real("elevation", elevation))(given)[..., :2]


@in_style
def bloch_sphere(
    run: xr.Dataset, ax: Axes | None = None, *, azimuth: float = AZIMUTH, elevation: float = ELEVATION,
    frame: float | str = 0.0, cycle: bool = True,
) -> Axes:  # fmt: skip
    """Trajectories of a run on the Bloch sphere, from open circles at the start to dots at the end.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve`; with each=True its single spins are drawn, else its groups. One colour per group; those of several
        are in the legend of a new figure.
    ax : matplotlib axes, optional
    azimuth, elevation : float
        Direction of the viewer, in degrees; `project` takes the same angles for additional points and labels.
    frame : float or "mean"
        Angular frequency of the rotating frame, or the frame that rotates with the mean field.
    cycle : bool
        Draw the closed-form limit cycle (black ring) if the model has one.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no trajectories, or `frame` is neither a number nor "mean".

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.bloch_sphere(ss.evolve(one, np.linspace(0, 5, 200)))
    """
    vectors = trajectories(run)
    view = View(checks.real("azimuth", azimuth), checks.real("elevation", elevation))
    ax, new_figure = axes(ax, height_factor=ONE_COLUMN / 2.4), ax is None
    draw_sphere(ax, view)
    if checked_frame(frame) == "mean":
        require_variable(run, "coherence", all_groups=True)
        angle = -np.angle(run.coherence.values @ model_of(run).rates.weight)
    else:
        angle = float(frame) * (run.time.values - run.time.values[0])
    m = rotated_about_z(vectors.values, -angle)
    if frame == "mean":
        m[1:][frame_jumps(angle)] = np.nan
    for k, group in enumerate(group_numbers(run)):
        name = once(ax, f"group {run.group.values[group]}") if run.sizes["group"] > 1 else "_nolegend_"
        _trajectory(ax, view(m[:, k]), group_colour(ax, group), thin=m.shape[1] > MANY, label=name)
    if checks.flag("cycle", cycle):
        draw_limit_cycle(ax, view, run)
    if new_figure:
        add_legend(ax, new_figure)
    return ax


def trajectories(run: xr.Dataset) -> xr.DataArray:
    """Bloch vectors of shape (time, spin or group, 3). Raises InputError if the result has none."""
    single = isinstance(run, xr.Dataset) and "spin_coherence" in run
    for name in ("coherence", "inversion"):
        require_variable(run, f"spin_{name}" if single else name)
    if single and not _has_groups_of_spins(run):
        raise checks.InputError("Argument `run` must name the group of each spin in spin_group, but does not.")
    vectors = bloch(run)
    if np.nanmax(abs(vectors.values), initial=0.0) > 1 + bloch_vectors.ROUNDING:
        raise checks.InputError("Argument `run` must hold Bloch vectors of length <= 1, but holds longer ones.")
    return vectors


def _has_groups_of_spins(run: xr.Dataset) -> bool:
    """Whether the group of each single spin is a group of the result."""
    if "spin_group" not in run.coords or run.coords["spin_group"].dims != ("spin",) or run.get("group") is None:
        return False
    return run.group.dims == ("group",) and set(run.spin_group.values) <= set(run.group.values)


def colours(run: xr.Dataset) -> list[str]:
    """The colour of each trajectory on white: that of its group."""
    return [COLOURS[group % len(COLOURS)] for group in group_numbers(run)]


def group_numbers(run: xr.Dataset) -> list[int]:
    """The number of the group of each trajectory."""
    groups = run.spin_group.values if "spin_group" in run.coords else run.group.values
    number_of = {name: i for i, name in enumerate(run.group.values)}
    return [number_of[name] for name in groups]


def checked_frame(frame: float | str) -> float | str:
    if isinstance(frame, str) and frame != "mean":
        raise checks.argument_error("frame", "a number or 'mean'", frame)
    return frame if isinstance(frame, str) else checks.real("frame", frame)


def frame_jumps(angle: Array) -> Array:
    """Whether the frame of the mean field jumps after each time but the last, as it does if the field passes through zero."""
    return np.asarray(abs((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi) > 1.0)


def rotated_about_z(m: Array, angle: Array) -> Array:
    """Vectors of shape (time, any, 3), rotated about the z axis by an angle at each time."""
    (x, y, z), angle = np.moveaxis(m, -1, 0), angle[:, None]
    return np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), z], axis=-1)


def draw_sphere(ax: Axes, view: View) -> None:
    """Draw outline, equator, two meridians and labelled axes; lines at the back are fainter."""
    t = np.linspace(0, 2 * np.pi, 361)
    ground, letters = (DARK_SPHERE, DARK_LABEL) if on_dark(ax) else (SPHERE_COLOUR, LABEL_COLOUR)
    ax.fill(np.cos(t), np.sin(t), facecolor=ground, edgecolor=LINE_COLOUR, lw=0.8, zorder=0)
    c, s, zero = np.cos(t), np.sin(t), np.zeros_like(t)
    for circle in (np.stack([c, s, zero], 1), np.stack([c, zero, s], 1), np.stack([zero, c, s], 1)):
        _depth_line(ax, view(circle), LINE_COLOUR, width=0.5, strength=0.6, zorder=1)
    for axis, label in zip(np.eye(3), ("x", "y", "z"), strict=True):
        tip = view(axis)
        ax.plot([0, tip[0]], [0, tip[1]], color=LINE_COLOUR, lw=0.6, zorder=1)
        ax.annotate(rf"${label}$", (1.13 * tip[0], 1.13 * tip[1]), ha="center", va="center", fontsize=8, color=letters)
    ax.set(xlim=(-HALF_WIDTH, HALF_WIDTH), ylim=(-HALF_WIDTH, HALF_WIDTH), aspect="equal")
    ax.set_axis_off()


def depth_opacity(depth: Array) -> Array:
    """Opacity at a depth: 1 at the front, BACK_OPACITY at the back of the sphere."""
    return np.asarray(BACK_OPACITY + (1 - BACK_OPACITY) * np.clip((depth + 1) / 2, 0, 1))


def _depth_line(ax: Axes, path: Array, colour: Any, *, width: float, strength: float, zorder: float) -> None:
    """Draw a line that fades towards the back, as one piece for each run of equal opacity levels."""
    level = np.round(OPACITY_LEVELS * depth_opacity((path[1:, 2] + path[:-1, 2]) / 2))  # NaN: no line
    ends = np.flatnonzero(np.diff(level) != 0) + 1
    ranges = pairwise([0, *ends.tolist(), len(level)])
    pieces = [(path[a : b + 1, :2], level[a]) for a, b in ranges if a < b and level[a] == level[a]]
    rgba = [(*to_rgb(colour), strength * s / OPACITY_LEVELS) for _, s in pieces]
    ax.add_collection(LineCollection([xy for xy, _ in pieces], colors=rgba, linewidths=width, zorder=zorder, capstyle="butt"))


def _trajectory(ax: Axes, path: Array, colour: str, thin: bool, label: str) -> None:
    width, strength, small = THIN if thin else THICK
    _depth_line(ax, path, colour, width=width, strength=strength, zorder=2)
    (x0, y0), (x1, y1) = path[0, :2], path[-1, :2]
    ground = DARK_SPHERE if on_dark(ax) else "white"
    ax.plot(x0, y0, "o", ms=small, mfc=ground, mec=colour, mew=0.7, zorder=3)
    ax.plot(x1, y1, "o", ms=small, mfc=colour, mec=ground, mew=0.3, zorder=5, label=label)


def draw_limit_cycle(ax: Axes, view: View, run: xr.Dataset) -> None:
    """Draw the limit cycle of one group, if it is synchronized."""
    ensemble = model_of(run)
    if len(ensemble.groups) > 1 or ensemble.groups[0].distribution is not None:
        return
    state = limit_cycle(ensemble)
    if state.synchronized:
        t, radius = np.linspace(0, 2 * np.pi, 361), 2 * float(state.amplitude)
        circle = np.stack([radius * np.cos(t), radius * np.sin(t), np.full_like(t, float(state.inversion))], axis=1)
        _depth_line(ax, view(circle), ink(ax), width=1.6, strength=1.0, zorder=4)
