"""Template of the kernels that step many trajectories side by side, one per lane; `lanes.py` writes it out for M groups,
with the sums of `measure_template.py`.

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
    """`to` = d(at)/dt for all groups."""
    for a in range(M):
        field(c, a, at, 0, h)
        to[GROUP * a], to[GROUP * a + 1], to[GROUP * a + 2] = spin(
            g[a][0], g[a][1], g[a][2], g[a][3], h[0], h[1], at[GROUP * a], at[GROUP * a + 1], at[GROUP * a + 2]
        )


def deviations(at, to):
    """The same for the tangent vector."""
    for a in range(M):
        field(c, a, at, 0, h)
        field(c, a, at, 3, q)
        to[GROUP * a + 3], to[GROUP * a + 4], to[GROUP * a + 5] = spin_tangent(
            g[a][0], g[a][1], g[a][2], h[0], h[1], at[GROUP * a], at[GROUP * a + 1], at[GROUP * a + 2],
            q[0], q[1], at[GROUP * a + 3], at[GROUP * a + 4], at[GROUP * a + 5],
        )  # fmt: skip


def parameters(W, lane):
    """The rates and couplings of a lane as scalars."""
    for a in range(M):
        for i in range(4):
            g[a][i] = W[(PARAMETER + M * i + a) * LANES + lane]
        for b in range(M):
            for i in range(2):
                c[a][b][i] = W[(PARAMETER + 4 * M + 2 * (M * a + b) + i) * LANES + lane]


def load(W, lane, this, P, Y, spans):
    """Give trajectory n to a lane."""
    for row in range(PARAMETERS):
        W[(PARAMETER + row) * LANES + lane] = P[this, row]
    for i in range(D):
        y[i] = Y[this, i]
        W[(STATE + i) * LANES + lane] = y[i]
    parameters(W, lane)
    rates(y, f)
    if TANGENT:
        deviations(y, f)
    fastest = 1e-300
    for i in range(D):
        W[(SLOPE + i) * LANES + lane] = f[i]
    for a in range(M):
        fastest += abs(g[a][0]) + g[a][1] + g[a][2] + abs(c[a][a][0]) + abs(c[a][a][1])
    for row in range(SUMMED):
        W[(SUMS + row) * LANES + lane] = 0.0
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


def misfit(rtol, atol):
    """error = mean square of the embedded error over what the tolerances allow."""
    squares = 0.0
    scale = 1.0
    for a in range(M):
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
    if TANGENT:
        stray()
    error = error if error > 1e-20 else 1e-20


def stray():
    """The error of the tangent vector, of length 1, beside 0.001: slow motion alone allows steps that lose its decay."""
    squares = 0.0
    for a in range(M):
        for i in range(3, 6):
            total = E[0] * K[0][GROUP * a + i]
            for j in range(1, 7):
                total += E[j] * K[j][GROUP * a + i]
            squares += total * total
    error += 1e6 * h_step * h_step * squares / (3.0 * M)


def pace():
    """exponent = about log2 of the error's root; wanted = the next step by a PI controller."""
    exponent = 0.5 * (float(bits(error)) * 2.220446049250313e-16 - 1023.0)
    change = (-0.152003 - 0.17 * exponent + 0.04 * before) if good else (-0.152003 - 0.2 * exponent)
    change = change if change < 3.0 else 3.0
    change = change if change > -2.3 else -2.3
    wanted = h_step * number(int((change + 1023.0) * 4503599627370496.0))


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
        if TANGENT:
            deviations(u, K[s])
    misfit(rtol, atol)
    if MEASURE:
        too_far()
    good = error <= 1.0
    pace()
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
    done = 0
    for lane in together(LANES):
        forward(W, lane, rtol, atol)
        done = count(time >= span or steps >= most_steps)
    return done


def store(W, lane, Y, out, steps, finished):
    """Take the end of a lane's trajectory."""
    this = int(W[(CLOCK + 5) * LANES + lane])
    for row in range(D):
        Y[this, row] = W[(STATE + row) * LANES + lane]
    for row in range(SUMMED):
        out[this, row] = W[(SUMS + row) * LANES + lane]
    steps[this] = W[(CLOCK + 4) * LANES + lane]
    finished[this] = W[CLOCK * LANES + lane] >= W[(CLOCK + 2) * LANES + lane]


def run(W, P, Y, spans, rtol, atol, most_steps, first, last, out, steps, finished):
    """Trajectories first to last - 1: their states Y (trajectory, component) are moved on by `spans`.

    A lane for which none is left goes on with a copy of the last one, which nobody takes.
    """
    following = first
    alive = 0
    for lane in range(LANES):
        W[(CLOCK + 5) * LANES + lane] = -1.0
        W[CLOCK * LANES + lane] = 0.0
        W[(CLOCK + 2) * LANES + lane] = 0.0
    ended = LANES
    while alive > 0 or following == first:
        for lane in range(LANES):
            if ended == 0:
                break
            over = W[CLOCK * LANES + lane] >= W[(CLOCK + 2) * LANES + lane]
            if not over and W[(CLOCK + 4) * LANES + lane] < most_steps:
                continue
            ended -= 1
            if W[(CLOCK + 5) * LANES + lane] >= 0.0:
                store(W, lane, Y, out, steps, finished)
                alive -= 1
            left = following < last
            load(W, lane, following if left else last - 1, P, Y, spans)
            if left:
                following += 1
                alive += 1
            else:
                W[(CLOCK + 5) * LANES + lane] = -1.0
        ended = step(W, rtol, atol, most_steps)
