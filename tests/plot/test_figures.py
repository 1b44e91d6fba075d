"""Figures for print: widths, text sizes, styles, and file formats."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

import spinsync as ss

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
PAIR = ss.Ensemble.pair(detuning=4.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)


@pytest.fixture(scope="module")
def results():
    two = {"detuning": np.linspace(0, 14, 15), "coupling": np.linspace(1, 30, 12)}
    return {
        "one": ss.evolve(ONE, np.linspace(0, 5, 101)),
        "two": ss.evolve(PAIR, np.linspace(0, 20, 1001)),
        "spins": ss.evolve(ONE, np.linspace(0, 3, 31), initial=[[0.1, 0.2, 0.3]] * 7, each=True),
        "map": ss.phase_diagram(ONE, {"coupling": np.linspace(0, 20, 9), "gain": np.linspace(0.1, 20, 9)}),
        "tongue": ss.phase_diagram(PAIR, two),
        "theta": ss.phase_diagram(ONE, {"theta": np.linspace(-3, -0.1, 9)}),
        "plateau": ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 12, 13)}),
        "steady": [ss.steady_state(ONE, theory=ss.Exact(n)) for n in (10, 20, 40)],
        "lines": [ss.linewidth(ONE, theory=ss.Exact(n)) for n in (8, 40, 80)],
        "levels": ss.compare(ONE, np.linspace(0, 3, 31), theories=[ss.MeanField(), ss.Exact(6)], initial=[[0.3, 0.0, 0.5]]),
        "emission": [ss.emission_spectrum(ONE, np.linspace(-8, 4, 61), theory=ss.Exact(n)) for n in (10, 20, 40)],
    }


FIGURES = {
    "bloch_sphere": [("two", {}), ("spins", {}), ("two", {"frame": "mean"})],
    "order_parameter": [("one", {}), ("two", {})],
    "phases": [("two", {}), ("spins", {})],
    "phase_difference": [("two", {})],
    "beat_spectrum": [("two", {})],
    "phase_diagram": [("map", {}), ("tongue", {}), ("tongue", {"variable": "phase_difference"})],
    "cut": [("theta", {}), ("theta", {"variable": "frequency"})],
    "frequency": [("plateau", {}), ("plateau", {"difference": True})],
    "finite_size": [("steady", {}), ("steady", {"variable": "inversion"})],
    "linewidths": [("lines", {})],
    "spectra": [("emission", {})],
    "compare": [("levels", {}), ("levels", {"variable": "inversion"})],
}


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("name", FIGURES)
def test_all_text_is_inside_the_figure_and_large_enough(results, name, columns):
    for result, options in FIGURES[name]:
        with ss.plot.style(columns=columns):
            ax = getattr(ss.plot, name)(results[result], **options)
        figure = ax.figure
        assert figure.get_figwidth() == {1: 3.4, 2: 7.0}[columns]
        figure.canvas.draw()
        width, height = figure.get_size_inches() * figure.dpi
        texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        shown = [text for text in texts if _inside(text, ax)]
        assert shown
        for text in shown:
            box = text.get_window_extent()
            assert box.x0 > -1, text
            assert box.y0 > -1, text
            assert box.x1 < width + 1, text
            assert box.y1 < height + 1, text
            assert text.get_fontsize() >= 6  # points: the minimum of journals
        if ax.axison:
            ticks = [t for t in ax.get_xticks() if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
            assert len(ticks) >= 3, "an axis of one tick or two can't be read"


def _inside(text, ax):
    """Whether a text is drawn: tick labels outside the limits are not."""
    for one in (axis for a in ax.figure.axes for axis in (a.xaxis, a.yaxis)):
        if text in one.get_ticklabels(which="both"):
            low, high = sorted(one.get_view_interval())
            position = text.get_position()[0 if one.axis_name == "x" else 1]
            return low <= position <= high and one.axes.axison
    return True


def test_every_figure_function_is_tested():
    others = {"movie", "project", "save", "style", "COLOURS", "COLOURMAP", "REGIME_COLOURS"}
    assert set(ss.plot.__all__) == others | set(FIGURES)


def test_an_outer_style_is_kept(results):
    with ss.plot.style(font_size=13, axes_labelsize=17, axes_prop_cycle=mpl.cycler(color=["red"])):
        ax = ss.plot.order_parameter(results["one"])
        assert ax.xaxis.label.get_fontsize() == 17
        assert plt.rcParams["axes.prop_cycle"].by_key() == {"color": ["red"]}
        assert plt.subplots()[0].get_size_inches().tolist() == [3.4, 2.4]  # also of a user's own figures
    assert ss.plot.order_parameter(results["one"]).xaxis.label.get_fontsize() == 9
    with ss.plot.style(columns=2), ss.plot.style():
        assert ss.plot.order_parameter(results["one"]).figure.get_figwidth() == 3.4  # the inner one


def test_heights_of_figures_and_given_sizes(results):
    for columns, sphere, plain in ((1, 3.4, 2.4), (2, 5.1, 3.6)):
        with ss.plot.style(columns=columns):
            assert ss.plot.bloch_sphere(results["one"]).figure.get_figheight() == pytest.approx(sphere)
            assert ss.plot.order_parameter(results["one"]).figure.get_figheight() == pytest.approx(plain)
    with ss.plot.style(figure_figsize=(5.0, 3.0)):
        assert ss.plot.bloch_sphere(results["one"]).figure.get_size_inches().tolist() == [5.0, 3.0]


def test_the_legend_of_a_new_figure_is_above_the_axes(results):
    ax = ss.plot.order_parameter(results["two"])
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1
    _, given = plt.subplots()
    ss.plot.order_parameter(results["two"], given)
    given.figure.canvas.draw()
    assert given.get_legend().get_window_extent().y0 < given.get_window_extent().y1


def test_a_figure_is_saved_in_the_format_of_the_ending(tmp_path, results):
    figure = ss.plot.order_parameter(results["one"]).figure
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for kind, start in starts.items():
        (file,) = ss.plot.save(figure, tmp_path / f"one.{kind}")
        assert file == tmp_path / f"one.{kind}"
        assert file.read_bytes().startswith(start)
    files = ss.plot.save(figure, str(tmp_path / "run-0.5"))
    assert [file.name for file in files] == ["run-0.5.png", "run-0.5.pdf"]
    assert b"/FontFile2" in files[1].read_bytes()  # TrueType, embedded
    assert b"<text" not in (tmp_path / "one.svg").read_bytes()  # letters are outlines: no font is needed
    (file,) = ss.plot.save(figure, tmp_path / "capital.PDF")
    assert file.read_bytes().startswith(b"%PDF")


def test_equal_figures_give_equal_files(tmp_path, results):
    for kind in ("png", "pdf", "svg"):
        first, second = (
            ss.plot.save(ss.plot.order_parameter(results["one"]).figure, tmp_path / f"{k}.{kind}")[0].read_bytes()
            for k in range(2)
        )
        assert first == second


def test_a_failed_save_keeps_the_older_file(tmp_path, monkeypatch, results):
    figure = ss.plot.order_parameter(results["one"]).figure
    (file,) = ss.plot.save(figure, tmp_path / "one.pdf")
    before = file.read_bytes()

    def half(draft, **_):
        draft.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(KeyboardInterrupt):
        ss.plot.save(figure, file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
