"""States of few spins obey all conditions; each condition is found violated where the other ones hold."""

import itertools

import numpy as np
import pytest

import spinsync as ss
from spinsync.model import realizability
from spinsync.model.realizability import Moments, Validity, connected, validity
from two_spin_moments import SIGMA_MINUS, Z, lowest_eigenvalues, on, random_moments

ATOM = 1e-12  # relative error of steady states and of short exact motions, well above it


def moments_of(rho: np.ndarray) -> Moments:
    """The moments of a density matrix, each spin a class of its own; the diagonal is NaN."""
    spins = int(np.log2(len(rho)))
    mean = lambda *operators: np.trace(on(spins, *operators) @ rho)  # noqa: E731
    pairs = np.full((4, spins, spins), np.nan, complex)
    for i, j in itertools.permutations(range(spins), 2):
        pairs[0, i, j] = mean((i, SIGMA_MINUS.T), (j, SIGMA_MINUS))
        pairs[1, i, j] = mean((i, Z), (j, Z))
        pairs[2, i, j] = mean((i, SIGMA_MINUS), (j, SIGMA_MINUS))
        pairs[3, i, j] = mean((i, SIGMA_MINUS), (j, Z))
    z = np.array([mean((i, Z)).real for i in range(spins)])
    s = np.array([mean((i, SIGMA_MINUS)) for i in range(spins)])
    return connected(np.ones(spins), z, pairs[0], pairs[1].real, s, pairs[2], pairs[3])


def random_state(spins: int, rank: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(2**spins, rank)) + 1j * rng.normal(size=(2**spins, rank))
    rho = vectors @ vectors.conj().T
    return rho / np.trace(rho)


@pytest.mark.parametrize("spins", [2, 3, 4])
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_every_state_obeys_all_conditions_within_rounding(spins, rank):
    for seed in range(20):  # pure states lie on the boundary
        assert validity(moments_of(random_state(spins, rank, seed)), 0.0) == Validity.VALID


def test_the_two_spin_states_are_the_partial_traces():
    moments = moments_of(random_state(2, 3, 7))
    rows = realizability.two_spin_rows(realizability._flat(moments, moments.spins), np.array([0]), np.array([1]))
    for i, row in enumerate(rows):
        np.testing.assert_allclose(np.ravel(row), random_state(2, 3, 7)[i, : i + 1], atol=1e-15)


@pytest.mark.parametrize("spins", [2, 3, 50])
def test_pure_symmetric_states_lie_on_the_boundary(spins):
    """Dicke states |j=N/2, m>: z = 2m/N, c and zz of a pair; those with all spins up or down have no fluctuations."""
    m = np.arange(-spins / 2, spins / 2 + 1)
    z, j = 2 * m / spins, spins / 2
    c = ((j + m) * (j - m + 1) - spins * (1 + z) / 2) / (spins * (spins - 1))
    zz = (4 * m**2 - spins) / (spins * (spins - 1))
    moments = connected(np.array([spins]), z[:, None], c[:, None, None].astype(complex), zz[:, None, None])
    assert np.all(validity(moments, 0.0) == Validity.VALID)


PAIR = ss.Ensemble.pair(detuning=1.0, gain=[3.0, 0.5], damping=[1.0, 2.0], coupling=9.0, theta=-1.2)
ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
BURST = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=10.0, theta=-np.pi / 2)
UP = [[0.0, 0.0, 1.0]]


@pytest.mark.parametrize(
    ("ensemble", "theory", "initial"),
    [(ONE, ss.Exact(2), None), (ONE, ss.Exact(30), None), (BURST, ss.Exact(20), UP), (BURST, ss.BruteForce(2), UP),
     (PAIR, ss.BruteForce(4), None), (PAIR, ss.BruteForce(2), None), (PAIR, ss.Exact(8), UP * 2)],
)  # fmt: skip
def test_exact_answers_obey_all_conditions(ensemble, theory, initial):
    """U(1) symmetric moments; a small initial coherence, which they leave out, takes no state off the allowed ones."""
    spins = theory.spins * ensemble.rates.weight
    run = ss.evolve(ensemble, np.linspace(0, 2, 41), theory=theory, initial=initial)
    moments = [run[name].values for name in ("inversion", "correlation", "inversion_correlation")]
    assert np.all(validity(connected(spins, *moments), 1e-9) == Validity.VALID)
    if ensemble is not BURST:  # whose steady state is not unique
        rest = ss.steady_state(ensemble, theory=theory)
        moments = [rest[name].values for name in ("inversion", "correlation", "inversion_correlation")]
        assert validity(connected(spins, *moments), ATOM) == Validity.VALID


def one(spins=100.0, z=0.0, c=0.0, zz=0.0, **charged):
    """Moments of a single class."""
    pairs = {name: np.array([[value]], complex) for name, value in {"c": c, **charged}.items() if name != "s"}
    given = {"s": np.array([charged["s"]], complex)} if charged else {}
    return Moments(spins=np.array([spins]), z=np.array([z]), zz=np.array([[zz]]), **pairs, **given)


def two(zz=0.0, c=0.0, z=0.0):
    """Moments of two classes of one spin."""
    off = np.array([[np.nan, 1.0], [1.0, np.nan]])
    return Moments(spins=np.ones(2), z=np.full(2, z), c=c * off, zz=zz * off)


SMALL = dict(s=0.1, ss=0.0, sz=0.0)


@pytest.mark.parametrize(
    ("moments", "code"),
    [
        (one(z=1.001), Validity.BLOCH_VECTOR_TOO_LONG),
        (one(z=0.9, c=0.0, s=0.25, ss=0.0, sz=0.0), Validity.BLOCH_VECTOR_TOO_LONG),  # 0.81 + 4/16
        (two(c=0.26), Validity.PAIR_NOT_POSITIVE),  # (1 - zz)/4 - |c|
        (two(zz=-1.001), Validity.PAIR_NOT_POSITIVE),  # both up or both down
        (two(zz=0.641, z=0.6), Validity.PAIR_NOT_POSITIVE),  # one up, the other down: 1 - zz - z^2
        (one(c=-0.00506), Validity.UNCERTAINTY_VIOLATED),  # <J_+ J_->/N = 1/2 + 99 c
        (one(z=0.6, c=-0.0021), Validity.UNCERTAINTY_VIOLATED),  # <J_- J_+>/N = 0.2 + 99 c
        (one(zz=-0.0102), Validity.UNCERTAINTY_VIOLATED),  # Var(J_z)/N = (1 + 99 zz)/4
        (one(**SMALL, c=0.0), Validity.VALID),
        (one(s=0.1, ss=0.006, sz=0.0), Validity.UNCERTAINTY_VIOLATED),  # |<J_- J_->| > <J_+ J_->: a variance in the plane
        (one(s=0.1, ss=0.0, sz=0.02), Validity.UNCERTAINTY_VIOLATED),
    ],
)
def test_each_condition_is_found_violated_where_the_others_hold(moments, code):
    assert validity(moments, 1e-6) == code


@pytest.mark.parametrize("charged", [False, True])
def test_codes_are_those_of_the_eigenvalues_in_bloch_components(charged):
    seen = []
    for seed in range(600):
        moments = random_moments(seed, charged)
        bloch, pairs, total = lowest_eigenvalues(moments)
        expected = 1 if bloch < 0 else 2 if pairs < 0 else 3 if total < 0 else 0
        if min(abs(bloch), abs(pairs), abs(total)) > 1e-9:
            assert validity(moments, 0.0) == expected, seed
            seen.append(expected)
    assert np.all(np.bincount(seen, minlength=4) >= 10)  # every code is among them


def test_vanishing_coherences_change_nothing():
    for seed in range(100):
        plain = random_moments(seed, False)
        zero, pairs = np.zeros_like(plain.z), np.zeros_like(plain.c)
        charged = Moments(spins=plain.spins, z=plain.z, c=plain.c, zz=plain.zz, s=zero, ss=pairs, sz=pairs)
        assert validity(charged, 1e-8) == validity(plain, 1e-8)


def test_a_common_phase_and_the_order_of_classes_change_nothing():
    turn = np.exp(0.7j)
    for seed in range(100):
        x = random_moments(seed, True)
        turned = Moments(spins=x.spins, z=x.z, c=x.c, zz=x.zz, s=turn * x.s, ss=turn**2 * x.ss, sz=turn * x.sz)
        swapped = Moments(
            **{n: getattr(x, n)[::-1] if np.ndim(getattr(x, n)) == 1 else getattr(x, n)[::-1, ::-1] for n in vars(x)}
        )
        assert validity(turned, 1e-8) == validity(swapped, 1e-8) == validity(x, 1e-8)


@pytest.mark.parametrize("charged", [False, True])
def test_many_times_are_tested_one_by_one(charged):
    rng, count, times = np.random.default_rng(3), 100, 11  # several blocks
    pairs = np.zeros((times, count, count), complex)
    z = rng.uniform(-0.5, 0.5, (times, count))
    z[4, 7] = 1.2
    pairs[5, 98, 99] = pairs[5, 99, 98] = 0.3
    pairs[6] = -0.3 / count * np.outer(np.ones(count), np.ones(count))
    extra = dict(s=np.zeros((times, count)), ss=0 * pairs, sz=0 * pairs) if charged else {}
    moments = Moments(spins=np.full(count, 10.0), z=z, c=pairs, zz=np.zeros(pairs.shape), **extra)
    assert validity(moments, 1e-6).tolist() == [0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0]


def test_classes_without_pairs_have_no_diagonal_and_other_gaps_are_violations():
    assert validity(two(), 1e-6) == Validity.VALID
    assert validity(Moments(spins=np.full(2, 0.4), z=np.zeros(2), c=two().c, zz=two().zz), 1e-6) == Validity.VALID
    assert validity(one(z=np.nan), 1e-6) == Validity.BLOCH_VECTOR_TOO_LONG
    assert validity(one(c=np.nan), 1e-6) == Validity.PAIR_NOT_POSITIVE
    assert validity(one(**SMALL, c=np.nan), 1e-6) == Validity.PAIR_NOT_POSITIVE


def test_connected_moments_keep_their_digits_at_any_number_of_spins():
    many = 1e12
    assert validity(one(many, z=0.3, c=0.1, zz=0.1 / many), 1e-9) == Validity.VALID
    assert validity(one(many, z=0.3, c=-0.66 / many), 1e-9) == Validity.UNCERTAINTY_VIOLATED  # (1 + z)/2, (1 - z)/2
    assert validity(one(many, z=0.3, zz=-0.92 / many), 1e-9) == Validity.UNCERTAINTY_VIOLATED  # 1 - z^2
    assert validity(one(many, z=0.3, zz=-0.90 / many), 1e-9) == Validity.VALID


def test_the_halves_of_a_class_are_the_class():
    whole = one(100.0, z=0.6, c=-0.0021)
    ones = np.ones((2, 2))
    halves = Moments(spins=np.full(2, 50.0), z=np.full(2, 0.6), c=-0.0021 * ones, zz=0 * ones)
    assert validity(halves, 1e-6) == validity(whole, 1e-6) == Validity.UNCERTAINTY_VIOLATED


def errors(z=0.0, c=0.0, zz=0.0, **charged):
    return one(1.0, z, c, zz, **charged)


@pytest.mark.parametrize(
    ("moments", "small"),
    [
        (one(z=1.01), errors(z=0.001)),
        (one(s=0.505, ss=0.0, sz=0.0, c=0.0), errors(z=0.0, s=0.0005, ss=0.0, sz=0.0)),
        (one(2.0, c=0.26), errors(c=0.001)),
        (one(2.0, c=0.26, s=0.0, ss=0.0, sz=0.0), errors(s=0.0, ss=0.0, sz=0.0, c=0.001)),
        (one(2.0, zz=-1.04), errors(zz=0.004)),
        (one(101.0, c=-0.0051), errors(c=1e-5)),
        (one(101.0, zz=-0.0104), errors(zz=4e-5)),
    ],
)
def test_a_violation_within_five_standard_errors_is_none(moments, small):
    """All violations are by ten standard errors."""

    def scaled(factor):
        return Moments(**{n: v if n == "spins" or v is None else factor * v for n, v in vars(small).items()})

    assert validity(moments, 0.0) == validity(moments, 0.0, scaled(1.9)) != Validity.VALID
    assert validity(moments, 0.0, scaled(2.1)) == Validity.VALID
    assert realizability.SIGMAS == 5


def test_the_tolerance_is_relative_to_the_moments():
    assert validity(one(z=1 + 2e-6), 1e-6) == Validity.BLOCH_VECTOR_TOO_LONG
    assert validity(one(z=1 + 0.9e-6), 1e-6) == Validity.VALID
    assert validity(one(2.0, c=0.25 + 2e-6), 1e-6) == validity(one(2.0, s=0, ss=0, sz=0, c=0.25 + 2e-6), 1e-6) == 2
    assert validity(one(2.0, c=0.25 + 0.9e-6), 1e-6) == validity(one(2.0, s=0, ss=0, sz=0, c=0.25 + 0.9e-6), 1e-6) == 0
    classical = dict(c=0.1, s=0.0, ss=0.1 * (1 + 1e-10), sz=0.0)  # J_x = +-0.3 N: N c and N ss nearly cancel
    assert validity(one(1e12, **classical), 1e-9) == Validity.VALID
    assert validity(one(1e12, **classical), 1e-12) == Validity.UNCERTAINTY_VIOLATED
    opposite = 0.1 * np.array([[1.0, -1 - 1e-10], [-1 - 1e-10, 1.0]])  # two groups in antiphase, which together emit nothing
    groups = Moments(spins=np.full(2, 1e12), z=np.zeros(2), c=opposite, zz=np.zeros((2, 2)))
    assert validity(groups, 1e-9) == Validity.VALID
    assert validity(groups, 1e-12) == Validity.UNCERTAINTY_VIOLATED
