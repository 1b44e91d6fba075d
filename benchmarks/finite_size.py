"""B4: the exact steady state of N spins, against the permutation-symmetric solver of QuTiP.

qutip.piqs builds the matrix of the rate equation of the populations (`Pim`); QuTiP's own steady state needs the Liouvillian of
all coherences, feasible for a few dozen spins only. So this matrix is solved by SciPy's sparse LU, with the fastest ordering:
the best result possible with piqs. Both compute inversion and correlation.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from qutip.piqs.piqs import Pim
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

import spinsync as ss

NAME, SPINS, ALONE = "B4 steady state", 320, (1000, 3000)  # ALONE: the peer would take minutes and more
Result = tuple[float, float]  # inversion, correlation


def laser(spins: int) -> ss.Ensemble:
    """The superradiant laser at maximum power: gain N/2 per spin, no damping, collective decay 1."""
    return ss.Ensemble.single(gain=spins / 2, damping=0.0, coupling=spins / 2, theta=-np.pi / 2)


def damped(spins: int) -> ss.Ensemble:
    """Gain and damping of each spin, three times above threshold."""
    return ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)


def spinsync(ensemble: ss.Ensemble, spins: int) -> Result:
    steady = ss.steady_state(ensemble, theory=ss.Exact(spins))
    return float(steady.inversion[0]), float(steady.correlation[0, 0].real)


def piqs(ensemble: ss.Ensemble, spins: int) -> Result:
    """Solve the rate equation of piqs with one population set to 1, then normalize."""
    group, coupling = ensemble.groups[0], ensemble.rates.coupling[0, 0]
    model = Pim(spins, emission=group.damping, pumping=group.gain, collective_emission=-2 * coupling.imag / spins)
    matrix = csc_array(model.coefficient_matrix())
    j = np.concatenate([np.full(int(2 * j) + 1, j) for j in np.arange(spins / 2, -0.1, -1)])
    m = np.concatenate([np.arange(j, -j - 0.1, -1) for j in np.arange(spins / 2, -0.1, -1)])
    keep = np.arange(m.size) != m.size // 2
    factors = splu(matrix[keep][:, keep].tocsc(), permc_spec="MMD_AT_PLUS_A")
    p = np.ones(m.size)
    p[keep] = factors.solve(-matrix[keep][:, [m.size // 2]].toarray().ravel())
    p /= p.sum()
    z = 2 * (p @ m) / spins
    return z, (p @ ((j + m) * (j - m + 1)) - spins * (1 + z) / 2) / (spins * (spins - 1))


def _seconds(run: Callable[[ss.Ensemble, int], Result], ensemble: ss.Ensemble, spins: int) -> tuple[float, Result]:
    begin = time.perf_counter()
    result = run(ensemble, spins)
    return time.perf_counter() - begin, result


def compare(spins: int, alone: tuple[int, ...], rounds: int) -> list[dict[str, object]]:
    """Median times of interleaved runs, and the difference of the results; then spinsync alone at larger N."""
    rows: list[dict[str, object]] = []
    for model in (laser, damped):
        spinsync(model(20), 20)  # compile
        seconds: dict[str, list[float]] = {"spinsync": [], "qutip.piqs": []}
        results: dict[str, Result] = {}
        for _ in range(rounds):
            for name, run in (("spinsync", spinsync), ("qutip.piqs", piqs)):
                took, results[name] = _seconds(run, model(spins), spins)
                seconds[name].append(took)
        difference = float(abs(np.subtract(results["spinsync"], results["qutip.piqs"])).max())
        best = statistics.median(seconds["spinsync"])
        measured = [(name, spins, statistics.median(took), difference) for name, took in seconds.items()]
        for more in alone:
            took = statistics.median(_seconds(spinsync, model(more), more)[0] for _ in range(3))
            measured.append(("spinsync", more, took, float("nan")))
        for name, number, median, error in measured:
            ratio = median / best if number == spins else float("nan")
            who = f"{name}, {model.__name__}, N = {number}"
            rows.append({"problem": NAME, "spins": number, "who": who, "seconds": median, "ratio": ratio, "error": error})
            print(f"{NAME:<18} {who:<30} {median:9.3f} s {'':12} {ratio:8.2f}   {error:.1e}", flush=True)
    return rows
