"""Error messages of figures, measures and `rerun` about altered results."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from error_cases import case_names, check_message
from systems import laser, pair

ONE, TWO, T = laser(), pair(1.0, 16.0), np.linspace(0.0, 2.0, 70)
RUN, BOTH = ss.evolve(ONE, T), ss.evolve(TWO, T)
EACH = ss.evolve(ONE, T, initial=[[0.1, 0, 0], [0, 0.1, 0]], each=True)
LINE = ss.phase_diagram(ONE, {"coupling": [2.0, 12.0]})
PLANE = ss.phase_diagram(ONE, {"coupling": [2.0, 12.0], "gain": [2.0, 3.0]})
PARTED = ss.phase_diagram(TWO, {"detuning": [1.0, 2.0]})
FEW = ss.evolve(TWO, T[:3], theory=ss.Exact(4))
STEADY = ss.steady_state(TWO, theory=ss.Exact(4))
WIDTHS = [ss.linewidth(ONE, theory=ss.Exact(n)) for n in (2, 3)]

OVER_TIME = {
    "order_parameter": (ss.plot.order_parameter, BOTH),
    "phases": (ss.plot.phases, RUN),
    "phases of each": (ss.plot.phases, EACH),
    "phase_difference": (ss.plot.phase_difference, BOTH),
    "beat_spectrum": (ss.plot.beat_spectrum, BOTH),
    "bloch_sphere": (ss.plot.bloch_sphere, RUN),
    "movie": (lambda run: ss.plot.movie(run, "no.gif", size=64), RUN),
    "show": (ss.show, RUN),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def times(run, change):
    return run.assign_coords(time=change(run.time.values.copy()))


def with_nan(values):
    values[1] = np.nan
    return values


ALTERED = {
    "transposed": (lambda run: run.transpose(), "must hold one run over time, but has dims|must have the last dims"),
    "one more dim": (lambda run: run.expand_dims("x"), "must hold one run over time, but has dims"),
    "no group": (lambda run: run.isel(group=[]), "must have the last dims|must hold every group|must name the group of each"),
    "no times": (lambda run: run.isel(time=[]), "over time, but holds none"),
    "nan": (lambda run: times(run, with_nan), "`run.time` must be finite, but has the entry nan"),
    "backwards": (lambda run: times(run, lambda t: t[::-1]), "`run.time` must increase, but has 2 before"),
    "objects as times": (lambda run: times(run, lambda t: t.astype(object)), "must have numbers as time, but has object"),
    "dates": (lambda run: times(run, lambda t: t.astype("m8[s]")), "must have numbers as time, but has timedelta64"),
    "no time": (lambda run: run.drop_vars("time"), "must have the coordinate time, but has none"),
    "no names": (lambda run: run.drop_vars("group"), "must have the coordinate group|must name the group of each"),
    "objects": (lambda run: run.astype(object), "must hold numbers in .*, but holds object"),
    "text": (lambda run: run.astype(str), "must hold numbers in .*, but holds <U"),
    "no model": (lambda run: run.drop_attrs(), "`run` must be a result of spinsync, but is a Dataset without a model"),
    "number as model": (lambda run: run.assign_attrs(model=3), "`run` must be a result of spinsync"),
}


@pytest.mark.parametrize("figure", OVER_TIME)
@pytest.mark.parametrize("name", ALTERED)
def test_a_figure_over_time_refuses_an_altered_run(figure, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (draw, run), (change, message) = OVER_TIME[figure], ALTERED[name]
    if figure == "phases of each" and name in ("no group", "no names"):
        assert draw(change(run)).get_ylabel() == "spin"  # spins are drawn, and no group
        return
    with pytest.raises(ss.InputError, match=message) as caught:
        draw(change(run))
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith("Argument `run")
    assert list(tmp_path.iterdir()) == []


RECORDED = "Argument `{0}` must be recorded in the result as the question wrote it, but is {0}={1}."
CASES = [
    (
        lambda: ss.plot.beat_spectrum(BOTH.isel(group=[1])),
        "Argument `run` must hold every group of its model once, but holds B.",
    ),
    (
        lambda: ss.plot.bloch_sphere(BOTH.isel(group=[1, 0]), frame="mean"),
        "Argument `run` must hold every group of its model once, but holds B, A.",
    ),
    (lambda: ss.plot.phases(BOTH.isel(group=[0, 0])), "Argument `run` must hold every group once, but holds A, A."),
    (
        lambda: ss.plot.bloch_sphere(RUN.assign(inversion=3 * RUN.inversion + 1)),
        "Argument `run` must hold Bloch vectors of length <= 1, but holds longer ones.",
    ),
    (
        lambda: ss.plot.bloch_sphere(EACH.drop_vars("spin_group")),
        "Argument `run` must name the group of each spin in spin_group, but does not.",
    ),
    (
        lambda: ss.plot.bloch_sphere(EACH.isel(group=0)),
        "Argument `run` must name the group of each spin in spin_group, but does not.",
    ),
    (
        lambda: ss.plot.order_parameter(FEW.isel(other_group=[0])),
        "Argument `run` must hold all pairs of its groups, but is cut or transposed.",
    ),
    (
        lambda: ss.plot.order_parameter(FEW.isel(group=[1, 0])),  # whose diagonal is A with B
        "Argument `run` must name the same groups in group and other_group, but does not.",
    ),
    # diagrams
    (lambda: ss.plot.phase_diagram(LINE), "Argument `diagram` must have two axes, but has 1 (coupling)."),
    (lambda: ss.plot.cut(PLANE), "Argument `diagram` must have one axis, but has 2 (coupling, gain)."),
    (
        lambda: ss.plot.cut(LINE.drop_attrs()),
        "Argument `diagram` must be a result of spinsync, but is a Dataset without a model.",
    ),
    (
        lambda: ss.plot.cut(LINE.assign_attrs(verb="x\ny")),
        "Argument `diagram` must be a result of phase_diagram, but is one of x y.",
    ),
    (
        lambda: ss.plot.cut(LINE.assign_coords(coupling=[np.nan, 1.0])),
        "Argument `diagram.coupling` must be finite, but has the entry nan.",
    ),
    (lambda: ss.plot.cut(LINE.drop_vars("coupling")), "Argument `diagram` must have values along coupling, but has none."),
    (lambda: ss.plot.cut(LINE.isel(coupling=[])), "Argument `diagram` must have values along coupling, but has none."),
    (
        lambda: ss.plot.cut(LINE.drop_vars("inversion"), variable="inversion"),
        "Argument `diagram` must hold inversion, but has none.",
    ),
    (
        lambda: ss.plot.cut(LINE.astype(object)),
        "Argument `diagram` must hold order_parameter as numbers over its axes and groups, but is altered.",
    ),
    (
        lambda: ss.plot.cut(LINE.isel(group=[]), variable="inversion"),
        "Argument `diagram` must hold at least one group, but holds none.",
    ),
    (
        lambda: ss.plot.frequency(PARTED.isel(group=0), difference=True),
        "Argument `diagram` must hold two groups for a difference, but holds one.",
    ),
    # numbers of spins
    (lambda: ss.plot.linewidths(3), "Argument `results` must be results of linewidth, but is results=3."),
    (lambda: ss.plot.linewidths(np.ma.masked), "Argument `results` must be results of linewidth, but is results=masked."),
    (
        lambda: ss.plot.linewidths([WIDTHS[0].drop_vars("linewidth")]),
        "Argument `results` must hold linewidth as linewidth makes it, but one is altered.",
    ),
    (
        lambda: ss.plot.linewidths([WIDTHS[0].assign(linewidth=-WIDTHS[0].linewidth)]),
        "Argument `results` must hold a positive linewidth to be drawn, but one does not.",
    ),
    (
        lambda: ss.plot.linewidths([WIDTHS[0].assign_coords(spins="many")]),
        "Argument `spins` must be a whole number of at least 1, but is spins='many'.",
    ),
    # measures
    (
        lambda: ss.bloch(RUN.transpose()),
        "Argument `dataset` must have the last dims (group) in coherence, but has (group: 1, time: 70).",
    ),
    (
        lambda: ss.bloch(RUN.assign(inversion=RUN.inversion[0])),
        "Argument `dataset` must have the same dims in coherence and inversion, but has ('group',).",
    ),
    (lambda: ss.bloch(RUN.drop_vars("group")), "Argument `dataset` must have the coordinate group, but has none."),
    (
        lambda: ss.husimi(RUN.astype(object), [0.0], [0.0]),
        "Argument `dataset` must hold numbers in coherence, but holds object.",
    ),
    (
        lambda: ss.pair_measures(STEADY.isel(other_group=[0])),
        "Argument `dataset` must hold all pairs of its groups, but is cut or transposed.",
    ),
    (
        lambda: ss.pair_measures(STEADY.assign_coords(group=["x", "y"])),
        "Argument `dataset` must name the same groups in group and other_group, but does not.",
    ),
    (
        lambda: ss.pair_measures(STEADY.drop_vars("inversion")),
        "Argument `dataset` must hold inversion and pair correlations, but has no inversion.",
    ),
    (
        lambda: ss.phase_distribution(STEADY.transpose("other_group", "group"), [0.0]),
        "Argument `dataset` must have the last dims (group, other_group) in correlation, but has (other_group: 2, group: 2).",
    ),
    # models and reruns
    (
        lambda: ss.model_of(RUN.assign_attrs(model=3)),
        "Argument `dataset` must be a result of spinsync, but is a Dataset without a model.",
    ),
    (
        lambda: ss.rerun(RUN.assign_attrs(theory="")),
        "Argument `theory` must be recorded in the result as the question wrote it, but is theory=''.",
    ),
    (
        lambda: ss.rerun(RUN.assign_attrs(theory="{}")),
        "Argument `theory` must be recorded in the result as the question wrote it, but is theory='{}'.",
    ),
    (
        lambda: ss.rerun(RUN.assign_attrs(theory='{"theory": "my-theory"}')),
        "Argument `theory` must be one of mean-field, cumulants, truncated-wigner, exact, trajectories, brute-force, but is "
        "theory='my-theory'.",
    ),
    (
        lambda: ss.rerun(RUN.assign_attrs(initial="x")),
        "Argument `initial` must be recorded in the result as the question wrote it, but is initial='x'.",
    ),
    (lambda: ss.rerun(ss.husimi(RUN, [0.0], [0.0]).assign_attrs(source="x")), RECORDED.format("dataset", "'x'")),
    (lambda: ss.rerun(ss.husimi(RUN, [0.0], [0.0]).assign_attrs(source="[]")), RECORDED.format("dataset", "'[]'")),
    (lambda: ss.rerun(LINE.assign_attrs(axes="x")), RECORDED.format("axes", "'x'")),
    (lambda: ss.rerun(LINE.assign_attrs(axes='["coupling"]')), RECORDED.format("axes", """'["coupling"]'""")),
    (
        lambda: ss.rerun(ss.asymptotic_phase(ONE, [[0, 0.1, 0]], theory=ss.Exact(2)).assign_attrs(states="x")),
        RECORDED.format("states", "'x'"),
    ),
    (
        lambda: ss.rerun(ss.husimi(RUN, [0.0], [0.0]).assign_attrs(source="{}")),
        "Argument `result` must be a result of a question, but is one of None.",
    ),
    (
        lambda: ss.rerun(LINE.assign_attrs(axes='{"coupling": [{"x": {}}]}')),
        "Argument `coupling` must be one of lorentzian, gaussian, uniform, samples, but is coupling='x'.",
    ),
    (lambda: ss.rerun(RUN.assign_attrs(seed="x")), "Argument `seed` must be a whole number of at least 0, but is seed='x'."),
    (lambda: ss.rerun(RUN.assign_attrs(each=7)), "Argument `each` must be a whole number from 0 to 1, but is each=7."),
    (lambda: ss.rerun(RUN.assign_attrs(origin=np.nan)), "Argument `origin` must be finite, but is origin=nan."),
    (lambda: ss.rerun(RUN.isel(time=[])), "Argument `result.time` must hold at least one number, but is empty."),
    (lambda: ss.rerun(RUN.rename(time="t")), "Argument `result` must have the coordinate time, but has none."),
    (
        lambda: ss.rerun(xr.Dataset(attrs=RUN.attrs | {"verb": "x"})),
        "Argument `result` must be a result of a question, but is one of x.",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)


def test_a_part_of_a_result_is_drawn():
    assert ss.plot.cut(LINE.isel(group=0), variable="inversion").lines[0].get_label() == "computed"
    assert ss.plot.cut(LINE.drop_vars("group")).lines[0].get_label() == "computed"
    assert ss.plot.cut(LINE.isel(group=[])).lines[0].get_label() == "computed"
    for run in (RUN.isel(time=[0]), BOTH.isel(group=[1]), BOTH.isel(time=slice(None, None, 2)), BOTH.sel(group=["B", "A"])):
        ss.plot.order_parameter(run)
        ss.plot.phases(run)
    ss.plot.bloch_sphere(EACH.isel(spin=[1]))
    assert ss.rerun(RUN.isel(time=[3, 5])).sizes["time"] == 2


def test_a_diagram_with_unsorted_axes_is_drawn_sorted():
    mixed = ss.phase_diagram(ONE, {"coupling": [12.0, 2.0, 5.0], "gain": [3.0, 2.0, 4.0]})
    drawn = ss.plot.phase_diagram(mixed).collections[0].get_array()
    ordered = ss.plot.phase_diagram(mixed.sortby(["coupling", "gain"])).collections[0].get_array()
    assert np.array_equal(drawn, ordered)


@pytest.mark.parametrize("colour", [2, "x y", (1, 2), [], np.ma.masked, "#12345", True, {"a": 1}])
def test_a_colour_is_one_that_matplotlib_knows(colour):
    message = r"^Argument `color` must be a colour that matplotlib knows, such as 'C0' or '#0072B2', but is color="
    for call in (
        lambda: ss.plot.cut(LINE, color=colour),
        lambda: ss.plot.linewidths(WIDTHS, color=colour),
        lambda: ss.plot.phase_difference(BOTH, color=colour),
        lambda: ss.plot.finite_size([ss.steady_state(ONE, theory=ss.Exact(2))], color=colour),
    ):
        with pytest.raises(ss.InputError, match=message):
            call()
    assert ss.plot.cut(LINE, color=(1.0, 0.0, 0.0)).lines[0].get_markeredgecolor() == "#ff0000ff"


@pytest.mark.parametrize("label", [2, "a\nb", ["a"], b"a", np.ma.masked])
def test_a_label_is_one_line_of_text(label):
    with pytest.raises(ss.InputError, match=r"^Argument `label` must be one line of text, but is label="):
        ss.plot.linewidths(WIDTHS, label=label)


@pytest.mark.parametrize("columns", [3, [1.0], {}, np.array(3), True, "1", None])
def test_a_style_has_one_column_or_two(columns):
    with pytest.raises(ss.InputError, match=r"^Argument `columns` must be 1 or 2, but is columns="), ss.plot.style(columns):
        pass


def test_an_unknown_setting_of_a_style_is_answered_with_similar_names():
    with pytest.raises(ss.InputError, match=r"^Argument `changes` must be one of .*font_size.*\(did you mean ") as caught:
        ss.plot.style(fontsize=3).__enter__()
    assert len(str(caught.value)) < 320
    with pytest.raises(ss.InputError, match=r"^Argument `changes` must be values that matplotlib takes, but: ") as caught:
        ss.plot.style(font_size="large\nand larger").__enter__()
    assert str(caught.value).isprintable()


def test_a_measure_accepts_times_that_are_no_numbers_but_rerun_does_not():
    run = RUN.assign_coords(time=RUN.time.values.astype("timedelta64[s]"))
    measured = ss.husimi(run, [0.0, 1.0], [0.0, 1.0])
    with pytest.raises(ss.InputError, match="must have numbers as time"):
        ss.rerun(measured)
