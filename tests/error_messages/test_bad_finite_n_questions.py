"""Error messages of questions about a finite number of spins: the argument, what it must be, and what it is."""

import pytest

import spinsync as ss
from error_cases import case_names, check_message
from systems import laser, pair

ONE, TWO = laser(), pair(1.0, 16.0)
WIDE, T = laser(frequency=ss.Lorentzian(0.5)), [0.0, 1.0]
SHAPE = "Argument `initial` must have shape"
OPTIONS = "most_jumps=10000000000, most_seconds=None"
NO_RELAXATION = (
    "Argument `ensemble` must have gain, damping or (in mean field) dephasing in every group to relax, but one has none."
)
NO_PHASE = "trajectories have no phase; Exact answers this up to 20000 spins"
SINGLE = "MeanField, Cumulants, TruncatedWigner and BruteForce show single spins."
NO_MODE = "the left eigenvector of the slowest mode, which defines it, is not computed there."

CASES = [
    # finite N
    (
        lambda: ss.evolve(TWO, T, theory=ss.BruteForce(3)),
        "Argument `spins` must split over the groups in whole numbers, but is spins=3 (A: 1.5, B: 1.5).",
    ),
    (
        lambda: ss.lindblad(WIDE, 4),
        "Argument `frequency` must be a number at finite N, but group 'A' has Lorentzian(half_width=0.5, center=0.0).",
    ),
    (lambda: ss.lindblad(ONE, 2001), "Argument `spins` must be a whole number from 1 to 2000, but is spins=2001."),
    (
        lambda: ss.steady_state(ONE, theory=ss.BruteForce(2), initial=[[0, 0, 0]]),
        "Argument `initial` must be None at finite N, where the steady state does not depend on it, "
        "but is initial=[[0, 0, 0]].",
    ),
    (
        lambda: ss.steady_state(laser(gain=0, damping=0)),
        NO_RELAXATION,
    ),
    # exact
    (
        lambda: ss.asymptotic_phase(TWO, [[0, 0, 1]], theory=ss.Exact(4)),
        "Argument `ensemble` must have one group for a phase, but has 2.",
    ),
    (
        lambda: ss.evolve(TWO, T, theory=ss.Exact(5)),
        "Argument `spins` must split over the groups in whole numbers, but is spins=5 (A: 2.5, B: 2.5).",
    ),
    (
        lambda: ss.evolve(TWO, T, theory=ss.Exact(4), initial=[[0, 0, 0]] * 3),
        f"{SHAPE} (2, 3), but has shape (3, 3).",
    ),
    (
        lambda: ss.steady_state(WIDE, theory=ss.Exact(4)),
        "Argument `frequency` must be a number at finite N, but group 'A' has Lorentzian(half_width=0.5, center=0.0).",
    ),
    (
        lambda: ss.evolve(ONE, T, theory=ss.Exact(4), each=True),
        f"Argument `each` must be False for Exact, whose spins are all alike in a group; {SINGLE}",
    ),
    (lambda: ss.evolve(ONE, T, theory=ss.Exact(4), initial=[[0, 0, 0]] * 2), f"{SHAPE} (1, 3), but has shape (2, 3)."),
    (
        lambda: ss.steady_state(ONE, theory=ss.Exact(2), initial=[[0, 0, 0]]),
        "Argument `initial` must be None at finite N, where the steady state does not depend on it, "
        "but is initial=[[0, 0, 0]].",
    ),
    (
        lambda: ss.evolve(ONE.split(3), T, theory=ss.Trajectories(6)),
        "Argument `ensemble` must have one or two groups for Trajectories, but has 3.",
    ),
    (
        lambda: ss.evolve(ONE, T, theory=ss.Trajectories(4), each=True),
        f"Argument `each` must be False for Trajectories, whose spins are all alike in a group; {SINGLE}",
    ),
    (lambda: ss.evolve(ONE, T, theory=ss.Trajectories(4), initial=[[0, 0, 0]] * 2), f"{SHAPE} (1, 3), but has shape (2, 3)."),
    (
        lambda: ss.steady_state(TWO, theory=ss.Trajectories(30_000)),
        "Argument `spins` must be a whole number from 2 to 20000, but is spins=30000.",
    ),
    (
        lambda: ss.steady_state(laser(gain=0, damping=0), theory=ss.Trajectories(4)),
        NO_RELAXATION,
    ),
    (
        lambda: ss.evolve(ONE, [0.0, 1e3], theory=ss.Trajectories(100, most_jumps=1000)),
        "Argument `most_jumps` must be larger for this question, but is most_jumps=1000: "
        "the first trajectories need more to reach their last time.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.Trajectories(4)),
        "Argument `theory` must be one that answers linewidth (MeanField, Cumulants, Exact or BruteForce), but is "
        "Trajectories(spins=4, rtol=0.01, atol=0.0001, "
        f"{OPTIONS}): {NO_PHASE}, MeanField with spins=N and Cumulants for more.",
    ),
    (
        lambda: ss.emission_spectrum(ONE, T, theory=ss.Trajectories(4)),
        "Argument `theory` must be one that answers emission_spectrum (Cumulants, TruncatedWigner, Exact or BruteForce), but "
        "is Trajectories(spins=4, rtol=0.01, atol=0.0001, "
        f"{OPTIONS}): {NO_PHASE}, TruncatedWigner and Cumulants for more.",
    ),
    (
        lambda: ss.entropy(ONE, theory=ss.Trajectories(4)),
        "Argument `theory` must be one that answers entropy (Exact or BruteForce), but is "
        "Trajectories(spins=4, rtol=0.01, atol=0.0001, "
        f"{OPTIONS}): no mean over trajectories gives it; Exact answers this up to 20000 spins.",
    ),
    (
        lambda: ss.asymptotic_phase(ONE, [[0, 0, 1]], theory=ss.Trajectories(4)),
        "Argument `theory` must be one that answers asymptotic_phase (Exact), but is Trajectories(spins=4, rtol=0.01, "
        f"atol=0.0001, {OPTIONS}): {NO_MODE}",
    ),
    (
        lambda: ss.one_spin_equation(ONE, T, theory=ss.Trajectories(4)),
        "Argument `theory` must be BruteForce, but is theory=Trajectories(spins=4, rtol=0.01, atol=0.0001, "
        "most_jumps=10000000000, most_se....",
    ),
    (
        lambda: ss.evolve(WIDE, T, theory=ss.Trajectories(4)),
        "Argument `frequency` must be a number at finite N, but group 'A' has Lorentzian(half_width=0.5, center=0.0).",
    ),
    (
        lambda: ss.steady_state(TWO, theory=ss.Trajectories(21)),
        "Argument `spins` must split over the groups in whole numbers, but is spins=21 (A: 10.5, B: 10.5).",
    ),
    (
        lambda: ss.steady_state(TWO, theory=ss.Trajectories(1)),
        "Argument `spins` must be a whole number from 2 to 20000, but is spins=1.",
    ),
    (
        lambda: ss.steady_state(ONE, theory=ss.Trajectories(4), initial=[[0, 0, 0]]),
        "Argument `initial` must be None at finite N, where the steady state does not depend on it, "
        "but is initial=[[0, 0, 0]].",
    ),
    (
        lambda: ss.evolve(pair(1.0, 1e100), T, theory=ss.Trajectories(4)),
        "Argument `most_jumps` must be larger for this question, but is most_jumps=10000000000: "
        "the first trajectories need more to reach their last time.",
    ),
    (
        lambda: ss.bloch(ss.evolve(ONE, T, theory=ss.Trajectories(4, rtol=1))),
        "Argument `dataset` must hold coherence and inversion, but has no coherence.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.MeanField()),
        "Argument `spins` must be given for MeanField, as the ensemble is no cavity with spins of its own, but is missing.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.MeanField(), spins=100),
        "Argument `spins` must be at least 3600 for the linewidth of this ensemble in MeanField, which needs "
        "1/(N|s|^2) <= 0.01, but is spins=100; Exact answers this for up to 20000 spins.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.MeanField(), spins=1.5),
        "Argument `spins` must be a whole number of at least 1, but is spins=1.5.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.MeanField(), spins=10**6, modes=1),
        "Argument `modes` must be None for MeanField, which has one line, but is modes=1.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.Exact(4), spins=4),
        "Argument `spins` must be None for Exact(spins=4), which has its own number of spins, but is spins=4.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.MeanField(rtol=1e-3), spins=10**6),
        "Argument `theory` must be MeanField() without options, as its linewidth is a closed form, but is "
        "theory=MeanField(rtol=0.001, atol=None, nodes=None).",
    ),
    (
        lambda: ss.linewidth(laser(coupling=3.0), theory=ss.MeanField(), spins=10**6),
        "Argument `ensemble` must be above its threshold for the linewidth of MeanField (`critical_coupling`, "
        "`critical_gain`), but is below it.",
    ),
    (
        lambda: ss.linewidth(WIDE, theory=ss.MeanField(), spins=10**6),
        "Argument `ensemble` must have one frequency for the linewidth of MeanField, but has a distribution.",
    ),
    (
        lambda: ss.linewidth(TWO, theory=ss.MeanField(), spins=10**6),
        "Argument `ensemble` must have one group for this closed form, but has 2.",
    ),
    (
        lambda: ss.entropy(ONE, theory=ss.MeanField()),
        "Argument `theory` must be one that answers entropy (Exact or BruteForce), but is "
        "MeanField(rtol=None, atol=None, nodes=None): "
        "at N -> infinity only the entropy per spin is finite.",
    ),
    (lambda: ss.linewidth(3, theory=ss.Exact(4)), "Argument `ensemble` must be an Ensemble, but is ensemble=3."),
    (
        lambda: ss.emission_spectrum(ONE, [1.0, 0.0], theory=ss.Exact(4)),
        "Argument `frequencies` must increase, but has 1 before 0.",
    ),
    (
        lambda: ss.photon_statistics(ONE, [1.0, 0.0], theory=ss.Exact(4)),
        "Argument `delays` must increase, but has 1 before 0.",
    ),
    (
        lambda: ss.photon_statistics(ONE, theory=ss.Exact(4), seed=1),
        "Argument `seed` must be left at 0 where nothing is random, but is seed=1.",
    ),
    (
        lambda: ss.photon_statistics(ONE, theory=ss.MeanField()),
        "Argument `theory` must be one that answers photon_statistics (TruncatedWigner, Exact or BruteForce), but is "
        "MeanField(rtol=None, atol=None, nodes=None): "
        "it has no fluctuations of the light; at N -> infinity g2(0) is 1 where the emission is steady, and 2 where the spins "
        "are incoherent.",
    ),
    (
        lambda: ss.photon_statistics(ONE, theory=ss.Cumulants(4)),
        "Argument `theory` must be one that answers photon_statistics (TruncatedWigner, Exact or BruteForce), but is "
        "Cumulants(spins=4, rtol=1e-06, nodes=None): second order has no moments of four spins.",
    ),
    (
        lambda: ss.entropy(ONE, theory=ss.Cumulants(4)),
        "Argument `theory` must be one that answers entropy (Exact or BruteForce), but is "
        "Cumulants(spins=4, rtol=1e-06, nodes=None): second order has no density matrix of all spins.",
    ),
    (
        lambda: ss.linewidth(ONE, theory=ss.TruncatedWigner(4, 2)),
        "Argument `theory` must be one that answers linewidth (MeanField, Cumulants, Exact or BruteForce), but is "
        "TruncatedWigner(spins=4, samples=2, dt=None): samples have no eigenvalues, and the width is that of its "
        "emission_spectrum; Exact answers this up to 20000 spins, MeanField with spins=N and Cumulants for more.",
    ),
    (
        lambda: ss.photon_statistics(ONE, theory=ss.Trajectories(4)),
        "Argument `theory` must be one that answers photon_statistics (TruncatedWigner, Exact or BruteForce), but is "
        "Trajectories(spins=4, rtol=0.01, atol=0.0001, "
        f"{OPTIONS}): its means are those of at most two spins; Exact answers this up to 20000 spins, "
        "TruncatedWigner for more.",
    ),
    # measures
    (
        lambda: ss.squeezing(ss.steady_state(ONE)),
        "Argument `result` must hold inversion and pair correlations, as results at finite N do, but has no correlation.",
    ),
    (
        lambda: ss.squeezing(ss.evolve(ONE, [0.0], theory=ss.Exact(2))),
        "Argument `result` must hold anomalous_covariance and coherence_inversion_covariance, as its state has a coherence, "
        "but does not: `evolve` with Exact or BruteForce adds them where `initial` is given with a coherence.",
    ),
    (
        lambda: ss.squeezing(ss.steady_state(TWO, theory=ss.Exact(4)).isel(group=[0], other_group=[0])),
        "Argument `result` must hold all groups of its ensemble, but is cut or transposed.",
    ),
    (
        lambda: ss.squeezing(ss.phase_diagram(TWO, {"A.weight": [1.0, 3.0]}, theory=ss.Exact(4))),
        "Argument `result` must be of spins in fixed groups, but varies A.weight.",
    ),
    (
        lambda: ss.squeezing(
            ss.steady_state(ONE, theory=ss.Exact(2)).assign_attrs(theory=ss.steady_state(ONE).attrs["theory"])
        ),
        "Argument `result` must record its number of spins, but does not.",
    ),
    (lambda: ss.squeezing(3), "Argument `result` must be a result of spinsync, but is a int without a model."),
    (
        lambda: ss.pair_measures(ss.steady_state(ONE)),
        "Argument `dataset` must hold pair correlations, but has none: it is not a result at finite N.",
    ),
    (
        lambda: ss.pair_measures(ss.evolve(ONE, [0.0], theory=ss.Exact(2), initial=[[1, 0, 0]])),
        "Argument `dataset` must be without coherence for the state of a pair, but has some.",
    ),
    (
        lambda: ss.husimi(ss.steady_state(ONE, theory=ss.Exact(2)), [0.0], [0.0]),
        "Argument `dataset` must hold coherence and inversion, but has no coherence.",
    ),
    (lambda: ss.husimi(ss.steady_state(ONE), [1.0, 0.0], [0.0]), "Argument `polar` must increase, but has 1 before 0."),
    (
        lambda: ss.phase_distribution(ss.limit_cycle(ONE), [0.0]),
        "Argument `dataset` must hold a coherence or pair correlations, but has neither.",
    ),
    (
        lambda: ss.asymptotic_phase(ONE, [[0, 0, 2]], theory=ss.Exact(2)),
        "Argument `states` must hold vectors of length <= 1, but entry 0 has length 2.",
    ),
    (
        lambda: ss.asymptotic_phase(ONE, [[0, 0, 1]], theory=ss.BruteForce(2)),
        f"Argument `theory` must be one that answers asymptotic_phase (Exact), but is BruteForce(spins=2): {NO_MODE}",
    ),
    # QuTiP
    (lambda: ss.to_qutip(ONE, 11), "Argument `spins` must be a whole number from 1 to 10, but is spins=11."),
    (
        lambda: ss.to_qutip(TWO, 3),
        "Argument `spins` must split over the groups in whole numbers, but is spins=3 (A: 1.5, B: 1.5).",
    ),
    (lambda: ss.to_piqs(TWO, 4), "Argument `ensemble` must have one group for piqs, but has 2."),
    (lambda: ss.to_piqs(ONE, 101), "Argument `spins` must be a whole number from 1 to 100, but is spins=101."),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)
