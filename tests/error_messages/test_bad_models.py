"""Error messages about models and theories: the argument, what it must be, and what it is."""

import numpy as np
import pytest

import spinsync as ss
from error_cases import PARAMETERS, case_names, check_message
from spinsync.model import quadratures
from spinsync.theory.protocol import check_theory
from systems import laser, pair

ONE = laser()
LONG = [float(i) for i in range(60)]

CASES = [
    # numbers
    (lambda: ss.Group(-0.1, 1), "Argument `gain` must be non-negative, but is gain=-0.1."),
    (lambda: ss.Group(1, -1e-9), "Argument `damping` must be non-negative, but is damping=-1e-09."),
    (lambda: ss.Group(1, 1, dephasing=-np.float64(2)), "Argument `dephasing` must be non-negative, but is dephasing=-2.0."),
    (lambda: ss.Group("3", 1), "Argument `gain` must be a real number, but is gain='3'."),
    (lambda: ss.Group(True, 1), "Argument `gain` must be a real number, but is gain=True."),
    (lambda: ss.Group(1j, 1), "Argument `gain` must be a real number, but is gain=1j."),
    (lambda: ss.Group(None, 1), "Argument `gain` must be a real number, but is gain=None."),
    (lambda: ss.Group(1, np.inf), "Argument `damping` must be finite, but is damping=inf."),
    (lambda: ss.Group(1, 1, frequency=np.nan), "Argument `frequency` must be finite, but is frequency=nan."),
    (lambda: ss.Group(1, 1, weight=0), "Argument `weight` must be positive, but is weight=0."),
    (lambda: laser(coupling=-1), "Argument `coupling` must be non-negative, but is coupling=-1."),
    (lambda: laser(theta=np.inf), "Argument `theta` must be finite, but is theta=inf."),
    (lambda: laser(theta=LONG), f"Argument `theta` must be a real number, but is theta={repr(LONG)[:77]}...."),
    # names
    (lambda: ss.Group(1, 1, name="A.B"), "Argument `name` must be a word without dots or outer blanks, but is name='A.B'."),
    (lambda: ss.Group(1, 1, name=""), "Argument `name` must be a word without dots or outer blanks, but is name=''."),
    (lambda: ss.Group(1, 1, name=" A"), "Argument `name` must be a word without dots or outer blanks, but is name=' A'."),
    (lambda: ss.Group(1, 1, name=3), "Argument `name` must be a word without dots or outer blanks, but is name=3."),
    # distributions
    (lambda: ss.Lorentzian(0), "Argument `half_width` must be positive, but is half_width=0."),
    (lambda: ss.Gaussian(-1), "Argument `std` must be positive, but is std=-1."),
    (lambda: ss.Uniform(1, center=np.nan), "Argument `center` must be finite, but is center=nan."),
    (lambda: ss.Samples([]), "Argument `values` must hold at least one frequency, but is empty."),
    (lambda: ss.Samples(["a"]), "Argument `values` must be a list of frequencies, but is values=['a']."),
    (lambda: ss.Samples([[1.0]]), "Argument `values` must be a list of frequencies, but has shape (1, 1)."),
    (lambda: ss.Samples([1, np.nan]), "Argument `values` must be finite, but has the entry nan."),
    # ensembles
    (lambda: ss.Ensemble([], []), "Argument `groups` must be a sequence of at least one Group, but is groups=[]."),
    (lambda: ss.Ensemble([1], [[1]]), "Argument `groups` must be a sequence of Group, but is groups=1."),
    (
        lambda: ss.Ensemble(ss.Group(1, 1), [[1]]),
        "Argument `groups` must be a sequence of at least one Group, but is groups=Group(gain=1.0, damping=1.0, dephasing=0.0, "
        "frequency=0.0, weight=1.0, name=N....",
    ),
    (
        lambda: ss.Ensemble([ss.Group(1, 1, name="x")] * 2, np.zeros((2, 2))),
        "Argument `groups` must have names that differ, but two are called 'x'.",
    ),
    (
        lambda: ss.Ensemble([ss.Group(1, 1)], np.zeros((2, 2))),
        "Argument `coupling_matrix` must be a 1 x 1 complex matrix, but has shape (2, 2).",
    ),
    (
        lambda: ss.Ensemble([ss.Group(1, 1)], [[np.nan]]),
        "Argument `coupling_matrix` must be finite, but has the entry (nan+0j).",
    ),
    (
        lambda: ss.Ensemble([ss.Group(1, 1)], "C"),
        "Argument `coupling_matrix` must be a 1 x 1 complex matrix, but is coupling_matrix='C'.",
    ),
    (
        lambda: pair(1, 1, gain=(1, 2, 3)),
        "Argument `gain` must be a number or one number per group (2), but is gain=(1, 2, 3).",
    ),
    (lambda: pair(1, 1, weights=(1, 0)), "Argument `weights` must be positive, but is weights=0."),
    (
        lambda: ss.Ensemble.cavity(spins=1.5, vacuum_coupling=1, cavity_decay=1, gain=1, damping=1),
        "Argument `spins` must be a whole number of at least 1, but is spins=1.5.",
    ),
    (
        lambda: ss.Ensemble.cavity(spins=2, vacuum_coupling=1, cavity_decay=0, gain=1, damping=1),
        "Argument `cavity_decay` must be positive, but is cavity_decay=0.",
    ),
    (
        lambda: ONE.replace(gian=2),
        f"Argument `parameter` must be one of {PARAMETERS}, but is parameter='gian' (did you mean 'gain'?).",
    ),
    (lambda: ONE.replace(xyz=2), f"Argument `parameter` must be one of {PARAMETERS}, but is parameter='xyz'."),
    (lambda: ONE.replace(**{"A.gain": -1}), "Argument `A.gain` must be non-negative, but is A.gain=-1."),
    (lambda: ONE.split(0), "Argument `parts` must be a whole number of at least 1, but is parts=0."),
    (lambda: ONE.split(True), "Argument `parts` must be a whole number of at least 1, but is parts=True."),
    # theories
    (lambda: ss.MeanField(rtol=0), "Argument `rtol` must be positive, but is rtol=0."),
    (lambda: ss.MeanField(rtol=1.0), "Argument `rtol` must be from 1e-13 to 0.1, but is rtol=1.0."),
    (lambda: ss.MeanField(atol=-1.0), "Argument `atol` must be positive, but is atol=-1.0."),
    (lambda: ss.MeanField(atol=1e300), "Argument `atol` must be at most 0.1, but is atol=1e+300."),  # 1e44 for an inversion
    (lambda: ss.MeanField(nodes=8), "Argument `nodes` must be a whole number from 16 to 20000, but is nodes=8."),
    (lambda: ss.BruteForce(7), "Argument `spins` must be a whole number from 1 to 6, but is spins=7."),
    (lambda: ss.Cumulants(0), "Argument `spins` must be a whole number from 1 to 1000000000000000, but is spins=0."),
    (lambda: ss.Cumulants(4, rtol=0), "Argument `rtol` must be positive, but is rtol=0."),
    (lambda: ss.Cumulants(4, rtol=1.0), "Argument `rtol` must be from 1e-13 to 0.1, but is rtol=1.0."),
    (lambda: ss.Cumulants(4, nodes=3), "Argument `nodes` must be a whole number from 16 to 20000, but is nodes=3."),
    (lambda: ss.Exact(0), "Argument `spins` must be a whole number from 1 to 20000, but is spins=0."),
    (
        lambda: ss.Exact(10**6),
        "Argument `spins` must be a whole number from 1 to 20000, but is spins=1000000: Trajectories allows more, and "
        "linewidth(ensemble, theory=MeanField(), spins=N) any number of spins.",
    ),
    (lambda: ss.Trajectories(4, most_seconds=0), "Argument `most_seconds` must be positive, but is most_seconds=0."),
    (lambda: ss.Trajectories(4, most_seconds="1"), "Argument `most_seconds` must be a real number, but is most_seconds='1'."),
    (lambda: ss.Trajectories(0), "Argument `spins` must be a whole number from 1 to 10000000, but is spins=0."),
    (lambda: ss.Trajectories(4, rtol=-1), "Argument `rtol` must be non-negative, but is rtol=-1."),
    (lambda: ss.Trajectories(4, rtol=0, atol=0), "Argument `rtol` or `atol` must be positive, but both are 0."),
    (
        lambda: ss.Trajectories(4, most_jumps=0),
        "Argument `most_jumps` must be a whole number from 1 to 1000000000000000, but is most_jumps=0.",
    ),
    (lambda: ss.Exact(2.5), "Argument `spins` must be a whole number from 1 to 20000, but is spins=2.5."),
    (lambda: ss.BruteForce(2.2), "Argument `spins` must be a whole number from 1 to 6, but is spins=2.2."),
    (
        lambda: ss.Group(1, 1, frequency=[1, 2]),
        "Argument `frequency` must be a real number or a distribution, such as Gaussian(std=1) or Samples([1, 2]), "
        "but is frequency=[1, 2].",
    ),
    (
        lambda: ss.Ensemble([ss.Group(1, 1)], [[1]], lamb_shift="yes"),
        "Argument `lamb_shift` must be True or False, but is lamb_shift='yes'.",
    ),
    (lambda: ss.Ensemble.from_toml(3), "Argument `path` must be the path of a file, but is path=3."),
    (lambda: ONE.to_toml(""), "Argument `path` must be the path of a file, but is path=''."),
    (
        lambda: check_theory(ss.MeanField(), "emission_spectrum"),
        "Argument `theory` must be one that answers emission_spectrum (Cumulants, TruncatedWigner, Exact or BruteForce), but "
        "is MeanField(rtol=None, atol=None, nodes=None): "
        "at N -> infinity the line of synchronized spins has no width.",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)


def test_whole_numbers_may_be_written_as_floats():
    assert ss.Exact(1e2) == ss.Exact(100)
    assert isinstance(ss.Exact(1e2).spins, int)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gain", "A.gain"), ("A.gian", "A.gain"), ("coupling", "A.B.coupling"), ("B.copling", "B.B.coupling"),
        ("F.B.thet", "F.B.theta"), ("A.B.gain", None), ("G.E.coupling", None), ("xyz", None), ("A.B.C.theta", None), (3, None),
    ],
)  # fmt: skip
def test_an_unknown_parameter_of_many_groups_is_answered_with_the_pattern_of_names(name, hint):
    many = ss.Ensemble([ss.Group(1, 1) for _ in range(6)], np.zeros((6, 6)))
    with pytest.raises(ss.InputError) as caught:
        many.recipe.checked_name("parameter", name)
    assert str(caught.value) == (
        "Argument `parameter` must be one of A.gain, A.damping, A.dephasing, A.frequency, A.weight, A.B.coupling, A.B.theta, "
        f"with any of the 6 groups, but is parameter={name!r}{f' (did you mean {hint!r}?)' if hint else ''}."
    )


def test_a_distribution_without_relaxation_of_the_coherence_is_refused():
    for kind in (ss.Lorentzian(1.0), ss.Uniform(1.0), ss.Gaussian(1.0)):
        with pytest.raises(ss.InputError, match="a frequency width of 1 at a coherence relaxation of 0 would need more than"):
            kind.quadrature(0.0, 0.0, 1e-8, None)
    assert quadratures.MAX_NODES == 20_000
