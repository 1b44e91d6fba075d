"""Legends: what every line, marker and colour without a label of its own means."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from spinsync.plot.appearance import legend_ink

MOST_WIDTH, MOST_HEIGHT = 0.65, 0.5  # of given axes that a legend inside may take
CROWDED = 0.1  # share of the area of given axes, from which on a legend is measured in the final layout
SMALL: dict[str, Any] = {"fontsize": 7, "handlelength": 1.6, "labelspacing": 0.3, "borderpad": 0.2}


def once(ax: Axes, label: str) -> str:
    """The label, or one that no legend shows if the axes have a line with this label."""
    return "_nolegend_" if label in ax.get_legend_handles_labels()[1] else label


def add_entry(ax: Axes, colour: str, label: str, **look: Any) -> None:
    """An entry for an area of this colour; look : further properties of its rectangle."""
    if label not in ax.get_legend_handles_labels()[1]:
        ax.add_artist(Rectangle((0, 0), 0, 0, transform=ax.transAxes, facecolor=colour, linewidth=0, label=label, **look))


def name_line(ax: Axes, line: Line2D, label: str) -> None:
    """Give a black line over pale areas an entry: itself, or a copy in white if the ground of the figure is dark."""
    if line.get_color() == legend_ink(ax):
        line.set_label(once(ax, label))
    elif label not in ax.get_legend_handles_labels()[1]:
        entry = Line2D([], [])
        entry.update_from(line)
        entry.set(color=legend_ink(ax), label=label)
        ax.add_artist(entry)


def add_legend(ax: Axes, new_figure: bool) -> None:
    """Draw the legend if more than one thing is drawn: above the axes of a new figure, else inside given axes.

    Given axes that are too small for it, or where it would hide computed points, have none;
    `ax.get_legend_handles_labels` gives its entries for one elsewhere.
    """
    if len(ax.get_legend_handles_labels()[1]) < 2:
        return
    if new_figure:
        legend_above(ax)
        return
    legend = ax.legend(loc="best", frameon=True, framealpha=0.8, edgecolor="none", **SMALL)
    box, room = legend.get_window_extent(), ax.get_window_extent()
    if box.width * box.height > CROWDED * room.width * room.height:
        _lay_out(ax)
        box, room = legend.get_window_extent(), ax.get_window_extent()
    if box.width > MOST_WIDTH * room.width or box.height > MOST_HEIGHT * room.height or _hides_points(ax, box):
        legend.remove()


def _lay_out(ax: Axes) -> None:
    """Give the axes the size that they will have: wide labels of ticks make them narrower."""
    figure = ax.figure.figure
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)


def _hides_points(ax: Axes, box: Bbox) -> bool:
    """Whether a marker of a computed point is in the box, in pixels."""
    marked = [line.get_xydata() for line in ax.lines if line.get_marker() not in ("None", "", " ", None)]
    points = np.concatenate([np.asarray(points, float) for points in marked]) if marked else np.empty((0, 2))
    with np.errstate(invalid="ignore", divide="ignore"):  # points that a logarithmic axis has no place for
        x, y = ax.transData.transform(points).T
    return bool(np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)))


def legend_above(ax: Axes) -> None:
    """Draw a legend above the axes of a new figure, so that it hides nothing, in as many columns as there is room for.

    One wider than the axes ends where they end: there is more room to their left, above the labels.
    """
    handles, labels = ax.get_legend_handles_labels()
    _lay_out(ax)
    look: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "columnspacing": 1.2, "borderaxespad": 0.2}
    for columns in (4, 3, 2, 1):
        legend = ax.legend(handles, labels, ncols=columns, fontsize="small" if len(labels) > 3 else None, **look)
        if columns <= len(labels) and legend.get_window_extent().width <= 1.02 * ax.get_window_extent().width:
            return
    ax.legend(handles, labels, fontsize="small", **look | {"loc": "lower right", "bbox_to_anchor": (1, 1.0)})
