// Mouse and fingers on the sphere: near a dot they pull this spin, elsewhere they turn the view; two fingers zoom.

const REACH = { mouse: 9, pen: 12, touch: 16 }; // CSS pixels from a dot within which it is grabbed

export class Pointers {
  constructor(stage) {
    Object.assign(this, { stage, canvas: stage.elements.sphere, active: new Map(), pulling: null });
    const { canvas } = this;
    stage.on(canvas, "pointerdown", (event) => this.down(event));
    stage.on(canvas, "pointermove", (event) => this.move(event));
    stage.on(canvas, "pointerup pointercancel", (event) => this.up(event));
    // a finger that pulls must not scroll the page; elsewhere vertical swipes do (touch-action: pan-y)
    stage.on(canvas, "touchstart", (event) => this.pulling !== null && event.preventDefault(), { passive: false });
    stage.on(canvas, "wheel", (event) => this.wheel(event), { passive: false });
  }

  // a pointer in pixels of the canvas's own layout, which a projector shows larger
  at(event) {
    const box = this.canvas.getBoundingClientRect(), larger = box.width / this.canvas.clientWidth;
    return [(event.clientX - box.left) / larger, (event.clientY - box.top) / larger];
  }

  // the spin at a pointer, or -1: the nearest of those in front of the axis, else the nearest of those behind it
  near(event) {
    const { sphere, motion } = this.stage, { now, ratio } = sphere, reach = REACH[event.pointerType] ?? REACH.mouse;
    if (!now) return -1;
    const [x, y] = this.at(event);
    let best = -1, least = Infinity;
    for (let i = 0; i < motion.count; i++) {
      const apart = Math.hypot(now.x[i] / ratio - x, now.y[i] / ratio - y);
      const rank = apart - 2 * now.depth[i] + (now.depth[i] < 0 ? 2 * reach : 0); // of two at one place the one in front
      if (apart <= reach && rank < least) [best, least] = [i, rank];
    }
    return best;
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.active.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const spin = this.active.size === 1 ? this.near(event) : -1;
    if (spin >= 0) {
      const { motion, sphere } = this.stage, length = Math.hypot(motion.x[spin], motion.y[spin], motion.z[spin]);
      this.pulling = { spin, length, id: event.pointerId, back: sphere.now.depth[spin] < 0 };
      this.pull(event);
      this.stage.tell("touch");
    }
    this.show(event);
  }

  move(event) {
    const before = this.active.get(event.pointerId), { sphere } = this.stage;
    if (!before) return this.show(event);
    const previous = this.active.size > 1 ? this.distance() : 0;
    this.active.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pulling) this.pull(event);
    else if (this.active.size === 1) sphere.rotate(-0.4 * (event.clientX - before.x), 0.4 * (event.clientY - before.y));
    else if (previous > 0) sphere.scale(this.distance() / previous);
    this.stage.requestDraw();
  }

  up(event) {
    this.active.delete(event.pointerId);
    if (this.pulling?.id === event.pointerId) {
      this.pulling = null;
      this.stage.motion.release();
    }
    this.show(event);
    this.stage.requestDraw();
  }

  distance() {
    const [a, b] = [...this.active.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  }

  // The spin follows the pointer over the sphere of its own length; where this is too small to reach the pointer, it grows, at most
  // to the surface of the Bloch ball.
  pull(event) {
    const { sphere, motion } = this.stage, { matrix: m, radius, size, ratio } = sphere, { spin, length, back } = this.pulling;
    const [x, y] = this.at(event);
    let u = (x * ratio - size / 2) / radius, v = (size / 2 - y * ratio) / radius;
    const outside = Math.max(1, Math.hypot(u, v));
    [u, v] = [u / outside, v / outside];
    const w = Math.sqrt(Math.max(0, length * length - u * u - v * v)) * (back ? -1 : 1);
    motion.hold(spin, [0, 1, 2].map((k) => u * m[k] + v * m[3 + k] + w * m[6 + k]));
    this.stage.requestDraw();
  }

  // the cursor tells what a press would do
  show(event) {
    const pulls = this.pulling || (event.pointerType !== "touch" && this.near(event) >= 0);
    this.canvas.dataset.over = pulls ? "spin" : "view";
  }

  wheel(event) {
    if (!this.canvas.matches(":focus") && !event.ctrlKey) return; // leave scrolling alone; a pinch arrives with Ctrl
    event.preventDefault();
    this.stage.sphere.scale(Math.exp(-event.deltaY / 600));
    this.stage.requestDraw();
  }

  // a circle around the spin that is pulled
  draw() {
    if (!this.pulling) return;
    const { sphere, theme } = this.stage, { context: c, now, ratio } = sphere, { spin } = this.pulling;
    Object.assign(c, { strokeStyle: theme.strong, lineWidth: 1.5 * ratio });
    c.beginPath();
    c.arc(now.x[spin], now.y[spin], 8 * ratio, 0, 2 * Math.PI);
    c.stroke();
  }
}
