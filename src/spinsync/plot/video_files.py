"""Pages of pixels to a file: MP4 by ffmpeg, GIF by Pillow."""

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
from spinsync.plot.spheres import GLOBE

Array = NDArray[Any]
Add = Callable[[Array], object]  # takes the next page
SAME = 255  # index of a pixel that stays as it was
HUNDREDTHS = 100  # a GIF counts time in hundredths of a second


def ffmpeg() -> str | None:
    """The ffmpeg that matplotlib's setting names: by its path, or, as it is by default, by its name on PATH."""
    return shutil.which(str(mpl.rcParams["animation.ffmpeg_path"]))


@contextmanager
def mp4(file: Path, size: int, rate: int) -> Iterator[Add]:
    """An MP4 that every browser and slide program plays: H.264 where ffmpeg has it, in 4:2:0."""
    program = str(ffmpeg())
    source = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{size}x{size}", "-framerate", str(rate), "-i", "-"]
    encoders = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=False).stdout
    quality = ["-c:v", "libx264", "-preset", "fast", "-crf", "18"] if " libx264 " in encoders else []
    colours = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p", "-color_range", "tv"]
    colours += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    command = [program, "-y", "-loglevel", "error", *source, "-an", *quality, *colours, "-movflags", "+faststart", "-f", "mp4"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([*command, str(file)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors)
        pages: Any = process.stdin
        try:
            yield lambda page: pages.write(page.tobytes())
            pages.close()
            failed = process.wait() != 0
        except BrokenPipeError:  # ffmpeg has ended, and says why
            failed = process.wait() != 0
        finally:
            process.kill()
            process.wait()
            with suppress(BrokenPipeError):
                pages.close()
        if failed:
            errors.seek(0)
            reason = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            raise InputError(f"Argument `path` must be a file that ffmpeg can write, but it fails ({reason[0]}).")


@contextmanager
def gif(file: Path, size: int, rate: int, colours: Sequence[str]) -> Iterator[Add]:
    """A GIF that repeats for ever. What stays from frame to frame is left out, which keeps it small."""
    palette = ramps(colours)
    table, before = nearest(palette), np.full((size, size), SAME, np.uint8)
    shown = count = 0
    with file.open("wb") as out:
        out.write(b"GIF89a" + struct.pack("<HHBBB", size, size, 0xF7, 0, 0))  # a common palette of 256 colours
        out.write(np.concatenate([palette, np.zeros((256 - len(palette), 3), np.uint8)]).tobytes())
        out.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")  # again and again

        def add(page: Array) -> None:
            nonlocal before, shown, count
            count += 1
            until, now = round(HUNDREDTHS * count / rate), table[cell(page)]
            out.write(b"\x21\xf9\x04\x05" + struct.pack("<HBB", until - shown, SAME, 0))  # what is there stays
            out.write(_compressed(np.where(now == before, np.uint8(SAME), now)))
            before, shown = now, until

        yield add
        out.write(b"\x3b")


def _compressed(indices: Array) -> bytes:
    """The image block of one frame: what Pillow writes between the palette and the end of a GIF."""
    with io.BytesIO() as whole:
        Image.fromarray(indices).save(whole, "GIF", optimize=False)
        text = whole.getvalue()
    return text[13 + 3 * 2 ** ((text[10] & 7) + 1) : -1]


def ramps(colours: Sequence[str]) -> Array:
    """A palette of up to 255 colours, shape (colour, 3): from black to white, and from each colour to the sphere's.

    The full colours stand last.
    """
    globe, ends = np.array(to_rgb(GLOBE)), [np.array(to_rgb(colour)) for colour in dict.fromkeys(colours)]
    steps = (252 - len(ends)) // (len(ends) + 1)
    share = np.linspace(0, 1, steps, endpoint=False)[:, None]
    each = [end + share * (globe - end) for end in ends]
    full = np.stack([*ends, np.zeros(3), np.ones(3), globe])
    return np.asarray(np.round(255 * np.concatenate([share * np.ones(3), *each, full])), np.uint8)


def cell(pixels: Array) -> Array:
    """The number of the cell of colours that a pixel lies in: 5 bits of red, 6 of green, 5 of blue."""
    red, green, blue = (pixels[..., c].astype(np.uint16) for c in range(3))
    return (red & 0xF8) << 8 | (green & 0xFC) << 3 | blue >> 3


def nearest(palette: Array) -> Array:
    """For each cell the index of the palette's colour nearest to its middle, or of the last one within it."""
    k = np.arange(2**16)
    middle = np.stack([(k >> 11) * 8 + 3.5, (k >> 5 & 63) * 4 + 1.5, (k & 31) * 8 + 3.5], axis=1)
    table: Array = np.asarray(cKDTree(palette.astype(float)).query(middle)[1], np.uint8)
    table[cell(palette)] = np.arange(len(palette))
    return table
