"""Error messages: the one place where the exceptions of solvers are translated for users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import floor, isfinite, log10
from typing import Any

from spinsync.base.checks import InputError, IntegrationError
from spinsync.base.memory import GIB
from spinsync.base.progress import duration
from spinsync.problems import outcome
from spinsync.theory.protocol import Theory


@contextmanager
def error_messages(theory: Theory) -> Iterator[None]:
    """Translate NoAnswerError raised inside: to InputError where other arguments have an answer, to IntegrationError where
    double precision or an algorithm is not sufficient."""
    try:
        yield
    except outcome.NoAnswerError as error:
        raise MESSAGES[type(error)](error, theory) from None


def _too_large(error: Any, theory: Any) -> Exception:
    most = f"at most {error.fits}" if error.fits else "fewer"
    if error.fits is None:
        fits = theory.spins * (error.available / error.needed) ** (1 / error.growth)
        most = f"at most about {floor(fits / 10 ** floor(log10(fits)) * 10) * 10 ** floor(log10(fits)) // 10}"
    return InputError(
        f"Argument `spins` must be {most} for this question and this machine, but is spins={theory.spins}: "
        f"it would take about {error.needed / GIB:.2g} GiB of memory, and {error.available / GIB:.2g} may be used."
    )


MESSAGES: Mapping[type[outcome.NoAnswerError], Callable[[Any, Theory], Exception]] = {
    outcome.NotUniqueError: lambda error, theory: InputError(
        "Argument `ensemble` must have one steady state, but has several: the initial state decides; `evolve` shows the motion."
    ),
    outcome.NoRelaxationError: lambda error, theory: InputError(
        "Argument `ensemble` must have gain, damping or (in mean field) dephasing in every group to relax, but one has none."
    ),
    outcome.NoFixedPointError: lambda error, theory: IntegrationError(
        f"The ensemble still moves after a time of {error.time:.6g}: it has no steady state in a common rotating frame, "
        "or is too close to a threshold; `regime` tells more, `evolve` shows the motion."
    ),
    outcome.StoppedError: lambda error, theory: IntegrationError(str(error)),
    outcome.DivergedError: lambda error, theory: IntegrationError(
        f"The moments of {theory!r} grow without bound after a time of {error.time:.3g}: this level of theory fails here, as "
        "it does for few spins with a spread of frequencies; `compare` shows others."
    ),
    outcome.LostTraceError: lambda error, theory: IntegrationError(
        "The trace of the density matrix was lost: the rates are too large for double precision."
    ),
    outcome.TooLargeError: _too_large,
    outcome.NotConvergedError: lambda error, theory: IntegrationError(
        "The iteration does not reach ten digits, as the coupling between groups is too strong: fewer spins help."
    ),
    outcome.IllConditionedError: lambda error, theory: IntegrationError(
        "The slowest modes nearly coincide, and double precision does not tell them apart: the ensemble has no single "
        "line; `emission_spectrum` shows its light."
    ),
    outcome.TooFewLinesError: lambda error, theory: InputError(
        f"Argument `modes` must be at most {error.most}, as many lines as J_- shows, but is modes={error.requested}."
    ),
    outcome.NoLineError: lambda error, theory: InputError(
        "Argument `ensemble` must have a line narrower than that of free spins, but the spread of its frequencies leaves none; "
        "`emission_spectrum` shows its light."
    ),
    outcome.TooManyJumpsError: lambda error, theory: InputError(
        f"Argument `most_jumps` must be larger for this question, but is most_jumps={error.most}: "
        "the first trajectories need more to reach their last time."
    ),
    outcome.TooManyStepsError: lambda error, theory: IntegrationError(
        f"The run would take more than {error.most} time steps: shorten `times`, give a larger `dt`, or choose slower rates."
    ),
    outcome.NarrowLineError: lambda error, theory: IntegrationError(
        f"The light stays coherent for longer than {error.time:.6g}, so that its line is too narrow for samples of its motion: "
        "fewer spins have a wider one."
    ),
    outcome.TimeLimitError: lambda error, theory: InputError(
        f"Argument `most_seconds` must be larger for this question, but is most_seconds={error.most:g}: "
        f"the first trajectories take {f'about {duration(error.needed)}' if isfinite(error.needed) else 'much longer'}."
    ),
}
