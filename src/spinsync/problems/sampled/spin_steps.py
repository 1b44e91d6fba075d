"""Compiled time steps of very many classical spins in the fields that they share: rotations, resets, counter-based randomness.

A spin is a vector of length sqrt(3). In a step of length tau, equation (11.9), the fields turn the spins of a group by one
rotation, found from the sums over groups alone; between two halves of it every spin turns about z with its own frequency and
is reset at random, which is exact for any tau. So one step takes one pass over the spins, and its error is of second order.

Every random number is a function of (seed, sample, purpose, step, index), whichever thread computes it: Philox4x32 with ten
rounds, J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.compiled import compiled

BLOCK = 256  # spins whose random numbers are drawn at once, in registers of the processor
SPINS, NOISE, ORDER, START = 0, 1, 2, 3  # what a random number is for
#: rows of `local`, per group: probability of a reset and of a reset upwards, times 2^32; what a reset leaves of the mean of x
#: and of y; probability of a half turn about z, times 2^32
RESET, UP, KEPT, TURN = range(4)
SUMS = ("x", "y", "z", "xx", "yy", "zz", "xy", "xz", "yz")  # sums over a group, of components and of their products
POWERS = ("s", "s s", "|s|^2", "|s|^2 s", "|s|^4", "n", "n n", "n s", "n |s|^2")  # summed over all spins by `add_powers`
TWO_32, TWO_33 = 2.0**-32, 2.0**-33

_VECTOR, _MATRIX, _COMPLEX = "float64[::1]", "float64[:,::1]", "complex128[:,::1]"
_WORDS, _INTEGERS = "uint64[::1]", "int64[::1]"


@compiled()
def _round(a: Any, b: Any, c: Any, d: Any, k: Any, l: Any) -> Any:  # noqa: E741
    """One round of Philox on four words of 32 bits, in integers of 64."""
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    first, second = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
    return (second >> shift) ^ b ^ k, second & mask, (first >> shift) ^ d ^ l, first & mask


@compiled()
def _mix(a: Any, b: Any, c: Any, d: Any, k: Any, l: Any) -> Any:  # noqa: E741
    """Philox4x32-10: four random words from a counter (a, b, c, d) and a key (k, l)."""
    mask, up, other = np.uint64(0xFFFFFFFF), np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
    for _ in range(9):
        a, b, c, d = _round(a, b, c, d, k, l)
        k, l = (k + up) & mask, (l + other) & mask  # noqa: E741
    return _round(a, b, c, d, k, l)


@compiled(f"void({_WORDS}, {_WORDS})")
def mix(counter: Any, key: Any) -> None:
    """Replace the four words of a counter by random ones, for a key of two words."""
    counter[0], counter[1], counter[2], counter[3] = _mix(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


@compiled()
def _draw(first: Any, size: Any, step: Any, sample: Any, purpose: Any, key: Any, words: Any) -> None:
    """Four random words for each of `size` spins from `first` on, shape (4, BLOCK)."""
    b, c, d, k, l = np.uint64(step), np.uint64(sample), np.uint64(purpose), key[0], key[1]  # noqa: E741
    for i in range(size):
        words[0, i], words[1, i], words[2, i], words[3, i] = _mix(np.uint64(first + i), b, c, d, k, l)


@compiled()
def _normal(index: Any, step: Any, sample: Any, key: Any) -> Any:
    """A complex number whose real and imaginary part are independent and normal, each of variance 1/2 (Box and Muller)."""
    a, b, _, _ = _mix(np.uint64(index), np.uint64(step), np.uint64(sample), np.uint64(NOISE), key[0], key[1])
    angle = 2 * np.pi * TWO_32 * float(b)
    return np.sqrt(-np.log(TWO_32 * float(a) + TWO_33)) * complex(np.cos(angle), np.sin(angle))


@compiled()
def _turn(field: Any, time: Any, vector: Any, rotation: Any) -> None:
    """Rotate `vector` (3,) and, from the left, `rotation` (9,) about the axis (2 Re h, -2 Im h, 0) by the angle 2 |h| time."""
    size = abs(field)
    if size == 0.0:
        return
    u, v, angle = field.real / size, -field.imag / size, 2 * size * time
    s, c = np.sin(angle), np.cos(angle)
    e = 1 - c
    along = u * vector[0] + v * vector[1]
    x, y, z = vector[0], vector[1], vector[2]
    vector[0] = c * x + s * v * z + e * along * u
    vector[1] = c * y - s * u * z + e * along * v
    vector[2] = c * z + s * (u * y - v * x)
    for k in range(3):
        x, y, z = rotation[k], rotation[3 + k], rotation[6 + k]
        along = u * x + v * y
        rotation[k] = c * x + s * v * z + e * along * u
        rotation[3 + k] = c * y - s * u * z + e * along * v
        rotation[6 + k] = c * z + s * (u * y - v * x)


@compiled()
def _drift(coupling: Any, time: Any, sums: Any, rotations: Any, fields: Any, middle: Any, spare: Any) -> None:
    """Rotate all groups in the fields of their sums: the midpoint rule, whose rotations are exact."""
    groups = len(sums)
    for stage in range(2):
        source = middle if stage else sums
        for a in range(groups):
            field = 0j
            for b in range(groups):
                field += coupling[a, b] * complex(source[b, 0], -source[b, 1]) / 2
            fields[a] = field
        for a in range(groups):
            if stage:
                _turn(fields[a], time, sums[a], rotations[a])
            else:
                for k in range(3):
                    middle[a, k] = sums[a, k]
                _turn(fields[a], time / 2, middle[a], spare)


@compiled()
def _half(
    coupling: Any, noise: Any, time: Any, step: Any, sample: Any, key: Any, sums: Any, rotations: Any, increments: Any,
    fields: Any, middle: Any, spare: Any,
) -> None:  # fmt: skip
    """Move the sums by `time` in their fields and the noise of each mode; the latter acts one after the other, in an order
    that is turned round at random: S. Ninomiya, N. Victoir, Appl. Math. Finance 15, 107 (2008)."""
    groups, modes = noise.shape
    _drift(coupling, time / 2, sums, rotations, fields, middle, spare)
    forward = True
    if modes:
        word, _, _, _ = _mix(np.uint64(0), np.uint64(step), np.uint64(sample), np.uint64(ORDER), key[0], key[1])
        forward = word < np.uint64(0x80000000)
    for n in range(2 * modes):
        part = n if forward else 2 * modes - 1 - n
        k = part // 2
        increment = np.sqrt(time) * _normal(k, step, sample, key)
        increments[k] += (1j * increment.imag) if part % 2 else complex(increment.real)
        for a in range(groups):
            field = noise[a, k] * ((1j * increment.imag) if part % 2 else complex(increment.real))
            _turn(field, 1.0, sums[a], rotations[a])
    _drift(coupling, time / 2, sums, rotations, fields, middle, spare)


@compiled()
def _pass(
    spins: Any, bounds: Any, phases: Any, local: Any, step: Any, sample: Any, key: Any, sums: Any, rotations: Any, words: Any,
) -> None:  # fmt: skip
    """Rotate every spin with its group and with its own frequency, reset it at random, and write the sums of the groups."""
    own = phases.shape[1] > 0
    for a in range(len(sums)):
        q = rotations[a]
        xx, xy, xz, yx, yy, yz, zx, zy, zz = q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], q[8]
        reset, up, turn = np.uint64(local[a, RESET]), np.uint64(local[a, UP]), np.uint64(local[a, TURN])
        kept, half = local[a, KEPT] * 2147483648.0, 2147483648.0
        x_sum, y_sum, z_sum = 0.0, 0.0, 0.0
        first = bounds[a]
        while first < bounds[a + 1]:
            size = min(BLOCK, bounds[a + 1] - first)
            _draw(first, size, step, sample, SPINS, key, words)
            xs, ys, zs = spins[0, first : first + size], spins[1, first : first + size], spins[2, first : first + size]
            if own:
                cosines, sines = phases[0, first : first + size], phases[1, first : first + size]
            for i in range(size):
                x, y, z = xs[i], ys[i], zs[i]
                u, v, z = xx * x + xy * y + xz * z, yx * x + yy * y + yz * z, zx * x + zy * y + zz * z
                if own:
                    u, v = cosines[i] * u - sines[i] * v, sines[i] * u + cosines[i] * v
                sign = -1.0 if words[3, i] < turn else 1.0
                u, v = sign * u, sign * v
                event = words[0, i] < reset
                side_u = 1.0 if float(np.int64(words[1, i])) < half + kept * u else -1.0
                side_v = 1.0 if float(np.int64(words[2, i])) < half + kept * v else -1.0
                side_z = 1.0 if words[0, i] < up else -1.0
                u, v, z = side_u if event else u, side_v if event else v, side_z if event else z
                xs[i], ys[i], zs[i] = u, v, z
                x_sum += u
                y_sum += v
                z_sum += z
            first += size
        sums[a, 0], sums[a, 1], sums[a, 2] = x_sum, y_sum, z_sum
        q[:] = 0.0
        q[0] = q[4] = q[8] = 1.0


@compiled()
def _rotate(spins: Any, bounds: Any, rotations: Any) -> None:
    """Rotate every spin with its group."""
    for a in range(len(bounds) - 1):
        q = rotations[a]
        for i in range(bounds[a], bounds[a + 1]):
            x, y, z = spins[0, i], spins[1, i], spins[2, i]
            spins[0, i] = q[0] * x + q[1] * y + q[2] * z
            spins[1, i] = q[3] * x + q[4] * y + q[5] * z
            spins[2, i] = q[6] * x + q[7] * y + q[8] * z


@compiled(
    f"void({_MATRIX}, {_INTEGERS}, {_MATRIX}, {_MATRIX}, {_COMPLEX}, {_COMPLEX}, float64, int64, int64, int64, {_WORDS}, "
    f"{_MATRIX}, {_COMPLEX}, {_COMPLEX})"
)
def advance(
    spins: Any, bounds: Any, phases: Any, local: Any, coupling: Any, noise: Any, time: Any, steps: Any, first: Any, sample: Any,
    key: Any, sums: Any, coherences: Any, increments: Any,
) -> None:  # fmt: skip
    """Advance the spins by steps of length `time`, the `first` of which has this number among all of the sample.

    spins : (3, spin), by group; bounds : (group + 1,), where groups begin; sums : (group, 3), of the spins; all updated
    phases : cosine and sine of the angle by which each spin turns in a step, (2, spin), or (2, 0)
    local : (group, 4), see RESET; coupling : C_ab of the sums, (group, group); noise : field of each mode, (group, mode)
    coherences, increments : (step + 1, group) and (step, mode), or empty: sums of (x - i y)/2 and of the noise are written
    """
    groups, modes = noise.shape
    rotations, middle, spare = np.zeros((groups, 9)), np.empty((groups, 3)), np.zeros(9)
    fields, drawn, words = np.empty(groups, np.complex128), np.zeros(modes, np.complex128), np.empty((4, BLOCK), np.uint64)
    rotations[:, 0] = rotations[:, 4] = rotations[:, 8] = 1.0
    series = len(increments) > 0
    for n in range(steps):
        if series:
            for a in range(groups):
                coherences[n, a] = complex(sums[a, 0], -sums[a, 1]) / 2
        drawn[:] = 0.0
        step = 2 * (first + n)
        _half(coupling, noise, time / 2, step, sample, key, sums, rotations, drawn, fields, middle, spare)
        _pass(spins, bounds, phases, local, step, sample, key, sums, rotations, words)
        _half(coupling, noise, time / 2, step + 1, sample, key, sums, rotations, drawn, fields, middle, spare)
        if series:
            for k in range(modes):
                increments[n, k] = drawn[k]
    if series:
        for a in range(groups):
            coherences[steps, a] = complex(sums[a, 0], -sums[a, 1]) / 2
    _rotate(spins, bounds, rotations)


@compiled(f"void({_MATRIX}, {_INTEGERS}, int64, {_WORDS}, {_MATRIX}, {_MATRIX})")
def draw_start(means: Any, bounds: Any, sample: Any, key: Any, spins: Any, sums: Any) -> None:
    """Draw the spins of a product state, equation (11.3), and their sums over groups.

    Components along and across the mean of a spin are +-1, so that their covariance is that of the spin in any direction.

    means : expectation values, (spin, 3) or (group, 3)
    """
    words = np.empty((4, BLOCK), np.uint64)
    half = np.uint64(0x80000000)
    sums[:] = 0.0
    for a in range(len(bounds) - 1):
        for first in range(bounds[a], bounds[a + 1], BLOCK):
            size = min(BLOCK, bounds[a + 1] - first)
            _draw(first, size, 0, sample, START, key, words)
            for i in range(size):
                m = means[a] if len(means) == len(bounds) - 1 else means[first + i]
                across = np.sqrt(m[0] ** 2 + m[1] ** 2)
                length = np.sqrt(across**2 + m[2] ** 2)
                sine, cosine = (across / length, m[2] / length) if length > 0 else (0.0, 1.0)
                u, v = (m[0] / across, m[1] / across) if across > 0 else (1.0, 0.0)
                along = 1.0 if TWO_32 * float(np.int64(words[0, i])) < (1 + length) / 2 else -1.0
                polar = 1.0 if words[1, i] < half else -1.0
                azimuthal = 1.0 if words[2, i] < half else -1.0
                radial = along * sine + polar * cosine
                spins[0, first + i] = radial * u - azimuthal * v
                spins[1, first + i] = radial * v + azimuthal * u
                spins[2, first + i] = along * cosine - polar * sine
                for k in range(3):
                    sums[a, k] += spins[k, first + i]


@compiled(f"void({_MATRIX}, {_INTEGERS}, {_MATRIX})")
def add_up(spins: Any, bounds: Any, out: Any) -> None:
    """Write SUMS of each group, shape (group, 9)."""
    out[:] = 0.0
    for a in range(len(bounds) - 1):
        for i in range(bounds[a], bounds[a + 1]):
            x, y, z = spins[0, i], spins[1, i], spins[2, i]
            out[a, 0] += x
            out[a, 1] += y
            out[a, 2] += z
            out[a, 3] += x * x
            out[a, 4] += y * y
            out[a, 5] += z * z
            out[a, 6] += x * y
            out[a, 7] += x * z
            out[a, 8] += y * z


@compiled(f"void({_MATRIX}, complex128[::1])")
def add_powers(spins: Any, out: Any) -> None:
    """Write POWERS, sums over all spins of products of s = (x - i y)/2 and n = (1 + z)/2."""
    total = np.zeros(9, np.complex128)
    for i in range(spins.shape[1]):
        s, n = complex(spins[0, i], -spins[1, i]) / 2, (1 + spins[2, i]) / 2
        square = s.real**2 + s.imag**2
        total[0] += s
        total[1] += s * s
        total[2] += square
        total[3] += square * s
        total[4] += square * square
        total[5] += n
        total[6] += n * n
        total[7] += n * s
        total[8] += n * square
    for k in range(9):
        out[k] = total[k]
