"""The ensemble: groups of two-level systems and the coupling between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinsync.base import checks, files
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields, known_keywords
from spinsync.base.memory import check_memory
from spinsync.base.notices import warn
from spinsync.model import model_files
from spinsync.model.cavities import CavityWarning, outside_limit
from spinsync.model.couplings import Dense
from spinsync.model.distributions import Distribution
from spinsync.model.groups import Group, with_names
from spinsync.model.layouts import group_columns
from spinsync.model.parameters import CONSTRUCTORS, FIELDS, PARAMETERS, default
from spinsync.model.rates import Rates, broadcast_rates, normalized
from spinsync.model.recipes import Recipe

PerGroup = float | tuple[float, float]
DEFAULT_RECIPE = Recipe("groups")  # placeholder: `__post_init__` replaces it by the groups and the matrix


@known_fields
@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """Groups of two-level systems with gain, damping, dephasing and a complex coupling C_ab = V_ab exp(i theta_ab).

    `Ensemble.single`, `Ensemble.pair` and `Ensemble.cavity` construct the most common ensembles; this constructor takes
    any groups and any matrix. Every complex matrix is physical (theory page, section 2).

    Parameters
    ----------
    groups : sequence of Group
        Groups without a name are called "A", "B", ...; weights are normalized to add up to 1.
    coupling_matrix : complex array of shape (group, group)
        C_ab: coefficient of the coherence of group b in the field at group a, (3.1); angular frequency.
    lamb_shift : bool
        Whether the field of a spin shifts the frequency of this same spin by Re(C_aa)/N at N spins, as in a real cavity (on
        for `Ensemble.cavity`); the shift vanishes as 1/N, and hence has no influence in mean field.

    Raises
    ------
    InputError
        If the matrix does not fit the groups, a number is not finite, or two groups share a name.

    Examples
    --------
    >>> import spinsync as ss
    >>> pumped, damped = ss.Group(gain=3, damping=1), ss.Group(gain=0, damping=1, weight=0.5)
    >>> ss.Ensemble([pumped, damped], [[-6j, -1j], [-1j, 0]]).names
    ('A', 'B')
    """

    groups: Sequence[Group]
    coupling_matrix: Array
    lamb_shift: bool = False
    recipe: Recipe = field(default=DEFAULT_RECIPE, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.groups, Group) or not isinstance(self.groups, (tuple, list)) or not self.groups:
            raise checks.argument_error("groups", "a sequence of at least one Group", self.groups)
        groups = with_names([checks.instance("groups", group, Group, "a sequence of Group") for group in self.groups])
        size = len(groups)
        described = f"a {size} x {size} complex matrix"
        matrix = checks.array("coupling_matrix", self.coupling_matrix, complex, (size, size), described)
        matrix.flags.writeable = False
        if self.recipe is DEFAULT_RECIPE:
            object.__setattr__(self, "recipe", Recipe("groups", base=(tuple(groups), Dense(matrix))))
        with np.errstate(over="ignore"):
            weights = normalized([group.weight for group in groups])
        shared = [g if g.weight == w else replace(g, weight=w) for g, w in zip(groups, weights.tolist(), strict=True)]
        object.__setattr__(self, "groups", tuple(shared))
        object.__setattr__(self, "coupling_matrix", matrix)
        object.__setattr__(self, "lamb_shift", checks.flag("lamb_shift", self.lamb_shift))

    @classmethod
    @known_keywords
    def single(
        cls, *, gain: float, damping: float, coupling: float, theta: float,
        frequency: float | Distribution = 0.0, dephasing: float = 0.0,
    ) -> Ensemble:  # fmt: skip
        """One group with coupling V exp(i theta).

        Parameters
        ----------
        gain, damping, dephasing : float
            Rates, non-negative.
        coupling : float
            Strength V, non-negative; angular frequency.
        theta : float
            Interaction phase in radians; -pi/2 is a resonant cavity.
        frequency : float or Lorentzian, Gaussian, Uniform, Samples
            Natural frequency or its distribution; angular.

        Raises
        ------
        InputError
            If a rate or the strength is negative, or a number is not finite.

        Examples
        --------
        >>> import numpy as np, spinsync as ss
        >>> ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
        Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.5707963267948966)
        """
        return _construct("single", locals())

    @classmethod
    @known_keywords
    def pair(
        cls, *, detuning: float, gain: PerGroup, damping: PerGroup, coupling: float, theta: float,
        cross_coupling: float | None = None, cross_theta: PerGroup | None = None, dephasing: PerGroup = 0.0,
        weights: PerGroup = (1, 1),
    ) -> Ensemble:  # fmt: skip
        """Two groups A, B at frequencies +detuning/2, -detuning/2.

        Parameters
        ----------
        detuning : float
            omega_A - omega_B; angular frequency.
        gain, damping, dephasing : float or two floats
            Rates, for both groups or one per group.
        coupling, theta : float
            C_AA = C_BB = coupling exp(i theta).
        cross_coupling, cross_theta : float, optional
            C_AB = C_BA = cross_coupling exp(i cross_theta); cross_theta may be two numbers, for AB and BA. None: equal
            to coupling and theta, also where a diagram varies these.
        weights : two floats
            Relative numbers of spins.

        Raises
        ------
        InputError
            If a rate or a strength is negative, or a number is not finite.

        Examples
        --------
        >>> import numpy as np, spinsync as ss
        >>> ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2).names
        ('A', 'B')
        """
        return _construct("pair", locals())

    @classmethod
    @known_keywords
    def cavity(
        cls, *, spins: int, vacuum_coupling: float, cavity_decay: float, cavity_detuning: float = 0.0,
        gain: float, damping: float, dephasing: float = 0.0, frequency: float | Distribution = 0.0,
        detuning: float | None = None, weights: PerGroup | None = None,
    ) -> Ensemble:  # fmt: skip
        """Spins in a bad cavity that follows them adiabatically: C = -i N g^2 / (cavity_decay/2 + i cavity_detuning), (7.1).

        One group, or with a detuning two clouds A, B, which the cavity couples alike, so that all four C_ab are equal.

        Parameters
        ----------
        spins : int
            Number N of spins in the cavity. A theory with another number of spins keeps V, the collective coupling, and
            thereby has another coupling g per spin.
        vacuum_coupling : float
            Coupling g of one spin to the cavity mode, half of the single-photon Rabi frequency; angular.
        cavity_decay : float
            Energy decay rate of the cavity, the full width of its line (FWHM, angular), positive; large compared with all other
            rates: a `CavityWarning` says where Gamma_perp, g sqrt(N) or the spread of the natural frequencies (half the
            distance of two clouds, the width of a distribution) exceeds a tenth of cavity_decay/2. `from_toml` gives it too,
            and `replace` and `phase_diagram` give it once where they leave this limit.
        cavity_detuning : float
            Cavity frequency minus spin frequency, angular; it sets theta, between -pi and 0.
        gain, damping, dephasing, frequency
            As in `Ensemble.single`; of two clouds the mean of their frequencies.
        detuning : float, optional
            omega_A - omega_B of two clouds, angular, at frequency + detuning/2 and frequency - detuning/2; None: one group.
        weights : two floats, optional
            Relative numbers of spins of two clouds, by default equal; `spins` is the number in both together.

        Raises
        ------
        InputError
            If a rate is negative, a number is not finite, or there are weights without a detuning.

        Examples
        --------
        Strontium in 1/s: a million atoms with a line of 1 mHz in a cavity of 150 kHz (both FWHM), cooperativity
        C = 4 g^2/(cavity_decay damping) = 0.41, pumped at 1300/s. Without cavity_detuning V = N C damping/2. The page "A
        strontium laser in Hz" goes on from here.

        >>> import numpy as np, spinsync as ss
        >>> Hz = 2 * np.pi
        >>> line, cavity = 1e-3 * Hz, 150e3 * Hz
        >>> g = np.sqrt(0.41 * line * cavity) / 2
        >>> laser = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=g, cavity_decay=cavity, gain=1300.0, damping=line)
        >>> laser.coupling_matrix.round(1)
        array([[0.-1288.1j]])

        Two clouds 30 Hz apart, three quarters of the atoms in the first one:

        >>> clouds = ss.Ensemble.cavity(
        ...     spins=10**6, vacuum_coupling=g, cavity_decay=cavity, gain=1300.0, damping=line, detuning=30 * Hz, weights=(3, 1)
        ... )
        >>> [(group.name, round(group.frequency / Hz, 9), group.weight) for group in clouds.groups]
        [('A', 15.0, 0.75), ('B', -15.0, 0.25)]
        """
        ensemble = _construct("cavity", locals())
        warn_outside_limit(ensemble)
        return ensemble

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the groups."""
        return tuple(str(group.name) for group in self.groups)

    @property
    def rates(self) -> Rates:
        """Coefficients of the equations of motion, arrays of shape (group,) and (group, group)."""
        columns = group_columns(self.groups)
        return broadcast_rates(columns, columns["weight"], self.coupling_matrix)

    def replace(self, **parameters: Any) -> Ensemble:
        """The same ensemble with some parameters changed.

        Parameters
        ----------
        **parameters
            Any parameter of the constructor of the ensemble, or "A.gain", "A.B.coupling", "A.B.theta" with the
            names of its groups (pass dotted names as `**{"A.gain": 2.0}`).

        Raises
        ------
        InputError
            If a parameter is unknown (the message lists all names) or its value is not allowed.

        Examples
        --------
        >>> import numpy as np, spinsync as ss
        >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
        >>> one.replace(coupling=5.0).coupling_matrix.round(12)
        array([[0.-5.j]])
        """
        changed = varied(self, parameters)
        if outside_limit(self.recipe, self.groups) is None:  # else the user was warned when the cavity was made
            warn_outside_limit(changed)
        return changed

    @known_keywords
    def split(self, parts: int) -> Ensemble:
        """Each group divided into equal subgroups (A_1, A_2, ...): the same physics, with each subgroup observed by itself.

        Parameters
        ----------
        parts : int
            At least 1.

        Raises
        ------
        InputError
            If `parts` is not a whole number of at least 1, or too large for the memory.

        Examples
        --------
        >>> import numpy as np, spinsync as ss
        >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
        >>> one.split(3).names
        ('A_1', 'A_2', 'A_3')
        """
        parts = checks.whole("parts", parts, 1)
        check_memory("parts", parts, 40.0 * len(self.groups) ** 2, growth=2)  # the matrix, and its copies
        groups = [replace(g, name=f"{g.name}_{k + 1}", weight=g.weight / parts) for g in self.groups for k in range(parts)]
        return Ensemble(tuple(groups), np.kron(self.coupling_matrix, np.ones((parts, parts))), self.lamb_shift)

    @known_keywords
    def to_toml(self, path: str | Path) -> None:
        """Write the parameters of the constructor as TOML, so that `from_toml` returns an equal ensemble.

        Parameters
        ----------
        path : path
            A file; an existing one is replaced atomically.

        Raises
        ------
        InputError
            If the file can't be written.

        Examples
        --------
        >>> import spinsync as ss, tempfile, pathlib
        >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     one.to_toml(pathlib.Path(folder) / "one.toml")
        ...     ss.Ensemble.from_toml(pathlib.Path(folder) / "one.toml") == one
        True
        """
        files.write_text(checks.path("path", path), model_files.text(self.recipe, self.lamb_shift))

    @classmethod
    @known_keywords
    def from_toml(cls, path: str | Path) -> Ensemble:
        """Read an ensemble from a file of `to_toml` or one written by hand.

        Parameters
        ----------
        path : path
            A TOML file with one table `[single]`, `[pair]` or `[cavity]` of the constructor's parameters, or with
            `[[groups]]` and `[coupling_matrix]` (real, imag); `[changes]` holds dotted parameters.

        Raises
        ------
        InputError
            If the file can't be read, is not TOML, has an unknown key, or a value is not allowed.

        Examples
        --------
        See `Ensemble.to_toml`.
        """
        ensemble = from_toml_text(files.read_text(checks.path("path", path)), str(path))
        warn_outside_limit(ensemble)
        return ensemble

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ensemble)
            and self.groups == other.groups
            and np.array_equal(self.coupling_matrix, other.coupling_matrix)
            and self.lamb_shift == other.lamb_shift
        )

    def __hash__(self) -> int:
        return hash((self.groups, (self.coupling_matrix + 0).tobytes(), self.lamb_shift))

    def __repr__(self) -> str:
        recipe = self.recipe
        if recipe.base is None:
            shown = [n for n in CONSTRUCTORS[recipe.constructor] if recipe.parameters[n] != default(recipe.constructor, n)]
            text = f"Ensemble.{recipe.constructor}({', '.join(f'{n}={recipe.parameters[n]!r}' for n in shown)})"
            return text + (f".replace(**{dict(recipe.changes)!r})" if recipe.changes else "")
        few = len(self.groups) <= 8
        listed = "".join(f"    {group!r},\n" for group in self.groups[:8])
        more = "" if few else f"    ... {len(self.groups)} groups\n"
        entries = repr(self.coupling_matrix.tolist()) if few else "..."
        return f"Ensemble([\n{listed}{more}  ],\n  {entries}{', lamb_shift=True' if self.lamb_shift else ''},\n)"


def from_recipe(recipe: Recipe, lamb_shift: bool) -> Ensemble:
    """The ensemble of a recipe: its groups and its coupling matrix from the parameters by group."""
    with np.errstate(over="ignore", invalid="ignore"):  # Ensemble raises an error for numbers that are not finite
        columns, coupling, edits = recipe.columns_and_coupling()
        rows = zip(recipe.group_names, recipe.distributions(), *(columns[name].tolist() for name in FIELDS), strict=True)
        groups = []
        for name, distribution, *values in rows:
            own = dict(zip(FIELDS, values, strict=True)) | ({} if distribution is None else {"frequency": distribution})
            groups.append(Group(**own, name=name))
        return Ensemble(tuple(groups), coupling.edited(edits).matrix, lamb_shift, recipe)


def _construct(constructor: str, given: Mapping[str, Any]) -> Ensemble:
    """The ensemble of a constructor; `given`: its arguments by name."""
    checked = dict.fromkeys(CONSTRUCTORS[constructor])
    for name in checked:
        if given[name] is not None or default(constructor, name) is not None:
            checked[name] = PARAMETERS[name].checked(name, given[name], constructor == "pair" or name == "weights")
    if constructor == "cavity":
        if checked["weights"] is not None and checked["detuning"] is None:
            raise checks.argument_error("weights", "given with `detuning`, which makes two clouds", checked["weights"])
        if checked["detuning"] is not None and checked["weights"] is None:
            checked["weights"] = PARAMETERS["weights"].default
    return from_recipe(Recipe(constructor, checked), lamb_shift=constructor == "cavity")


def varied(ensemble: Ensemble, parameters: Mapping[str, Any]) -> Ensemble:
    """`Ensemble.replace` for calls of the package itself, which give no warning about the cavity of each of many ensembles."""
    return from_recipe(ensemble.recipe.replaced(parameters), ensemble.lamb_shift)


def warn_outside_limit(ensemble: Ensemble) -> None:
    if sentence := outside_limit(ensemble.recipe, ensemble.groups):
        warn(sentence, CavityWarning)


def from_toml_text(text: str, where: str = "the text") -> Ensemble:
    """The ensemble that a TOML text describes; `where` names the text in error messages. Stored results give no warning."""
    recipe, lamb_shift = model_files.parse(text, where)
    if recipe.base is None:
        defaults = {name: default(recipe.constructor, name) for name in CONSTRUCTORS[recipe.constructor]}
        ensemble = _construct(recipe.constructor, {**defaults, **recipe.parameters})
    else:
        ensemble = Ensemble(recipe.base[0], recipe.base[1].matrix, lamb_shift)
    return varied(ensemble, recipe.changes) if recipe.changes else ensemble
