"""The master equation (2.2) as objects of QuTiP, for its own solvers."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.keywords import known_fields
from spinsync.base.precision import in_range
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import group_terms, jump_operators, lindbladian

MOST_SPINS = 10  # 2^10 x 2^10 operators
MOST_PIQS = 100  # piqs builds dense matrices of (N^3/6)^2 numbers


@known_fields
@dataclass(frozen=True)
class QutipModel:
    """Master equation (2.2) for the solvers of QuTiP: `qutip.mesolve(hamiltonian, rho, times, collapse_operators)`.

    Parameters
    ----------
    hamiltonian : qutip.Qobj
    collapse_operators : list of qutip.Qobj
        Each includes the square root of its rate.

    Raises
    ------
    Nothing: `to_qutip` checks its arguments.

    Examples
    --------
    See `to_qutip`.
    """

    hamiltonian: Any
    collapse_operators: list[Any]


@in_range
def to_qutip(ensemble: Ensemble, spins: int) -> QutipModel:
    """Hamiltonian and collapse operators of N distinguishable spins, equation (2.2).

    Spins are ordered group by group; QuTiP's first basis state is the excited one.

    Parameters
    ----------
    ensemble : Ensemble
        Every group has a single frequency; any complex coupling.
    spins : int
        1 to 10; they must split over the groups by weight.

    Returns
    -------
    QutipModel

    Raises
    ------
    InputError
        If there are too many spins, they do not split over the groups, or a frequency is distributed.
    ImportError
        If QuTiP is not installed.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> model = ss.to_qutip(one, 3)
    >>> model.hamiltonian.shape, len(model.collapse_operators)
    ((8, 8), 7)
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    spins = checks.whole("spins", spins, 1, MOST_SPINS)
    terms = lindbladian(ensemble, spins)
    qutip = _qutip("to_qutip")
    one = qutip.qeye(2)

    def each(operator: Any) -> list[Any]:
        return [qutip.tensor([operator if k == i else one for k in range(spins)]) for i in range(spins)]

    lower, z = each(qutip.sigmam()), each(qutip.sigmaz())
    raising = [a.dag() for a in lower]
    hamiltonian = sum(w / 2 * a for w, a in zip(terms.omega, z, strict=True))
    for i, j in np.argwhere(terms.exchange):
        if i != j:
            hamiltonian += terms.exchange[i, j] * (raising[i] * lower[j])
    jumps = [
        np.sqrt(rate) * operator
        for rates, operators in ((terms.gain, raising), (terms.damping, lower), (terms.dephasing / 2, z))
        for rate, operator in zip(rates, operators, strict=True)
        if rate
    ]
    correlated = [*jump_operators(terms.decay, lower), *jump_operators(terms.pumping.T, raising)]
    return QutipModel(hamiltonian, jumps + [np.sqrt(rate) * operator for rate, operator in correlated])


@in_range
def to_piqs(ensemble: Ensemble, spins: int) -> Any:
    """One group of N equal spins as a `qutip.piqs.Dicke`, in the permutation-symmetric basis of QuTiP.

    The method `liouvillian` of this object is accurate to single precision only, unlike `qutip.piqs.Pim`.

    Parameters
    ----------
    ensemble : Ensemble
        One group with a single frequency.
    spins : int
        1 to 100.

    Returns
    -------
    qutip.piqs.Dicke

    Raises
    ------
    InputError
        If there are several groups, too many spins, or the frequency is distributed.
    ImportError
        If QuTiP is not installed.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> system = ss.to_piqs(one, 10)
    >>> system.pumping, system.emission, round(system.collective_emission, 9)
    (3.0, 1.0, 2.4)
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    if len(ensemble.groups) != 1:
        raise checks.InputError(f"Argument `ensemble` must have one group for piqs, but has {len(ensemble.groups)}.")
    spins = checks.whole("spins", spins, 1, MOST_PIQS)
    terms, c = group_terms(ensemble, spins), complex(ensemble.coupling_matrix[0, 0]) / spins
    gain, damping, dephasing, omega = (float(x[0]) for x in (terms.gain, terms.damping, terms.dephasing, terms.omega))
    piqs = _qutip("to_piqs").piqs
    j_z, j_plus, j_minus = (piqs.jspin(spins, which) for which in "z+-")
    # sum_{i != j} sigma^+_i sigma^-_j = J_+ J_- - J_z - N/2; piqs' dephasing has the jump operator sigma^z/2
    return piqs.Dicke(
        N=spins, hamiltonian=omega * j_z + c.real * (j_plus * j_minus - j_z), emission=damping, pumping=gain,
        dephasing=2 * dephasing, collective_emission=2 * max(-c.imag, 0.0), collective_pumping=2 * max(c.imag, 0.0),
    )  # fmt: skip


def _qutip(function: str) -> ModuleType:
    """The module qutip, an optional dependency."""
    try:
        import qutip
        import qutip.piqs
    except ImportError:
        raise ImportError(f"{function} needs the package qutip: pip install qutip.") from None
    return qutip  # type: ignore[no-any-return]
