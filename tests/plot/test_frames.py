"""Frames of a movie: dots, trails, arrows and texts are at the right positions, with the right colours."""

import numpy as np
from matplotlib.colors import to_rgb
from PIL import ImageDraw

import spinsync as ss
from movie_cases import bloch_at, faded, make_renderer, pixels, rotating_run
from spinsync.plot.appearance import COLOURS
from spinsync.plot.rasterizer import draw_segments
from spinsync.plot.renderer import Interpolation
from spinsync.plot.spheres import HALF_WIDTH, SPHERE_COLOUR, View


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
