"""Template of the kernels that carry members through one step in a given field; `common_field.py` adds the equation.

A member has three components. Its equation is linear in them: `free` is its own motion, `driven` what the field adds. The
field is a polynomial in time, so the components have Taylor series whose coefficients follow from one another by
convolution with those of the field. LANES members go side by side, a block. Where a member turns often in one step, the
step is cut into parts; where it turns too often for that, `swift` has the answer at any time.

In capitals: known numbers. WORK holds rows of LANES numbers, three per order, one pointer for the compiler to follow:
DEGREE - 1 orders of zeros and the coefficients, then (from TOTAL) their sums over members, then (from PARTIAL) over orders.
"""

# ruff: noqa: F821
# mypy: ignore-errors


def shifted(field, at, width, out):
    """`out`[m] = coefficient of sigma^m of the polynomial with powers `field` of x, at x = at + width sigma."""
    for part in range(2):
        for m in range(DEGREE):
            out[m, part] = field[m, part]
        for k in range(DEGREE - 1):
            for m in range(DEGREE - 2, k - 1, -1):
                out[m, part] += at * out[m + 1, part]
        power = 1.0
        for m in range(DEGREE):
            out[m, part] *= power
            power *= width


def enough(rate, field, parts, span, tolerance, local, bound):
    """The order at which a series bounded by a majorant falls below the tolerance; 0 if none up to MOST does."""
    size = np.zeros(DEGREE)
    for at in (-1.0, 1.0 - 2.0 / parts):
        shifted(field, at, 2.0 / parts, local)
        for m in range(DEGREE):
            size[m] = max(size[m], 2.0 * math.hypot(local[m, 0], local[m, 1]))
    bound[0] = 1.0
    for n in range(MOST):
        total = rate * bound[n]
        for m in range(min(n + 1, DEGREE)):
            total += size[m] * bound[n - m]
        bound[n + 1] = total * span / (parts * (n + 1.0))
        if n >= DEGREE and bound[n + 1] < tolerance and bound[n] < 10.0 * tolerance:
            return n + 1
    return 0


def plan(chunks, omega, rates, field, span, turn, tolerance, far):
    """Parts of the step and order of the series for each chunk; no parts where `swift` is accurate and cheaper."""
    local, bound = np.empty((DEGREE, 2)), np.empty(MOST + 1)
    for c in range(chunks.shape[0]):
        begin, stop, group = chunks[c, 0], chunks[c, 1], chunks[c, 2]
        low, high = abs(omega[begin] - turn), abs(omega[stop - 1] - turn)
        for i in range(begin, stop):
            low, high = min(low, abs(omega[i] - turn)), max(high, abs(omega[i] - turn))
        if low > far and low * span > FEW_TURNS:
            chunks[c, 3], chunks[c, 4] = 0, 0
            continue
        rate = high + max(rates[group, 0], rates[group, 1])
        parts, order = 1, 0
        while parts * SHARE < rate * span:
            parts *= 2
        while order == 0 and parts < 2**24:
            order = enough(rate, field[group], parts, span, tolerance / parts, local, bound)
            if order == 0:
                parts *= 2
        chunks[c, 3], chunks[c, 4] = parts if order else -1, order  # -1: no series reaches the tolerance


def series(order, span, rates, field, own, work):
    """Taylor coefficients of a block up to `order`, in units of `span`, and their sums."""
    perp, one, drive = rates[0], rates[1], rates[2]
    for n in range(order):
        scale = span / (n + 1.0)
        constant = drive if n == 0 else 0.0
        at = work[3 * LANES * n : 3 * LANES * (n + PARTIAL + DEGREE + 1)]
        for lane in range(LANES):
            i = 3 * LANES * (DEGREE - 1) + lane
            u, v, w = free(own[lane], perp, one, constant * own[LANES + lane], at[i], at[i + LANES], at[i + 2 * LANES])
            for m in range(DEGREE):
                i = 3 * LANES * (DEGREE - 1 - m) + lane
                a, b, c = driven(field[m, 0], field[m, 1], at[i], at[i + LANES], at[i + 2 * LANES])
                u += a
                v += b
                w += c
            i = 3 * LANES * DEGREE + lane
            at[i] = scale * u
            at[i + LANES] = scale * v
            at[i + 2 * LANES] = scale * w
            i = 3 * LANES * (TOTAL + DEGREE) + lane
            at[i] += scale * u
            at[i + LANES] += scale * v
            at[i + 2 * LANES] += scale * w
            i = 3 * LANES * (PARTIAL + DEGREE) + lane
            j = 3 * LANES * (PARTIAL + DEGREE - 1) + lane
            at[i] = at[j] + scale * u
            at[i + LANES] = at[j + LANES] + scale * v
            at[i + 2 * LANES] = at[j + 2 * LANES] + scale * w


def load(source, omega, first, count, turn, kick, own, work):
    """A block of members, after what the last step left to be done."""
    low, high, ends = 3 * LANES * (DEGREE - 1), 3 * LANES * (TOTAL + DEGREE - 1), 3 * LANES * (PARTIAL + DEGREE - 1)
    for lane in range(LANES):
        u, v, w, own[lane], own[LANES + lane] = 0.0, 0.0, 0.0, 0.0, 0.0
        if lane < count:
            x, y, z = source[0, first + lane], source[1, first + lane], source[2, first + lane]
            u, v, w = driven(kick[0], kick[1], x, y, z)
            u, v, w = x + u, y + v, z + w
            own[lane], own[LANES + lane] = omega[first + lane] - turn, 1.0
        work[low + lane], work[low + LANES + lane], work[low + 2 * LANES + lane] = u, v, w
        work[ends + lane], work[ends + LANES + lane], work[ends + 2 * LANES + lane] = u, v, w
        work[high + lane] += u
        work[high + LANES + lane] += v
        work[high + 2 * LANES + lane] += w


def keep(order, count, at, work, out, row, place, first):
    """Single members at sigma = `at`."""
    for lane in range(count):
        for k in range(3):
            value = 0.0
            for n in range(order, -1, -1):
                value = value * at + work[(3 * (n + DEGREE - 1) + k) * LANES + lane]
            out[k, row, place[first + lane]] = value


def project(order, part, parts, sums, nodes, moments):
    """Add the Legendre coefficients over the whole step of what `sums` says of one of its parts."""
    for q in range(nodes.shape[0]):
        at, weight = nodes[q, 0], nodes[q, 1] / parts
        u, v, w = 0.0, 0.0, 0.0
        for n in range(order, -1, -1):
            u = u * at + sums[n, 0]
            v = v * at + sums[n, 1]
            w = w * at + sums[n, 2]
        collect(2.0 * (part + at) / parts - 1.0, weight, u, v, w, moments)


def collect(x, weight, u, v, w, moments):
    """Add weighted values at x to Legendre coefficients."""
    low, p = 0.0, 1.0
    for j in range(moments.shape[0]):
        factor = (2 * j + 1) * weight * p
        moments[j, 0] += factor * u
        moments[j, 1] += factor * v
        moments[j, 2] += factor * w
        low, p = p, ((2 * j + 1) * x * p - j * low) / (j + 1)


def serve(order, at, parts, sums, area, out):
    """Sums over members at sigma = `at` of a part, and their integrals since the step began, in units of the step."""
    out[:] = 0.0
    for n in range(order, -1, -1):
        for k in range(3):
            out[k] = out[k] * at + sums[n, k]
        for k in range(2):
            out[3 + k] = (out[3 + k] + sums[n, k] / (n + 1)) * at
    for k in range(2):
        out[3 + k] = area[k] + out[3 + k] / parts


def glide(chunk, rates, omega, start, end, kick, values, levels, span, turn, nodes, moments, marks, seen, singles, row, place):
    """A chunk of swift members; `values`, `levels`: field and integral of |field|^2 at 0, the nodes, the marks and 1."""
    group = chunk[2]
    perp, one, drive = rates[group, 0], rates[group, 1], rates[group, 2]
    last = values.shape[1] - 1
    for i in range(chunk[0], chunk[1]):
        x, y, z = start[0, i], start[1, i], start[2, i]
        u, v, w = driven(kick[group, 0], kick[group, 1], x, y, z)
        x, y, z = x + u, y + v, z + w
        own = omega[i] - turn
        first = values[group, 0]
        for q in range(last + 1):
            if q == 0:
                t = 0.0
            elif q <= nodes.shape[0]:
                t = nodes[q - 1, 0]
            else:
                t = marks[q - 1 - nodes.shape[0]] if q < last else 1.0
            turning, follows, w = swift(own, perp, one, drive, first, values[group, q], levels[group, q], t * span, x, y, z)
            if q == 0:
                begin, slow = turning, follows
            elif q <= nodes.shape[0]:
                collect(2.0 * t - 1.0, nodes[q - 1, 1], follows.real, follows.imag, w, moments)
            elif q < last:
                m = q - 1 - nodes.shape[0]
                area = (turning - begin) / (-complex(perp, own) * span) + (slow + follows) * (t / 2.0)
                s = turning + follows
                seen[m, 0] += s.real
                seen[m, 1] += s.imag
                seen[m, 2] += w
                seen[m, 3] += area.real
                seen[m, 4] += area.imag
                if singles.shape[2]:
                    singles[0, row + m, place[i]], singles[1, row + m, place[i]] = s.real, s.imag
                    singles[2, row + m, place[i]] = w
            else:
                s = turning + follows
                end[0, i], end[1, i], end[2, i] = s.real, s.imag, w
                sign = 1.0
                for j in range(moments.shape[0]):  # the ends of the integral of a fast oscillation
                    edge = (2 * j + 1) * (turning - sign * begin) / (-complex(perp, own) * span)
                    moments[j, 0] += edge.real
                    moments[j, 1] += edge.imag
                    sign = -sign


def sweep(
    first, last, chunks, rates, omega, start, end, kick, field, values, levels, span, turn, nodes, moments, marks, seen,
    singles, row, place,
):  # fmt: skip
    """Carry the members of some chunks from `start` through a step to `end`; see `common_field.Crowd.sweep`."""
    work = np.zeros(3 * LANES * (PARTIAL + DEGREE + MOST))
    own, local, sums, area = np.empty(2 * LANES), np.empty((DEGREE, 2)), np.empty((MOST + 1, 3)), np.empty(2)
    still = np.zeros(2)
    for c in range(first, last):
        begin, stop, group, parts, order = chunks[c, 0], chunks[c, 1], chunks[c, 2], chunks[c, 3], chunks[c, 4]
        moments[c], seen[c], area[:] = 0.0, 0.0, 0.0
        if parts < 0:
            moments[c] = np.nan
        if parts == 0:
            glide(chunks[c], rates, omega, start, end, kick, values, levels, span, turn, nodes, moments[c], marks, seen[c],
                  singles, row, place)  # fmt: skip
        done = 0
        for part in range(parts):
            shifted(field[group], 2.0 * part / parts - 1.0, 2.0 / parts, local)
            upto = done
            while upto < marks.size and (marks[upto] * parts <= part + 1 or part == parts - 1):
                upto += 1
            source, push = (start, kick[group]) if part == 0 else (end, still)
            work[3 * LANES * (TOTAL + DEGREE - 1) : 3 * LANES * (TOTAL + DEGREE + order)] = 0.0
            for i in range(begin, stop, LANES):
                count = min(LANES, stop - i)
                load(source, omega, i, count, turn, push, own, work)
                series(order, span / parts, rates[group], local, own, work)
                ends = work[3 * LANES * (PARTIAL + DEGREE - 1 + order) : 3 * LANES * (PARTIAL + DEGREE + order)]
                for k in range(3):
                    for lane in range(count):
                        end[k, i + lane] = ends[k * LANES + lane]
                if singles.shape[2]:
                    for q in range(done, upto):
                        keep(order, count, marks[q] * parts - part, work, singles, row + q, place, i)
            for n in range(order + 1):
                for k in range(3):
                    at = 3 * (n + TOTAL + DEGREE - 1) + k
                    sums[n, k] = work[at * LANES : (at + 1) * LANES].sum()
            project(order, part, parts, sums, nodes, moments[c])
            for q in range(done, upto):
                serve(order, marks[q] * parts - part, parts, sums, area, seen[c, q])
            for n in range(order + 1):
                for k in range(2):
                    area[k] += sums[n, k] / ((n + 1) * parts)
            done = upto
