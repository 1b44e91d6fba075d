// What two groups did in the last time, measured at the motion that is shown: whether one overtook the other, and how fast each
// turned. Nothing is said before it is clear, nor while the hand of a group is so short that its direction means nothing.

const EVERY = 0.05; // of time between two samples
const LONGEST = 20, SHORTEST = 6, CALM = 10; // time that is looked at: at most, at least, and at least to say that nobody passes
const FAINT = 0.005; // length of a hand below which it has no direction
const DRIFT = 0.2; // radians that an angle which stays may differ between the halves of the time
const STILL = 0.05; // radians within which an angle does not swing
const CHANGE = 0.03; // difference of mean speeds up to which they count as steady
const TURN = 2 * Math.PI;

const wrapped = (angle) => angle - TURN * Math.round(angle / TURN);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export class Laps {
  constructor() {
    this.forget();
  }

  // after a kick, a start, or a changed value: what was seen before does not count
  forget() {
    Object.assign(this, { samples: [], last: null });
  }

  // after each step of the motion; angles are counted as the groups' own frequencies are, from the mean of these
  push(motion) {
    if (motion.groups !== 2) return;
    const { time, common } = motion, angles = [0, 1].map((a) => Math.atan2(motion.meanY[a], motion.meanX[a]));
    const { last } = this, turned = (a) => last.turned[a] + wrapped(angles[a] - last.angles[a]) - common * (time - last.time);
    this.last = { time, angles, turned: last ? [turned(0), turned(1)] : [0, 0] };
    if (this.samples.length && time < this.samples.at(-1).time + EVERY) return;
    const [a, b] = this.last.turned, short = Math.min(motion.groupOrder(0), motion.groupOrder(1));
    this.samples.push({ time, a, b, apart: a - b, short });
    if (this.samples.length > (2 * LONGEST) / EVERY) this.samples.shift();
  }

  // {every, first, speeds}: the time between two meetings (0: they do not meet), whether A overtakes, and the mean speeds, null
  // where they still change; null if it is not clear
  seen() {
    const { samples } = this;
    if (samples.length < 2) return null;
    const end = samples.at(-1), long = Math.min(LONGEST, (end.time - samples[0].time) / 2); // a start is not what goes on
    const late = samples.filter(({ time }) => time >= end.time - long);
    if (long < SHORTEST || late.some(({ short }) => short < FAINT)) return null;
    const half = late.length >> 1, gained = [late[half].apart - late[0].apart, end.apart - late[half].apart];
    const whole = Math.floor(Math.abs(gained[0] + gained[1]) / TURN);
    if (whole >= 2 && gained.every((one) => one * Math.sign(end.apart - late[0].apart) > TURN / 2)) {
      const begin = late.find(({ apart }) => Math.abs(end.apart - apart) <= TURN * whole), lasted = end.time - begin.time;
      return { every: lasted / whole, first: end.apart > begin.apart, speeds: speeds(begin, end) };
    }
    const angles = late.map(({ apart }) => apart), [one, other] = [angles.slice(0, half), angles.slice(half)].map(mean);
    const width = Math.max(...angles) - Math.min(...angles);
    if (long < CALM || width >= TURN || Math.abs(one - other) > DRIFT) return null;
    const marks = width < STILL ? [late[0], late[half], end] : swings(late, mean(angles));
    return { every: 0, first: false, speeds: steady(marks) };
  }
}

// mean speeds of both groups between two samples
const speeds = (begin, end) => [(end.a - begin.a) / (end.time - begin.time), (end.b - begin.b) / (end.time - begin.time)];

// mean speeds from the first to the last of some samples, null if those before and after the middle one differ
function steady(marks) {
  if (marks.length < 3) return null;
  const middle = marks[marks.length >> 1], found = speeds(marks[0], marks.at(-1));
  const [one, other] = [speeds(marks[0], middle), speeds(middle, marks.at(-1))];
  return one.some((speed, a) => Math.abs(speed - other[a]) > CHANGE) ? null : found;
}

// the samples at which the angle passes its mean upwards: whole swings lie between them
const swings = (late, middle) => late.filter(({ apart }, k) => k && apart >= middle && late[k - 1].apart < middle);
