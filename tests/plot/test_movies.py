"""Movies: dots, trails and arrows are at the right positions in every frame; files are complete or do not exist."""

import json
import shutil
import subprocess
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image, ImageDraw

import spinsync as ss
from movie_cases import ONE, bloch_at, faded, make_renderer, pixels, rotating_run
from spinsync.base import progress, screens
from spinsync.plot.appearance import COLOURS
from spinsync.plot.rasterizer import draw_segments
from spinsync.plot.renderer import Interpolation, Renderer
from spinsync.plot.spheres import HALF_WIDTH, SPHERE_COLOUR, View
from spinsync.plot.video_files import colour_cell, make_palette, palette_table

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt-get install ffmpeg")


def middle(image, colour):
    """Centre of all pixels close to a colour."""
    row, column = np.nonzero(np.linalg.norm(image - colour, axis=-1) < 40)
    assert len(row), "no pixel has the colour"
    return np.array([column.mean(), row.mean()]) + 0.5


def test_discs_and_segments_cover_their_area():
    for row, area in (
        ([50.3, 49.6, 50.3, 49.6, 8.0, 8.0], np.pi * 64),
        ([20.2, 30.7, 80.9, 70.1, 1.5, 1.5], np.hypot(60.7, 39.4) * 3),
        ([20.0, 50.0, 80.0, 41.0, 6.0, 0.0], np.hypot(60, 9) * 6),  # the head of an arrow
        ([20.0, 50.0, 80.0, 50.25, 0.2, 0.2], 60 * 0.4),  # thinner than a pixel
    ):
        image = np.zeros((100, 100, 3), np.uint8)
        draw_segments(image, np.array([[*row, 255.0, 255.0, 255.0, 1.0]]))
        # edges are rounded to 1/255 of a pixel; coverage of a rotated rectangle is approximate
        np.testing.assert_allclose(image.sum(axis=(0, 1)) / 255, area, rtol=0.01)
        if row[0] == row[2]:
            r, c, _ = np.nonzero(image)
            weight = image[r, c, 0]
            np.testing.assert_allclose(np.average([c, r], axis=1, weights=weight) + 0.5, row[:2], atol=0.01)


def test_opacity_blends_and_segments_are_clipped_to_the_image():
    image = np.full((40, 40, 3), 100, np.uint8)
    row = [20.0, 20.0, 20.0, 20.0, 5.0, 5.0, 200.0, 100.0, 0.0, 0.5]
    draw_segments(image, np.array([row]))
    np.testing.assert_array_equal(image[20, 20], [150, 100, 50])
    draw_segments(image, np.array([row]))
    np.testing.assert_array_equal(image[20, 20], [175, 100, 25])
    large = np.zeros((60, 60, 3), np.uint8)
    small = np.zeros((40, 40, 3), np.uint8)
    lines = np.array([[-30.0, 10.0, 90.0, 45.0, 3.0, 3.0, 255, 9, 9, 1], [0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9, 255, 9, 1]])
    lines = np.vstack([lines, [[500.0, 500.0, 510.0, 510.0, 3.0, 3.0, 255, 255, 255, 1]]])
    draw_segments(large, lines)
    draw_segments(small, lines)
    np.testing.assert_array_equal(small, large[:40, :40])
    assert small[0, 0, 1] == 255


def test_interpolation_is_of_third_order():
    """Slopes from finite differences are of second order, and are multiplied by the step."""
    at, errors = np.linspace(0.2, 0.8, 101), []
    for count in (21, 41, 81):
        times = np.linspace(0, 1, count) + 0.1 / count * np.cos(np.arange(count) * 1.7)  # unequal steps
        motion = Interpolation(rotating_run(np.sort(times)), 0.0)
        errors.append(abs(motion(at)[:, 0] - bloch_at(at)).max())
    slope = -np.diff(np.log2(errors))
    assert (abs(slope - 3) < 0.4).all(), slope
    assert errors[0] < 0.6 * 2e-3  # twenty times per period suffice: a pixel of 800 is 3e-3
    saved = rotating_run([0, 0.01, 0.05, 0.06])
    np.testing.assert_allclose(Interpolation(saved, 0.0)(saved.time.values)[:, 0], bloch_at(saved.time.values), atol=1e-15)


def test_dots_are_at_the_projected_bloch_vector_in_every_frame():
    run = rotating_run(np.geomspace(0.05, 1.05, 300), height=0.5)  # unequal steps
    for view in (View(-50, 60), View(140, 50)):
        renderer = make_renderer(run, view=view)
        for time in (0.05, 0.3, 0.521, 0.9, 1.05):
            expected, depth = pixels(bloch_at(time, height=0.5), 400, view)
            np.testing.assert_allclose(middle(renderer.image(time), faded(COLOURS[0], depth)), expected, atol=0.5)
    above = make_renderer(run, view=View(0, 90)).image(0.3)  # from above y is to the right and -x up
    x, y, z = bloch_at(0.3, height=0.5)
    np.testing.assert_allclose(
        middle(above, faded(COLOURS[0], z)), (np.array([y, x]) + HALF_WIDTH) * 400 / (2 * HALF_WIDTH), atol=0.5
    )


def test_colours_are_fainter_at_the_back():
    for height in (1.0, 0.0, -1.0):
        renderer = make_renderer(rotating_run([0.0, 1.0], radius=1e-9, height=height), view=View(10, 90), size=800)
        # next to the lines of the axes; the arrow points to the viewer
        np.testing.assert_allclose(renderer.image(0.0)[403, 403], faded(COLOURS[0], height), atol=1.5)  # bytes, rounded twice
    np.testing.assert_allclose(faded(COLOURS[0], 1.0), 255 * np.array(to_rgb(COLOURS[0])))


def test_vectors_are_constant_in_the_rotating_frame_and_the_mean_is_along_x():
    run = rotating_run(np.linspace(0, 1, 101), turns=3.0)
    for frame in (6 * np.pi, "mean"):
        motion = Interpolation(run, frame)
        np.testing.assert_allclose(motion(np.linspace(0, 1, 57)), np.tile([0.6, 0, 0.3], (57, 2, 1)), atol=1e-3)
    assert np.ptp(Interpolation(run, 0.0)(np.linspace(0, 1, 57))[:, 0, 0]) > 1


def test_groups_have_different_colours_and_the_arrow_is_the_weighted_mean():
    pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-1.5, weights=(1, 3))
    run = ss.evolve(pair, np.linspace(0, 1, 101), initial=[[0.8, 0, 0.1], [0, -0.8, 0.1]])
    renderer = make_renderer(run, size=800, view=View(-45, 30))
    m = ss.bloch(run).values[40]
    image = renderer.image(float(run.time[40]))
    for vector, colour in zip(m, COLOURS, strict=False):
        expected, depth = pixels(vector, 800, View(-45, 30))
        np.testing.assert_allclose(middle(image[:700], faded(colour, depth)), expected, atol=0.5)
    mean = m[0] / 4 + 3 * m[1] / 4
    np.testing.assert_allclose(renderer.vectors(run.time.values[40:41])[0, -1], mean, atol=1e-15)
    tip, origin = (pixels(vector, 800, View(-45, 30))[0] for vector in (mean, mean * [0, 0, 1]))
    column, row = np.round(origin + 0.7 * (tip - origin)).astype(int)
    assert image[row, column].max() < 60  # the arrow
    column, row = np.round(origin + 1.1 * (tip - origin)).astype(int)
    assert image[row, column].min() > 150  # beyond the arrow


def test_a_trail_is_at_earlier_bloch_vectors_and_fades():
    run = rotating_run(np.linspace(0, 1, 201), turns=0.5, radius=0.9, height=0.0)
    view, sphere = View(90, 60), np.array(to_rgb(SPHERE_COLOUR)) * 255
    image = make_renderer(run, size=800, trail=0.3, view=view).image(0.7)
    plain = make_renderer(run, size=800, view=view).image(0.7).astype(float)
    lines = abs(image - plain).sum(axis=-1)

    def strength(time):
        column, row = np.round(pixels(bloch_at(time, 0.5, 0.9, 0.0), 800, view)[0] - 0.5).astype(int)
        return lines[row - 2 : row + 3, column - 2 : column + 3].max()

    strengths = [strength(time) for time in (0.42, 0.5, 0.58, 0.66)]
    assert (np.diff(strengths) > 0).all()
    assert strengths[-1] > 0.5 * abs(sphere - 255 * np.array(to_rgb(COLOURS[0]))).sum()
    assert strength(0.3) == strength(0.8) == 0
    first = make_renderer(run, size=800, trail=0.3, view=view).image(0.0)  # no trail before the first time
    np.testing.assert_array_equal(first, make_renderer(run, size=800, view=view).image(0.0))


def test_a_trail_has_the_same_opacity_if_it_is_longer_than_the_run():
    run = rotating_run(np.linspace(0, 2, 401), radius=0.9, height=0.0)
    view = View(90, 90)
    young, old = (make_renderer(run, size=800, trail=0.3, view=view).image(time).astype(int) for time in (0.2, 1.2))
    for time in (0.05, 0.1, 0.15):  # covered by both trails
        column, row = np.round(pixels(bloch_at(time, radius=0.9, height=0.0), 800, view)[0] - 0.5).astype(int)
        pixels_of_both = [image[row - 2 : row + 3, column - 2 : column + 3] for image in (young, old)]
        np.testing.assert_allclose(*pixels_of_both, atol=1)
    endless = [make_renderer(run, size=200, trail=trail, view=view).image(1.2) for trail in (1e12, 1.7e308, np.inf)]
    np.testing.assert_array_equal(endless[0], endless[1])
    np.testing.assert_array_equal(endless[0], endless[2])


def test_a_trail_has_a_gap_where_the_mean_field_passes_through_zero():
    times = np.linspace(0, 1, 101)
    run = rotating_run(times, turns=0.0, height=0.0)
    x = 0.6 * np.cos(np.pi * times)  # along x through zero: the frame of the mean jumps at 1/2
    run = run.assign(coherence=(run.coherence.dims, (x / 2 + 0j)[:, None], run.coherence.attrs))
    options = {"size": 800, "trail": 0.3, "view": View(0, 90), "frame": "mean"}
    laboratory = make_renderer(run, **(options | {"frame": 0.0}))._segments(np.linspace(0.4, 0.65, 26))
    broken = make_renderer(run, **options)._segments(np.linspace(0.4, 0.65, 26))
    hidden = broken[:, 9] == 0
    assert hidden.sum() == 1
    assert not (laboratory[:, 9] == 0).any()


def test_time_and_order_parameter_are_written():
    renderer = make_renderer(rotating_run(np.linspace(0, 4, 101)).assign(order_parameter=("time", np.linspace(0, 0.9, 101))))
    left, right = np.s_[:40, :120], np.s_[:40, 300:]
    images = [renderer.image(time) for time in (1.0, 1.001, 1.5)]
    for part in (left, right):
        np.testing.assert_array_equal(images[0][part], images[1][part])  # 1.00 and 0.23
        assert (images[0][part] != images[2][part]).any()
        assert images[0][part].min() < 80  # dark text on white
    assert (renderer.image(1.0)[left] != renderer.background[left]).any()


def test_written_values_are_those_of_the_run(monkeypatch):
    texts = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda self, at, text, *_, **__: texts.append(text))
    run = rotating_run(np.linspace(-2, 2, 101)).assign(order_parameter=("time", np.linspace(0, 0.8, 101)))
    make_renderer(run).image(-1.0)
    assert texts == ["t", " = −1.00", "R", " = 0.20"]
    texts.clear()
    make_renderer(rotating_run(np.linspace(0, 300, 3001), turns=0.01, radius=0.4)).image(12.3)
    assert texts == ["t", " = 12", "R", " = 0.40"]  # digits as needed to distinguish the times


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
