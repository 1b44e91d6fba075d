"""Steady state of the second-order equations by Newton's method, on few unknowns.

In the steady state of (10.4) and (10.5) each correlation c_ab is the solution of one linear equation, if the inversions z_a
and the sums m_ar = sum_e R_er (N_e - delta_ae)/N c_ae of (10.21) are known, with C_ab = sum_r L_ar R_br. So z and m are the
unknowns: 3 M numbers for M classes of one group, whose coupling has rank 1, where there are 2 M^2 correlations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.interrupts import check_interrupt
from spinsync.problems.outcome import NotConvergedError
from spinsync.theory.cumulants.classes import Classes

DENSE = 200  # unknowns, up to which the Jacobian is assembled
ITERATIONS = 40
ALLOWED = 1e-13  # of the last Newton step, relative to the largest unknown of its kind
ROUNDING = 1e-9  # step that may stay, if rounding keeps it from falling further
SMALLEST = 2.0**-12  # of a Newton step, when the residual doesn't fall
FORCING = 1e-4  # relative residual of the linear equation of one step
RESTART, CYCLES = 60, 6  # of GMRES
UNPHYSICAL = 1e-9  # excess of an inversion over 1, and negative emission per spin, from rounding


@dataclass(frozen=True)
class Unknowns:
    """z : real array (class,); m : complex array (class, column)"""

    z: Array
    m: Array

    @property
    def packed(self) -> Array:
        return np.concatenate([self.z, self.m.real.ravel(), self.m.imag.ravel()])

    @staticmethod
    def unpacked(vector: Array, classes: int) -> Unknowns:
        real, imag = vector[classes:].reshape(2, classes, -1)
        return Unknowns(vector[:classes], real + 1j * imag)


@dataclass(frozen=True)
class SteadyEquations:
    """The equations of z and m, F(z, m) = 0, and their derivative."""

    classes: Classes

    def fields(self, m: Array) -> Array:
        """B_ab = sum_e C_be (N_e - delta_ae)/N c_ae, the collective part of three-body terms; shape (class, other_class)."""
        return np.asarray(m @ self.classes.left.T)

    def linearized(self, at: Unknowns) -> Linearized:
        return Linearized(self, at)


class Linearized:
    """Residual and derivative of the equations at one point.

    The equation of one correlation is alpha c - beta c^* = source, with the connected <sigma^z_a sigma^z_b> - z_a z_b =
    Re(xi c) inserted from its own steady equation.
    """

    def __init__(self, equations: SteadyEquations, at: Unknowns) -> None:
        own = equations.classes
        self.equations, self.at = equations, at
        g, z, shift = own.group, at.z, own.own / own.total
        pairs = np.ix_(g, g)
        k, difference = (own.decay + own.pumping)[pairs], (own.decay - own.pumping)[pairs]
        exchange = own.exchange[pairs].T  # Hc_ba
        pull = own.gamma_1[:, None] + own.gamma_1
        drift = own.gamma_perp + 1j * own.omega
        half = drift + 1j * z * shift
        decay = half.conj()[:, None] + half
        passed = own.left @ own.right.T / own.total
        self.xi = (8 * k + 4j * (passed * z - (passed * z).conj().T)) / pull
        kt = k.T  # K_ba
        alpha, beta = decay - kt * self.xi / 2, kt * self.xi.conj() / 2
        self.fields = equations.fields(at.m)
        outer = 1j * z * self.fields
        source = (
            outer + outer.conj().T + 1j * exchange * (z - z[:, None]) / 2 + difference.T * (z + z[:, None]) / 2
            + kt * np.outer(z, z)
        )  # fmt: skip
        self.size = abs(alpha) ** 2 - abs(beta) ** 2
        self.alpha, self.beta = alpha, beta
        self.c = self.solved(source)
        # derivative of the source and of alpha c - beta c^* with respect to z_b, at fixed m; with respect to z_a its adjoint
        self.slope = (
            1j * self.fields + 1j * exchange / 2 + difference.T / 2 + kt * z[:, None]
            - 1j * shift * self.c + kt * (4j * passed / pull * self.c).real
        )  # fmt: skip

    def solved(self, source: Array) -> Array:
        """c of alpha c - beta c^* = source."""
        return np.asarray((self.alpha.conj() * source + self.beta * source.conj()) / self.size)

    def change(self, d: Unknowns) -> Array:
        """Change of the correlations with z and m."""
        half = self.slope * d.z + 1j * self.at.z * self.equations.fields(d.m)
        return self.solved(half + half.conj().T)

    def balance(self, m: Array) -> Array:
        """4 Im sum_b C_ab (N_b - delta_ab)/N c_ab, the rate at which spins of each class are excited by others."""
        own = self.equations.classes
        return np.asarray(4 * np.sum(own.left * m, axis=1).imag)

    @property
    def residual(self) -> Array:
        own = self.equations.classes
        dz = (own.gamma_1 * self.at.z - own.net_gain - self.balance(self.at.m)) / own.gamma_1
        return Unknowns(dz, self.at.m - own.sums(self.c)).packed

    def times(self, vector: Array) -> Array:
        """The derivative of the residual times a vector."""
        own = self.equations.classes
        d = Unknowns.unpacked(vector, own.spins.size)
        dz = d.z - self.balance(d.m) / own.gamma_1
        return Unknowns(dz, d.m - own.sums(self.change(d))).packed

    def step(self) -> Array:
        """Newton's step."""
        from scipy.sparse.linalg import LinearOperator, gmres

        residual = self.residual
        if residual.size <= DENSE:
            matrix = np.transpose([self.times(column) for column in np.eye(residual.size)])
            return np.asarray(np.linalg.solve(matrix, -residual))
        jacobian = LinearOperator((residual.size,) * 2, self.times, dtype=float)
        found, _ = gmres(jacobian, -residual, rtol=FORCING, restart=RESTART, maxiter=CYCLES)
        return np.asarray(found)


def newton(equations: SteadyEquations, start: Unknowns) -> Unknowns:
    """The solution near `start`. Raises NotConvergedError if the iteration finds none."""
    classes, now = start.z.size, equations.linearized(start)
    last = np.inf
    for _ in range(ITERATIONS):
        check_interrupt()
        try:
            step = now.step()
        except np.linalg.LinAlgError:
            break
        size = relative_size(Unknowns.unpacked(step, classes), now.at, 1 / equations.classes.total)
        if not np.isfinite(size):
            break
        if size <= ALLOWED or (size <= ROUNDING and size >= last / 2):
            return Unknowns.unpacked(now.at.packed + step, classes)
        now, last = shorter(equations, now, step), size
    raise NotConvergedError


def shorter(equations: SteadyEquations, now: Linearized, step: Array) -> Linearized:
    """The next point: the whole step or the part of it that makes the residual fall."""
    part, classes, residual = 1.0, now.at.z.size, now.residual
    while True:
        reached = equations.linearized(Unknowns.unpacked(now.at.packed + part * step, classes))
        if part <= SMALLEST or np.linalg.norm(reached.residual) <= np.linalg.norm(residual) * (1 - part / 10):
            return reached
        part /= 2


def relative_size(step: Unknowns, at: Unknowns, least: float) -> float:
    """Largest change, relative to the largest z and the largest m, of which either may be 0: at least `least`."""
    return float(max(abs(d).max() / max(abs(x).max(), least) for d, x in ((step.z, at.z), (step.m, at.m))))


def steady_state(coefficients: Callable[[], Classes], y: Array) -> Array:
    """The packed steady state near a packed state.
    Raises NotConvergedError if Newton's method finds none, or one that is no state of spins."""
    classes = coefficients()
    equations = SteadyEquations(classes)
    z, c = classes.unpacked(y)
    found = equations.linearized(newton(equations, Unknowns(z, classes.sums(c))))
    weight = classes.spins
    emitted = (weight @ found.c @ weight).real + weight @ ((1 + found.at.z) / 2 - found.c.diagonal().real)
    if abs(found.at.z).max() > 1 + UNPHYSICAL or emitted < -UNPHYSICAL * classes.total:
        raise NotConvergedError
    return classes.packed(found.at.z, found.c, (found.xi * found.c).real)
