"""Waveform relaxation for very many members in a common field: the steps, their errors and their fixed points.

On each step the field is the polynomial whose Legendre coefficients are those of what the members make of it: a fixed
point, which sweeps over all members find. What they will make of it is foretold by few of them, evenly chosen: those find
their own fixed point in many cheap sweeps, by several secants at once (D. G. Anderson, J. ACM 12, 547 (1965)). A sweep of
all tells what the few have missed, and one or two such sweeps are enough.

As the coefficients are exact integrals, what the polynomial leaves out of the true field has no mean, no slope, ... over
the step, and slow members don't feel it at the step's end: the error there is of order 2 DEGREE, as with Gauss's
quadrature. Within the step it acts to first order through its integral alone, which is known and put right where values
are asked for. What the last sweep left unsettled is given to the members as a kick, the same first order.

Background: E. Lelarasmee, A. Ruehli, A. Sangiovanni-Vincentelli, IEEE Trans. CAD 1, 131 (1982) (waveform relaxation);
E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, ch. II.1 (Gauss methods as projections).

Nothing here knows any physics: the equation comes as a module with `free`, `driven` and `swift`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre

from spinsync.base.compiled import require_compiler
from spinsync.problems.many_spins.sweep import DEGREE, FIT, POINTS, Population, Sweep, at, integral
from spinsync.problems.outcome import Ended
from spinsync.problems.outlook import Outlook, between_looks

if TYPE_CHECKING:
    from spinsync.problems.many_spins.record import ManySpins

SWEEPS = 4  # of all members before a step is cut
TRIES = 40  # sweeps of few members
FEW = 4096  # members that foretell what all will do
SETTLED = 0.3  # of the tolerance: what a fixed point may still be off, after the kick
CLOSER = 0.1  # of that: what a foretold one may be off
INSIDE = 8.0  # times the tolerance: what may be left inside a step, little of which goes on to the next
SECANTS = 16
GROWTH = 2.0
LONGEST = 8.0  # step times the quickest rate
SURE = 1.2  # times the allowed steps: what a run must be expected to take to be given up; steps stay below LONGEST
MARKS = 256  # output times within one step
NONE, NOBODY = np.empty(0), np.empty((3, 0, 0))


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Means (time, group, 3); single members (3, time, member) if asked for; status and counts."""

    means: np.ndarray
    singles: np.ndarray
    status: Ended
    steps: int
    rejected: int


class Secants:
    """Pairs of changes: of a guess, and of what it is off."""

    def __init__(self) -> None:
        self.last: tuple[np.ndarray, np.ndarray] | None = None
        self.guesses: list[np.ndarray] = []
        self.defects: list[np.ndarray] = []

    def better(self, guess: np.ndarray, defect: np.ndarray) -> np.ndarray:
        """The next guess: what all secants together say."""
        if self.last is not None:
            self.guesses = [*self.guesses, _real(guess - self.last[0])][-SECANTS:]
            self.defects = [*self.defects, _real(defect - self.last[1])][-SECANTS:]
        self.last, new = (guess, defect), guess + defect
        if self.guesses:
            off = np.array(self.defects).T
            share = np.linalg.lstsq(off, _real(defect), rcond=1e-10)[0]
            new = new - ((np.array(self.guesses).T + off) @ share).view(complex).reshape(new.shape)
        return np.asarray(new)


def _real(field: np.ndarray) -> np.ndarray:
    """As real numbers: what members answer to a field is linear in these only."""
    return np.ascontiguousarray(field).ravel().view(float)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A step's fixed point: the field, what is off, the sweep that says so, and the error in units of the tolerance."""

    field: np.ndarray
    defect: np.ndarray
    sweep: Sweep
    settled: bool
    error: float
    sweeps: int


def _size(field: np.ndarray) -> float:
    """How far a field can push a member over a step, in units of the step; high coefficients average out."""
    return float((abs(field) / (1 + np.arange(field.shape[1]))).sum(axis=1).max())


def _onward(known: np.ndarray, span: float, turn: float, ahead: float, degree: int) -> np.ndarray:
    """The polynomial of a step, up to `degree`, continued over the next one, `ahead` long and turning by `turn` more."""
    share = ahead / span * (POINTS + 1) / 2
    low = legendre.legvander(1 + 2 * share, DEGREE - 1)[:, : degree + 1]
    return np.asarray((known[:, : degree + 1] @ low.T * np.exp(1j * turn * span * share)) @ FIT.T)


class Stepper:
    """The state of a run: time, step, frame, and what the last step teaches about the next."""

    def __init__(self, population: Population, end: float) -> None:
        self.population, self.problem, self.end = population, population.problem, end
        self.coupling = coupling = self.problem.coupling
        self.mean = population.means()
        self.time, self.turn, self.phase = 0.0, self.problem.frame, 0.0
        self.field = np.zeros((len(coupling), DEGREE), complex)
        self.field[:, 0] = coupling @ (self.mean[:, 0] + 1j * self.mean[:, 1])
        self.degree, self.few = 0, population.thinned(FEW)
        self.steps = self.rejected = 0
        quickest = max(self.quickest(self.field), abs(coupling).sum(axis=1).max() / 2)
        self.span = min(0.1 / quickest if quickest > 0 else np.inf, end)
        self.last: tuple[np.ndarray, float, float] | None = None  # field, span, turn

    def quickest(self, field: np.ndarray) -> float:
        """The largest rate of a member that does not turn."""
        return float(max(self.population.rates[:, :2].max(), 2 * abs(field).sum(axis=1).max()))

    def guess(self) -> np.ndarray:
        if self.last is None:
            return self.field
        known, span, turn = self.last
        return _onward(known, span, self.turn - turn, self.span, self.degree)

    def settled(self, off: float, quickest: float, tolerance: float) -> bool:
        """Whether a kick puts right what a field is off: what is left is of second order in the step, beside the first."""
        return bool(off * (min(self.span * quickest / DEGREE, 1.0) + off) <= SETTLED * tolerance)

    def foretold(self, field: np.ndarray, beyond: np.ndarray, tolerance: float) -> np.ndarray:
        """The field that few members make, with what all make `beyond` them."""
        secants = Secants()
        for _ in range(TRIES):
            sweep = self.few.sweep(field, self.span, self.turn, NONE, tolerance, self.quickest(field), NOBODY, 0)
            defect = (self.coupling @ sweep.coefficients)[:, :DEGREE] + beyond - field
            off = self.span * _size(defect)
            if not np.isfinite(off) or self.settled(off, self.quickest(field), CLOSER * tolerance):
                break
            field = secants.better(field, defect)
        return field

    def trial(self, marks: np.ndarray, singles: np.ndarray, row: int) -> Trial:
        """Sweeps of all members until the field is what they make of it; few of them foretell it in between."""
        tolerance = self.problem.atol + self.problem.rtol * abs(self.mean[:, 0] + 1j * self.mean[:, 1]).max()
        self.few.follow(self.population)
        missing = self.mean - self.few.means()
        beyond = np.zeros_like(self.field)
        beyond[:, 0] = self.coupling @ (missing[:, 0] + 1j * missing[:, 1])
        field = self.foretold(self.guess(), beyond, tolerance)
        for swept in range(1, SWEEPS + 1):
            quickest = self.quickest(field)
            sweep = self.population.sweep(field, self.span, self.turn, marks, tolerance, quickest, singles, row)
            made = self.coupling @ sweep.coefficients
            defect = made[:, :DEGREE] - field
            left = self.span * float(np.sqrt((abs(made[:, DEGREE:]) ** 2).sum(axis=1)).max()) / DEGREE
            error = left * (min(self.span * quickest / DEGREE, 1.0) + left) / (INSIDE * tolerance)
            off = self.span * _size(defect)
            settled = self.settled(off, quickest, tolerance)
            if settled or not np.isfinite(off) or (error > 4 and off < tolerance) or swept == SWEEPS:
                break
            few = self.few.sweep(field, self.span, self.turn, NONE, tolerance, quickest, NOBODY, 0)
            field = self.foretold(field + defect, made[:, :DEGREE] - (self.coupling @ few.coefficients)[:, :DEGREE], tolerance)
        error = error if np.isfinite(error) else np.inf
        return Trial(field=field, defect=defect, sweep=sweep, settled=settled, error=error, sweeps=swept)

    def means(self, trial: Trial, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means of the groups at the marks and the kick (group, mark) that puts them right."""
        seen = trial.sweep.seen
        kick = self.span * (self.coupling @ (seen[:, :, 3] + 1j * seen[:, :, 4]) - integral(trial.field, marks))
        return seen[:, :, :3], kick

    def accept(self, trial: Trial, mean: np.ndarray) -> None:
        """Go on to the next step; choose its length, frame and the degree that would have foretold this one best."""
        self.steps += 1
        made = trial.field + trial.defect
        if self.last is not None:
            known, span, turn = self.last
            off = [_size(_onward(known, span, self.turn - turn, self.span, d) - made) for d in range(DEGREE)]
            self.degree = int(np.argmin(off))
        self.population.accept(self.span * trial.defect[:, 0])
        self.mean, self.last = mean, (made, self.span, self.turn)
        self.time += self.span
        self.phase += self.turn * self.span
        ends = at(made, np.array([0.0, 1.0]))
        turned = np.angle(np.vdot(ends[:, 0], ends[:, 1])) / self.span
        if abs(turned) * self.span < 1:
            self.turn -= turned
        factor = min(GROWTH, 0.8 * max(trial.error, 1e-30) ** (-1 / DEGREE))
        if trial.sweeps > 2:
            factor = min(factor, 0.8)
        quickest = self.quickest(made)
        if quickest > 0:
            factor = min(factor, LONGEST / (quickest * self.span))
        if factor < 0.9 or factor > 1.25:
            self.span *= factor

    def reject(self, trial: Trial) -> None:
        self.rejected += 1
        well = trial.settled and trial.error > 1
        self.span *= max(0.3, min(0.7, 0.8 * trial.error ** (-1 / DEGREE))) if well else 0.5


def integrate(problem: ManySpins, times: np.ndarray, max_steps: int = 1_000_000) -> Solution:
    """Means of the groups at `times`, and all members where each is asked for, in the frame at rest."""
    require_compiler()
    population = Population(problem)
    run, out = Stepper(population, float(times[-1] - times[0])), Recorder(population, times)
    between = between_looks(max_steps)
    outlook, look = Outlook(run.end, settled=0.0, sure=SURE), between
    with np.errstate(over="ignore", invalid="ignore"):  # ends as a step size of zero
        while out.done < times.size:
            if run.steps + run.rejected >= max_steps:
                return out.solution(Ended.BUDGET, run)
            if run.steps + run.rejected >= look:
                look += between
                step = max(run.span, run.time / run.steps) if run.steps else run.span  # the last one may end at an output
                if outlook.hopeless(step, run.time, max_steps - run.steps - run.rejected, share=1.0):
                    return replace(out.solution(Ended.BEYOND, run), steps=max_steps)
            ahead = out.elapsed[out.done : out.done + MARKS]
            run.span = min(run.span, ahead[-1] - run.time) if run.time + 1.001 * run.span > ahead[-1] else run.span
            if run.time + run.span / 1024 == run.time:
                return out.solution(Ended.UNDERFLOW, run)
            ahead = ahead[ahead - run.time <= run.span * (1 + 1e-12)]
            marks = np.append(np.minimum((ahead - run.time) / run.span, 1.0), 1.0)
            trial = run.trial(marks, out.singles, out.done)
            if not trial.settled or not trial.error <= 1:
                run.reject(trial)
                continue
            seen, kick = run.means(trial, marks)
            right = seen + np.stack(problem.equation.driven.interpreted(kick.real, kick.imag, *np.moveaxis(seen, 2, 0)), axis=2)
            out.record(right[:, :-1], kick, np.exp(-1j * (run.phase + run.turn * run.span * marks[:-1])))
            run.accept(trial, right[:, -1])
    return out.solution(Ended.DONE, run)


class Recorder:
    """Means, and single members if each is asked for, in the frame at rest."""

    def __init__(self, population: Population, times: np.ndarray) -> None:
        each, self.equation = population.problem.each, population.problem.equation
        self.sizes, self.elapsed, self.done = population.sizes, times - times[0], 1
        self.means = np.empty((times.size, len(population.sizes), 3))
        self.singles = np.empty((3, times.size + 1, population.omega.size if each else 0))
        self.means[0] = population.means()
        if each:
            self.singles[:, 0, population.place] = population.start

    def record(self, means: np.ndarray, kick: np.ndarray, turned: np.ndarray) -> None:
        """Means (group, time, 3) that are put right by a kick (group, time) already, as the members will be."""
        upto = self.done + turned.size
        charged = (means[:, :, 0] + 1j * means[:, :, 1]) * turned
        self.means[self.done : upto] = np.stack([charged.real.T, charged.imag.T, means[:, :, 2].T], axis=2)
        if self.singles.shape[2]:
            group = np.repeat(np.arange(len(self.sizes)), self.sizes)
            _put_right(self.equation, self.singles[:, self.done : upto], kick, turned, group)
        self.done = upto

    def solution(self, status: Ended, run: Stepper) -> Solution:
        return Solution(
            means=self.means, singles=self.singles[:, :-1], status=status, steps=run.steps, rejected=run.rejected
        )  # fmt: skip


def _put_right(equation: ModuleType, singles: np.ndarray, kick: np.ndarray, turned: np.ndarray, group: np.ndarray) -> None:
    """What the means are given, for single members."""
    for q in range(singles.shape[1]):
        x, y, z = singles[:, q]
        own = kick[group, q]
        u, v, w = equation.driven.interpreted(own.real, own.imag, x, y, z)
        s = (x + u + 1j * (y + v)) * turned[q]
        singles[0, q], singles[1, q], singles[2, q] = s.real, s.imag, z + w
