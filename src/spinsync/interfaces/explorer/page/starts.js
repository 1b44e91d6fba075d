// Starts of two groups whose end is known: Python tells what the mean vectors of the groups lead to, and spins of one group
// are equal, so that their mean moves as one spin does, wherever the single spins are, (3.1) to (3.4).

import { random } from "./motion.js";

// x and y of the mean of each group. WEAK: the random coherence from which `ss.regime` starts; COMMON: that of two_groups.py.
const WEAK = [[-0.00413961, -0.00481379], [0.00599082, -0.00497262]], COMMON = [[0.8, 0, 0], [0.8, 0.1, 0]];

// random heights of `count` pairs, all over the ball, with the mean height of a spin at rest
function heights(count, rest, uniform) {
  const power = (1 - rest) / (1 + rest); // u^p of uniform u has the mean 1/(1 + p)
  const z = Array.from({ length: count }, () => 2 * uniform() ** power - 1), mean = z.reduce((sum, one) => sum + one, 0) / count;
  const end = mean > rest ? -1 : 1, share = (rest - mean) / (end - mean); // what chance has added is taken away
  return z.map((one) => one + share * (end - one));
}

// Random places all over the ball, two and two at opposite sides of the axis; then all of a group are moved a little to one side.
export function weakStart(motion, seed) {
  const uniform = random(seed), turn = 2 * Math.PI * uniform(), [c, s] = [Math.cos(turn), Math.sin(turn)];
  for (let a = 0; a < motion.groups; a++) {
    const { net, along } = motion.rates[a], from = motion.first[a], count = motion.first[a + 1] - from;
    const rest = net / along, pairs = count >> 1, z = heights(pairs, rest, uniform), [u, v] = WEAK[a];
    for (let k = 0, azimuth = 0; k < count; k++) {
      azimuth = k % 2 ? azimuth + Math.PI : 2 * Math.PI * uniform();
      const height = z[k >> 1] ?? rest; // who has no partner begins at rest
      const across = k < 2 * pairs ? Math.max(0, Math.sqrt(1 - height * height) - Math.hypot(u, v)) : 0;
      motion.x[from + k] = across * Math.cos(azimuth) + c * u - s * v;
      motion.y[from + k] = across * Math.sin(azimuth) + s * u + c * v;
      motion.z[from + k] = height;
    }
  }
  motion.measure();
}

export function commonStart(motion) {
  for (let i = 0; i < motion.count; i++) [motion.x[i], motion.y[i], motion.z[i]] = COMMON[motion.owner[i]];
  motion.measure();
}
