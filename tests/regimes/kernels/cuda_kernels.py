"""Tests of the kernels for graphics processors, simulated or on a GPU, in a separate process that test_cuda.py starts."""

import importlib

import numpy as np
import pytest

import spinsync as ss
from lane_points import edited, ensemble, ready, start
from spinsync.regimes.codes import Regime
from spinsync.regimes.kernels import cuda_lanes, fixed_points
from spinsync.regimes.kernels.cuda_lanes import CudaLanes
from spinsync.regimes.kernels.layout import Layout
from spinsync.theory.mean_field import equations
from systems import HALF_PI, laser

COUNT, SPANS = 7, np.linspace(0.5, 3.0, 7)


@pytest.fixture(autouse=True)
def however_few(monkeypatch):
    """The device takes every trajectory: these tests have few."""
    monkeypatch.setattr(cuda_lanes, "FEW", 0)


def advanced(groups, measured, **options):
    """States, sums, steps and finished of the same trajectories, in lanes and in threads of a device."""
    limits = {"rtol": 1e-6, "atol": 1e-9, "max_steps": 1e6} | options
    points, here, state = ready([ensemble(groups, seed) for seed in range(COUNT)], start(groups), measured, measured)
    out = []
    for kernel in (here, CudaLanes(here.layout, equations)):
        moved = state.copy()
        out.append((moved, *kernel.advance(points.parameters, moved, SPANS, **limits)))
    return out


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_threads_agree_with_lanes(groups, measured):
    (state, sums, steps, finished), (moved, summed, taken, over) = advanced(groups, measured)
    assert np.all(finished)
    assert np.all(over)
    np.testing.assert_array_equal(taken, steps)
    # rounding errors of some dozens of steps, amplified by the tangent vector
    np.testing.assert_allclose(moved, state, atol=1e-10)
    assert summed.dtype == sums.dtype
    # the growth is that of the small component of the tangent vector orthogonal to the flow
    for name in sums.dtype.names or ():
        np.testing.assert_allclose(summed[name], sums[name], atol=1e-5, err_msg=name)


def test_sizes_of_launches_blocks_and_chunks_change_no_bit(monkeypatch):
    once = advanced(2, True)[1]
    assert once[2].max() > 21
    for name, value in {"STEPS_PER_LAUNCH": 7, "THREADS_PER_BLOCK": 2, "MAX_TRAJECTORIES": 3}.items():
        monkeypatch.setattr(cuda_lanes, name, value)
    for one, other in zip(once, advanced(2, True)[1], strict=True):
        np.testing.assert_array_equal(other, one)


def test_the_host_advances_few_trajectories(monkeypatch):
    monkeypatch.setattr(cuda_lanes, "FEW", COUNT + 1)
    for one, other in zip(*advanced(2, True), strict=True):
        np.testing.assert_array_equal(other, one)
    monkeypatch.setattr(CudaLanes, "_run", lambda *_: pytest.fail("the device advances them"))
    advanced(2, False)
    monkeypatch.setattr(cuda_lanes, "FEW", COUNT)
    with pytest.raises(pytest.fail.Exception, match="the device"):
        advanced(2, False)


def test_the_limit_of_steps_is_that_of_lanes(monkeypatch):
    monkeypatch.setattr(cuda_lanes, "STEPS_PER_LAUNCH", 9)
    (state, _, steps, finished), (moved, _, taken, over) = advanced(1, False, max_steps=20.0)
    assert 0 < finished.sum() < COUNT
    np.testing.assert_array_equal(over, finished)
    np.testing.assert_array_equal(taken, steps)
    assert taken.max() == 20
    np.testing.assert_allclose(moved[over], state[over], atol=1e-10)


def test_a_trajectory_that_overflows_is_not_finished():
    points, _, state = ready([ensemble(1, 0)], start(1))
    points.parameters["coupling"] = 1e300
    _, _, finished = CudaLanes(Layout(1, measured=False, tangent=False), equations).advance(
        points.parameters, state, np.ones(1), 1e-6, 1e-9, 100.0
    )
    assert not finished[0]


PAIR = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)
MAPS = [
    (laser(), {"coupling": np.linspace(1, 20, 4), "gain": np.linspace(0.5, 6, 4)}, {Regime.INCOHERENT, Regime.FULL}),
    (
        PAIR, {"detuning": [1.0, 6.0, 9.0], "coupling": [3.0, 12.0, 28.0]},
        {Regime.INCOHERENT, Regime.FULL, Regime.PHASE_TRAPPED, Regime.PARTIAL},
    ),
    (ensemble(3, 1), {"A.gain": [1.0, 3.0]}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("model", "axes", "regimes"), MAPS)
def test_a_diagram_agrees_with_that_of_the_cpu(model, axes, regimes):
    here, there = (ss.phase_diagram(model, axes, device=device) for device in ("cpu", "cuda"))
    assert regimes <= set(here.regime.values.ravel().tolist())
    assert there.attrs == here.attrs | {"device": "cuda"}
    for name in here.variables:
        if here[name].dtype.kind in "fc":
            # equal windows differ by rounding errors, which the motion may amplify
            np.testing.assert_allclose(there[name], here[name], atol=1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(there[name], here[name], err_msg=name)


def count_trajectories(monkeypatch, where, name):
    """A list that gets the number of trajectories of each call of a method."""
    counts, method = [], getattr(where, name)

    def counted(self, parameters, *rest):
        counts.append(len(parameters))
        return method(self, parameters, *rest)

    monkeypatch.setattr(where, name, counted)
    return counts


def test_all_points_are_advanced_at_once(monkeypatch):
    monkeypatch.setattr(fixed_points, "CHUNKS", (1, 1))
    counts = count_trajectories(monkeypatch, CudaLanes, "advance")
    ss.phase_diagram(laser(), {"gain": np.linspace(1.5, 4.0, 6)}, device="cuda", threads=2)
    assert counts[0] == 6
    assert counts == sorted(counts, reverse=True)  # the following calls have the remaining points


def test_a_point_on_a_boundary_reaches_its_fixed_point_by_implicit_steps(monkeypatch):
    counts = count_trajectories(monkeypatch, fixed_points.FixedPointKernels, "advance_implicitly")
    critical = ss.critical_coupling(laser()) * (1 + 1e-6)
    there = ss.phase_diagram(laser(), {"coupling": [critical]}, initial=[[0.1, 0.0, 0.2]], device="cuda")
    assert counts == [1]
    assert there.amplitude.item() == pytest.approx(ss.limit_cycle(laser(coupling=critical)).amplitude.item(), abs=1e-9)


def test_an_edited_equation_makes_another_kernel(tmp_path, monkeypatch):
    """A module of the same name with another source gets another generated file, and so no old compiled code."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(importlib.sys, "dont_write_bytecode", True)
    points, _, begin = ready([ensemble(1, 0)], start(1))
    layout, ends, files = Layout(1, measured=False, tangent=False), [], set()
    for after in ("4.0 * (hi * x - hr * y)", "2.0 * (hi * x - hr * y)"):
        monkeypatch.delitem(importlib.sys.modules, "edited_for_cuda", raising=False)
        module = edited(tmp_path, "edited_for_cuda", "4.0 * (hi * x - hr * y)", after)
        monkeypatch.setitem(importlib.sys.modules, "edited_for_cuda", module)
        kernel, state = CudaLanes(layout, module), begin.copy()
        kernel.advance(points.parameters, state, np.array([2.0]), 1e-8, 1e-11, 1e6)
        ends.append(state)
        files.add(kernel.kernels.__file__)
    assert len(files) == 2
    assert abs(ends[1] - ends[0]).max() > 1e-2
