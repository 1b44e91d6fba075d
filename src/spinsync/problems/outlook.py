"""Forecast, while a run goes on, whether it will end within its allowed number of steps."""

from __future__ import annotations

from dataclasses import dataclass

SURE, SOON = 10.0, 1e6  # safety factors on the estimated steps: later in a run, and in its first part LATE
LATE = 0.1  # of the allowed steps: an initial transient needs shorter steps than the later motion
CHECKS, LEAST_INTERVAL = 500, 1000  # checks in a run of all allowed steps; smallest number of steps between two


def allowed_steps(most: float, work: float, components: int) -> int:
    """Largest number of steps of a run: at most `most`, and at most `work` steps times components."""
    return int(min(most, work / components))


def steps_between_checks(allowed: int) -> int:
    """Number of steps between two checks of a run."""
    return max(allowed // CHECKS, LEAST_INTERVAL)


@dataclass
class Outlook:
    """Forecast whether a run ends within its steps. Steps may still grow until the motion has relaxed.

    Checks are made at given step numbers, independent of the speed of the machine, so that their outcome is reproducible.
    """

    span: float
    relaxation_time: float  # after this time the motion has relaxed, if it relaxes at all
    sure: float = SURE
    step: float = 0.0  # length of the step at the last check

    def hopeless(self, step: float, elapsed: float, left: int, share: float) -> bool:
        """Whether steps of constant length reach neither the end of the run nor, before that, the relaxation time.

        left : number of remaining steps; share : fraction of the allowed steps that has been used
        """
        grew, self.step = step > self.step, step
        goal = self.span if elapsed > self.relaxation_time else min(self.span, self.relaxation_time)
        return not grew and goal - elapsed > (self.sure if share > LATE else SOON) * left * step
