"""Regimes against an independent integrator, irregular motion, and diagrams against single regimes."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spinsync as ss
from reference import System, random_bloch
from regime_cases import TABLE, R, regime_of, table_pair
from systems import laser, pair, sampled

# against an independent integrator, and irregular motion


def check_table(row, ensemble, seed):
    found = ss.regime(ensemble, seed=seed)
    assert regime_of(found) is R[row["regime"]]
    assert found.settled
    growth, error = float(found.lyapunov), float(found.lyapunov_error)
    if regime_of(found) is R.IRREGULAR:
        assert growth > 4 * error
        assert growth == pytest.approx(row["lyapunov"], abs=4 * error + 0.05)  # the reference's halves differ by up to 0.02
        return
    assert growth <= error
    np.testing.assert_allclose(found.amplitude, row["amplitude"], atol=1e-3)
    if regime_of(found) is R.INCOHERENT:
        assert np.isnan(found.frequency).all()
    else:
        np.testing.assert_allclose(found.frequency, row["frequency"], atol=1e-3 * row["detuning"])
    if regime_of(found) in (R.FULL, R.INCOHERENT):
        assert growth == pytest.approx(row["lyapunov"], abs=1e-5)
        assert growth < 0


@pytest.mark.parametrize("row", range(0, len(TABLE), 3))
def test_agrees_with_an_independent_integrator(row):
    check_table(TABLE[row], table_pair(TABLE[row]), 0)


@pytest.mark.parametrize("row", range(2, len(TABLE), 8))
def test_distributions_of_one_frequency_agree_with_an_independent_integrator(row):
    check_table(TABLE[row], sampled(table_pair(TABLE[row])), 0)


@pytest.mark.slow(slice=0)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("row", range(len(TABLE)))
def test_agrees_with_an_independent_integrator_at_every_point(row, seed):
    for ensemble in (table_pair(TABLE[row]), sampled(table_pair(TABLE[row]))):
        check_table(TABLE[row], ensemble, seed)


def test_the_table_contains_every_regime():
    assert {row["regime"] for row in TABLE} == {regime.name for regime in R if regime not in (R.UNDECIDED, R.PULSATING)}


def two_trajectories(ensemble, copies=8, span=4.0, rounds=30):
    """Lyapunov exponent of the reference equations by Benettin's method with pairs of trajectories: mean, standard error."""
    run = ss.evolve(ensemble, np.concatenate([[0.0], 200 + 7.3 * np.arange(copies)]), seed=5)
    starts = ss.bloch(run).values[1:]  # (copy, group, 3): states on the attractor
    n = 4 * copies
    rows = {name: np.tile([getattr(g, name) for g in ensemble.groups], 2 * copies) for name in ("gain", "damping", "dephasing")}
    omega = np.tile([g.mean_frequency for g in ensemble.groups], 2 * copies)
    matrix = np.kron(np.eye(2 * copies), ensemble.coupling_matrix) * 2 * copies  # the weights of all add up to 1
    system = System(**rows, omega=omega, weight=np.ones(n), coupling=matrix, bloch=np.zeros((n, 3)))

    def velocity(_t, y):
        ds, dz = system.rhs(y[:n] + 1j * y[n : 2 * n], y[2 * n :])
        return np.concatenate([ds.real, ds.imag, dz])

    distance, rng, rates = 1e-7, np.random.default_rng(0), []
    first = np.concatenate([starts[..., 0].ravel() / 2, -starts[..., 1].ravel() / 2, starts[..., 2].ravel()]).reshape(
        3, copies, 2
    )
    separation = rng.normal(size=first.shape)
    for _ in range(rounds):
        separation *= distance / np.sqrt(np.sum(separation**2, axis=(0, 2), keepdims=True))
        y = np.stack([first, first + separation], axis=1).reshape(-1)  # the first trajectory of each pair, then the second ones
        y = solve_ivp(velocity, (0, span), y, method="DOP853", rtol=1e-9, atol=1e-12).y[:, -1].reshape(3, 2, copies, 2)
        first, separation = y[:, 0], y[:, 1] - y[:, 0]
        rates.append(np.log(np.sqrt(np.sum(separation**2, axis=(0, 2))) / distance) / span)
    means = np.mean(rates[3:], axis=0)  # during the first rounds the separation aligns with the growing direction
    return means.mean(), means.std(ddof=1) / np.sqrt(copies)


IRREGULAR = {
    "of the table": lambda: table_pair(next(row for row in TABLE if row["regime"] == "IRREGULAR")),
    "of the table, second": lambda: table_pair([row for row in TABLE if row["regime"] == "IRREGULAR"][1]),
    "a symmetric pair": lambda: pair(1.1 * float(ss.symmetric_pair(pair(1.0, 400.0)).hopf_detuning), 400.0),
}


@pytest.mark.slow(slice=1)
@pytest.mark.parametrize("name", IRREGULAR)
def test_trajectories_of_irregular_motion_separate_at_its_lyapunov_exponent(name):
    found = ss.regime(IRREGULAR[name]())
    assert regime_of(found) is R.IRREGULAR
    growth, error = two_trajectories(IRREGULAR[name]())
    assert growth > 5 * error
    assert float(found.lyapunov) == pytest.approx(growth, abs=3 * np.hypot(error, float(found.lyapunov_error)))


# diagrams against single regimes


AXES = {
    "a symmetric pair": (pair(1.0, 16.0), {"detuning": [0.5, 4.5, 5.0, 9.0], "coupling": [2.0, 10.0, 20.0]}),
    "phases and rates": (
        table_pair(TABLE[5]),
        {"A.B.theta": [-2.0, 0.4], "B.gain": [2.5, 4.0], "cross_coupling": [0.0, 9.0]},
    ),
    "disorder": (laser(frequency=ss.Gaussian(0.5)), {"coupling": [2.0, 9.0], "theta": [-1.4, -1.0]}),
}


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_point_of_a_diagram_is_its_regime_bit_for_bit(name, threads):
    ensemble, axes = AXES[name]
    start = random_bloch(np.random.default_rng(6), len(ensemble.groups), 0.8)
    diagram = ss.phase_diagram(ensemble, axes, initial=start, threads=threads)
    for index in np.ndindex(*map(len, axes.values())):
        point = {axis: values[k] for k, (axis, values) in zip(index, axes.items(), strict=True)}
        alone = ss.regime(ensemble.replace(**point), initial=start)
        in_diagram = diagram.isel(dict(zip(axes, index, strict=True)), drop=True)
        assert set(alone.data_vars) == set(in_diagram.data_vars)
        for variable in alone.data_vars:
            np.testing.assert_array_equal(in_diagram[variable], alone[variable], err_msg=f"{variable} at {point}")
            assert in_diagram[variable].dtype == alone[variable].dtype
