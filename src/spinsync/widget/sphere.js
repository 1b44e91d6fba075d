// The Bloch sphere: ball, spins with trails, mean field.

const BACK_OPACITY = 0.35; // of spins at the back of the sphere
const HALF_WIDTH = 1.22; // from the centre of the sphere to the edge of the canvas, in radii of the sphere
const TRAIL = { frames: 40, segments: 50000, pixels: 250000 }; // limits: frames of a trail; segments and pixels of one image

const THEMES = {
  light: { page: "#ffffff", ball: "#f4f6f8", line: "#8a929b", text: "#30363d", strong: "#000000" },
  dark: { page: "#15191e", ball: "#20262d", line: "#808a95", text: "#c9d1d9", strong: "#ffffff" },
};

const inTheme = (colour, theme) => (colour === "#000000" ? theme.strong : colour);

// the theme of the page, from the brightness of its text: light text means a dark theme
function themeOf(element) {
  const c = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  c.fillStyle = getComputedStyle(element).color; // a canvas parses every colour syntax
  c.fillRect(0, 0, 1, 1);
  const [r, g, b] = c.getImageData(0, 0, 1, 1).data;
  return 0.299 * r + 0.587 * g + 0.114 * b > 128 ? "dark" : "light";
}

// mean distance of spins between two times, estimated from about a hundred of them
function meanStep(run, frame) {
  const k = clamp(frame, 1, run.frames - 1), stride = Math.ceil(run.spins / 100), v = run.vectors;
  let sum = 0, count = 0;
  for (let s = 0; s < run.spins && run.frames > 1; s += stride, count++) {
    const i = 3 * (k * run.spins + s), j = i - 3 * run.spins;
    sum += Math.hypot(v[i] - v[j], v[i + 1] - v[j + 1], v[i + 2] - v[j + 2]);
  }
  return sum / Math.max(1, count);
}

class Sphere {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.resetView();
  }

  resetView() {
    Object.assign(this, { azimuth: -50, elevation: 22, zoom: 1, stale: true });
  }

  rotate(azimuth, elevation) {
    this.azimuth += azimuth;
    this.elevation = clamp(this.elevation + elevation, -90, 90);
    this.stale = true;
  }

  scale(factor) {
    this.zoom = clamp(this.zoom * factor, 0.5, 8);
    this.stale = true;
  }

  resize(side, ratio) {
    const size = Math.max(2, Math.round(side * ratio));
    if (size === this.size && ratio === this.ratio) return;
    [this.size, this.ratio, this.stale] = [size, ratio, true];
    this.canvas.width = this.canvas.height = size;
    this.pixels = new Pixels(size, size);
  }

  // the rotation matrix; its rows point to the right, up, and towards the viewer
  project() {
    const a = (this.azimuth * Math.PI) / 180, e = (this.elevation * Math.PI) / 180;
    const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
    this.matrix = [-sa, ca, 0, -se * ca, -se * sa, ce, ce * ca, ce * sa, se];
    this.radius = (this.size * this.zoom) / (2 * HALF_WIDTH);
  }

  point(x, y, z) {
    const m = this.matrix, c = this.size / 2;
    return [
      c + this.radius * (m[0] * x + m[1] * y), c - this.radius * (m[3] * x + m[4] * y + m[5] * z),
      m[6] * x + m[7] * y + m[8] * z,
    ];
  }

  stroke(points, colour, width, alpha = 1) {
    const c = this.context;
    Object.assign(c, { strokeStyle: colour, lineWidth: width * this.ratio, globalAlpha: alpha });
    c.beginPath();
    for (const [x, y] of points) c.lineTo(x, y);
    c.stroke();
    c.globalAlpha = 1;
  }

  // everything independent of time: ball, equator, two meridians, axes; `key`: phase -> colour of the equator
  drawBackground(theme, key) {
    const c = this.context, centre = this.size / 2;
    this.project();
    c.fillStyle = theme.page;
    c.fillRect(0, 0, this.size, this.size);
    c.beginPath();
    c.arc(centre, centre, this.radius, 0, 2 * Math.PI);
    Object.assign(c, { fillStyle: theme.ball, strokeStyle: theme.line, lineWidth: this.ratio, lineCap: "butt" });
    c.fill();
    c.stroke();
    const circles = [(u, v) => [u, v, 0], (u, v) => [u, 0, v], (u, v) => [0, u, v]];
    for (const circle of circles)
      for (let i = 0; i < 72; i++) {
        const ends = [i, i + 1].map((k) => this.point(...circle(Math.cos((k * Math.PI) / 36), Math.sin((k * Math.PI) / 36))));
        const front = ends[0][2] + ends[1][2] > 0;
        if (key && circle === circles[0]) this.stroke(ends, key(((i + 0.5) * Math.PI) / 36), 3, front ? 1 : 0.5);
        else this.stroke(ends, theme.line, 0.8, front ? 0.75 : 0.25);
      }
    Object.assign(c, { font: `italic ${14 * this.ratio}px serif`, textAlign: "center", textBaseline: "middle" });
    for (const [name, ...axis] of [["x", 1, 0, 0], ["y", 0, 1, 0], ["z", 0, 0, 1]]) {
      this.stroke([[centre, centre], this.point(...axis)], theme.line, 0.8, 0.9);
      const [x, y] = this.point(...axis.map((v) => 1.11 * v));
      c.fillStyle = theme.text;
      c.fillText(name, x, y);
    }
    for (const ring of this.rings ?? []) this.ring(ring);
    this.background = new Uint32Array(c.getImageData(0, 0, this.size, this.size).data.buffer);
    this.stale = false;
  }

  // a limit cycle: a circle around the axis, from which a part at the back of the sphere is told by its weaker line
  ring({ radius, height, colour, dash = [] }) {
    const c = this.context, count = 144, points = Array.from({ length: count + 1 }, (_, k) => {
      const azimuth = (2 * Math.PI * k) / count;
      return this.point(radius * Math.cos(azimuth), radius * Math.sin(azimuth), height);
    });
    c.setLineDash(dash.map((length) => length * this.ratio));
    for (const front of [false, true]) {
      Object.assign(c, { strokeStyle: colour, lineWidth: 2 * this.ratio, globalAlpha: front ? 0.95 : BACK_OPACITY });
      c.beginPath();
      for (let k = 0, drawn = false; k < count; k++) {
        const seen = points[k][2] + points[k + 1][2] >= 0 === front;
        if (seen && !drawn) c.moveTo(points[k][0], points[k][1]);
        if (seen) c.lineTo(points[k + 1][0], points[k + 1][1]);
        drawn = seen;
      }
      c.stroke();
    }
    c.setLineDash([]);
    c.globalAlpha = 1;
  }

  // `run`: of run.js; with a number `crowd`, dots and trails are as large as those of so many spins, as where spins lie together
  // `rings`: limit cycles as [{radius, height, colour, dash}], the same array as long as they are the same
  draw(run, frame, { theme, colour, trails, rings }) {
    const key = colour === "phase" ? (phase) => hex(run.shades[shade(phase, run.shades.length)]) : null;
    const known = theme === this.theme && colour === this.colour && rings === this.rings;
    Object.assign(this, { theme, colour, rings });
    if (this.stale || !known) this.drawBackground(theme, key);
    this.pixels.words.set(this.background);
    this.spins(run, frame, colour, trails, theme);
    this.context.putImageData(this.pixels.image, 0, 0);
    this.arrow(run, frame, theme);
  }

  // write canvas coordinates, depth and azimuth of all spins at a fractional frame into `out`
  projectSpins(run, frame, out) {
    const k = Math.floor(frame), f = frame - k, v = run.vectors, n = run.spins;
    const [a, b, , d, e, g, p, q, r] = this.matrix, c = this.size / 2;
    let i = 3 * n * k;
    const next = k + 1 < run.frames ? 3 * n : 0;
    for (let s = 0; s < n; s++, i += 3) {
      const j = i + next;
      const x = v[i] + f * (v[j] - v[i]), y = v[i + 1] + f * (v[j + 1] - v[i + 1]), z = v[i + 2] + f * (v[j + 2] - v[i + 2]);
      out.x[s] = c + this.radius * (a * x + b * y);
      out.y[s] = c - this.radius * (d * x + e * y + g * z);
      out.depth[s] = p * x + q * y + r * z;
      if (out.azimuth) out.azimuth[s] = Math.atan2(y, x);
    }
  }

  spins(run, frame, colour, trails, theme) {
    const n = run.spins, { pixels, ratio } = this, buffer = () => new Float32Array(n);
    if (this.now?.x.length !== n) {
      [this.now, this.old, this.older] = [0, 0, 0].map(() => ({ x: buffer(), y: buffer(), depth: buffer() }));
      [this.now.azimuth, this.fill] = [buffer(), new Uint32Array(n)];
    }
    const { now, fill } = this;
    this.projectSpins(run, frame, now);
    const own = run.colours.map((colour) => word(inTheme(colour, theme))), shades = run.shades.length;
    for (let s = 0; s < n; s++)
      fill[s] = colour === "phase"
        ? run.shades[shade(now.azimuth[s], shades)]
        : own[run.owner[s]];
    if (trails) this.trails(run, frame);
    const radius = ratio * clamp(7 - 1.4 * Math.log10(run.crowd ?? n), 1.6, 6);
    if (radius !== pixels.radius) pixels.setRadius((pixels.radius = radius));
    for (const front of [false, true])
      for (let s = 0; s < n; s++)
        if (now.depth[s] >= 0 === front) pixels.dot(now.x[s], now.y[s], fill[s], clamp(0.8 + 0.5 * now.depth[s], BACK_OPACITY, 1));
  }

  // lines between successive times, fading with age
  trails(run, frame) {
    const n = run.spins, last = Math.floor(frame), crowd = run.crowd ?? n;
    const half = this.ratio * (crowd > 300 ? 0.4 : run.crowd && crowd < 30 ? 1.3 : 0.8), strength = n > 300 ? 0.5 : 0.8;
    const stride = Math.max(1, Math.floor(n / crowd / 4)); // of many trails in one place a few are drawn, so that they fade
    const segment = this.radius * meanStep(run, last) * (2 * half + 1); // pixels of one segment
    const length = clamp(TRAIL.pixels / (n * segment), 0.5, Math.min(TRAIL.frames, TRAIL.segments / n));
    const first = Math.max(0, Math.ceil(last - length));
    this.projectSpins(run, first, this.older);
    for (let k = first + 1; k <= last + 1; k++) {
      const [from, to] = [this.older, k > last ? this.now : this.old];
      if (k <= last) this.projectSpins(run, k, to);
      const opacity = strength * clamp(1 - (frame - k) / length, 0, 1);
      for (let s = 0; s < n; s += stride) {
        const depth = clamp((to.depth[s] + 1) / 2, 0, 1);
        const seen = opacity * (BACK_OPACITY + (1 - BACK_OPACITY) * depth);
        this.pixels.line(from.x[s], from.y[s], to.x[s], to.y[s], this.fill[s], seen, half);
      }
      if (k <= last) [this.older, this.old] = [to, from];
    }
  }

  // the mean field: a horizontal arrow from the axis at the height of the mean inversion
  arrow(run, frame, theme) {
    const k = Math.floor(frame), f = frame - k, next = Math.min(k + 1, run.frames - 1);
    const [x, y, z] = [0, 1, 2].map((i) => run.mean[3 * k + i] + f * (run.mean[3 * next + i] - run.mean[3 * k + i]));
    const length = Math.hypot(x, y), head = Math.min(0.1, length / 2), tail = this.point(0, 0, z), tip = this.point(x, y, z);
    const barb = (side) => {
      const [u, v] = [x / length, y / length];
      return this.point(x - head * (u + side * 0.45 * v), y - head * (v - side * 0.45 * u), z);
    };
    for (const [colour, width] of [[theme.page, 5], [theme.strong, 2.2]]) {
      this.context.lineCap = this.context.lineJoin = "round";
      this.stroke([tail, tip], colour, width);
      if (length > 1e-3) this.stroke([barb(1), tip, barb(-1)], colour, width);
    }
  }
}

