"""Images written to a video file: MP4 by ffmpeg, GIF by Pillow."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from spinsync.base.checks import InputError
from spinsync.plot.spheres import SPHERE_COLOUR

Array = NDArray[Any]
AddImage = Callable[[Array], object]  # writes the next image
UNCHANGED = 255  # palette index of a pixel that is the same as before


def ffmpeg() -> str | None:
    """Path of the ffmpeg in matplotlib's setting, a path or a name on PATH; None if there is none."""
    return shutil.which(str(mpl.rcParams["animation.ffmpeg_path"]))


@contextmanager
def mp4(file: Path, size: int, rate: int) -> Iterator[AddImage]:
    """Write an MP4 that browsers and presentation programs play: H.264 if ffmpeg has it, in 4:2:0."""
    program = str(ffmpeg())
    source = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{size}x{size}", "-framerate", str(rate), "-i", "-"]
    encoders = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=False).stdout
    quality = ["-c:v", "libx264", "-preset", "fast", "-crf", "18"] if " libx264 " in encoders else []
    colours = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p", "-color_range", "tv"]
    colours += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    command = [program, "-y", "-loglevel", "error", *source, "-an", *quality, *colours, "-movflags", "+faststart", "-f", "mp4"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([*command, str(file)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors)
        images: Any = process.stdin
        try:
            yield lambda image: images.write(image.tobytes())
            images.close()
            failed = process.wait() != 0
        except BrokenPipeError:  # ffmpeg has ended with an error message
            failed = process.wait() != 0
        finally:
            process.kill()
            process.wait()
            with suppress(BrokenPipeError):
                images.close()
        if failed:
            errors.seek(0)
            reason = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            raise InputError(f"Argument `path` must be a file that ffmpeg can write, but it fails ({reason[0]}).")


@contextmanager
def gif(file: Path, size: int, rate: int, colours: Sequence[str]) -> Iterator[AddImage]:
    """Write a GIF that repeats forever. Pixels that do not change from frame to frame are left out, for a small file."""
    palette = make_palette(colours)
    table, before = palette_table(palette), np.full((size, size), UNCHANGED, np.uint8)
    shown = count = 0
    with file.open("wb") as out:
        out.write(b"GIF89a" + struct.pack("<HHBBB", size, size, 0xF7, 0, 0))  # one palette of 256 colours for all frames
        out.write(np.concatenate([palette, np.zeros((256 - len(palette), 3), np.uint8)]).tobytes())
        out.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")  # loop forever

        def add(image: Array) -> None:
            nonlocal before, shown, count
            count += 1
            until, now = round(100 * count / rate), table[colour_cell(image)]  # in units of 1/100 s
            out.write(b"\x21\xf9\x04\x05" + struct.pack("<HBB", until - shown, UNCHANGED, 0))  # keep the old pixels
            out.write(_compressed(np.where(now == before, np.uint8(UNCHANGED), now)))
            before, shown = now, until

        yield add
        out.write(b"\x3b")


def _compressed(indices: Array) -> bytes:
    """The compressed image block of one frame, cut out of a GIF by Pillow."""
    with io.BytesIO() as file:
        Image.fromarray(indices).save(file, "GIF", optimize=False)
        data = file.getvalue()
    return data[13 + 3 * 2 ** ((data[10] & 7) + 1) : -1]  # between the palette and the end


def make_palette(colours: Sequence[str]) -> Array:
    """A palette of up to 255 colours, shape (colour, 3): from black to white, and from each colour to that of the sphere.

    The unmixed colours are last.
    """
    sphere, ends = np.array(to_rgb(SPHERE_COLOUR)), [np.array(to_rgb(colour)) for colour in dict.fromkeys(colours)]
    steps = (252 - len(ends)) // (len(ends) + 1)
    share = np.linspace(0, 1, steps, endpoint=False)[:, None]
    mixed = [end + share * (sphere - end) for end in ends]
    full = np.stack([*ends, np.zeros(3), np.ones(3), sphere])
    return np.asarray(np.round(255 * np.concatenate([share * np.ones(3), *mixed, full])), np.uint8)


def colour_cell(pixels: Array) -> Array:
    """Colours of pixels quantized to 16 bits: 5 bits of red, 6 of green, 5 of blue."""
    red, green, blue = (pixels[..., c].astype(np.uint16) for c in range(3))
    return (red & 0xF8) << 8 | (green & 0xFC) << 3 | blue >> 3


def palette_table(palette: Array) -> Array:
    """Index of the nearest colour of the palette for each cell of `colour_cell`, or of the last colour within it; (2**16,)."""
    k = np.arange(2**16)
    middle = np.stack([(k >> 11) * 8 + 3.5, (k >> 5 & 63) * 4 + 1.5, (k & 31) * 8 + 3.5], axis=1)
    table: Array = np.asarray(cKDTree(palette.astype(float)).query(middle)[1], np.uint8)
    table[colour_cell(palette)] = np.arange(len(palette))
    return table
