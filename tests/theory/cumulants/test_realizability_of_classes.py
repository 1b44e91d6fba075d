"""Whether some quantum state has the moments of a run of second order: each class, each pair of classes, the total spin."""

from dataclasses import dataclass

import numpy as np
import pytest

import spinsync as ss
from spinsync.model import realizability
from spinsync.model.realizability import Validity, validity
from spinsync.problems.moments.at_rest import Rest
from spinsync.problems.moments.record import Moments
from systems import laser
from two_spin_moments import lowest_eigenvalues, random_moments

SECTORS = pytest.mark.parametrize("charged", [False, True], ids=["symmetric", "with coherence"])
FINEST = 1e-13  # rtol
TOLERANCE = 10  # rtol that moments may be wrong


@dataclass(frozen=True)
class Case:
    """An ensemble, its number of spins, and those of its classes."""

    groups: list[tuple[float, int]]  # weight and number of frequency classes, 0 without a distribution
    total: int
    spins: list[float]

    def problem(self, charged: bool) -> Moments:
        groups = [
            ss.Group(3.0, 1.0, weight=weight, frequency=ss.Samples(np.arange(count)) if count else 0.0)
            for weight, count in self.groups
        ]
        ensemble = ss.Ensemble(groups, np.full((len(groups),) * 2, -4j))
        return lowered(ensemble, self.total, charged, rtol=FINEST)


CASES = {
    "one group": Case([(1, 0)], 5, [5]),
    "groups": Case([(5, 0), (2, 0), (8, 0)], 15, [5, 2, 8]),
    "single spins": Case([(1, 0), (6, 0), (1, 0)], 8, [1, 6, 1]),
    "classes": Case([(1, 3)], 8, [8 / 3] * 3),
    "classes of less than a spin": Case([(1, 3)], 2, [2 / 3] * 3),
    "classes of two groups": Case([(5, 2), (3, 1)], 8, [2.5] * 2 + [3]),
}


def lowered(ensemble, spins, charged, **options) -> Moments:
    initial = np.tile([0.3, 0.0, 0.1], (len(ensemble.groups), 1)) if charged else None
    return ss.Cumulants(spins, **options).lower(ensemble, initial, 0)


def zeros(spins, charged) -> realizability.Moments:
    """Moments of the completely mixed state."""
    count = len(spins)
    pairs = np.zeros((3, count, count), complex)
    extra = dict(s=np.zeros(count, complex), ss=pairs[1], sz=pairs[2]) if charged else {}
    return realizability.Moments(
        spins=np.array(spins, float), z=np.zeros(count), c=pairs[0], zz=np.zeros((count, count)), **extra
    )


def packed(problem: Moments, moments: realizability.Moments) -> np.ndarray:
    """The state of a problem whose classes have these moments."""
    x, upper, pairs = moments, np.triu_indices(len(moments.spins)), (moments.c, moments.ss, moments.sz)
    tails = problem.start[problem.blocks[-2] :]
    if x.s is None:
        return np.concatenate([x.z, x.c.real[upper], x.c.imag[upper], x.zz[upper], tails])
    flat = [np.asarray(one, complex).ravel().view(float) for one in (x.s, *pairs)]
    return np.concatenate([*flat, x.z, x.zz.ravel(), tails])


def observed(problem: Moments, y: np.ndarray) -> dict[str, np.ndarray]:
    """The variables of a state; a group of one spin has no pairs: 0/NaN."""
    with np.errstate(invalid="ignore"):
        return {name: values[0] for name, (_, values) in problem.observe(problem.recording(y)).items()}


def status(problem: Moments, y: np.ndarray) -> int:
    return int(observed(problem, y)["status"])


def status_of_means(problem: Moments, y: np.ndarray, spins) -> int:
    """That of the variables of a run, which are means over groups."""
    seen = observed(problem, y)
    extra = {"s": "coherence", "ss": "anomalous_covariance", "sz": "coherence_inversion_covariance"}
    extra = {name: seen[variable] for name, variable in extra.items()} if "coherence" in seen else {}
    c = seen["coherence_covariance" if extra else "correlation"]
    given = dict(spins=np.array(spins, float), z=seen["inversion"], c=c, zz=seen["inversion_covariance"])
    return int(validity(realizability.Moments(**given, **extra), TOLERANCE * problem.rtol))


@SECTORS
@pytest.mark.parametrize("name", CASES)
def test_the_status_is_that_of_the_eigenvalues_of_all_classes_pairs_and_the_total_spin(name, charged):
    case, seen = CASES[name], []
    problem = case.problem(charged)
    for seed in range(120):
        moments = random_moments(seed, charged, np.array(case.spins, float))
        bloch, pairs, total = lowest_eigenvalues(moments)
        if min(abs(bloch), abs(pairs), abs(total)) > 1e-9:
            found = status(problem, packed(problem, moments))
            diffused = found == Validity.PHASE_DIFFUSED  # and nothing worse
            expected = 1 if bloch < 0 else 2 if pairs < 0 else 3 if total < 0 else 0
            assert found == expected or (diffused and expected == 0), seed
            if not any(count for _, count in case.groups):
                assert found == validity(moments, TOLERANCE * FINEST) or diffused
            seen.append(expected)
    counts = np.bincount(seen, minlength=4)
    assert np.all(counts[:3] >= 3), counts


@pytest.mark.parametrize("name", CASES)
def test_the_sectors_agree(name):
    case = CASES[name]
    symmetric, full = case.problem(False), case.problem(True)
    for seed in range(100):
        plain = random_moments(seed, False, np.array(case.spins, float))
        nothing = np.zeros(plain.c.shape, complex)
        charged = realizability.Moments(**(vars(plain) | dict(s=nothing[0], ss=nothing, sz=nothing)))
        code = status(full, packed(full, charged))  # all of the correlation is connected here
        expected = status(symmetric, packed(symmetric, plain))
        assert code == expected or (code, expected) == (Validity.PHASE_DIFFUSED, Validity.VALID)


LINE = laser(frequency=ss.Gaussian(1.0))


def line(charged, ensemble=LINE, nodes=16, **options):
    """A problem of 100 spins with 17 classes, and its state without any moments."""
    problem = lowered(ensemble, 100, charged, nodes=nodes, **options)
    numbers = problem.table[1 if charged else 2]
    return problem, zeros(numbers, charged)


@SECTORS
@pytest.mark.parametrize("moment", ["z", "c", "zz"])
def test_single_classes_and_pairs_of_classes_are_tested_where_means_over_the_line_are_valid(charged, moment):
    problem, moments = line(charged)
    assert status(problem, packed(problem, moments)) == Validity.VALID
    at, value = {"z": (4, -1.1), "c": ((3, 9), 0.3), "zz": ((3, 9), 1.1)}[moment]
    array = getattr(moments, moment)
    array[at] = array.T[at] = value
    y = packed(problem, moments)
    assert status(problem, y) == (Validity.BLOCH_VECTOR_TOO_LONG if moment == "z" else Validity.PAIR_NOT_POSITIVE)
    assert status_of_means(problem, y, [100]) == Validity.VALID


@SECTORS
def test_steady_states_are_tested_as_runs_are(charged, monkeypatch):
    problem, moments = line(charged)
    for c, code in ((0.2, Validity.VALID), (0.3, Validity.PAIR_NOT_POSITIVE)):
        moments.c[3, 9] = moments.c[9, 3] = c
        rest = Rest(packed(problem, moments), True)
        monkeypatch.setattr("spinsync.problems.moments.at_rest.at_rest", lambda problem, rest=rest: rest)
        found = int(problem.steady_state(0)["status"][1])
        assert found == code or (found, code) == (Validity.PHASE_DIFFUSED, Validity.VALID)


def test_coherences_of_single_classes_are_tested():
    for name, at, value in (("s", 4, 0.51), ("ss", (3, 9), 0.3), ("sz", (3, 9), 0.51), ("sz", (9, 3), 0.51)):
        problem, moments = line(True)
        array = getattr(moments, name)
        array[at] = value
        if name == "ss":
            array.T[at] = value
        y = packed(problem, moments)
        assert status(problem, y) == (Validity.BLOCH_VECTOR_TOO_LONG if name == "s" else Validity.PAIR_NOT_POSITIVE)
        assert status_of_means(problem, y, [100]) == Validity.VALID


@SECTORS
@pytest.mark.parametrize("at", [(3, 9), (16, 15)])
def test_a_number_that_is_none_is_a_violation(charged, at):
    for name in ("z", "c", "zz", "s", "ss", "sz")[: 6 if charged else 3]:
        for value in (np.nan,) if name in ("z", "zz") else (complex(np.nan, 0), complex(0, np.nan)):
            problem, moments = line(charged)
            array = getattr(moments, name)
            array[at if array.ndim == 2 else at[0]] = value
            if name != "sz":
                array.T[at if array.ndim == 2 else at[0]] = value
            expected = Validity.BLOCH_VECTOR_TOO_LONG if name in ("z", "s") else Validity.PAIR_NOT_POSITIVE
            assert status(problem, packed(problem, moments)) == expected, name


@SECTORS
@pytest.mark.parametrize(("total", "valid"), [(3, True), (16, True), (32, False)])
def test_a_class_of_one_spin_or_less_has_no_pair_of_its_own(charged, total, valid):
    problem = lowered(laser(frequency=ss.Samples(np.arange(16))), total, charged)
    moments = zeros(np.full(16, total / 16), charged)
    moments.c[5, 5] = 0.3
    assert (status(problem, packed(problem, moments)) != Validity.PAIR_NOT_POSITIVE) == valid


@SECTORS
def test_tails_of_a_line_are_tested_where_they_hold_spins(charged):
    for frequency, code in ((ss.Lorentzian(0.5), Validity.BLOCH_VECTOR_TOO_LONG), (ss.Gaussian(0.5), Validity.VALID)):
        problem, moments = line(charged, ensemble=laser(frequency=frequency), nodes=64)
        y = packed(problem, moments)
        assert status(problem, y) == Validity.VALID
        y[-1] = -1.01
        assert status(problem, y) == code


@SECTORS
@pytest.mark.parametrize(("factor", "valid"), [(0.98, True), (1.02, False)])
def test_what_the_tolerance_of_the_run_allows_is_no_violation(charged, factor, valid):
    excess = factor * TOLERANCE * 1e-3
    for name, at, value in (("z", 4, 1 + excess), ("c", (3, 9), 0.25 + excess), ("zz", (3, 9), 1 + 4 * excess)):
        problem, moments = line(charged, rtol=1e-3)
        array = getattr(moments, name)
        array[at] = array.T[at] = value
        found = status(problem, packed(problem, moments))
        assert (found in (Validity.VALID, Validity.PHASE_DIFFUSED)) == valid, name
