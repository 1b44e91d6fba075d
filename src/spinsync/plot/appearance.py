"""One look for all pictures: sizes for print, colours for every eye, fonts embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from spinsync.base import checks
from spinsync.base.files import new_version
from spinsync.base.precision import in_range

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
FORMATS = {1: (ONE_COLUMN, 2.4), 2: (TWO_COLUMNS, 3.6)}  # columns -> width and height of a picture alone
#: of groups: Okabe and Ito's colours, told apart by every kind of colour vision; yellow left out, too light for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
CLOSED_FORM = "#000000"  # a closed form over numbers is black, wherever it stands
#: for magnitudes: even in lightness, the same to every eye
COLOURMAP = "cividis"
CYCLE = "twilight"  # for phases: its ends meet

#: formats of files -> what leaves the date out, so that the same figure is the same file
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
    "savefig.dpi": 220,
    "pdf.fonttype": 42,  # fonts embedded as TrueType: text stays text in an editor
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "spinsync",
}


_entered: ContextVar[bool] = ContextVar("_entered", default=False)  # inside a `with style()`


@contextmanager
def style(columns: int = 1, **changes: Any) -> Iterator[None]:
    """Draw in spinsync's look, as `with ss.plot.style():`; matplotlib's own settings come back afterwards.

    Parameters
    ----------
    columns : 1 or 2
        Width of new figures: one column of a journal (3.4 inches) or two (7 inches). Letters and lines keep their size.
    **changes
        Matplotlib rcParams by name with underscores for dots, on top of the look; figure_figsize for any other size.

    Raises
    ------
    InputError
        If `columns` is neither 1 nor 2, or matplotlib knows no such parameter or value.

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
    # load the backend: a notebook's turns interaction on as it loads, which the look's end would undo
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]
    names = {name.replace(".", "_"): name for name in mpl.rcParams}
    wanted = {names[checks.one_of("changes", name, names)]: value for name, value in changes.items()}
    try:
        rules: Any = mpl.RcParams(RULES | {"figure.figsize": FORMATS[columns]} | wanted)
    except Exception as error:  # whatever matplotlib's own checks raise
        but = checks.one_line(str(error), 200)
        raise checks.InputError(f"Argument `changes` must be values that matplotlib takes, but: {but}.") from None
    token = _entered.set(True)
    try:
        with mpl.rc_context(rules):
            yield
    finally:
        _entered.reset(token)


def axes(ax: Axes | None, tall: float = 1.0) -> Axes:
    """The given axes, or those of a new figure in the size of the style; in one of FORMATS `tall` times as high."""
    if ax is not None:
        return checks.instance("ax", ax, Axes, "matplotlib axes")  # type: ignore[no-any-return]
    width, height = mpl.rcParams["figure.figsize"]
    stretch = tall if (width, height) in FORMATS.values() else 1.0
    return plt.subplots(figsize=(width, stretch * height), layout="constrained")[1]


def colour(name: str, value: Any) -> str | None:
    """A colour as matplotlib knows them, in words or as its code; None where none is given."""
    if value is None:
        return None
    try:
        if value is np.ma.masked:  # matplotlib draws it as nothing
            raise ValueError
        code = to_hex(value, keep_alpha=True)
        return value if isinstance(value, str) else code
    except Exception:  # whatever matplotlib's many ways to read a colour raise
        raise checks.argument_error(name, "a colour that matplotlib knows, such as 'C0' or '#0072B2'", value) from None


def names(ax: Axes, alone: bool) -> None:
    """The names of lines: above a picture of its own, where they hide nothing, else where there is room."""
    if alone:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, columnspacing=1.2, borderaxespad=0.2)
    else:
        ax.legend(loc="best")


P = ParamSpec("P")


def in_style(draw: Callable[P, Axes]) -> Callable[P, Axes]:
    """A picture on axes of its own is drawn in spinsync's look, as the caller changed it; one on given axes in theirs."""

    drawing = in_range(draw)

    @wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> Axes:
        given = arguments[1] if len(arguments) > 1 else options.get("ax")
        with nullcontext() if given is not None or _entered.get() else style():
            return drawing(*arguments, **options)

    return drawn


def save(figure: Figure, path: str | Path) -> list[Path]:
    """Write a figure as PNG and as PDF with embedded fonts, or in the one format that the path ends in.

    Parameters
    ----------
    figure : matplotlib figure
    path : path
        Ends in .pdf, .svg or .png for that format; without one of them .png and .pdf are added. In PDF text stays text;
        in SVG letters are outlines, which look the same everywhere.

    Returns
    -------
    list of Path
        The files. Each appears when it is complete.

    Raises
    ------
    InputError
        If `figure` is no figure, the path ends in another format, or can't be written.

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
                figure.set_layout_engine("none")  # all files show the figure as it was laid out for the first
        finally:
            if layout is not None:
                figure.set_layout_engine(layout)
    return list(files)


def plain_decades(axis: Axis) -> None:
    """Numbers as they are spoken along a logarithmic axis, at 1, 2 and 5 where it spans few decades."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e3 * low else (1,)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def angle_ticks(axis: Any, low: float, high: float) -> None:
    """Ticks at multiples of pi/2, or of pi/4 where fewer than three of these are in the range."""
    for parts in (2, 4):
        steps = np.arange(np.ceil(parts * low / np.pi - 1e-9), np.floor(parts * high / np.pi + 1e-9) + 1).astype(int)
        if len(steps) >= 3:
            break
    axis.set_ticks(steps * np.pi / parts, [_fraction_of_pi(n, parts) for n in steps])


def _fraction_of_pi(numerator: int, denominator: int) -> str:
    f = Fraction(numerator, denominator)
    top, below = {1: "π", -1: "−π", 0: "0"}.get(f.numerator, f"{f.numerator}π"), f.denominator
    return top.replace("-", "−") + (f"/{below}" if below > 1 else "")
