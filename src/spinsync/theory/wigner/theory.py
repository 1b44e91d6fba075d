"""Truncated Wigner approximation: classical spins with the noise of their quantum state, of gain and loss, and of light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import split_by_weight
from spinsync.model.rates import Rates
from spinsync.model.samples import Samples
from spinsync.problems.sampled.record import ClassicalSpins
from spinsync.theory.wigner.moments import Moments

MOST_SPINS, MOST_SAMPLES = 10_000_000, 1_000_000
STEP = 0.1  # time step of the fastest rate
ROUNDING = 1e-15  # eigenvalues below this share of the largest coupling are zero
PROBE = 0.25  # strength of the probe, in units of Gamma_perp / N


@known_fields
@dataclass(frozen=True)
class TruncatedWigner:
    """Truncated Wigner approximation of N spins: samples of classical motions with quantum noise, equations (11.1) to (11.9).

    Any number of groups, any complex coupling, distributed frequencies.

    Parameters
    ----------
    spins : int
        2 to 10000000. They must split over the groups by weight; a smooth distribution of frequencies gives the spins of a
        group its quantiles, and each of given frequencies (`Samples`) has equally many spins.
    samples : int
        2 to 1000000. Errors fall as 1/sqrt(samples). Sample i depends on (seed, i) alone.
    dt : float, optional
        Largest time step; the error is of order dt^2. By default 0.1 divided by the largest of Gamma_1, Gamma_perp, half the
        coupling sum_b p_b |C_ab| and the detunings: errors below one percent of the changes in a relaxation time.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    Source: equations (11.1) to (11.9), with the articles cited there. Each `<name>_error` is the statistical error from the
    samples; it does not contain the error of the approximation. Exact are spins without coupling and the limit of many
    spins. Compared with Exact at gain 3, damping 1, theta = -pi/2, V = 12 and 20 and N = 100 and 300, inversion and order
    parameter agree within 0.002 and the pair correlation within 0.5 %. The noise of local gain and loss has the right
    variances; its covariance of transverse and z components is half the quantum one, so that squeezing next to such noise
    is an estimate. Fewer than 10 spins, entanglement beyond Gaussian noise and rare events are outside its validity.

    A step of a spin takes 6 ns on one core: 20 samples of 100000 spins to t = 20 at rates of about 6 take 20 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> run = ss.evolve(one, np.linspace(0.0, 5.0, 11), theory=ss.TruncatedWigner(1000, samples=50))
    >>> bool(abs(run.inversion[-1, 0] - 1 / 6) < 0.02)
    True
    """

    spins: int
    samples: int
    _: KW_ONLY
    dt: float | None = None
    kinds: ClassVar[tuple[type, ...]] = (ClassicalSpins,)
    faster: ClassVar[str] = "fewer samples are faster"
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({
        "keep_state": "whose state is a set of samples",
        "linewidth": "samples have no eigenvalues, and the width is that of its emission_spectrum; Exact answers this up to "
        "20000 spins, MeanField with spins=N and Cumulants for more",
        "entropy": "no mean over samples gives it; Exact answers this up to 20000 spins",
    })  # fmt: skip

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 2, MOST_SPINS))
        object.__setattr__(self, "samples", checks.whole("samples", self.samples, 2, MOST_SAMPLES))
        if self.dt is not None:
            object.__setattr__(self, "dt", checks.positive("dt", self.dt))

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> ClassicalSpins:
        """Classical spins in the frame of the mean frequency of the groups."""
        rates, numbers = ensemble.rates, split_by_weight(ensemble, self.spins)
        shift = ensemble.coupling_matrix.diagonal().real / self.spins * ensemble.lamb_shift
        frame = float(rates.weight @ (rates.omega + shift))
        given, spread = _frequencies(ensemble, numbers)
        frequency = given + np.repeat(shift, numbers)
        detuning = frequency - frame
        own = np.maximum(abs(rates.omega + shift - frame), spread)
        moments = Moments(spins=numbers, weight=rates.weight, frame=frame, each=each)
        coordinates: dict[str, tuple[str, Array]] = {n: (n, np.array(ensemble.names)) for n in ("group", "other_group")}
        if each:
            coordinates |= {
                "spin_group": ("spin", np.repeat(np.array(ensemble.names), numbers)), "spin_frequency": ("spin", frequency),
                "spin_weight": ("spin", np.full(self.spins, 1 / self.spins)),
            }  # fmt: skip
        return ClassicalSpins(
            samples=self.samples, dt=self.dt or _step(rates, own), bounds=np.concatenate([[0], np.cumsum(numbers)]),
            start=_start(rates, numbers, initial, seed, each), frequency=detuning if np.any(detuning) else np.zeros(0),
            local=lambda step: _resets(rates, step), coupling=np.ascontiguousarray(ensemble.coupling_matrix / self.spins),
            noise=_noise(ensemble.coupling_matrix, numbers), probe=PROBE * float(rates.gamma_perp.min()) / self.spins,
            slowest=float(np.minimum(rates.gamma_1, rates.gamma_perp).min()), observe=moments.observe, derived=moments.derived,
            light=moments.light, frame=frame, coordinates=coordinates, each=each,
        )  # fmt: skip


def _frequencies(ensemble: Ensemble, numbers: Array) -> tuple[Array, Array]:
    """Natural frequency of each spin, and for each group the half width that contains half of its spins."""
    found, spread = [], []
    for group, number in zip(ensemble.groups, numbers, strict=True):
        given = group.distribution
        if given is None:
            values = np.full(number, group.mean_frequency)
        elif isinstance(given, Samples):
            if number % given.values.size:
                raise checks.InputError(
                    f"Argument `spins` must give group {group.name!r} a whole multiple of its {given.values.size} frequencies, "
                    f"but gives it {number} spins."
                )
            values = np.repeat(given.values, number // given.values.size)
        else:
            values = given.quantile((np.arange(number) + 0.5) / number)
        found.append(values)
        spread.append(np.median(abs(values - group.mean_frequency)))
    return np.concatenate(found), np.array(spread)


def _step(rates: Rates, detuning: Array) -> float:
    """The default time step: a fraction of the fastest rate; infinite if nothing moves."""
    field = abs(rates.coupling) @ rates.weight / 2
    fastest = float(np.max([rates.gamma_1, rates.gamma_perp, field, detuning]))
    return STEP / fastest if fastest > 0 else np.inf


def _start(rates: Rates, numbers: Array, initial: Array | None, seed: int, each: bool) -> Array:
    """Bloch vectors of the product state at the first time, (group, 3), or (spin, 3)."""
    m = bloch_vectors.random_start(rates, seed) if initial is None else np.asarray(initial, float)
    if len(m) not in ((len(numbers), int(numbers.sum())) if each else (len(numbers),)):
        shapes = f"({len(numbers)}, 3)" + (f" or ({numbers.sum()}, 3)" if each else "")
        raise checks.InputError(f"Argument `initial` must have shape {shapes}, but has shape {m.shape}.")
    return np.ascontiguousarray(m)


def _resets(rates: Rates, step: float) -> Array:
    """Gain, damping and dephasing in a time step, equations (11.4) and (11.5), in the form of `spin_steps.RESET`."""
    total = rates.gamma_1
    reset = -np.expm1(-total * step)
    up = reset * rates.gain / np.where(total > 0, total, 1.0)
    kept = 1 / (1 + np.exp(total * step / 2))
    turn = -np.expm1(-rates.dephasing * step) / 2
    return np.ascontiguousarray(np.stack([reset * 2.0**32, up * 2.0**32, kept, turn * 2.0**32], axis=1))


def _noise(coupling: Array, numbers: Array) -> Array:
    """Field of each eigenmode of K_- and K_+ at the groups, equation (11.6), complex of shape (group, mode)."""
    spins = numbers.sum()
    root = np.sqrt(numbers / spins)
    values, vectors = np.linalg.eigh(np.outer(root, root) * (coupling - coupling.conj().T) / 2j)
    present = abs(values) > ROUNDING * abs(coupling).max()
    return np.ascontiguousarray((vectors * np.sqrt(abs(values)))[:, present] / (root * np.sqrt(spins))[:, None])
