"""phase_diagram: against closed forms, and independence of threads, order and accuracy."""

import json

import numpy as np
import pytest

import spinsync as ss
from reference import random_bloch
from spinsync.regimes.codes import Status
from spinsync.regimes.kernels.lanes import Lanes
from systems import HALF_PI, laser

PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)


def test_one_group_is_its_limit_cycle_away_from_the_threshold():
    axes = {"gain": np.array([0.5, 2.0, 3.0, 6.0]), "coupling": np.array([1.0, 4.0, 12.0, 30.0])}
    one = laser(frequency=0.7, theta=-1.1)
    diagram = ss.phase_diagram(one, axes)
    assert diagram.amplitude.dims == ("gain", "coupling", "group")
    for gain in axes["gain"]:
        for coupling in axes["coupling"]:
            at = one.replace(gain=gain, coupling=coupling)
            assert abs(coupling / ss.critical_coupling(at) - 1) > 0.05
            cycle, point = ss.limit_cycle(at), diagram.sel(gain=gain, coupling=coupling, group="A")
            # the error of a step is 1e-8, and the phase is free; a decaying amplitude is followed down to 1e-6
            assert float(point.amplitude) == pytest.approx(float(cycle.amplitude), abs=1e-6)
            assert float(point.inversion) == pytest.approx(float(cycle.inversion), abs=1e-6)
            np.testing.assert_allclose(point.frequency, cycle.frequency, atol=1e-6)  # both NaN if incoherent
            assert float(point.order_parameter) == pytest.approx(2 * float(cycle.amplitude), abs=2e-6)


def test_every_point_with_a_limit_cycle_is_settled():
    axes = {"theta": np.linspace(-2.8, -0.3, 21), "coupling": np.array([20.0, 40.0])}
    diagram = ss.phase_diagram(laser(), axes)
    assert np.all(diagram.amplitude > 0.1)
    assert bool(diagram.settled.all())
    assert np.all(diagram.status == Status.SETTLED)


def test_points_without_relaxation_have_that_status():
    diagram = ss.phase_diagram(laser(gain=0.0, damping=0.0), {"coupling": [1.0, 12.0]})
    assert np.all(diagram.status == Status.NO_RELAXATION)
    assert np.all(np.isnan(diagram.amplitude))


def test_symmetric_pair_is_its_full_state():
    detunings = np.array([-3.0, 0.5, 2.0])
    diagram = ss.phase_diagram(PAIR, {"detuning": detunings})
    for i, detuning in enumerate(detunings):
        full = ss.symmetric_pair(PAIR.replace(detuning=detuning))
        assert full.stable
        np.testing.assert_allclose(diagram.amplitude[i], float(full.amplitude), atol=1e-6)
        np.testing.assert_allclose(diagram.frequency[i], 0, atol=1e-6)
    assert bool(diagram.settled.all())


def test_a_drifting_pair_shows_two_frequencies():
    far = ss.phase_diagram(PAIR, {"detuning": [30.0]}).isel(detuning=0)
    assert far.settled
    assert far.regime == ss.Regime.PARTIAL
    a, b = far.frequency.values
    assert a == pytest.approx(-b, abs=3e-3)  # exchange symmetry; frequencies agree to 1e-4 of the detuning
    times = np.linspace(0, 60, 60001)
    phase = np.unwrap(-np.angle(ss.evolve(PAIR.replace(detuning=30.0), times).coherence.values), axis=0)
    assert a == pytest.approx((phase[-1, 0] - phase[30000, 0]) / 30, abs=0.01)  # the phase oscillates by 0.2 rad


def test_a_coupling_axis_keeps_the_distribution_of_frequencies():
    wide = laser(frequency=ss.Gaussian(0.5, center=1.0))
    diagram = ss.phase_diagram(wide, {"coupling": [3.0, 12.0, 20.0]})
    for i, coupling in enumerate([3.0, 12.0, 20.0]):
        cycle = ss.limit_cycle(wide.replace(coupling=coupling))
        assert float(diagram.amplitude[i, 0]) == pytest.approx(float(cycle.amplitude), abs=1e-6)
        np.testing.assert_allclose(diagram.frequency[i, 0], cycle.frequency, atol=1e-5)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_no_bit(threads):
    axes = {"detuning": np.linspace(0, 9, 5), "coupling": np.linspace(2, 20, 4)}
    one = ss.phase_diagram(PAIR, axes, threads=1)
    assert ss.phase_diagram(PAIR, axes, threads=threads).identical(one)


def test_order_of_points_and_axes_changes_no_bit():
    detunings, couplings = np.linspace(0, 9, 5), np.linspace(2, 20, 4)
    diagram = ss.phase_diagram(PAIR, {"detuning": detunings, "coupling": couplings})
    shuffled = ss.phase_diagram(PAIR, {"coupling": couplings[[2, 0, 3, 1]], "detuning": detunings[::-1]})
    again = shuffled.sortby(["coupling", "detuning"]).transpose("detuning", "coupling", ...)
    for name in diagram.data_vars:
        np.testing.assert_array_equal(again[name], diagram[name])
    alone = ss.phase_diagram(PAIR.replace(coupling=couplings[2]), {"detuning": detunings[3:4]})
    np.testing.assert_array_equal(alone.amplitude[0], diagram.amplitude[3, 2])


def test_every_point_starts_from_the_same_state():
    start = random_bloch(np.random.default_rng(0), 2, 0.9)
    axes = {"detuning": [0.0, 2.0]}
    given = ss.phase_diagram(PAIR, axes, initial=start)
    assert ss.phase_diagram(PAIR, axes, initial=start.tolist()).identical(given)
    incoherent = ss.phase_diagram(PAIR, axes, initial=[[0, 0, 0.5], [0, 0, 0.5]])
    assert np.all(incoherent.amplitude == 0)  # exactly zero coherence stays zero, even if this is unstable
    seeded = [ss.phase_diagram(PAIR, {"detuning": [12.0]}, seed=seed).lyapunov.values for seed in (1, 1, 2)]  # motion
    assert np.array_equal(seeded[0], seeded[1])
    assert not np.array_equal(seeded[0], seeded[2])
    np.testing.assert_allclose(seeded[0], seeded[2], atol=0.05)  # transverse exponent -2, over windows of 20 to 40


def test_axes_of_dotted_names_and_in_one_two_and_three_dimensions():
    line = ss.phase_diagram(PAIR, {"A.gain": [2.0, 3.0]})
    cube = ss.phase_diagram(PAIR, {"A.gain": [2.0, 3.0], "A.B.theta": [-1.5, 0.3, 1.0], "cross_coupling": [1.0, 16.0]})
    assert line.amplitude.dims == ("A.gain", "group")
    assert cube.amplitude.dims == ("A.gain", "A.B.theta", "cross_coupling", "group")
    assert cube.order_parameter.dims == ("A.gain", "A.B.theta", "cross_coupling")
    np.testing.assert_array_equal(cube["A.B.theta"], [-1.5, 0.3, 1.0])
    at = PAIR.replace(**{"A.gain": 3.0, "A.B.theta": -1.5, "cross_coupling": 16.0})
    assert float(cube.amplitude.values[1, 0, 1, 0]) == ss.phase_diagram(at, {"detuning": [2.0]}).amplitude.values[0, 0]


@pytest.mark.parametrize("axes", [{"coupling": [2.0, 12.0]}, {"A.gain": [1.0, 3.0], "A.A.theta": [-1.0, -1.5]}])
def test_every_variable_has_a_name_and_a_unit(axes):
    diagram = ss.phase_diagram(laser(), axes, seed=7)
    for name in diagram.variables:
        assert diagram[name].attrs["long_name"], name
        assert diagram[name].attrs["units"], name
    for name in axes:
        assert diagram[name].attrs["units"] in ("angular frequency", "rad")
    assert diagram.attrs["verb"] == "phase_diagram"
    assert diagram.attrs["seed"] == 7
    assert ss.model_of(diagram) == laser()
    assert list(diagram.group.values) == ["A"]
    meanings = diagram.status.attrs["flag_meanings"].split()
    assert meanings == ["settled", "still_changing", "failed", "no_relaxation", "through_zero"]
    assert diagram.status.attrs["flag_values"].tolist() == [0, 1, 2, 3, 4]
    assert diagram.status.dtype == np.int8


def test_a_failed_point_is_marked_and_the_other_points_are_computed():
    diagram = ss.phase_diagram(laser(), {"coupling": [12.0, 1e300]})
    assert diagram.status.values.tolist() == [Status.SETTLED, Status.FAILED]
    assert np.isnan(diagram.amplitude[1, 0])
    assert np.isnan(diagram.order_parameter[1])
    assert float(diagram.amplitude[0, 0]) == pytest.approx(1 / 6, abs=1e-6)


def test_a_detuning_axis_moves_a_dotted_frequency_as_replace_does():
    wide = PAIR.replace(**{"A.frequency": ss.Gaussian(0.5, center=1.0)})
    diagram = ss.phase_diagram(wide, {"detuning": [1.0, 2.0]})
    for i, detuning in enumerate([1.0, 2.0]):
        assert wide.replace(detuning=detuning).groups[0].frequency == ss.Gaussian(0.5, center=detuning / 2)
        expected = ss.phase_diagram(wide.replace(detuning=detuning), {"theta": [wide.recipe.parameters["theta"]]})
        np.testing.assert_allclose(diagram.amplitude[i], expected.amplitude[0], atol=1e-7)


def test_diagrams_of_few_spins_have_steady_states():
    axes = {"coupling": np.array([2.0, 12.0, 30.0]), "A.gain": np.array([0.5, 3.0])}
    diagram = ss.phase_diagram(PAIR, axes, theory=ss.Exact(6))
    assert diagram.correlation.dims == ("coupling", "A.gain", "group", "other_group")
    assert diagram.settled.values.all()
    assert int(diagram.spins) == 6
    for index in np.ndindex(3, 2):
        at = dict(zip(axes, index, strict=True))
        alone = ss.steady_state(PAIR.replace(**{name: axes[name][k] for name, k in at.items()}), theory=ss.Exact(6))
        assert set(alone.data_vars) | {"settled"} == set(diagram.data_vars)
        for name in alone.data_vars:
            np.testing.assert_array_equal(diagram[name].isel(at), alone[name], err_msg=name)


@pytest.mark.parametrize("theory", [ss.Exact(8), ss.Cumulants(1000)], ids=repr)
def test_diagrams_hold_the_line_if_asked(theory):
    """And are otherwise the same."""
    axes = {"coupling": np.array([2.0, 12.0]), "detuning": np.array([0.0, 1.0])}
    diagram = ss.phase_diagram(PAIR, axes, theory=theory, linewidth=True)
    assert ss.rerun(diagram).identical(diagram)
    names = ("frequency", "linewidth", "frequency_error", "linewidth_error", "degenerate")
    for index in np.ndindex(2, 2):
        at = dict(zip(axes, index, strict=True))
        alone = ss.linewidth(PAIR.replace(**{name: axes[name][k] for name, k in at.items()}), theory=theory)
        assert set(alone.data_vars) == set(names)
        for name in names:
            np.testing.assert_array_equal(diagram[name].isel(at), alone[name], err_msg=name)
    del diagram.attrs["linewidth"]
    assert diagram.drop_vars(names).identical(ss.phase_diagram(PAIR, axes, theory=theory))


def test_a_point_without_a_line_keeps_its_steady_state():
    """Weakly coupled spins of a broad Gaussian distribution have none that is narrower than that of free spins."""
    wide = laser(frequency=ss.Gaussian(3.0))
    with pytest.raises(ss.InputError, match="must have a line narrower than that of free spins"):
        ss.linewidth(wide.replace(coupling=1.0), theory=ss.Cumulants(1000))
    diagram = ss.phase_diagram(wide, {"coupling": [1.0, 20.0]}, theory=ss.Cumulants(1000), linewidth=True)
    assert diagram.settled.values.all()
    assert np.isnan(diagram.linewidth.values).tolist() == [True, False]
    assert not diagram.degenerate.values[0]


def test_few_spins_without_a_unique_steady_state_are_marked():
    """Without gain, damping and coupling every state is stationary."""
    still = laser(gain=1.0, damping=0.0, coupling=0.0)
    diagram = ss.phase_diagram(still, {"gain": [0.0, 1.0]}, theory=ss.Exact(4))
    assert diagram.settled.values.tolist() == [False, True]
    assert np.isnan(diagram.inversion[0, 0])
    assert np.isnan(diagram.correlation[0, 0, 0])
    assert float(diagram.inversion[1, 0]) == pytest.approx(1.0)
    with pytest.raises(ss.InputError, match="must have one steady state, but has several"):
        ss.phase_diagram(still, {"gain": [0.0]}, theory=ss.Exact(4))


AXES = {"coupling": [2.0, 12.0]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ss.phase_diagram(laser(), AXES, theory=ss.BruteForce(3)),
            "Argument `theory` must be one that answers phase_diagram (MeanField, Cumulants or Exact), but is "
            "BruteForce(spins=3): it has no diagrams; `ss.sweep(ss.steady_state, axes, model=ensemble, theory=...)` computes "
            "their points.",
        ),
        (
            lambda: ss.regime(laser(), theory=ss.Exact(3)),
            "Argument `theory` must be one that answers regime (MeanField), but is Exact(spins=3): at a finite number of "
            "spins U(1) is unbroken, so that there is no regime; `steady_state` tells the order.",
        ),
        (
            lambda: ss.phase_diagram(laser(), AXES, theory=ss.Exact(3), initial=[[0, 0, 1]]),
            "Argument `initial` must be None at finite N, where the steady state does not depend on it, but is "
            "initial=[[0, 0, 1]].",
        ),
        (
            lambda: ss.phase_diagram(laser(), AXES, theory=ss.Exact(3), device="cuda"),
            "Argument `device` must be 'cpu' at finite N, but is device='cuda'.",
        ),
        (
            lambda: ss.phase_diagram(
                ss.Ensemble.cavity(spins=9, vacuum_coupling=0.1, cavity_decay=50.0, gain=3, damping=1), {"spins": [4, 9]},
                theory=ss.Exact(9),
            ),
            "Argument `axes` must not vary spins at finite N, where the theory sets the number of spins.",
        ),
        (
            lambda: ss.phase_diagram(laser(), AXES, linewidth=True),
            "Argument `linewidth` must be False for MeanField, whose diagrams hold regimes, but is linewidth=True.",
        ),
    ],
    ids=["brute force", "regime of few spins", "initial", "device", "spins", "linewidth"],
)  # fmt: skip
def test_calls_that_a_theory_does_not_support(call, message):
    with pytest.raises(ss.InputError) as error:
        call()
    assert str(error.value) == message


def test_results_record_the_tolerances_that_were_used():
    def recorded(result):
        theory = json.loads(result.attrs["theory"])
        return theory["rtol"], theory["atol"]

    one = laser()
    assert recorded(ss.regime(one)) == recorded(ss.phase_diagram(one, AXES)) == (1e-6, 1e-8)
    assert recorded(ss.evolve(one, [0, 1])) == recorded(ss.steady_state(one)) == (1e-8, 1e-10)
    assert recorded(ss.regime(one, theory=ss.MeanField(rtol=1e-4))) == (1e-4, 1e-8)
    assert recorded(ss.evolve(one, [0, 1], theory=ss.MeanField(atol=1e-12))) == (1e-8, 1e-12)


@pytest.mark.parametrize("given", [None, 1e-4, 1e-9])
def test_the_requested_tolerances_are_used(given, monkeypatch):
    """At first the requested ones, and a tenth of them while averages are taken; in lanes and by the scalar engine."""
    seen = []

    def advance(self, parameters, states, spans, rtol, *limits, advance=Lanes.advance):
        seen.append(rtol)
        return advance(self, parameters, states, spans, rtol, *limits)

    monkeypatch.setattr(Lanes, "advance", advance)
    drifting, rtol = PAIR.replace(detuning=8.0), given or 1e-6
    distributed = drifting.replace(**{"A.frequency": ss.Samples([4.0, 4.0])})  # which only the scalar engine takes
    exact = ss.regime(drifting, theory=ss.MeanField(rtol=1e-11, atol=1e-13))
    for ensemble, steps in ((drifting, {rtol, rtol / 10}), (distributed, set())):
        seen.clear()
        found = ss.regime(ensemble, theory=ss.MeanField(rtol=given))
        assert set(seen) == steps
        assert abs(found.frequency - exact.frequency).max() < max(rtol, 1e-6)  # tolerance of the agreement of two windows
        assert abs(found.inversion - exact.inversion).max() < max(rtol, 1e-7)
