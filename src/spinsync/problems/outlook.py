"""Whether a run can be expected to end within the steps that it is allowed, asked while it goes on."""

from __future__ import annotations

from dataclasses import dataclass

SURE, SOON = 10.0, 1e6  # times the allowed steps: what a run must be expected to take to be given up, late and soon
LATE = 0.1  # of the allowed steps: a burst at the start needs shorter steps than what comes after it
LOOKS, FEWEST = 500, 1000  # at them in a run of all steps that are allowed; fewest steps between two


def allowed_steps(most: float, work: float, components: int) -> int:
    """Of a run of at most so many steps, and so many steps times components."""
    return int(min(most, work / components))


def steps_between_checks(allowed: int) -> int:
    """Steps between two looks at the outlook of a run."""
    return max(allowed // LOOKS, FEWEST)


@dataclass
class Outlook:
    """Whether a run can be expected to end within its steps, which may still grow while the motion comes to rest.

    It is asked after numbers of steps that do not depend on how fast the machine is, so that the answer does not either.
    """

    span: float
    settled: float  # time by which the motion should have come to rest, if it does
    sure: float = SURE
    step: float = 0.0  # when it was last asked

    def hopeless(self, step: float, elapsed: float, left: int, share: float) -> bool:
        """Steps that don't grow reach neither the end nor, before it, the time by which there should be rest.

        share : of the allowed steps that are taken
        """
        grew, self.step = step > self.step, step
        goal = self.span if elapsed > self.settled else min(self.span, self.settled)
        return not grew and goal - elapsed > (self.sure if share > LATE else SOON) * left * step
