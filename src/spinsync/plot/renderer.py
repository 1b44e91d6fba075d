"""A run on the Bloch sphere as pages of pixels, one for any time."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from spinsync.model import bloch_vectors
from spinsync.plot import spheres
from spinsync.plot.appearance import COLOURS, ONE_COLUMN, style
from spinsync.plot.rasterizer import COLUMNS, paint
from spinsync.results.datasets import model_of

Array = NDArray[Any]
ARROW = "#1c2126"  # the mean field
SHAFT, HEAD, HEAD_LENGTH = 0.6, 2.4, 7.0  # half widths of the arrow and length of its head, points of print
RIM = 0.3  # width of the white line around a dot
LETTER_SIZE = 8.0


class Motion:
    """Bloch vectors between the times of a run: cubic between neighbours, with slopes from the times around them."""

    def __init__(self, run: xr.Dataset, frame: float | str) -> None:
        weight, s, z = model_of(run).rates.weight, run.coherence.values, run.inversion.values
        mean = bloch_vectors.vectors(s @ weight, z @ weight)
        self.times = run.time.values
        self.with_mean = frame == "mean"
        m = np.concatenate([spheres.trajectories(run).values, mean[:, None]], axis=1)
        turn = 0.0 if self.with_mean else float(frame) * (self.times - self.times[0])
        self.vectors = spheres.turned(m, -np.broadcast_to(turn, self.times.shape))
        self.slopes = np.gradient(self.vectors, self.times, axis=0)

    def __call__(self, times: Array) -> Array:
        """Vectors of shape (time, spin or group, 3) in the frame of the picture; the last one is the mean field."""
        m = self.between(times)
        return spheres.turned(m, -self.turn(m))

    def turn(self, m: Array) -> Array:
        """How far the frame of the mean field has turned, for vectors that are still to be turned."""
        return np.arctan2(m[:, -1, 1], m[:, -1, 0]) if self.with_mean else np.zeros(len(m))

    def between(self, times: Array) -> Array:
        """The same in the laboratory, or in the frame of a given frequency; NaN beside what is no number."""
        i = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 2)
        step = (self.times[i + 1] - self.times[i])[:, None, None]
        u = (times - self.times[i])[:, None, None] / step
        # Hermite's polynomials, e.g. J. Stoer and R. Bulirsch, Introduction to Numerical Analysis, section 2.1.5
        m = (1 + 2 * u) * (1 - u) ** 2 * self.vectors[i] + u**2 * (3 - 2 * u) * self.vectors[i + 1]
        return np.asarray(m + step * u * (1 - u) * ((1 - u) * self.slopes[i] - u * self.slopes[i + 1]))


class Scene:
    """Pages of a run: the sphere of `bloch_sphere`, a dot and a trail for each spin or group, and the mean field.

    size : width and height in pixels
    trail : time that a trail goes back, in points a time `step` apart
    cycle : whether to draw the closed-form limit cycle where the model has one
    """

    def __init__(
        self, run: xr.Dataset, *, size: int, view: spheres.View, frame: float | str, trail: float, step: float, cycle: bool
    ) -> None:
        self.size, self.view, self.motion = size, view, Motion(run, frame)
        self.point = size / ONE_COLUMN / 72  # one point of print in pixels
        self.colours = 255 * np.array([to_rgb(colour) for colour in spheres.colours(run)])
        self.length = trail / step + 1  # of a whole trail, in points
        whole = float(self.motion.times[-1] - self.motion.times[0]) / step + 1  # no trail begins before the run
        self.back = step * np.arange(int(min(trail / step, whole) + 1e-9), -1, -1)
        self.order = np.asarray(run.order_parameter.values, float)
        self.draw = partial(_background, run, size, cycle)
        self.background = self.draw(view)
        times = self.motion.times
        self.decimals = int(np.clip(2 - np.floor(np.log10(times[-1] - times[0])), 0, 9))

    def look(self, view: spheres.View) -> None:
        """Where the camera stands from now on."""
        if not np.array_equal(view.matrix, self.view.matrix):
            self.view, self.background = view, self.draw(view)

    def page(self, time: float) -> Array:
        """Bytes of shape (row, column, 3)."""
        page = self.background.copy()
        times = time - self.back
        paint(page, self._strokes(times[times >= self.motion.times[0] - 1e-9 * self.back[0]]))
        self._write(page, "t", f" = {time:.{self.decimals}f}".replace("-", "−"), 0.03)
        self._write(page, "R", f" = {np.interp(time, self.motion.times, self.order):.2f}", 0.82)
        return page

    def _strokes(self, times: Array) -> Array:
        """Everything that moves, from the back to the front."""
        m = self.motion.between(times)
        turn = self.motion.turn(m)
        points = self.view(spheres.turned(m, -turn))
        depth, points = points[..., 2], self._pixels(points[..., :2])
        width, strength, dot = spheres.THIN if len(self.colours) > spheres.MANY else spheres.THICK
        age = (1 - np.arange(len(times) - 1, 0, -1) / self.length)[:, None]  # of a trail's end 0, at the dot 1
        middle = (depth[1:, :-1] + depth[:-1, :-1]) / 2
        faded = strength * age * spheres.ink(middle) * ~spheres.jumps(turn)[:, None]
        trails = _strokes(points[:-1, :-1], points[1:, :-1], width / 2 * self.point, self.colours, faded)
        last, near = points[-1, :-1], depth[-1, :-1]
        opacity = spheres.ink(near)
        rims = _strokes(last, last, (dot + RIM) / 2 * self.point, np.full(3, 255.0), opacity)
        dots = _strokes(last, last, (dot - RIM) / 2 * self.point, self.colours, opacity)
        axis = self._pixels(self.view(m[-1, -1] * [0, 0, 1])[:2])
        arrow = self._arrow(axis, points[-1, -1])
        tip = np.full(len(arrow), depth[-1, -1] - 1e-6)  # a dot at its tip covers it
        order = np.argsort(np.concatenate([middle.ravel(), tip, near, near]), kind="stable")  # rims before their dots
        return np.concatenate([trails, arrow, rims, dots])[order]

    def _arrow(self, start: Array, tip: Array) -> Array:
        """Flat, at the height of the mean inversion, as that of the live sphere: its length is the order parameter."""
        colour = 255 * np.array(to_rgb(ARROW))
        length = np.hypot(*(tip - start))
        if length < 1:
            return np.empty((0, COLUMNS))
        head = min(HEAD_LENGTH * self.point, length)
        neck = tip - head * (tip - start) / length
        scale = head / HEAD_LENGTH  # a short arrow is a small one
        shaft = _strokes(start, neck, min(SHAFT * self.point, SHAFT * scale), colour, np.ones(1))
        point = _strokes(neck, tip, HEAD * scale, colour, np.ones(1))
        point[:, 5] = 0.0
        return np.concatenate([shaft, point])

    def _pixels(self, plane: Array) -> Array:
        """Pixels from the upper left corner, of points on the page."""
        return (plane * [1, -1] + spheres.EDGE) * (self.size / 2 / spheres.EDGE)

    def _write(self, page: Array, symbol: str, text: str, left: float) -> None:
        """A symbol and its value in the upper margin, `left` as a share of the width."""
        high = int(0.03 * self.size + 1.5 * LETTER_SIZE * self.point)
        sheet = Image.new("L", (int(0.4 * self.size), high))
        draw, base = ImageDraw.Draw(sheet), (0.0, 0.03 * self.size + LETTER_SIZE * self.point)
        letters = round(LETTER_SIZE * self.point)
        slanted, upright = _font("oblique", letters), _font("normal", letters)
        draw.text(base, symbol, 255, slanted, anchor="ls")
        draw.text((base[0] + slanted.getlength(symbol), base[1]), text, 255, upright, anchor="ls")
        start = int(left * self.size)
        here = page[:high, start : start + sheet.width]
        cover = np.asarray(sheet)[:, : here.shape[1], None] / 255
        here[:] = here + cover * (255 * np.array(to_rgb(ARROW)) - here) + 0.5


def _strokes(start: Array, end: Array, half: float, colour: Array, opacity: Array) -> Array:
    """Rows for `paint`, one for each opacity."""
    out = np.empty((*opacity.shape, COLUMNS))
    out[..., 0:2], out[..., 2:4], out[..., 4:6], out[..., 6:9], out[..., 9] = start, end, half, colour, opacity
    return out.reshape(-1, COLUMNS)


@lru_cache(maxsize=4)
def _font(slant: Literal["oblique", "normal"], pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont(FontProperties(family="DejaVu Sans", style=slant)), pixels)


def _background(run: xr.Dataset, size: int, cycle: bool, view: spheres.View) -> Array:
    """What rests with the camera: the sphere as `bloch_sphere` draws it, and the names of several groups."""
    with style():
        figure = Figure(figsize=(ONE_COLUMN, ONE_COLUMN), dpi=(size + 1e-3) / ONE_COLUMN)  # as sizes are rounded down
        canvas, ax = FigureCanvasAgg(figure), figure.add_axes((0, 0, 1, 1))
        spheres.globe(ax, view)
        if cycle:
            spheres.ring(ax, view, run)
        names = [str(name) for name in run.group.values]
        if 1 < len(names) <= len(COLOURS):
            dots = [Line2D([], [], ls="", marker="o", ms=spheres.THICK[2], color=colour) for colour in COLOURS[: len(names)]]
            ax.legend(dots, names, loc="lower left", ncols=4, handlelength=0.7, columnspacing=1, borderaxespad=0.7)
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.array(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
