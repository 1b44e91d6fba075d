"""Labels of axes, which break into lines where they would leave a small figure, and large numbers at their ticks."""

from __future__ import annotations

import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colorbar import Colorbar
from matplotlib.text import Text

from spinsync.plot.fitting_ticks import text_width
from spinsync.plot.scales import no_multiplier

WORDS = re.compile(r"(?:\$(?:\\.|[^$\\])*\$|[^ ])+")  # a formula is one word, with its blanks


def label_axes(ax: Axes, x: str, y: str) -> None:
    """Label both axes; last, as their limits decide on the notation of numbers."""
    _label(ax.xaxis, x)
    _label(ax.yaxis, y)


def colour_bar(ax: Axes, image: Any, label: str) -> Colorbar:
    """A colour bar beside the axes."""
    bar = ax.figure.colorbar(image, ax=ax)
    _label(bar.ax.yaxis, label)
    return bar


def _label(axis: Axis, text: str) -> None:
    if not isinstance(axis.label, BreakingLabel):
        axis.label = BreakingLabel(axis)
    axis.set_label_text(text)
    no_multiplier(axis)


class BreakingLabel(Text):
    """Label of an axis that breaks between words where a line would leave the figure, at the size that this has when drawn.

    Text that wraps of matplotlib itself does not, as its place is not known yet when the layout is made.
    """

    def __init__(self, axis: Axis) -> None:
        old = axis.label
        super().__init__(*old.get_position())
        self.update_from(old)
        self.set_rotation_mode("anchor")  # as the labels that matplotlib makes
        self.set_figure(axis.axes.figure)
        self.axes, self._of = axis.axes, axis

    def get_text(self) -> str:
        text = super().get_text()
        room, size = self._room(), float(self.get_fontsize())
        lines, start = list[str](), 0
        for word in WORDS.finditer(text):
            if lines and text_width(text[start : word.end()], size) <= room:
                lines[-1] = text[start : word.end()]
            else:
                start = word.start()
                lines.append(word[0])
        return "\n".join(lines)

    def _room(self) -> float:
        """Largest length of a line in points: around the middle of the axis, up to the nearer edge of the (sub)figure."""
        figure = self._of.axes.figure
        box, paper = self._of.axes.get_window_extent(), figure.get_window_extent()
        if self._of is self._of.axes.xaxis:
            middle, low, high = (box.x0 + box.x1) / 2, paper.x0, paper.x1
        else:
            middle, low, high = (box.y0 + box.y1) / 2, paper.y0, paper.y1
        return 2 * float(min(middle - low, high - middle)) * 72 / figure.figure.dpi
