// The widget on a page: keys, pointers, clock; what page and Python share are the traits of sphere.py.

const NATURAL = 10; // seconds that a whole run takes at speed 1
const SAYS_EVERY = 5000; // milliseconds between two announcements to a screen reader while playing

const ORDER = {
  label: () => "order parameter R",
  range: (run) => [0, clamp(1.1 * Math.max(...extremes(run.order), ...extremes(run.groupOrder)), 0.1, 1.02)],
  series: (run, theme) => [
    ...(run.groups > 1 ? columns(run, run.groupOrder, theme) : []),
    { values: (k) => run.order[k], colour: theme.strong },
  ],
};
const PHASES = {
  label: (run) => (run.groups > 1 ? "phase φ of each group" : "phase φ"),
  range: () => [-Math.PI, Math.PI],
  series: (run, theme) => columns(run, run.phase, theme),
  marks: [[-Math.PI, "−π"], [0, "0"], [Math.PI, "π"]],
  wrap: Math.PI,
};
const columns = (run, table, theme) =>
  run.colours.map((colour, g) => ({
    values: (k) => table[k * run.groups + g],
    colour: inTheme(colour, theme),
    dash: g % 2 ? [7, 4] : [], // of two equal groups both are seen
  }));
const extremes = (values) => [values.reduce((a, b) => Math.max(a, b), 0)];

class Player {
  constructor(model, el) {
    Object.assign(this, { model, el, page: parts(), ending: new AbortController(), visible: true, spent: [] });
    el.append(this.page.root);
    this.sphere = new Sphere(this.page.sphere);
    this.curves = [new Curves(this.page.order, ORDER), new Curves(this.page.phases, PHASES)];
    this.frame = model.get("frame");
    this.load();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.play(false);
    this.listen();
    this.observe();
    this.look();
  }

  load() {
    this.run = unpack(this.model.get("run"));
    this.frame = clamp(this.frame, 0, this.run.frames - 1);
    const { time } = this.page, { time: times, names, single } = this.run;
    Object.assign(time, { min: times[0], max: times[times.length - 1] });
    const marked = names.map((name, g) => [`group ${name}`, this.run.colours[g]]);
    const entries = names.length > 1 && names.length <= 12 ? [...marked, ["ensemble", "#000000"]] : [];
    this.page.legend.replaceChildren(...entries.map(([text, mark]) => {
      const entry = make("span", { textContent: text });
      entry.style.setProperty("--mark", inTheme(mark, { strong: "currentColor" }));
      return entry;
    }));
    const counted = (count, noun) => (count === 1 ? `one ${noun}` : `${count} ${noun}s`);
    const within = single && names.length > 1 ? ` in ${names.length} groups` : "";
    this.what = `Bloch sphere with ${counted(this.run.spins, single ? "spin" : "group")}${within}`;
    this.want();
  }

  // ---- traits

  set(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  look() {
    const { root, play, speed, colour, trails, sphere } = this.page, playing = this.model.get("playing");
    play.textContent = playing ? "Pause" : "Play";
    if (![...speed.options].some((o) => Number(o.value) === this.model.get("speed")))
      speed.append(make("option", { value: this.model.get("speed"), textContent: `${this.model.get("speed")}×` }));
    speed.value = this.model.get("speed");
    colour.value = this.model.get("colour");
    trails.checked = this.model.get("trails");
    root.style.setProperty("--height", `${this.model.get("height")}px`);
    root.dataset.theme = themeOf(this.el);
    this.theme = THEMES[root.dataset.theme];
    for (const [name, value] of Object.entries(this.theme)) root.style.setProperty(`--${name}`, value);
    sphere.setAttribute("aria-label", `${this.what}. ${this.describe()}`);
    this.want();
  }

  play(on) {
    if (on && this.frame >= this.run.frames - 1) this.seek(0);
    this.model.set("playing", on);
    if (!on) this.model.set("frame", this.frame);
    this.model.save_changes();
    if (!on) this.say();
  }

  seek(frame) {
    this.frame = clamp(frame, 0, this.run.frames - 1);
    clearTimeout(this.later); // while a slider is dragged, Python hears where it rests
    this.later = setTimeout(() => (this.set("frame", this.frame), this.say()), 250);
    this.want();
  }

  step(by) {
    this.seek(by > 0 ? Math.floor(this.frame + 1e-9) + by : Math.ceil(this.frame - 1e-9) + by);
  }

  // ---- events

  on(target, names, handler, options = {}) {
    for (const name of names.split(" ")) target.addEventListener(name, handler, { signal: this.ending.signal, ...options });
  }

  listen() {
    const { sphere, order, phases, play, time, speed, colour, trails } = this.page;
    this.on(play, "click", () => this.play(!this.model.get("playing")));
    this.on(time, "input", () => this.seek(frameAt(this.run.time, Number(time.value))));
    this.on(time, "keydown", (event) => this.key(event, {
      ArrowLeft: () => this.step(-1), ArrowDown: () => this.step(-1),
      ArrowRight: () => this.step(1), ArrowUp: () => this.step(1),
      PageDown: () => this.step(-10), PageUp: () => this.step(10), " ": () => this.play(!this.model.get("playing")),
    }));
    this.on(sphere, "keydown", (event) => this.key(event, {
      " ": () => this.play(!this.model.get("playing")), ",": () => this.step(-1), ".": () => this.step(1),
      Home: () => this.seek(0), End: () => this.seek(this.run.frames - 1), 0: () => this.sphere.home(),
      ArrowLeft: () => this.sphere.turn(-6, 0), ArrowRight: () => this.sphere.turn(6, 0),
      ArrowUp: () => this.sphere.turn(0, 6), ArrowDown: () => this.sphere.turn(0, -6),
      "+": () => this.sphere.scale(1.15), "=": () => this.sphere.scale(1.15), "-": () => this.sphere.scale(1 / 1.15),
    }));
    this.on(speed, "change", () => this.set("speed", Number(speed.value)));
    this.on(colour, "change", () => this.set("colour", colour.value));
    this.on(trails, "change", () => this.set("trails", trails.checked));
    this.on(sphere, "wheel", (event) => {
      if (!sphere.matches(":focus") && !event.ctrlKey) return; // who scrolls past is not held up; two fingers come as Ctrl
      event.preventDefault();
      this.sphere.scale(Math.exp(-event.deltaY / 600));
      this.want();
    }, { passive: false });
    this.turning(sphere);
    for (const curve of this.curves)
      this.on(curve.canvas, "pointerdown pointermove", (event) => {
        if (!event.buttons) return;
        if (event.type === "pointerdown") curve.canvas.setPointerCapture(event.pointerId);
        this.seek(frameAt(this.run.time, curve.time(event.offsetX)));
      });
    for (const name of ["playing", "speed", "colour", "trails", "height"]) this.hear(name, () => this.look());
    this.hear("run", () => (this.load(), this.look()));
    this.hear("frame", () => {
      this.frame = clamp(this.model.get("frame"), 0, this.run.frames - 1);
      this.want();
    });
  }

  hear(name, handler) {
    this.model.on(`change:${name}`, handler);
    this.ending.signal.addEventListener("abort", () => this.model.off(`change:${name}`, handler));
  }

  key(event, actions) {
    const action = !event.ctrlKey && !event.metaKey && !event.altKey && actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    this.want();
  }

  // one pointer turns, two zoom
  turning(canvas) {
    const fingers = new Map(), spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    this.on(canvas, "pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    this.on(canvas, "pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY }, was = fingers.size > 1 ? spread() : 0;
      fingers.set(event.pointerId, now);
      if (fingers.size === 1) this.sphere.turn(-0.4 * (now.x - before.x), 0.4 * (now.y - before.y));
      else if (was > 0) this.sphere.scale(spread() / was);
      this.want();
    });
    this.on(canvas, "pointerup pointercancel", (event) => fingers.delete(event.pointerId));
  }

  observe() {
    const seen = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      this.look(); // a host may put the widget into its page after making it
    });
    const sized = new ResizeObserver(() => this.want());
    const themed = new MutationObserver(() => {
      this.look();
      setTimeout(() => this.look(), 400); // style sheets may follow their attributes
    });
    seen.observe(this.page.root);
    sized.observe(this.page.root);
    for (const each of [document.documentElement, document.body]) themed.observe(each, { attributes: true });
    this.on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.look());
    this.on(document, "visibilitychange", () => this.want());
    this.ending.signal.addEventListener("abort", () => [seen, sized, themed].forEach((each) => each.disconnect()));
  }

  // ---- clock

  // draw at the next frame of the screen, once
  want() {
    if (this.asked || this.ending.signal.aborted) return;
    this.asked = requestAnimationFrame((now) => {
      this.asked = 0;
      this.tick(now);
    });
  }

  tick(now) {
    if (!this.visible || document.hidden) return void (this.before = undefined); // a change of either asks again
    const start = performance.now();
    if (this.model.get("playing")) this.advance(now);
    else this.before = undefined;
    this.draw();
    this.spent.push(performance.now() - start);
    if (this.spent.length > 600) this.spent.shift();
  }

  advance(now) {
    const { time, frames } = this.run, pass = Math.min(100, now - (this.before ?? now)) / 1000;
    this.before = now;
    const span = time[frames - 1] - time[0];
    this.frame = frameAt(time, between(time, this.frame) + (pass * this.model.get("speed") * span) / NATURAL);
    if (this.frame >= frames - 1) return this.play(false);
    if (now - (this.said ?? 0) > SAYS_EVERY) {
      this.said = now;
      this.say();
    }
    this.want();
  }

  draw() {
    const { run, frame, page, theme } = this, ratio = Math.min(2, window.devicePixelRatio || 1);
    const look = { theme, ratio, colour: this.model.get("colour"), trails: this.model.get("trails") };
    this.sphere.resize(page.sphere.clientWidth, ratio);
    this.sphere.draw(run, frame, look);
    for (const curve of this.curves) curve.draw(run, frame, look);
    const t = between(run.time, frame);
    page.time.value = t;
    page.clock.textContent = `t = ${t.toFixed(this.digits(run))}   R = ${between(run.order, frame).toFixed(3)}`;
  }

  // digits of a time: a tenth of the run's own steps, or finer, can be told apart
  digits(run) {
    const step = (run.time[run.frames - 1] - run.time[0]) / Math.max(1, run.frames - 1);
    return clamp(Math.floor(1 - Math.log10(step || 1) + 1e-9), 0, 9);
  }

  describe() {
    const t = between(this.run.time, this.frame).toFixed(this.digits(this.run));
    const order = between(this.run.order, this.frame).toFixed(2);
    return `t = ${t}, order parameter ${order}, ${this.model.get("playing") ? "playing" : "paused"}.`;
  }

  say() {
    const text = this.describe();
    this.page.says.textContent = text;
    this.page.sphere.setAttribute("aria-label", `${this.what}. ${text}`);
    this.page.time.setAttribute("aria-valuetext", text);
  }

  end() {
    cancelAnimationFrame(this.asked);
    clearTimeout(this.later);
    this.ending.abort();
    this.page.root.remove();
  }
}

export default {
  render({ model, el }) {
    const player = new Player(model, el);
    player.page.root.player = player; // for measurements
    return () => player.end();
  },
};
