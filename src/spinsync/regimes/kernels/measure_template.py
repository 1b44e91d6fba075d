"""Template of what a step adds to the sums over a window: means, turning, pairs, the growth of a tangent vector.

It goes between the functions of `lane_template.py`, and works on the step that `forward` there has just made: from y with
the rates K[0] to u with the rates K[6], if it is `good`.
"""

# ruff: noqa: F821, F841
# mypy: ignore-errors


def weigh(x, w):
    """The window (4 x (1-x))^6 and its derivative by x: w[0], w[1]. Flat at both ends, as (5.9), but made of products."""
    w[0] = 4.0 * x * (1.0 - x)
    w[1] = 24.0 * (1.0 - 2.0 * x) * w[0] * w[0] * w[0] * w[0] * w[0]
    w[0] = w[0] * w[0] * w[0] * w[0] * w[0] * w[0]


def quadrature(w):
    """Weights of f and its rate at both ends of the step: integral of window times f, with an error of h^5."""
    twelfth = taken * taken / 12.0
    half = 0.5 * taken
    e[0] = half * w[0][0] + twelfth * w[0][1]
    e[1] = twelfth * w[0][0]
    e[2] = half * w[1][0] - twelfth * w[1][1]
    e[3] = -twelfth * w[1][0]


def add(i, f0, d0, f1, d1):
    """Sum i += integral of window times f over the step."""
    W[(SUMS + i) * LANES + lane] += e[0] * f0 + e[1] * d0 + e[2] * f1 + e[3] * d1


def inverses(at, v):
    """1 / |s| of each group and 1 / |mean s|: what needs roots and divisions is worked out once per step."""
    for a in range(M):
        v[a] = 1.0 / math.sqrt(at[GROUP * a] * at[GROUP * a] + at[GROUP * a + 1] * at[GROUP * a + 1] + 1e-60)
    if M > 1:
        mean(at, m)
        v[M] = 1.0 / math.sqrt(m[0] * m[0] + m[1] * m[1] + 1e-60)


def sizes(at, by, v, n):
    """Of each group |s|^2, its rate, |s|, its rate, d ln |s| / dt."""
    for a in range(M):
        n[a][0] = at[GROUP * a] * at[GROUP * a] + at[GROUP * a + 1] * at[GROUP * a + 1]
        n[a][1] = at[GROUP * a] * by[GROUP * a] + at[GROUP * a + 1] * by[GROUP * a + 1]
        n[a][2] = n[a][0] * v[a]
        n[a][3] = n[a][1] * v[a]
        n[a][4] = n[a][3] * v[a]
        n[a][1] = 2.0 * n[a][1]


def products(at, by, a, b, p):
    """s_a^* s_b and its rate: p[0] + i p[1], p[2] + i p[3]."""
    p[0] = at[GROUP * a] * at[GROUP * b] + at[GROUP * a + 1] * at[GROUP * b + 1]
    p[1] = at[GROUP * a] * at[GROUP * b + 1] - at[GROUP * a + 1] * at[GROUP * b]
    p[2] = by[GROUP * a] * at[GROUP * b] + by[GROUP * a + 1] * at[GROUP * b + 1]
    p[2] += at[GROUP * a] * by[GROUP * b] + at[GROUP * a + 1] * by[GROUP * b + 1]
    p[3] = by[GROUP * a] * at[GROUP * b + 1] - by[GROUP * a + 1] * at[GROUP * b]
    p[3] += at[GROUP * a] * by[GROUP * b + 1] - at[GROUP * a + 1] * by[GROUP * b]


def mean(of, m):
    """sum_a p_a of_a, of a state or its rates: m[0] + i m[1]."""
    m[0] = weight[0] * of[0]
    m[1] = weight[0] * of[1]
    for a in range(1, M):
        m[0] += weight[a] * of[GROUP * a]
        m[1] += weight[a] * of[GROUP * a + 1]


def mean_field(at, by, v, n, r):
    """2 |sum_a p_a s_a| and its rate: r[0], r[1]."""
    if M > 1:
        mean(at, m)
        mean(by, d)
        r[0] = 2.0 * (m[0] * m[0] + m[1] * m[1]) * v[M]
        r[1] = 2.0 * (m[0] * d[0] + m[1] * d[1]) * v[M]
    else:
        r[0] = 2.0 * n[0][2]
        r[1] = 2.0 * n[0][3]


def across(at, by, v):
    """v = the tangent vector of `at` without its parts along the common phase and along the motion `by`; its square."""
    pp = 1e-300
    pf = 0.0
    pv = 0.0
    for a in range(M):
        pp += at[GROUP * a] * at[GROUP * a] + at[GROUP * a + 1] * at[GROUP * a + 1]
        pf += at[GROUP * a] * by[GROUP * a + 1] - at[GROUP * a + 1] * by[GROUP * a]
        pv += at[GROUP * a] * at[GROUP * a + 4] - at[GROUP * a + 1] * at[GROUP * a + 3]
    pf = pf / pp
    pv = pv / pp
    for a in range(M):
        o[a][0] = by[GROUP * a] + pf * at[GROUP * a + 1]
        o[a][1] = by[GROUP * a + 1] - pf * at[GROUP * a]
        o[a][2] = by[GROUP * a + 2]
        v[a][0] = at[GROUP * a + 3] + pv * at[GROUP * a + 1]
        v[a][1] = at[GROUP * a + 4] - pv * at[GROUP * a]
        v[a][2] = at[GROUP * a + 5]
    oo = 1e-300
    ov = 0.0
    for a in range(M):
        for i in range(3):
            oo += o[a][i] * o[a][i]
            ov += o[a][i] * v[a][i]
    ov = ov / oo
    square = 1e-300
    for a in range(M):
        for i in range(3):
            v[a][i] = v[a][i] - ov * o[a][i]
            square += v[a][i] * v[a][i]


def logarithm(x):
    """natural = ln x, from the exponent bits of x and a series for what is left of it."""
    raw = bits(x)
    power = float((raw >> 52) - 1023)
    rest = number((raw & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    rest = (rest - 1.4142135623730951) / (rest + 1.4142135623730951)
    square_of_rest = rest * rest
    series = 1.0 + square_of_rest * (1 / 3 + square_of_rest * (0.2 + square_of_rest * (1 / 7 + square_of_rest * (1 / 9))))
    natural = (power + 0.5) * 0.6931471805599453 + 2.0 * rest * series


def turn(a):
    """How far the phase -arg s_a moved in the step: twice the atan of its half, which is below 1/4, by a series."""
    re = y[GROUP * a] * u[GROUP * a] + y[GROUP * a + 1] * u[GROUP * a + 1]
    im = y[GROUP * a + 1] * u[GROUP * a] - y[GROUP * a] * u[GROUP * a + 1]
    slope = im / (n[0][a][2] * n[1][a][2] + re + 1e-300)
    slope = slope if slope < 1.0 else 1.0
    slope = slope if slope > -1.0 else -1.0
    square = slope * slope
    series = 1 / 9 - square * (1 / 11 - square * (1 / 13 - square * (1 / 15)))
    series = 1.0 - square * (1 / 3 - square * (0.2 - square * (1 / 7 - square * series)))
    angle = 2.0 * slope * series


def too_far():
    """A step in which a phase moves by more than half a radian is one to repeat, unless there is hardly anything to turn."""
    for a in range(M):
        re = y[GROUP * a] * u[GROUP * a] + y[GROUP * a + 1] * u[GROUP * a + 1]
        n0 = y[GROUP * a] * y[GROUP * a] + y[GROUP * a + 1] * y[GROUP * a + 1]
        n1 = u[GROUP * a] * u[GROUP * a] + u[GROUP * a + 1] * u[GROUP * a + 1]
        wide = re < 0.0 or re * re < 0.77 * n0 * n1
        faint = n0 < FAINT or n1 < FAINT
        error = 64.0 if (wide and not faint and error < 64.0) else error
        lost[a] = 1.0 if (wide and faint) else 0.0


def measure(W, lane):
    """Sums over the window, in the order of `lanes.Sums`; nothing over a step that is to be repeated."""
    taken = h_step if good else 0.0
    over = 1.0 / span
    weigh(time * over, w[0])
    weigh((time + taken) * over, w[1])
    weigh((time + 0.5 * taken) * over, w[2])
    for i in range(2):
        w[i][1] = w[i][1] * over
    quadrature(w)
    for a in range(M):
        weight[a] = W[(PARAMETER + 4 * M + 2 * M * M + a) * LANES + lane]
    for i in range(INVERSES):
        inv[0][i] = W[(INVERSE + i) * LANES + lane]
    inverses(u, inv[1])
    for i in range(INVERSES):
        W[(INVERSE + i) * LANES + lane] = inv[1][i]
    sizes(y, K[0], inv[0], n[0])
    sizes(u, K[6], inv[1], n[1])
    for a in range(M):
        add(OWN * a, n[0][a][0], n[0][a][1], n[1][a][0], n[1][a][1])
        add(OWN * a + 1, n[0][a][2], n[0][a][3], n[1][a][2], n[1][a][3])
        add(
            OWN * a + 2,
            n[0][a][0] * n[0][a][0],
            2.0 * n[0][a][0] * n[0][a][1],
            n[1][a][0] * n[1][a][0],
            2.0 * n[1][a][0] * n[1][a][1],
        )
        add(OWN * a + 3, y[GROUP * a + 2], K[0][GROUP * a + 2], u[GROUP * a + 2], K[6][GROUP * a + 2])
        add(
            OWN * a + 4, y[GROUP * a + 2] * y[GROUP * a + 2], 2.0 * y[GROUP * a + 2] * K[0][GROUP * a + 2],
            u[GROUP * a + 2] * u[GROUP * a + 2], 2.0 * u[GROUP * a + 2] * K[6][GROUP * a + 2],
        )  # fmt: skip
        turn(a)
        W[(SUMS + OWN * a + 5) * LANES + lane] += w[2][0] * angle
        W[(SUMS + OWN * a + 6) * LANES + lane] += lost[a] if good else 0.0
    mean_field(y, K[0], inv[0], n[0], whole[0])
    mean_field(u, K[6], inv[1], n[1], whole[1])
    add(OWN * M, whole[0][0], whole[0][1], whole[1][0], whole[1][1])
    for a in range(M):
        for b in range(a + 1, M):
            products(y, K[0], a, b, p[0])
            products(u, K[6], a, b, p[1])
            for i in range(2):
                add(PAIRS[a][b] + i, p[0][i], p[0][2 + i], p[1][i], p[1][2 + i])
            for i in range(2):  # of length one
                r[i] = inv[i][a] * inv[i][b]
                q[i] = n[i][a][4] + n[i][b][4]
            for i in range(2):
                add(
                    PAIRS[a][b] + 2 + i, p[0][i] * r[0], (p[0][2 + i] - p[0][i] * q[0]) * r[0],
                    p[1][i] * r[1], (p[1][2 + i] - p[1][i] * q[1]) * r[1],
                )  # fmt: skip
            add(
                PAIRS[a][b] + 4, n[0][a][0] * n[0][b][0], n[0][a][1] * n[0][b][0] + n[0][a][0] * n[0][b][1],
                n[1][a][0] * n[1][b][0], n[1][a][1] * n[1][b][0] + n[1][a][0] * n[1][b][1],
            )  # fmt: skip
    if TANGENT:
        grow()


def grow():
    """The growth of the tangent vector across phase and motion; it goes on as what is across, with length 1.

    Beside the mean growth: its first four Legendre moments over the window, which only its fluctuations contribute to.
    """
    across(u, K[6], v)
    logarithm(square)
    grown = 0.5 * natural
    grown = grown if good else 0.0
    W[(SUMS + LYAPUNOV) * LANES + lane] += w[2][0] * grown
    place = 2.0 * (time + half) * over - 1.0
    W[(SUMS + LYAPUNOV + 1) * LANES + lane] += grown * place
    W[(SUMS + LYAPUNOV + 2) * LANES + lane] += grown * (1.5 * place * place - 0.5)
    W[(SUMS + LYAPUNOV + 3) * LANES + lane] += grown * (2.5 * place * place - 1.5) * place
    W[(SUMS + LYAPUNOV + 4) * LANES + lane] += grown * (4.375 * place * place * place * place - 3.75 * place * place + 0.375)
    size_v = 1.0 / math.sqrt(square)
    for a in range(M):
        for i in range(3):
            u[GROUP * a + 3 + i] = v[a][i] * size_v
    deviations(u, K[6])
