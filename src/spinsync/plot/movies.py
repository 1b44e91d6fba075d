"""Movies of the Bloch sphere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from rich.console import Console
from rich.progress import track

from spinsync.base import checks
from spinsync.base.files import new_version
from spinsync.base.precision import in_range
from spinsync.plot import films
from spinsync.plot.scenes import ARROW, Scene
from spinsync.plot.spheres import AZIMUTH, ELEVATION, View, checked_frame, colours, trajectories
from spinsync.plot.traces import needs

Angle = ArrayLike | Callable[[float], Any]  # degrees: one, one for each time of a run, or a function of time
SECONDS = 10.0  # of a whole run, unless a speed is given
FINER = 2  # points of a trail in a frame
FASTEST_GIF = 50  # browsers slow down what is faster


@in_range
def movie(
    run: xr.Dataset, path: str | Path, *, size: int = 800, frames_per_second: int = 30, speed: float | None = None,
    azimuth: Angle = AZIMUTH, elevation: Angle = ELEVATION, frame: float | str = 0.0, trails: float = 0.5, cycle: bool = True,
    progress: bool = True,
) -> Path:  # fmt: skip
    """A movie of a run on the Bloch sphere: a dot and a fading trail for each spin or group; the mean field is the arrow.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve` at two times or more; single spins where it holds them (each=True), else groups.
    path : path
        Ends in .mp4, for which ffmpeg is needed, on PATH or where matplotlib's rcParams["animation.ffmpeg_path"] says,
        or in .gif.
    size : int
        Width and height in pixels, even for .mp4.
    frames_per_second : int
        At most 50 for .gif.
    speed : float, optional
        Time of the run that passes in one second; by default the run takes ten seconds. Between the times of the run,
        vectors are interpolated: twenty times a turn are enough for the eye.
    azimuth, elevation : float, array of shape (time,), or function
        Where the viewer stands, in degrees. A camera that moves: one angle for each time of the run (on straight lines
        between them), or a function that takes a time and returns an angle. The sphere is then drawn anew in each frame,
        which takes some five times as long.
    frame : float or "mean"
        Angular frequency of the rotating frame, or the frame that turns with the mean field.
    trails : float
        Length of the trails in seconds of the movie; 0 for none.
    cycle : bool
        Draw the closed-form limit cycle (black ring) where the model has one.
    progress : bool
        Show a progress bar on a terminal or in a notebook.

    Returns
    -------
    Path
        The file. It appears when it is complete, in the place of an older one.

    Raises
    ------
    InputError
        If the run holds no trajectories, an option is out of range, ffmpeg is missing or fails, or the file can't be
        written.

    Examples
    --------
    >>> import numpy as np, spinsync as ss, tempfile, pathlib
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, np.linspace(0, 5, 200))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ss.plot.movie(run, pathlib.Path(folder) / "one.gif", size=100, speed=5.0).name
    'one.gif'

    The camera turns once around the sphere with ``azimuth=lambda time: 360 * time / 5``.
    """
    for name in ("coherence", "inversion", "order_parameter"):
        needs(run, name, whole=True)
    trajectories(run)
    if run.sizes["time"] < 2:
        raise checks.InputError("Argument `run` must hold at least two times, but holds one.")
    file = checks.path("path", path)
    kind = _kind(file)
    cycle, progress = checks.flag("cycle", cycle), checks.flag("progress", progress)
    size = checks.whole("size", size, 64, 4096)
    if kind == "mp4" and size % 2:
        raise checks.argument_error("size", "even for .mp4", size)
    rate = checks.whole("frames_per_second", frames_per_second, 1, FASTEST_GIF if kind == "gif" else 120)
    times = _times(run.time.values, rate, speed)
    step = float(times[1] - times[0])
    trail = checks.non_negative("trails", trails) * rate * step
    angles = [_angles(n, angle, run.time.values, times) for n, angle in (("azimuth", azimuth), ("elevation", elevation))]
    views = [View(*pair) for pair in zip(*angles, strict=True)]
    scene = Scene(run, size=size, view=views[0], frame=checked_frame(frame), trail=trail, step=step / FINER, cycle=cycle)
    with new_version(file) as draft:
        palette = [*colours(run), ARROW]
        with films.mp4(draft, size, rate) if kind == "mp4" else films.gif(draft, size, rate, palette) as add:
            for time, view in zip(_followed(times.tolist(), file.name, progress), views, strict=True):
                scene.look(view)
                add(scene.page(time))
    return file


def _angles(name: str, angle: Angle, saved: np.ndarray, times: np.ndarray) -> list[float]:
    """An angle of the camera in each frame."""
    if callable(angle):
        return [_angle_at(name, angle, time) for time in times.tolist()]
    if checks.dims(angle) == 0:
        return [checks.real(name, angle)] * len(times)
    given = checks.array(name, angle, float, (len(saved),), f"a number, a function of time or {len(saved)} angles, one a time")
    return np.interp(times, saved, given).tolist()  # type: ignore[no-any-return]


def _angle_at(name: str, camera: Callable[[float], float], time: float) -> float:
    try:
        angle = camera(time)
    except Exception as error:  # the cause, which is kept, is the user's to find
        must = "a function that takes a time and returns an angle"
        raise checks.InputError(f"Argument `{name}` must be {must}, but raises {type(error).__name__} at {time:g}.") from error
    return checks.real(f"{name}({time:g})", angle)


def _kind(path: Path) -> str:
    kind = path.suffix.lower()[1:]
    if kind not in ("mp4", "gif"):
        raise checks.argument_error("path", "a file that ends in .mp4 or .gif", str(path))
    if kind == "mp4" and films.ffmpeg() is None:
        where = "put it on PATH, or its path into matplotlib's rcParams['animation.ffmpeg_path']"
        must = f"a file that ends in .gif as long as ffmpeg, which writes .mp4, is not found ({where})"
        raise checks.argument_error("path", must, str(path))
    return kind


def _times(saved: np.ndarray, rate: int, speed: float | None) -> np.ndarray:
    """Times of the frames: even, from the first to the last of the run."""
    span = float(saved[-1] - saved[0])
    seconds = SECONDS if speed is None else span / checks.positive("speed", speed)
    count = seconds * rate
    if not 1 <= round(count) <= 10**6:
        must = f"from {span * rate / 10**6:.3g} to {span * rate:.3g}, one to a million frames"
        raise checks.argument_error("speed", must, speed)
    return np.linspace(saved[0], saved[-1], round(count) + 1)


def _followed(times: list[float], name: str, progress: bool) -> Iterable[float]:
    """The times, with a bar on standard error that tells how far they are."""
    console = Console(stderr=True)
    seen = progress and (console.is_terminal or console.is_jupyter)
    return track(times, description=name, console=console, disable=not seen)
