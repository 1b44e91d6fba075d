// What the spins did in the last seconds, as the record of a run that the sphere draws with trails (widget/run.js), and the
// colours of the groups: those of ss.plot.COLOURS, in the dark theme its lighter blue and orange.

export const COLOURS = { light: ["#0072b2", "#d55e00"], dark: ["#56b4e9", "#e69f00"] };

const CLOUD = 0.25; // width of a cloud of spins whose dots are told apart
const CAPACITY = 400; // times in the buffer
const TRAIL = 44; // times that are kept when the buffer is full and begins anew; at least those of a trail of sphere.js

export class History {
  constructor(motion) {
    const { count, owner } = motion;
    this.run = {
      vectors: new Float32Array(3 * CAPACITY * count), mean: new Float32Array(3 * CAPACITY), owner, colours: [], shades: [],
      frames: 0, spins: count,
    };
    this.begin(motion);
  }

  colour(colours) {
    this.run.colours = colours;
  }

  // forget everything but the present state
  begin(motion) {
    this.run.frames = 1;
    this.record(motion, false);
  }

  // The last time of the record is the present one. `commit`: it becomes a point of the trail, and a new one is the present.
  record(motion, commit) {
    const { run } = this, { vectors, mean } = run, { x, y, z, count } = motion;
    if (commit) {
      if (run.frames === CAPACITY) {
        vectors.copyWithin(0, 3 * count * (CAPACITY - TRAIL));
        mean.copyWithin(0, 3 * (CAPACITY - TRAIL));
        run.frames = TRAIL;
      }
      run.frames += 1;
    }
    // dots of spins that lie together grow, as if they were fewer; in steps, since sphere.js keeps the picture of a dot
    run.crowd = 1.25 ** Math.round(Math.log(1 + (count - 1) * Math.min(1, motion.width() / CLOUD)) / Math.log(1.25));
    let at = 3 * count * (run.frames - 1);
    for (let i = 0; i < count; i++) {
      vectors[at++] = x[i];
      vectors[at++] = y[i];
      vectors[at++] = z[i];
    }
    at = 3 * (run.frames - 1);
    mean[at++] = motion.mean0;
    mean[at++] = motion.mean1;
    mean[at] = motion.mean2;
  }
}
