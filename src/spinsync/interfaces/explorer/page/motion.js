// The mean-field motion of some hundred spins, in the browser. Each spin is a Bloch vector m = (x, y, z) with its own
// frequency; spins of a group share their rates and feel the same field. Rates, frequencies and 1/time are in units of kappa + gamma.
// Equation numbers are those of docs/theory.md; the tests compare the motion with `spinsync.evolve(..., each=True)`.

const ACCURACY = 0.05; // largest substep, in units of 1/(fastest rate)
const FAINT = 0.02; // order parameter of a group that a changed model begins with at least; see `nudge`
const SHUFFLE = 20251110; // seed of the order in which frequencies are dealt out to spins

// a generator of uniform numbers in [0, 1) (mulberry32): the same seed gives the same motion on every machine
export function random(seed) {
  let state = (seed | 0) ^ 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// inverse of the normal distribution (P. J. Acklam's rational approximation), relative error below 1.2e-9
export function normalQuantile(p) {
  const ratio = (u, above, below) => above.reduce((sum, c) => sum * u + c, 0) / below.reduce((sum, c) => sum * u + c, 0);
  const tail = (q) => ratio(
    Math.sqrt(-2 * Math.log(q)),
    [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783],
    [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
  );
  if (p < 0.02425) return tail(p);
  if (p > 1 - 0.02425) return -tail(1 - p);
  const q = p - 0.5;
  return q * ratio(
    q * q,
    [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239],
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
  );
}

// V e^{i theta} with theta in units of pi, as [real, imaginary]
const polar = (V, theta) => [V * Math.cos(Math.PI * theta), V * Math.sin(Math.PI * theta)];

// The model behind the sliders of a picture. `spread`: standard deviation of Gaussian own frequencies; `width`: half width of
// uniform ones; `coupling`: the matrix C_ab row by row, each entry as [real, imaginary].
export function model(kind, values) {
  const { V = 0, theta = 0, r = 1, dephasing = 0, spread = 0, detuning = 0, width = 0, alike = true } = values;
  const none = { weight: 1, gain: 0, damping: 0, dephasing: 0, frequency: 0, spread: 0 };
  const open = { ...none, gain: r / (1 + r), damping: 1 / (1 + r) }, inside = polar(V, theta);
  if (kind === "alone") return { groups: [{ ...none, frequency: 1, spread: width }], coupling: [[0, 0]] };
  if (kind === "coupled") return { groups: [none], coupling: [inside] };
  if (kind === "dissipating") return { groups: [open], coupling: [[0, 0]] };
  if (kind === "one") return { groups: [{ ...open, dephasing, spread }], coupling: [inside] };
  if (kind !== "two") throw new RangeError(`no model is called ${kind}`);
  const across = alike ? inside : polar(values.V_cross ?? V, values.theta_cross ?? theta);
  const half = { ...open, weight: 0.5, dephasing, spread };
  return {
    groups: [{ ...half, frequency: detuning / 2 }, { ...half, frequency: -detuning / 2 }],
    coupling: [inside, across, across, inside],
  };
}

// a random order of 0 ... count - 1
function shuffled(count, uniform) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

export class Motion {
  // `accuracy`: largest substep in units of 1/(fastest rate); smaller only in tests of the method's order
  constructor(count, model, seed = 0, accuracy = ACCURACY) {
    const table = () => new Float64Array(count);
    Object.assign(this, { count, accuracy, time: 0, held: -1, common: 0, groups: 0 });
    Object.assign(this, { x: table(), y: table(), z: table(), frequency: table(), owner: new Uint16Array(count) });
    this.slopes = [0, 1, 2, 3].map(() => [table(), table(), table()]); // of the four stages of a Runge-Kutta step
    this.trial = [table(), table(), table()];
    this.set(model);
    this.randomize(seed);
  }

  // change the model and go on from the present state
  set(model) {
    const { groups, coupling } = model, known = this.groups > 0;
    if (groups.length !== this.groups) this.arrange(groups.map((group) => group.weight));
    this.rates = groups.map(({ gain, damping, dephasing }) => ({
      net: gain - damping, along: gain + damping, across: (gain + damping) / 2 + dephasing, // Gamma_1 and Gamma_perp, (1.2)
    }));
    this.coupling = Float64Array.from(coupling.flat());
    for (let i = 0; i < this.count; i++) {
      const { frequency, spread } = groups[this.owner[i]], share = this.share[i];
      this.frequency[i] = frequency + (spread ? spread * normalQuantile(share) : 0);
    }
    if (known) this.nudge();
  }

  // deal the spins out to groups: spins `first[a]` to `first[a + 1]` are those of group a
  arrange(weights) {
    this.groups = weights.length;
    this.weights = Float64Array.from(weights);
    let sum = 0;
    this.first = [0, ...weights.map((weight) => Math.round((sum += weight) * this.count))];
    [this.meanX, this.meanY, this.meanZ, this.fieldX, this.fieldY] = [0, 1, 2, 3, 4].map(() => new Float64Array(this.groups));
    this.share = new Float64Array(this.count); // (k + 1/2)/N of a distribution, in random order
    for (let a = 0; a < this.groups; a++) {
      const [from, to] = [this.first[a], this.first[a + 1]];
      shuffled(to - from, random(SHUFFLE + a)).forEach((k, i) => (this.share[from + i] = (k + 0.5) / (to - from)));
      this.owner.fill(a, from, to);
    }
  }

  // the fastest rate of the motion: own frequencies, fields 2|h| <= sum of |C_ab| p_b, relaxation
  fastest() {
    let rate = 0, own = 0;
    for (let i = 0; i < this.count; i++) own = Math.max(own, Math.abs(this.frequency[i] + this.common));
    for (let a = 0; a < this.groups; a++) {
      let field = 0;
      for (let b = 0; b < this.groups; b++) {
        const at = 2 * (a * this.groups + b);
        field += this.weights[b] * Math.hypot(this.coupling[at], this.coupling[at + 1]);
      }
      rate = Math.max(rate, field + this.rates[a].along + this.rates[a].across);
    }
    return rate + own;
  }

  // classical Runge-Kutta steps of fourth order
  advance(dt) {
    const steps = Math.ceil((dt * this.fastest()) / this.accuracy - 1e-9) || 1, h = dt / steps, { x, y, z } = this;
    const [a, b, c, d] = this.slopes;
    for (let step = 0; step < steps; step++) {
      this.derivative(x, y, z, a);
      this.move(a, h / 2);
      this.derivative(...this.trial, b);
      this.move(b, h / 2);
      this.derivative(...this.trial, c);
      this.move(c, h);
      this.derivative(...this.trial, d);
      for (let i = 0; i < this.count; i++) {
        x[i] += (h / 6) * (a[0][i] + 2 * (b[0][i] + c[0][i]) + d[0][i]);
        y[i] += (h / 6) * (a[1][i] + 2 * (b[1][i] + c[1][i]) + d[1][i]);
        z[i] += (h / 6) * (a[2][i] + 2 * (b[2][i] + c[2][i]) + d[2][i]);
      }
    }
    this.time += dt;
    this.measure();
  }

  // the state after a step h along a slope, into `trial`
  move(slope, h) {
    const { x, y, z } = this, [u, v, w] = this.trial;
    for (let i = 0; i < this.count; i++) {
      u[i] = x[i] + h * slope[0][i];
      v[i] = y[i] + h * slope[1][i];
      w[i] = z[i] + h * slope[2][i];
    }
  }

  // Equations (3.3) and (3.4) with m of (1.1): m precesses about (2 Re h, -2 Im h, omega) and relaxes, x and y at Gamma_perp,
  // z at Gamma_1 towards z0.
  derivative(x, y, z, [dx, dy, dz]) {
    this.average(x, y, z);
    this.fields();
    for (let a = 0; a < this.groups; a++) {
      const { net, along, across } = this.rates[a], bx = this.fieldX[a], by = this.fieldY[a];
      for (let i = this.first[a]; i < this.first[a + 1]; i++) {
        const omega = this.frequency[i] + this.common;
        dx[i] = by * z[i] - omega * y[i] - across * x[i];
        dy[i] = omega * x[i] - bx * z[i] - across * y[i];
        dz[i] = bx * y[i] - by * x[i] - along * z[i] + net;
      }
    }
    if (this.held >= 0) dx[this.held] = dy[this.held] = dz[this.held] = 0; // it is where the pointer is
  }

  // mean Bloch vectors of the groups
  average(x, y, z) {
    for (let a = 0; a < this.groups; a++) {
      let [sumX, sumY, sumZ] = [0, 0, 0];
      for (let i = this.first[a]; i < this.first[a + 1]; i++) {
        sumX += x[i];
        sumY += y[i];
        sumZ += z[i];
      }
      const spins = this.first[a + 1] - this.first[a] || 1;
      [this.meanX[a], this.meanY[a], this.meanZ[a]] = [sumX / spins, sumY / spins, sumZ / spins];
    }
  }

  // (3.1): h_a = sum over b of C_ab p_b s_b with s = (x - i y)/2; kept as the axis of precession (2 Re h, -2 Im h)
  fields() {
    for (let a = 0; a < this.groups; a++) {
      let bx = 0, by = 0;
      for (let b = 0; b < this.groups; b++) {
        const at = 2 * (a * this.groups + b), re = this.coupling[at], im = this.coupling[at + 1], p = this.weights[b];
        bx += p * (re * this.meanX[b] + im * this.meanY[b]);
        by += p * (re * this.meanY[b] - im * this.meanX[b]);
      }
      [this.fieldX[a], this.fieldY[a]] = [bx, by];
    }
  }

  // mean Bloch vector and order parameter R = 2 |sum of p_a s_a|, (8.1), of all spins and of each group
  measure() {
    this.average(this.x, this.y, this.z);
    let [x, y, z] = [0, 0, 0];
    for (let a = 0; a < this.groups; a++) {
      x += this.weights[a] * this.meanX[a];
      y += this.weights[a] * this.meanY[a];
      z += this.weights[a] * this.meanZ[a];
    }
    [this.mean0, this.mean1, this.mean2, this.order] = [x, y, z, Math.hypot(x, y)];
  }

  // root mean square distance of the spins from the means of their groups: 0 where all spins of a group lie at one point
  width() {
    let sum = 0;
    for (let i = 0; i < this.count; i++) {
      const a = this.owner[i], dx = this.x[i] - this.meanX[a], dy = this.y[i] - this.meanY[a], dz = this.z[i] - this.meanZ[a];
      sum += dx * dx + dy * dy + dz * dz;
    }
    return Math.sqrt(sum / this.count);
  }

  groupOrder(a) {
    return Math.hypot(this.meanX[a], this.meanY[a]);
  }

  // every spin at a random point of the sphere, or of its equator
  randomize(seed, flat = false) {
    const uniform = random(seed);
    for (let i = 0; i < this.count; i++) {
      const z = flat ? 0 : 2 * uniform() - 1, azimuth = 2 * Math.PI * uniform(), across = Math.sqrt(1 - z * z);
      [this.x[i], this.y[i], this.z[i]] = [across * Math.cos(azimuth), across * Math.sin(azimuth), z];
    }
    this.measure();
  }

  // every spin at the point (1, 0, 0)
  lineUp() {
    this.x.fill(1);
    this.y.fill(0);
    this.z.fill(0);
    this.measure();
  }

  // A kick turns all spins together about the z axis, so that the phase is another one, and then each by a random angle up to pi
  // about a random axis, which leaves about a third of the coherence. `flat`: each only about the z axis, by any angle.
  kick(seed, flat = false) {
    const uniform = random(seed), together = Math.PI * (1 / 3 + (4 / 3) * uniform());
    for (let i = 0; i < this.count; i++) {
      if (i === this.held) continue;
      this.turn(i, 0, 0, 1, flat ? 2 * Math.PI * uniform() : together);
      if (flat) continue;
      const w = 2 * uniform() - 1, azimuth = 2 * Math.PI * uniform(), across = Math.sqrt(1 - w * w);
      this.turn(i, across * Math.cos(azimuth), across * Math.sin(azimuth), w, Math.PI * uniform());
    }
    this.measure();
  }

  // turn spin i about the unit vector (u, v, w), by Rodrigues' formula
  turn(i, u, v, w, angle) {
    const x = this.x[i], y = this.y[i], z = this.z[i], c = Math.cos(angle), s = Math.sin(angle);
    const along = (1 - c) * (u * x + v * y + w * z);
    this.x[i] = c * x + s * (v * z - w * y) + along * u;
    this.y[i] = c * y + s * (w * x - u * z) + along * v;
    this.z[i] = c * z + s * (u * y - v * x) + along * w;
  }

  // Without noise, an ensemble below threshold would forget its phase altogether: |s| falls to 1e-300, and a coupling that is
  // raised again would need minutes to show. In nature quantum noise keeps a coherence of about 1/(2 sqrt N) alive. Instead of
  // it, all spins are tilted a little to one side, together, when the model changes and no group has a coherence (groups in
  // opposition do, though their mean is zero); never while it runs.
  nudge() {
    this.measure();
    const order = Math.max(...this.rates.map((_, a) => this.groupOrder(a))), damped = this.rates.every((rate) => rate.across > 0);
    if (order >= FAINT || !damped || !this.coupling.some((c) => c !== 0)) return;
    const known = this.order > FAINT / 1e4, uniform = random(Math.round(1e3 * this.time));
    const phase = known ? Math.atan2(this.mean1, this.mean0) : 2 * Math.PI * uniform(), tilt = FAINT - this.order;
    for (let i = 0; i < this.count; i++) {
      this.x[i] += tilt * Math.cos(phase);
      this.y[i] += tilt * Math.sin(phase);
      const length = Math.hypot(this.x[i], this.y[i], this.z[i]);
      if (length > 1) for (const table of [this.x, this.y, this.z]) table[i] /= length;
    }
    this.measure();
  }

  // spin i stays at a point until it is released
  hold(i, [x, y, z]) {
    this.held = i;
    [this.x[i], this.y[i], this.z[i]] = [x, y, z];
    this.measure();
  }

  release() {
    this.held = -1;
  }
}
