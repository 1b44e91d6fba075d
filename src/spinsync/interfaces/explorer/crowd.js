// A crowd of metronomes: one clock face per spin. The hand points where the Bloch vector points, seen from above, and is as
// long as its part in the equator's plane. The last face is the average of all hands.

const SECONDS = 12; // that a whole run takes
const read = (Kind, view) => new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

function unpack(run) {
  const time = read(Float64Array, run.time);
  const hands = read(Float32Array, run.hands);
  return { ...run, time, hands, spins: hands.length / 2 / time.length };
}

class Crowd {
  constructor(model, el) {
    this.model = model;
    this.root = Object.assign(document.createElement("div"), { className: "ex-crowd" });
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.play = Object.assign(document.createElement("button"), { type: "button" });
    this.time = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1000, step: 1 });
    this.time.setAttribute("aria-label", "time");
    this.clock = document.createElement("output");
    const bar = Object.assign(document.createElement("div"), { className: "ex-bar" });
    bar.append(this.play, this.time, this.clock);
    this.root.append(this.canvas, bar);
    el.append(this.root);
    Object.assign(this, { share: 0, seen: true, last: 0 });
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.play.addEventListener("click", () => ((this.playing = !this.playing), this.turn()));
    this.time.addEventListener("input", () => ((this.share = this.time.value / 1000), (this.playing = false), this.turn()));
    this.load = this.load.bind(this);
    model.on("change:run", this.load);
    this.sight = new IntersectionObserver(([entry]) => ((this.seen = entry.isIntersecting), this.turn()));
    this.sight.observe(this.canvas);
    this.watch = new ResizeObserver(() => this.look());
    this.watch.observe(this.root);
    this.load();
    this.turn();
  }

  load() {
    this.run = unpack(this.model.get("run"));
    this.look();
  }

  end() {
    cancelAnimationFrame(this.next);
    this.sight.disconnect();
    this.watch.disconnect();
    this.model.off("change:run", this.load);
  }

  turn() {
    this.play.textContent = this.playing ? "Pause" : "Play";
    cancelAnimationFrame(this.next);
    this.last = 0;
    const step = (now) => {
      if (this.last) this.share = (this.share + (now - this.last) / 1000 / SECONDS) % 1;
      this.last = now;
      this.look();
      this.next = requestAnimationFrame(step);
    };
    if (this.playing && this.seen) this.next = requestAnimationFrame(step);
    else this.look();
  }

  look() {
    const width = this.root.clientWidth, { run } = this;
    if (!width || !run) return;
    const faces = run.spins + run.names.length, ratio = devicePixelRatio || 1;
    const columns = Math.max(1, Math.min(faces, Math.floor(width / 56))), side = Math.min(72, width / columns);
    const rows = Math.ceil(faces / columns), context = this.canvas.getContext("2d");
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(rows * side * ratio);
    this.canvas.style.height = `${rows * side}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const ink = getComputedStyle(this.root).color;
    const k = this.share * (run.time.length - 1), early = Math.floor(k), late = Math.min(early + 1, run.time.length - 1);
    const hand = (i) => [0, 1].map((c) => {
      const from = run.hands[2 * (early * run.spins + i) + c], to = run.hands[2 * (late * run.spins + i) + c];
      return from + (k - early) * (to - from);
    });
    const mean = run.names.map(() => [0, 0, 0]), place = (n) => [(n % columns) * side, Math.floor(n / columns) * side];
    for (let i = 0; i < run.spins; i += 1) {
      const [x, y] = hand(i), of = mean[run.owner[i]];
      of[0] += x;
      of[1] += y;
      of[2] += 1;
      this.face(context, ...place(i), side, x, y, run.colours[run.owner[i]], ink, 1.6);
    }
    const says = mean.map(([x, y, n], g) => {
      this.face(context, ...place(run.spins + g), side, x / n, y / n, run.colours[g], ink, 4);
      return `${run.names[g]} ${(Math.hypot(x, y) / n).toFixed(2)}`;
    });
    const t = run.time[early] + (k - early) * (run.time[late] - run.time[early]);
    this.clock.textContent = `${run.clock} = ${t.toFixed(1)},  ${says.join(",  ")}`;
    this.time.value = 1000 * this.share;
    if (!this.playing || !this.canvas.ariaLabel)
      this.canvas.ariaLabel = `${run.spins} clock faces, one per spin, and the average. ${this.clock.textContent}`;
  }

  face(context, left, top, side, x, y, colour, ink, thick) {
    const r = side * 0.42, [cx, cy] = [left + side / 2, top + side / 2];
    context.beginPath();
    context.arc(cx, cy, r, 0, 2 * Math.PI);
    Object.assign(context, { strokeStyle: ink, lineWidth: thick > 2 ? 2 : 0.6, globalAlpha: thick > 2 ? 0.9 : 0.4 });
    context.stroke();
    context.globalAlpha = 1;
    context.beginPath();
    context.moveTo(cx, cy);
    context.lineTo(cx + r * x, cy - r * y);
    Object.assign(context, { strokeStyle: colour, lineWidth: thick, lineCap: "round" });
    context.stroke();
    context.beginPath();
    context.arc(cx + r * x, cy - r * y, thick + 0.6, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }
}

export default {
  render({ model, el }) {
    const crowd = new Crowd(model, el);
    return () => crowd.end();
  },
};
