"""What verbs ask of a finite number of spins: the state at rest, and sentences for what can't be computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import floor, log10
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.checks import InputError, IntegrationError
from spinsync.base.interrupts import aside
from spinsync.model.ensembles import Ensemble
from spinsync.problems.linear import dense, lines
from spinsync.problems.linear.lattice import populations_at_rest
from spinsync.problems.linear.lattice.sparse_lu import TooLargeError
from spinsync.problems.linear.products import solvers
from spinsync.problems.linear.record import Linear
from spinsync.theory.protocol import Theory, refuse


def linear_problem(ensemble: Ensemble, theory: Theory, verb: str) -> Linear:
    """The problem of a theory of finite N; others refuse."""
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    refuse(theory, verb)
    problem = theory.lower(ensemble, None, 0, False)
    assert isinstance(problem, Linear)
    return problem


@aside
def at_rest(linear: Linear) -> tuple[Linear, Array]:
    """The problem, or the part of it that holds nearly all of the steady state, and its sector 0 there."""
    if linear.lattice is not None:
        found = populations_at_rest.steady(linear.lattice)
        return found.problem, found.probability
    if linear.parts is not None:
        return linear, solvers.steady(linear.parts, linear.trace)
    generator = linear.block(0)
    rho = dense.null_vector(generator, linear.trace)
    if rho is None:
        several = abs(generator.diagonal()).max() <= solvers.CONTRAST * lines.slowest_rate(generator.diagonal())
        raise populations_at_rest.UndecidedError if several else OverflowError
    return linear, rho


@contextmanager
def in_words(theory: Theory, growth: int) -> Iterator[None]:
    """Say what went wrong; the number of components grows as the number of spins to the power `growth`.

    Numpy's own warnings would come before the sentence: what is no number is found where results are checked.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            yield
    except populations_at_rest.UndecidedError:
        raise InputError(
            "Argument `ensemble` must have one steady state, but has several: the start decides; `evolve` shows the motion."
        ) from None
    except TooLargeError as error:
        spins: Any = theory.spins  # type: ignore[attr-defined]
        fits = spins * (error.available / error.needed) ** (1 / growth)
        rounded = floor(fits / 10 ** floor(log10(fits)) * 10) * 10 ** floor(log10(fits)) // 10
        raise InputError(
            f"Argument `spins` must be at most about {rounded} for this question and this machine, but is spins={spins}: "
            f"it would take about {error.needed / 2**30:.2g} GiB of memory, and {error.available / 2**30:.2g} may be used."
        ) from None
    except solvers.SlowError:
        raise IntegrationError(
            "The iteration does not reach ten digits: the coupling is too strong beside what each group does by itself; "
            "fewer spins help."
        ) from None
    except lines.CrowdedError:
        raise IntegrationError(
            "The slowest modes nearly coincide, and double precision does not tell them apart: the ensemble has no line of its "
            "own; `emission_spectrum` shows its light."
        ) from None
    except OverflowError:
        raise IntegrationError("The rates are too large for double precision, or differ by too many orders.") from None
