"""The diagram of two groups, piece by piece: coarse, then fine, then where the start decides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import figures, two_groups
from spinsync.interfaces.explorer.controls import DETUNING, Values
from spinsync.interfaces.explorer.figures import Array

GRID, COARSE = 128, 32  # points of the diagram along an axis
BAND, COARSE_BAND = 4, 8  # rows in one piece, about a tenth of a second
NEAR = 3  # points from a boundary at which the start is tried as well
MOST_KEPT = 1024  # pieces, about 1 kB each, for all pages together
DASHES = {"full exists": "4 2", "incoherent below": "1 2", "Adler, weak coupling": "4 2"}  # the Hopf line is solid
KINDS = {"4 2": "dash", "1 2": "dotted"}

Piece = Callable[[], None]


class Kept:
    """The pieces computed last, so that a computation that was broken off goes on where it stood."""

    def __init__(self, most: int) -> None:
        self._most, self._pieces, self._lock = most, OrderedDict[Any, Any](), Lock()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key in self._pieces:
                self._pieces.move_to_end(key)
            return self._pieces.get(key)

    def put(self, key: Any, piece: Any) -> None:
        with self._lock:
            self._pieces[key] = piece
            while len(self._pieces) > self._most:
                self._pieces.popitem(last=False)


_kept = Kept(MOST_KEPT)


class Tongue:
    """Regimes over detuning and coupling: codes of shape (coupling, detuning) at the middle of their points."""

    def __init__(self, values: Values) -> None:
        control, name = two_groups.upwards(values)
        without = {"detuning", control.name, *two_groups.idle(values)}
        self.key = tuple((name, value) for name, value in sorted(values.items()) if name not in without)
        self._values, self._control, self._name = values, control, name

    # ---- what is computed

    def coarse(self) -> Iterator[Piece]:
        """What is missing of a first look."""
        return self._missing("coarse", COARSE, COARSE_BAND, partial(self._band, COARSE))

    def boundaries(self) -> Iterator[Piece]:
        """The closed-form lines, if they are missing."""
        if _kept.get((self.key, "lines")) is None:
            yield lambda: _kept.put((self.key, "lines"), two_groups.closed_form_lines(self._values))

    def fine(self) -> Iterator[Piece]:
        """What is missing of the fine diagram."""
        return self._missing("fine", GRID, BAND, partial(self._band, GRID))

    def starts(self) -> Iterator[Piece]:
        """What is missing of the diagram from a common start, near boundaries and where a coarse look finds a difference."""
        common = partial(self._band, COARSE, initial=two_groups.COMMON)
        yield from self._missing("common", COARSE, COARSE_BAND, common)
        yield from self._missing("differs", GRID, BAND, self._differs)

    def tried(self) -> float:
        """The share of the pieces of `starts` that is known."""
        pieces = [*self._whole("common", COARSE, COARSE_BAND), *self._whole("differs", GRID, BAND)]
        return sum(piece is not None for piece in pieces) / len(pieces)

    def _missing(self, what: str, count: int, band: int, compute: Callable[[slice], Array]) -> Iterator[Piece]:
        for first in range(0, count, band):
            key = self.key, what, first
            if _kept.get(key) is None:
                yield lambda key=key, first=first: _kept.put(key, compute(slice(first, first + band)))  # type: ignore[misc]

    def _whole(self, what: str, count: int, band: int) -> list[Array | None]:
        return [_kept.get((self.key, what, first)) for first in range(0, count, band)]

    def codes(self) -> Array:
        """The regimes as far as they are known, the fine ones over the coarse ones; UNDECIDED where nothing is known."""
        share = GRID // COARSE
        codes = np.full((GRID, GRID), int(ss.Regime.UNDECIDED), np.int8)
        for k, band in enumerate(self._whole("coarse", COARSE, COARSE_BAND)):
            if band is not None:
                codes[k * COARSE_BAND * share : (k + 1) * COARSE_BAND * share] = band.repeat(share, 0).repeat(share, 1)
        for k, band in enumerate(self._whole("fine", GRID, BAND)):
            if band is not None:
                codes[k * BAND : (k + 1) * BAND] = band
        return codes

    def known(self) -> Array:
        """Which rows of `codes` are known."""
        coarse, fine = (self._whole(*which) for which in (("coarse", COARSE, COARSE_BAND), ("fine", GRID, BAND)))
        share = GRID // COARSE * COARSE_BAND // BAND
        seen = [band is not None or coarse[k // share] is not None for k, band in enumerate(fine)]
        return np.repeat(seen, BAND)

    def differs(self) -> Array | None:
        """Where another start ends in another regime; None as long as it is not known everywhere."""
        bands = [band for band in self._whole("differs", GRID, BAND) if band is not None]
        return np.concatenate(bands) if len(bands) == GRID // BAND else None

    def _regimes(self, rows: Array, detunings: Array, initial: Any = None) -> Array:
        model = two_groups.ensemble(self._values)
        axes = {self._name: rows, "detuning": detunings}
        return np.asarray(ss.phase_diagram(model, axes, initial=initial, threads=1).regime.values)

    def _band(self, count: int, rows: slice, initial: Any = None) -> Array:
        return self._regimes(figures.centres(self._control, count)[rows], figures.centres(DETUNING, count), initial)

    def _differs(self, rows: slice) -> Array:
        codes = self.codes()
        tried, here = self._tried(codes)[rows], codes[rows]
        strengths, detunings = figures.centres(self._control, GRID)[rows], figures.centres(DETUNING, GRID)
        differs = np.zeros(tried.shape, bool)
        for row in np.flatnonzero(tried.any(1)):
            columns = np.flatnonzero(tried[row])
            other = self._regimes(strengths[row : row + 1], detunings[columns], two_groups.COMMON)[0]
            differs[row, columns] = _decided(other, here[row, columns])
        return differs

    def _tried(self, codes: Array) -> Array:
        """Points at which the common start is tried: near a boundary, and about coarse points that it changes."""
        from scipy.ndimage import binary_dilation

        dark = codes == ss.Regime.INCOHERENT  # the onset of a rhythm does not depend on the start, but is slow
        edge = np.zeros(codes.shape, bool)
        edge[1:] |= (codes[1:] != codes[:-1]) & ~dark[1:] & ~dark[:-1]
        edge[:, 1:] |= (codes[:, 1:] != codes[:, :-1]) & ~dark[:, 1:] & ~dark[:, :-1]
        one, other = (self._whole(what, COARSE, COARSE_BAND) for what in ("coarse", "common"))
        coarse = _decided(
            np.concatenate([b for b in one if b is not None]), np.concatenate([b for b in other if b is not None])
        )
        around = binary_dilation(coarse, np.ones((3, 3), bool)).repeat(GRID // COARSE, 0).repeat(GRID // COARSE, 1)
        return np.asarray(binary_dilation(edge, iterations=NEAR) | around)

    # ---- what is drawn

    def figure(self) -> dict[str, Any]:
        """All that is known at present."""
        codes, known, differs = self.codes(), self.known(), self.differs()
        legend: list[tuple[str, str, str]] = figures.names_of(codes[known])
        lines = []
        for name, x, y in _kept.get((self.key, "lines")) or []:
            if np.any((x >= DETUNING.low) & (x <= DETUNING.high) & (y >= self._control.low) & (y <= self._control.high)):
                dash = DASHES.get(name)
                lines.append(figures.line(x, y, figures.BLACK, **({"dash": dash} if dash else {})))
                legend.append((figures.BLACK, name, KINDS[dash] if dash else "line"))
        over = {}
        if differs is not None and differs.any():
            over = {"over": figures.hatched(differs)}
            legend.append((figures.BLACK, "depends on the start", "hatch"))
        return {
            "x": figures.over(DETUNING), "y": figures.over(self._control), "image": figures.regimes(codes, known), **over,
            "lines": lines, "legend": legend,
        }  # fmt: skip


def _decided(one: Array, other: Array) -> Array:
    """Where two starts end in different regimes, both of them known."""
    return np.asarray((one != other) & (one != ss.Regime.UNDECIDED) & (other != ss.Regime.UNDECIDED))
