"""B3: a million detuned spins, each with its own frequency, against NumPy and SciPy's DOP853.

DOP853 must resolve the fastest spin, which in this sample rotates half a million times faster than the coherence decays. So it
solves a smaller problem, `few` spins with frequencies up to `CUT` until `shortened`, and its time is scaled by the numbers of
spins and time units. This is the time for a distribution with truncated tails; spinsync does not truncate them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

import spinsync as ss
from spinsync.base.parallel import thread_limit
from spinsync.problems.spins_in_fields import waveform_relaxation
from spinsync.theory.mean_field.sampled_spins import many_spins

NAME, SPINS, UNTIL, RTOL = "B3 million spins", 1_000_000, 50.0, 1e-6
CUT = 100.0  # largest frequency for DOP853, in half widths
START = np.array([[0.1, 0.04, 0.3]])


def model(samples: ss.Samples) -> ss.Ensemble:
    return ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2, frequency=samples)


def order_parameter(samples: ss.Samples, times: np.ndarray, rtol: float, threads: int) -> np.ndarray:
    """R(t) by the solver that `evolve` calls."""
    one = model(samples)
    problem = many_spins(one.rates, (samples,), one.names, START, rtol, rtol / 100, False, lambda: None)
    with thread_limit(threads):
        solution = waveform_relaxation.integrate(problem, times)
    return 2 * np.hypot(solution.means[:, 0, 0], solution.means[:, 0, 1])


def dop853(samples: ss.Samples, times: np.ndarray, rtol: float) -> np.ndarray:
    """R(t) by SciPy, with all spins in one vector."""
    rates, n = model(samples).rates, samples.values.size
    decay = 1j * samples.values + rates.gamma_perp[0]

    def rhs(_: float, y: np.ndarray) -> np.ndarray:
        s, z = y[:n] + 1j * y[n : 2 * n], y[2 * n :]
        h = rates.coupling[0, 0] * s.mean()
        ds = 1j * h * z - decay * s
        return np.concatenate([ds.real, ds.imag, rates.net_gain[0] - rates.gamma_1[0] * z + 4 * np.imag(h * s.conj())])

    x, y, z = START[0] * [0.5, -0.5, 1.0]
    run = solve_ivp(rhs, times[[0, -1]], np.repeat([x, y, z], n), "DOP853", times, rtol=rtol, atol=rtol / 100)
    return 2 * np.hypot(run.y[:n].mean(axis=0), run.y[n : 2 * n].mean(axis=0))


def truncated(count: int) -> ss.Samples:
    values = ss.Lorentzian(1.0).sample(2 * count).values
    return ss.Samples(values[abs(values) <= CUT][:count])


def bytes_per_spin(spins: int) -> float:
    """Difference in peak memory between a large and a small short run, each in its own process, per spin."""
    code = "from benchmarks import many_spins; many_spins.memory({})"
    peaks = [
        float(subprocess.run([sys.executable, "-c", code.format(n)], check=True, capture_output=True, text=True).stdout)
        for n in (1000, spins)
    ]
    return (peaks[1] - peaks[0]) / spins


def memory(spins: int) -> None:
    ss.evolve(model(ss.Lorentzian(1.0).sample(spins)), np.linspace(0, 2, 21), theory=ss.MeanField(rtol=RTOL), initial=START)
    status = Path("/proc/self/status").read_text(encoding="ascii")  # getrusage would include the peak of the parent
    print(1024 * int(status.split("VmHWM:")[1].split()[0]))


def compare(spins: int, rounds: int, cores: int) -> list[dict[str, object]]:
    """Median times, errors of R(t) and bytes per spin. The errors are for a fiftieth of the spins, relative to rtol = 1e-11,
    which is compared with DOP853 for a thousand spins."""
    times, full, part = np.linspace(0, UNTIL, 501), ss.Lorentzian(1.0).sample(spins), ss.Lorentzian(1.0).sample(spins // 50)
    order_parameter(part, times[:2], RTOL, 1)  # compile
    tight = order_parameter(part, times, 1e-11, cores)
    error = float(abs(order_parameter(part, times, RTOL, cores) - tight).max())
    cut, short = truncated(1000), times[times <= 5.0]
    reference_error = float(abs(order_parameter(cut, short, 1e-11, cores) - dop853(cut, short, 1e-12)).max())
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, threads in (("spinsync, 1 core", 1), (f"spinsync, {cores} cores", cores)):
            begin = time.perf_counter()
            order_parameter(full, times, RTOL, threads)
            seconds.setdefault(name, []).append(time.perf_counter() - begin)
    few, shortened = truncated(10_000), 1.0
    begin = time.perf_counter()
    dop853(few, times[times <= shortened], RTOL)
    scale = spins / few.values.size * UNTIL / shortened
    seconds["DOP853, tails cut off, scaled"] = [(time.perf_counter() - begin) * scale]
    memory = bytes_per_spin(spins)
    best = statistics.median(seconds[f"spinsync, {cores} cores"])
    rows: list[dict[str, object]] = []
    for name, measured in seconds.items():
        median, own = statistics.median(measured), "spinsync" in name
        rows.append({"problem": NAME, "spins": spins, "who": name, "seconds": median, "ratio": median / best})
        rows[-1] |= {"error": error, "bytes_per_spin": memory} if own else {}
        tail = f"{error:.1e}   {memory:.0f} bytes a spin" if own else ""
        print(f"{NAME:<18} {name:<30} {median:9.3f} s {'':12} {median / best:8.2f}   {tail}", flush=True)
    rows.append(
        {"problem": NAME, "who": "spinsync at rtol = 1e-11", "against": "DOP853 at 1e-12, 1000 spins", "error": reference_error}
    )
    print(
        f"{NAME:<18} spinsync at rtol = 1e-11 against DOP853 at 1e-12, 1000 spins up to t = 5: {reference_error:.1e}",
        flush=True,
    )
    return rows
