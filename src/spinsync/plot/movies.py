"""Movies of the Bloch sphere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from spinsync.base import checks
from spinsync.base.files import new_version
from spinsync.base.precision import in_range
from spinsync.base.progress import progress as progress_line
from spinsync.base.progress import report
from spinsync.plot import video_files
from spinsync.plot.renderer import ARROW, Renderer
from spinsync.plot.spheres import AZIMUTH, ELEVATION, View, checked_frame, colours, trajectories
from spinsync.plot.traces import require_variable
from spinsync.plot.units import checked_unit
from spinsync.results.datasets import model_of

Angle = ArrayLike | Callable[[float], Any]  # degrees: a number, an array over the times of a run, or a function of time
DEFAULT_SECONDS = 10.0  # duration of a movie unless a speed is given
TRAIL_POINTS_PER_FRAME = 2
MAX_GIF_RATE = 50  # frames per second; browsers slow down faster ones


@in_range
def movie(
    run: xr.Dataset, path: str | Path, *, size: int = 800, frames_per_second: int = 30, speed: float | None = None,
    azimuth: Angle = AZIMUTH, elevation: Angle = ELEVATION, frame: float | str = 0.0, trails: float = 0.5, cycle: bool = True,
    progress: bool = True, unit: str | tuple[str, float] = "rate",
) -> Path:  # fmt: skip
    """A movie of a run on the Bloch sphere: a dot and a fading trail for each spin or group; the mean field is the arrow.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve` at two times or more; with each=True its single spins are drawn, else its groups.
    path : path
        Ends in .gif, or in .mp4, which needs ffmpeg, on PATH or at matplotlib's rcParams["animation.ffmpeg_path"].
    size : int
        Width and height in pixels, even for .mp4.
    frames_per_second : int
        At most 50 for .gif.
    speed : float, optional
        Time of the run per second of the movie; by default the run takes ten seconds. Vectors are interpolated between
        the times of the run: twenty times per period are sufficient.
    azimuth, elevation : float, array of shape (time,), or function
        Direction of the viewer, in degrees. For a moving camera one angle for each time of the run (interpolated
        linearly), or a function of a time that returns an angle. Each frame then takes about five times as long.
    frame : float or "mean"
        Angular frequency of the rotating frame, or the frame that rotates with the mean field.
    trails : float
        Length of the trails in seconds of the movie; 0 for none.
    cycle : bool
        Draw the closed-form limit cycle (black ring) if the model has one.
    progress : bool
        Show a progress line in a terminal or a notebook, if the movie takes more than two seconds.
    unit : "rate", "damping" or (name, factor)
        Unit of the time t in the picture, as in `plot.order_parameter`; `speed` and the times of a camera are in the unit
        of the model.

    Returns
    -------
    Path
        The file. It replaces an older one when it is complete.

    Raises
    ------
    InputError
        If the run holds no trajectories or can't have this unit, an option is out of range, ffmpeg is missing or fails, or
        the file can't be written.

    Notes
    -----
    Time: 300 frames of 800 x 800 pixels with 500 spins take 5 s.

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
        require_variable(run, name, all_groups=True)
    trajectories(run)
    if run.sizes["time"] < 2:
        raise checks.InputError("Argument `run` must hold at least two times, but holds one.")
    file = checks.path("path", path)
    kind = _file_format(file)
    cycle, progress = checks.flag("cycle", cycle), checks.flag("progress", progress)
    size = checks.whole("size", size, 64, 4096)
    if kind == "mp4" and size % 2:
        raise checks.argument_error("size", "even for .mp4", size)
    rate = checks.whole("frames_per_second", frames_per_second, 1, MAX_GIF_RATE if kind == "gif" else 120)
    times = _times(run.time.values, rate, speed)
    step = float(times[1] - times[0])
    trail = checks.non_negative("trails", trails) * rate * step
    angles = [_angles(n, angle, run.time.values, times) for n, angle in (("azimuth", azimuth), ("elevation", elevation))]
    views = [View(*pair) for pair in zip(*angles, strict=True)]
    shown_unit = checked_unit(unit, model_of(run))
    with (
        progress_line(file.name, "a smaller size or fewer frames take less") if progress else nullcontext(),
        new_version(file) as draft,
    ):
        renderer = Renderer(
            run, size=size, view=views[0], frame=checked_frame(frame), trail=trail, step=step / TRAIL_POINTS_PER_FRAME,
            cycle=cycle, unit=shown_unit,
        )  # fmt: skip
        palette = [*colours(run), ARROW]
        with video_files.mp4(draft, size, rate) if kind == "mp4" else video_files.gif(draft, size, rate, palette) as add:
            for k, (time, view) in enumerate(zip(times.tolist(), views, strict=True)):
                report(k / len(views), f"frame {k + 1} of {len(views)}")
                renderer.set_view(view)
                add(renderer.image(time))
    return file


def _angles(name: str, angle: Angle, saved: np.ndarray, times: np.ndarray) -> list[float]:
    """The angle of the camera in each frame, in degrees."""
    if callable(angle):
        return [_angle_at(name, angle, time) for time in times.tolist()]
    if checks.dims(angle) == 0:
        return [checks.real(name, angle)] * len(times)
    given = checks.array(name, angle, float, (len(saved),), f"a number, a function of time or {len(saved)} angles, one a time")
    return np.interp(times, saved, given).tolist()  # type: ignore[no-any-return]


def _angle_at(name: str, camera: Callable[[float], float], time: float) -> float:
    try:
        angle = camera(time)
    except Exception as error:  # the user's error is kept as the cause
        must = "a function that takes a time and returns an angle"
        raise checks.InputError(f"Argument `{name}` must be {must}, but raises {type(error).__name__} at {time:g}.") from error
    return checks.real(f"{name}({time:g})", angle)


def _file_format(path: Path) -> str:
    kind = path.suffix.lower()[1:]
    if kind not in ("mp4", "gif"):
        raise checks.argument_error("path", "a file that ends in .mp4 or .gif", str(path))
    if kind == "mp4" and video_files.ffmpeg() is None:
        where = "put it on PATH, or its path into matplotlib's rcParams['animation.ffmpeg_path']"
        must = f"a file that ends in .gif as long as ffmpeg, which writes .mp4, is not found ({where})"
        raise checks.argument_error("path", must, str(path))
    return kind


def _times(saved: np.ndarray, rate: int, speed: float | None) -> np.ndarray:
    """Times of the frames: equally spaced, from the first to the last of the run."""
    span = float(saved[-1] - saved[0])
    seconds = DEFAULT_SECONDS if speed is None else span / checks.positive("speed", speed)
    count = seconds * rate
    if not 1 <= round(count) <= 10**6:
        must = f"from {span * rate / 10**6:.3g} to {span * rate:.3g}, one to a million frames"
        raise checks.argument_error("speed", must, speed)
    return np.linspace(saved[0], saved[-1], round(count) + 1)
