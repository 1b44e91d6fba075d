"""Two-time correlations of the light of classical spins, normally ordered with the help of their known noise.

The field E = J_- + (i/2) Y, with Y the noise that acts on all spins alike, is that of the light: <E^*(0) E(tau)> is
<J_+(0) J_-(tau)> for tau > 0, because the noise is the vacuum that the light meets, equation (11.10). The intensity |E|^2
contains the vacuum's own, which is subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.parallel import parallel_map
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NarrowLineError
from spinsync.problems.sampled import spin_steps
from spinsync.problems.sampled.record import ClassicalSpins
from spinsync.problems.sampled.spin_samples import PER_RELAXATION, Sample, Steps, check_steps, relaxed
from spinsync.problems.sampled.statistics import Means

LAGS = 6.0  # longest delay of the first attempt at a spectrum, in units of the slowest relaxation time
MOST_LAGS = 2048.0
RUN = 40  # length of a run, in units of its longest delay
SHORTEST_RUN = 256.0  # relaxation times of a run for intensities
DECAYED = 0.1  # of the correlation at delay 0: the rest decays exponentially
STEPS_PER_BIN = 2  # of intensities, whose vacuum noise is less in longer bins
FREQUENCIES_AT_ONCE = 64
FAINT = 4.0  # intensity, and its value in units of its error, below which the light is not known well enough


def with_common_noise(problem: ClassicalSpins) -> tuple[ClassicalSpins, Array]:
    """The problem with a noise that acts on all groups alike, and the weights y of its modes, sum_k noise_ak y_k = 1.

    If its own noise has no such part, or a weaker one, a weak probe is added.
    """
    ones = np.ones(len(problem.bounds) - 1)
    weights = np.linalg.pinv(problem.noise) @ ones if problem.noise.size else np.zeros(0, complex)
    misses = np.max(abs(problem.noise @ weights - ones), initial=0.0) > 1e-9 if weights.size else True
    if not misses and np.sum(abs(weights) ** 2) * problem.probe <= 1:
        return problem, weights
    added = np.sqrt(problem.probe) * ones[:, None]
    noise = np.ascontiguousarray(np.concatenate([problem.noise, added], axis=1))
    return replace(problem, noise=noise), np.linalg.pinv(noise) @ ones


@dataclass(frozen=True, kw_only=True)
class Record:
    """The light of one sample.

    field : E in bins of equal length, (bin,); square : the vacuum's part of |E|^2; coherence : J_- in the same bins
    intensity, pairs : time averages of the intensity and of its normally ordered square
    spread : time average of |J_-|^2 at the times at which the intensity was computed
    """

    field: Array
    coherence: Array
    square: float
    intensity: float
    pairs: float
    spread: float


def record(steps: Steps, weights: Array, one: Sample, division: tuple[int, float], per_bin: int) -> Record:
    """Advance a sample by a number of steps and record its light."""
    number, step = division
    piece = max(int(1 / (PER_RELAXATION * steps.problem.slowest * step)), 1)
    field, middle, powers = np.empty(number, complex), np.empty(number, complex), []
    for first in range(0, number, piece):
        count = min(piece, number - first)
        coherences, noise = steps.advance(one, count, step, series=True)
        total = coherences.sum(axis=1)
        middle[first : first + count] = (total[1:] + total[:-1]) / 2
        field[first : first + count] = middle[first : first + count] + 0.5j * (noise @ weights.conj()) / step
        powers.append(np.empty(len(spin_steps.POWERS), complex))
        spin_steps.add_powers(one.spins, powers[-1])
    intensity, pairs = steps.problem.light(np.array(powers))
    bins = number // per_bin
    binned = [x[: bins * per_bin].reshape(bins, per_bin).mean(axis=1) for x in (field, middle)]
    return Record(
        field=binned[0], coherence=binned[1], square=float(np.sum(abs(weights) ** 2)) / (4 * step * per_bin),
        intensity=float(intensity.mean()), pairs=float(pairs.mean()), spread=float(np.mean(abs(np.array(powers)[:, 0]) ** 2)),
    )  # fmt: skip


def recorded(
    steps: Steps, samples: list[Sample], weights: Array, duration: float, per_bin: int, reduce: Callable[[Record], Array]
) -> tuple[Array, float]:
    """A reduced record of each sample over a run, (sample, ...), and the length of a bin."""
    number, step = division = steps.division(duration)
    check_steps(samples[0].steps + number)
    watch = steps.watch(steps.done + duration * len(samples))
    rows = parallel_map(lambda one: reduce(record(steps, weights, one, division, per_bin)), samples, watch)
    return np.stack(rows), step * per_bin


def autocorrelation(series: Array, most: int) -> Array:
    """Mean of series^*(0) series(k) for k = 0 ... most."""
    size = 2 ** ceil(np.log2(len(series) + most + 1))
    spectrum = np.fft.fft(series, size)
    return np.asarray(np.fft.ifft(abs(spectrum) ** 2)[: most + 1] / (len(series) - np.arange(most + 1)))


def spectrum(problem: ClassicalSpins, frequencies: Array, seed: int) -> Observed:
    """`ClassicalSpins.response`: Fourier transform of the correlation of E, whose value at delay 0 is the intensity."""
    problem, weights = with_common_noise(problem)
    steps = Steps(problem, seed)
    samples, _, _ = relaxed(problem, steps)
    longest = LAGS / problem.slowest

    def correlation(one: Record) -> Array:
        most = len(one.field) // RUN
        found = autocorrelation(one.field, most)
        # the mean of |J_-|^2 over all bins is more precise than that over the times at which the intensity is known
        found[0] = one.intensity - one.spread + np.mean(abs(one.coherence) ** 2)
        return found

    while True:
        found, lag = recorded(steps, samples, weights, RUN * longest, 1, correlation)
        mean = found.mean(axis=0)
        if abs(mean[-1]) <= DECAYED * abs(mean[0]):
            break
        longest *= 2
        if longest > MOST_LAGS / problem.slowest:
            raise NarrowLineError(longest / 2)
    emission = transformed(found, mean, lag, frequencies - problem.frame, problem.slowest)
    means = Means(event_size={"emission": 0.0}, weight=np.zeros(()))
    means.add({"emission": (("frequency",), emission)})
    return {
        "emission": (("frequency",), means.mean["emission"]), "emission_error": (("frequency",), means.error("emission"))
    }  # fmt: skip


def transformed(found: Array, mean: Array, lag: float, frequencies: Array, slowest: float) -> Array:
    """2 Re integral_0^inf exp(i nu tau) C(tau) d tau of each row C, linear between the delays k lag; after the last one it
    decays as its mean did over the second half, so that no step of it makes ripples."""
    most = found.shape[1] - 1
    half = most // 2
    rate = np.log(mean[half] / mean[most]) / ((most - half) * lag) if mean[most] != 0 else complex(slowest)
    rate = max(rate.real, 1 / (most * lag)) + 1j * rate.imag
    out = np.empty((len(found), len(frequencies)))
    for first in range(0, len(frequencies), FREQUENCIES_AT_ONCE):
        nu = frequencies[first : first + FREQUENCIES_AT_ONCE]
        theta = nu * lag
        small = abs(theta) < 1e-3
        safe = np.where(small, 1.0, theta)
        inner = np.where(small, 1 - theta**2 / 12, 2 * (1 - np.cos(safe)) / safe**2)
        end = np.where(small, 0.5 + 1j * theta / 6, (1 + 1j * safe - np.exp(1j * safe)) / safe**2)
        kernel = inner[:, None] * np.exp(1j * theta[:, None] * np.arange(most + 1))
        kernel[:, 0], kernel[:, most] = end, end.conj() * np.exp(1j * theta * most)
        tail = np.exp(1j * theta * most) / (rate - 1j * nu)
        out[:, first : first + len(nu)] = 2 * (lag * (found @ kernel.T) + found[:, -1:] * tail).real
    return out


def intensity_correlation(problem: ClassicalSpins, delays: Array, seed: int) -> Observed:
    """`ClassicalSpins.photon_correlation`: at delay 0 from different spins, else from |E|^2, linear between bins.
    NaN where the intensity is small: samples of dark spins shine as about one excited spin would."""
    problem, weights = with_common_noise(problem)
    steps = Steps(problem, seed)
    samples, _, _ = relaxed(problem, steps)
    longest = float(np.max(abs(delays)))
    number, step = steps.division(max(SHORTEST_RUN / problem.slowest, RUN * longest))
    most = ceil(longest / (step * STEPS_PER_BIN)) + 1

    def correlation(one: Record) -> Array:
        light = abs(one.field) ** 2 - one.square
        found = autocorrelation(light, most).real
        found[0] = one.pairs
        return np.append(found, [one.intensity, light.mean()])

    found, bin_length = recorded(steps, samples, weights, number * step, STEPS_PER_BIN, correlation)
    intensity, spread = found[:, -2].mean(), found[:, -2].std(ddof=1)
    if not intensity > FAINT * max(1.0, spread / np.sqrt(len(found))):
        nothing = (("delay",), np.full(len(delays), np.nan))
        return {"g2": nothing, "g2_error": nothing}
    # each in units of its own mean: that of |E|^2 differs from <J_+ J_-> by an error of order 1/N, and g2 must tend to 1
    own = found[:, [-2] + most * [-1]]
    relative = found[:, :-2] / own.mean(axis=0) ** 2
    linear = relative - 2 * relative.mean(axis=0) * (own / own.mean(axis=0) - 1)  # to first order in the fluctuations
    rows = np.stack([np.interp(abs(delays), bin_length * np.arange(most + 1), row) for row in linear])
    means = Means(event_size={"g2": 0.0}, weight=np.zeros(()))
    means.add({"g2": (("delay",), rows)})
    return {"g2": (("delay",), means.mean["g2"]), "g2_error": (("delay",), means.error("g2"))}
