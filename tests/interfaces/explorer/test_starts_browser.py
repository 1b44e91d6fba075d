"""The two starts of two groups on the page, and the line on what the groups do: against `ss.regime` from the same starts."""

from itertools import pairwise

import numpy as np
import pytest

import spinsync as ss
from browser import chromium
from explorer_views import preset
from spinsync.interfaces.explorer import two_groups
from spinsync.interfaces.explorer.controls import TWO, starts
from stage_alone import stage_page

pytestmark = pytest.mark.browser
DECIDES = preset("two", "The start decides")
ENDS = {  # values, start -> the same for every random cloud
    "the start decides, weak": (DECIDES, "weak"),
    "the start decides, common": (DECIDES, "common"),
    "full": (starts(TWO), "weak"),
    "partial, seen from the side of B": (starts(TWO, detuning=2.5, theta=0.38, r=1 / 3), "weak"),
    "few laps": (starts(TWO, detuning=2.5), "common"),
}


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        opened = stage_page(browser.new_context(), ready="window.stage", kind="one", values={"V": 1}, spins=10)
        opened.evaluate(
            """async () => {
              const names = ["./motion.js", "./starts.js", "./laps.js"];
              window.lib = Object.assign({}, ...await Promise.all(names.map((name) => import(name))));
              window.end();
            }"""
        )
        yield opened
        assert opened.errors == []


def played(page, values, start, *, seed=3, spins=40, until=0.0, common=1.0):
    """Mean vectors of the groups after the start, all spins then, and what is seen of a run until some time."""
    return page.evaluate(
        """([values, start, seed, spins, until, common]) => {
          const motion = new lib.Motion(spins, lib.model("two", values)), laps = new lib.Laps(), told = [];
          motion.common = common;
          if (start === "weak") lib.weakStart(motion, seed);
          else lib.commonStart(motion);
          const means = [0, 1].map((a) => [motion.meanX[a], motion.meanY[a], motion.meanZ[a]]);
          const all = [...motion.x].map((x, i) => [x, motion.y[i], motion.z[i]]);
          for (let k = 0; k * 0.04 < until; k++) {
            motion.advance(0.04);
            laps.push(motion);
            if (k % 25 === 0) told.push(laps.seen());
          }
          return { means, all, seen: laps.seen(), told };
        }""",
        [values, start, seed, spins, until, common],
    )


@pytest.mark.parametrize("spins", [200, 30])
def test_a_weak_start_is_scattered_and_has_the_means_of_the_library(page, spins):
    """Up to a rotation of both groups together, which is another one for each seed."""
    values = starts(TWO, r=5.0)
    expected = ss.bloch(ss.evolve(two_groups.ensemble(values), [0, 1e-9])).values[0]
    turns = []
    for seed in (1, 2, 3):
        found = played(page, values, "weak", seed=seed, spins=spins)
        means, all_spins = np.array(found["means"]), np.array(found["all"])
        s, there = means[:, 0] + 1j * means[:, 1], expected[:, 0] + 1j * expected[:, 1]
        turn = (s / there)[0] / abs((s / there)[0])
        np.testing.assert_allclose(s, turn * there, atol=2e-7)
        np.testing.assert_allclose(means[:, 2], expected[:, 2], atol=2e-4)
        lengths = np.linalg.norm(all_spins, axis=1)
        assert lengths.max() <= 1
        assert np.median(lengths) > 0.95
        assert np.ptp(all_spins[:, 2]) > 0.5
        turns.append(np.angle(turn))
    assert np.ptp(turns) > 0.1


def test_a_strong_start_is_that_of_the_words(page):
    means = played(page, starts(TWO), "common")["means"]
    np.testing.assert_allclose(means, two_groups.COMMON, atol=1e-12)


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("seed", [3, 4])
def test_the_motion_ends_as_the_words_say_and_the_line_measures_it(page, name, seed):
    values, start = ENDS[name]
    found = ss.regime(two_groups.ensemble(values), initial=None if start == "weak" else two_groups.COMMON)
    one, other = found.frequency.values
    seen = played(page, values, start, seed=seed, until=160.0)["seen"]
    if int(found.regime) == ss.Regime.PARTIAL:
        assert seen["every"] == pytest.approx(2 * np.pi / abs(one - other), rel=0.02)
        assert seen["first"] == (one > other)
    else:
        assert seen["every"] == 0
    np.testing.assert_allclose(seen["speeds"], [one, other], atol=0.02)


def test_the_frame_of_the_sphere_does_not_matter(page):
    still, turning = (played(page, DECIDES, "common", until=40.0, common=common)["seen"] for common in (0.0, 1.0))
    assert still["every"] == pytest.approx(turning["every"], rel=1e-3)
    np.testing.assert_allclose(still["speeds"], turning["speeds"], atol=1e-3)


@pytest.mark.parametrize("name", ENDS)
def test_nothing_is_said_before_it_is_clear_and_nothing_wrong_is(page, name):
    values, start = ENDS[name]
    found = ss.regime(two_groups.ensemble(values), initial=None if start == "weak" else two_groups.COMMON)
    told = played(page, values, start, until=60.0)["told"]  # each unit of time
    said = [one for one in told if "every" in one]
    assert said
    measuring = told[: told.index(said[0])]
    assert len(measuring) >= 3
    for now, after in pairwise(measuring):
        assert after["more"] == pytest.approx(max(now["more"] - 1, 0), abs=0.1)
    assert all((one["every"] > 0) == (int(found.regime) == ss.Regime.PARTIAL) for one in said)


def test_a_rhythm_that_fades_is_not_told_as_one_that_goes_on(page):
    told = played(page, preset("two", "No rhythm"), "common", until=60.0)["told"]
    assert told[-1] == {"faint": True}
    assert not any("every" in one for one in told)


def test_silent_groups_are_not_told_of(page):
    assert played(page, starts(TWO, V=0.2), "weak", until=60.0)["seen"] == {"faint": True}
