"""Template of the kernels that advance spins by one step in a given field; `one_step.py` adds the equation.

A spin has three components x, y, z. Its equation is linear in them: `free_terms` is the motion without a field, `field_terms`
the contribution of the field. The field is a polynomial in time, so the components have Taylor series whose coefficients follow
recursively by convolution with those of the field. LANES spins, a block, are computed side by side. For fast rotation the step
is divided into substeps; for still faster rotation `fast_spin` gives the adiabatically eliminated solution.

Names in capitals are numbers that `one_step.py` inserts. `taylor` holds rows of LANES numbers, three per order. A series ends
where the contribution of further orders falls below the tolerance, so slow spins cost little.
"""

# ruff: noqa: F821
# mypy: ignore-errors


def shift_polynomial(field, at, width, out):
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


def sufficient_order(rate, size, span, tolerance, bound):
    """The order at which a majorant of the series falls below the tolerance; 0 if none up to MOST_ORDER does."""
    bound[0] = 1.0
    for n in range(MOST_ORDER):
        total = rate * bound[n]
        for m in range(min(n + 1, DEGREE)):
            total += size[m] * bound[n - m]
        bound[n + 1] = total * span / (n + 1.0)
        if n >= DEGREE and bound[n + 1] < tolerance and bound[n] < 10.0 * tolerance:
            return n + 1
    return 0


def plan(chunks, omega, accurate, fastest, rates, field, span, frame, tolerance):
    """chunks[c, 3] = number of substeps: the fewest for which the series converge; 0 if `fast_spin` is accurate and cheaper."""
    local, size, bound = np.empty((DEGREE, 2)), np.empty(DEGREE), np.empty(MOST_ORDER + 1)
    for c in range(chunks.shape[0]):
        group, first, last = chunks[c, 2], omega[chunks[c, 0]] - frame, omega[chunks[c, 1] - 1] - frame
        low, high = min(abs(first), abs(last)) if first * last > 0.0 else 0.0, max(abs(first), abs(last))
        if accurate[c] and low > FAST_RATIO * fastest and low * span > MOST_ROTATION:
            chunks[c, 3] = 0
            continue
        rate = high + max(rates[group, 0], rates[group, 1])
        substeps, order = 1, 0
        while substeps * LONGEST_SUBSTEP < rate * span:
            substeps *= 2
        while order == 0 and substeps < 2**24:
            size[:] = 0.0
            for at in (-1.0, 1.0 - 2.0 / substeps):
                shift_polynomial(field[group], at, 2.0 / substeps, local)
                for m in range(DEGREE):
                    size[m] = max(size[m], 2.0 * math.hypot(local[m, 0], local[m, 1]))
            order = sufficient_order(rate, size, span / substeps, tolerance / substeps, bound)
            if order == 0:
                substeps *= 2
        chunks[c, 3] = substeps if order else -1  # -1: no series reaches the tolerance


def truncate_field(rate, field, span, tolerance, bound):
    """Return how many coefficients of the field matter within `tolerance` in a step of length `span`; write to `bound`[m] what
    the coefficients from m on contribute at most, with which `taylor_series` ends its sum."""
    terms, total = 1, 0.0
    for m in range(DEGREE - 1, -1, -1):
        total += 2.0 * span * math.hypot(field[m, 0], field[m, 1])
        bound[m] = total
        if total > tolerance and terms == 1:
            terms = m + 1
    bound[0] += span * rate
    return terms


def order_terms(scale, gamma_1, first, field, own, at, total):
    """The Taylor coefficients that follow the last TERMS ones, also summed over spins; return their mean square."""
    square = 0.0
    for lane in range(LANES):
        i = 3 * LANES * (TERMS - 1) + lane
        net_gain = first * own[2 * LANES + lane]
        u, v, w = free_terms(own[lane], own[LANES + lane], gamma_1, net_gain, at[i], at[i + LANES], at[i + 2 * LANES])
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
    add_lanes(at[3 * LANES * TERMS : 3 * LANES * (TERMS + 1)], total)
    return square / LANES


def add_lanes(row, total):
    """Add the three components of LANES spins to `total`, VECTOR partial sums for each component."""
    for k in range(3):
        for j in range(VECTOR):
            value = total[k * VECTOR + j]
            for i in range(LANES // VECTOR):
                value += row[k * LANES + i * VECTOR + j]
            total[k * VECTOR + j] = value


def taylor_series(terms, span, gamma_1, field, bound, tolerance, own, taylor, totals, norms):
    """Taylor coefficients of a block in units of `span`; return the order from which on all are below the tolerance."""
    for n in range(MOST_ORDER):
        scale, first = span / (n + 1.0), 1.0 if n == 0 else 0.0
        reach = min(n + 1, terms)
        at = taylor[3 * LANES * (n + 1 - reach) : 3 * LANES * (n + 2)]
        norms[n + 1] = math.sqrt(next_order(reach, scale, gamma_1, first, field, own, at, totals[n + 1]))
        remainder = 0.0
        for m in range(min(n + 2, terms)):
            remainder += bound[m] * norms[n + 1 - m]
        if remainder < tolerance * (n + 2.0) and norms[n + 1] < 10.0 * tolerance:
            return n + 1
    return MOST_ORDER


def load(source, omega, first, count, frame, rates, impulse, own, taylor, total):
    """The states of a block after the impulse of the last step, and its `own` detuning, Gamma_perp and net gain."""
    for lane in range(LANES):
        u, v, w = 0.0, 0.0, 0.0
        own[lane], own[LANES + lane], own[2 * LANES + lane] = 0.0, 0.0, 0.0
        if lane < count:
            x, y, z = source[0, first + lane], source[1, first + lane], source[2, first + lane]
            u, v, w = field_terms(impulse[0], impulse[1], x, y, z)
            u, v, w = x + u, y + v, z + w
            own[lane], own[LANES + lane], own[2 * LANES + lane] = omega[first + lane] - frame, rates[0], rates[2]
        taylor[lane], taylor[LANES + lane], taylor[2 * LANES + lane] = u, v, w
    add_lanes(taylor, total)


def correct_self_field(span, rates, own, taylor):
    """Self-field correction of fast spins (methods page, after 6.9): the share of it that the polynomial misses."""
    for lane in range(LANES):
        missed = unresolved(0.5 * abs(own[lane]) * span)
        x, y, z = taylor[lane], taylor[LANES + lane], taylor[2 * LANES + lane]
        own[lane] -= missed * rates[3] * z
        own[LANES + lane] += missed * rates[4] * z
        own[2 * LANES + lane] += missed * 4.0 * rates[4] * (x * x + y * y)


def unresolved(angle):
    """Share of exp(i angle x) on -1..1 that DEGREE Legendre coefficients do not represent, interpolated in a table."""
    at = min(angle, 63.9) * 16.0
    i = int(at)
    return UNRESOLVED[i] + (at - i) * (UNRESOLVED[i + 1] - UNRESOLVED[i])


def store_end(order, count, taylor, end, first):
    """Write the states at the end of a substep: sums of the coefficients, four orders at a time."""
    taylor[3 * LANES * (order + 1) : 3 * LANES * (order + 4)] = 0.0
    for n in range(1, order + 1, 4):
        at = taylor[3 * LANES * n : 3 * LANES * (n + 4)]
        for i in range(3 * LANES):
            taylor[i] += (at[i] + at[i + 3 * LANES]) + (at[i + 6 * LANES] + at[i + 9 * LANES])
    for k in range(3):
        for lane in range(count):
            end[k, first + lane] = taylor[k * LANES + lane]


def store_singles(order, count, at, taylor, out, row, index, first):
    """Write single spins at sigma = `at`."""
    for lane in range(count):
        for k in range(3):
            value = 0.0
            for n in range(order, -1, -1):
                value = value * at + taylor[(3 * n + k) * LANES + lane]
            out[k, row, index[first + lane]] = value


def project(order, substep, substeps, sums, nodes, moments):
    """Add the contribution of one substep, with Taylor coefficients `sums`, to the Legendre coefficients over the step."""
    for q in range(nodes.shape[0]):
        at, weight = nodes[q, 0], nodes[q, 1] / substeps
        u, v = 0.0, 0.0
        for n in range(order, -1, -1):
            u = u * at + sums[n, 0]
            v = v * at + sums[n, 1]
        add_legendre(2.0 * (substep + at) / substeps - 1.0, weight, u, v, moments)


def add_legendre(x, weight, u, v, moments):
    """Add weighted values at x to Legendre coefficients."""
    low, p = 0.0, 1.0
    for j in range(moments.shape[0]):
        factor = (2 * j + 1) * weight * p
        moments[j, 0] += factor * u
        moments[j, 1] += factor * v
        low, p = p, ((2 * j + 1) * x * p - j * low) / (j + 1)


def sums_at(order, at, substeps, sums, integrals, out):
    """Sums over spins at sigma = `at` of a substep, and their integrals since the step began, in units of the step."""
    out[:] = 0.0
    for n in range(order, -1, -1):
        for k in range(3):
            out[k] = out[k] * at + sums[n, k]
        for k in range(2):
            out[3 + k] = (out[3 + k] + sums[n, k] / (n + 1)) * at
    for k in range(2):
        out[3 + k] = integrals[k] + out[3 + k] / substeps


def advance_fast(
    chunk, rates, omega, start, end, impulse, values, levels, span, frame, nodes, moments, times, at_times, singles, row, index
):  # fmt: skip
    """Advance a chunk of fast spins; `values`, `levels`: field and integral of |field|^2 at 0, the nodes, the times and 1."""
    group = chunk[2]
    gamma_1 = rates[group, 1]
    last = values.shape[1] - 1
    for i in range(chunk[0], chunk[1]):
        x, y, z = start[0, i], start[1, i], start[2, i]
        u, v, w = field_terms(impulse[group, 0], impulse[group, 1], x, y, z)
        x, y, z = x + u, y + v, z + w
        detuning, gamma_perp = omega[i] - frame - rates[group, 3] * z, rates[group, 0] + rates[group, 4] * z
        fall = 2.0 * gamma_perp * span
        mean_decay = -math.expm1(-fall) / fall if fall > 0.0 else 1.0
        net_gain = rates[group, 2] + 4.0 * rates[group, 4] * (x * x + y * y) * mean_decay
        first = values[group, 0]
        for q in range(last + 1):
            if q == 0:
                t = 0.0
            elif q <= nodes.shape[0]:
                t = nodes[q - 1, 0]
            else:
                t = times[q - 1 - nodes.shape[0]] if q < last else 1.0
            rotating, adiabatic, w = fast_spin(
                detuning, gamma_perp, gamma_1, net_gain, first, values[group, q], levels[group, q], t * span, x, y, z
            )
            if q == 0:
                rotating_0, adiabatic_0 = rotating, adiabatic
            elif q <= nodes.shape[0]:
                add_legendre(2.0 * t - 1.0, nodes[q - 1, 1], adiabatic.real, adiabatic.imag, moments)
            elif q < last:
                m = q - 1 - nodes.shape[0]
                s, rate = rotating + adiabatic, -complex(gamma_perp, detuning)
                integral = (rotating - rotating_0) / (rate * span) + (adiabatic_0 + adiabatic) * (t / 2.0)
                at_times[m, 0] += s.real
                at_times[m, 1] += s.imag
                at_times[m, 2] += w
                at_times[m, 3] += integral.real
                at_times[m, 4] += integral.imag
                if singles.shape[2]:
                    singles[0, row + m, index[i]], singles[1, row + m, index[i]] = s.real, s.imag
                    singles[2, row + m, index[i]] = w
            else:
                s = rotating + adiabatic
                end[0, i], end[1, i], end[2, i] = s.real, s.imag, w
                add_rotation(rotating_0, rotating, complex(gamma_perp, detuning) * span, moments)


def add_rotation(begin, end, angle, moments):
    """Add Legendre coefficients of exp(-angle t) from `begin` to `end`, by I_j+1 = I_j-1 + (2j + 1) 2 / angle I_j."""
    before, now = (begin - end) / angle, -(begin + end) / angle
    now += 2.0 / angle * before
    for j in range(moments.shape[0]):
        moments[j, 0] += (2 * j + 1) * before.real
        moments[j, 1] += (2 * j + 1) * before.imag
        before, now = now, before + (2 * j + 3) * 2.0 / angle * now


def advance_series(
    chunk, tolerance, rates, omega, start, end, impulse, field, span, frame, nodes, moments, times, at_times, singles, row,
    index,
):  # fmt: skip
    """Advance a chunk of spins substep by substep, with the tolerance of their Taylor series."""
    begin, stop, group, substeps = chunk[0], chunk[1], chunk[2], chunk[3]
    taylor, own, norms = np.empty(3 * LANES * (MOST_ORDER + 5)), np.empty(3 * LANES), np.empty(MOST_ORDER + 1)
    local, bound, pending = np.empty((DEGREE, 2)), np.empty(DEGREE), impulse[group].copy()
    totals, sums, integrals = np.empty((MOST_ORDER + 1, 3 * VECTOR)), np.empty((MOST_ORDER + 1, 3)), np.zeros(2)
    rate = max(abs(omega[begin] - frame), abs(omega[stop - 1] - frame)) + max(rates[group, 0], rates[group, 1])
    self_field = rate * span > 1.0 and (rates[group, 3] != 0.0 or rates[group, 4] != 0.0)
    norms[0], done = 1.0, 0
    for substep in range(substeps):
        shift_polynomial(field[group], 2.0 * substep / substeps - 1.0, 2.0 / substeps, local)
        terms = truncate_field(rate, local, span / substeps, tolerance, bound)
        upto, highest = done, 0
        while upto < times.size and (times[upto] * substeps <= substep + 1 or substep == substeps - 1):
            upto += 1
        totals[:] = 0.0
        for i in range(begin, stop, LANES):
            count = min(LANES, stop - i)
            load(start if substep == 0 else end, omega, i, count, frame, rates[group], pending, own, taylor, totals[0])
            if self_field:
                correct_self_field(span, rates[group], own, taylor)
            order = taylor_series(terms, span / substeps, rates[group, 1], local, bound, tolerance, own, taylor, totals, norms)
            highest = max(highest, order)
            if singles.shape[2]:
                for q in range(done, upto):
                    store_singles(order, count, times[q] * substeps - substep, taylor, singles, row + q, index, i)
            store_end(order, count, taylor, end, i)
        pending[:] = 0.0
        for n in range(highest + 1):
            for k in range(3):
                sums[n, k] = totals[n, k * VECTOR : (k + 1) * VECTOR].sum()
        project(highest, substep, substeps, sums, nodes, moments)
        for q in range(done, upto):
            sums_at(highest, times[q] * substeps - substep, substeps, sums, integrals, at_times[q])
        for n in range(highest + 1):
            for k in range(2):
                integrals[k] += sums[n, k] / ((n + 1) * substeps)
        done = upto


def sweep(
    first, last, chunks, tolerance, rates, omega, start, end, impulse, field, values, levels, span, frame, nodes, moments,
    times, at_times, singles, row, index,
):  # fmt: skip
    """Advance the spins of some chunks from `start` through a step to `end`; see `sweep.Population.sweep`."""
    for c in range(first, last):
        moments[c], at_times[c] = 0.0, 0.0
        if chunks[c, 3] < 0:
            moments[c] = np.nan
        elif chunks[c, 3] == 0:
            advance_fast(chunks[c], rates, omega, start, end, impulse, values, levels, span, frame, nodes, moments[c], times,
                         at_times[c], singles, row, index)  # fmt: skip
        else:
            advance_series(chunks[c], tolerance / chunks[c, 3], rates, omega, start, end, impulse, field, span, frame, nodes,
                           moments[c], times, at_times[c], singles, row, index)  # fmt: skip
