"""Downloads: each figure opens, keeps to the units of the page, and its data can be run again."""

import threading

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
import zarr

import spinsync as ss
from spinsync.interfaces.explorer import few_spins, few_views, pictures, tongues, two_groups, views
from spinsync.interfaces.explorer.controls import FEW, ONE, TWO, starts

ALL = [(key, name) for key in ("one", "two", "few") for name in views.VIEWS[key].pictures]


@pytest.mark.parametrize(("key", "name"), ALL)
def test_every_figure_can_be_downloaded(key, name):
    view = views.VIEWS[key]
    make, values = view.pictures[name], starts(view.controls)
    before = plt.get_fignums()
    assert pictures.drawn(make, values, "png").startswith(b"\x89PNG")
    assert pictures.drawn(make, values, "pdf").startswith(b"%PDF")
    assert plt.get_fignums() == before  # nothing stays in the server


@pytest.mark.parametrize(("key", "name"), [one for one in ALL if "sphere" not in one[1]])
def test_axes_are_in_units_of_the_page(key, name):
    view = views.VIEWS[key]
    with ss.plot.style():
        figure = view.pictures[name](starts(view.controls))
    labels = " ".join(f"{ax.get_xlabel()} {ax.get_ylabel()}" for ax in figure.axes)
    assert r"\kappa+\gamma" in labels or name == "correlation"
    assert "rate" not in labels.replace("ratio", "")
    assert r"/\gamma$" not in labels.replace(r"\kappa/\gamma$", "")


@pytest.mark.parametrize("name", list(views.VIEWS["two"].pictures))
def test_pictures_of_two_groups_say_from_which_start(name, monkeypatch):
    monkeypatch.setattr(tongues, "GRID", 32)
    monkeypatch.setattr(tongues, "COARSE", 8)
    with ss.plot.style():
        figure = pictures.TWO[name](starts(TWO, dephasing=0.35))
    assert "rom a weak random start" in figure.get_supxlabel()


@pytest.mark.parametrize("name", ["sphere", "order"])
@pytest.mark.parametrize(("spread", "start"), [(0.0, "24 random places"), (0.2, "a weak common start")])
def test_pictures_of_one_ensemble_say_of_which_run_they_are(name, spread, start):
    with ss.plot.style():
        note = pictures.ONE[name](starts(ONE, spread=spread)).get_supxlabel()
    assert note.startswith(f"A run from {start}; the frame turns with a spin alone.")
    assert ("the mean of all spins" in note) == (name == "sphere" and spread > 0)


def test_equal_figures_give_equal_files():
    make, values = pictures.ONE["map"], starts(ONE)
    assert pictures.drawn(make, values, "pdf") == pictures.drawn(make, values, "pdf")


def test_the_tongue_of_the_download_is_that_of_the_page(monkeypatch):
    """The detuning is not divided by the damping rate, and what the start decides is hatched."""
    monkeypatch.setattr(tongues, "GRID", 32)
    monkeypatch.setattr(tongues, "COARSE", 8)
    values = starts(TWO, theta=-0.5)
    with ss.plot.style():
        (ax,) = pictures.two_tongue(values).axes
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 3), (0, 8))
    corners = ax.collections[0].get_coordinates()  # of the coloured areas
    assert corners[..., 0].max() == pytest.approx(3, abs=0.05)
    assert corners[..., 1].max() == pytest.approx(8, abs=0.1)
    lines = {line.get_label(): line for line in ax.lines}
    assert {"full exists", "full ends (Hopf)", "incoherent below", "here"} <= set(lines)
    x, y = lines["full exists"].get_data()
    there = np.isfinite(x)
    np.testing.assert_allclose(x[there], 2 * np.sqrt(y[there] / 4 - 0.25), atol=1e-6)  # (5.2)
    assert "depends on the start" not in [text.get_text() for text in ax.get_legend().get_texts()]  # nothing does here
    monkeypatch.setattr(tongues.Tongue, "differs", lambda tongue: np.eye(32, dtype=bool))
    with ss.plot.style():
        (ax,) = pictures.two_tongue(values).axes
    assert "depends on the start" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_frequencies_of_the_download_are_those_of_the_page():
    values = starts(TWO)
    with ss.plot.style():
        (ax,) = pictures.two_frequencies(values).axes
    sweep = two_groups.frequencies(values, 91)
    for group, line in enumerate(line for line in ax.lines if str(line.get_label()).startswith("group")):
        np.testing.assert_allclose(line.get_xdata(), sweep.detuning, atol=1e-12)
        np.testing.assert_allclose(line.get_ydata(), sweep.frequency.values[:, group], atol=1e-4)


def test_no_line_of_weak_coupling_is_drawn_for_groups_that_are_strongly_coupled():
    with ss.plot.style():
        (ax,) = pictures.two_tongue(starts(TWO)).axes
    assert not any("Adler" in str(line.get_label()) for line in ax.lines)


def test_phases_reach_the_edges_of_their_picture():
    with ss.plot.style():
        left, right = pictures.two_order_and_phases(starts(TWO, detuning=2.5)).axes
    for curve in right.lines:
        y = curve.get_ydata()
        assert (np.nanmin(y), np.nanmax(y)) == (-np.pi, np.pi)
        assert np.nanmax(abs(np.diff(y))) < np.pi  # no line across the picture
    widths = [curve.get_linewidth() for curve in left.lines]
    assert widths[0] > 2 * widths[1]  # A is seen below B


def test_a_phase_keeps_its_course():
    time = np.linspace(0, 10, 200)
    for rate in (2.3, -1.7):
        x, y = pictures._around(time, np.angle(np.exp(1j * rate * time)))
        seen = np.isfinite(y)
        np.testing.assert_allclose(np.exp(1j * y[seen]), np.exp(1j * rate * x[seen]), atol=1e-9)
        assert np.all(np.diff(x) >= 0)


@pytest.mark.parametrize("spins", [2, 100, 300, 301, 1e6])
def test_downloads_of_any_number_of_spins_are_those_of_the_page(spins):
    view, values = views.VIEWS["few"], starts(FEW, N=spins)
    found = few_spins.line(values)
    width = few_spins.best_width(values, found)
    with ss.plot.style():
        spectrum, over = (pictures.FEW[name](values).axes[0] for name in ("spectrum", "width"))
    lines = {line.get_label(): line for line in over.lines}
    assert [float(xy[0]) for xy in lines["here"].get_data()] == [spins, width]
    np.testing.assert_allclose(lines["exact"].get_xdata(), few_spins.COUNTS)
    np.testing.assert_allclose(lines["phase diffusion"].get_data(), few_spins.diffusion(values))
    bar = next(line for line in spectrum.lines if str(line.get_label()).startswith("width"))
    page = few_views.Found(values)
    page.words()
    np.testing.assert_allclose(bar.get_xdata(), page.spectrum()["spectrum"]["figure"]["lines"][-1]["x"], rtol=1e-5)
    assert any(line.get_label() == "phase diffusion" for line in spectrum.lines) == (spins == 1e6)
    data = view.data(values)
    np.testing.assert_allclose(spectrum.lines[0].get_xdata(), data.frequency - float(found.frequency))
    np.testing.assert_allclose(spectrum.lines[0].get_ydata(), data.emission / data.emission.max())


@pytest.mark.parametrize(("key", "controls"), [("one", ONE), ("two", TWO), ("few", FEW)])
def test_downloaded_data_can_be_run_again(tmp_path, key, controls):
    result = views.VIEWS[key].data(starts(controls))
    file = tmp_path / "spinsync.zarr.zip"
    file.write_bytes(pictures.stored(result))
    with zarr.storage.ZipStore(file, mode="r") as store:
        back = xr.open_zarr(store, consolidated=False).load()
    xr.testing.assert_identical(ss.rerun(back), result)


def test_figures_in_several_threads_do_not_disturb_each_other():
    make, values = pictures.ONE["order"], starts(ONE)
    alone, found = pictures.drawn(make, values, "png"), []
    threads = [threading.Thread(target=lambda: found.append(pictures.drawn(make, values, "png"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 4
    assert two_groups.run(starts(TWO)).sizes["group"] == 2
