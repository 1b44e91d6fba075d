"""Runs that continue results: two joined runs equal one, rates may change between them, and an incomplete state is an error."""

import re
from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import expm

import spinsync as ss
from reference import random_bloch, random_system
from spinsync.base import memory
from spinsync.problems.linear.products.operator import needed_bytes
from spinsync.problems.linear.state_lattice.truncation import area
from spinsync.theory.permutation.dicke import full_window
from systems import HALF_PI, laser

JOINED = 1e-9  # ten times the sum of the error tolerances of the steps
WEAK = ss.Ensemble.single(gain=0.5, damping=0.0, coupling=0.5, theta=-HALF_PI)
PAIR = ss.Ensemble.pair(
    detuning=1.0, gain=(3.0, 2.0), damping=1.0, coupling=6.0, theta=-1.2, cross_theta=(-0.4, 0.3), weights=(1, 2)
)
START = [[0.3, 0.1, 0.2], [0.0, 0.5, -0.1]]
SWITCHED = PAIR.replace(gain=0.4, detuning=3.0, dephasing=0.2)
FINITE = {
    "one group": (WEAK.replace(theta=-1.0, dephasing=0.1), ss.Exact(20), [[0.3, 0.1, 0.2]]),
    "two groups": (PAIR, ss.Exact(6), START),
    "brute force": (PAIR, ss.BruteForce(3), START),
    "cumulants with coherence": (PAIR, ss.Cumulants(30, rtol=1e-11), START),
    "cumulants": (PAIR, ss.Cumulants(30, rtol=1e-11), None),
}
CLASSES, TAILS = laser(frequency=ss.Gaussian(0.5)), laser(frequency=ss.Lorentzian(0.5))
FEW = ss.Cumulants(30)


def largest_difference(one: xr.Dataset, other: xr.Dataset) -> float:
    """Largest difference of all variables but the kept state; both must be NaN at the same places."""
    names = [name for name in one.data_vars if "state" not in name]
    assert {"inversion", "order_parameter"} <= set(names)
    for name in names:
        assert np.array_equal(np.isnan(one[name]), np.isnan(other[name]))
    return max(float(np.nan_to_num(abs(one[name].values - other[name].values)).max()) for name in names)


@pytest.mark.parametrize("case", FINITE)
def test_two_joined_runs_equal_one(case):
    ensemble, theory, start = FINITE[case]
    times = np.linspace(0, 2, 9)
    whole = ss.evolve(ensemble, times, theory=theory, initial=start)
    first = ss.evolve(ensemble, times[:4], theory=theory, initial=start, keep_state=True)
    then = ss.evolve(ensemble, times[3:], theory=theory, initial=first, keep_state=True)
    assert largest_difference(then, whole.isel(time=slice(3, None))) < JOINED
    last = ss.evolve(ensemble, times[-1:], theory=theory, initial=then.isel(time=-1))
    assert ("coherence" in last) == ("coherence" in whole)
    assert largest_difference(last, whole.isel(time=[-1])) < JOINED


def test_a_continued_run_keeps_its_correlations():
    """During the transient of a laser: the coherence is 0, but R = 0.632429."""
    times = np.linspace(0, 25, 51)
    whole = ss.evolve(WEAK, times, theory=ss.Exact(20), initial=[[0.0, 0.0, 1.0]])
    first = ss.evolve(WEAK, times[:41], theory=ss.Exact(20), initial=[[0.0, 0.0, 1.0]], keep_state=True)
    then = ss.evolve(WEAK, times[40:], theory=ss.Exact(20), initial=first)
    assert abs(float(then.order_parameter[0]) - 0.632429) < 5e-7
    assert largest_difference(then, whole.isel(time=slice(40, None))) < JOINED


def dense(spins: int, gain: float, damping: float, dephasing: float, omega: float, coupling: complex) -> np.ndarray:
    """Equation (2.2) of one group as a dense matrix on raveled density matrices, independent of the package; sin(theta) < 0."""
    lower = [np.kron(np.kron(np.eye(2**i), [[0, 0], [1, 0]]), np.eye(2 ** (spins - 1 - i))) for i in range(spins)]
    raised, one = [a.T for a in lower], np.eye(2**spins)
    z = [b @ a - a @ b for a, b in zip(lower, raised, strict=True)]
    down = sum(lower)
    h = omega / 2 * sum(z) + coupling.real / spins * (down.T @ down - sum(b @ a for a, b in zip(lower, raised, strict=True)))
    jumps = [np.sqrt(gain) * b for b in raised] + [np.sqrt(damping) * a for a in lower]
    jumps += [np.sqrt(dephasing / 2) * a for a in z] + [np.sqrt(-2 * coupling.imag / spins) * down]
    total = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for jump in jumps:
        both = jump.T @ jump
        total = total + np.kron(jump, jump) - (np.kron(both, one) + np.kron(one, both.T)) / 2
    return total


@pytest.mark.parametrize("theory", [ss.Exact(3), ss.BruteForce(3)])
def test_switched_gain_agrees_with_dense_matrix_exponentials(theory):
    c, bloch = 6 * np.exp(-1.0j), np.array([0.3, 0.1, 0.2])
    on = laser(coupling=6.0, theta=-1.0, frequency=0.7, dephasing=0.1)
    first = ss.evolve(on, [0.0, 0.4], theory=theory, initial=[bloch], keep_state=True)
    then = ss.evolve(on.replace(gain=0.2, frequency=-1.0), [0.4, 0.9], theory=theory, initial=first)
    s, z = (bloch[0] - 1j * bloch[1]) / 2, bloch[2]
    rho = np.array([[(1 + z) / 2, s], [np.conj(s), (1 - z) / 2]])
    rho = np.kron(np.kron(rho, rho), rho).ravel()
    rho = expm(0.4 * dense(3, 3.0, 1.0, 0.1, 0.7, c)) @ rho
    rho = (expm(0.5 * dense(3, 0.2, 1.0, 0.1, -1.0, c)) @ rho).reshape(8, 8)
    a, b = (np.kron(np.kron(x, y), np.eye(2)) for x, y in (([[0, 0], [1, 0]], np.eye(2)), (np.eye(2), [[0, 0], [1, 0]])))
    assert abs(complex(then.coherence[-1, 0]) - np.trace(a @ rho)) < 1e-10
    assert abs(complex(then.correlation[-1, 0, 0]) - np.trace(a.T @ b @ rho)) < 1e-10
    assert abs(float(then.inversion[-1, 0]) - np.trace((a.T @ a - a @ a.T) @ rho).real) < 1e-10


def test_continued_runs_of_exact_and_brute_force_agree():
    runs = []
    for theory in (ss.Exact(6), ss.BruteForce(6)):
        first = ss.evolve(PAIR, [0.0, 0.3], theory=theory, initial=START, keep_state=True)
        runs.append(ss.evolve(SWITCHED, [0.0, 0.1, 1.0], theory=theory, initial=first))
    assert largest_difference(*runs) < JOINED


@pytest.mark.parametrize(
    ("ensemble", "theory"),
    [(laser(), ss.Exact(150)), (PAIR, ss.Exact(6)), (PAIR, ss.BruteForce(3)), (PAIR, ss.Cumulants(30, rtol=1e-9))],
    ids=str,
)
def test_runs_continue_steady_states(ensemble, theory):
    """They stay stationary without a change of rates. That of 150 spins is computed in a truncation window of the lattice."""
    steady = ss.steady_state(ensemble, theory=theory)
    still = ss.evolve(ensemble, [0.0, 0.1], theory=theory, initial=steady)
    assert np.nanmax(abs(still.correlation.values - steady.correlation.values)) < JOINED
    assert "coherence" not in still or abs(still.coherence).max() == 0
    off = ss.evolve(ensemble.replace(gain=0.0), [0.0, 1e-4], theory=theory, initial=steady)
    z, c, share = steady.inversion.values, steady.correlation.values, np.array([g.weight for g in ensemble.groups])
    if theory.spins == 150:  # dz/dt = -gamma (1 + z) + 4 Im sum_{j != i} C_ij c_ij, with the rates of (2.4)
        total_decay = 1.0 + 2 * 12.0 / 150
        slope = -total_decay * (1 + z) - 4 * 12 * share * (1 - 1 / 150) * c[0, 0].real
        assert np.diff(off.inversion.values, axis=0)[0] / 1e-4 == pytest.approx(slope, rel=5e-3)  # of second order in time
    again = ss.rerun(off)
    assert again.identical(off)


def test_a_chain_of_runs_is_repeated_from_its_record(tmp_path):
    first = ss.evolve(PAIR, [0.0, 0.1, 0.3], theory=ss.Exact(6), seed=4, keep_state=True)
    first.to_zarr(tmp_path / "first.zarr", consolidated=False)
    back = xr.open_zarr(tmp_path / "first.zarr", consolidated=False).load()
    assert back.identical(first)
    assert back.state_0.dtype == back.state_1.dtype == complex
    second = ss.evolve(SWITCHED, [1.0, 1.5], theory=ss.Exact(6), initial=back, keep_state=True)
    third = ss.evolve(PAIR, [1.5, 2.0, 2.5], theory=ss.Exact(6), initial=second)
    assert ss.rerun(third).identical(third)
    assert ss.model_of(third) == PAIR
    part = ss.rerun(first.isel(time=slice(0, 2)))  # the kept state is still that of the last time of the run
    assert part.attrs == first.attrs
    np.testing.assert_allclose(part.state_1, first.state_1, rtol=0, atol=1e-12)
    assert len(third.attrs["initial"]) < 3 * len(second.attrs["initial"])  # records are nested as values, not as quoted text


@cache
def kept() -> xr.Dataset:
    return ss.evolve(PAIR, [0.0, 0.1, 0.3], theory=ss.BruteForce(3), initial=START, keep_state=True)


@cache
def moments() -> xr.Dataset:
    return ss.evolve(PAIR, [0.0, 0.1], theory=FEW, keep_state=True)


def plain() -> xr.Dataset:
    return kept().drop_vars(["state_0", "state_1"])


def on(initial, ensemble=PAIR, theory=ss.BruteForce(3), question=ss.evolve, **options):  # noqa: B008
    return question(ensemble, [0.0, 1.0], theory=theory, initial=initial, **options)


REFUSED = {
    "no state": (lambda: on(plain()), "a run with keep_state=True to go on at a finite number of spins, but has kept no stat"),
    "not the end": (lambda: on(kept().isel(time=1)), "reach the last time 0.3 of its run, whose state is kept, but ends at 0"),
    "no time": (lambda: on(kept().drop_vars("time")), "reach the last time 0.3 of its run, whose state is kept, but has no "),
    "changed": (lambda: on(kept().assign(state_0=2 * kept().state_0)), "hold the state as it was kept, but it has been cha"),
    "cut": (lambda: on(kept().isel(component_1=slice(3))), "hold the state as it was kept, but it has been cha"),
    "changed moments": (
        lambda: on(moments().assign(state_moments=1.1 * moments().state_moments), theory=FEW),
        "hold the state as it was kept, but it has been cha",
    ),
    "other classes of moments": (
        lambda: on(ss.evolve(TAILS, [0.0, 0.1], theory=FEW, keep_state=True), TAILS.replace(dephasing=3.0), FEW),
        "must have the frequency classes of group 'A', but has others",
    ),
    "theory": (lambda: on(kept(), theory=ss.Exact(3)), "a result of Exact to go on from, but is one of BruteForce;"),
    "mean field": (lambda: on(kept(), theory=ss.MeanField()), "a result of MeanField to go on from, but is one of BruteForce;"),
    "trajectories": (
        lambda: on(ss.steady_state(laser(), theory=ss.Trajectories(2, rtol=0.5)), laser(), ss.Trajectories(2)),
        "Bloch vectors for Trajectories, which keeps no state to go on from; Cumulants, Exact or BruteForce keeps one.",
    ),
    "spins": (lambda: on(kept(), theory=ss.BruteForce(6)), "as many spins in each group, [2, 4], but is one of [1, 2]."),
    "sizes": (lambda: on(kept(), PAIR.replace(weights=(2, 1))), "as many spins in each group, [2, 1], but is one of [1, 2]."),
    "groups": (lambda: on(kept(), PAIR.split(2), ss.BruteForce(6)), "a result of the groups A_1, A_2, B_1, B_2, but"),
    "question": (lambda: on(ss.limit_cycle(laser())), "Bloch vectors or a result of evolve or steady_state, but is one of li"),
    "several": (
        lambda: on(xr.concat([plain(), plain()], "spins")), "must be of one run, but is of several numbers of spins.",
    ),
    "no times": (lambda: on(plain().isel(time=slice(0, 0))), "must hold a time to go on from, but holds none."),
    "empty dataset": (lambda: on(xr.Dataset()), "a result of spinsync, but is a Dataset without a model."),
    "another steady state": (
        lambda: on(ss.steady_state(PAIR, theory=ss.BruteForce(3)).assign(inversion=("group", [0.0, 1.0]))),
        "a steady state of the model that it records, but is one of another.",
    ),
    "vectors": (lambda: on(ss.bloch(kept()).isel(time=-1)), "a complete state, but its Bloch vectors have lost the correlati"),
    "vectors for mean field": (lambda: on(ss.bloch(kept()).isel(time=-1), theory=ss.MeanField()), "have lost the correlations"),
    "vectors for one_spin_equation": (
        lambda: on(ss.bloch(kept()).isel(time=-1), question=ss.one_spin_equation), "have lost the correlations of their run",
    ),
    "mean over classes": (lambda: on(ss.evolve(CLASSES, [0.0, 1.0]), CLASSES, ss.MeanField()), "lost the frequency classes"),
    "regime": (lambda: ss.regime(PAIR, initial=kept()), "a result of MeanField to go on from, but is one of BruteForce;"),
    "spins of classes": (
        lambda: on(ss.evolve(CLASSES, [0.0, 1.0], each=True), CLASSES, ss.MeanField()),
        "must hold one Bloch vector for each group unless each=True, but holds",
    ),
    "other classes": (
        lambda: on(ss.evolve(CLASSES, [0.0, 1.0], each=True), CLASSES.replace(gain=2.0), ss.MeanField(), each=True),
        "must have the frequency classes of group 'A', but has others",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_result_that_cannot_be_continued_is_an_error(case):
    ask, message = REFUSED[case]
    with pytest.raises(ss.InputError, match=rf"Argument `initial` must .*{re.escape(message)}|{re.escape(message)}") as caught:
        ask()
    assert str(caught.value).startswith("Argument `initial` must ")


KEPT_BY = "with Cumulants, Exact or BruteForce it may be True."


@pytest.mark.parametrize(
    ("theory", "message"),
    [
        (
            ss.MeanField(),
            "must be False for MeanField, whose Bloch vectors are its full state: `initial` takes any of its results, with "
            f"each=True where a frequency is distributed; {KEPT_BY}",
        ),
        (ss.TruncatedWigner(10, 2), f"must be False for TruncatedWigner, whose state is a set of samples; {KEPT_BY}"),
        (ss.Trajectories(10), f"must be False for Trajectories, which has as many states as trajectories; {KEPT_BY}"),
        (ss.Exact(10), "must be True or False, but is keep_state=1."),
    ],
    ids=str,
)
def test_keep_state_without_effect_is_an_error(theory, message):
    with pytest.raises(ss.InputError, match="Argument `keep_state` " + re.escape(message)):
        ss.evolve(laser(), [0.0, 1.0], theory=theory, keep_state=1 if theory == ss.Exact(10) else True)


def without(result, attribute):
    attributes = {name: value for name, value in result.attrs.items() if name != attribute}
    return result.drop_attrs().assign_attrs(attributes)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (lambda: without(kept(), "theory"), "Argument `theory` must be recorded in the result as the question wrote it"),
        (lambda: without(kept(), "end"), "Argument `end` must be a real number, but is end=None."),
        (
            lambda: ss.bloch(kept()).isel(time=-1).assign_attrs(lost="much"),
            "Argument `initial` must be a complete state, but its Bloch vectors have lost much of their run.",
        ),
    ],
    ids=["theory", "end", "lost"],
)
def test_a_result_with_changed_attributes_cannot_be_continued(initial, message):
    with pytest.raises(ss.InputError, match=re.escape(message)):
        on(initial())


def test_keep_state_of_sampled_spins_is_an_error():
    with pytest.raises(ss.InputError, match="Argument `keep_state` must be False for MeanField"):
        ss.evolve(laser(frequency=ss.Samples(np.linspace(-1, 1, 600))), [0.0, 1.0], keep_state=True)


def test_runs_continue_from_product_states():
    """From the first time of a run, from arrays, and from any time of a single spin."""
    whole = ss.evolve(PAIR, [0.0, 0.3], theory=ss.BruteForce(3), initial=START)
    for start in (
        plain().isel(time=0),
        kept().isel(time=0),
        ss.bloch(kept()).isel(time=0),
        ss.bloch(kept()).isel(time=0).values,
    ):
        assert largest_difference(ss.evolve(PAIR, [0.0, 0.3], theory=ss.BruteForce(3), initial=start), whole) < 1e-14
    flat = ss.evolve(PAIR, [0.0, 0.1], theory=ss.BruteForce(3), initial=ss.bloch(kept()).isel(time=-1).values)
    assert abs(flat.correlation[0, 0, 1] - kept().correlation[-1, 0, 1]) > 0.01  # the product state has no correlations
    alone = ss.evolve(laser(), [0.0, 0.5, 1.0], theory=ss.Exact(1), initial=[[0.5, 0.0, 0.0]])
    halves = ss.evolve(laser(), [0.5, 1.0], theory=ss.Exact(1), initial=ss.bloch(alone).isel(time=1))
    assert largest_difference(halves, alone.isel(time=slice(1, None))) < 1e-12
    later = ss.evolve(PAIR, [0.3, 0.4], theory=ss.BruteForce(3), initial=kept())
    assert "whole_at" not in ss.bloch(later).attrs  # it is a product state at no time
    with pytest.raises(ss.InputError, match="have lost the correlations"):
        on(ss.bloch(later).isel(time=0))


def test_keep_state_that_does_not_fit_into_memory_is_an_error(monkeypatch):
    """It needs two vectors more than the run itself, which fits: the initial state with its sites."""
    problem = ss.Exact(12).lower(PAIR, None, 0)
    pair_needs = needed_bytes(problem.sectors.subsystems.sizes) + 8.0 * (
        problem.sectors.trace.size + problem.sectors.observable.size
    )
    one_needs = 2 * 2 * 16 * area(full_window(200))
    for ensemble, spins, limit in ((laser(), 200, one_needs), (PAIR, 12, pair_needs)):
        monkeypatch.setattr(memory, "available", lambda limit=limit: limit)
        ss.evolve(ensemble, [0.0], theory=ss.Exact(spins))
        with pytest.raises(
            ss.InputError, match=r"Argument `spins` must be at most about \d+ for this question and this machine"
        ):
            ss.evolve(ensemble, [0.0], theory=ss.Exact(spins), keep_state=True)


@pytest.mark.parametrize(
    "ensemble", [random_system(1, 3).ensemble(), CLASSES, laser(frequency=ss.Samples(np.linspace(-1, 1, 7)))], ids=str
)
def test_mean_field_continues_any_run(ensemble):
    times, each = np.linspace(0, 2, 9), any(group.distribution is not None for group in ensemble.groups)
    whole = ss.evolve(ensemble, times, each=each, seed=1)
    for start in (whole.isel(time=slice(0, 4)), whole.isel(time=3), ss.bloch(whole).isel(time=3)):
        then = ss.evolve(ensemble, times[3:], each=each, initial=start)
        assert abs(then.coherence - whole.coherence[3:]).max() < 1e-8
        assert ss.rerun(then).identical(then)


def test_samples_stay_the_same_spins_when_rates_change():
    samples = laser(frequency=ss.Samples(np.linspace(-1, 1, 7)))
    first = ss.evolve(samples, [0.0, 1.0], each=True)
    then = ss.evolve(samples.replace(gain=1.0), [1.0, 1.5], each=True, initial=first)
    np.testing.assert_array_equal(then.spin_coherence[0], first.spin_coherence[-1])
    regrouped = ss.evolve(laser().split(3), [0.0, 1.0], initial=random_bloch(np.random.default_rng(0), 6), each=True)
    assert ss.evolve(laser().split(3), [1.0, 2.0], initial=regrouped, each=True).sizes["spin"] == 6


def test_mean_field_questions_take_a_result_as_initial():
    """The result is equivalent to its Bloch vectors at the last time."""
    run = ss.evolve(PAIR, [0.0, 3.0], seed=2)
    last = ss.bloch(run).isel(time=-1).values
    assert ss.regime(PAIR, initial=run).identical(ss.regime(PAIR, initial=last))
    axes = {"detuning": [0.0, 1.0]}
    assert ss.phase_diagram(PAIR, axes, initial=run).identical(ss.phase_diagram(PAIR, axes, initial=last))
    assert ss.steady_state(PAIR, initial=run).identical(ss.steady_state(PAIR, initial=last))
    steady = ss.steady_state(PAIR)
    still = ss.evolve(PAIR, [0.0, 1.0], initial=steady)
    np.testing.assert_allclose(abs(still.coherence[-1]), abs(steady.coherence), rtol=1e-8)
    with pytest.raises(ss.InputError, match="must be None at finite N"):
        ss.steady_state(PAIR, theory=ss.BruteForce(3), initial=kept())


def test_the_one_spin_equation_continues_a_run():
    whole = ss.one_spin_equation(PAIR, [0.0, 0.3, 0.5], theory=ss.BruteForce(3), initial=START)
    then = ss.one_spin_equation(PAIR, [0.3, 0.5], theory=ss.BruteForce(3), initial=kept())
    np.testing.assert_allclose(then.coherence_identity, whole.coherence_identity[1:], rtol=0, atol=JOINED)
