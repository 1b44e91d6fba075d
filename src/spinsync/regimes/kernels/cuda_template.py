"""Template of the kernels on a graphics processor, one thread per trajectory: written out after `lane_template.py`.

With LANES = 1 a lane's row W is a handful of scalars, which stay in registers while a thread takes its steps. Between two
launches the rows lie in `rows` (row, trajectory), so that neighbouring threads read neighbouring numbers.
"""

# ruff: noqa: F821
# mypy: ignore-errors


def begin(P, Y, spans, rows):
    """The row of each trajectory at its start."""
    n = cuda.grid(1)
    if n < spans.size:
        load(W, 0, n, P, Y, spans)
        for i in range(ROWS):
            rows[i, n] = W[i]


def resume(chosen, rows, rtol, atol, most_steps, budget, moving):
    """At most `budget` steps of each chosen trajectory; whether it has yet to come to its end."""
    n = cuda.grid(1)
    if n < chosen.size:
        this = chosen[n]
        for i in range(ROWS):
            W[i] = rows[i, this]
        limit = min(W[CLOCK + 4] + budget, most_steps)
        while W[CLOCK] < W[CLOCK + 2] and W[CLOCK + 4] < limit:
            forward(W, 0, rtol, atol)
        for i in range(PARAMETER):
            rows[i, this] = W[i]
        moving[n] = W[CLOCK] < W[CLOCK + 2] and W[CLOCK + 4] < most_steps
