// What two groups did in the last time, measured at the motion that is shown: whether one overtook the other, and how fast each
// turned. A start is not what goes on: only the second half of what is known counts, unless one state stays. As long as this does
// not tell, what is known is by how many turns one has overtaken the other so far, and how much time the measurement takes.

const EVERY = 0.05; // of time between two samples
const LONGEST = 20; // time that is looked at, at most
const CALM = 8; // time to say that nobody passes, while the angle swings
const STAYS = 3; // time in which nothing changes where one state stays
const FAINT = 0.005; // length of a hand below which it has no direction
const FADING = 0.5; // part to which a hand has shrunk from one half of the time to the other where no rhythm goes on
const CHANGING = 0.15; // part by which a hand may change so, before all of a long time is known
const DRIFT = 0.2; // radians that an angle which stays may differ between the halves of the time
const STILL = 0.03; // radians within which an angle does not swing
const ALIKE = 0.05; // part of its length by which a hand that stays may change
const UNEVEN = 0.2; // part by which two laps may differ that go on so
const GROWTH = 1.2; // of swings from one half of the time to the other: they may end in overtaking
const CHANGE = 0.03; // difference of mean speeds up to which they count as steady
const TURN = 2 * Math.PI;

const wrapped = (angle) => angle - TURN * Math.round(angle / TURN);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const width = (values) => Math.max(...values) - Math.min(...values);

export class Laps {
  constructor() {
    this.forget();
  }

  // after a kick, a start, or a changed value: what was seen before does not count
  forget() {
    Object.assign(this, { samples: [], last: null, begun: null });
  }

  // after each step of the motion; angles are counted as the groups' own frequencies are, from the mean of these
  push(motion) {
    if (motion.groups !== 2) return;
    const { time, common } = motion, angles = [0, 1].map((a) => Math.atan2(motion.meanY[a], motion.meanX[a]));
    const { last } = this, turned = (a) => last.turned[a] + wrapped(angles[a] - last.angles[a]) - common * (time - last.time);
    this.last = { time, angles, turned: last ? [turned(0), turned(1)] : [0, 0] };
    if (this.samples.length && time < this.samples.at(-1).time + EVERY) return;
    const [a, b] = this.last.turned, hands = [motion.groupOrder(0), motion.groupOrder(1)];
    this.samples.push({ time, a, b, apart: a - b, hands });
    this.begun ??= this.samples[0];
    if (this.samples.length > (2 * LONGEST) / EVERY) this.samples.shift();
  }

  // {every, first, speeds, early}: the time between two meetings (0: they do not meet), whether A overtakes, the mean speeds, null
  // where they still change, and whether a long time is not known yet; {faint} without a direction; {turns, more} before it is clear: the turns that A has gained on B so
  // far, and the time that the measurement still takes (0: what goes on is not settled)
  seen() {
    const { samples, begun } = this;
    if (!samples.length) return { turns: 0, more: 2 * CALM };
    const end = samples.at(-1), known = end.time - samples[0].time, long = Math.min(LONGEST, known / 2);
    if (Math.min(...end.hands) < FAINT) return { faint: true };
    const late = samples.filter(({ time }) => time >= end.time - long), half = late.length >> 1;
    const longest = (some, a) => Math.max(...some.map(({ hands }) => hands[a]));
    const before = [0, 1].map((a) => longest(late.slice(0, half), a)), now = [0, 1].map((a) => longest(late.slice(half), a));
    const fading = [0, 1].some((a) => now[a] < FADING * before[a]);
    const changing = long < LONGEST && [0, 1].some((a) => Math.abs(now[a] - before[a]) > CHANGING * before[a]);
    const stays = fading || changing ? null : this.staying(end);
    const goes = fading || changing || stays ? null : overtaking(late, long) ?? (long < CALM ? null : swinging(late));
    const found = stays ?? (goes && { ...goes, early: long < LONGEST });
    const gained = (end.apart - begun.apart) / TURN;
    return found ?? { turns: Math.trunc(gained), more: Math.max(0, 2 * CALM - known) };
  }

  // one state that stays
  staying(end) {
    const late = this.samples.filter(({ time }) => time >= end.time - STAYS), [begin] = late;
    if (end.time - begin.time < STAYS - 2 * EVERY || width(late.map(({ apart }) => apart)) > STILL) return null;
    const alike = ({ hands }) => hands.every((length, a) => Math.abs(length - end.hands[a]) < ALIKE * end.hands[a]);
    return late.every(alike) ? { every: 0, first: false, speeds: speeds(begin, end) } : null;
  }
}

// laps of one direction; where they differ, as in chaos, all of a long time are counted
function overtaking(late, long) {
  const [begin, half, end] = [late[0], late[late.length >> 1], late.at(-1)], sign = Math.sign(end.apart - begin.apart);
  const whole = Math.floor(Math.abs(end.apart - begin.apart) / TURN);
  const onwards = [half.apart - begin.apart, end.apart - half.apart].every((gained) => gained * sign > TURN / 2);
  if (whole < 2 || !onwards) return null;
  const ago = (turns) => late.findLast(({ apart }) => sign * (end.apart - apart) >= TURN * turns);
  const [last, before] = [end.time - ago(1).time, ago(1).time - ago(2).time];
  if (long < LONGEST && Math.abs(last - before) > UNEVEN * last) return null;
  return { every: (end.time - ago(whole).time) / whole, first: sign > 0, speeds: speeds(ago(whole), end) };
}

// an angle that swings about one place, and not more and more
function swinging(late) {
  const angles = late.map(({ apart }) => apart), half = late.length >> 1, halves = [angles.slice(0, half), angles.slice(half)];
  const [one, other] = halves.map(mean), [before, after] = halves.map(width);
  if (width(angles) >= TURN || Math.abs(one - other) > DRIFT || after > GROWTH * before + STILL) return null;
  return { every: 0, first: false, speeds: steady(swings(late, mean(angles))) };
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
