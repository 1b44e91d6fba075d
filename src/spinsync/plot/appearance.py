"""The style of all figures: sizes for print, colours for all kinds of colour vision, embedded fonts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure

from spinsync.base import checks
from spinsync.base.files import new_version
from spinsync.base.keywords import known_keywords
from spinsync.base.precision import in_range

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
FORMATS = {1: (ONE_COLUMN, 2.4), 2: (TWO_COLUMNS, 3.6)}  # columns -> width and height of a figure with one axes
#: colours of groups: those of Okabe and Ito, for all kinds of colour vision, without yellow, too light for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
#: the dim blue and the light one change places on a dark ground
ON_DARK = {COLOURS[0]: COLOURS[4], COLOURS[4]: COLOURS[0]}
CLOSED_FORM = "#000000"  # colour of closed forms in all figures
#: colour map of magnitudes: linear in lightness, for all kinds of colour vision
COLOURMAP = "cividis"
CYCLIC_COLOURMAP = "twilight"  # for phases
SIGNED_COLOURMAP = "PuOr"  # for numbers of both signs, pale at zero

#: file formats -> metadata that omit the date, so that equal figures give equal files
UNDATED: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}

RULES: dict[str, Any] = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "mathtext.fontset": "dejavusans",
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.2,
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,  # labels are never cut
    "savefig.dpi": 220,
    "pdf.fonttype": 42,  # fonts embedded as TrueType: text stays text in an editor
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "spinsync",
}


_entered: ContextVar[bool] = ContextVar("_entered", default=False)  # inside a `with style()`


@contextmanager
def style(columns: int = 1, **changes: Any) -> Iterator[None]:
    """Context of the style of spinsync, `with ss.plot.style():`; matplotlib's settings are restored afterwards.

    Parameters
    ----------
    columns : 1 or 2
        Width of new figures: one column of a journal (3.4 inches) or two (7 inches), with letters and lines of equal size.
    **changes
        Matplotlib rcParams, with underscores instead of dots; figure_figsize sets any other size.

    Raises
    ------
    InputError
        If `columns` is neither 1 nor 2, or matplotlib does not know the parameter or accept the value.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> with ss.plot.style(columns=2, font_size=10):
    ...     ax = ss.plot.order_parameter(ss.evolve(one, np.linspace(0, 5, 200)))
    >>> float(ax.figure.get_figwidth())
    7.0
    """
    if not checks.is_real(columns) or checks.real("columns", columns) not in FORMATS:
        raise checks.argument_error("columns", "1 or 2", columns)
    # load the backend first: that of a notebook enables interactive mode, which rc_context would undo
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]
    names = {name.replace(".", "_"): name for name in mpl.rcParams}
    changed = {names[checks.one_of("changes", name, names)]: value for name, value in changes.items()}
    try:
        rules: Any = mpl.RcParams(RULES | {"figure.figsize": FORMATS[columns]} | changed)
    except Exception as error:  # matplotlib's checks raise various errors
        but = checks.one_line(str(error), 200)
        raise checks.InputError(f"Argument `changes` must be values that matplotlib takes, but: {but}.") from None
    token = _entered.set(True)
    try:
        with mpl.rc_context(rules):
            yield
    finally:
        _entered.reset(token)


def axes(ax: Axes | None, height_factor: float = 1.0) -> Axes:
    """The given axes, or those of a new figure of the style's size, higher by `height_factor` if that is one of FORMATS."""
    if ax is not None:
        return checks.instance("ax", ax, Axes, "matplotlib axes")  # type: ignore[no-any-return]
    width, height = mpl.rcParams["figure.figsize"]
    stretch = height_factor if (width, height) in FORMATS.values() else 1.0
    return plt.subplots(figsize=(width, stretch * height), layout="constrained")[1]


def colour(name: str, value: Any) -> str | None:
    """A colour as a name or code for matplotlib; None for None."""
    if value is None:
        return None
    try:
        if value is np.ma.masked:  # matplotlib would draw nothing
            raise ValueError
        code = to_hex(value, keep_alpha=True)
        return value if isinstance(value, str) else code
    except Exception:  # matplotlib's parsers raise various errors
        raise checks.argument_error(name, "a colour that matplotlib knows, such as 'C0' or '#0072B2'", value) from None


def _is_dark(*layers: Any) -> bool:
    """Whether layers of these colours on white paper, the lowest one first, look dark."""
    seen = [1.0, 1.0, 1.0]
    for layer in layers:
        *colour, opacity = to_rgba(layer)
        seen = [opacity * one + (1 - opacity) * below for one, below in zip(colour, seen, strict=True)]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), seen, strict=True)) < 0.5


def on_dark(ax: Axes) -> bool:
    """Whether the ground of the axes is dark."""
    return _is_dark(ax.figure.figure.get_facecolor(), ax.get_facecolor())


def legend_ink(ax: Axes) -> str:
    """The colour of closed forms in a legend, which lies on the ground of the figure."""
    return "#ffffff" if _is_dark(ax.figure.figure.get_facecolor()) else CLOSED_FORM


def ink(ax: Axes) -> str:
    """The colour of closed forms on the ground of the axes."""
    return "#ffffff" if on_dark(ax) else CLOSED_FORM


def group_colour(ax: Axes, group: int) -> str:
    """The colour of a group on the ground of the axes."""
    found = COLOURS[group % len(COLOURS)]
    if found == CLOSED_FORM:
        return ink(ax)
    return ON_DARK.get(found, found) if on_dark(ax) else found


def line_widths(count: int) -> list[float]:
    """Widths of lines over each other, the first one the widest, so that all are seen where they coincide."""
    thin = float(mpl.rcParams["lines.linewidth"])
    return np.linspace(thin + min(1.3 * (count - 1), 3.0), thin, count).tolist()  # type: ignore[no-any-return]


P = ParamSpec("P")


def in_style(draw: Callable[P, Axes]) -> Callable[P, Axes]:
    """Decorator: draw a new figure in the style of spinsync (as changed by the caller); leave the style of given axes."""

    drawing = in_range(draw)

    @wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> Axes:
        given = arguments[1] if len(arguments) > 1 else options.get("ax")
        with nullcontext() if given is not None or _entered.get() else style():
            return drawing(*arguments, **options)

    return drawn


@known_keywords
def save(figure: Figure, path: str | Path) -> list[Path]:
    """Write a figure as PNG and as PDF with embedded fonts, or in the format of the ending of the path.

    Parameters
    ----------
    figure : matplotlib figure
    path : path
        Ends in .pdf, .svg or .png for this format; otherwise .png and .pdf are added. A PDF contains text as text, an SVG
        as outlines, which look the same everywhere.

    Returns
    -------
    list of Path
        The files. Each is created when it is complete.

    Raises
    ------
    InputError
        If `figure` is not a figure, or the path has another ending or can't be written.

    Examples
    --------
    >>> import spinsync as ss, matplotlib.pyplot as plt, tempfile, pathlib
    >>> figure, ax = plt.subplots()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.suffix for file in ss.plot.save(figure, pathlib.Path(folder) / "empty")]
    ['.png', '.pdf']
    >>> plt.close(figure)
    """
    checks.instance("figure", figure, Figure, "a matplotlib figure")
    path = checks.path("path", path)
    ending = path.suffix.lower()[1:]
    if ending not in UNDATED and ending in figure.canvas.get_supported_filetypes():
        raise checks.argument_error("path", "without ending, or end in .png, .pdf or .svg", str(path))
    files = {path: ending} if ending in UNDATED else {Path(f"{path}.{kind}"): kind for kind in ("png", "pdf")}
    layout = figure.get_layout_engine()
    with style():
        try:
            for file, kind in files.items():
                with new_version(file) as draft:
                    figure.savefig(draft, format=kind, metadata=UNDATED[kind])
                figure.set_layout_engine("none")  # the same layout in all files
        finally:
            if layout is not None:
                figure.set_layout_engine(layout)
    return list(files)
