"""The solvers: functions of a problem and a number of threads that return the time mean of |s| over the second half of the
time span, shape (point, group).

spinsync averages with the smooth window of its diagrams, the others without a window: `reference` computes both.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.problems import Problem
from spinsync.base.parallel import thread_limit
from spinsync.model.rates import Rates
from spinsync.regimes.engines import Engine, cuda_lanes, lanes
from spinsync.regimes.kernels.cuda_lanes import CudaLanes
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import WINDOW_INTEGRAL, Layout
from spinsync.regimes.movers import Batch
from spinsync.theory.mean_field import equations
from spinsync.theory.mean_field.theory import MeanField

Run = Callable[[Problem, int], np.ndarray]


def spinsync_full(problem: Problem, threads: int, kernels: type[Lanes | CudaLanes] = Lanes) -> np.ndarray:
    """The kernels of spinsync over the full time span, without early ending; averages over the second half."""
    plain = kernels(Layout(problem.groups, measured=False, tangent=False), equations)
    measured = kernels(Layout(problem.groups, measured=True, tangent=False), equations)
    states, table = np.tile(problem.start.ravel(), (problem.points, 1)), problem.records
    half = np.full(problem.points, problem.until / 2)
    with thread_limit(threads):
        plain.advance(table, states, half, problem.rtol, 1e-3 * problem.rtol, 1e7)
        sums, _, _ = measured.advance(table, states, half, problem.rtol, 1e-3 * problem.rtol, 1e7)
    return sums["modulus"] / (WINDOW_INTEGRAL * half[:, None])


def spinsync_early(problem: Problem, threads: int, engine: Engine = lanes) -> np.ndarray:
    """The engine of `phase_diagram`: regimes with early ending and all averages."""
    names = tuple("ABC"[: problem.groups])
    single = (None,) * problem.groups
    batch = Batch(rates=problem.rates, distributions=single, names=names, initial=problem.initial, theory=MeanField())
    with thread_limit(threads):
        return engine(batch).amplitude


def spinsync_full_cuda(problem: Problem, threads: int) -> np.ndarray:
    """The full time span on a GPU, including copies to and from it."""
    return spinsync_full(problem, threads, CudaLanes)


def spinsync_early_cuda(problem: Problem, threads: int) -> np.ndarray:
    """The engine of `phase_diagram(device="cuda")`."""
    return spinsync_early(problem, threads, cuda_lanes)


def _averages(groups: int, x: list[Any], rates: list[Any]) -> list[Any]:
    """The quantities that a diagram averages: |s|, z, frequency; phase differences; the order parameter."""
    import heyoka as hy

    size = [hy.sqrt(x[a][0] ** 2 + x[a][1] ** 2 + 1e-24) for a in range(groups)]
    averaged = list(size)
    for a in range(groups):
        frequency = (x[a][1] * rates[a][0] - x[a][0] * rates[a][1]) / (size[a] * size[a])
        averaged += [x[a][2], frequency]
    for a in range(groups):
        for b in range(a + 1, groups):
            product = size[a] * size[b]
            averaged.append((x[a][0] * x[b][0] + x[a][1] * x[b][1]) / product)
            averaged.append((x[a][0] * x[b][1] - x[a][1] * x[b][0]) / product)
    if groups > 1:
        mean = [sum(x[a][i] for a in range(groups)) / groups for i in (0, 1)]
        averaged.append(2.0 * hy.sqrt(mean[0] ** 2 + mean[1] ** 2 + 1e-24))
    return averaged


@cache
def _taylor(groups: int, rtol: float, batch: int, everything: bool) -> Any:
    import heyoka as hy

    x = [hy.make_vars(f"x{a}", f"y{a}", f"z{a}") for a in range(groups)]
    system, rates = [], []
    for a in range(groups):
        X, Y, Z = x[a]
        omega, perp, one, net_gain = (hy.par[4 * a + i] for i in range(4))
        c = [[hy.par[4 * groups + 2 * (groups * a + b) + i] for i in (0, 1)] for b in range(groups)]
        hr = sum(c[b][0] * x[b][0] - c[b][1] * x[b][1] for b in range(groups))
        hi = sum(c[b][0] * x[b][1] + c[b][1] * x[b][0] for b in range(groups))
        rates.append((omega * Y - perp * X - hi * Z, hr * Z - omega * X - perp * Y))
        system += [(X, rates[a][0]), (Y, rates[a][1]), (Z, net_gain - one * Z + 4.0 * (hi * X - hr * Y))]
    averaged = _averages(groups, x, rates)[: None if everything else groups]
    system += [(hy.make_vars(f"q{i}"), value) for i, value in enumerate(averaged)]
    size = 4 * groups + 2 * groups**2
    return hy.taylor_adaptive_batch(system, np.zeros((len(system), batch)), tol=rtol, pars=np.zeros((size, batch)))


def heyoka(problem: Problem, threads: int, batch: int = 8, everything: bool = True) -> np.ndarray:
    """heyoka.py: adaptive Taylor series in batches of eight trajectories, with the same averages as spinsync."""
    groups, count = problem.groups, problem.points
    table, out = problem.table[:, : 4 * groups + 2 * groups**2], np.empty((count, groups))
    start = np.tile(problem.start.ravel()[:, None], (1, batch))
    original = _taylor(groups, problem.rtol, batch, everything)

    def work(first: int) -> None:
        taylor = copy.deepcopy(original)
        for i in range(first * batch, count, batch * threads):
            index = np.minimum(np.arange(i, i + batch), count - 1)
            taylor.pars[:] = table[index].T
            taylor.set_time(0.0)
            taylor.state[: 3 * groups] = start
            taylor.propagate_until(problem.until / 2)
            taylor.state[3 * groups :] = 0.0
            taylor.propagate_until(problem.until)
            out[index] = taylor.state[3 * groups : 4 * groups].T / (problem.until / 2)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return out


def heyoka_amplitude(problem: Problem, threads: int) -> np.ndarray:
    """heyoka.py with the mean of |s| only."""
    return heyoka(problem, threads, everything=False)


@cache
def _diffrax_solver(groups: int, rtol: float, until: float) -> Any:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def rhs(_: Any, y: Any, p: Any) -> Any:
        s, z = y[: 2 * groups : 2] + 1j * y[1 : 2 * groups : 2], y[2 * groups : 3 * groups]
        own = p[: 4 * groups].reshape(groups, 4)
        c = p[4 * groups : 4 * groups + 2 * groups**2].reshape(groups, groups, 2)
        h = (c[:, :, 0] + 1j * c[:, :, 1]) @ s
        ds = -(1j * own[:, 0] + own[:, 1]) * s + 1j * h * z
        dz = -own[:, 2] * z + own[:, 3] + 4 * jnp.imag(h * jnp.conj(s))
        mean = jnp.sqrt(jnp.real(s) ** 2 + jnp.imag(s) ** 2 + 1e-24)
        return jnp.concatenate([jnp.stack([jnp.real(ds), jnp.imag(ds)], 1).ravel(), dz, mean])

    def one(p: Any, y0: Any) -> Any:
        control = diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol, pcoeff=0.2, icoeff=0.5)
        saves = diffrax.SaveAt(ts=jnp.array([until / 2, until]))
        run = diffrax.diffeqsolve(
            diffrax.ODETerm(rhs), diffrax.Tsit5(), 0.0, until, 0.01, y0, p, saveat=saves, stepsize_controller=control,
            max_steps=100_000,
        )  # fmt: skip
        return (run.ys[1] - run.ys[0])[3 * groups :] / (until / 2)

    return jax.jit(jax.vmap(one, in_axes=(0, None)))


def diffrax(problem: Problem, threads: int, platform: str = "cpu") -> np.ndarray:
    """diffrax: Tsit5 with the same tolerance, vectorized over the points; uses all cores."""
    import jax

    groups = problem.groups
    start = np.concatenate([problem.start[:, :2].ravel(), problem.start[:, 2], np.zeros(groups)])
    solver = _diffrax_solver(groups, problem.rtol, problem.until)
    with jax.default_device(jax.devices(platform)[0]):
        return np.asarray(solver(problem.table, start))


def diffrax_cuda(problem: Problem, threads: int) -> np.ndarray:
    """diffrax on the GPU."""
    return diffrax(problem, threads, "cuda")


def reference(problem: Problem, rtol: float = 1e-11) -> tuple[np.ndarray, np.ndarray]:
    """SciPy's DOP853, one trajectory at a time; plain and windowed mean are integrated as further variables."""
    groups, half = problem.groups, problem.until / 2
    out = np.empty((2, problem.points, groups))

    def rhs(t: float, y: np.ndarray, r: Rates) -> np.ndarray:
        s, z = y[:groups] + 1j * y[groups : 2 * groups], y[2 * groups : 3 * groups]
        h = r.coupling @ (r.weight * s)
        ds = -(1j * r.omega + r.gamma_perp) * s + 1j * h * z
        dz = -r.gamma_1 * z + r.net_gain + 4 * np.imag(h * s.conj())
        u = max(t - half, 0.0) / half
        return np.concatenate([ds.real, ds.imag, dz, abs(s), (4 * u * (1 - u)) ** 6 / WINDOW_INTEGRAL * abs(s)])

    x, y, z = problem.start.T
    for n in range(problem.points):
        start = np.concatenate([x, y, z, 0 * x, 0 * x])
        rates, ends = problem.rates.at((n,)), [half, problem.until]
        run = solve_ivp(
            rhs, (0, problem.until), start, "DOP853", ends, rtol=rtol, atol=1e-13, args=(rates,), max_step=half / 100
        )
        out[:, n] = (run.y[3 * groups :, 1] - run.y[3 * groups :, 0]).reshape(2, groups) / half
    return out[0], out[1]
