"""Kernels in SIMD lanes: their code, steps and sums, and their agreement with the scalar engine."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import fields
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import spinsync as ss
from lane_points import batch, edited, ensemble, nearby_fixed_points, ready, start
from spinsync.base.parallel import thread_limit
from spinsync.base.translation import Program
from spinsync.model import bloch_vectors
from spinsync.regimes import engines, lane_mover
from spinsync.regimes.codes import Regime
from spinsync.regimes.engines import lanes, scalar
from spinsync.regimes.kernels import lane_kernel
from spinsync.regimes.kernels import lanes as kernels
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import WINDOW_INTEGRAL, Layout
from spinsync.regimes.kernels.unroll import unrolled
from spinsync.regimes.lane_mover import LaneMover
from spinsync.theory.mean_field import equations

READABLE = '''
def larger(total, y):
    """An argument that the function changes is a copy."""
    total = total + y
    return total


def double(a, out):
    factor, total = np.empty(len(a)), 0.0
    for i in range(len(a)):
        factor[i] = layout.factor[i]
        out[i] = factor[i] * a[i]
        total = larger(total, 2.0 * out[i])
    return 0.5 * total


def step(layout, W, P, n, answer):
    """Uses every construct that is inlined or unrolled."""
    x, y = np.empty((2, layout.count)), np.empty(layout.count)
    for i in range(layout.count):
        x[1, i] = P[n].start[i]
        if layout.skip:
            x[1, i] = 1000.0
    total = 3.0
    answer[0] = total + double(x[1], y) + larger(total, 1.0)
    for i in range(len(P[n].start)):
        W.end[0, i] = y[i]
    for i in range(layout.count):
        answer[1 + i] = W[1 + i]
'''


def test_unrolled_functions_return_the_same_values():
    layout = SimpleNamespace(count=3, skip=False, factor=(2.0, 3.0, 5.0))
    records = {
        "W": np.dtype([("size", float), ("end", float, (1, 3))]),
        "P": np.dtype([("size", float), ("start", float, (3,))]),
    }
    source = unrolled(Program.of(READABLE, constants={"layout": layout}, keeps_loop=bool), ["step"], records)
    assert "for i" not in source
    assert "1000" not in source
    assert "def double" not in source
    exec(source, space := {})
    P, answer = np.array([[9.0, 9.0, 9.0, 9.0], [9.0, 1.0, 2.0, 3.0]]), np.zeros(4)
    space["step"](P, 1, answer)
    assert answer.tolist() == [3.0 + 2.0 + 6.0 + 15.0 + 4.0, 2.0, 6.0, 15.0]


@pytest.mark.parametrize("tangent", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_compiled_kernels_in_lanes_agree_with_python(groups, tangent, interpreted):
    count, spans = 9, np.linspace(0.2, 0.5, 9)  # more trajectories than lanes
    points, kernel, state = ready([ensemble(groups, seed) for seed in range(count)], start(groups), tangent, tangent)
    layout, moved = kernel.layout, state.reshape(count, groups, -1).copy()
    sums, steps, finished = np.empty((count, layout.sum_count)), np.empty(count), np.zeros(count, bool)
    W, records = kernels.aligned_row(layout).view(np.recarray), points.parameters.view(np.recarray)
    lane_kernel.run(layout, W, records, moved, spans, 1e-5, 1e-8, 1e3, 0, count, sums, steps, finished)
    found, taken, over = kernel.advance(points.parameters, state, spans, 1e-5, 1e-8, 1e3)
    assert finished.all()
    assert over.all()
    np.testing.assert_array_equal(taken, steps)
    np.testing.assert_allclose(state.reshape(moved.shape), moved, atol=1e-9)
    for name in layout.sums.names:
        np.testing.assert_allclose(found[name], layout.by_name(sums)[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("rtol", [1e-6, 1e-9])
@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_lanes_agree_with_evolve(groups, rtol):
    ensembles, initial = [ensemble(groups, seed) for seed in range(11)], start(groups)
    points, kernel, state = ready(ensembles, initial)
    spans = np.linspace(0.5, 3.0, len(ensembles))
    _, steps, finished = kernel.advance(points.parameters, state, spans, rtol, 1e-3 * rtol, 1e6)
    assert finished.all()
    assert np.all(steps > 5)
    for n, one in enumerate(ensembles):
        end = ss.evolve(one, [0.0, spans[n]], initial=initial, theory=ss.MeanField(rtol=1e-11, atol=1e-13)).isel(time=1)
        s = end.coherence.values * np.exp(1j * points.frame[n] * spans[n])
        y = state[n].reshape(groups, 3)
        # the local error per step is rtol, and some dozens of steps add up
        np.testing.assert_allclose(y[:, 0] + 1j * y[:, 1], s, atol=100 * rtol)
        np.testing.assert_allclose(y[:, 2], end.inversion, atol=100 * rtol)


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_sums_are_the_integrals_over_the_window(groups):
    one, initial, span = ensemble(groups, 5, drift=2.0), start(groups), 6.0
    points, kernel, state = ready([one], initial, tangent=True, measured=True)
    sums, _, finished = kernel.advance(points.parameters, state, np.array([span]), 1e-9, 1e-12, 1e6)
    assert finished.all()
    times = np.linspace(0, span, 24001)
    run = ss.evolve(one, times, initial=initial, theory=ss.MeanField(rtol=1e-11, atol=1e-13))
    s = run.coherence.values * np.exp(1j * points.frame[0] * times)[:, None]
    z, weight = run.inversion.values, (4 * times / span * (1 - times / span)) ** 6
    mean = partial(np.trapezoid, x=times, axis=0)
    assert mean(weight) == pytest.approx(WINDOW_INTEGRAL * span, rel=1e-10)
    (got,) = sums
    phase = np.unwrap(-np.angle(s), axis=0)
    middle = weight[:-1] / 2 + weight[1:] / 2
    expected = [abs(s) ** 2, abs(s), abs(s) ** 4, z, z**2]
    for name, values in zip(("square", "modulus", "fourth", "inversion", "inversion_square"), expected, strict=True):
        np.testing.assert_allclose(got[name], mean(weight[:, None] * values), atol=2e-5)  # error h^4 of a step
    np.testing.assert_allclose(got["phase_increment"], middle @ np.diff(phase, axis=0), atol=2e-3)  # middle of the weight: h^2
    np.testing.assert_array_equal(got["undefined"], 0)
    np.testing.assert_allclose(got["order_parameter"], mean(weight * 2 * abs(s @ one.rates.weight)), atol=2e-4)  # near zeros
    for a in range(groups):
        for b in range(a + 1, groups):
            k = kernel.layout.pairs[a][b]
            p = s[:, a].conj() * s[:, b]
            for name, values in (("product", p), ("locking", p / abs(p))):
                both = got[name][k] @ [1, 1j]
                np.testing.assert_allclose(both, mean(weight * values), atol=1e-3 if name == "locking" else 2e-5)
            np.testing.assert_allclose(got["product_square"][k], mean(weight * abs(p) ** 2), atol=2e-5)


def test_phase_factors_are_averaged_with_fourth_order():
    one, initial, span, errors = ensemble(2, 5, drift=2.0), start(2), 6.0, []
    times = np.linspace(0, span, 24001)
    run = ss.evolve(one, times, initial=initial, theory=ss.MeanField(rtol=1e-11, atol=1e-13))
    s = run.coherence.values
    p = s[:, 0].conj() * s[:, 1]
    exact = np.trapezoid((4 * times / span * (1 - times / span)) ** 6 * p / abs(p), x=times)
    for rtol in (1e-7, 1e-10):
        points, kernel, state = ready([one], initial, measured=True)
        sums, steps, _ = kernel.advance(points.parameters, state, np.array([span]), rtol, 1e-3 * rtol, 1e6)
        errors.append((float(steps[0]), abs(sums["locking"][0, 0] @ [1, 1j] - exact)))
    (few, large), (many, small) = errors
    assert np.log(large / small) / np.log(many / few) > 3


def test_a_constant_rotation_is_counted_as_accurately_as_it_is_integrated():
    points, kernel, state = ready([ensemble(1, 1)], start(1), measured=True)
    points.parameters["omega"] += 7.0
    plain = Lanes(Layout(1, measured=False, tangent=False), equations)
    plain.advance(points.parameters, state, np.array([60.0]), 1e-9, 1e-12, 1e6)
    rotation = nearby_fixed_points(plain, points, state)[2].item()
    sums, steps, _ = kernel.advance(points.parameters, state, np.array([60.0]), 3e-5, 3e-8, 1e6)
    assert abs(rotation) * 60 / steps[0] > 0.3  # a large angle per step
    assert sums["phase_increment"].item() / (WINDOW_INTEGRAL * 60) == pytest.approx(rotation, rel=3e-5)


def compared(ensembles, initial):
    fast, slow = (engine(batch(ensembles, initial)) for engine in (lanes, scalar))
    np.testing.assert_array_equal(fast.regime, slow.regime)
    regular = (slow.regime != Regime.UNDECIDED) & (slow.regime != Regime.IRREGULAR)
    for name, tolerance in (("frequency", 2e-3), ("amplitude", 1e-4), ("inversion", 1e-4), ("order_parameter", 2e-3)):
        # windows agree to 1e-4; the mean field has a kink where it vanishes
        np.testing.assert_allclose(getattr(fast, name)[regular], getattr(slow, name)[regular], atol=tolerance, err_msg=name)
    np.testing.assert_allclose(abs(fast.locking[regular]), abs(slow.locking[regular]), atol=5e-3)
    return fast.regime


def test_the_engines_agree_on_an_arnold_tongue():
    pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    points = [pair.replace(detuning=d, coupling=v) for d in (1.0, 4.0, 6.0, 9.0) for v in (3.0, 9.5, 20.0, 28.0)]
    regimes = compared(points, bloch_vectors.random_start(pair.rates, 0))
    assert set(regimes.tolist()) >= {Regime.INCOHERENT, Regime.FULL, Regime.PHASE_TRAPPED, Regime.PARTIAL}


@pytest.mark.slow(slice=1)
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_the_engines_agree_on_random_ensembles(groups):
    compared([ensemble(groups, seed) for seed in range(60)], start(groups))


def test_results_depend_neither_on_threads_nor_on_the_order():
    points = [ensemble(2, seed) for seed in range(150)]
    with thread_limit(1):
        one = lanes(batch(points, start(2)))
    with thread_limit(3):
        many = lanes(batch(points, start(2)))
    order = np.random.default_rng(1).permutation(len(points))
    mixed = lanes(batch([points[i] for i in order], start(2)))
    for field in fields(one):
        np.testing.assert_array_equal(getattr(many, field.name), getattr(one, field.name), err_msg=field.name)
        np.testing.assert_array_equal(getattr(mixed, field.name), getattr(one, field.name)[order], err_msg=field.name)


def test_a_trajectory_with_too_many_steps_is_left_to_the_scalar_engine(monkeypatch):
    points = [ensemble(2, seed) for seed in range(4)]
    expected = scalar(batch(points, start(2)))
    monkeypatch.setattr(lane_mover, "MAX_STEPS", 60)
    again = lanes(batch(points, start(2)))
    for field in fields(again):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(expected, field.name), err_msg=field.name)


def test_the_engines_agree_on_many_groups_at_many_points(monkeypatch):
    monkeypatch.setattr(engines, "MIN_POINTS", 1)
    compared([ensemble(4, seed) for seed in range(8)], start(4))


@pytest.mark.slow(slice=1)
def test_an_edited_equation_is_never_served_from_a_stale_cache(tmp_path, monkeypatch):
    """A module of the same name with another source gets another kernel, whatever is in the cache."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(importlib.sys, "dont_write_bytecode", True)  # whose time stamps cannot tell two edits within one second
    layout, ends = Layout(1, measured=False, tangent=False), []
    points = LaneMover(batch([ensemble(1, 0)], start(1)), Lanes).points(np.arange(1))
    for after in ("4.0 * (hi * x - hr * y)", "2.0 * (hi * x - hr * y)"):
        monkeypatch.delitem(importlib.sys.modules, "edited_equation", raising=False)
        module = edited(tmp_path, "edited_equation", "4.0 * (hi * x - hr * y)", after)
        importlib.invalidate_caches()
        kernels.kernel.cache_clear()
        state = points.state.copy()
        Lanes(layout, module).advance(points.parameters, state, np.array([2.0]), 1e-8, 1e-11, 1e6)
        ends.append(state)
    kernels.kernel.cache_clear()
    expected = points.state.copy()
    Lanes(layout, equations).advance(points.parameters, expected, np.array([2.0]), 1e-8, 1e-11, 1e6)
    np.testing.assert_array_equal(ends[0], expected)
    assert abs(ends[1] - expected).max() > 1e-2


SOURCE = """
from spinsync.regimes.kernels import fixed_points, lanes
from spinsync.regimes.kernels.layout import Layout
from spinsync.theory.mean_field import equations
print(*(lanes.code(Layout(groups, True, True), equations) for groups in (2, 4)))
print(*(fixed_points.code(name, 2, equations) for name in ("find_fixed_points", "jacobians", "advance_implicitly")))
"""


def test_every_process_writes_the_same_kernels():
    """Otherwise results of two processes might differ in their last bits."""
    written = []
    for seed in ("0", "3"):  # with which sets of names have different orders
        run = partial(subprocess.run, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        written.append(run([sys.executable, "-c", SOURCE]).stdout)
    assert written[0] == written[1]
