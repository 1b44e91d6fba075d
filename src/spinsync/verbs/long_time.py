"""What an ensemble does in the end: at rest in a rotating frame, moving regularly, or irregularly (theory page, section 5).

First the motion is given time to come to rest. If it does not, it is followed through windows, each twice as long as
the one before, until two windows in a row agree: then it is stationary, and its averages tell its regime. A positive
Lyapunov exponent that persists makes it irregular.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan, pi

import numpy as np

from spinsync.data.problems import Flow
from spinsync.data.rates import Array
from spinsync.data.regimes import Regime, Status
from spinsync.numerics.exponential_adams import DONE
from spinsync.numerics.rest import NEAR, NEUTRAL, Approach, Rest, in_own_frame, settle
from spinsync.numerics.tracking import Groups, Track, bump, track

SHORT = 40.0  # time to come to rest directly, in units of the slowest relaxation time
FIRST = 20.0  # the first window, in the same units
PATIENCE = 10_000.0  # all windows together
IRREGULAR_AFTER = 600.0  # transients can be irregular too
ROUGH = 1e-7  # tolerance of the steps of windows: averages ask for less than trajectories
CALM = 0.02  # growth of ln |deviation| over a window of a regular motion: nothing, but for the window's ends
DARK = 1e-3  # mean amplitude below which a group has no phase


@dataclass(frozen=True)
class Motion:
    """The long-time motion.

    frequency, amplitude, inversion : arrays of shape (group,)
    locking : time mean of exp(i (phi_a - phi_b)), shape (group, group)
    lyapunov : the largest exponent beside the zeros of the common phase and, in motion, of the time's origin
    """

    regime: Regime
    status: Status
    frequency: Array
    amplitude: Array
    inversion: Array
    order_parameter: float
    locking: Array
    lyapunov: float = nan
    lyapunov_error: float = nan


def nothing(groups: int, status: Status) -> Motion:
    """Undecided, with nothing measured."""
    blank = np.full(groups, nan)
    return Motion(Regime.UNDECIDED, status, blank, blank, blank, nan, np.full((groups, groups), nan + 0j))


def long_time(flow: Flow, weight: Array) -> Motion:
    """The long-time motion of a flow from its start; `weight` (group,) are the shares of the groups."""
    slowest = float(flow.decay.real.min())
    if slowest <= 0:
        return nothing(weight.size, Status.NO_RELAXATION)
    approach = Approach()
    settled = settle(flow, approach, stretch=10 / slowest, most=SHORT / slowest)
    if settled.status != DONE:
        return nothing(weight.size, Status.FAILED)
    if settled.rest is not None and _lasting(settled.rest):
        return _resting(settled.rest, weight)
    state = settled.state if settled.rest is None else _nudged(settled.rest)
    return _Windows(flow, weight, approach, slowest).follow(state)


def _lasting(rest: Rest) -> bool:
    """Rest that noise does not end; without any coherence an ensemble stays so, as its equations have no noise."""
    return rest.stable or not np.any(rest.state[rest.flow.charge != 0])


def _nudged(rest: Rest) -> Array:
    """Off an unstable state of rest, along the deviation that grows fastest."""
    size = NEAR * abs(rest.state[rest.flow.charge != 0]).max()
    return np.asarray(rest.state + size * rest.direction / np.linalg.norm(rest.direction))


def _groups(flow: Flow) -> Groups:
    def groups(states: Array) -> tuple[Array, Array]:
        seen = flow.observe(states, np.zeros(len(states)))  # in the flow's own frame
        return seen["coherence"][1], seen["inversion"][1]

    return groups


def _resting(rest: Rest, weight: Array) -> Motion:
    s, z = (seen[0] for seen in _groups(rest.flow)(rest.state[None, :]))
    amplitude = abs(s)
    bright = amplitude >= DARK
    phase = np.where(bright, s / np.where(bright, amplitude, 1), nan)
    return Motion(
        Regime.FULL if bright.any() else Regime.INCOHERENT,
        Status.SETTLED,
        np.where(bright, rest.flow.frame, nan),
        amplitude,
        z,
        2 * float(abs(s @ weight)),
        np.outer(phase.conj(), phase),
        float(rest.growth[0]) if rest.growth.size else nan,
        NEUTRAL * float(rest.flow.decay.real.max()) if rest.growth.size else nan,
    )


@dataclass(frozen=True)
class Window:
    """Averages over one window: of z and of the products s_a^* s_b, which know no common phase; their variance; windings."""

    length: float
    products: Array
    inversion: Array
    variance: float
    winding: Array
    lyapunov: float
    lyapunov_error: float
    grazing: bool

    @property
    def size(self) -> float:
        return float(np.diag(self.products).real.max())

    @property
    def bright(self) -> Array:
        return np.diag(self.products).real > DARK**2

    def agrees(self, other: Window, detuning: float) -> bool:
        """Whether a window and the one before it tell the same: then the motion is stationary."""
        return bool(
            abs(self.products - other.products).max() < 1e-4 * self.size
            and abs(self.inversion - other.inversion).max() < 1e-4
            and abs(self.variance - other.variance) < 0.01 * self.variance
            and abs(self.winding - other.winding)[self.bright].max(initial=0) < 1e-4 * detuning + 1e-3 / self.length
        )

    def beside(self, other: Window) -> Window:
        """The same with the error that regular motion has: what two windows differ by, or what none can resolve."""
        return replace(self, lyapunov_error=max(abs(self.lyapunov - other.lyapunov), CALM / self.length))

    def irregular(self) -> bool:
        """A deviation grows, beyond doubt."""
        return self.lyapunov > 4 * self.lyapunov_error and self.lyapunov * self.length > 15


def averages(seen: Track, frame: float) -> Window:
    """Averages over a window; those of a mean square by products of matrices: |s_a^* s_b|^2 = |s_a|^2 |s_b|^2."""
    w = bump(len(seen.charged))
    s, z = seen.charged, seen.neutral
    weighted = w[:, None] * s
    products = s.conj().T @ weighted
    square = abs(s) ** 2
    inversion = w @ z
    variance = np.sum(square.T @ (w[:, None] * square)) - np.sum(abs(products) ** 2) + np.sum(w @ (z - inversion) ** 2)
    blocks = np.array([part.sum() for part in np.array_split(seen.grown, 10)]) / (seen.step * len(seen.grown) / 10)
    return Window(
        seen.step * len(seen.turned), products, inversion, float(max(variance, 0.0)), seen.rate(seen.turned) + frame,
        float(seen.rate(seen.grown)), float(blocks.std(ddof=1) / np.sqrt(10)), seen.grazing,
    )  # fmt: skip


class _Windows:
    """Windows of doubling length until the motion is decided."""

    def __init__(self, flow: Flow, weight: Array, approach: Approach, slowest: float) -> None:
        self.weight, self.approach, self.slowest = weight, approach, slowest
        self.flow = replace(flow, rtol=max(flow.rtol, ROUGH), atol=max(flow.atol, ROUGH / 100))
        self.detuning = float(np.ptp(flow.decay.imag[flow.charge != 0]))

    def follow(self, state: Array) -> Motion:
        length, time, flow = FIRST / self.slowest, 0.0, self.flow
        deviation = np.random.default_rng(7).standard_normal(state.size).astype(complex)
        before: list[Window] = []
        while True:
            flow = in_own_frame(flow, state)[0]
            samples = int(np.ceil(length / self._step(flow)))
            seen = track(flow, state, deviation, samples, length / samples, _groups(flow))
            if seen.status != DONE:
                return nothing(self.weight.size, Status.FAILED)
            state, deviation, time = seen.state, seen.deviation, time + length
            rest = self.approach.look(flow, state)
            if rest is not None and _lasting(rest):
                return _resting(rest, self.weight)
            window = averages(seen, flow.frame)
            regime = self._decided([*before, window], time)
            if regime is not Regime.UNDECIDED:
                sure = window if regime is Regime.IRREGULAR else window.beside(before[-1])
                return self._measured(seen, sure, regime, Status.SETTLED)
            if time * self.slowest >= PATIENCE:
                status = Status.THROUGH_ZERO if window.grazing else Status.STILL_CHANGING
                return self._measured(seen, window, Regime.UNDECIDED, status)
            before = [*before, window]
            length *= 2
            if rest is not None:
                state = _nudged(rest)

    def _step(self, flow: Flow) -> float:
        """Distance of samples: a fraction of the shortest time in the motion of the groups."""
        field = float((abs(flow.coupling) @ self.weight).max()) / np.sqrt(8)  # (4.4): about the largest |h|
        groups = flow.decay[flow.charge != 0]
        return 0.7 / float(2 * field + np.quantile(abs(groups), 0.9))

    def _decided(self, windows: list[Window], time: float) -> Regime:
        if len(windows) < 2:
            return Regime.UNDECIDED
        last, before = windows[-1], windows[-2]
        if last.irregular() and before.irregular() and time * self.slowest > IRREGULAR_AFTER:
            return Regime.IRREGULAR
        calm = last.lyapunov * last.length < CALM
        if last.grazing or not calm or not last.agrees(before, self.detuning):
            return Regime.UNDECIDED
        winding = last.winding[last.bright]
        slips = abs(winding[:, None] - winding[None, :]) * last.length / (2 * pi)
        if np.any((slips > 0.03) & (slips < 2)):
            return Regime.UNDECIDED
        return Regime.PARTIAL if np.any(slips >= 2) else Regime.PHASE_TRAPPED

    def _measured(self, seen: Track, window: Window, regime: Regime, status: Status) -> Motion:
        w = bump(len(seen.charged))
        amplitude = w @ abs(seen.charged)
        bright = amplitude >= DARK
        size = abs(seen.charged)
        phase = np.divide(seen.charged, size, out=np.zeros_like(seen.charged), where=size > 0)
        locking = phase.conj().T @ (w[:, None] * phase)
        locking[~bright, :] = locking[:, ~bright] = nan
        return Motion(
            regime,
            status,
            np.where(bright, window.winding, nan),
            amplitude,
            window.inversion,
            2 * float(w @ abs(seen.charged @ self.weight)),
            locking,
            window.lyapunov,
            window.lyapunov_error,
        )
