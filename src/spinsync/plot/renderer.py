"""Images of a run on the Bloch sphere at any time, the frames of a movie."""

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
from spinsync.plot.rasterizer import SEGMENT_COLUMNS, draw_segments
from spinsync.plot.units import DAMPING, MODEL_UNIT, Unit
from spinsync.results.datasets import model_of

Array = NDArray[Any]
ARROW = "#1c2126"  # colour of the mean field
SHAFT, HEAD, HEAD_LENGTH = 0.6, 2.4, 7.0  # half widths of the arrow and length of its head, in points
RIM = 0.3  # width of the white line around a dot
LETTER_SIZE = 8.0


class Interpolation:
    """Cubic Hermite interpolation of Bloch vectors between the times of a run, with slopes from finite differences."""

    def __init__(self, run: xr.Dataset, frame: float | str) -> None:
        weight, s, z = model_of(run).rates.weight, run.coherence.values, run.inversion.values
        mean = bloch_vectors.vectors(s @ weight, z @ weight)
        self.times = run.time.values
        self.with_mean = frame == "mean"
        m = np.concatenate([spheres.trajectories(run).values, mean[:, None]], axis=1)
        angle = 0.0 if self.with_mean else float(frame) * (self.times - self.times[0])
        self.vectors = spheres.rotated_about_z(m, -np.broadcast_to(angle, self.times.shape))
        self.slopes = np.gradient(self.vectors, self.times, axis=0)

    def __call__(self, times: Array) -> Array:
        """Vectors of shape (time, spin or group, 3) in the frame of the figure; the last one is the mean field."""
        m = self.interpolate(times)
        return spheres.rotated_about_z(m, -self.frame_angle(m))

    def frame_angle(self, m: Array) -> Array:
        """Azimuth of the mean field at each time, the last of the vectors m of `interpolate`; 0 if it is not drawn."""
        return np.arctan2(m[:, -1, 1], m[:, -1, 0]) if self.with_mean else np.zeros(len(m))

    def interpolate(self, times: Array) -> Array:
        """The vectors in the laboratory frame, or in the frame of a given frequency; NaN next to times with NaN."""
        i = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 2)
        step = (self.times[i + 1] - self.times[i])[:, None, None]
        u = (times - self.times[i])[:, None, None] / step
        # Hermite polynomials, e.g. J. Stoer and R. Bulirsch, Introduction to Numerical Analysis, section 2.1.5
        m = (1 + 2 * u) * (1 - u) ** 2 * self.vectors[i] + u**2 * (3 - 2 * u) * self.vectors[i + 1]
        return np.asarray(m + step * u * (1 - u) * ((1 - u) * self.slopes[i] - u * self.slopes[i + 1]))


class Renderer:
    """Draws a run: the sphere of `bloch_sphere`, a dot and a trail for each spin or group, and the mean field as an arrow.

    size : width and height in pixels
    trail : duration of a trail, sampled at intervals `step`
    cycle : whether to draw the closed-form limit cycle if the model has one
    unit : of the time
    """

    def __init__(
        self, run: xr.Dataset, *, size: int, view: spheres.View, frame: float | str, trail: float, step: float, cycle: bool,
        unit: Unit = MODEL_UNIT,
    ) -> None:  # fmt: skip
        self.size, self.view, self.vectors = size, view, Interpolation(run, frame)
        self.point = size / ONE_COLUMN / 72  # one point (1/72 inch) in pixels
        self.colours = 255 * np.array([to_rgb(colour) for colour in spheres.colours(run)])
        self.trail_points = trail / step + 1
        longest = float(self.vectors.times[-1] - self.vectors.times[0]) / step + 1  # no trail begins before the run
        self.ages = step * np.arange(int(min(trail / step, longest) + 1e-9), -1, -1)
        self.order = np.asarray(run.order_parameter.values, float)
        self._draw = partial(_draw_background, run, size, cycle)
        self.background = self._draw(view)
        span = unit.time * float(self.vectors.times[-1] - self.vectors.times[0])
        self.unit, self.decimals = unit, int(np.clip(2 - np.floor(np.log10(span)), 0, 9))

    def set_view(self, view: spheres.View) -> None:
        """Set the view of the next images."""
        if not np.array_equal(view.matrix, self.view.matrix):
            self.view, self.background = view, self._draw(view)

    def image(self, time: float) -> Array:
        """The image at a time, bytes of shape (row, column, 3)."""
        image = self.background.copy()
        times = time - self.ages
        draw_segments(image, self._segments(times[times >= self.vectors.times[0] - 1e-9 * self.ages[0]]))
        unit = self.unit
        name = "" if unit.name in (MODEL_UNIT.name, DAMPING) else f" {unit.time_name}"
        text = f" = {unit.time * time:.{self.decimals}f}{name}".replace("-", "−")
        self._write(image, "γt" if unit.name == DAMPING else "t", text, 0.03)
        self._write(image, "R", f" = {np.interp(time, self.vectors.times, self.order):.2f}", 0.82)
        return image

    def _segments(self, times: Array) -> Array:
        """Segments of trails, dots and arrow at the last of these times, sorted by depth from back to front."""
        m = self.vectors.interpolate(times)
        angle = self.vectors.frame_angle(m)
        points = self.view(spheres.rotated_about_z(m, -angle))
        depth, points = points[..., 2], self._pixels(points[..., :2])
        width, strength, dot = spheres.THIN if len(self.colours) > spheres.MANY else spheres.THICK
        fading = (1 - np.arange(len(times) - 1, 0, -1) / self.trail_points)[:, None]  # from 0 at the tail to 1 at the dot
        middle = (depth[1:, :-1] + depth[:-1, :-1]) / 2
        faded = strength * fading * spheres.depth_opacity(middle) * ~spheres.frame_jumps(angle)[:, None]
        trails = _segments(points[:-1, :-1], points[1:, :-1], width / 2 * self.point, self.colours, faded)
        last, near = points[-1, :-1], depth[-1, :-1]
        opacity = spheres.depth_opacity(near)
        rims = _segments(last, last, (dot + RIM) / 2 * self.point, np.full(3, 255.0), opacity)
        dots = _segments(last, last, (dot - RIM) / 2 * self.point, self.colours, opacity)
        axis = self._pixels(self.view(m[-1, -1] * [0, 0, 1])[:2])
        arrow = self._arrow(axis, points[-1, -1])
        tip = np.full(len(arrow), depth[-1, -1] - 1e-6)  # behind a dot at its tip
        order = np.argsort(np.concatenate([middle.ravel(), tip, near, near]), kind="stable")  # a rim before its dot
        return np.concatenate([trails, arrow, rims, dots])[order]

    def _arrow(self, start: Array, tip: Array) -> Array:
        """A horizontal arrow at the mean inversion, as in `show`: its length is the order parameter."""
        colour = 255 * np.array(to_rgb(ARROW))
        length = np.hypot(*(tip - start))
        if length < 1:
            return np.empty((0, SEGMENT_COLUMNS))
        head = min(HEAD_LENGTH * self.point, length)
        neck = tip - head * (tip - start) / length
        scale = head / HEAD_LENGTH  # a short arrow has a smaller head
        shaft = _segments(start, neck, min(SHAFT * self.point, SHAFT * scale), colour, np.ones(1))
        point = _segments(neck, tip, HEAD * scale, colour, np.ones(1))
        point[:, 5] = 0.0
        return np.concatenate([shaft, point])

    def _pixels(self, plane: Array) -> Array:
        """Pixel coordinates, from the upper left corner, of points of the projection plane."""
        return (plane * [1, -1] + spheres.HALF_WIDTH) * (self.size / 2 / spheres.HALF_WIDTH)

    def _write(self, image: Array, symbol: str, text: str, left: float) -> None:
        """A symbol and its value in the upper margin, `left` as a share of the width."""
        height = int(0.03 * self.size + 1.5 * LETTER_SIZE * self.point)
        mask = Image.new("L", (int(0.4 * self.size), height))
        draw, base = ImageDraw.Draw(mask), (0.0, 0.03 * self.size + LETTER_SIZE * self.point)
        letters = round(LETTER_SIZE * self.point)
        slanted, upright = _font("oblique", letters), _font("normal", letters)
        draw.text(base, symbol, 255, slanted, anchor="ls")
        draw.text((base[0] + slanted.getlength(symbol), base[1]), text, 255, upright, anchor="ls")
        start = int(left * self.size)
        target = image[:height, start : start + mask.width]
        opacity = np.asarray(mask)[:, : target.shape[1], None] / 255
        target[:] = target + opacity * (255 * np.array(to_rgb(ARROW)) - target) + 0.5


def _segments(start: Array, end: Array, half: float, colour: Array, opacity: Array) -> Array:
    """Rows for `draw_segments`, one for each entry of `opacity`."""
    out = np.empty((*opacity.shape, SEGMENT_COLUMNS))
    out[..., 0:2], out[..., 2:4], out[..., 4:6], out[..., 6:9], out[..., 9] = start, end, half, colour, opacity
    return out.reshape(-1, SEGMENT_COLUMNS)


@lru_cache(maxsize=4)
def _font(slant: Literal["oblique", "normal"], pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont(FontProperties(family="DejaVu Sans", style=slant)), pixels)


def _draw_background(run: xr.Dataset, size: int, cycle: bool, view: spheres.View) -> Array:
    """The part that depends on the view only: the sphere as in `bloch_sphere`, and the names of several groups."""
    with style(figure_constrained_layout_use=False):
        figure = Figure(figsize=(ONE_COLUMN, ONE_COLUMN), dpi=(size + 1e-3) / ONE_COLUMN)  # sizes are rounded down
        canvas, ax = FigureCanvasAgg(figure), figure.add_axes((0, 0, 1, 1))
        spheres.draw_sphere(ax, view)
        if cycle:
            spheres.draw_limit_cycle(ax, view, run)
        names = [str(name) for name in run.group.values]
        if 1 < len(names) <= len(COLOURS):
            dots = [Line2D([], [], ls="", marker="o", ms=spheres.THICK[2], color=colour) for colour in COLOURS[: len(names)]]
            ax.legend(dots, names, loc="lower left", ncols=4, handlelength=0.7, columnspacing=1, borderaxespad=0.7)
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.array(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
