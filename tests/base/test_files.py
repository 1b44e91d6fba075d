"""Drafts are removed after a signal, a full disk or a kill; unusual files (pipes, devices, folders) are error messages."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

import spinsync as ss
from spinsync.base import files
from systems import laser

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and locks")
MODEL = "[single]\ngain = 3.0\ndamping = 1.0\ncoupling = 12.0\ntheta = -1.5\n"
WRITER = """
import sys, time
from spinsync.base.files import new_folder, new_version
with new_folder(sys.argv[1]) as draft, new_version(sys.argv[2]) as file:
    (draft / "a.txt").write_text("a")
    file.write_text("b")
    print("writing", flush=True)
    time.sleep(60)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def writer(tmp_path):
    """Another process that writes the folder `run` and the file `one`, and never ends."""
    call = [sys.executable, "-c", WRITER, str(tmp_path / "run"), str(tmp_path / "one")]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def write_both(folder):
    with files.new_folder(folder / "run") as draft:
        (draft / "a.txt").write_text("new")
    files.write_text(folder / "one", "new")


@posix
def test_the_next_call_removes_drafts_of_a_killed_process(writer, tmp_path):
    writer.kill()
    writer.wait()
    assert len(names(tmp_path)) == 2  # abandoned drafts
    write_both(tmp_path)
    assert names(tmp_path) == ["one", "run"]


@posix
def test_drafts_of_a_living_process_stay(writer, tmp_path):
    drafts = names(tmp_path)
    assert len(drafts) == 2
    write_both(tmp_path)
    assert names(tmp_path) == sorted([*drafts, "one", "run"])
    assert writer.poll() is None


def test_similar_names_are_not_removed(tmp_path):
    other = tmp_path / ".run.zarr.1234abcd.draft"
    other.mkdir()
    foreign = tmp_path / ".run.settings"
    foreign.mkdir()
    write_both(tmp_path)
    assert names(tmp_path) == [".run.settings", ".run.zarr.1234abcd.draft", "one", "run"]


def test_a_draft_is_removed_while_threads_still_write_to_it(tmp_path):
    """On a full disk zarr's threads still add files after the error."""

    def keep_writing(draft, end):
        while time.monotonic() < end:
            with suppress(OSError):  # it may be removed in between
                draft.mkdir(exist_ok=True)
                (draft / f"{time.monotonic()}").touch()

    def fail(draft):
        thread = Thread(target=keep_writing, args=(draft, time.monotonic() + 0.15))
        thread.start()
        raise OSError(28, "No space left on device")

    with pytest.raises(ss.InputError, match="no space left"), files.new_folder(tmp_path / "run") as draft:
        fail(draft)
    time.sleep(0.2)
    assert names(tmp_path) == []


def test_a_full_disk_error_names_the_requested_path(tmp_path, monkeypatch):
    """Not the file in the draft at which it occurred."""
    from matplotlib.figure import Figure

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(ss.InputError) as caught, files.new_folder(tmp_path / "report", "--out") as draft:
        ss.plot.save(Figure(), draft / "spheres.png")
    expected = f"Argument `--out` must be writable, but '{tmp_path / 'report'}' is not (no space left on device)."
    assert str(caught.value) == expected
    with pytest.raises(ss.InputError, match=r"Argument `path` .*spheres.png"), files.new_folder(tmp_path / "report", "--out"):
        ss.plot.save(Figure(), tmp_path / "spheres.png")  # outside the draft: the file itself is named
    assert names(tmp_path) == []


@posix
@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")]
)
def test_a_signal_ends_the_command_at_once_and_leaves_nothing(tmp_path, number, status, word):
    """The run would take minutes."""
    (tmp_path / "one.toml").write_text(MODEL)
    call = [sys.executable, "-m", "spinsync", "evolve", "one.toml", "--until", "2e6", "--out", "run.zarr"]
    with subprocess.Popen(call, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while not list(tmp_path.glob(".run.zarr.*.draft")) and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - began < 2.0  # half a second on an idle machine
    assert (process.returncode, out, err) == (status, "", f"{word}; nothing was written.\n")
    assert names(tmp_path) == ["one.toml"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_an_endless_file_is_an_error_message():
    with pytest.raises(ss.InputError) as caught:
        ss.Ensemble.from_toml("/dev/zero")
    assert str(caught.value) == "Argument `path` must be a file of at most 64 MiB, but '/dev/zero' is longer."


@posix
def test_a_model_is_read_from_a_pipe_or_times_out(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def slowly():
        time.sleep(0.1)
        with pipe.open("w") as file:
            for line in MODEL.splitlines(keepends=True):
                file.write(line)
                file.flush()
                time.sleep(0.02)

    thread = Thread(target=slowly)
    thread.start()
    assert ss.Ensemble.from_toml(pipe) == laser(theta=-1.5)
    thread.join()
    monkeypatch.setattr(files, "TIMEOUT", 0.1)
    with pytest.raises(ss.InputError) as caught:
        ss.Ensemble.from_toml(pipe)
    expected = f"Argument `path` must be a readable file, but '{pipe}' is not (nothing came for 0.1 seconds)."
    assert str(caught.value) == expected


def test_a_folder_is_no_model_file(tmp_path):
    with pytest.raises(ss.InputError, match=r"must be a readable file, but .* is not \((is a directory|permission denied)\)"):
        ss.Ensemble.from_toml(tmp_path)
    shutil.rmtree(tmp_path)


def test_an_unfinished_folder_stays_and_the_next_call_goes_on(tmp_path):
    def fail(draft, text):
        if text:
            (draft / "done").write_text(text)
        raise RuntimeError

    with pytest.raises(RuntimeError), files.continued_folder(tmp_path / "report", "quick") as draft:
        fail(draft, "a")
    assert [path.name for path in tmp_path.iterdir()] == [".report.quick.unfinished"]
    with pytest.raises(RuntimeError), files.continued_folder(tmp_path / "report", "whole") as draft:
        fail(draft, "")  # of another kind; with nothing done, nothing stays
    with files.new_folder(tmp_path / "report") as other:  # drafts of another writer are left alone
        other.joinpath("x").touch()
    assert (tmp_path / ".report.quick.unfinished" / "done").exists()
    shutil.rmtree(tmp_path / "report")
    with files.continued_folder(tmp_path / "report", "quick") as draft:
        assert (draft / "done").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    with pytest.raises(ss.InputError, match="must be a new path"), files.continued_folder(tmp_path / "report", "quick"):
        pass


def test_an_unfinished_folder_has_one_writer(tmp_path):
    with files.continued_folder(tmp_path / "report", "quick") as draft:
        (draft / "done").touch()
        with (
            pytest.raises(ss.InputError, match="must be written by one process at a time"),
            files.continued_folder(tmp_path / "report", "quick"),
        ):
            pass
    assert (tmp_path / "report" / "done").exists()


def test_an_unfinished_folder_needs_no_locks(tmp_path, monkeypatch):
    """Some network file systems have none."""

    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(files.fcntl, "flock", no_locks)
    with files.continued_folder(tmp_path / "report", "quick") as draft:
        (draft / "done").touch()
    assert (tmp_path / "report" / "done").exists()
