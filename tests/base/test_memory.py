"""Memory estimates: calls that do not fit are refused before they start, and the estimate is right within a small factor."""

import subprocess
import sys
import tracemalloc
from functools import partial

import numpy as np
import pytest

import spinsync as ss
from spinsync.base import memory
from systems import laser

ANGLES = np.linspace(0, 3, 3000)
MANY = np.linspace(0, 1, 30_000)
PAIR = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
SAMPLED = laser(frequency=ss.Samples(ANGLES[:200]))
LORENTZ = laser().replace(frequency=ss.Lorentzian(1.0))
STEADY = ss.steady_state(laser())
CASES = {
    "mean field": (partial(ss.evolve, laser(), MANY), "times"),
    "distribution": (partial(ss.evolve, LORENTZ, MANY[:1000]), "times"),
    "each": (partial(ss.evolve, LORENTZ, MANY[:1000], each=True), "times"),
    "exact": (partial(ss.evolve, laser(), MANY[:1500], theory=ss.Exact(3)), "times"),
    "exact groups": (partial(ss.evolve, PAIR, MANY[:1500], theory=ss.Exact(2)), "times"),
    "brute force": (partial(ss.evolve, laser(), MANY[:1500], theory=ss.BruteForce(4)), "times"),
    "samples": (partial(ss.evolve, laser(), MANY[:1500], theory=ss.TruncatedWigner(4, 2)), "times"),
    "one spin": (partial(ss.one_spin_equation, laser(), MANY[:1500], theory=ss.BruteForce(4)), "times"),
    "coherence at second order": (
        partial(ss.evolve, SAMPLED, [0.0, 0.01], theory=ss.Cumulants(900), initial=[[1, 0, 0]]),
        "ensemble",
    ),
    "sample": (partial(ss.Gaussian(0.5).sample, 10**6), "count"),
    "split": (partial(PAIR.split, 200), "parts"),
    "diagram": (partial(ss.phase_diagram, laser(), {"coupling": ANGLES[1:101], "dephasing": ANGLES[1:101]}), "axes"),
    "realizations": (
        partial(ss.phase_diagram, laser(frequency=ss.Gaussian(0.5)), {"coupling": [1.0] * 30}, realizations=20, spins=2),
        "axes",
    ),
    "spectrum": (partial(ss.emission_spectrum, laser(), MANY[:4000], theory=ss.Exact(3)), "frequencies"),
    "husimi": (partial(ss.husimi, STEADY, ANGLES[:1000], ANGLES[:300]), "polar"),
    "phase distribution": (partial(ss.phase_distribution, STEADY, MANY), "azimuth"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_estimate_agrees_with_the_memory_of_the_call(case, monkeypatch):
    """With a third of the measured peak the call is refused; with six times the peak it is not."""
    call, name = CASES[case]
    call()  # fills the caches, which are not part of the estimate
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    monkeypatch.setattr(memory, "available", lambda: 6.0 * peak)
    call()
    monkeypatch.setattr(memory, "available", lambda: peak / 3)
    with pytest.raises(ss.InputError, match=f"^Argument `{name}` must .* GiB of memory, and .* may be used"):
        call()


def test_the_message(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2.0**30)
    with pytest.raises(ss.InputError) as caught:
        ss.evolve(laser(), np.linspace(0, 1, 10**7))
    assert str(caught.value) == (
        "Argument `times` must hold at most about 8900000 times for this question and this machine, but holds 10000000: "
        "it would take about 1.1 GiB of memory, and 1 may be used."
    )
    with pytest.raises(ss.InputError) as caught:
        laser().split(10**5)
    assert str(caught.value) == (
        "Argument `parts` must be at most about 5100 for this question and this machine, but is parts=100000: "
        "it would take about 3.7e+02 GiB of memory, and 1 may be used."
    )


@pytest.mark.parametrize(
    ("number", "must"),
    [
        (10**12, r"at most about \d+ for this question and this machine"),
        (2**63, r"below 2\^63"),
        (1e300, r"below 2\^63"),
        (10**400, r"below 2\^63"),
    ],
)
def test_absurd_numbers_are_an_error_message(number, must):
    for call in (ss.Gaussian(0.5).sample, laser().split):
        with pytest.raises(ss.InputError, match=must):
            call(number)


LIMITED = """
import resource
import spinsync as ss
ss.Exact, ss.evolve
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
groups = [ss.Group(3.0, 1.0, frequency=0.1 * k) for k in range(6)]
try:
    ss.evolve(ss.Ensemble(groups, [[5j] * 6] * 6), [0.0, 1.0], theory=ss.Exact(18))
except ss.InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the address limit is unknown or not enforced")
def test_a_limit_set_in_the_shell_counts():
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Argument `spins` must be at most 12 for this question and this machine, but is spins=18")


def test_a_limit_of_the_container_counts(monkeypatch):
    """A memory limit of a control group around this process."""
    monkeypatch.setattr(memory, "_containers", lambda: iter([2.0**30]))
    assert memory.available() == memory.SHARE * 2.0**30
