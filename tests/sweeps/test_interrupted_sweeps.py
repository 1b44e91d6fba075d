"""Sweeps that are killed at any moment go on, end as if they had not been, and compute nothing twice that was done."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import xarray as xr

import spinsync as ss
from interrupted_script import CHUNK, run
from stored_sweeps import calls, differing

SCRIPT = Path(__file__).parent / "interrupted_script.py"
POINTS = 60
WAIT = 60  # seconds for what should take one

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups and signals of POSIX")


def start(kind, folder, *more, **environment):
    """The script in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), kind, str(folder), *map(str, more)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, **environment},
    )  # fmt: skip


def until(condition, process=None):
    """Wait until the condition holds, or the process has ended."""
    end = time.monotonic() + WAIT
    while not condition():
        if process is not None and process.poll() is not None:
            return
        assert time.monotonic() < end
        time.sleep(0.002)


def done(folder) -> int:
    """Number of chunks that are done."""
    return sum(1 for path in (Path(folder) / "store" / "point_status").glob("c/**/*") if path.is_file())


def kill_group(process):
    with suppress(ProcessLookupError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def finish(process):
    """Wait for the end of a script, which has nothing to say but that it finished."""
    out, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, out, errors) == (0, "finished\n", "")


def group_members(group) -> list[int]:
    """Processes of a process group (Linux), zombies left out."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Stores of sweeps that were not interrupted: kind -> folder."""
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind)
            before = os.environ.get("SPINSYNC_THREADS")
            run(kind, made[kind], *([10] if kind == "regimes" else [POINTS]))
            os.environ.pop("SPINSYNC_THREADS") if before is None else os.environ.update(SPINSYNC_THREADS=before)
        return made[kind]

    return get


def same_stores(folder, expected):
    """The two stores have the same files, except that the record of a function's folder differs."""
    names = differing(Path(folder) / "store", Path(expected) / "store")
    return names in ([], ["zarr.json"])


def kill_until_finished(kind, folder, kills, seed):
    """Start, kill after a random number of chunks and a random time, and so on; then let it finish. Returns the kills."""
    rng, killed = random.Random(seed), 0
    points = 10 if kind == "regimes" else POINTS
    for _ in range(kills):
        process, before = start(kind, folder, points), done(folder)
        goal = rng.choice([0, 0, 1, 2, 3])
        until(lambda before=before, goal=goal: (Path(folder) / "store").exists() and done(folder) >= before + goal, process)
        time.sleep(rng.uniform(0, 0.03))
        if process.poll() is None:
            killed += 1
        kill_group(process)
        until(lambda process=process: group_members(process.pid) == [])  # the system takes its time to end them
    process = start(kind, folder, points)
    finish(process)
    return killed


def check(kind, folder, whole, kills, seed):
    killed = kill_until_finished(kind, folder, kills, seed)
    assert killed > 0
    assert same_stores(folder, whole(kind))
    assert not any((folder / "store" / "sweep" / "drafts").glob("*"))
    assert [path for path in folder.iterdir() if path.name not in ("store", "calls")] == []
    status = ss.sweep_status(folder / "store")
    assert int(status.done) == int(status.points)
    if kind == "regimes":
        return
    counts = Counter({int(x): n for x, n in calls(folder).items()})
    assert set(counts) == set(range(POINTS))
    flying = {"function": 1, "processes": 2 + 1}[kind]  # chunks that a kill may find unfinished, and one that is being marked
    assert sum(counts.values()) - POINTS <= killed * (flying + 1) * CHUNK


@pytest.mark.parametrize(("kind", "kills"), [("function", 4), ("regimes", 2), ("processes", 2)])
def test_a_killed_sweep_ends_as_if_it_had_not_been(kind, kills, whole, tmp_path):
    check(kind, tmp_path, whole, kills, seed=kills)


@pytest.mark.slow(slice=1)
@pytest.mark.parametrize("kind", ["function", "regimes", "processes"])
@pytest.mark.parametrize("seed", range(11))
def test_a_hundred_kills(kind, seed, whole, tmp_path):
    check(kind, tmp_path, whole, 3, seed=100 + seed)


def test_nothing_that_is_done_is_computed_again(whole, tmp_path):
    """One chunk at most is in flight, in one thread."""
    process = start("function", tmp_path, POINTS, SWEEP_SECONDS="0.05")
    until(lambda: done(tmp_path) >= 3, process)
    kill_group(process)
    finished, first = done(tmp_path), calls(tmp_path)
    process = start("function", tmp_path, POINTS, SWEEP_SECONDS="0.05")
    finish(process)
    twice = sorted(int(x) for x, n in calls(tmp_path).items() if n > 1)
    assert all(x >= finished * CHUNK for x in twice)
    assert len(twice) <= CHUNK
    assert set(map(int, first)) <= set(range(POINTS))


def test_processes_end_with_their_parent_though_it_alone_is_killed(tmp_path):
    process = start("processes", tmp_path, 400, SWEEP_SECONDS="0.1")
    until(lambda: done(tmp_path) >= 2, process)
    assert len(group_members(process.pid)) > 2
    process.kill()
    process.wait()
    try:
        until(lambda: group_members(process.pid) == [])
    finally:
        kill_group(process)
    found = xr.open_zarr(tmp_path / "store", consolidated=False)
    computed = found.point_status.values == 1
    assert computed.any()
    assert (found.slow.values[computed] == found.x.values[computed] ** 0.5).all()


def test_a_store_has_one_writer_until_it_is_killed(tmp_path):
    process = start("function", tmp_path, POINTS, SWEEP_SECONDS="0.2")
    until(lambda: done(tmp_path) >= 1, process)
    second = start("function", tmp_path, POINTS, SWEEP_SECONDS="0.2")
    errors = second.communicate(timeout=WAIT)[1]
    assert second.returncode == 1
    assert errors.splitlines()[-1] == (
        "spinsync.base.checks.InputError: Argument `store` must be used by one sweep at a time, but "
        f"{str(tmp_path / 'store')!r} is in use (by process {process.pid} on {os.uname().nodename})."
    )
    assert process.poll() is None
    before = done(tmp_path)
    assert int(ss.sweep_status(tmp_path / "store").done) >= before * CHUNK
    kill_group(process)
    third = start("function", tmp_path, POINTS, SWEEP_SECONDS="0.2")
    until(lambda: done(tmp_path) > before, third)
    assert third.poll() is None
    kill_group(third)


@pytest.mark.parametrize("kind", ["function", "processes"])
def test_an_interrupt_ends_with_a_sentence_and_the_same_call_goes_on(kind, tmp_path):
    process = start(kind, tmp_path, POINTS, SWEEP_SECONDS="0.05")
    until(lambda: done(tmp_path) >= 2, process)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    errors = process.communicate(timeout=WAIT)[1]
    assert process.returncode in (1, 130, -signal.SIGINT)
    last = f"KeyboardInterrupt: What is done is kept in {tmp_path / 'store'}, and the same call goes on."
    assert last in errors.splitlines()[-4:]  # the tracker of a killed process may have the last word
    assert errors.count("Traceback") <= 2  # the interrupt, and what it became
    until(lambda: group_members(process.pid) == [])
    status = ss.sweep_status(tmp_path / "store")
    assert int(status.done) >= 2 * CHUNK
    assert float(status.rate) > 0
    process = start(kind, tmp_path, POINTS, SWEEP_SECONDS="0.05")
    finish(process)
    assert int(ss.sweep_status(tmp_path / "store").done) == POINTS


def test_a_sweep_killed_while_it_grows_goes_on(whole, tmp_path):
    process = start("function", tmp_path, 30)
    finish(process)
    for k in range(3):
        process = start("function", tmp_path, POINTS)
        until(lambda k=k: '"axes"' in (tmp_path / "store" / "zarr.json").read_text() and done(tmp_path) >= 8 + k, process)
        kill_group(process)
    process = start("function", tmp_path, POINTS)
    finish(process)
    found, expected = (xr.open_zarr(Path(one) / "store", consolidated=False) for one in (tmp_path, whole("function")))
    assert found.slow.values.tolist() == expected.slow.values.tolist()
    counts = {int(x): n for x, n in calls(tmp_path).items()}
    assert all(counts[x] == 1 for x in range(30))


def test_a_store_that_was_being_made_leaves_nothing(tmp_path):
    """Killed before the store has its name, a draft beside it is removed by the next call."""
    draft = tmp_path / ".store.0123abcd.draft"
    draft.mkdir()
    (draft / "zarr.json").write_text("{}")
    process = start("function", tmp_path, 8)
    finish(process)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calls", "store"]


def test_drafts_of_killed_writers_are_removed(tmp_path):
    process = start("function", tmp_path, 8)
    finish(process)
    drafts = tmp_path / "store" / "sweep" / "drafts"
    drafts.mkdir(exist_ok=True)
    (drafts / "0123").write_bytes(b"half")
    shutil.rmtree(tmp_path / "store" / "slow" / "c")
    process = start("function", tmp_path, 8)
    finish(process)
    assert not drafts.exists() or not any(drafts.iterdir())
