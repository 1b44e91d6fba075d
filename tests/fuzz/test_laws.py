"""Random models, whose answers must agree with a second theory, a symmetry or a closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import spinsync as ss
from ledger import answered, call, sure
from models import (
    ANGLES,
    FREQUENCIES,
    RATES,
    SURE_RATES,
    any_groups,
    cavities,
    distributions,
    models,
    numbers,
    pairs,
    singles,
    times,
    vectors,
)
from runs import SEED, examples

RUN = 1e-6  # error of runs of a few relaxation times, whose steps have the tolerance 1e-8
EXACT = 1e-8  # of dense linear algebra with rates up to 20


def _rotated(m: list[float], angle: float) -> list[float]:
    """A Bloch vector rotated about z."""
    c, s = np.cos(angle), np.sin(angle)
    return [c * m[0] - s * m[1], s * m[0] + c * m[1], m[2]]


@pytest.mark.seconds(4)
@given(singles(), vectors(), ANGLES, times(), st.integers(2, 3))
@examples(90)
@seed(SEED)
def test_one_group_in_mean_field(one: ss.Ensemble, start: list[float], angle: float, moments: list[float], parts: int) -> None:
    run = sure("evolve", ss.evolve, one, moments, initial=[start])
    rotated = _rotated(start, angle)
    other = sure("evolve", ss.evolve, one, moments, initial=[rotated])  # rotating all phases rotates the answer
    assert_allclose(other.coherence, run.coherence * np.exp(-1j * angle), atol=RUN)
    assert_allclose(other.inversion, run.inversion, atol=RUN)
    split = sure("evolve", ss.evolve, one.split(parts), moments, initial=[start] * parts)  # equal parts move as the whole
    assert_allclose(split.coherence, np.repeat(run.coherence, parts, axis=1), atol=RUN)
    assert sure("rerun", ss.rerun, run).identical(run)
    later = run.isel(time=slice(1, None))
    assert_allclose(sure("rerun", ss.rerun, later).coherence, later.coherence, atol=RUN)
    m = sure("bloch", ss.bloch, run)
    assert_allclose(m[0], [start], atol=1e-12)
    assert_allclose(np.hypot(m[..., 0], m[..., 1]).values[:, 0], run.order_parameter, atol=1e-12)
    assert sure("model_of", ss.model_of, run) == one


@given(singles(), FREQUENCIES)
@examples(160)
@seed(SEED)
def test_the_limit_cycle_solves_the_equations(one: ss.Ensemble, moved: float) -> None:
    threshold, cycle = sure("critical_coupling", ss.critical_coupling, one), sure("limit_cycle", ss.limit_cycle, one)
    strength = abs(one.coupling_matrix[0, 0])
    if abs(strength - threshold) > 1e-9 * strength:
        assert bool(cycle.synchronized) == (strength > threshold)
    if not cycle.synchronized:
        assert np.isnan(cycle.frequency)
        return
    ahead = sure("limit_cycle", ss.limit_cycle, one.replace(frequency=one.groups[0].frequency + moved))
    assert_allclose(ahead.frequency, cycle.frequency + moved, atol=1e-9)
    s, z, moments = float(cycle.amplitude), float(cycle.inversion), np.array([0.0, 0.3, 1.0])
    run = sure("evolve", ss.evolve, one, moments, initial=[[2 * s, 0.0, z]])
    assert_allclose(run.coherence[:, 0], s * np.exp(-1j * float(cycle.frequency) * moments), atol=RUN)
    assert_allclose(run.inversion[:, 0], z, atol=RUN)


@pytest.mark.seconds(10)
@given(singles(), vectors(), st.integers(1, 4), times())
@examples(60)
@seed(SEED)
def test_exact_and_brute_force_agree_on_one_group(
    one: ss.Ensemble, start: list[float], spins: int, moments: list[float]
) -> None:
    exact, brute = sure("Exact", ss.Exact, spins), sure("BruteForce", ss.BruteForce, spins)
    options: dict[str, Any] = {"initial": [start]}
    a, b = (sure("evolve", ss.evolve, one, moments, theory=theory, **options) for theory in (exact, brute))
    for name in ("coherence", "inversion", "correlation", "inversion_correlation"):
        assert_allclose(a[name], b[name], atol=EXACT, err_msg=name)
    assert_allclose(a.order_parameter, b.order_parameter, atol=2 * EXACT**0.5)  # the root of a correlation
    _agree("steady_state", ss.steady_state, one, exact, brute, "inversion", "correlation", "inversion_correlation")
    _agree("entropy", ss.entropy, one, exact, brute, "entropy", "purity")
    _agree("linewidth", ss.linewidth, one, exact, brute, "linewidth", atol=1e-6)  # lines of several frequencies can be as slow
    light = [call("emission_spectrum", ss.emission_spectrum, one, [-3.0, 0.0, 2.0], theory=t) for t in (exact, brute)]
    if answered("emission_spectrum", *light):
        assert_allclose(light[0].emission, light[1].emission, atol=1e-7, rtol=1e-6)
    _agree("photon_statistics", ss.photon_statistics, one, exact, brute, "g2", atol=1e-3)  # as far as light is not refused
    if spins > 1:
        sides = sure("one_spin_equation", ss.one_spin_equation, one, moments, theory=brute, **options)
        for name in ("coherence", "inversion"):
            assert_allclose(sides[f"{name}_rate"], sides[f"{name}_identity"], atol=1e-9)


def _agree(name: str, question: Any, model: ss.Ensemble, first: Any, second: Any, *variables: str, atol: float = EXACT) -> None:
    a, b = call(name, question, model, theory=first), call(name, question, model, theory=second)
    if not answered(name, a, b):
        return
    for variable in variables:
        assert_allclose(a[variable], b[variable], atol=atol, err_msg=f"{name}: {variable} of {model!r}, {first!r}")


@pytest.mark.seconds(6)
@given(pairs(), vectors(), vectors(), times())
@examples(50)
@seed(SEED)
def test_two_groups_in_any_order(two: ss.Ensemble, first: list[float], second: list[float], moments: list[float]) -> None:
    swapped = sure("Ensemble", ss.Ensemble, two.groups[::-1], two.coupling_matrix[::-1, ::-1])
    a = sure("evolve", ss.evolve, two, moments, initial=[first, second])
    b = sure("evolve", ss.evolve, swapped, moments, initial=[second, first])
    assert_allclose(a.coherence, b.coherence[:, ::-1], atol=RUN)
    assert_allclose(a.order_parameter, b.order_parameter, atol=RUN)
    spins = 4 if two.groups[0].weight != 2 / 3 else 3
    exact, brute = ss.Exact(spins), ss.BruteForce(spins)
    _agree("steady_state", ss.steady_state, two, exact, brute, "inversion", "correlation")
    _agree("linewidth", ss.linewidth, two, exact, brute, "linewidth", atol=1e-6)  # two lines can be as slow
    steady = call("steady_state", ss.steady_state, two, theory=exact)
    if answered("steady_state of two groups", steady):
        measures = sure("pair_measures", ss.pair_measures, steady)
        assert float(measures.concurrence.max()) <= 1 + 1e-9
        assert float(measures.mutual_information.min()) >= -1e-9
        assert_allclose(measures.mutual_information, measures.mutual_information.T, atol=1e-9)


@given(pairs(symmetric=True), pairs(), numbers(-4, 4))
@examples(90)
@seed(SEED)
def test_closed_forms_of_two_groups(even: ss.Ensemble, other: ss.Ensemble, moved: float) -> None:
    full = sure("symmetric_pair", ss.symmetric_pair, even)
    swapped = sure("symmetric_pair", ss.symmetric_pair, even.replace(detuning=-even.recipe.parameters["detuning"]))
    assert_allclose(swapped.phase_difference, -full.phase_difference, atol=1e-12)
    if full.exists:
        s, z, phase = float(full.amplitude), float(full.inversion), float(full.phase_difference)
        start = [[2 * s * np.cos(p), 2 * s * np.sin(p), z] for p in (phase / 2, -phase / 2)]
        run = sure("evolve", ss.evolve, even, [0.0, 0.2], initial=start)  # whether it is stable or not
        assert_allclose(abs(run.coherence), s, atol=RUN)
    call("locking_range", ss.locking_range, other)
    weak = other.replace(gain=4.0, damping=0.5, dephasing=0.1, coupling=60.0, theta=-1.2, cross_coupling=0.1)
    adler = sure("locking_range", ss.locking_range, weak)
    shifted = sure("locking_range", ss.locking_range, weak.replace(detuning=other.recipe.parameters["detuning"] + moved))
    assert_allclose(shifted.effective_detuning, adler.effective_detuning + moved, atol=1e-9)


@given(models, st.integers(1, 3))
@examples(220)
@seed(SEED)
def test_any_model_is_read_back_from_its_file(model: ss.Ensemble, parts: int) -> None:
    path = Path("model.toml")
    sure("Ensemble", model.to_toml, path)
    try:
        assert sure("Ensemble", ss.Ensemble.from_toml, path) == model
    finally:
        path.unlink()
    assert sure("Ensemble", model.replace) == model
    shared = sure("Ensemble", model.split, parts)
    assert len(shared.groups) == parts * len(model.groups)
    assert_allclose(sum(group.weight for group in shared.groups), 1, atol=1e-12)


@given(any_groups(2), st.integers(1, 3))
@examples(70)
@seed(SEED)
def test_the_master_equation_adds_up_to_the_coupling(model: ss.Ensemble, more: int) -> None:
    equal = ss.Ensemble([ss.Group(g.gain, g.damping, frequency=g.frequency) for g in model.groups], model.coupling_matrix)
    spins = more * len(equal.groups)
    terms = sure("lindblad", ss.lindblad, equal, spins)
    whole = (terms.exchange + 0.5j * (terms.correlated_pumping - terms.correlated_decay)).values
    owner = np.repeat(np.arange(len(equal.groups)), more)
    assert_allclose(whole, equal.coupling_matrix[np.ix_(owner, owner)] / spins, atol=1e-12 * (1 + abs(whole).max()))
    if spins <= 3:
        objects = sure("to_qutip", ss.to_qutip, equal, spins)
        assert objects.hamiltonian.isherm
        again = sure("QutipModel", ss.QutipModel, objects.hamiltonian, objects.collapse_operators)
        assert again.hamiltonian == objects.hamiltonian
    if len(equal.groups) == 1:
        assert spins == sure("to_piqs", ss.to_piqs, equal, spins).N


@given(distributions, st.integers(1, 20), st.integers(0, 2**64), FREQUENCIES)
@examples(60)
@seed(SEED)
def test_samples_depend_on_seed_and_index_alone(distribution: Any, count: int, start: int, center: float) -> None:
    name = type(distribution).__name__
    short, long = sure(name, distribution.sample, count, start), sure(name, distribution.sample, 2 * count, start)
    assert np.array_equal(short.values, long.values[:count])
    moved = sure("Samples", short.centered, center)
    assert_allclose(moved.values - center, short.values - distribution.center, atol=1e-9 * (1 + abs(short.values).max()))
    given_ = sure("Samples", ss.Samples, short.values)
    assert_allclose(sure("Samples", given_.centered, center).values.mean(), center, atol=1e-9 * (1 + abs(short.values).max()))


@given(singles(distributions), vectors(0.5))
@examples(25)
@seed(SEED)
def test_disorder_in_closed_form(one: ss.Ensemble, start: list[float]) -> None:
    cycle = call("limit_cycle", ss.limit_cycle, one)
    threshold = call("critical_coupling", ss.critical_coupling, one)
    if answered("limit_cycle with disorder", cycle, threshold) and abs(one.coupling_matrix[0, 0]) > 1.001 * threshold:
        assert bool(cycle.synchronized)
    moved = sure("Ensemble", one.replace, frequency=one.groups[0].frequency.centered(0.0))
    theory = sure("MeanField", ss.MeanField, rtol=1e-6, nodes=40)
    a, b = (sure("evolve", ss.evolve, e, [0.0, 0.5], initial=[start], theory=theory) for e in (one, moved))
    rotation = np.exp(-0.5j * one.groups[0].frequency.center)
    assert_allclose(a.coherence[-1], b.coherence[-1] * rotation, atol=1e-4)


@given(singles(), pairs())
@examples(20)
@seed(SEED)
def test_a_diagram_of_one_point_agrees_with_regime(one: ss.Ensemble, two: ss.Ensemble) -> None:
    for model, name in ((one, "coupling"), (two, "detuning")):
        value = float(model.recipe.parameters[name])
        point = sure("regime", ss.regime, model, seed=3)
        diagram = sure("phase_diagram", ss.phase_diagram, model, {name: [value]}, seed=3)
        assert sure("label", ss.label, point.regime) == sure("label", ss.label, diagram.regime).values[0]
        assert_allclose(diagram.order_parameter[0], point.order_parameter, rtol=1e-9)
        assert int(point.regime) == sure("Regime", ss.Regime, int(point.regime))
    if one.groups[0].gain + one.groups[0].damping > 0:
        cycle, steady = ss.limit_cycle(one), call("steady_state", ss.steady_state, one)
        if answered("steady_state of one group", steady):
            assert_allclose(steady.inversion[0], cycle.inversion, atol=1e-5)


@given(RATES, RATES, RATES, FREQUENCIES, SURE_RATES)
@examples(40)
@seed(SEED)
def test_relaxation_rates_of_a_group(gain: float, damping: float, dephasing: float, frequency: float, weight: float) -> None:
    group = sure("Group", ss.Group, gain, damping, dephasing=dephasing, frequency=frequency, weight=weight)
    assert group.gamma_perp >= group.gamma_1 / 2
    assert_allclose(group.gamma_1 * group.z0 if group.gamma_1 else 0.0, gain - damping, atol=1e-12)


@given(st.text(max_size=30))
@examples(40)
@seed(SEED)
def test_an_error_message_is_one_printable_line(text: str) -> None:
    for name in ("InputError", "IntegrationError"):
        error = sure(name, getattr(ss, name), text)
        assert str(error).isprintable()
        assert len(str(error)) == len(text)


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=5))
@examples(30)
@seed(SEED)
def test_labels_are_the_names_of_the_regimes(codes: list[int]) -> None:
    labels = sure("label", ss.label, codes).tolist()
    assert labels == [sure("Regime", ss.Regime, code).name.lower().replace("_", "-") for code in codes]


@given(singles(), vectors(0.9), st.integers(2, 5), ANGLES)
@examples(40)
@seed(SEED)
def test_measures_rotate_with_the_phases(one: ss.Ensemble, start: list[float], spins: int, angle: float) -> None:
    rotated = _rotated(start, angle)
    found = call("asymptotic_phase", ss.asymptotic_phase, one, [start, rotated], theory=ss.Exact(spins))
    if answered("asymptotic_phase", found) and float(found.amplitude.min()) > 1e-6:
        assert_allclose(np.exp(1j * float(found.phase[1] - found.phase[0])), np.exp(1j * angle), atol=1e-6)
    run = ss.evolve(one, [0.0, 0.5], initial=[start])
    polar, azimuth = [0.3, 1.2], [0.0, 1.0, 2.0]
    q = sure("husimi", ss.husimi, run, polar, azimuth).husimi
    opposite = sure("husimi", ss.husimi, run, [np.pi - 1.2, np.pi - 0.3], [np.pi, np.pi + 1, np.pi + 2]).husimi
    assert_allclose(q + opposite.values[:, :, ::-1], 1 / (2 * np.pi), atol=1e-12)  # of opposite directions
    density = sure("phase_distribution", ss.phase_distribution, run, azimuth).phase_density
    opposite = sure("phase_distribution", ss.phase_distribution, run, [a + np.pi for a in azimuth]).phase_density
    assert_allclose(density + opposite.values, 1 / np.pi, atol=1e-12)


@given(singles(), vectors(0.9), st.integers(2, 3), st.integers(0, 2**31))
@examples(12)
@seed(SEED)
def test_trajectories_are_exact_within_their_errors(one: ss.Ensemble, start: list[float], spins: int, random: int) -> None:
    theory = sure("Trajectories", ss.Trajectories, spins, rtol=0.1, atol=0.05, most_jumps=20_000)
    found = sure("evolve", ss.evolve, one, [0.0, 0.4], initial=[start], theory=theory, seed=random)
    exact = ss.evolve(one, [0.0, 0.4], initial=[start], theory=ss.Exact(spins))
    off = abs(found.inversion - exact.inversion).values
    assert np.all(off <= 6 * found.inversion_error.values + 0.02), f"{one!r}: off by {off}"


@given(cavities())
@examples(30)
@seed(SEED)
def test_a_cavity_is_a_coupling(laser: ss.Ensemble) -> None:
    p = laser.recipe.parameters
    c = -1j * p["spins"] * p["vacuum_coupling"] ** 2 / (p["cavity_decay"] / 2 + 1j * p["cavity_detuning"])  # (7.1)
    assert_allclose(laser.coupling_matrix, [[c]], rtol=1e-12)
    same = ss.Ensemble.single(
        **{n: p[n] for n in ("gain", "damping", "dephasing", "frequency")}, coupling=abs(c), theta=float(np.angle(c))
    )
    a, b = (sure("limit_cycle", ss.limit_cycle, model) for model in (laser, same))
    assert_allclose(a.amplitude, b.amplitude, rtol=1e-6, atol=1e-9)
