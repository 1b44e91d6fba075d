"""Error messages of sweep and sweep_status: the argument, what it must be, and what it is; and nothing is written."""

import json
import os
from functools import partial

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from error_cases import PARAMETERS, case_names, check_message
from systems import laser

ONE, A = laser(), {"x": [1, 2]}
MAPPING = "Argument `axes` must be a mapping of at least one argument of the function to its values"
PLAIN = "Argument `axes` must be a mapping of plain names to values"
UNSEEDED = "must be left at its default, as nothing in the function takes an argument seed"
EXECUTOR = "Argument `executor` must be None, an object with a method submit, or the address of a scheduler"
LIST = "a list of at least one number or text"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("SPINSYNC_THREADS", "1")


def f(x, y=0.0):
    return x * 1.0


def takes_all(**given):
    return 1.0


def x(x):
    return x


def seeded(x, seed):
    return seed


class Runs:
    run = None

    def __repr__(self):
        return "Runs()"


CASES = [
    (
        lambda: ss.sweep(3, A),
        "Argument `function` must be a question such as ss.regime, or any other function, but is function=3.",
    ),
    (lambda: ss.sweep(f, {}), f"{MAPPING}, but is axes={{}}."),
    (lambda: ss.sweep(f, [1]), f"{MAPPING}, but is axes=[1]."),
    (lambda: ss.sweep(f, {"z": [1]}), "Argument `axes` must be one of x, y, but is axes='z'."),
    (lambda: ss.sweep(seeded, {"seed": [1]}), "Argument `axes` must be one of x, but is axes='seed'."),
    (lambda: ss.sweep(f, {"y": [1]}), "Argument `x` must be an axis or an option, as the function needs it, but is neither."),
    (lambda: ss.sweep(f, A, z=1), "Argument `options` must be one of x, y, but is options='z'."),
    (
        lambda: ss.sweep(f, A, stor=1),
        "Argument `options` must be one of x, y, store, but is options='stor' (did you mean 'store'?).",
    ),
    (lambda: ss.sweep(lambda: 1, A, z=1), "Argument `function` must take the argument x, but takes none."),
    (
        lambda: ss.sweep(ss.limit_cycle, {"gain": [1.0]}, model=ONE, pump=1),
        "Argument `options` must be empty, as the function takes none, but has pump.",
    ),
    (lambda: ss.sweep(f, A, x=1), "Argument `axes` must not hold what is also an option, but x is both."),
    (lambda: ss.sweep(takes_all, A, x=1), "Argument `axes` must not hold what is also an option, but x is both."),
    (lambda: ss.sweep(x, A), "Argument `axes` must not be named like a variable or dim of the function: x."),
    (lambda: ss.sweep(takes_all, {"a/b": [1]}), f"{PLAIN}, but is axes='a/b'."),
    (lambda: ss.sweep(takes_all, {"..": [1]}), f"{PLAIN}, but is axes='..'."),
    (lambda: ss.sweep(takes_all, {"sweep": [1]}), f"{PLAIN}, but is axes='sweep'."),
    (
        lambda: ss.sweep(takes_all, {"point_status": [1]}),
        f"{PLAIN}, but is axes='point_status'.",
    ),
    (
        lambda: ss.sweep(takes_all, {"realization": [1]}),
        "Argument `axes` must not hold realization, but does: use the argument realizations.",
    ),
    # values of an axis
    (lambda: ss.sweep(f, {"x": []}), f"Argument `x` must be {LIST}, but is x=[]."),
    (lambda: ss.sweep(f, {"x": 3}), f"Argument `x` must be {LIST}, but is x=3."),
    (lambda: ss.sweep(f, {"x": "abc"}), f"Argument `x` must be {LIST}, but is x='abc'."),
    (lambda: ss.sweep(f, {"x": {1: 2}}), f"Argument `x` must be {LIST}, but is x={{1: 2}}."),
    (lambda: ss.sweep(f, {"x": [[1, 2]]}), f"Argument `x` must be {LIST}, but is x=[[1, 2]]."),
    (lambda: ss.sweep(f, {"x": [1, [2]]}), f"Argument `x` must be {LIST}, but is x=[1, [2]]."),
    (lambda: ss.sweep(f, {"x": [None]}), f"Argument `x` must be {LIST}, but is x=[None]."),
    (lambda: ss.sweep(f, {"x": [1j]}), f"Argument `x` must be {LIST}, but is x=[1j]."),
    (lambda: ss.sweep(f, {"x": [2**70]}), f"Argument `x` must be {LIST}, but is x=[1180591620717411303424]."),
    (lambda: ss.sweep(f, {"x": [1.0, np.nan]}), "Argument `x` must be a list without NaN, but is x=[1.0, nan]."),
    (lambda: ss.sweep(f, {"x": [1, 2, 1]}), "Argument `x` must be a list of different values, but is x=[1, 2, 1]."),
    (lambda: ss.sweep(f, {"x": ["a", "a"]}), "Argument `x` must be a list of different values, but is x=['a', 'a']."),
    (
        lambda: ss.sweep(f, {"x": [1, "a"]}),
        "Argument `x` must be a list of values of one kind: numbers, texts or truth values, but is x=[1, 'a'].",
    ),
    (
        lambda: ss.sweep(f, {"x": [True, 2]}),
        "Argument `x` must be a list of values of one kind: numbers, texts or truth values, but is x=[True, 2].",
    ),
    # models
    (lambda: ss.sweep(ss.regime, {"gain": [1]}, model=3), "Argument `model` must be an Ensemble, but is model=3."),
    (
        lambda: ss.sweep(ss.regime, {"gai": [1]}, model=ONE),
        f"Argument `axes` must be one of {PARAMETERS}, but is axes='gai' (did you mean 'gain'?).",
    ),
    (lambda: ss.sweep(ss.regime, {"gain": [1.0, -1.0]}, model=ONE), "Argument `gain` must be non-negative, but is gain=-1.0."),
    (
        lambda: ss.sweep(ss.regime, {"gain": [1]}),
        "Argument `axes` must be one of ensemble, theory, initial, but is axes='gain'.",
    ),
    (
        lambda: ss.sweep(ss.regime, {"gain": [1.0]}, model=ONE, theori=3),
        "Argument `options` must be one of theory, initial, but is options='theori' (did you mean 'theory'?).",
    ),
    (
        lambda: ss.sweep(ss.evolve, {"gain": [1.0]}, model=ONE),
        "Argument `times` must be an axis or an option, as the function needs it, but is neither.",
    ),
    (
        lambda: ss.sweep(ss.regime, {"gain": [1.0]}, model=ONE, theory=ss.Exact(3)),
        "Argument `theory` must be one that answers regime (MeanField), but is Exact(spins=3): at a finite number of spins "
        "U(1) is unbroken, so that there is no regime; `steady_state` tells the order.",
    ),
    (
        lambda: ss.sweep(ss.regime, {"gain": [1.0]}, model=ONE, initial=[[0, 0, 2]]),
        "Argument `initial` must hold vectors of length <= 1, but entry 0 has length 2.",
    ),
    # options without effect
    (
        lambda: ss.sweep(f, A, realizations=2),
        f"Argument `realizations` {UNSEEDED}, but is realizations=2.",
    ),
    (lambda: ss.sweep(f, A, seed=2), f"Argument `seed` {UNSEEDED}, but is seed=2."),
    (
        lambda: ss.sweep(ss.steady_state, {"gain": [1.0]}, model=ONE, theory=ss.Exact(3), seed=1),
        "Argument `seed` must be left at its default, as nothing in the function is random, but is seed=1.",
    ),
    (
        lambda: ss.sweep(ss.regime, {"gain": [1.0]}, model=ONE, initial=[[0, 0, 0.1]], realizations=2),
        "Argument `realizations` must be left at its default, as nothing in the function is random, but is realizations=2.",
    ),
    (
        lambda: ss.sweep(f, A, retry_failed=True),
        "Argument `retry_failed` must go with `store`, but is retry_failed=True without one.",
    ),
    # the other arguments
    (lambda: ss.sweep(seeded, A, seed=-1), "Argument `seed` must be a whole number of at least 0, but is seed=-1."),
    (
        lambda: ss.sweep(seeded, A, realizations=0),
        "Argument `realizations` must be a whole number of at least 1, but is realizations=0.",
    ),
    (lambda: ss.sweep(f, A, variables="f"), "Argument `variables` must be a list of names, but is variables='f'."),
    (lambda: ss.sweep(f, A, variables=3), "Argument `variables` must be a list of names, but is variables=3."),
    (lambda: ss.sweep(f, A, variables=np.array(3)), "Argument `variables` must be a list of names, but is variables=array(3)."),
    (
        lambda: ss.sweep(f, A, variables=[]),
        "Argument `variables` must be a list of at least one name, each once, but is variables=[].",
    ),
    (
        lambda: ss.sweep(f, A, variables=["f", "f"]),
        "Argument `variables` must be a list of at least one name, each once, but is variables=['f', 'f'].",
    ),
    (lambda: ss.sweep(f, A, variables=["q"]), "Argument `variables` must be one of f, but is variables='q'."),
    (lambda: ss.sweep(f, A, chunk=0), "Argument `chunk` must be a whole number of at least 1, but is chunk=0."),
    (lambda: ss.sweep(f, A, retry_failed="a"), "Argument `retry_failed` must be True or False, but is retry_failed='a'."),
    (lambda: ss.sweep(f, A, explain=1), "Argument `explain` must be True or False, but is explain=1."),
    (lambda: ss.sweep(f, A, store=3), "Argument `store` must be the path of a file, but is store=3."),
    (
        lambda: ss.sweep(f, A, executor=Runs()),
        f"{EXECUTOR}, but is executor=Runs().",
    ),
    (lambda: ss.sweep_status(3), "Argument `store` must be the path of a file, but is store=3."),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)


@pytest.mark.parametrize("question", [ss.sweep, ss.phase_diagram])
def test_functions_with_axes_are_refused(question):
    with pytest.raises(
        ss.InputError, match=r"must be a function without axes of its own, such as ss\.regime, but is function="
    ):
        ss.sweep(question, A)


def test_a_sweep_that_memory_cannot_hold_is_refused_before_it_is_computed():
    with pytest.raises(ss.InputError, match=r"Argument `axes` must hold at most about \d+ points .* but holds 10000000000"):
        ss.sweep(f, {"x": range(10**5), "y": range(10**5)}, chunk=10)


def folder(path):
    path.mkdir()


def other_zarr(path):
    xr.Dataset({"a": 1.0}).to_zarr(path, consolidated=False)


HOLDS = "Argument `store` must be new or hold a sweep, but {path!r} does not."


@pytest.mark.parametrize("make", [folder, other_zarr, lambda path: path.write_text("text")], ids=["folder", "zarr", "file"])
def test_what_is_no_sweep_is_refused_and_left_alone(make, tmp_path):
    path = tmp_path / "store"
    make(path)
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    check_message(lambda: ss.sweep(f, A, store=path), HOLDS.format(path=str(path)))
    check_message(lambda: ss.sweep_status(path), f"Argument `store` must hold a sweep, but {str(path)!r} does not.")
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


def test_paths_that_cannot_be_made_are_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    for name, why in (
        ("no/store", "no such file or directory"),
        ("file/store", "not a directory"),
        ("a" * 300, "file name too long"),
    ):
        path = tmp_path / name
        with pytest.raises(ss.InputError) as caught:
            ss.sweep(f, A, store=path)
        assert str(caught.value).startswith("Argument `store` must be writable, but '")
        assert str(caught.value).endswith(f"is not ({why}).")
    check_message(
        lambda: ss.sweep(f, A, store=tmp_path / "broken"),
        f"Argument `store` must be a new path, but {str(tmp_path / 'broken')!r} exists.",
    )
    check_message(
        lambda: ss.sweep_status(tmp_path / "no"), f"Argument `store` must hold a sweep, but {str(tmp_path / 'no')!r} does not."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "file"]


def test_a_link_to_a_store_is_the_store(tmp_path):
    ss.sweep(f, A, store=tmp_path / "store")
    (tmp_path / "link").symlink_to(tmp_path / "store")
    assert ss.sweep(f, {"x": [1, 2, 3]}, store=tmp_path / "link").f.values.tolist() == [1, 2, 3]
    assert int(ss.sweep_status(tmp_path / "store").done) == 3


RECORDS = {
    "empty": lambda record: record.clear(),
    "no axes": lambda record: record.pop("axes"),
    "axes as a list": lambda record: record.update(axes=[1]),
    "axes of no size": lambda record: record["axes"]["x"].update(size=0),
    "axes of a text": lambda record: record["axes"]["x"].update(size="2"),
    "chunk as text": lambda record: record.update(chunk="a"),
    "empty chunks": lambda record: record.update(chunk=[0]),
    "no chunk": lambda record: record.update(chunk=None),
    "options as a number": lambda record: record.update(options=3),
    "code as a number": lambda record: record.update(code=3),
    "no layout": lambda record: record.pop("layout"),
}


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_is_no_sweep(change, tmp_path):
    path = tmp_path / "store"
    ss.sweep(f, A, store=path)
    whole = json.loads((path / "zarr.json").read_text())
    record = json.loads(whole["attributes"]["sweep"])
    change(record)
    whole["attributes"]["sweep"] = json.dumps(record)
    (path / "zarr.json").write_text(json.dumps(whole))
    check_message(lambda: ss.sweep(f, A, store=path), HOLDS.format(path=str(path)))
    check_message(lambda: ss.sweep_status(path), f"Argument `store` must hold a sweep, but {str(path)!r} does not.")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe\0"], ids=["empty", "cut", "list", "no node", "binary"])
def test_a_damaged_group_is_no_sweep(content, tmp_path):
    path = tmp_path / "store"
    ss.sweep(f, A, store=path)
    (path / "zarr.json").write_bytes(content)
    check_message(lambda: ss.sweep(f, A, store=path), HOLDS.format(path=str(path)))
    check_message(lambda: ss.sweep_status(path), f"Argument `store` must hold a sweep, but {str(path)!r} does not.")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users")
def test_an_address_without_a_scheduler_is_refused():
    pytest.importorskip("distributed")
    for address in ("nonsense", "ftp://127.0.0.1:1"):
        with pytest.raises(ss.InputError) as caught:
            ss.sweep(f, A, executor=address)
        assert str(caught.value).startswith(
            f"Argument `executor` must be the address of a running scheduler, but is executor={address!r} ("
        )


def test_without_dask_an_address_is_refused(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    check_message(
        lambda: ss.sweep(f, A, executor="tcp://127.0.0.1:8786"),
        "Argument `executor` needs the package dask.distributed for an address, but it is missing: pip install distributed; "
        "executor='tcp://127.0.0.1:8786'.",
    )


def test_without_loky_functions_are_computed_one_by_one_with_a_warning(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "loky", None)
    monkeypatch.setenv("SPINSYNC_THREADS", "2")
    with pytest.warns(UserWarning, match="pip install loky uses all cores"):
        assert ss.sweep(f, A).f.values.tolist() == [1, 2]


def test_a_function_that_cannot_be_sent_is_refused_where_it_would_be(monkeypatch):
    import threading

    monkeypatch.setenv("SPINSYNC_THREADS", "2")
    held = partial(f, y=threading.Lock())
    held.__name__ = "held"
    with pytest.raises(ss.InputError, match=r"Argument `function` must be one that can be sent .* \(cannot pickle"):
        ss.sweep(held, A)
    monkeypatch.setenv("SPINSYNC_THREADS", "1")
    assert ss.sweep(held, A).held.values.tolist() == [1, 2]


def test_nothing_is_left_of_a_refused_sweep(tmp_path):
    for wrong in ({"variables": ["q"]}, {"seed": 3}, {"executor": Runs()}, {"chunk": -1}):
        with pytest.raises(ss.InputError):
            ss.sweep(f, A, store=tmp_path / "store", **wrong)
    assert list(tmp_path.iterdir()) == []
