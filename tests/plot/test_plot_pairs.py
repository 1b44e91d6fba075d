"""Figures of two groups: regime areas, boundaries, plateaus, phase differences."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import spinsync as ss
from plot_cases import PAIR, TIMES, WEAK
from systems import laser


@pytest.fixture(scope="module")
def run():
    return ss.evolve(laser(), TIMES)


@pytest.fixture(scope="module")
def tongue():
    axes = {"detuning": np.linspace(1, 15, 8), "coupling": np.linspace(9, 50, 7)}
    return ss.phase_diagram(PAIR, axes)


def labelled_lines(ax):
    """Lines with a label, by label."""
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_regimes_are_areas_with_colours_and_labels(tongue):
    codes = np.full((8, 7), ss.Regime.FULL)
    codes[:4, 4:], codes[4:, :3] = ss.Regime.PHASE_TRAPPED, ss.Regime.PARTIAL
    codes[4:, 4:], codes[:2, :2] = ss.Regime.IRREGULAR, ss.Regime.INCOHERENT
    codes[7, 6] = ss.Regime.UNDECIDED
    diagram = tongue.assign(regime=(("detuning", "coupling"), codes.astype(np.int8), tongue.regime.attrs))
    ax = ss.plot.phase_diagram(diagram, unit="damping")
    image = ax.collections[0]
    np.testing.assert_array_equal(image.get_array().reshape(7, 8), codes.T)
    drawn = {code: to_hex(image.cmap(image.norm(code))) for code in ss.Regime}
    assert len(set(drawn.values())) == len(ss.Regime)
    assert drawn[ss.Regime.UNDECIDED] == "#ffffff"
    assert drawn[ss.Regime.FULL] == "#7db4dc"
    labels = {text.get_text(): text.xy for text in ax.texts}
    assert set(labels) == {"incoherent", "full", "phase-trapped", "partial", "irregular"}  # undecided points have none
    for label, (x, y) in labels.items():
        code = diagram.regime.sel(detuning=2 * x, coupling=2 * y, method="nearest")
        assert ss.label(code) == label
    crosses = [line.get_xydata() for line in ax.lines if line.get_marker() == "x"]
    np.testing.assert_allclose(crosses, [[[15 / 2, 50 / 2]]])


def test_a_single_point_has_no_label(tongue):
    codes = np.full((90, 90), ss.Regime.FULL, np.int8)
    codes[50, 50] = ss.Regime.IRREGULAR
    axes = {"detuning": np.linspace(1, 15, 90), "coupling": np.linspace(9, 50, 90)}
    diagram = tongue[["regime", "order_parameter"]].interp(axes).assign(regime=(("detuning", "coupling"), codes))
    assert [text.get_text() for text in ss.plot.phase_diagram(diagram).texts] == ["full"]


def test_boundaries_of_a_symmetric_pair_are_its_closed_forms(tongue):
    ax = ss.plot.phase_diagram(tongue, unit="damping")
    np.testing.assert_array_equal(ax.collections[0].get_array().reshape(7, 8), tongue.regime.values.T)
    for name, boundary in (("Hopf line", "hopf"), ("existence of full", "existence"), ("incoherent stable", "incoherent")):
        curve = labelled_lines(ax)[name].get_xydata()
        curve = curve[np.isfinite(curve[:, 0]) & (curve[:, 0] < 15)]  # without the infinite part
        assert len(curve) > 10, name
        for x, y in curve[:: len(curve) // 5]:
            closed = ss.symmetric_pair(PAIR.replace(coupling=2 * y))
            assert 2 * x == pytest.approx(float(closed[f"{boundary}_detuning"]), rel=1e-12), name
    both_sides = [line for line in ax.lines if line.get_linestyle() == labelled_lines(ax)["Hopf line"].get_linestyle()]
    assert len(both_sides) == 2
    np.testing.assert_array_equal(both_sides[0].get_xdata(), -np.array(both_sides[1].get_xdata()))
    assert "Delta/\\gamma" in ax.get_xlabel()
    assert "V/\\gamma" in ax.get_ylabel()
    assert ax.get_xlim()[1] < 9  # the lines do not change the limits


def test_boundaries_are_drawn_over_exchanged_axes(tongue):
    ax = ss.plot.phase_diagram(tongue.transpose("coupling", "detuning", ...), unit="damping")
    x, y = labelled_lines(ax)["Hopf line"].get_xydata()[100]
    assert 2 * y == pytest.approx(float(ss.symmetric_pair(PAIR.replace(coupling=2 * x)).hopf_detuning), rel=1e-12)
    np.testing.assert_array_equal(ax.collections[0].get_array().reshape(8, 7), tongue.regime.values)


def test_edges_of_a_weak_locking_range_follow_adlers_equation():
    axes = {"detuning": np.linspace(-1, 1, 3), "cross_coupling": np.linspace(0.2, 2, 3)}
    ax = ss.plot.phase_diagram(ss.phase_diagram(WEAK, axes), unit="damping")
    dashes = labelled_lines(ax)["Adler, weak coupling"].get_linestyle()
    left, right = sorted((line for line in ax.lines if line.get_linestyle() == dashes), key=lambda one: one.get_xdata()[60])
    for line, sign in ((left, -1), (right, 1)):
        for x, y in line.get_xydata()[[20, 60, 110]]:
            closed = ss.locking_range(WEAK.replace(detuning=2 * x, cross_coupling=2 * y))
            assert float(closed.effective_detuning) == pytest.approx(sign * float(closed.locking_range), rel=1e-9)


@pytest.mark.parametrize("half_width", [0.01, 0.5, 6.0])
@pytest.mark.parametrize("lowest", [-1, 0])
@pytest.mark.parametrize("exchanged", [False, True])
def test_the_threshold_is_drawn_at_every_zoom(half_width, lowest, exchanged):
    """V = 4 + Delta^2/4 in units of the damping rate: over V the detuning rises as a square root."""
    axes = {"detuning": 2 * half_width * np.linspace(lowest, 1, 3), "coupling": np.array([2.0, 31.0, 60.0])}
    diagram = ss.phase_diagram(PAIR.replace(coupling=2.0), axes)
    diagram = diagram.transpose("coupling", "detuning", ...) if exchanged else diagram
    ax = ss.plot.phase_diagram(diagram, unit="damping")
    for name, formula in (("existence of full", lambda d: 4 + d**2 / 4), ("incoherent stable", lambda d: min(4 + d**2 / 4, 8))):
        both = [line for line in ax.lines if line.get_linestyle() == labelled_lines(ax)[name].get_linestyle()]
        points = np.concatenate([line.get_xydata()[:, ::-1] if exchanged else line.get_xydata() for line in both])
        points = points[np.isfinite(points).all(axis=1) & (points[:, 0] > lowest * half_width) & (points[:, 0] < half_width)]
        for detuning, coupling in points[:: max(1, len(points) // 20)]:
            if not (name == "incoherent stable" and abs(detuning) > 4):  # a vertical line at a jump
                assert coupling == pytest.approx(formula(detuning), rel=1e-9)
        ordered = np.sort(points[:, 0])
        gaps = np.diff(np.concatenate([[lowest * half_width], ordered, [half_width]])) / half_width
        assert gaps[1:-1].max() < 0.03, name  # the two branches join at the minimum
        assert max(gaps[0], gaps[-1]) < 0.1


def test_boundaries_are_dense_on_a_logarithmic_axis():
    axes = {"detuning": np.geomspace(0.02, 20.0, 4), "coupling": np.array([2.0, 31.0, 60.0])}
    ax = plt.subplots()[1]
    ax.set_xscale("log")
    ss.plot.phase_diagram(ss.phase_diagram(PAIR, axes), ax, unit="damping")
    line = labelled_lines(ax)["existence of full"].get_xydata()
    low, high = ax.get_xlim()
    inside = line[(line[:, 0] > low) & (line[:, 0] < high)]
    np.testing.assert_allclose(inside[:, 1], 4 + inside[:, 0] ** 2 / 4, rtol=1e-9)
    assert low < 0.1
    assert high > 10
    assert np.diff(np.log(inside[:, 0])).max() < 0.01 * np.log(high / low)


def test_boundaries_of_a_pair_over_two_other_parameters():
    axes = {"coupling": np.linspace(2, 60, 4), "gain": np.linspace(1, 30, 5)}
    ax = ss.plot.phase_diagram(ss.phase_diagram(PAIR, axes), unit="damping")
    assert {"existence of full", "incoherent stable"} <= set(labelled_lines(ax))
    paths = [path.vertices for c in ax.collections if c.get_linestyle() != [(0.0, None)] for path in c.get_paths()]
    checked = 0
    for v, r in np.concatenate([path for path in paths if len(path) > 10])[::15]:
        around = [
            ss.symmetric_pair(PAIR.replace(coupling=2 * (v + a), gain=2 * (r + b)))
            for a, b in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1))  # of ranges 29 and 14.5: less than the width of a line
        ]
        assert any(len({bool(state[n]) for state in around}) == 2 for n in ("exists", "stable", "incoherent_stable")), (v, r)
        checked += 1
    assert checked > 5


def test_adlers_range_is_drawn_for_weak_coupling_only():
    strong = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=24.0, theta=-1.0, weights=(1, 2))
    axes = {"detuning": np.linspace(-1, 1, 3), "coupling": np.linspace(20, 24, 3)}
    assert "Adler, weak coupling" not in labelled_lines(ss.plot.phase_diagram(ss.phase_diagram(strong, axes)))
    run = ss.evolve(strong, np.linspace(0, 3, 31))
    assert [line for line in ss.plot.phase_difference(run).lines if line.get_linestyle() == "--"] == []
    weak = strong.replace(cross_coupling=0.1)
    assert "Adler, weak coupling" in labelled_lines(ss.plot.phase_diagram(ss.phase_diagram(weak, axes)))


def test_phase_differences_are_in_a_cyclic_map_and_grey_without_coherence(tongue):
    ax = ss.plot.phase_diagram(tongue, variable="phase_difference")
    image = ax.collections[0]
    found = tongue.phase_difference.sel(group="A", other_group="B")
    expected = (
        found.where(tongue.regime.isin([ss.Regime.FULL, ss.Regime.PHASE_TRAPPED])).transpose("coupling", "detuning").values
    )
    np.testing.assert_array_equal(image.get_array().filled(np.nan).reshape(7, 8), expected)
    assert np.isnan(expected).sum() > np.isnan(found).sum() > 0  # drifting groups have a mean, which says nothing
    assert "undefined" in ax.get_legend_handles_labels()[1]
    assert (image.get_cmap().name, image.norm.vmin, image.norm.vmax) == ("twilight", -np.pi, np.pi)
    assert to_hex(ax.get_facecolor()) == "#d0d0d0"
    assert "varphi_\\mathrm{A}-\\varphi_\\mathrm{B}" in ax.figure.axes[1].get_ylabel()
    locking = ss.plot.phase_diagram(tongue, variable="phase_locking").collections[0]
    assert (locking.norm.vmin, locking.norm.vmax) == (0, 1)


@pytest.fixture(scope="module")
def plateau():
    return ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 18, 10)})


def test_frequencies_with_natural_frequencies_and_plateau(plateau):
    ax = ss.plot.frequency(plateau, unit="damping")
    for line, group in zip(ax.lines, (0, 1), strict=False):
        np.testing.assert_allclose(line.get_xydata(), np.stack([plateau.detuning, plateau.frequency[:, group]], 1) / 2)
    natural = [line.get_xydata() for line in ax.lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(natural, [[[0, 0], [9, 4.5]], [[0, 0], [9, -4.5]]])
    x, y = ax.lines[-1].get_xydata().T
    hopf = float(ss.symmetric_pair(PAIR).hopf_detuning) / 2
    np.testing.assert_array_equal(np.isfinite(y), x < hopf)
    np.testing.assert_allclose(y[x < hopf], 0, atol=1e-15)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "group A",
        "group B",
        "without coupling",
        "closed form",
    ]
    assert ax.get_ylabel().endswith("\\Omega/\\gamma$")


def test_the_difference_of_frequencies_has_the_plateau(plateau):
    ax = ss.plot.frequency(plateau, difference=True, unit="damping")
    gap = plateau.frequency.sel(group="A") - plateau.frequency.sel(group="B")
    assert float(gap[-1]) > 10  # A is the faster one
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.stack([plateau.detuning, gap], 1) / 2)
    x, y = ax.lines[1].get_xydata().T
    np.testing.assert_allclose(y, x)  # the natural difference
    x, y = ax.lines[2].get_xydata().T
    assert np.nanmax(abs(y)) == 0
    np.testing.assert_array_equal(np.isfinite(y), x < float(ss.symmetric_pair(PAIR).hopf_detuning) / 2)


def test_beat_frequencies_of_weak_coupling_follow_adlers_equation():
    diagram = ss.phase_diagram(WEAK, {"detuning": np.linspace(-1.5, 0.5, 6)})
    ax = ss.plot.frequency(diagram, difference=True, unit="damping")
    for x, y in ax.lines[2].get_xydata()[::80]:
        assert 2 * y == pytest.approx(float(ss.locking_range(WEAK.replace(detuning=2 * x)).beat_frequency), rel=1e-12)
    line = ss.plot.frequency(diagram, unit="damping").lines[-1].get_xydata()  # the common frequency of locked groups
    locked = line[np.isfinite(line[:, 1])]
    assert 10 < len(locked) < len(line)
    for x, y in locked[::10]:
        assert 2 * y == pytest.approx(float(ss.locking_range(WEAK.replace(detuning=2 * x)).frequency), rel=1e-12)


def test_a_cut_over_the_lyapunov_exponent(plateau):
    ax = ss.plot.cut(plateau, variable="lyapunov", color="red", unit="damping")
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.stack([plateau.detuning, plateau.lyapunov], 1) / 2)
    assert ax.lines[0].get_markeredgecolor() == "red"
    assert ax.get_ylabel() == r"Lyapunov exponent  $\lambda/\gamma$"


def test_phase_difference_is_unwrapped_and_shows_the_locked_value():
    two = ss.evolve(PAIR, np.linspace(0, 20, 801))
    ax = ss.plot.phase_difference(two, color="red")
    curve, locked = ax.lines
    difference = np.unwrap(-np.angle(two.coherence.values[:, 0]) + np.angle(two.coherence.values[:, 1]))
    np.testing.assert_allclose(curve.get_ydata() * np.pi, difference, atol=1e-12)
    assert curve.get_color() == "red"
    closed = float(ss.symmetric_pair(PAIR).phase_difference)
    assert locked.get_ydata()[0] * np.pi == pytest.approx(closed)
    assert curve.get_ydata()[-1] * np.pi == pytest.approx(closed, abs=1e-6)  # the run has converged to it
    constant = ss.plot.phase_difference(two.sel(time=slice(15, None)))
    assert np.ptp(constant.get_ylim()) >= 0.5  # a constant looks constant
    assert ax.get_ylabel() == r"$\varphi_\mathrm{A} - \varphi_\mathrm{B}$"
    assert ax.yaxis.get_major_formatter()(0.5, 0) == "0.5π"
    other = ss.plot.phase_difference(two, groups=("B", "A"))
    assert len(other.lines) == 1  # the closed form is for A minus B
    np.testing.assert_allclose(other.lines[0].get_ydata() * np.pi, -difference, atol=1e-12)
    assert other.get_ylabel() == r"$\varphi_\mathrm{B} - \varphi_\mathrm{A}$"


def test_a_slipping_phase_difference_grows_and_has_no_locked_line():
    apart = PAIR.replace(detuning=13.0)
    assert ss.symmetric_pair(apart).exists  # but is unstable
    ax = ss.plot.phase_difference(ss.evolve(apart, np.linspace(0, 20, 2001)))
    (curve,) = ax.lines
    rate = np.pi * (curve.get_ydata()[-1] - curve.get_ydata()[1000]) / 10
    found = ss.regime(apart).frequency.values
    assert rate == pytest.approx(found[0] - found[1], abs=2 * np.pi / 10)  # at most one period in ten units of time


def test_wrong_arguments_for_two_groups_are_errors(run, plateau, tongue):
    two = ss.evolve(PAIR, TIMES)
    with pytest.raises(ss.InputError, match=r"`variable` must be one of regime, amplitude, .*, but is variable='regimes'"):
        ss.plot.phase_diagram(tongue, variable="regimes")
    with pytest.raises(ss.InputError, match="`diagram` must have one axis, but has 2"):
        ss.plot.frequency(tongue)
    single = ss.phase_diagram(laser(), {"coupling": [2.0, 12.0], "gain": [1.0, 3.0]})
    with pytest.raises(ss.InputError, match="`variable` must be one of a single group, but is variable='phase_locking'"):
        ss.plot.phase_diagram(single, variable="phase_locking")
    with pytest.raises(ss.InputError, match="`difference` must be False for one group, but is difference=True"):
        ss.plot.frequency(ss.phase_diagram(laser(), {"coupling": [2.0, 12.0]}), difference=True)
    with pytest.raises(ss.InputError, match="`run` must hold at least two groups, but holds one"):
        ss.plot.phase_difference(run)
    with pytest.raises(ss.InputError, match="`groups` must be one of A, B"):
        ss.plot.phase_difference(two, groups=("A", "C"))
    with pytest.raises(ss.InputError, match="`run` must be a result of evolve that holds coherence over time"):
        ss.plot.phase_difference(plateau)
    with pytest.raises(ss.InputError, match="`frame` must be a number or 'mean', but is frame='mea'"):
        ss.plot.bloch_sphere(two, frame="mea")


def test_groups_are_found_by_index_for_any_type_of_names():
    named = ss.evolve(PAIR, TIMES)
    numbered = named.assign_coords(group=[0, 1])
    lines = [ss.plot.phase_difference(run, plt.figure().gca()).lines[0].get_ydata() for run in (named, numbered)]
    np.testing.assert_array_equal(*lines)


def test_natural_frequencies_of_two_clouds_are_drawn_about_their_mean():
    clouds = ss.Ensemble.cavity(
        spins=10**6, vacuum_coupling=0.05, cavity_decay=1e3, gain=3.0, damping=1.0, detuning=1.0, frequency=5.0
    )
    ax = ss.plot.frequency(ss.phase_diagram(clouds, {"detuning": [0.0, 1.0, 2.0]}))
    dotted = [line.get_ydata().tolist() for line in ax.lines if line.get_linestyle() == ":"]
    assert sorted(dotted) == [[5.0, 4.0], [5.0, 6.0]]
    plt.close()
