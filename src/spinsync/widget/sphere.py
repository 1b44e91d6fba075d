"""The widget: traits shared by Python and the page. The drawing is done by the JavaScript files next to it."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets
import xarray as xr

from spinsync.base import checks, files
from spinsync.base.keywords import known_keywords
from spinsync.widget import saved
from spinsync.widget.packing import packed

COLOURINGS = ("group", "phase")
HERE = Path(__file__).parent
#: files of the ES module, in this order
FILES = ("run", "pixels", "sphere", "curves", "elements", "page")
#: traits that the page uses
STATE = ("run", "frame", "playing", "speed", "colour", "trails", "height")


class BlochSphere(anywidget.AnyWidget):
    """A run on the Bloch sphere, live in a notebook or a browser; `spinsync.show` makes one.

    Attributes
    ----------
    frame : float
        Index of the time shown; between two times of the run vectors are interpolated. The page sets it when playing
        stops, and after the time slider is moved.
    playing : bool
    speed : float
        1: the whole run takes ten seconds.
    colour : "group" or "phase"
    trails : bool
    height : int
        Height of the sphere in CSS pixels.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> sphere = ss.show(ss.evolve(one, np.linspace(0, 5, 101)))
    >>> sphere.frame, sphere.playing = 50.0, False
    >>> sphere.update(ss.evolve(one.replace(coupling=6.0), np.linspace(0, 5, 101)))  # in the same place
    """

    _esm = "".join((HERE / f"{file}.js").read_text(encoding="utf-8") for file in FILES)
    _css = (HERE / "sphere.css").read_text(encoding="utf-8")

    # one trait for the whole run, so that it changes in a single message
    run = traitlets.Dict().tag(sync=True)
    frame = traitlets.Float(0.0, min=0.0).tag(sync=True)
    playing = traitlets.Bool(True).tag(sync=True)
    speed = traitlets.Float(1.0, min=0.0).tag(sync=True)
    colour = traitlets.Enum(COLOURINGS, "group").tag(sync=True)
    trails = traitlets.Bool(True).tag(sync=True)
    height = traitlets.Int(420).tag(sync=True)

    def update(self, run: xr.Dataset) -> None:
        """Show another run in the same place; view, speed and frame are kept (at most the last frame of the new run).

        Parameters
        ----------
        run : xarray.Dataset
            A result of `evolve`.

        Raises
        ------
        InputError
            As for `spinsync.show`.
        """
        arrays = packed(run)
        with self.hold_sync():
            self.run = arrays
            self.frame = min(self.frame, float(run.sizes["time"] - 1))

    @known_keywords
    def save(self, path: str | Path) -> Path:
        """Write a web page that plays the run with all controls, without Python, notebook or network connection.

        The page begins with the present frame, speed and options. It is one file, a third longer than the run in the browser
        (12 bytes for each time of each spin).

        Parameters
        ----------
        path : path
            A file that ends in .html.

        Returns
        -------
        Path
            The file. It replaces an older one when it is complete.

        Raises
        ------
        InputError
            If the path has another ending or can't be written, or `frame` or `speed` is not finite.

        Examples
        --------
        >>> import numpy as np, spinsync as ss, tempfile, pathlib
        >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
        >>> sphere = ss.show(ss.evolve(one, np.linspace(0, 5, 101)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sphere.save(pathlib.Path(folder) / "run.html").name
        'run.html'
        """
        file = checks.path("path", path)
        if file.suffix.lower() != ".html":
            raise checks.argument_error("path", "a file that ends in .html", str(file))
        for name in ("frame", "speed"):
            checks.non_negative(name, getattr(self, name))  # traitlets let NaN pass, which JSON does not
        title = f"{file.stem}: a run on the Bloch sphere".encode(errors="replace").decode()  # names of files may be any bytes
        state = {name: getattr(self, name) for name in STATE}
        files.write_text(file, saved.page(state, str(self._esm), str(self._css), title))
        return file
