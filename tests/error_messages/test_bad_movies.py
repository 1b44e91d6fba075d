"""Error messages about movies, figures and styles; nothing is written."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import spinsync as ss
from error_cases import case_names

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)


@pytest.fixture(scope="module")
def run():
    return ss.evolve(ONE, np.linspace(0, 2, 21))


CASES = [
    (lambda run: ss.plot.movie(run, "a.avi"), "Argument `path` must be a file that ends in .mp4 or .gif, but is path='a.avi'."),
    (lambda run: ss.plot.movie(run, "a"), "Argument `path` must be a file that ends in .mp4 or .gif, but is path='a'."),
    (
        lambda run: ss.plot.movie(run, "a.gif", size=63),
        "Argument `size` must be a whole number from 64 to 4096, but is size=63.",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", size=100.5),
        "Argument `size` must be a whole number from 64 to 4096, but is size=100.5.",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", frames_per_second=60),
        "Argument `frames_per_second` must be a whole number from 1 to 50, but is frames_per_second=60.",
    ),
    (lambda run: ss.plot.movie(run, "a.gif", speed=0), "Argument `speed` must be positive, but is speed=0."),
    (
        lambda run: ss.plot.movie(run, "a.gif", speed=1e3),
        "Argument `speed` must be from 6e-05 to 60, one to a million frames, but is speed=1000.0.",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", speed=1e-9),
        "Argument `speed` must be from 6e-05 to 60, one to a million frames, but is speed=1e-09.",
    ),
    (lambda run: ss.plot.movie(run, "a.gif", trails=-1), "Argument `trails` must be non-negative, but is trails=-1."),
    (lambda run: ss.plot.movie(run, "a.gif", azimuth="x"), "Argument `azimuth` must be a real number, but is azimuth='x'."),
    (
        lambda run: ss.plot.movie(run, "a.gif", azimuth=[0.0, 1.0]),
        "Argument `azimuth` must be a number, a function of time or 21 angles, one a time, but has shape (2,).",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", azimuth=lambda t: None),
        "Argument `azimuth(0)` must be a real number, but is azimuth(0)=None.",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", elevation=lambda t: 1 / t),
        ("Argument `elevation` must be a function that takes a time and returns an angle, but raises ZeroDivisionError at 0."),
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", azimuth=len),
        "Argument `azimuth` must be a function that takes a time and returns an angle, but raises TypeError at 0.",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", elevation=lambda t: 1 / (1 - t) if t < 1 else np.inf),
        "Argument `elevation(1)` must be finite, but is elevation(1)=inf.",
    ),
    (
        lambda run: ss.plot.movie(run, "a.gif", elevation=np.full(21, np.nan)),
        "Argument `elevation` must be finite, but has the entry nan.",
    ),
    (lambda run: ss.plot.movie(run, "a.gif", elevation=np.inf), "Argument `elevation` must be finite, but is elevation=inf."),
    (
        lambda run: ss.plot.movie(run, "a.gif", frame="mena"),
        "Argument `frame` must be a number or 'mean', but is frame='mena'.",
    ),
    (
        lambda run: ss.plot.movie(run, "no/a.gif"),
        "Argument `path` must be writable, but 'no/a.gif' is not (no such file or directory).",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(run, tmp_path, monkeypatch, call, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ss.InputError) as caught:
        call(run)
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_no_movie_is_refused(run, tmp_path):
    file = tmp_path / "a.gif"
    for wrong, message in (
        (run.isel(time=[0]), "Argument `run` must hold at least two times, but holds one."),
        (run.isel(time=0), "Argument `run` must be a result of evolve that holds coherence over time, but holds none."),
        (run.drop_vars("order_parameter"), "Argument `run` must be a result of evolve that holds order_parameter over time"),
    ):
        with pytest.raises(ss.InputError, match=re.escape(message)):
            ss.plot.movie(wrong, file)
    assert list(tmp_path.iterdir()) == []


def fake_ffmpeg(folder, monkeypatch, script):
    program = folder / "ffmpeg"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_an_mp4_needs_ffmpeg_and_an_even_size(run, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        missing = r"ends in \.gif as long as ffmpeg, which writes \.mp4, is not found \(put it on PATH, or its path into .*\)"
        with pytest.raises(ss.InputError, match=missing):
            ss.plot.movie(run, "movie.mp4")
        assert ss.plot.movie(run, tmp_path / "a.gif", size=64, speed=2.0).exists()  # GIF works without
    (tmp_path / "bin").mkdir()
    fake_ffmpeg(tmp_path / "bin", monkeypatch, "exit 0")
    with pytest.raises(ss.InputError, match=r"Argument `size` must be even for \.mp4, but is size=801\."):
        ss.plot.movie(run, tmp_path / "b.mp4", size=801)


def test_ffmpeg_is_also_found_by_the_setting_of_matplotlib(run, tmp_path, monkeypatch):
    fake_ffmpeg(tmp_path, monkeypatch, "echo it is me >&2; exit 1")
    own = (tmp_path / "ffmpeg").rename(tmp_path / "own-build")
    monkeypatch.setenv("PATH", str(tmp_path))
    with mpl.rc_context({"animation.ffmpeg_path": str(own)}), pytest.raises(ss.InputError, match=r"it fails \(it is me\)"):
        ss.plot.movie(run, tmp_path / "a.mp4", size=64)
    with mpl.rc_context({"animation.ffmpeg_path": "/no/ffmpeg"}), pytest.raises(ss.InputError, match="is not found"):
        ss.plot.movie(run, tmp_path / "a.mp4")


@pytest.mark.parametrize("reads", ["", "cat > /dev/null; "], ids=["at once", "at the end"])
def test_the_reason_why_ffmpeg_fails_is_reported(run, tmp_path, monkeypatch, reads):
    folder = tmp_path / "bin"
    folder.mkdir()
    fake_ffmpeg(folder, monkeypatch, f'[ "$2" = -encoders ] && exit 0\n{reads}echo first >&2; echo out of ink >&2; exit 3')
    with pytest.raises(ss.InputError, match=r"`path` must be a file that ffmpeg can write, but it fails \(out of ink\)\."):
        ss.plot.movie(run, tmp_path / "a.mp4", size=200)
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.parametrize("columns", [0, 3, True, "2", None])
def test_a_style_has_one_column_or_two(columns):
    with pytest.raises(ss.InputError, match="Argument `columns` must be 1 or 2, but is columns="), ss.plot.style(columns):
        pass


def test_a_style_takes_names_and_values_that_matplotlib_knows():
    unknown = r"`changes` must be one of .* but is changes='font_siz' \(did you mean 'font_size'\?\)"
    with pytest.raises(ss.InputError, match=unknown), ss.plot.style(font_siz=3):
        pass
    wrong = r"Argument `changes` must be values that matplotlib takes, but: .*font\.size"
    with pytest.raises(ss.InputError, match=wrong), ss.plot.style(font_size="x"):
        pass


def test_only_figures_are_saved_and_only_in_known_formats(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # messages shorten long paths
    with pytest.raises(ss.InputError, match=r"Argument `figure` must be a matplotlib figure, but is figure=3\."):
        ss.plot.save(3, tmp_path / "a")
    figure, _ = plt.subplots()
    other = r"`path` must be without ending, or end in \.png, \.pdf or \.svg, but is path='a\.jpg'"
    with pytest.raises(ss.InputError, match=other):
        ss.plot.save(figure, "a.jpg")
    plt.close(figure)
    assert list(tmp_path.iterdir()) == []
