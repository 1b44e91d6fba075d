"""Options that would have no effect are errors; a cavity out of its limit or with other spins than a theory is a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spinsync.base import checks
from spinsync.base.notices import warn
from spinsync.model.cavities import largest_rates
from spinsync.model.distributions import Distribution
from spinsync.model.ensembles import Ensemble
from spinsync.theory.protocol import Theory, seed_matters


def checked_seed(theory: Theory, question: str, initial: Any, seed: Any) -> int:
    """The seed of a question. Raises InputError if it is no seed, or if nothing random could depend on it."""
    found = checks.seed(seed)
    if found and not seed_matters(theory, question, initial is not None):
        why = "where `initial` is given, as nothing else is random" if initial is not None else "where nothing is random"
        raise checks.argument_error("seed", f"left at 0 {why}", found)
    return found


def check_distributions(theory: Theory, distributions: Iterable[Distribution | None]) -> None:
    """Raises InputError if an option of the theory has no effect on groups with these distributions of frequencies."""
    if check := getattr(theory, "check_distributions", None):
        check(tuple(distributions))


def warn_of_other_spins(ensemble: Ensemble, theory: Theory, asked: int | None = None) -> None:
    """Warn where the spins of a theory, or those asked for, are not those of the cavity: V is kept, not g."""
    own, spins = ensemble.recipe.parameters.get("spins"), getattr(theory, "spins", asked)
    if own is not None and spins is not None and spins != own:
        warn(
            f"The cavity holds spins={own:g} and {theory!r} computes {spins}: the coupling V is kept, and with it "
            f"vacuum_coupling * sqrt(spins); `replace(spins={spins})` keeps vacuum_coupling."
        )


def warn_of_cavities(ensemble: Ensemble, axes: Mapping[str, Any]) -> None:
    """Give the warning of a cavity that does not follow its spins, once if some point of a diagram leaves the limit."""
    if ensemble.recipe.constructor == "cavity":
        ensemble.replace(**largest_rates(axes))
