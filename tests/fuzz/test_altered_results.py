"""Altered results, given to every function that takes results: a figure or an answer, or an error message."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, seed
from hypothesis import strategies as st

from arguments import functions, results
from ledger import attempt
from runs import SEED, examples

Alteration = Callable[[xr.Dataset], Any]


def _times(change: Callable[[Any], Any]) -> Alteration:
    return lambda run: run.assign_coords(time=change(run.time.values.copy())) if "time" in run.dims else run


def _with(position: int, value: float) -> Callable[[Any], Any]:
    def change(times: Any) -> Any:
        times[position] = value
        return times

    return change


def _variables(change: Callable[[Any], Any]) -> Alteration:
    return lambda run: run.assign({name: (v.dims, change(v.values)) for name, v in run.data_vars.items()})


def _attribute(name: str, value: Any) -> Alteration:
    return lambda run: run.assign_attrs({name: value})


def _first(run: xr.Dataset) -> str:
    return str(next(iter(run.dims), "group"))


ATTRIBUTES: dict[str, list[Any]] = {
    "model": [
        3, None, "", "x", "[single]\n", b"", ["a"], np.nan, "[single]\ngain=1\ndamping=1\ncoupling=1\ntheta=1\n", "[pair]\n",
    ],
    "verb": [3, None, "", "evolve", "steady_state", "x\ny", "x" * 5000, ["evolve"]],
    "theory": [
        3, None, "", "{}", "[]", "null", '{"theory": "x"}', '{"theory": "exact"}', '{"theory": "exact", "spins": -1}',
        '{"theory": "exact", "spins": "a"}', '{"theory": "exact", "x": 1}', '{"theory": "exact", "spins": [2]}',
    ],
    "initial": [3, "x", "[]", "{}", "[[1, 2]]", "[[0, 0, 9]]", "null", '["a"]', "[[1], [1, 2]]"],
    "seed": [-1, "x", None, 1.5, 10**400, True, [1]],
    "each": [2, "x", None, True, 0],
    "origin": [np.nan, "x", None, 1e300, -1e300, 99.0],
}  # fmt: skip
ALTERATIONS: list[Alteration] = [
    lambda run: run,
    lambda run: run.copy(deep=True),
    lambda run: run.transpose(),
    lambda run: run.transpose(*list(run.dims)[::-1]),
    lambda run: run.expand_dims("x"),
    lambda run: run.expand_dims(x=2),
    lambda run: run.expand_dims(x=2, axis=-1) if run.dims else run,
    lambda run: run.isel({d: [] for d in run.dims}),
    lambda run: run.isel({_first(run): []}) if run.dims else run,
    lambda run: run.isel({_first(run): 0}) if run.dims else run,
    lambda run: run.isel({_first(run): [0]}) if run.dims else run,
    lambda run: run.isel({d: slice(None, None, -1) for d in run.dims}),
    lambda run: run.isel(group=[]) if "group" in run.dims else run,
    lambda run: run.isel(group=[0, 0]) if "group" in run.dims else run,
    lambda run: run.isel(group=[-1]) if "group" in run.dims else run,
    lambda run: run.isel(group=slice(None, None, -1)) if "group" in run.dims else run,
    lambda run: run.isel(group=0) if "group" in run.dims else run,
    lambda run: run.isel(other_group=[0]) if "other_group" in run.dims else run,
    lambda run: run.isel(spin=[1]) if "spin" in run.dims else run,
    lambda run: run.drop_vars(list(run.coords)),
    lambda run: run.drop_vars("group", errors="ignore"),
    lambda run: run.drop_vars(["spin_group", "other_group"], errors="ignore"),
    lambda run: run.reset_coords(),
    lambda run: run.drop_attrs(),
    lambda run: run.rename({d: f"{d}_2" for d in run.dims}),
    lambda run: run.rename({_first(run): "coupling"}) if run.dims and "coupling" not in run.variables else run,
    lambda run: run.mean(),
    lambda run: run.mean(_first(run), keep_attrs=True) if run.dims else run,
    lambda run: xr.concat([run, run], "realization"),
    lambda run: xr.concat([run, run], _first(run), data_vars="all") if run.dims else run,
    lambda run: run.assign_coords(group=[f"g{i}$_{{" for i in range(run.sizes["group"])]) if "group" in run.dims else run,
    lambda run: run.assign_coords(group=range(run.sizes["group"])) if "group" in run.dims else run,
    lambda run: run.assign_coords(spins="many"),
    lambda run: run.assign_coords(spins=np.nan),
    lambda run: run.to_array() if run.data_vars else run,
    lambda run: run.to_dataarray().to_pandas() if len(run.dims) < 1 else run,
    dict,
    lambda run: [run, 3],
    lambda run: [run, run],
    lambda run: run.where(False),
    lambda run: run.astype(object),
    lambda run: run.astype(str),
    lambda run: run.astype(complex),
    lambda run: run.astype("m8[s]") if all(v.dtype.kind in "iu" for v in run.data_vars.values()) else run,
    _variables(lambda v: v * np.nan if v.dtype.kind in "fc" else v),
    _variables(lambda v: v * np.inf if v.dtype.kind == "f" else v),
    _variables(lambda v: v * 1e300 if v.dtype.kind in "fc" else v),
    _variables(lambda v: v * 0 if v.dtype.kind in "fciu" else v),
    _variables(lambda v: -v if v.dtype.kind in "fci" else v),
    _variables(lambda v: np.array(["a"] * v.size).reshape(v.shape)),
    _variables(lambda v: np.array([None] * v.size).reshape(v.shape)),
    _variables(lambda v: v > 0 if v.dtype.kind in "fiu" else v),
    _times(lambda t: t[::-1]),
    _times(lambda t: t * 0),
    _times(lambda t: t * 1e300),
    _times(lambda t: t * 1e-310),
    _times(lambda t: t + 1e300),
    _times(lambda t: -t),
    _times(_with(1, np.nan)),
    _times(_with(-1, np.inf)),
    _times(_with(0, -1.0)),
    _times(lambda t: t.astype(object)),
    _times(lambda t: t.astype("m8[s]")),
    _times(lambda t: t.astype("M8[s]")),
    _times(lambda t: t.astype(str)),
    _times(lambda t: t > 0),
    *(_attribute(name, value) for name, values in ATTRIBUTES.items() for value in values),
]  # fmt: skip
#: function -> the result that it takes; the argument is the first one of its row
TAKERS = {
    "rerun": ("run", "each", "finite", "pair run"),
    "model_of": ("run", "line", "cycle"),
    "bloch": ("run", "each", "finite"),
    "husimi": ("run", "each"),
    "phase_distribution": ("run", "finite", "pairs"),
    "pair_measures": ("pairs", "steady"),
    "squeezing": ("pairs", "steady", "by spins"),
    "show": ("run", "each", "pair run"),
    "plot.order_parameter": ("run", "pair run", "finite"),
    "plot.phases": ("run", "each", "pair run"),
    "plot.phase_difference": ("pair run", "finite"),
    "plot.beat_spectrum": ("long",),
    "plot.bloch_sphere": ("run", "each", "pair run"),
    "plot.movie": ("run", "each", "pair run"),
    "plot.phase_diagram": ("plane", "tongue", "line"),
    "plot.cut": ("line", "plateau", "plane"),
    "plot.frequency": ("plateau", "line"),
    "plot.finite_size": ("by spins", "widths", "steady"),
    "plot.linewidths": ("widths", "by spins"),
    "plot.spectra": ("light", "widths"),
}
DRAWN = 8  # one of so many figures is drawn in full, which is slow


@pytest.mark.parametrize("name", TAKERS)
def test_an_altered_result_ends_in_an_error_message_or_an_answer(name: str) -> None:
    function, arguments = functions()[name]
    argument, *_ = arguments
    count = 0

    @given(st.data())
    @examples(28)
    @seed(SEED)
    def altered(data: st.DataObject) -> None:
        nonlocal count
        result: Any = results()[data.draw(st.sampled_from(TAKERS[name]))]
        for change in data.draw(st.lists(st.sampled_from(ALTERATIONS), min_size=1, max_size=2)):
            with (
                np.errstate(all="ignore"),
                suppress(ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError),
            ):
                result = change(result)  # unless xarray refuses it, or the first change left no dataset
        try:
            answer = attempt(name, function, **arguments | {argument: result})
            count += 1
            if isinstance(answer, plt.Axes) and count % DRAWN == 0:
                attempt(name, answer.figure.canvas.draw)
        finally:
            plt.close("all")
            for path in Path.cwd().iterdir():
                path.unlink()

    altered()
