"""Template of Newton's method for states of rest of many trajectories; it goes beside the stepper of `lane_template.py`.

Not in lanes: a few small systems per trajectory, for any number of groups. Of the parameters of a trajectory, per
group: frequency, Gamma_perp, Gamma_1, drive; then C_ab p_b as real and imaginary part; then the weights.
"""

# ruff: noqa: F821
# mypy: ignore-errors


def linearized(groups, p, y, omega, velocity, matrix):
    """Rates of y = (x, y, z) of each group in the frame that turns at `omega`, and their derivatives by y."""
    size = 3 * groups
    for a in range(groups):
        hr, hi = 0.0, 0.0
        for b in range(groups):
            re, im = p[4 * groups + 2 * (groups * a + b)], p[4 * groups + 2 * (groups * a + b) + 1]
            hr += re * y[3 * b] - im * y[3 * b + 1]
            hi += re * y[3 * b + 1] + im * y[3 * b]
        x0, y0, z0 = y[3 * a], y[3 * a + 1], y[3 * a + 2]
        turn, perp, one = p[4 * a] - omega, p[4 * a + 1], p[4 * a + 2]
        velocity[3 * a], velocity[3 * a + 1], velocity[3 * a + 2] = spin(turn, perp, one, p[4 * a + 3], hr, hi, x0, y0, z0)
        for k in range(size):
            b, i = k // 3, k % 3
            re, im = p[4 * groups + 2 * (groups * a + b)], p[4 * groups + 2 * (groups * a + b) + 1]
            kr = re if i == 0 else (-im if i == 1 else 0.0)
            ki = im if i == 0 else (re if i == 1 else 0.0)
            u = 1.0 if (b == a and i == 0) else 0.0
            v = 1.0 if (b == a and i == 1) else 0.0
            w = 1.0 if (b == a and i == 2) else 0.0
            matrix[3 * a, k], matrix[3 * a + 1, k], matrix[3 * a + 2, k] = spin_tangent(
                turn, perp, one, hr, hi, x0, y0, z0, kr, ki, u, v, w
            )


def solve(matrix, right, size):
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
        if pivot != i:
            for j in range(i, size):
                matrix[i, j], matrix[pivot, j] = matrix[pivot, j], matrix[i, j]
            right[i], right[pivot] = right[pivot], right[i]
        for j in range(i + 1, size):
            ratio = matrix[j, i] / matrix[i, i]
            for k in range(i, size):
                matrix[j, k] -= ratio * matrix[i, k]
            right[j] -= ratio * right[i]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            right[i] -= matrix[i, j] * right[j]
        right[i] /= matrix[i, i]
    return True


def polish(groups, P, Y, near, first, last, found, omega, jacobian, converged):
    """The states of rest near Y[first:last] (trajectory, 3 groups), their frames' frequencies and Jacobians there.

    Newton's method with the frequency of the frame as one more unknown and no step along the common phase; given up where
    it leaves the neighbourhood `near` (relative to the largest |s|), or the matrix is singular.
    """
    size = 3 * groups
    velocity, matrix = np.empty(size), np.empty((size, size))
    bordered, right = np.empty((size + 1, size + 1)), np.empty(size + 1)
    y = np.empty(size)
    for n in range(first, last):
        y[:] = Y[n]
        converged[n] = False
        largest, square, along = 0.0, 0.0, 0.0
        linearized(groups, P[n], y, 0.0, velocity, matrix)
        for a in range(groups):
            r2 = y[3 * a] ** 2 + y[3 * a + 1] ** 2
            largest = max(largest, r2**0.5)
            square += r2
            along += y[3 * a + 1] * velocity[3 * a] - y[3 * a] * velocity[3 * a + 1]
        dark = square == 0.0
        turn = 0.0 if dark else along / square
        reach = near * max(largest, 0.1)
        for _ in range(12):
            linearized(groups, P[n], y, turn, velocity, matrix)
            total = size if dark else size + 1
            for i in range(size):
                for j in range(size):
                    bordered[i, j] = matrix[i, j]
                right[i] = -velocity[i]
            if not dark:
                for i in range(size + 1):
                    bordered[i, size] = 0.0
                    bordered[size, i] = 0.0
                for a in range(groups):  # d(rates)/d(turn) = (-y, x, 0), also the direction of the common phase
                    bordered[3 * a, size], bordered[3 * a + 1, size] = -y[3 * a + 1], y[3 * a]
                    bordered[size, 3 * a], bordered[size, 3 * a + 1] = -y[3 * a + 1], y[3 * a]
                right[size] = 0.0
            if not solve(bordered, right, total):
                break
            step = 0.0
            away = 0.0
            for i in range(size):
                y[i] += right[i]
                step = max(step, abs(right[i]))
                away = max(away, abs(y[i] - Y[n, i]))
            if not dark:
                turn += right[size]
            if not away < reach:
                break
            if step < 1e-10 * max(largest, 1e-3):  # and the next would be rounding: the steps converge quadratically
                converged[n] = True
                break
        if converged[n]:
            linearized(groups, P[n], y, turn, velocity, jacobian[n])
            found[n] = y
            omega[n] = turn
