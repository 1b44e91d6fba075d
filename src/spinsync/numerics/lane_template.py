"""Template of the kernels that step many trajectories side by side, one per lane; `lanes.py` writes it out for M groups.

Each lane has its own time, step size and error; a lane that is done is given the next trajectory. The method is the
fifth-order Runge-Kutta pair of Ch. Tsitouras, Comput. Math. Appl. 62, 770 (2011), with a PI controller that takes its
logarithms from the exponent bits of a float, as function calls would keep the lanes from being vectorized.

In capitals: known numbers. Of a lane's row in W: STATE, SLOPE, CLOCK (time, step, span, last error, steps, trajectory),
SUMS, INVERSE (1 / |s|), PARAMETER.
"""

# ruff: noqa: F821, F841
# mypy: ignore-errors


def field(c, a, at, part, h):
    """h = sum_b C_ab p_b s_b (3.1) for the coherences that start at `part` of each group."""
    h[0] = 0.0
    h[1] = 0.0
    for b in range(M):
        h[0] += c[a][b][0] * at[GROUP * b + part] - c[a][b][1] * at[GROUP * b + part + 1]
        h[1] += c[a][b][0] * at[GROUP * b + part + 1] + c[a][b][1] * at[GROUP * b + part]


def rates(at, to):
    """`to` = d(at)/dt for all groups, with the tangent vector where there is one."""
    for a in range(M):
        field(c, a, at, 0, h)
        to[GROUP * a], to[GROUP * a + 1], to[GROUP * a + 2] = spin(
            g[a][0], g[a][1], g[a][2], g[a][3], h[0], h[1], at[GROUP * a], at[GROUP * a + 1], at[GROUP * a + 2]
        )
        if TANGENT:
            field(c, a, at, 3, q)
            to[GROUP * a + 3], to[GROUP * a + 4], to[GROUP * a + 5] = spin_tangent(
                g[a][0], g[a][1], g[a][2], h[0], h[1], at[GROUP * a], at[GROUP * a + 1], at[GROUP * a + 2],
                q[0], q[1], at[GROUP * a + 3], at[GROUP * a + 4], at[GROUP * a + 5],
            )  # fmt: skip


def parameters(W, lane):
    """The rates and couplings of a lane as scalars."""
    for a in range(M):
        for i in range(4):
            g[a][i] = W[(PARAMETER + 4 * a + i) * LANES + lane]
        for b in range(M):
            for i in range(2):
                c[a][b][i] = W[(PARAMETER + 4 * M + 2 * (M * a + b) + i) * LANES + lane]


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
    for a in range(M):
        field(c, a, u, 0, h)
        field(c, a, u, 3, q)
        K[6][GROUP * a + 3], K[6][GROUP * a + 4], K[6][GROUP * a + 5] = spin_tangent(
            g[a][0], g[a][1], g[a][2], h[0], h[1], u[GROUP * a], u[GROUP * a + 1], u[GROUP * a + 2],
            q[0], q[1], u[GROUP * a + 3], u[GROUP * a + 4], u[GROUP * a + 5],
        )  # fmt: skip


def load(W, lane, this, P, Y, spans):
    """Give trajectory n to a lane."""
    for i in range(PARAMETERS):
        W[(PARAMETER + i) * LANES + lane] = P[this, i]
    for i in range(D):
        y[i] = Y[this, i]
        W[(STATE + i) * LANES + lane] = y[i]
    parameters(W, lane)
    rates(y, f)
    fastest = 1e-300
    for i in range(D):
        W[(SLOPE + i) * LANES + lane] = f[i]
    for a in range(M):
        fastest += abs(g[a][0]) + g[a][1] + g[a][2] + abs(c[a][a][0]) + abs(c[a][a][1])
    for i in range(SUMMED):
        W[(SUMS + i) * LANES + lane] = 0.0
    if MEASURE:
        for a in range(M):
            weight[a] = W[(PARAMETER + 4 * M + 2 * M * M + a) * LANES + lane]
        inverses(y, inv[0])
        for i in range(INVERSES):
            W[(INVERSE + i) * LANES + lane] = inv[0][i]
    W[CLOCK * LANES + lane] = 0.0
    W[(CLOCK + 1) * LANES + lane] = 0.05 / fastest
    W[(CLOCK + 2) * LANES + lane] = spans[this]
    W[(CLOCK + 3) * LANES + lane] = -4.0
    W[(CLOCK + 4) * LANES + lane] = 0.0
    W[(CLOCK + 5) * LANES + lane] = this


def forward(W, lane, rtol, atol):
    """One step of a lane, taken if its error is small enough: the lane's row moves on to `time` and `steps`."""
    for i in range(D):
        y[i] = W[(STATE + i) * LANES + lane]
        K[0][i] = W[(SLOPE + i) * LANES + lane]
    parameters(W, lane)
    time = W[CLOCK * LANES + lane]
    size = W[(CLOCK + 1) * LANES + lane]
    span = W[(CLOCK + 2) * LANES + lane]
    before = W[(CLOCK + 3) * LANES + lane]
    left = span - time
    last = size >= left
    h_step = left if last else size
    for s in range(1, 7):
        for i in range(D):
            total = A[s][0] * K[0][i]
            for j in range(1, s):
                total += A[s][j] * K[j][i]
            u[i] = y[i] + h_step * total
        rates(u, K[s])
    squares = 0.0
    scale = 1.0
    for a in range(M):  # the tangent vector takes the steps that the motion asks for
        for i in range(3):
            total = E[0] * K[0][GROUP * a + i]
            for j in range(1, 7):
                total += E[j] * K[j][GROUP * a + i]
            off[i] = h_step * total
            small = abs(y[GROUP * a + i])
            large = abs(u[GROUP * a + i])
            most[i] = small if small > large else large
        most[0] = atol + rtol * (most[0] if most[0] > most[1] else most[1])
        most[2] = atol + rtol * most[2]
        squares_of_a = (off[0] * off[0] + off[1] * off[1]) * most[2] * most[2] + off[2] * off[2] * most[0] * most[0]
        most[0] = most[0] * most[2] * most[0] * most[2]
        squares = squares * most[0] + squares_of_a * scale  # over one denominator: divisions are slow
        scale = scale * most[0]
    error = squares / (3.0 * M * scale)
    error = error if error > 1e-20 else 1e-20
    if MEASURE:
        too_far()
    good = error <= 1.0
    exponent = 0.5 * (float(bits(error)) * 2.220446049250313e-16 - 1023.0)  # about log2 of the error
    change = (-0.152003 - 0.17 * exponent + 0.04 * before) if good else (-0.152003 - 0.2 * exponent)
    change = change if change < 3.0 else 3.0
    change = change if change > -2.3 else -2.3
    wanted = h_step * number(int((change + 1023.0) * 4503599627370496.0))
    for i in range(D):
        u[i] = u[i] if good else y[i]
        K[6][i] = K[6][i] if good else K[0][i]
    if MEASURE:
        measure(W, lane)
    for i in range(D):
        W[(STATE + i) * LANES + lane] = u[i]
        W[(SLOPE + i) * LANES + lane] = K[6][i]
    time = (span if last else time + h_step) if good else time
    steps = W[(CLOCK + 4) * LANES + lane] + 1.0
    W[CLOCK * LANES + lane] = time
    W[(CLOCK + 1) * LANES + lane] = (size if size > wanted else wanted) if (last and good) else wanted
    W[(CLOCK + 3) * LANES + lane] = exponent if good else before
    W[(CLOCK + 4) * LANES + lane] = steps


def step(W, rtol, atol, most_steps):
    """One step of every lane; how many lanes have come to the end of their span, or of their steps."""
    done = 0.0
    for lane in range(LANES):
        forward(W, lane, rtol, atol)
        done += 1.0 if (time >= span or steps >= most_steps) else 0.0
    return done


def store(W, lane, Y, out, steps, finished):
    """Take the end of a lane's trajectory."""
    this = int(W[(CLOCK + 5) * LANES + lane])
    for i in range(D):
        Y[this, i] = W[(STATE + i) * LANES + lane]
    for i in range(SUMMED):
        out[this, i] = W[(SUMS + i) * LANES + lane]
    steps[this] = W[(CLOCK + 4) * LANES + lane]
    finished[this] = W[CLOCK * LANES + lane] >= W[(CLOCK + 2) * LANES + lane]


def run(P, Y, spans, rtol, atol, most_steps, first, last, out, steps, finished):
    """Trajectories first to last - 1: their states Y (trajectory, component) are moved on by `spans`."""
    W = np.zeros(ROWS * LANES)
    following = first
    alive = 0
    for lane in range(LANES):
        if following < last:
            load(W, lane, following, P, Y, spans)
            following += 1
            alive += 1
        else:
            load(W, lane, last - 1, P, Y, spans)
            W[(CLOCK + 5) * LANES + lane] = -1.0
    while alive > 0:
        ended = step(W, rtol, atol, most_steps)
        for lane in range(LANES):
            if ended == 0.0:
                break
            over = W[CLOCK * LANES + lane] >= W[(CLOCK + 2) * LANES + lane]
            if not over and W[(CLOCK + 4) * LANES + lane] < most_steps:
                continue
            ended -= 1.0
            if W[(CLOCK + 5) * LANES + lane] >= 0.0:
                store(W, lane, Y, out, steps, finished)
                alive -= 1
                if following < last:
                    load(W, lane, following, P, Y, spans)
                    following += 1
                    alive += 1
                    continue
            W[(CLOCK + 5) * LANES + lane] = -1.0
            W[CLOCK * LANES + lane] = 0.0
            W[(CLOCK + 4) * LANES + lane] = 0.0
