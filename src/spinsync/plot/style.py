"""One look for all pictures: sizes for print, colours for every eye, fonts embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spinsync.base import checks

ONE_COLUMN = 3.4  # inches
#: Okabe and Ito's colours, told apart by every kind of colour vision; yellow left out (too light for lines)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
CLOSED_FORM = "#000000"  # a closed form over numbers is black, wherever it stands
SIZES = "cividis"  # for magnitudes: even in lightness, the same to every eye
CYCLE = "twilight"  # for phases: its ends meet

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
    "svg.fonttype": "none",
}


@contextmanager
def style(**changes: Any) -> Iterator[None]:
    """Draw in spinsync's look, as `with ss.plot.style():`; matplotlib's own settings come back afterwards.

    Parameters
    ----------
    **changes
        Matplotlib rcParams by name with underscores for dots, on top of the look.

    Examples
    --------
    >>> import spinsync as ss
    >>> with ss.plot.style(font_size=10):
    ...     pass
    """
    # load the backend: a notebook's turns interaction on as it loads, which the look's end would undo
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]
    rules: Any = RULES | {name.replace("_", "."): value for name, value in changes.items()}
    with mpl.rc_context(rules):
        yield


def axes(ax: Axes | None, width: float = ONE_COLUMN, height: float = 2.4) -> Axes:
    """The given axes, or those of a new figure of one column's width."""
    if ax is not None:
        return checks.instance("ax", ax, Axes, "matplotlib axes")  # type: ignore[no-any-return]
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


P = ParamSpec("P")


def in_style(draw: Callable[P, Axes]) -> Callable[P, Axes]:
    """A picture on axes of its own is drawn in spinsync's look, one on given axes in theirs."""

    @wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> Axes:
        given = arguments[1] if len(arguments) > 1 else options.get("ax")
        with nullcontext() if given is not None else style():
            return draw(*arguments, **options)

    return drawn


def save(figure: Figure, path: str | Path) -> list[Path]:
    """Write a figure as PNG and as PDF with embedded fonts.

    Parameters
    ----------
    figure : matplotlib figure
    path : path
        Without suffix; .png and .pdf are added.

    Returns
    -------
    list of Path
        The two files.

    Examples
    --------
    >>> import spinsync as ss, matplotlib.pyplot as plt, tempfile, pathlib
    >>> figure, ax = plt.subplots()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.suffix for file in ss.plot.save(figure, pathlib.Path(folder) / "empty")]
    ['.png', '.pdf']
    >>> plt.close(figure)
    """
    files = [Path(f"{path}.{suffix}") for suffix in ("png", "pdf")]
    with style():
        for file in files:
            try:
                figure.savefig(file, metadata={"CreationDate": None} if file.suffix == ".pdf" else None)
            except OSError as error:
                raise checks.InputError(
                    f"Argument `path` must be writable, but {str(path)!r} is not ({error.strerror})."
                ) from None
    return files


#: parameter -> symbol; a diagram's axes and the labels of lines are written with these
SYMBOLS = {
    "coupling": "V",
    "cross_coupling": r"V_\times",
    "theta": r"\theta",
    "cross_theta": r"\theta_\times",
    "gain": r"\kappa",
    "damping": r"\gamma",
    "dephasing": r"\gamma_\phi",
    "frequency": r"\omega",
    "detuning": r"\Delta",
    "weight": "p",
}
MEANINGS = {
    "coupling": "coupling",
    "cross_coupling": "cross coupling",
    "theta": "interaction phase",
    "cross_theta": "cross phase",
    "gain": "gain",
    "damping": "damping",
    "dephasing": "dephasing",
    "frequency": "frequency",
    "detuning": "detuning",
    "weight": "weight",
}


def angle_ticks(axis: Any, low: float, high: float) -> None:
    """Ticks at multiples of pi/2 (or of pi/4 on a short range)."""
    import numpy as np

    quarter = (high - low) <= 0.75 * np.pi
    step = np.pi / 4 if quarter else np.pi / 2
    steps = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1).astype(int)
    axis.set_ticks(steps * step, [_fraction_of_pi(n, 4 if quarter else 2) for n in steps])


def _fraction_of_pi(numerator: int, denominator: int) -> str:
    from fractions import Fraction

    f = Fraction(numerator, denominator)
    if f == 0:
        return "0"
    sign, top = "−" if f < 0 else "", abs(f.numerator)
    return f"{sign}{'' if top == 1 else top}π" + ("" if f.denominator == 1 else f"/{f.denominator}")
