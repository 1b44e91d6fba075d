"""Whether a quantum state can have the one- and two-spin moments that an approximate theory has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.codes import Code

ROUNDING = 64 * np.finfo(float).eps  # of an eigenvalue of a two-spin state
SIGMAS = 5.0  # a violation by fewer standard errors is none: with hundreds of times and pairs, some reach 3 by chance
BLOCK = 1 << 15  # pairs of classes that are tested at once, so that the work stays in the cache of the processor


class Validity(Code):
    """What is known against the moments of a result; VALID if nothing is."""

    NOT_TESTED = -1, "not tested: the theory has a state, or follows no moments of two spins"
    VALID = 0, "no condition is violated that every quantum state obeys"
    BLOCH_VECTOR_TOO_LONG = 1, "a Bloch vector is longer than 1, which no spin allows: this level of theory fails here"
    PAIR_NOT_POSITIVE = 2, "two spins would have a negative probability: this level of theory fails here"
    UNCERTAINTY_VIOLATED = 3, "the collective spin violates its uncertainty relation: this level of theory fails here"
    PHASE_DIFFUSED = 4, "the time is not short against 1/linewidth, and the theory does not follow the diffusion of the phase"


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Connected moments of classes of equal spins. `None` in s, ss and sz: they vanish by the U(1) symmetry.

    Connected forms keep their digits for any number of spins; `connected` makes them from plain moments.

    spins : (class,), number of spins N_a, positive, not necessarily whole
    z : (..., class), <sigma^z_a>
    c : complex (..., class, class), <sigma^+_a sigma^-_b> - s_a^* s_b of different spins; its diagonal is not read if N_a <= 1
    zz : (..., class, class), <sigma^z_a sigma^z_b> - z_a z_b, as c
    s : complex (..., class), <sigma^-_a>
    ss : complex (..., class, class), <sigma^-_a sigma^-_b> - s_a s_b, as c
    sz : complex (..., class, class), <sigma^-_a sigma^z_b> - s_a z_b, as c
    """

    spins: Array
    z: Array
    c: Array
    zz: Array
    s: Array | None = None
    ss: Array | None = None
    sz: Array | None = None


#: (moments of states (time,), tolerance, errors) -> whether each obeys it, (time,); stated so that NaN does not
Condition = Callable[[Moments, float, Moments | None], Array]


def connected(
    spins: Array, z: Array, c: Array, zz: Array, s: Array | None = None, ss: Array | None = None, sz: Array | None = None
) -> Moments:
    """The connected moments of plain ones: c = <sigma^+_a sigma^-_b>, zz, ss = <sigma^-_a sigma^-_b>, sz likewise."""
    spins, z = np.asarray(spins, float), np.asarray(z, float)
    zz = zz - z[..., :, None] * z[..., None, :]
    if s is None or ss is None or sz is None:
        return Moments(spins=spins, z=z, c=c, zz=zz)
    left, right = s[..., :, None], s[..., None, :]
    return Moments(
        spins=spins, z=z, c=c - left.conj() * right, zz=zz, s=s, ss=ss - left * right, sz=sz - left * z[..., None, :]
    )


def validity(moments: Moments, tolerance: float, errors: Moments | None = None) -> Array:
    """The code of `Validity` of each state, int8 (...): the first violated of three conditions that quantum states obey.

    1. The Bloch vector of each class has at most the length 1.
    2. The two-spin state of each pair of classes, and of two spins of a class, is positive: 4 x 4.
    3. Cov(J) + (i/2) eps_abc <J_c> is positive, J the total spin: 3 x 3.

    They are necessary, not sufficient. A moment that is not a number violates them.

    tolerance : relative error of the moments, such as ten times the tolerance of an integration; moments are of order 1
    errors : standard errors of all moments (spins are not read): a violation by less than SIGMAS of them is none
    """
    one_spin, two_spins = _obeyed(_bloch_vectors, moments, tolerance, errors), _obeyed(_two_spins, moments, tolerance, errors)
    return _codes(one_spin, two_spins, _obeyed(_collective_spin, moments, tolerance, errors))


def validity_of_parts(violations: Array, moments: Moments, tolerance: float) -> Array:
    """`validity` where conditions 1 and 2 have been tested of parts of the classes, over which these moments are means.

    Means can hide what parts violate; but the moments of the total spin follow from them exactly.

    violations : (..., 2), how many Bloch vectors and pairs of parts violate conditions 1 and 2
    """
    one_spin, two_spins = np.moveaxis(violations == 0, -1, 0)
    return _codes(one_spin, two_spins, _obeyed(_collective_spin, moments, tolerance))


def _codes(one_spin: Array, two_spins: Array, total: Array) -> Array:
    """The code of `Validity` of each state, int8 (...), from whether it obeys the three conditions, bool (...)."""
    reasons = (Validity.BLOCH_VECTOR_TOO_LONG, Validity.PAIR_NOT_POSITIVE, Validity.UNCERTAINTY_VIOLATED)
    return np.select([~one_spin, ~two_spins, ~total], reasons, Validity.VALID).astype(np.int8)


def _obeyed(condition: Condition, moments: Moments, tolerance: float, errors: Moments | None = None) -> Array:
    """Whether each state obeys a condition, bool (...); other arguments as those of `validity`."""
    spins = np.asarray(moments.spins, float)
    steps = max(1, BLOCK // spins.size**2)
    given, wrong = _flat(moments, spins), None if errors is None else _flat(errors, spins)
    found = np.zeros(given.z.shape[0], bool)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for first in range(0, found.size, steps):
            part = slice(first, first + steps)
            found[part] = condition(_at(given, part), tolerance + ROUNDING, None if wrong is None else _at(wrong, part))
    return found.reshape(np.shape(moments.z)[:-1])


def _flat(moments: Moments, spins: Array) -> Moments:
    """One leading axis, and zeros on the diagonal of classes without pairs."""
    alone, count = np.diag(spins <= 1), spins.size

    def pairs(value: Array) -> Array:
        flat = np.asarray(value).reshape(-1, count, count)
        return np.where(alone, 0.0, flat) if alone.any() else flat

    return _each(
        moments,
        lambda name, x: spins if name == "spins" else np.asarray(x).reshape(-1, count) if name in ("z", "s") else pairs(x),
    )


def _at(moments: Moments, part: slice) -> Moments:
    return _each(moments, lambda name, x: x if name == "spins" else x[part])


def _each(moments: Moments, change: Callable[[str, Array], Array]) -> Moments:
    """The moments with every array changed that they have, by a function of its name and the array."""
    given = {one.name: getattr(moments, one.name) for one in fields(Moments)}
    return replace(moments, **{name: change(name, value) for name, value in given.items() if value is not None})


def _bloch_vectors(moments: Moments, tolerance: float, errors: Moments | None) -> Array:
    """z^2 + 4 |s|^2 <= 1 for each class; (time,)."""
    squared, allowed = moments.z**2, np.full(1, 1 + tolerance)
    if moments.s is not None:
        squared = squared + 4 * abs(moments.s) ** 2
    if errors is not None:
        allowed = allowed + SIGMAS * (errors.z + (0.0 if errors.s is None else 2 * errors.s))
    return np.asarray(np.all(squared <= allowed**2, axis=-1))


def _allowed(moments: Moments, tolerance: float, errors: Moments | None, charged: bool) -> Array | float:
    """By how much the eigenvalues of two-spin states may be negative: SIGMAS of a bound on their error; (time, class, class).

    rho = (1/4) sum <A B> A (x) B over Pauli matrices A, B: an error of a moment moves an eigenvalue at most by the norm of its
    operator, which is 1/4 for z and zz, 1 for c and ss, 1/2 for s and sz.
    """
    if errors is None:
        return tolerance
    z = errors.z[:, :, None] + errors.z[:, None, :]
    bound = (2 * z + errors.zz) / 4 + errors.c
    if charged and errors.s is not None and errors.ss is not None and errors.sz is not None:
        s = errors.s[:, :, None] + errors.s[:, None, :]
        bound = bound + 2 * s + errors.ss + (errors.sz + np.swapaxes(errors.sz, 1, 2) + z) / 2
    return np.asarray(tolerance + SIGMAS * bound)


def _two_spins(moments: Moments, tolerance: float, errors: Moments | None) -> Array:
    """The two-spin state of each pair of classes is positive; (time,)."""
    return (_pairs_symmetric if moments.s is None else _pairs)(moments, tolerance, errors)


def _pairs_symmetric(moments: Moments, tolerance: float, errors: Moments | None) -> Array:
    """The two-spin states with U(1) symmetry, whose eigenvalues are

    (1 + zz +- (z_a + z_b))/4  and  (1 - zz)/4 +- sqrt( (z_a - z_b)^2/16 + |c_ab|^2 ),  zz the plain moment; (time,).
    """
    z, c, allowed = moments.z, moments.c, _allowed(moments, tolerance, errors, False)
    left, right = z[:, :, None], z[:, None, :]
    product = moments.zz + left * right
    equal = 1 + product + 4 * allowed - abs(left + right)  # both up or both down
    opposite = 1 - product + 4 * allowed
    squared = (left - right) ** 2 + 16 * (c.real**2 + c.imag**2)
    holds = (equal >= 0) & (opposite >= 0) & (opposite**2 >= squared)
    return np.asarray(np.all(holds, axis=(-1, -2)))


def _pairs(moments: Moments, tolerance: float, errors: Moments | None) -> Array:
    """The two-spin states without a symmetry, by a Cholesky decomposition of rho + tolerance; (time,).

    It ends where an eigenvalue is below -tolerance, within rounding: N. J. Higham, Accuracy and Stability of Numerical
    Algorithms, chapter 10.
    """
    a, b = np.triu_indices(moments.spins.size)
    different = (a != b) | (moments.spins[a] > 1)
    a, b = a[different], b[different]
    allowed = np.broadcast_to(_allowed(moments, tolerance, errors, True), moments.c.shape)[:, a, b]
    matrix = [[*row] for row in two_spin_rows(moments, a, b)]
    holds = np.ones(allowed.shape, bool)
    for k in range(4):
        pivot = matrix[k][k].real + allowed
        holds &= pivot > 0
        for i in range(k + 1, 4):
            factor = matrix[i][k] / pivot
            for j in range(k + 1, i + 1):
                matrix[i][j] = matrix[i][j] - factor * matrix[j][k].conj()
    return np.asarray(np.all(holds, axis=-1))


def two_spin_rows(moments: Moments, a: Array, b: Array) -> Iterator[tuple[Array, ...]]:
    """The lower triangles of the density matrices of spins of the classes a and b: four rows of 1 to 4 arrays (time, pair).

    Basis |ee>, |eg>, |ge>, |gg>; <x|rho|y> = < |y><x| >.
    """
    assert moments.s is not None
    assert moments.ss is not None
    assert moments.sz is not None
    za, zb, sa, sb = moments.z[:, a], moments.z[:, b], moments.s[:, a], moments.s[:, b]
    zz = moments.zz[:, a, b] + za * zb
    a_up, b_up = (moments.sz[:, a, b] + sa * zb, moments.sz[:, b, a] + sb * za)  # <sigma^-_a sigma^z_b>, <sigma^-_b sigma^z_a>
    yield ((1 + za + zb + zz) / 4,)
    yield ((sb + b_up).conj() / 2, (1 + za - zb - zz) / 4)
    yield ((sa + a_up).conj() / 2, moments.c[:, a, b] + sa.conj() * sb, (1 - za + zb - zz) / 4)
    yield (
        (moments.ss[:, a, b] + sa * sb).conj(), (sa - a_up).conj() / 2, (sb - b_up).conj() / 2, (1 - za - zb + zz) / 4,
    )  # fmt: skip


def _collective_spin(moments: Moments, tolerance: float, errors: Moments | None) -> Array:
    """<dX^+ dY> for X, Y = J_-, J_+, J_z, divided by N, is positive: Cov(J) + (i/2) eps_abc <J_c> in this basis; (time,)."""
    spins = moments.spins
    share = spins / spins.sum()
    pairs = share[:, None] * spins[None, :]
    np.fill_diagonal(pairs, share * np.maximum(spins - 1, 0))

    def total(moment: Array) -> Array:
        return np.asarray(moment.reshape(len(moment), -1) @ pairs.ravel())

    z, c, zz = moments.z, total(moments.c.real), total(moments.zz) / 4
    matrix = np.zeros((len(z), 3, 3), complex)
    size = total(abs(moments.c)) + total(abs(moments.zz)) / 4
    s = np.zeros(1) if moments.s is None else moments.s
    matrix[:, 0, 0] = ((1 + z) / 2 - abs(s) ** 2) @ share + c
    matrix[:, 1, 1] = ((1 - z) / 2 - abs(s) ** 2) @ share + c
    matrix[:, 2, 2] = (1 - z**2) @ share / 4 + zz
    if moments.ss is not None and moments.sz is not None:
        matrix[:, 1, 0] = total(moments.ss) - s**2 @ share  # <J_- J_->
        matrix[:, 2, 0] = total(moments.sz) / 2 - (s * (1 + z) / 2) @ share  # <J_z J_->
        matrix[:, 1, 2] = total(moments.sz) / 2 + (s * (1 - z) / 2) @ share  # <J_- J_z>
        matrix[:, 2, 1] = matrix[:, 1, 2].conj()
        size = size + total(abs(moments.ss)) + total(abs(moments.sz))
    allowed = tolerance * (1 + size)
    if errors is not None:
        parts = [errors.z @ share, total(errors.c), total(errors.zz) / 4]
        parts += [] if errors.s is None or errors.ss is None or errors.sz is None else [
            4 * errors.s @ share, total(errors.ss), total(errors.sz),
        ]  # fmt: skip
        allowed = allowed + SIGMAS * sum(parts)
    finite = np.all(np.isfinite(matrix), axis=(-1, -2))
    lowest = np.linalg.eigvalsh(np.where(finite[:, None, None], matrix, -1.0))[:, 0]  # reads the lower triangle
    return np.asarray(finite & (lowest >= -allowed))
