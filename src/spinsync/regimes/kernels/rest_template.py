"""Template of what finds states of rest of many trajectories; it goes beside the stepper of `lane_template.py`.

`look` asks Newton's method for one near; `creep` goes on where a motion has become slow but not short, by a linearly
implicit method whose steps grow as the motion slows down. Not in lanes: a few small systems per trajectory, for any
number of groups. Of the parameters of a trajectory, per group: frequency, Gamma_perp, Gamma_1, drive; then C_ab p_b as
real and imaginary part; then the weights.
"""

# ruff: noqa: F821
# mypy: ignore-errors


def field_at(p, y, a):
    """h = sum_b C_ab p_b s_b (3.1)."""
    hr, hi = 0.0, 0.0
    for b in range(GROUPS):
        re, im = p[4 * GROUPS + 2 * (GROUPS * a + b)], p[4 * GROUPS + 2 * (GROUPS * a + b) + 1]
        hr += re * y[3 * b] - im * y[3 * b + 1]
        hi += re * y[3 * b + 1] + im * y[3 * b]
    return hr, hi


def motion(p, y, omega, velocity):
    """Rates of y = (x, y, z) of each group in the frame that turns at `omega`."""
    for a in range(GROUPS):
        hr, hi = field_at(p, y, a)
        velocity[3 * a], velocity[3 * a + 1], velocity[3 * a + 2] = spin(
            p[4 * a] - omega, p[4 * a + 1], p[4 * a + 2], p[4 * a + 3], hr, hi, y[3 * a], y[3 * a + 1], y[3 * a + 2]
        )


def linearized(p, y, omega, matrix):
    """Derivatives of those rates by y."""
    for a in range(GROUPS):
        hr, hi = field_at(p, y, a)
        x0, y0, z0 = y[3 * a], y[3 * a + 1], y[3 * a + 2]
        turn, perp, one = p[4 * a] - omega, p[4 * a + 1], p[4 * a + 2]
        for k in range(3 * GROUPS):
            b, i = k // 3, k % 3
            re, im = p[4 * GROUPS + 2 * (GROUPS * a + b)], p[4 * GROUPS + 2 * (GROUPS * a + b) + 1]
            kr = re if i == 0 else (-im if i == 1 else 0.0)
            ki = im if i == 0 else (re if i == 1 else 0.0)
            u = 1.0 if (b == a and i == 0) else 0.0
            v = 1.0 if (b == a and i == 1) else 0.0
            w = 1.0 if (b == a and i == 2) else 0.0
            matrix[3 * a, k], matrix[3 * a + 1, k], matrix[3 * a + 2, k] = spin_tangent(
                turn, perp, one, hr, hi, x0, y0, z0, kr, ki, u, v, w
            )


def factorized(matrix, pivots, size):
    """Gauss elimination with pivots, in place; False where the matrix is singular to rounding."""
    largest = 0.0
    for i in range(size):
        for j in range(size):
            largest = max(largest, abs(matrix[i, j]))
    for i in range(size):
        pivot = i
        for j in range(i + 1, size):
            if abs(matrix[j, i]) > abs(matrix[pivot, i]):
                pivot = j
        if not abs(matrix[pivot, i]) > 1e-13 * largest:
            return False
        pivots[i] = pivot
        if pivot != i:
            for j in range(size):
                matrix[i, j], matrix[pivot, j] = matrix[pivot, j], matrix[i, j]
        inverse = 1.0 / matrix[i, i]
        for j in range(i + 1, size):
            matrix[j, i] *= inverse
            for k in range(i + 1, size):
                matrix[j, k] -= matrix[j, i] * matrix[i, k]
        matrix[i, i] = inverse
    return True


def solved(matrix, pivots, right, size):
    """right = matrix^-1 right, for a matrix that is factorized."""
    for i in range(size):
        pivot = pivots[i]
        right[i], right[pivot] = right[pivot], right[i]
    for i in range(size):
        for j in range(i):
            right[i] -= matrix[i, j] * right[j]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            right[i] -= matrix[i, j] * right[j]
        right[i] *= matrix[i, i]


def turning(y, velocity):
    """The largest |s|, and the frequency of the frame that the coherences of y turn with."""
    largest, square, along = 0.0, 0.0, 0.0
    for a in range(GROUPS):
        r2 = y[3 * a] ** 2 + y[3 * a + 1] ** 2
        largest = max(largest, math.sqrt(r2))
        square += r2
        along += y[3 * a + 1] * velocity[3 * a] - y[3 * a] * velocity[3 * a + 1]
    return largest, (0.0 if square == 0.0 else along / square)


def border(y, matrix, bordered, dark):
    """The matrix of Newton's equations for y and the frequency of its frame, without a step along the common phase.

    The frequency in units of 1 / length of the coherences, so that faint ones make no ill-conditioned matrix: this length.
    """
    size, square = 3 * GROUPS, 1e-300
    for i in range(size):
        for j in range(size):
            bordered[i, j] = matrix[i, j]
        bordered[i, size] = 0.0
        bordered[size, i] = 0.0
    for a in range(GROUPS):
        square += y[3 * a] ** 2 + y[3 * a + 1] ** 2
    length = math.sqrt(square)
    for a in range(GROUPS):  # d(rates)/d(turn) = (-y, x, 0), also the direction of the common phase
        for i in range(2):
            along = -y[3 * a + 1] / length if i == 0 else y[3 * a] / length
            bordered[3 * a + i, size], bordered[size, 3 * a + i] = along, along
    bordered[size, size] = 0.0
    if dark:  # coherences stay zero, and have no frequency
        bordered[size, size] = 1.0
        for a in range(GROUPS):
            for i in range(3 * a, 3 * a + 2):
                for j in range(size):
                    bordered[i, j] = 1.0 if i == j else 0.0
            if bordered[3 * a + 2, 3 * a + 2] == 0.0:  # an inversion that nothing moves stays where it is
                bordered[3 * a + 2, 3 * a + 2] = 1.0
    return length


def polish(p, y, near, velocity, matrix, bordered, right, pivots):
    """y is moved to a state of rest by Newton's method; whether there is one, the frequency of its frame, the way to it.

    Given up beyond the distance `near` (relative to the largest |s|), or where the matrix is singular.
    """
    size = 3 * GROUPS
    motion(p, y, 0.0, velocity)
    largest, turn = turning(y, velocity)
    dark = largest == 0.0
    reach = near * max(largest, 0.1)
    away, step, length = 0.0, np.inf, 1.0
    for k in range(12):
        motion(p, y, turn, velocity)
        if k == 0 or step > 1e-4 * largest:  # else the last matrix will do
            linearized(p, y, turn, matrix)
            length = border(y, matrix, bordered, dark)
            if not factorized(bordered, pivots, size + 1):
                return False, turn, away
        for i in range(size):
            right[i] = -velocity[i]
        right[size] = 0.0
        solved(bordered, pivots, right, size + 1)
        step = 0.0
        for i in range(size):
            y[i] += right[i]
            step = max(step, abs(right[i]))
        turn += right[size] / length
        away += step
        if not away < reach:
            return False, turn, away
        if step < 1e-10 * max(largest, 1e-3):  # and the next would be rounding
            return True, turn, away
    return False, turn, away


def look(P, Y, near, closer, there, dark, faint, first, last, sizes, farthest, kinds, states, turns, jacobians):
    """Which of Y[first:last] (trajectory, 3 groups) seem to rest: kinds 1, 2 without coherence; as `fixed_points.Approach`.

    Kept from look to look: the largest |s|, and the largest distance from rest since the motion came near it.
    """
    size = 3 * GROUPS
    velocity, matrix, bordered = np.empty(size), np.empty((size, size)), np.empty((size + 1, size + 1))
    right, pivots = np.empty(size + 1), np.empty(size + 1, np.int64)
    for n in range(first, last):
        y = states[n]
        largest = 0.0
        for a in range(GROUPS):
            largest = max(largest, math.sqrt(Y[n, 3 * a] ** 2 + Y[n, 3 * a + 1] ** 2))
        fading = largest < dark and largest <= sizes[n]
        sizes[n] = largest
        for a in range(GROUPS):
            y[3 * a] = 0.0 if fading else Y[n, 3 * a]
            y[3 * a + 1] = 0.0 if fading else Y[n, 3 * a + 1]
            y[3 * a + 2] = Y[n, 3 * a + 2]
        found, turns[n], away = polish(P[n], y, 10.0 * near, velocity, matrix, bordered, right, pivots)
        distance = away / max(largest, faint) if found else np.inf
        comes = distance < there or distance < closer * farthest[n] < np.inf
        if not distance < near:
            farthest[n] = np.inf
        else:
            farthest[n] = distance if farthest[n] == np.inf else max(distance, farthest[n])
        kinds[n] = 0
        if found:
            kinds[n] = 2 if fading or largest == 0.0 else (1 if distance < near and comes else 0)
        if kinds[n] > 0:
            linearized(P[n], y, turns[n], jacobians[n])


def implicit(p, y, h, stages, velocity, matrix, work, pivots, new):
    """One step of RODAS3 into `new`, in the frame that turns with y; its error is the last of `stages`.

    False where it can't be solved for. A. Sandu et al., Atmos. Environ. 31, 3459 (1997): order 3 (2), stiffly accurate.
    """
    size = 3 * GROUPS
    motion(p, y, 0.0, velocity)
    _, turn = turning(y, velocity)
    motion(p, y, turn, velocity)
    linearized(p, y, turn, matrix)
    for i in range(size):
        for j in range(size):
            work[i, j] = (2.0 / h if i == j else 0.0) - matrix[i, j]
    if not factorized(work, pivots, size):
        return False
    for i in range(size):
        stages[0, i] = velocity[i]
    solved(work, pivots, stages[0], size)
    for i in range(size):
        stages[1, i] = velocity[i] + 4.0 / h * stages[0, i]
    solved(work, pivots, stages[1], size)
    for i in range(size):
        new[i] = y[i] + 2.0 * stages[0, i]
    motion(p, new, turn, velocity)
    for i in range(size):
        stages[2, i] = velocity[i] + (stages[0, i] - stages[1, i]) / h
    solved(work, pivots, stages[2], size)
    for i in range(size):
        new[i] += stages[2, i]
    motion(p, new, turn, velocity)
    for i in range(size):
        stages[3, i] = velocity[i] + (stages[0, i] - stages[1, i] - 8.0 / 3.0 * stages[2, i]) / h
    solved(work, pivots, stages[3], size)
    for i in range(size):
        new[i] += stages[3, i]
    return True


def creep(P, Y, spans, rtol, atol, most_steps, first, last, finished):
    """Move Y[first:last] on by `spans`, up to a common phase, or leave them where that takes more than `most_steps`."""
    size = 3 * GROUPS
    velocity, matrix, work = np.empty(size), np.empty((size, size)), np.empty((size, size))
    stages, new, y, pivots = np.empty((4, size)), np.empty(size), np.empty(size), np.empty(size, np.int64)
    for n in range(first, last):
        for i in range(size):
            y[i] = Y[n, i]
        time, h = 0.0, 1e-3 * spans[n]
        for _ in range(most_steps):
            if time >= spans[n]:
                break
            h = min(h, spans[n] - time)
            if not implicit(P[n], y, h, stages, velocity, matrix, work, pivots, new):
                break
            error = 0.0
            for i in range(size):
                error = max(error, abs(stages[3, i]) / (atol + rtol * max(abs(y[i]), abs(new[i]))))
            if error <= 1.0:
                for i in range(size):
                    y[i] = new[i]
                time = time + h if time + h < spans[n] else spans[n]
            elif not error < np.inf:
                h *= 0.1
                continue
            h *= min(6.0, max(0.1, 0.9 * max(error, 1e-9) ** (-1.0 / 3.0)))
        finished[n] = time >= spans[n]
        if finished[n]:
            for i in range(size):
                Y[n, i] = y[i]
