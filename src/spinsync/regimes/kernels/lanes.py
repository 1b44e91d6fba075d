"""Many trajectories of M-group mean field side by side in vector lanes: layout of the kernels, and calls over threads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from math import factorial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from spinsync.base.generated import once
from spinsync.base.native import Native, native
from spinsync.base.translation import Given, Text, functions_of, translated
from spinsync.regimes.kernels.fixed_points import FixedPoints, shared, text_of

VECTOR = 8  # lanes of one vector
UNROLLED = 3  # groups whose loops are written out; more would take too long to compile
FAINT = 1e-16  # |s|^2 below which a phase is not followed
OWN = 7  # sums per group
MEAN = 4**6 * factorial(6) ** 2 / factorial(13)  # integral of the window (4 x (1-x))^6 over 0..1
SPREAD = 4**12 * factorial(12) ** 2 / factorial(25) / MEAN**2  # variance of a mean with it, beside that of a plain mean

#: Ch. Tsitouras, Comput. Math. Appl. 62, 770 (2011): stages, the last of which is the step, and the embedded error
STAGES = (
    (),
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
    (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
)
ERROR = (
    -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552,
    -0.45808210592918697, 0.015151515151515152,
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What lies where in a lane, for `groups` groups, with or without sums over a window and a tangent vector."""

    groups: int
    measured: bool
    tangent: bool

    @property
    def per_group(self) -> int:
        return 6 if self.tangent else 3

    @property
    def state(self) -> int:
        return self.per_group * self.groups

    @cached_property
    def pairs(self) -> tuple[tuple[int, ...], ...]:
        """Where the sums of each two groups a < b begin, after OWN per group and the mean field; elsewhere 0."""
        m = self.groups
        order = {(a, b): k for k, (a, b) in enumerate((a, b) for a in range(m) for b in range(a + 1, m))}
        return tuple(tuple(OWN * m + 1 + 5 * order[a, b] if a < b else 0 for b in range(m)) for a in range(m))

    @property
    def lyapunov(self) -> int:
        return OWN * self.groups + 1 + 5 * (self.groups * (self.groups - 1) // 2)

    @property
    def sums(self) -> int:
        return self.lyapunov + (5 if self.tangent else 0) if self.measured else 0

    @property
    def inverses(self) -> int:
        """Of |s| per group, and of the mean field's, which one group has not beside."""
        return self.groups + (self.groups > 1) if self.measured else 0

    @property
    def parameters(self) -> int:
        return 5 * self.groups + 2 * self.groups**2

    @property
    def small(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the small arrays of the template."""
        m, d = self.groups, self.state
        return {
            "c": (m, m, 2), "g": (m, 4), "h": (2,), "q": (2,), "y": (d,), "u": (d,), "f": (d,), "K": (7, d), "w": (3, 2),
            "e": (4,), "n": (2, m, 5), "inv": (2, self.inverses), "p": (2, 4), "r": (2,), "m": (2,), "d": (2,), "whole": (2, 2),
            "o": (m, 3), "v": (m, 3), "weight": (m,), "lost": (m,), "off": (3,), "most": (3,),
        }  # fmt: skip

    @property
    def streams(self) -> int:
        """Vectors worked on at once: short steps wait for their own results, long ones fill the registers."""
        return 2 if self.state <= (3 if self.measured else 6) else 1

    @property
    def lanes(self) -> int:
        return VECTOR * self.streams

    def known(self) -> dict[str, Any]:
        """The numbers in capitals of the template."""
        begin = 2 * self.state + 6
        inverse = begin + self.sums
        parameter = inverse + self.inverses
        return dict(
            M=self.groups, GROUP=self.per_group, D=self.state, LANES=self.lanes,
            TANGENT=self.tangent, MEASURE=self.measured,
            STATE=0, SLOPE=self.state, CLOCK=2 * self.state, SUMS=begin, SUMMED=self.sums, INVERSE=inverse,
            INVERSES=self.inverses, PARAMETER=parameter, PARAMETERS=self.parameters, ROWS=parameter + self.parameters,
            PAIRS=self.pairs, LYAPUNOV=self.lyapunov,
            FAINT=FAINT, OWN=OWN, A=STAGES, E=ERROR,
        )  # fmt: skip


KERNELS = frozenset({"load", "step", "store", "run"})  # the others are macros


def template_of(*names: str) -> str:
    """The text of templates, one after the other."""
    return "".join((Path(__file__).parent / f"{name}_template.py").read_text(encoding="utf-8") for name in names)


def signature(layout: Layout) -> dict[str, Given]:
    """The arguments of the kernel."""
    number, index, row, truth = Given("float64"), Given("int64"), Given("float64", ()), Given("bool", ())
    return dict(
        W=row, P=Given("float64", (layout.parameters,)), Y=Given("float64", (layout.state,)), spans=row, rtol=number,
        atol=number, most_steps=number, first=index, last=index, out=Given("float64", (layout.sums,)), steps=row,
        finished=truth,
    )  # fmt: skip


def code(layout: Layout, equation: ModuleType) -> str:
    """The kernel as LLVM is given it."""
    source = template_of("lane", "measure")
    stays = {"lane", "row"} if layout.groups <= UNROLLED else None
    text = Text.of(
        source, text_of(equation), macros=frozenset(functions_of(source)) - KERNELS, known=layout.known(),
        small=layout.small, staying=lambda name: stays is None or name in stays,
    )  # fmt: skip
    return translated(text, "run", signature(layout))


@once
def kernel(layout: Layout, equation: ModuleType) -> Native:
    """The kernel, whose machine code is kept on disk."""
    kind = f"_{'measured' if layout.measured else 'plain'}{'_tangent' * layout.tangent}"
    made_of = template_of("lane", "measure") + text_of(equation) + repr(layout.known())
    return native(f"lanes_{layout.groups}{kind}.run", "run", signature(layout), made_of, partial(code, layout, equation))


def aligned(count: int) -> np.ndarray:
    """So many zeros, of which every vector lies within one line of the cache."""
    room = np.zeros(count + VECTOR)
    begin = -(room.ctypes.data // 8) % VECTOR
    return room[begin : begin + count]


class Lanes:
    """The kernels for one layout and one equation; states (trajectory, component) are moved on in place."""

    shares = True  # threads may each take theirs through several calls; what one of them works on stays in its cache

    def __init__(self, layout: Layout, equation: ModuleType, threads: int) -> None:
        self.layout, self.threads, self.equation = layout, threads, equation
        self.fixed_points = FixedPoints(equation, threads)

    def advance(
        self, parameters: np.ndarray, states: np.ndarray, spans: np.ndarray, rtol: float, atol: float, most_steps: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move `states` on by `spans`; sums (trajectory, sum), steps taken, and whether each came to its end."""
        given = parameters.view(float).reshape(len(states), -1)
        count, run = len(states), kernel(self.layout, self.equation)
        sums, steps, finished = np.empty((count, self.layout.sums)), np.empty(count), np.empty(count, bool)

        def work(first: int, last: int) -> None:
            rows = aligned(self.layout.known()["ROWS"] * self.layout.lanes)
            run(rows, given, states, spans, rtol, atol, most_steps, first, last, sums, steps, finished)

        shared(work, count, self.threads)
        return sums, steps, finished & np.isfinite(states).all(axis=1)
