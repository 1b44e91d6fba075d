"""What windows of motion tell: averages, whether two in a row agree, and the word that follows (theory page, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np

from spinsync.data.rates import Array
from spinsync.data.regimes import Regime
from spinsync.numerics.tracking import Track, bump

CALM = 0.02  # growth of ln |deviation| over a window of a regular motion: nothing, but for the window's ends
DARK = 1e-3  # mean amplitude below which a group has no phase


@dataclass(frozen=True)
class Window:
    """Averages over a window: of z and of the products s_a^* s_b, which know no common phase; their variance; windings.

    weights : of the window's samples, (5.9)
    periodic : the same over the last two periods, where the motion repeats itself
    """

    length: float
    weights: Array
    products: Array
    inversion: Array
    variance: float
    winding: Array
    lyapunov: float
    lyapunov_error: float
    grazing: bool
    periodic: Window | None = None

    @property
    def bright(self) -> Array:
        return np.diag(self.products).real > DARK**2

    @property
    def slips(self) -> Array:
        """How often each two bright groups pass each other, (group, group)."""
        winding = self.winding[self.bright]
        return np.asarray(abs(winding[:, None] - winding[None, :]) * self.length / (2 * pi))

    @property
    def calm(self) -> bool:
        """No deviation grows; NaN is not calm."""
        return not self.grazing and self.lyapunov * self.length < CALM

    @property
    def irregular(self) -> bool:
        """A deviation grows, beyond doubt."""
        return self.lyapunov > 4 * self.lyapunov_error and self.lyapunov * self.length > 15

    def agrees(self, other: Window, detuning: float) -> bool:
        """Whether this window and the one before it tell the same: then the motion is stationary."""
        return bool(
            abs(self.products - other.products).max() < 1e-4 * np.diag(self.products).real.max()
            and abs(self.inversion - other.inversion).max() < 1e-4
            and abs(self.variance - other.variance) < 0.01 * self.variance
            and abs(self.winding - other.winding)[self.bright].max(initial=0) < 1e-4 * detuning + 1e-3 / self.length
        )


def averages(seen: Track, frame: float) -> Window:
    """Averages over a window, and over whole periods in it."""
    periods = seen.whole_periods()
    window = _averages(seen, frame, bump(len(seen.turned)), seen.step * len(seen.turned))
    if periods is None:
        return window
    return replace(window, periodic=_averages(seen, frame, periods, seen.step / periods.max()))


def _averages(seen: Track, frame: float, w: Array, length: float) -> Window:
    """Those of a mean square by products of matrices, as |s_a^* s_b|^2 = |s_a|^2 |s_b|^2."""
    s, z = seen.charged, seen.neutral
    products = s.conj().T @ (w[:, None] * s)
    square = abs(s) ** 2
    inversion = w @ z
    variance = np.sum(square.T @ (w[:, None] * square)) - np.sum(abs(products) ** 2) + np.sum(w @ (z - inversion) ** 2)
    blocks = np.array([part.mean() for part in np.array_split(seen.grown, 10)]) / seen.step
    return Window(
        length, w, products, inversion, float(max(variance, 0.0)), w @ seen.turned / seen.step + frame,
        float(w @ seen.grown / seen.step), float(blocks.std(ddof=1) / np.sqrt(10)), seen.grazing,
    )  # fmt: skip


def decided(windows: Sequence[Window], detuning: float, *, transient: bool) -> tuple[Regime, Window]:
    """The regime that the last windows tell, and the averages that belong to it; a transient can look irregular too."""
    last = windows[-1]
    repeats = last.periodic
    if repeats is not None and repeats.calm and np.all(abs(repeats.slips - np.round(repeats.slips)) < 1e-3):
        return Regime.PARTIAL, replace(repeats, lyapunov_error=CALM / repeats.length)
    if len(windows) < 2:
        return Regime.UNDECIDED, last
    before = windows[-2]
    if last.irregular and before.irregular and not transient:
        return Regime.IRREGULAR, last
    if not last.calm or not last.agrees(before, detuning) or np.any((last.slips > 0.03) & (last.slips < 2)):
        return Regime.UNDECIDED, last
    sure = replace(last, lyapunov_error=max(abs(last.lyapunov - before.lyapunov), CALM / last.length))
    return Regime.PARTIAL if np.any(last.slips >= 2) else Regime.PHASE_TRAPPED, sure
