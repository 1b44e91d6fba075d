"""Movies: files show the frames of a run at the right times, and are complete or do not exist."""

import json
import shutil
import subprocess
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import spinsync as ss
from movie_cases import ONE, bloch_at, faded, make_renderer, pixels, rotating_run
from spinsync.base import progress, screens
from spinsync.plot.appearance import COLOURS
from spinsync.plot.renderer import Renderer
from spinsync.plot.spheres import SPHERE_COLOUR, View
from spinsync.plot.video_files import colour_cell, make_palette, palette_table

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt-get install ffmpeg")


@pytest.mark.parametrize("drawn", [COLOURS[:1], COLOURS, [*COLOURS, *COLOURS]])
def test_the_palette_contains_all_drawn_colours(drawn):
    palette = make_palette(drawn)
    assert len(palette) <= 255
    table = palette_table(palette)
    for colour in (*drawn, SPHERE_COLOUR, "#ffffff", "#000000"):
        full = np.round(255 * np.array(to_rgb(colour))).astype(np.uint8)
        np.testing.assert_array_equal(palette[table[colour_cell(full)]], full)


def test_cells_and_table_give_the_nearest_colour():
    red, green, blue = np.meshgrid(np.arange(0, 256, 8), np.arange(0, 256, 4), np.arange(0, 256, 8))
    numbers = colour_cell(np.stack([red, green, blue], axis=-1).astype(np.uint8))
    assert len(np.unique(numbers)) == 2**16
    table, palette = palette_table(make_palette(COLOURS[:1])), make_palette(COLOURS[:1]).astype(int)
    rng = np.random.default_rng(0)
    for colour in rng.integers(0, 256, (200, 3)).astype(np.uint8):
        best = np.linalg.norm(palette - colour, axis=1).min()
        found = np.linalg.norm(palette[table[colour_cell(colour)]] - colour)
        assert found <= best + 2 * np.sqrt(4**2 + 2**2 + 4**2)  # distance of a colour from the centre of its cell


def test_frames_times_and_pixels_of_a_gif(tmp_path):
    run = rotating_run(np.linspace(0, 1, 101))
    file = ss.plot.movie(run, tmp_path / "one.gif", size=200, frames_per_second=30, speed=1.0, cycle=False)
    assert file == tmp_path / "one.gif"
    with Image.open(file) as gif:
        assert (gif.size, gif.n_frames, gif.info["loop"]) == ((200, 200), 31, 0)
        total = 0
        for k in range(31):
            gif.seek(k)
            total += gif.info["duration"]
            image = np.asarray(gif.convert("RGB")).astype(int)
            drawn = make_renderer(run, size=200, trail=0.5, step=1 / 60).image(k / 30)
            distance = abs(image - drawn).max(axis=-1)
            assert distance.max() < 60  # of 255: mixed colours are not in the palette
            assert (distance > 8).mean() < 0.005  # otherwise quantization
        assert total == pytest.approx(1000 * 31 / 30, abs=5)  # milliseconds; the unit of a GIF is ten


def test_a_movie_runs_from_the_first_time_to_the_last_in_ten_seconds(tmp_path, monkeypatch):
    calls = []
    real = Renderer.image
    monkeypatch.setattr(Renderer, "image", lambda self, time: calls.append(time) or real(self, time))
    run = rotating_run(np.geomspace(1, 3, 40))
    ss.plot.movie(run, tmp_path / "ten.gif", size=64, frames_per_second=5)
    np.testing.assert_allclose(calls, np.linspace(1, 3, 51))
    calls.clear()
    ss.plot.movie(run, str(tmp_path / "TEN.GIF"), size=65, frames_per_second=5, speed=0.5)
    np.testing.assert_allclose(calls, np.linspace(1, 3, 21))


def test_images_of_a_moving_camera_agree_with_those_of_fixed_views(tmp_path, monkeypatch):
    images, real = [], Renderer.image
    monkeypatch.setattr(Renderer, "image", lambda self, time: images.append(real(self, time)) or images[-1])
    run = rotating_run(np.geomspace(1, 3, 40))
    camera = {"azimuth": lambda time: 90 * time, "elevation": 30 + 10 * run.time.values}  # linear in time
    ss.plot.movie(run, tmp_path / "turn.gif", size=100, frames_per_second=3, speed=1.0, trails=0.3, **camera)
    assert len(images) == 7
    for k, image in enumerate(images):
        time = 1 + k / 3
        still = Renderer(run, size=100, view=View(90 * time, 30 + 10 * time), frame=0.0, trail=0.3, step=1 / 6, cycle=True)
        np.testing.assert_allclose(image.astype(int), real(still, time), atol=1)  # rounding of the angles


@needs_ffmpeg
def test_frames_and_pixels_of_an_mp4(tmp_path):
    run = rotating_run(np.linspace(0, 1, 101))
    file = ss.plot.movie(run, tmp_path / "one.mp4", size=200, frames_per_second=25, speed=1.0, cycle=False)
    command = ["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_streams", str(file)]
    (stream,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]
    assert [stream[key] for key in ("width", "height", "pix_fmt", "nb_read_frames")] == [200, 200, "yuv420p", "26"]
    assert float(stream["duration"]) == pytest.approx(26 / 25)
    raw = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    images = np.frombuffer(subprocess.run(raw, capture_output=True, check=True).stdout, np.uint8).reshape(26, 200, 200, 3)
    for k, image in enumerate(images):
        drawn = make_renderer(run, size=200, trail=0.5, step=1 / 50).image(k / 25)
        assert abs(image.astype(int) - drawn).mean() < 2  # of 255: losses of the codec


@needs_ffmpeg
def test_an_mp4_keeps_colours(tmp_path):
    run = rotating_run(np.linspace(0, 1, 101), turns=0.0, height=0.6)
    file = ss.plot.movie(run, tmp_path / "still.mp4", frames_per_second=2, speed=1.0, cycle=False)
    raw = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    images = np.frombuffer(subprocess.run(raw, capture_output=True, check=True).stdout, np.uint8).reshape(3, 800, 800, 3)
    (column, row), depth = pixels(bloch_at(0.0, height=0.6), 800)
    mean = images[0, int(row) - 1 : int(row) + 2, int(column) - 1 : int(column) + 2].mean(axis=(0, 1))
    np.testing.assert_allclose(mean, faded(COLOURS[0], depth), atol=5)  # of 255: one byte of YUV is up to two of RGB


@pytest.mark.parametrize("kind", ["gif", pytest.param("mp4", marks=needs_ffmpeg)])
@pytest.mark.parametrize("reason", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_movie_leaves_no_files_or_processes(tmp_path, monkeypatch, kind, reason):
    started, images, real = [], iter(range(5)), Renderer.image

    class Watched(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)

    def image(self, time):
        if next(images) == 4:
            raise reason
        return real(self, time)

    monkeypatch.setattr(Renderer, "image", image)
    run, old = rotating_run(np.linspace(0, 1, 51)), tmp_path / f"old.{kind}"
    old.write_text("older")
    with pytest.raises(reason):
        ss.plot.movie(run, old, size=64)
    assert [path.name for path in tmp_path.iterdir()] == [old.name]
    assert old.read_text() == "older"
    assert (kind == "mp4") == bool(started)
    assert all(process.poll() is not None for process in started)


def test_a_movie_shows_its_progress_unless_it_is_not_to(tmp_path, monkeypatch):
    make = partial(ss.plot.movie, rotating_run([0.0, 0.5, 1.0]), tmp_path / "bar.gif", size=64, frames_per_second=2, speed=1.0)
    shown = []
    screen = SimpleNamespace(show=lambda *line: shown.append(line), close=lambda: shown.append("closed"))
    monkeypatch.setattr(screens, "is_watched", lambda: True)
    monkeypatch.setattr(screens, "find_screen", lambda: screen)
    monkeypatch.setattr(progress, "DELAY", 1e9)
    make()
    assert shown == []  # too short
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    make(progress=False)
    assert shown == []
    make()
    assert [line[:2] for line in shown[:-1]] == [("bar.gif", done) for done in (0.0, 1 / 3, 2 / 3)]
    assert "frame 2 of 3" in shown[1][2]
    assert shown[-1] == "closed"


def test_single_spins_and_few_times_make_movies(tmp_path):
    start = np.random.default_rng(0).normal(size=(30, 3)) / 4
    run = ss.evolve(ONE, [0.0, 0.5], initial=start, each=True)
    renderer = make_renderer(run)
    assert renderer.vectors(np.array([0.0])).shape == (1, 31, 3)
    np.testing.assert_allclose(renderer.vectors(np.array([0.25]))[0], renderer.vectors(np.array([0.0, 0.5])).mean(axis=0))
    assert ss.plot.movie(run, tmp_path / "few.gif", size=64, frames_per_second=1).stat().st_size > 1000


def test_times_with_nan_have_empty_frames(tmp_path):
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    run = ss.evolve(one, np.linspace(0, 1, 6))
    run.coherence[3] = np.nan
    movie = ss.plot.movie(run, tmp_path / "some.gif", size=64, frames_per_second=10, progress=False)
    assert movie.stat().st_size > 0
