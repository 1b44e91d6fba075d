"""Waveform relaxation for very many spins in mean fields: time steps, the fixed point of each step, error control.

On each step the field is a polynomial with the Legendre coefficients of the field that the spins produce: a fixed point,
found by sweeps over all spins. An evenly distributed sample of them predicts it in many cheap sweeps, with Anderson
acceleration (D. G. Anderson, J. ACM 12, 547 (1965)). One or two sweeps over all spins correct the error of the sample.

As the coefficients are exact integrals, the residual field, which the polynomial leaves out, is orthogonal to low
polynomials on the step, and hardly changes slow spins at its end: the error there is of order 2 DEGREE, as with Gauss
quadrature. Within the step it acts to first order through its integral (6.8), which is added to the outputs. The remaining
defect of the fixed point is passed on to the next step as an impulse, by the same equation.

Background: E. Lelarasmee, A. Ruehli, A. Sangiovanni-Vincentelli, IEEE Trans. CAD 1, 131 (1982) (waveform relaxation);
E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, ch. II.1 (Gauss methods as projections).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre

from spinsync.base.compiled import require_compiler
from spinsync.base.progress import report
from spinsync.problems.outcome import Ended
from spinsync.problems.outlook import Outlook, steps_between_checks
from spinsync.problems.spins_in_fields.one_step import DEGREE, FIT, POINTS, Population, Sweep, integral, values_at

if TYPE_CHECKING:
    from spinsync.problems.spins_in_fields.record import SpinsInFields

MOST_SWEEPS = 4  # of all spins before a step is reduced
MOST_SAMPLE_SWEEPS = 40
SAMPLE = 4096  # spins that predict the fixed point
CONVERGED = 0.3  # error of a fixed point after the impulse, as a share of the tolerance
SAMPLE_CONVERGED = 0.1  # the same for a fixed point of the sample, as a share of the tolerance of CONVERGED
RESIDUAL = 8.0  # error within a step in units of the tolerance; little of it remains at the end of the step
MOST_SECANTS = 16  # of Anderson acceleration
GROWTH = 2.0  # of the step, at most
LONGEST = 8.0  # step times the largest rate
SURE = 1.2  # a run is stopped early if it needs so many times the allowed number of steps
MOST_OUTPUTS = 256  # output times within one step
NO_TIMES, NO_SPINS = np.empty(0), np.empty((3, 0, 0))


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Means (time, group, 3); single spins (3, time, spin) if needed; status, accepted and rejected steps."""

    means: np.ndarray
    singles: np.ndarray
    status: Ended
    steps: int
    rejected: int


class AndersonAcceleration:
    """Fixed-point iteration with several secants: differences of guesses, and of their defects."""

    def __init__(self) -> None:
        self.last: tuple[np.ndarray, np.ndarray] | None = None
        self.guesses: list[np.ndarray] = []
        self.defects: list[np.ndarray] = []

    def next_guess(self, guess: np.ndarray, defect: np.ndarray) -> np.ndarray:
        """The next guess from the last one and its defect; least squares over all secants."""
        if self.last is not None:
            self.guesses = [*self.guesses, _real(guess - self.last[0])][-MOST_SECANTS:]
            self.defects = [*self.defects, _real(defect - self.last[1])][-MOST_SECANTS:]
        self.last, new = (guess, defect), guess + defect
        if self.guesses:
            differences = np.array(self.defects).T
            shares = np.linalg.lstsq(differences, _real(defect), rcond=1e-10)[0]
            new = new - ((np.array(self.guesses).T + differences) @ shares).view(complex).reshape(new.shape)
        return np.asarray(new)


def _real(field: np.ndarray) -> np.ndarray:
    """A field as a vector of real numbers: the response of the spins is linear over these only."""
    return np.ascontiguousarray(field).ravel().view(float)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The fixed point of a step: field and defect (group, DEGREE), the last sweep, and the error in units of the tolerance."""

    field: np.ndarray
    defect: np.ndarray
    sweep: Sweep
    converged: bool
    error: float
    sweeps: int


def _size(field: np.ndarray) -> float:
    """How far a field can rotate a spin over a step, in units of the step; high coefficients average out."""
    return float((abs(field) / (1 + np.arange(field.shape[1]))).sum(axis=1).max())


def _extrapolated(known: np.ndarray, span: float, rotation: float, next_span: float, degree: int) -> np.ndarray:
    """The field of the next step, `next_span` long in a frame with relative frequency `rotation`, by the last polynomial."""
    share = next_span / span * (POINTS + 1) / 2
    low = legendre.legvander(1 + 2 * share, DEGREE - 1)[:, : degree + 1]
    return np.asarray((known[:, : degree + 1] @ low.T * np.exp(1j * rotation * span * share)) @ FIT.T)


class Stepper:
    """The state of a run: time, step, frame, and the last field, from which the next one is extrapolated."""

    def __init__(self, population: Population, end: float) -> None:
        self.population, self.problem, self.end = population, population.problem, end
        self.coupling = coupling = self.problem.coupling
        self.mean = population.means()
        self.time, self.frame, self.phase = 0.0, self.problem.frame, 0.0
        self.field = np.zeros((len(coupling), DEGREE), complex)
        self.field[:, 0] = coupling @ (self.mean[:, 0] + 1j * self.mean[:, 1])
        self.degree, self.sample = 0, population.subsample(SAMPLE)
        self.steps = self.rejected = 0
        fastest = max(self.fastest(self.field), abs(coupling).sum(axis=1).max() / 2)
        self.span = min(0.1 / fastest if fastest > 0 else np.inf, end)
        self.last: tuple[np.ndarray, float, float] | None = None  # field, span, frame

    def fastest(self, field: np.ndarray) -> float:
        """The largest rate of a resonant spin."""
        return float(max(self.population.rates[:, :2].max(), 2 * abs(field).sum(axis=1).max()))

    def guess(self) -> np.ndarray:
        if self.last is None:
            return self.field
        known, span, frame = self.last
        return _extrapolated(known, span, self.frame - frame, self.span, self.degree)

    def converged(self, defect: float, fastest: float, tolerance: float) -> bool:
        """Whether an impulse corrects a defect of this size: its error is the defect times the step, or the defect squared."""
        return bool(defect * (min(self.span * fastest / DEGREE, 1.0) + defect) <= CONVERGED * tolerance)

    def sample_fixed_point(self, field: np.ndarray, correction: np.ndarray, tolerance: float) -> np.ndarray:
        """The fixed point of the sample, whose field gets the `correction` (group, DEGREE) for all other spins."""
        acceleration = AndersonAcceleration()
        for _ in range(MOST_SAMPLE_SWEEPS):
            sweep = self.sample.sweep(field, self.span, self.frame, NO_TIMES, tolerance, self.fastest(field), NO_SPINS, 0)
            defect = (self.coupling @ sweep.coefficients)[:, :DEGREE] + correction - field
            size = self.span * _size(defect)
            if not np.isfinite(size) or self.converged(size, self.fastest(field), SAMPLE_CONVERGED * tolerance):
                break
            field = acceleration.next_guess(field, defect)
        return field

    def trial(self, times: np.ndarray, singles: np.ndarray, row: int) -> Trial:
        """Sweep over all spins until the field is converged; the sample improves the guess between two sweeps."""
        tolerance = self.problem.atol + self.problem.rtol * abs(self.mean[:, 0] + 1j * self.mean[:, 1]).max()
        self.sample.copy_states(self.population)
        missing = self.mean - self.sample.means()
        correction = np.zeros_like(self.field)
        correction[:, 0] = self.coupling @ (missing[:, 0] + 1j * missing[:, 1])
        field = self.sample_fixed_point(self.guess(), correction, tolerance)
        for sweeps in range(1, MOST_SWEEPS + 1):
            fastest = self.fastest(field)
            sweep = self.population.sweep(field, self.span, self.frame, times, tolerance, fastest, singles, row)
            produced = self.coupling @ sweep.coefficients
            defect = produced[:, :DEGREE] - field
            residual = self.span * float(np.sqrt((abs(produced[:, DEGREE:]) ** 2).sum(axis=1)).max()) / DEGREE
            error = residual * (min(self.span * fastest / DEGREE, 1.0) + residual) / (RESIDUAL * tolerance)
            size = self.span * _size(defect)
            converged = self.converged(size, fastest, tolerance)
            if converged or not np.isfinite(size) or (error > 4 and size < tolerance) or sweeps == MOST_SWEEPS:
                break
            sampled = self.sample.sweep(field, self.span, self.frame, NO_TIMES, tolerance, fastest, NO_SPINS, 0)
            correction = produced[:, :DEGREE] - (self.coupling @ sampled.coefficients)[:, :DEGREE]
            field = self.sample_fixed_point(field + defect, correction, tolerance)
        error = error if np.isfinite(error) else np.inf
        return Trial(field=field, defect=defect, sweep=sweep, converged=converged, error=error, sweeps=sweeps)

    def means(self, trial: Trial, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means of the groups (group, time, 3) and the impulses (group, time) that correct them by (6.8)."""
        means = trial.sweep.at_times
        impulse = self.span * (self.coupling @ (means[:, :, 3] + 1j * means[:, :, 4]) - integral(trial.field, times))
        return means[:, :, :3], impulse

    def accept(self, trial: Trial, mean: np.ndarray) -> None:
        """Go on to the next step; choose its length, its frame, and the degree that would have predicted this one best."""
        self.steps += 1
        produced = trial.field + trial.defect
        if self.last is not None:
            known, span, frame = self.last
            errors = [_size(_extrapolated(known, span, self.frame - frame, self.span, d) - produced) for d in range(DEGREE)]
            self.degree = int(np.argmin(errors))
        self.population.accept(self.span * trial.defect[:, 0])
        self.mean, self.last = mean, (produced, self.span, self.frame)
        self.time += self.span
        self.phase += self.frame * self.span
        ends = values_at(produced, np.array([0.0, 1.0]))
        rotation = np.angle(np.vdot(ends[:, 0], ends[:, 1])) / self.span
        if abs(rotation) * self.span < 1:
            self.frame -= rotation
        factor = min(GROWTH, 0.8 * max(trial.error, 1e-30) ** (-1 / DEGREE))
        if trial.sweeps > 2:
            factor = min(factor, 0.8)
        fastest = self.fastest(produced)
        if fastest > 0:
            factor = min(factor, LONGEST / (fastest * self.span))
        if factor < 0.9 or factor > 1.25:
            self.span *= factor

    def reject(self, trial: Trial) -> None:
        self.rejected += 1
        inaccurate = trial.converged and trial.error > 1
        self.span *= max(0.3, min(0.7, 0.8 * trial.error ** (-1 / DEGREE))) if inaccurate else 0.5


def integrate(problem: SpinsInFields, times: np.ndarray, max_steps: int = 1_000_000) -> Solution:
    """Means of the groups at `times`, and single spins if needed, in the laboratory frame."""
    require_compiler()
    population = Population(problem)
    run, out = Stepper(population, float(times[-1] - times[0])), Recorder(population, times)
    interval = steps_between_checks(max_steps)
    outlook, next_check = Outlook(run.end, relaxation_time=0.0, sure=SURE), interval
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow ends in UNDERFLOW of the step size
        while out.done < times.size:
            report(run.time / run.end)
            if run.steps + run.rejected >= max_steps:
                return out.solution(Ended.BUDGET, run)
            if run.steps + run.rejected >= next_check:
                next_check += interval
                step = max(run.span, run.time / run.steps) if run.steps else run.span  # the last one may end at an output
                if outlook.hopeless(step, run.time, max_steps - run.steps - run.rejected, share=1.0):
                    return replace(out.solution(Ended.BEYOND, run), steps=max_steps)
            ahead = out.elapsed[out.done : out.done + MOST_OUTPUTS]
            run.span = min(run.span, ahead[-1] - run.time) if run.time + 1.001 * run.span > ahead[-1] else run.span
            if run.time + run.span / 1024 == run.time:
                return out.solution(Ended.UNDERFLOW, run)
            ahead = ahead[ahead - run.time <= run.span * (1 + 1e-12)]
            shares = np.append(np.minimum((ahead - run.time) / run.span, 1.0), 1.0)
            trial = run.trial(shares, out.singles, out.done)
            if not trial.converged or not trial.error <= 1:
                run.reject(trial)
                continue
            means, impulse = run.means(trial, shares)
            change = problem.equation.field_terms.interpreted(impulse.real, impulse.imag, *np.moveaxis(means, 2, 0))
            corrected = means + np.stack(change, axis=2)
            out.record(corrected[:, :-1], impulse, np.exp(-1j * (run.phase + run.frame * run.span * shares[:-1])))
            run.accept(trial, corrected[:, -1])
    return out.solution(Ended.DONE, run)


class Recorder:
    """The outputs: means, and single spins if needed, in the laboratory frame."""

    def __init__(self, population: Population, times: np.ndarray) -> None:
        each, self.equation = population.problem.each, population.problem.equation
        self.sizes, self.elapsed, self.done = population.sizes, times - times[0], 1
        self.means = np.empty((times.size, len(population.sizes), 3))
        self.singles = np.empty((3, times.size + 1, population.omega.size if each else 0))
        self.means[0] = population.means()
        if each:
            self.singles[:, 0, population.index] = population.start

    def record(self, means: np.ndarray, impulse: np.ndarray, rotation: np.ndarray) -> None:
        """Add means (group, time, 3), already corrected by the impulse (group, time); `rotation` (time,) to the laboratory."""
        upto = self.done + rotation.size
        charged = (means[:, :, 0] + 1j * means[:, :, 1]) * rotation
        self.means[self.done : upto] = np.stack([charged.real.T, charged.imag.T, means[:, :, 2].T], axis=2)
        if self.singles.shape[2]:
            group = np.repeat(np.arange(len(self.sizes)), self.sizes)
            _correct_singles(self.equation, self.singles[:, self.done : upto], impulse, rotation, group)
        self.done = upto

    def solution(self, status: Ended, run: Stepper) -> Solution:
        return Solution(
            means=self.means, singles=self.singles[:, :-1], status=status, steps=run.steps, rejected=run.rejected
        )  # fmt: skip


def _correct_singles(
    equation: ModuleType, singles: np.ndarray, impulse: np.ndarray, rotation: np.ndarray, group: np.ndarray
) -> None:
    """Apply the impulses (6.8) to single spins (3, time, spin) in place, and rotate them into the laboratory frame."""
    for q in range(singles.shape[1]):
        x, y, z = singles[:, q]
        own = impulse[group, q]
        u, v, w = equation.field_terms.interpreted(own.real, own.imag, x, y, z)
        s = (x + u + 1j * (y + v)) * rotation[q]
        singles[0, q], singles[1, q], singles[2, q] = s.real, s.imag, z + w
