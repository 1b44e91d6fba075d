"""The folder of the compile cache: without a home, on full disks, on every system; and what `doctor` reports."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

import spinsync as ss
from small_module import SMALL
from spinsync.base import compile_cache
from spinsync.interfaces.command import run

SCRIPT = """
import os, resource, sys
sys.path.insert(0, {folder!r})
import numba, small, spinsync.base.machine_code
numba.njit(lambda x: x)(1.0)  # loads all modules
if {user}:
    os.setgroups([])
    os.setgid({user})
    os.setuid({user})
if {bytes}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
import spinsync as ss
from spinsync.base import compile_cache
from spinsync.base.compiled import compiled
kernel = compiled()(small.times.function)
print(kernel(3.0), sum(kernel.machine_code.stats.cache_hits.values()))
print(*[folder.path for folder in compile_cache.folders() if folder.entries])
"""


def limited(folder, environment, user=0, size=0):
    """Run SCRIPT as another user or with limited file size. Returns the printed words, and standard error."""
    (Path(folder) / "small.py").write_text(SMALL.format(given=""))
    inherited = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    script = SCRIPT.format(folder=str(folder), user=user, bytes=size)
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        env=inherited | environment,
        check=True,
    )
    return done.stdout.split(), done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become a user without a home")
@pytest.mark.parametrize("home", [{}, {"XDG_CACHE_HOME": "/proc/no", "NUMBA_CACHE_DIR": "/dev/null"}])
def test_a_user_without_a_home_has_a_cache_in_the_temporary_folder(home):
    with tempfile.TemporaryDirectory() as temporary:  # pytest's own is not accessible to other users
        Path(temporary).chmod(0o1777)
        where = f"{temporary}/spinsync-12345"
        environment = {**home, "TMPDIR": temporary}
        assert limited(temporary, environment, user=12345) == (["6.0", "0", where], "")
        assert limited(temporary, environment, user=12345) == (["6.0", "1", where], "")
        assert (os.stat(where).st_uid, stat.S_IMODE(os.stat(where).st_mode)) == (12345, 0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of files")
def test_without_a_writable_file_there_is_one_message(tmp_path):
    words, message = limited(tmp_path, {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}, size=1000)
    assert words == ["6.0", "0"]
    assert message.count("\n") == 1
    assert message.startswith(
        f"Compiled code can't be cached, so each process recompiles for about 10 s ({tmp_path}/cache/spinsync: file"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "small.py"]


NO_HOME = {"HOME": "relative", "XDG_CACHE_HOME": "relative", "NUMBA_CACHE_DIR": ""}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="other rules hold on Windows")
@pytest.mark.parametrize(("given", "first"), [
    ({}, []),
    ({"HOME": "/usr"}, ["/usr/.cache/spinsync"]),
    ({"HOME": "/usr", "XDG_CACHE_HOME": "/x"}, ["/x/spinsync"]),
    ({"HOME": "/nonexistent"}, []),
    ({"XDG_CACHE_HOME": "/x", "NUMBA_CACHE_DIR": "/dev/null"}, ["/dev/null/spinsync-cache", "/x/spinsync"]),
])  # fmt: skip
def test_where_the_cache_is(given, first, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name, value in (NO_HOME | {"TMPDIR": str(tmp_path)} | given).items():
        monkeypatch.setenv(name, value)
    assert [str(folder) for folder in compile_cache.candidates()] == [*first, f"{tmp_path}/spinsync-{os.geteuid()}"]


def test_a_folder_named_by_the_user_is_the_only_one(tmp_path, monkeypatch):
    """For example to measure compilation, or to separate projects."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "a"))
    assert list(compile_cache.candidates()) == [tmp_path / "a" / "spinsync-cache"]
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a read-only disk may hold a complete cache
    assert len(list(compile_cache.candidates())) > 1


@pytest.mark.parametrize(("platform", "where"), [
    ("linux", "home/.cache/spinsync"), ("darwin", "home/Library/Caches/spinsync"), ("win32", "local/spinsync/Cache"),
])  # fmt: skip
def test_every_system_has_a_folder_for_caches(platform, where, tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    for name, value in {"HOME": tmp_path / "home", "LOCALAPPDATA": tmp_path / "local", "XDG_CACHE_HOME": ""}.items():
        monkeypatch.setenv(name, str(value))
    assert compile_cache._of_user(platform) == tmp_path / where
    monkeypatch.delenv("LOCALAPPDATA")
    monkeypatch.setattr(Path, "home", lambda: exec("raise RuntimeError('Could not determine home directory.')"))
    assert compile_cache._of_user(platform) is None


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder with two entries and two other files; nothing is compiled."""
    for name, inversion in (("steady_state", [0.5]), ("limit_cycle", 0.5)):
        monkeypatch.setitem(vars(ss), name, lambda model, inversion=inversion: SimpleNamespace(inversion=inversion))
    folder = tmp_path / "spinsync"
    folder.mkdir(mode=0o700)
    for name in ("a.b-" + "0" * 24 + ".nbc", "spinsync_lanes_1_01.py"):
        (folder / name).write_bytes(bytes(550_000))
    for name in ("notes.txt", "lanes.py"):
        (folder / name).touch()
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter([tmp_path / "file" / "x", folder, tmp_path / "never"]))
    (tmp_path / "file").touch()
    return folder


def cache_lines(capsys, folder):
    return [line.replace(str(folder.parent), "") for line in capsys.readouterr().out.splitlines() if "cache" in line]


def test_doctor_reports_the_cache_folders(cache, capsys, monkeypatch):
    assert run(["doctor"]) == 0
    first, second = cache_lines(capsys, cache)
    assert first == "cache /file/x: 0 files, 0.0 MB, not writable (not a directory)"
    assert second == "cache /spinsync: 2 files, 1.1 MB, writable"
    with monkeypatch.context() as patched:
        patched.setattr(compile_cache, "_write", fail)
        assert run(["doctor"]) == 0
    assert cache_lines(capsys, cache)[1:] == [
        "cache /spinsync: 2 files, 1.1 MB, not writable (disk quota exceeded)",
        "cache /never: 0 files, 0.0 MB, not writable (disk quota exceeded)",
        "cache: no folder is writable, so each process recompiles for about 10 s",
    ]


def fail(*_, **__):
    raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def test_doctor_removes_entries_and_no_other_files(cache, capsys):
    assert run(["doctor", "--clear-cache"]) == 0
    assert cache_lines(capsys, cache) == ["cache /spinsync: removed 2 files, 1.1 MB"]
    assert sorted(path.name for path in cache.iterdir()) == ["lanes.py", "notes.txt"]
    assert run(["doctor", "--clear-cache"]) == 0
    assert cache_lines(capsys, cache) == ["cache: nothing to remove"]


def test_a_cache_that_cannot_be_cleared_is_one_message(cache, capsys, monkeypatch):
    monkeypatch.setattr(Path, "unlink", fail)
    assert run(["doctor", "--clear-cache"]) == 2
    out, error = capsys.readouterr()
    assert out == f"cache {cache}: removed 0 files, 0.0 MB\n"
    assert error == f"The cache must be writable to be cleared, but '{cache}' is not (disk quota exceeded).\n"


def test_there_may_be_no_cache_to_clear(capsys, monkeypatch):
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter([]))
    assert run(["doctor", "--clear-cache"]) == 0
    assert capsys.readouterr().out == "cache: nothing to remove\n"
