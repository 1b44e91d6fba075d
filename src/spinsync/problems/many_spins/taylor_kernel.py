"""Template of the kernels that carry members through one step in a given field; `sweep.py` adds the equation.

A member has three components. Its equation is linear in them: `free_terms` is its own motion, `field_terms` what the field
adds. The field is a polynomial in time, so the components have Taylor series whose coefficients follow from one another by
convolution with those of the field. LANES members go side by side, a block. Where a member turns often in one step, the
step is cut into parts; where it turns too often for that, `fast_spin` has the answer at any time.

In capitals: known numbers. `work` holds rows of LANES numbers, three per order. A series ends where what its last orders
can still do falls below the tolerance, so members at rest cost little.
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


def enough(rate, size, span, tolerance, bound):
    """The order at which a series bounded by a majorant falls below the tolerance; 0 if none up to MOST does."""
    bound[0] = 1.0
    for n in range(MOST):
        total = rate * bound[n]
        for m in range(min(n + 1, DEGREE)):
            total += size[m] * bound[n - m]
        bound[n + 1] = total * span / (n + 1.0)
        if n >= DEGREE and bound[n + 1] < tolerance and bound[n] < 10.0 * tolerance:
            return n + 1
    return 0


def plan(chunks, omega, asymptotic, quickest, rates, field, span, turn, tolerance):
    """Parts of the step for each chunk: so few that the series converge; none where `fast_spin` is accurate and cheaper."""
    local, size, bound = np.empty((DEGREE, 2)), np.empty(DEGREE), np.empty(MOST + 1)
    for c in range(chunks.shape[0]):
        group, first, last = chunks[c, 2], omega[chunks[c, 0]] - turn, omega[chunks[c, 1] - 1] - turn
        low, high = min(abs(first), abs(last)) if first * last > 0.0 else 0.0, max(abs(first), abs(last))
        if asymptotic[c] and low > QUICKER * quickest and low * span > FEW_TURNS:
            chunks[c, 3] = 0
            continue
        rate = high + max(rates[group, 0], rates[group, 1])
        parts, order = 1, 0
        while parts * SHARE < rate * span:
            parts *= 2
        while order == 0 and parts < 2**24:
            size[:] = 0.0
            for at in (-1.0, 1.0 - 2.0 / parts):
                shifted(field[group], at, 2.0 / parts, local)
                for m in range(DEGREE):
                    size[m] = max(size[m], 2.0 * math.hypot(local[m, 0], local[m, 1]))
            order = enough(rate, size, span / parts, tolerance / parts, bound)
            if order == 0:
                parts *= 2
        chunks[c, 3] = parts if order else -1  # -1: no series reaches the tolerance


def forget(rate, field, span, tolerance, still):
    """How many coefficients of the field matter; `still`[m]: what an order can add to one that is more than m above it,
    times the number of the latter."""
    terms, total = 1, 0.0
    for m in range(DEGREE - 1, -1, -1):
        total += 2.0 * span * math.hypot(field[m, 0], field[m, 1])
        still[m] = total
        if total > tolerance and terms == 1:
            terms = m + 1
    still[0] += span * rate
    return terms


def order_terms(scale, one, first, field, own, at, total):
    """The Taylor coefficients after the last TERMS ones, added up over members; their mean square."""
    square = 0.0
    for lane in range(LANES):
        i = 3 * LANES * (TERMS - 1) + lane
        drive = first * own[2 * LANES + lane]
        u, v, w = free_terms(own[lane], own[LANES + lane], one, drive, at[i], at[i + LANES], at[i + 2 * LANES])
        for m in range(TERMS):
            i = 3 * LANES * (TERMS - 1 - m) + lane
            a, b, c = field_terms(field[m, 0], field[m, 1], at[i], at[i + LANES], at[i + 2 * LANES])
            u += a
            v += b
            w += c
        u, v, w = scale * u, scale * v, scale * w
        i = 3 * LANES * TERMS + lane
        at[i], at[i + LANES], at[i + 2 * LANES] = u, v, w
        square += u * u + v * v + w * w
    fold(at[3 * LANES * TERMS : 3 * LANES * (TERMS + 1)], total)
    return square / LANES


def fold(row, total):
    """Add three components of LANES members to their sums, VECTOR numbers each."""
    for k in range(3):
        for j in range(VECTOR):
            value = total[k * VECTOR + j]
            for i in range(LANES // VECTOR):
                value += row[k * LANES + i * VECTOR + j]
            total[k * VECTOR + j] = value


def series(terms, span, one, field, still, tolerance, own, work, totals, sizes):
    """Taylor coefficients of a block, in units of `span`, up to the order from which on all are below the tolerance."""
    for n in range(MOST):
        scale, first = span / (n + 1.0), 1.0 if n == 0 else 0.0
        reach = min(n + 1, terms)
        at = work[3 * LANES * (n + 1 - reach) : 3 * LANES * (n + 2)]
        sizes[n + 1] = math.sqrt(next_order(reach, scale, one, first, field, own, at, totals[n + 1]))
        rest = 0.0
        for m in range(min(n + 2, terms)):
            rest += still[m] * sizes[n + 1 - m]
        if rest < tolerance * (n + 2.0) and sizes[n + 1] < 10.0 * tolerance:
            return n + 1
    return MOST


def load(source, omega, first, count, turn, rates, kick, own, work, total):
    """A block of members, after what the last step left to be done."""
    for lane in range(LANES):
        u, v, w = 0.0, 0.0, 0.0
        own[lane], own[LANES + lane], own[2 * LANES + lane] = 0.0, 0.0, 0.0
        if lane < count:
            x, y, z = source[0, first + lane], source[1, first + lane], source[2, first + lane]
            u, v, w = field_terms(kick[0], kick[1], x, y, z)
            u, v, w = x + u, y + v, z + w
            own[lane], own[LANES + lane], own[2 * LANES + lane] = omega[first + lane] - turn, rates[0], rates[2]
        work[lane], work[LANES + lane], work[2 * LANES + lane] = u, v, w
    fold(work, total)


def alone(span, rates, own, work):
    """Give members what they feel of their own field beside the polynomial: what a turning one adds to its equation."""
    for lane in range(LANES):
        missed = unresolved(0.5 * abs(own[lane]) * span)
        x, y, z = work[lane], work[LANES + lane], work[2 * LANES + lane]
        own[lane] -= missed * rates[3] * z
        own[LANES + lane] += missed * rates[4] * z
        own[2 * LANES + lane] += missed * 4.0 * rates[4] * (x * x + y * y)


def unresolved(angle):
    """Share of exp(i angle x) on -1..1 that DEGREE Legendre coefficients leave out."""
    at = min(angle, 63.9) * 16.0
    i = int(at)
    return UNRESOLVED[i] + (at - i) * (UNRESOLVED[i + 1] - UNRESOLVED[i])


def store(order, count, work, end, first):
    """Members at the end of a part: the sums of their coefficients, four orders at a time."""
    work[3 * LANES * (order + 1) : 3 * LANES * (order + 4)] = 0.0
    for n in range(1, order + 1, 4):
        at = work[3 * LANES * n : 3 * LANES * (n + 4)]
        for i in range(3 * LANES):
            work[i] += (at[i] + at[i + 3 * LANES]) + (at[i + 6 * LANES] + at[i + 9 * LANES])
    for k in range(3):
        for lane in range(count):
            end[k, first + lane] = work[k * LANES + lane]


def keep(order, count, at, work, out, row, place, first):
    """Single members at sigma = `at`."""
    for lane in range(count):
        for k in range(3):
            value = 0.0
            for n in range(order, -1, -1):
                value = value * at + work[(3 * n + k) * LANES + lane]
            out[k, row, place[first + lane]] = value


def project(order, part, parts, sums, nodes, moments):
    """Add the Legendre coefficients over the whole step of what `sums` says of one of its parts."""
    for q in range(nodes.shape[0]):
        at, weight = nodes[q, 0], nodes[q, 1] / parts
        u, v = 0.0, 0.0
        for n in range(order, -1, -1):
            u = u * at + sums[n, 0]
            v = v * at + sums[n, 1]
        collect(2.0 * (part + at) / parts - 1.0, weight, u, v, moments)


def collect(x, weight, u, v, moments):
    """Add weighted values at x to Legendre coefficients."""
    low, p = 0.0, 1.0
    for j in range(moments.shape[0]):
        factor = (2 * j + 1) * weight * p
        moments[j, 0] += factor * u
        moments[j, 1] += factor * v
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
    """A chunk of fast members; `values`, `levels`: field and integral of |field|^2 at 0, the nodes, the marks and 1."""
    group = chunk[2]
    one = rates[group, 1]
    last = values.shape[1] - 1
    for i in range(chunk[0], chunk[1]):
        x, y, z = start[0, i], start[1, i], start[2, i]
        u, v, w = field_terms(kick[group, 0], kick[group, 1], x, y, z)
        x, y, z = x + u, y + v, z + w
        own, perp = omega[i] - turn - rates[group, 3] * z, rates[group, 0] + rates[group, 4] * z
        fall = 2.0 * perp * span
        drive = rates[group, 2] + 4.0 * rates[group, 4] * (x * x + y * y) * (-math.expm1(-fall) / fall if fall > 0.0 else 1.0)
        first = values[group, 0]
        for q in range(last + 1):
            if q == 0:
                t = 0.0
            elif q <= nodes.shape[0]:
                t = nodes[q - 1, 0]
            else:
                t = marks[q - 1 - nodes.shape[0]] if q < last else 1.0
            turning, follows, w = fast_spin(own, perp, one, drive, first, values[group, q], levels[group, q], t * span, x, y, z)
            if q == 0:
                begin, slow = turning, follows
            elif q <= nodes.shape[0]:
                collect(2.0 * t - 1.0, nodes[q - 1, 1], follows.real, follows.imag, moments)
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
                turns(begin, turning, complex(perp, own) * span, moments)


def turns(begin, end, angle, moments):
    """Add Legendre coefficients of what goes from `begin` to `end` as exp(-angle t): I_j+1 = I_j-1 + (2j + 1) 2 / angle I_j."""
    before, now = (begin - end) / angle, -(begin + end) / angle
    now += 2.0 / angle * before
    for j in range(moments.shape[0]):
        moments[j, 0] += (2 * j + 1) * before.real
        moments[j, 1] += (2 * j + 1) * before.imag
        before, now = now, before + (2 * j + 3) * 2.0 / angle * now


def walk(chunk, tolerance, rates, omega, start, end, kick, field, span, turn, nodes, moments, marks, seen, singles, row, place):
    """A chunk of members part by part of the step, with the tolerance of their series."""
    begin, stop, group, parts = chunk[0], chunk[1], chunk[2], chunk[3]
    work, own, sizes = np.empty(3 * LANES * (MOST + 5)), np.empty(3 * LANES), np.empty(MOST + 1)
    local, still, push = np.empty((DEGREE, 2)), np.empty(DEGREE), kick[group].copy()
    totals, sums, area = np.empty((MOST + 1, 3 * VECTOR)), np.empty((MOST + 1, 3)), np.zeros(2)
    rate = max(abs(omega[begin] - turn), abs(omega[stop - 1] - turn)) + max(rates[group, 0], rates[group, 1])
    selfish = rate * span > 1.0 and (rates[group, 3] != 0.0 or rates[group, 4] != 0.0)
    sizes[0], done = 1.0, 0
    for part in range(parts):
        shifted(field[group], 2.0 * part / parts - 1.0, 2.0 / parts, local)
        terms = forget(rate, local, span / parts, tolerance, still)
        upto, highest = done, 0
        while upto < marks.size and (marks[upto] * parts <= part + 1 or part == parts - 1):
            upto += 1
        totals[:] = 0.0
        for i in range(begin, stop, LANES):
            count = min(LANES, stop - i)
            load(start if part == 0 else end, omega, i, count, turn, rates[group], push, own, work, totals[0])
            if selfish:
                alone(span, rates[group], own, work)
            order = series(terms, span / parts, rates[group, 1], local, still, tolerance, own, work, totals, sizes)
            highest = max(highest, order)
            if singles.shape[2]:
                for q in range(done, upto):
                    keep(order, count, marks[q] * parts - part, work, singles, row + q, place, i)
            store(order, count, work, end, i)
        push[:] = 0.0
        for n in range(highest + 1):
            for k in range(3):
                sums[n, k] = totals[n, k * VECTOR : (k + 1) * VECTOR].sum()
        project(highest, part, parts, sums, nodes, moments)
        for q in range(done, upto):
            serve(highest, marks[q] * parts - part, parts, sums, area, seen[q])
        for n in range(highest + 1):
            for k in range(2):
                area[k] += sums[n, k] / ((n + 1) * parts)
        done = upto


def sweep(
    first, last, chunks, tolerance, rates, omega, start, end, kick, field, values, levels, span, turn, nodes, moments, marks,
    seen, singles, row, place,
):  # fmt: skip
    """Carry the members of some chunks from `start` through a step to `end`; see `sweep.Population.sweep`."""
    for c in range(first, last):
        moments[c], seen[c] = 0.0, 0.0
        if chunks[c, 3] < 0:
            moments[c] = np.nan
        elif chunks[c, 3] == 0:
            glide(chunks[c], rates, omega, start, end, kick, values, levels, span, turn, nodes, moments[c], marks, seen[c],
                  singles, row, place)  # fmt: skip
        else:
            walk(chunks[c], tolerance / chunks[c, 3], rates, omega, start, end, kick, field, span, turn, nodes, moments[c],
                 marks, seen[c], singles, row, place)  # fmt: skip
