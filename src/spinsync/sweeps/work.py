"""The work of a sweep: a function, or a question about a model, computed at the points of a chunk."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.parallel import parallel_map, thread_limit
from spinsync.base.progress import silence
from spinsync.model.ensembles import Ensemble, varied
from spinsync.questions.options import check_distributions
from spinsync.questions.regimes import checked_start, regime_coordinates, regime_variables
from spinsync.regimes.codes import Status
from spinsync.regimes.summary import blank
from spinsync.results.datasets import dataset
from spinsync.sweeps.blocks import Block, Layout, UnfitError, concatenated, reason, stacked, unstacked
from spinsync.sweeps.grids import REALIZATION
from spinsync.sweeps.regimes_at_points import motions_at_points
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import seed_matters

Columns = Mapping[str, Array]
#: keywords of `sweep` itself, of which a misspelled option may be one
OWN = ("model", "realizations", "store", "executor", "variables", "seed", "retry_failed", "explain", "chunk")


def realization_seed(seed: int, realization: int) -> int:
    """The seed of a disorder realization: `seed` itself for the first one, and made of both for the others."""
    if realization == 0:
        return seed
    return int(np.random.SeedSequence((seed, realization)).generate_state(1, np.uint64)[0] >> 1)


@dataclass(frozen=True)
class Work:
    """What is computed at a point: `function(model.replace(**point), **options)`, or without a model `function(**point, ...)`.

    seeded : whether the function takes the seed of the realization
    variables : names of the variables that are kept; None: all
    parameters : dim -> name of the parameter that it varies
    total : points of the whole sweep
    """

    function: Callable[..., Any]
    model: Ensemble | None
    options: Mapping[str, Any]
    seeded: bool
    seed: int
    variables: tuple[str, ...] | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    total: int = 1

    @property
    def name(self) -> str:
        """Name of the function, which is also that of its variable if it returns a number."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def question(self) -> str | None:
        """Name of the public question; None for any other function."""
        return question_name(self.function)

    def compute(self, columns: Columns, layout: Layout | None = None, threads: int | None = None) -> Block:
        """The results at points whose values are given by dim, each of shape (point,); a point that fails gives its reason."""
        with thread_limit(threads), one_blas_thread(), silence():
            if self.question == "regime":
                return self._regimes(columns)
            return self._one_by_one(columns, layout)

    def _one_by_one(self, columns: Columns, layout: Layout | None) -> Block:
        known = {self.parameters.get(name, name): values.tolist() for name, values in columns.items() if name != REALIZATION}
        names, rows = list(known), list(zip(*known.values(), strict=True))
        if not names:
            rows = [()] * len(next(iter(columns.values())))
        seeds = self._seeds(columns, len(rows))

        def answer(k: int) -> Any:
            options = self.options if seeds is None else {**self.options, "seed": seeds[k]}
            point = dict(zip(names, rows[k], strict=True))
            try:
                if self.model is None:
                    return self.function(**point, **options)
                return self.function(varied(self.model, point), **options)
            except SystemExit as error:
                return UnfitError(f"SystemExit: {error}")
            except Exception as error:
                return error

        points = range(len(rows))
        outcomes = parallel_map(answer, points) if self.question else [answer(k) for k in points]
        return stacked(outcomes, self.name, layout, self.variables, tuple(columns))

    def _seeds(self, columns: Columns, count: int) -> list[int] | None:
        if not self.seeded:
            return None
        realizations = columns.get(REALIZATION, np.zeros(count, int)).tolist()
        known = {k: realization_seed(self.seed, k) for k in set(realizations)}
        return [known[k] for k in realizations]

    def _regimes(self, columns: Columns) -> Block:
        """Regimes, in the kernels of phase diagrams; one point at a time if a point is not possible."""
        count = len(next(iter(columns.values())))
        try:
            return self._regimes_at_once(columns)
        except Exception as error:
            if count == 1:
                return Block(None, {}, [reason(error)])
        return concatenated(
            [self._regimes({name: values[k : k + 1] for name, values in columns.items()}) for k in range(count)]
        )

    def _regimes_at_once(self, columns: Columns) -> Block:
        assert self.model is not None
        theory = with_defaults(self.options.get("theory", MeanField()), MAPS)
        initial = self.options.get("initial")
        check_distributions(theory, self.model.recipe.distributions(self.parameters.values()))
        known = {self.parameters[name]: values for name, values in columns.items() if name != REALIZATION}
        realizations = columns.get(REALIZATION, np.zeros(len(next(iter(columns.values()))), int))
        found = blank(len(realizations), len(self.model.groups), Status.FAILED)
        for k in np.unique(realizations).tolist():
            here = np.flatnonzero(realizations == k)
            start = checked_start(self.model, theory, initial, realization_seed(self.seed, k))
            own = {name: values[here] for name, values in known.items()}
            found[here] = motions_at_points(self.model, own, theory, start, total=self.total)
        variables = regime_variables(found, ("point",), (len(realizations),))
        whole = dataset(variables, regime_coordinates(self.model), "regime", self.model)
        return unstacked(whole if self.variables is None else whole[list(self.variables)], "point")


def question_name(function: Callable[..., Any]) -> str | None:
    """The name of a public function of the package; None for any other function."""
    name = getattr(function, "__name__", None)
    if not str(getattr(function, "__module__", "")).startswith("spinsync.") or not isinstance(name, str):
        return None
    return name if getattr(import_module("spinsync"), name, None) is function else None


def takes_seed(function: Callable[..., Any]) -> bool:
    """Whether a function has an argument `seed`."""
    try:
        return "seed" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def first_argument(function: Callable[..., Any]) -> list[str]:
    """The name of the first argument of a function, if it is known."""
    try:
        return list(inspect.signature(function).parameters)[:1]
    except (TypeError, ValueError):
        return []


def uses_seed(function: Callable[..., Any], options: Mapping[str, Any]) -> bool:
    """Whether the seed changes what a function returns: where nothing is random a question takes none."""
    question = question_name(function)
    if question is None:
        return takes_seed(function)
    theory = options.get("theory", inspect.signature(function).parameters["theory"].default if takes_seed(function) else None)
    return takes_seed(function) and theory is not None and seed_matters(theory, question, options.get("initial") is not None)


def checked_function(function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise checks.argument_error("function", "a question such as ss.regime, or any other function", function)
    return function  # type: ignore[no-any-return]


def check_arguments(function: Callable[..., Any], given: Iterable[str], axes: Iterable[str], options: Iterable[str]) -> None:
    """Raise an InputError for an axis or an option that the function does not take, or an argument that it lacks.

    given : names of arguments that are neither axes nor options
    """
    if both := sorted(set(axes) & set(options)):
        raise checks.InputError(f"Argument `axes` must not hold what is also an option, but {both[0]} is both.")
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    named = [name for name, one in parameters.items() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        taken = [one for one in named if one not in ("seed", *given)]
        for name in axes:
            if not taken:
                raise checks.InputError(f"Argument `function` must take the argument {name}, but takes none.")
            checks.one_of("axes", name, taken)
        for name in options:
            known = [*taken, *get_close_matches(name, OWN, n=1)]
            if not known:
                raise checks.InputError(f"Argument `options` must be empty, as the function takes none, but has {name}.")
            checks.one_of("options", name, known)
    lacking = [name for name in named if parameters[name].default is inspect.Parameter.empty]
    if missing := [name for name in lacking if name not in (*given, *axes, *options, "seed")]:
        raise checks.InputError(
            f"Argument `{missing[0]}` must be an axis or an option, as the function needs it, but is neither."
        )


def checked_names(argument: str, names: Any) -> tuple[str, ...]:
    """A list of different names."""
    if isinstance(names, str) or not checks.has_entries(names):
        raise checks.argument_error(argument, "a list of names", names)
    listed = tuple(map(str, names))
    if not listed or len(set(listed)) < len(listed):
        raise checks.argument_error(argument, "a list of at least one name, each once", names)
    return listed
