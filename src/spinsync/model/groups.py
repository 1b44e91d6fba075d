"""A group: spins with equal rates."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from itertools import count

from spinsync.base import checks
from spinsync.base.keywords import known_fields
from spinsync.model.distributions import Distribution
from spinsync.model.parameters import FIELDS, PARAMETERS, RELAXATION


@known_fields
@dataclass(frozen=True)
class Group:
    """Spins that share gain, damping, dephasing and natural frequency, equations (1.2) and (1.3).

    Parameters
    ----------
    gain, damping, dephasing : float
        Rates kappa (spin goes up), gamma (spin goes down) and gamma_phi (pure dephasing), non-negative;
        one unit for all rates and angular frequencies.
    frequency : float or Lorentzian, Gaussian, Uniform, Samples
        Natural frequency (angular), or its distribution over the spins.
    weight : float
        Relative number of spins, positive; an ensemble normalizes it.
    name : str, optional
        Without dots. An ensemble calls groups without a name "A", "B", ...

    Raises
    ------
    InputError
        If a rate is negative, a number is not finite, or the weight is not positive.

    Examples
    --------
    >>> import spinsync as ss
    >>> atoms = ss.Group(gain=3.0, damping=1.0)
    >>> atoms.gamma_1, atoms.gamma_perp, atoms.z0
    (4.0, 2.0, 0.5)
    """

    gain: float
    damping: float
    _: KW_ONLY
    dephasing: float = 0.0
    frequency: float | Distribution = 0.0
    weight: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        for name in FIELDS:
            object.__setattr__(self, name, PARAMETERS[name].check(name, getattr(self, name)))
        checks.real(" + ".join(RELAXATION), sum(getattr(self, name) for name in RELAXATION))
        if self.name is not None:
            checks.plain_name("name", self.name)

    @property
    def gamma_1(self) -> float:
        """Population relaxation, gain + damping."""
        return self.gain + self.damping

    @property
    def gamma_perp(self) -> float:
        """Coherence relaxation, (gain + damping)/2 + dephasing."""
        return self.gamma_1 / 2 + self.dephasing

    @property
    def z0(self) -> float:
        """Inversion without coupling, (gain - damping)/(gain + damping); NaN without gain and damping."""
        return (self.gain - self.damping) / self.gamma_1 if self.gamma_1 else float("nan")

    @property
    def mean_frequency(self) -> float:
        """The natural frequency, or the centre of its distribution."""
        return self.frequency if isinstance(self.frequency, float) else self.frequency.center

    @property
    def distribution(self) -> Distribution | None:
        """The distribution of the natural frequency; None for one frequency."""
        return None if isinstance(self.frequency, float) else self.frequency


def with_names(groups: list[Group]) -> list[Group]:
    """The groups with default names where they have none. Raises InputError if two names are equal."""
    taken = {group.name for group in groups}
    for i, group in enumerate(groups):
        if group.name is None:
            groups[i] = replace(group, name=next(name for name in map(_default_name, count(i)) if name not in taken))
            taken.add(groups[i].name)
    names = [group.name for group in groups]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise checks.InputError(f"Argument `groups` must have names that differ, but two are called {twice!r}.")
    return groups


def _default_name(index: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
