"""The cache of compiled code: never outdated, repaired after damage, and optional."""

import ast
import errno
import hashlib
import os
import pickle
import shutil
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numba
import pytest

import spinsync
from small_module import SMALL
from spinsync.base import compile_cache, machine_code


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two possible folders of the cache."""
    both = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter(both))
    monkeypatch.setattr(compile_cache, "_reported", [])
    compile_cache._remove_unused.cache_clear()
    return both


def evaluate(folder, text=SMALL, given=""):
    """Load a small module as a new process would. Returns 2 * 3, and whether the code came from the cache."""
    path = folder / "small.py"
    path.write_text(text.format(given=given))
    module = ModuleType("small")
    module.__file__ = str(path)
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    answer = module.times(3.0)
    return answer, sum(module.times.machine_code.stats.cache_hits.values()) == 1


COMPILED, CACHED = (6.0, False), (6.0, True)


def only(folder):
    (entry,) = folder.iterdir()
    return entry


def test_a_second_process_compiles_nothing(tmp_path, folders):
    assert evaluate(tmp_path) == COMPILED
    assert evaluate(tmp_path) == CACHED
    assert evaluate(tmp_path, given='"float64(float64)"') == COMPILED
    assert evaluate(tmp_path, given='"float64(float64)"') == CACHED
    assert len(list(folders[0].iterdir())) == 2
    assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700
    assert not folders[1].exists()


def test_an_edited_constant_takes_effect(tmp_path, folders):
    """The edited file has the same bytecode, size and possibly time, as in two installations."""
    assert evaluate(tmp_path) == COMPILED
    assert evaluate(tmp_path, SMALL.replace("2.0", "5.0")) == (15.0, False)
    assert evaluate(tmp_path) == CACHED


CALLER = """
from spinsync.base.compiled import compiled


@compiled()
def inner(x):
    return 2.0 * x


@compiled()
def times(x):
    return inner(x)


print(times(3.0))
"""


def test_a_kernel_without_signature_compiles_the_kernels_that_it_calls(tmp_path):
    """Numba holds its lock meanwhile: they must be compiled in the same thread."""
    script = tmp_path / "caller.py"
    script.write_text(CALLER)
    done = subprocess.run(
        [sys.executable, script], check=False, env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("6.0\n", "")


@pytest.mark.parametrize("versions", [("0.61",), ()])
def test_another_version_recompiles(versions, tmp_path, folders, monkeypatch):
    assert evaluate(tmp_path) == COMPILED
    monkeypatch.setattr(machine_code, "VERSIONS", versions)
    assert evaluate(tmp_path) == COMPILED


@pytest.mark.parametrize("name", machine_code.SETTINGS)
def test_another_setting_of_numba_recompiles(name, tmp_path, folders, monkeypatch):
    assert evaluate(tmp_path) == COMPILED
    monkeypatch.setattr(numba.config, name, "another" if name == "USING_SVML" else 1)
    assert evaluate(tmp_path) == COMPILED


def test_compiled_functions_use_names_of_their_own_file_only():
    """The entry's name contains a hash of that file only: an edited constant of another file would have no effect."""
    count = 0
    for path in Path(spinsync.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        ours = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "spinsync" in (node.module or "")]
        imported = {name.asname or name.name for node in ours for name in node.names}
        for function in tree.body:
            if isinstance(function, ast.FunctionDef) and "compiled(" in "".join(map(ast.unparse, function.decorator_list)):
                used = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
                assert used & imported == set(), (path, function.name)
                count += 1
    assert count >= 40


def with_hash(data):
    return data + hashlib.sha256(data).digest()


def flipped(good):
    middle = len(good) // 2
    return good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]


DAMAGE = {
    "empty": lambda good: b"",
    "cut off": lambda good: good[: len(good) // 2],
    "without the last byte": lambda good: good[:-1],
    "one bit": flipped,
    "zeros at the end": lambda good: good[:2048] + bytes(len(good) - 2048),
    "garbage": lambda good: bytes(range(256)) * 9,
    "another pickle": lambda good: pickle.dumps({"a": 1}),
    "another pickle, complete": lambda good: with_hash(pickle.dumps(("a", 1))),
    "no pickle, complete": lambda good: with_hash(b"nothing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_entry_is_replaced(kind, tmp_path, folders, caplog):
    assert evaluate(tmp_path) == COMPILED
    entry = only(folders[0])
    entry.write_bytes(DAMAGE[kind](entry.read_bytes()))
    assert evaluate(tmp_path) == COMPILED
    assert only(folders[0]) == entry
    assert stat.S_ISREG(entry.lstat().st_mode)
    assert evaluate(tmp_path) == CACHED
    assert not folders[1].exists()
    assert caplog.text == ""


REPLACED = {
    "a folder": Path.mkdir,
    "a full folder": lambda entry: shutil.copytree(entry.parent.parent / "tree", entry),
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda entry: entry.symlink_to("nowhere"),
    "a link to itself": lambda entry: entry.symlink_to(entry.name),
}


@pytest.mark.parametrize("kind", REPLACED)
def test_anything_else_with_the_name_of_an_entry_is_replaced(kind, tmp_path, folders, caplog):
    assert evaluate(tmp_path) == COMPILED
    entry = only(folders[0])
    entry.unlink()
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    REPLACED[kind](entry)
    assert evaluate(tmp_path) == COMPILED
    assert only(folders[0]) == entry
    assert stat.S_ISREG(entry.lstat().st_mode)
    assert evaluate(tmp_path) == CACHED
    assert not folders[1].exists()
    assert caplog.text == ""


def failing(number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_cache_that_cannot_be_written_is_logged_once(number, tmp_path, folders, monkeypatch, caplog):
    monkeypatch.setattr(os, "replace", failing(number))
    assert evaluate(tmp_path) == COMPILED
    assert evaluate(tmp_path) == COMPILED
    reason = os.strerror(number).lower()
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == (
        "spinsync",
        "Compiled code can't be cached, so each process recompiles for about 10 s "
        f"({folders[0]}: {reason}; {folders[1]}: {reason}); see `spinsync doctor`.",
    )
    assert [list(folder.iterdir()) for folder in folders] == [[], []]  # no drafts


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_an_entry_that_cannot_be_read_is_replaced(number, tmp_path, folders, monkeypatch):
    assert evaluate(tmp_path) == COMPILED
    with monkeypatch.context() as patched:
        read, fail = Path.read_bytes, failing(number)
        patched.setattr(Path, "read_bytes", lambda path: fail() if path.suffix == ".nbc" else read(path))
        assert evaluate(tmp_path) == COMPILED
    assert evaluate(tmp_path) == CACHED


def test_where_the_first_folder_is_full_the_second_takes_entries_and_both_are_read(tmp_path, folders, monkeypatch, caplog):
    assert evaluate(tmp_path) == COMPILED
    with monkeypatch.context() as patched:
        full = failing(errno.ENOSPC)
        patched.setattr(os, "replace", lambda a, b, move=os.replace: full() if folders[0] in b.parents else move(a, b))
        assert evaluate(tmp_path, given="fastmath={'nsz'}") == COMPILED
        assert evaluate(tmp_path, given="fastmath={'nsz'}") == CACHED
        assert evaluate(tmp_path) == CACHED
    assert [len(list(folder.iterdir())) for folder in folders] == [1, 1]
    assert caplog.text == ""


def unusable(kind, folder):
    if kind == "a file":
        folder.touch()
    elif kind == "below a file":
        folder.parent.rmdir()
        folder.parent.touch()
    elif kind == "open to others":
        folder.mkdir()
        folder.chmod(0o777)
    elif kind == "of another user":
        folder.mkdir(mode=0o700)
        os.chown(folder, 12345, 12345)
    elif kind == "a link of another user":
        (folder.parent / "mine").mkdir(mode=0o700)
        folder.symlink_to("mine")
        os.chown(folder, 12345, 12345, follow_symlinks=False)


ROOT_ONLY = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can change an owner")


@pytest.mark.parametrize("kind", [
    "a file", "below a file", "open to others",
    pytest.param("of another user", marks=ROOT_ONLY), pytest.param("a link of another user", marks=ROOT_ONLY),
])  # fmt: skip
def test_a_folder_that_cannot_be_trusted_is_not_used(kind, tmp_path, folders, monkeypatch):
    unsafe = tmp_path / "between" / "cache"
    unsafe.parent.mkdir()
    monkeypatch.setattr(compile_cache, "candidates", lambda: iter([unsafe, folders[1]]))
    unusable(kind, unsafe)
    assert evaluate(tmp_path) == COMPILED
    assert evaluate(tmp_path) == CACHED
    entry = only(folders[1])
    assert [path.name for path in unsafe.parent.rglob("*")] in ([], ["cache"], ["mine", "cache"], ["cache", "mine"])
    if unsafe.is_dir():  # code from another user is not run either
        shutil.move(entry, unsafe / entry.name)
        assert evaluate(tmp_path) == COMPILED


def test_unused_entries_are_removed(tmp_path, folders):
    assert evaluate(tmp_path) == COMPILED
    used = only(folders[0])
    names = ("old.f-" + "0" * 24 + ".nbc", "spinsync_lanes_1_0123.py", "old.nbc.x.part", "notes.txt", "small.times.nbc")
    old = [folders[0] / name for name in names]
    for path in [used, *old]:
        path.touch()
        os.utime(path, (time.time() - 31 * compile_cache.DAY,) * 2)
    compile_cache._remove_unused.cache_clear()
    assert evaluate(tmp_path) == CACHED  # counts as a use
    assert evaluate(tmp_path, given="fastmath=True") == COMPILED
    assert [path.exists() for path in [used, *old]] == [True, False, False, False, True, True]  # files of others stay


def test_concurrent_writers_and_readers_of_an_entry(tmp_path, folders, caplog):
    data = [bytes([k]) * 100_000 for k in range(8)]

    def work(k):
        for _ in range(30):
            compile_cache.save("a.b-" + "0" * 24 + ".nbc", data[k])
            found = compile_cache.load("a.b-" + "0" * 24 + ".nbc", data.__contains__)
            assert found is not None

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(list(folders[0].iterdir())) == 1
    assert caplog.text == ""


RUN = """
import numpy as np, spinsync as ss
from spinsync.problems.flow.exponential_adams import solve
from spinsync.theory.mean_field.equations import nonlinear
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
hits = [sum(f.machine_code.stats.cache_hits.values()) for f in (solve, nonlinear)]
last = ss.evolve(one, [0.0, 30.0]).isel(time=1, group=0)
print(ss.__file__, *hits, repr(float(last.order_parameter)))
"""


@pytest.mark.slow(slice=1)
def test_an_edited_equation_takes_effect(tmp_path):
    source = Path(spinsync.__file__).parent
    copy = tmp_path / "spinsync"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=environment, check=True)
        file, stepper, equation, order_parameter = done.stdout.split()
        assert Path(file).parent == copy
        return int(stepper), int(equation), float(order_parameter)

    before_all = sorted(path for path in copy.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__")
    assert run() == (0, 0, pytest.approx(1 / 3, abs=1e-6))  # compiled
    after_all = sorted(path for path in copy.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__")
    assert after_all == before_all  # nothing new but bytecode
    assert run() == (1, 1, pytest.approx(1 / 3, abs=1e-6))  # from the cache
    equations = copy / "theory" / "mean_field" / "equations.py"
    text, before = equations.read_text(), equations.stat()
    edited = text.replace("4.0 * (hi", "3.0 * (hi")  # another constant in the same bytecode
    assert edited != text
    equations.write_text(edited)  # of the same size: set another modification time, as an editor would
    os.utime(equations, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))
    # |s|^2 = (kappa - gamma - Gamma_1 z*)/(3 V)
    assert run() == (1, 0, pytest.approx((4 / 3) ** 0.5 / 3, abs=1e-6))  # the stepper came from the cache, the equation did not
