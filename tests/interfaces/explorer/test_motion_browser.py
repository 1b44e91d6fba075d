"""The motion of single spins that the browser computes, against `spinsync.evolve` and closed forms.

The browser takes Runge-Kutta steps h of fourth order with h times the fastest rate <= 0.05, hence an error of about
0.05^4/120 = 5e-8 for each unit of (rate times time): below 1e-5 in all cases here, where rate times time is 100 at most.
"""

import numpy as np
import pytest
from scipy.stats import norm

import spinsync as ss
from browser import chromium
from stage_alone import stage_page

pytestmark = pytest.mark.browser
ERROR = 1e-5
SPINS = 12
TIMES = np.linspace(0.0, 8.0, 17)
ONE = {"V": 3.4, "theta": -0.38, "r": 3.0, "dephasing": 0.1}
TWO = {**ONE, "V": 6.0, "detuning": 0.7}


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        opened = stage_page(browser.new_context(), ready="window.stage", kind="one", values=ONE, spins=10)
        opened.evaluate("async () => { window.lib = await import('./motion.js'); window.end(); }")
        yield opened
        assert opened.errors == []


def start(spins=SPINS, seed=1):
    """Bloch vectors of different lengths, none symmetric to another."""
    m = np.random.default_rng(seed).normal(size=(spins, 3))
    return m / np.linalg.norm(m, axis=1, keepdims=True) * np.linspace(0.3, 0.95, spins)[:, None]


def motion(page, kind, values, initial, times=TIMES, accuracy=0.05, common=0.0):
    """Bloch vectors (time, spin, 3) and own frequencies of the browser's motion."""
    found = page.evaluate(
        """([kind, values, m, times, accuracy, common]) => {
          const motion = new lib.Motion(m.length, lib.model(kind, values), 0, accuracy), out = [];
          m.forEach(([x, y, z], i) => [motion.x[i], motion.y[i], motion.z[i]] = [x, y, z]);
          motion.common = common;
          times.forEach((t, k) => {
            if (k) motion.advance(t - times[k - 1]);
            out.push(m.map((_, i) => [motion.x[i], motion.y[i], motion.z[i]]));
          });
          return { vectors: out, frequencies: [...motion.frequency], order: motion.order };
        }""",
        [kind, values, np.asarray(initial).tolist(), list(times), accuracy, common],
    )
    return np.array(found["vectors"]), np.array(found["frequencies"]), found["order"]


def bloch(run):
    s, z = run.spin_coherence.values, run.spin_inversion.values
    return np.stack([2 * s.real, -2 * s.imag, z], axis=-1)


def rates(values):
    r = values["r"]
    return {"gain": r / (1 + r), "damping": 1 / (1 + r), "dephasing": values.get("dephasing", 0.0)}


def evolved(ensemble, m, times=TIMES):
    run = ss.evolve(ensemble, times, initial=m, each=True, theory=ss.MeanField(rtol=1e-9, atol=1e-11))
    return bloch(run), run.spin_frequency.values


@pytest.mark.parametrize("theta", [-0.38, -0.9, 0.3])
@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_one_group_moves_as_evolve_says(page, theta, spread):
    values, m = {**ONE, "theta": theta, "spread": spread}, start()
    found, frequencies, _ = motion(page, "one", values, m)
    frequency = ss.Samples(np.sort(frequencies)) if spread else 0.0
    order = np.argsort(frequencies)  # spins of `evolve` are in the order of their frequencies
    one = ss.Ensemble.single(**rates(values), coupling=values["V"], theta=np.pi * theta, frequency=frequency)
    expected, classes = evolved(one, m[order])
    np.testing.assert_allclose(classes, frequencies[order], atol=1e-12)
    assert np.abs(expected[-1] - expected[0]).max() > 0.3
    np.testing.assert_allclose(found[:, order], expected, atol=ERROR)


@pytest.mark.parametrize("apart", [{}, {"alike": 0, "V_cross": 2.5, "theta_cross": 0.2}])
def test_two_groups_move_as_evolve_says(page, apart):
    values, m = {**TWO, **apart}, start()
    found, frequencies, order = motion(page, "two", values, m)
    np.testing.assert_allclose(order, np.hypot(*found[-1].mean(0)[:2]), atol=1e-12)  # (8.1)
    np.testing.assert_allclose(frequencies, np.repeat([0.35, -0.35], SPINS // 2))
    cross = {"cross_coupling": 2.5, "cross_theta": 0.2 * np.pi} if apart else {}
    pair = ss.Ensemble.pair(detuning=0.7, **rates(values), coupling=values["V"], theta=np.pi * values["theta"], **cross)
    np.testing.assert_allclose(found, evolved(pair, m)[0], atol=ERROR)


@pytest.mark.parametrize("theta", [-0.5, -0.2, 0.0])
def test_coupling_alone_keeps_every_length_and_dissipation_alone_relaxes(page, theta):
    m, values = start(), {"V": 2.0, "theta": theta, "r": 3.0}
    found = motion(page, "coupled", values, m)[0]
    only = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=2.0, theta=np.pi * theta)
    np.testing.assert_allclose(found, evolved(only, m)[0], atol=ERROR)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1) / np.linalg.norm(m, axis=-1), 1.0, atol=1e-6)

    found = motion(page, "dissipating", values, m)[0]
    t, z0 = TIMES[:, None], 0.5
    np.testing.assert_allclose(found[..., 2], z0 + (m[:, 2] - z0) * np.exp(-t), atol=1e-7)  # (3.4) with h = 0
    np.testing.assert_allclose(found[..., :2], m[:, :2] * np.exp(-t / 2)[..., None], atol=1e-7)  # (3.3)


def test_spins_alone_precess_at_their_own_frequencies(page):
    m = start()
    found, frequencies, _ = motion(page, "alone", {"width": 0.4}, m)
    quantiles = norm.ppf((np.arange(SPINS) + 0.5) / SPINS)
    np.testing.assert_allclose(np.sort(frequencies), 1 + 0.4 * quantiles, atol=1e-8)
    turned = (m[:, 0] + 1j * m[:, 1]) * np.exp(1j * frequencies * TIMES[:, None])  # phases grow at positive frequencies, (1.1)
    np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], turned, atol=1e-6)
    np.testing.assert_allclose(found[..., 2], np.broadcast_to(m[:, 2], found.shape[:2]), atol=1e-12)


def test_the_arrow_and_the_curves_are_those_of_the_motion(page):
    found = page.evaluate(
        """async () => {
          const { History } = await import('./history.js'), { Strip } = await import('./strip.js');
          const motion = new lib.Motion(20, lib.model("two", { V: 2, theta: -0.3, r: 3, detuning: 1 }), 3);
          const { run } = new History(motion), strip = new Strip(document.createElement("canvas"));
          strip.push(motion);
          const table = (a, b) => [motion.x, motion.y, motion.z].map((t) => [...t.slice(a, b)]);
          const curves = strip.curves.map((c) => c[0]);
          return { mean: [...run.mean.slice(0, 3)], curves, groups: [table(0, 10), table(10, 20)] };
        }"""
    )
    a, b = np.array(found["groups"]).mean(-1)
    np.testing.assert_allclose(found["mean"], (a + b) / 2, atol=1e-6)
    np.testing.assert_allclose(found["curves"], [np.hypot(*m[:2]) for m in ((a + b) / 2, a, b)], atol=1e-6)
    assert abs(found["curves"][1] - found["curves"][2]) > 0.01


def test_a_common_frequency_is_a_turning_platform(page):
    m, values = start(), {**ONE, "spread": 0.5}
    still, turning = (motion(page, "one", values, m, common=common)[0] for common in (0.0, 1.3))
    turned = (still[..., 0] + 1j * still[..., 1]) * np.exp(1.3j * TIMES[:, None])
    np.testing.assert_allclose(turning[..., 0] + 1j * turning[..., 1], turned, atol=ERROR)
    np.testing.assert_allclose(turning[..., 2], still[..., 2], atol=ERROR)


def test_the_error_falls_with_the_fourth_power_of_the_step(page):
    m, values, times = start(), {**ONE, "spread": 0.8}, np.array([0.0, 4.0])
    exact = motion(page, "one", values, m, times, accuracy=0.01)[0]
    errors = [np.abs(motion(page, "one", values, m, times, accuracy=h)[0] - exact).max() for h in (0.4, 0.2, 0.1)]
    np.testing.assert_allclose(np.log2(errors[:-1]) - np.log2(errors[1:]), 4.0, atol=0.4)


def test_frequencies_are_quantiles_of_a_gaussian(page):
    frequencies = motion(page, "one", {**ONE, "spread": 0.7}, start(101))[1]
    np.testing.assert_allclose(np.sort(frequencies), 0.7 * norm.ppf((np.arange(101) + 0.5) / 101), rtol=1e-8, atol=1e-12)
    assert abs(np.corrcoef(frequencies, np.arange(101))[0, 1]) < 0.3  # dealt out in random order


@pytest.mark.parametrize(("theta", "r"), [(-0.38, 3.0), (-0.6, 5.0), (0.4, 0.2)])
def test_the_motion_ends_on_the_limit_cycle_of_the_closed_form(page, theta, r):
    values, times = {**ONE, "theta": theta, "r": r}, np.array([0.0, 60.0, 60.5])
    cycle = ss.limit_cycle(ss.Ensemble.single(**rates(values), coupling=values["V"], theta=np.pi * theta))
    found, _, order = motion(page, "one", values, start(), times)
    radius, azimuth = np.hypot(*found.T[:2]).T, np.arctan2(found[..., 1], found[..., 0])
    np.testing.assert_allclose(radius[1:], float(cycle.order_parameter), atol=1e-6)
    np.testing.assert_allclose(order, float(cycle.order_parameter), atol=1e-6)
    np.testing.assert_allclose(found[1:, :, 2], float(cycle.inversion), atol=1e-6)
    turned = np.angle(np.exp(1j * (azimuth[2] - azimuth[1])))
    np.testing.assert_allclose(turned / 0.5, float(cycle.frequency), atol=1e-5)


def test_equal_seeds_give_equal_starts_and_kicks_keep_lengths(page):
    found = page.evaluate(
        """() => {
          const vectors = (m) => [...m.x, ...m.y, ...m.z];
          const made = (seed) => new lib.Motion(400, lib.model("one", { V: 3, theta: -0.38, r: 3 }), seed);
          const lengths = (m) => [...m.x].map((x, i) => Math.hypot(x, m.y[i], m.z[i]));
          const one = made(1), settled = made(2);
          settled.advance(40);
          const phase = (m) => Math.atan2(m.mean1, m.mean0);
          const seen = () => ({ order: settled.order, lengths: lengths(settled), phase: phase(settled) });
          const before = seen();
          settled.kick(5);
          const after = seen();
          settled.advance(40);
          const same = (seed) => vectors(one).join() === vectors(made(seed)).join();
          return { same: same(1), other: same(2), start: one.order, lengths: lengths(one), before, after, back: settled.order };
        }"""
    )
    assert [found["same"], found["other"]] == [True, False]
    assert found["start"] < 0.15  # random points: of the order of 1/sqrt(400)
    np.testing.assert_allclose(found["lengths"], 1.0, atol=1e-12)
    before, after = found["before"], found["after"]
    np.testing.assert_allclose(after["lengths"], before["lengths"], atol=1e-12)
    assert 0.15 < after["order"] / before["order"] < 0.5  # (1 + 2 <cos a>)/3 = 1/3 of random turns a
    assert abs(np.angle(np.exp(1j * (after["phase"] - before["phase"])))) > 0.5
    np.testing.assert_allclose(found["back"], before["order"], atol=1e-6)


def test_a_kick_of_clocks_turns_their_hands_and_keeps_heights(page):
    found = page.evaluate(
        """() => {
          const clocks = new lib.Motion(400, lib.model("alone", { width: 0 }));
          clocks.lineUp();
          clocks.kick(3, true);
          const lengths = [...clocks.x].map((x, i) => Math.hypot(x, clocks.y[i]));
          return { heights: [...clocks.z], lengths, order: clocks.order };
        }"""
    )
    np.testing.assert_allclose(found["heights"], 0.0, atol=1e-12)
    np.testing.assert_allclose(found["lengths"], 1.0, atol=1e-12)
    assert found["order"] < 0.15  # of the order of 1/sqrt(400)


def test_a_forgotten_phase_comes_back_when_the_coupling_is_raised_and_not_before(page):
    found = page.evaluate(
        """() => {
          const below = { V: 0.1, theta: -0.38, r: 3 }, above = { ...below, V: 3 }, out = {};
          const motion = new lib.Motion(60, lib.model("one", below));
          motion.advance(300);
          out.forgotten = motion.order;
          motion.set(lib.model("one", above));
          out.given = motion.order;
          motion.advance(15);
          out.later = motion.order;
          const before = [...motion.x].join();
          motion.set(lib.model("one", { ...above, V: 3.1 }));
          return { ...out, kept: before === [...motion.x].join() };
        }"""
    )
    assert found["forgotten"] < 1e-12
    assert found["given"] == pytest.approx(0.02, rel=0.1)
    assert found["later"] > 0.3
    assert found["kept"]  # a coherent state goes on as it is


def test_groups_in_opposition_are_coherent_and_go_on_as_they_are(page):
    found = page.evaluate(
        """() => {
          const values = { V: 5, theta: -0.38, r: 3, alike: 0, V_cross: 2, theta_cross: 0.62 };
          const motion = new lib.Motion(40, lib.model("two", values));
          motion.advance(200);
          const before = [...motion.x], orders = [motion.order, motion.groupOrder(0), motion.groupOrder(1)];
          motion.set(lib.model("two", { ...values, V: 5.1 }));
          return { orders, kept: before.join() === [...motion.x].join() };
        }"""
    )
    assert found["orders"][0] < 0.01
    assert min(found["orders"][1:]) > 0.3
    assert found["kept"]


def test_a_held_spin_stays_and_runs_back_when_it_is_released(page):
    found = page.evaluate(
        """() => {
          const motion = new lib.Motion(50, lib.model("one", { V: 3, theta: -0.38, r: 3 }));
          const at = () => [motion.x[7], motion.y[7], motion.z[7]];
          motion.advance(40);
          motion.hold(7, [0.6, -0.3, 0.2]);
          motion.advance(1);
          const held = at();
          motion.release();
          motion.advance(30);
          return { held, apart: Math.hypot(...at().map((v, k) => v - [motion.mean0, motion.mean1, motion.mean2][k])) };
        }"""
    )
    assert found["held"] == [0.6, -0.3, 0.2]
    assert found["apart"] < 1e-3
