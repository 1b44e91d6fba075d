// The widget's behaviour: keys, pointers, animation clock. The traits of sphere.py are shared with Python.

const DURATION = 10; // seconds of a whole run at speed 1
const ANNOUNCE_EVERY = 5000; // milliseconds between two announcements to a screen reader while playing

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
    dash: g % 2 ? [7, 4] : [], // shows both of two identical curves
  }));
const extremes = (values) => [values.reduce((a, b) => Math.max(a, b), 0)];

class Player {
  constructor(model, el) {
    Object.assign(this, { model, el, elements: buildElements(), aborter: new AbortController(), visible: true, drawTimes: [] });
    el.append(this.elements.root);
    this.sphere = new Sphere(this.elements.sphere);
    this.curves = [new Curves(this.elements.order, ORDER), new Curves(this.elements.phases, PHASES)];
    this.frame = model.get("frame");
    this.load();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.play(false);
    this.listen();
    this.observe();
    this.refresh();
  }

  load() {
    this.run = unpack(this.model.get("run"));
    this.frame = clamp(this.frame, 0, this.run.frames - 1);
    const { time } = this.elements, { time: times, names, single } = this.run;
    Object.assign(time, { min: times[0], max: times[times.length - 1] });
    const marked = names.map((name, g) => [`group ${name}`, this.run.colours[g]]);
    const entries = names.length > 1 && names.length <= 12 ? [...marked, ["ensemble", "#000000"]] : [];
    this.elements.legend.replaceChildren(...entries.map(([text, mark]) => {
      const entry = make("span", { textContent: text });
      entry.style.setProperty("--mark", inTheme(mark, { strong: "currentColor" }));
      return entry;
    }));
    const counted = (count, noun) => (count === 1 ? `one ${noun}` : `${count} ${noun}s`);
    const within = single && names.length > 1 ? ` in ${names.length} groups` : "";
    this.title = `Bloch sphere with ${counted(this.run.spins, single ? "spin" : "group")}${within}`;
    this.requestDraw();
  }

  // ---- traits

  set(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  refresh() {
    const { root, play, speed, colour, trails, sphere } = this.elements, playing = this.model.get("playing");
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
    sphere.setAttribute("aria-label", `${this.title}. ${this.describe()}`);
    this.requestDraw();
  }

  play(on) {
    if (on && this.frame >= this.run.frames - 1) this.seek(0);
    this.model.set("playing", on);
    if (!on) this.model.set("frame", this.frame);
    this.model.save_changes();
    if (!on) this.announce();
  }

  seek(frame) {
    this.frame = clamp(frame, 0, this.run.frames - 1);
    clearTimeout(this.seekTimer); // Python is notified when a slider stops moving
    this.seekTimer = setTimeout(() => (this.set("frame", this.frame), this.announce()), 250);
    this.requestDraw();
  }

  step(by) {
    this.seek(by > 0 ? Math.floor(this.frame + 1e-9) + by : Math.ceil(this.frame - 1e-9) + by);
  }

  // ---- events

  on(target, names, handler, options = {}) {
    for (const name of names.split(" ")) target.addEventListener(name, handler, { signal: this.aborter.signal, ...options });
  }

  listen() {
    const { sphere, order, phases, play, time, speed, colour, trails } = this.elements;
    this.on(play, "click", () => this.play(!this.model.get("playing")));
    this.on(time, "input", () => this.seek(frameAt(this.run.time, Number(time.value))));
    this.on(time, "keydown", (event) => this.key(event, {
      ArrowLeft: () => this.step(-1), ArrowDown: () => this.step(-1),
      ArrowRight: () => this.step(1), ArrowUp: () => this.step(1),
      PageDown: () => this.step(-10), PageUp: () => this.step(10), " ": () => this.play(!this.model.get("playing")),
    }));
    this.on(sphere, "keydown", (event) => this.key(event, {
      " ": () => this.play(!this.model.get("playing")), ",": () => this.step(-1), ".": () => this.step(1),
      Home: () => this.seek(0), End: () => this.seek(this.run.frames - 1), 0: () => this.sphere.resetView(),
      ArrowLeft: () => this.sphere.rotate(-6, 0), ArrowRight: () => this.sphere.rotate(6, 0),
      ArrowUp: () => this.sphere.rotate(0, 6), ArrowDown: () => this.sphere.rotate(0, -6),
      "+": () => this.sphere.scale(1.15), "=": () => this.sphere.scale(1.15), "-": () => this.sphere.scale(1 / 1.15),
    }));
    this.on(speed, "change", () => this.set("speed", Number(speed.value)));
    this.on(colour, "change", () => this.set("colour", colour.value));
    this.on(trails, "change", () => this.set("trails", trails.checked));
    this.on(sphere, "wheel", (event) => {
      if (!sphere.matches(":focus") && !event.ctrlKey) return; // leave scrolling of the page alone; a pinch arrives with Ctrl
      event.preventDefault();
      this.sphere.scale(Math.exp(-event.deltaY / 600));
      this.requestDraw();
    }, { passive: false });
    this.pointerControls(sphere);
    for (const curve of this.curves)
      this.on(curve.canvas, "pointerdown pointermove", (event) => {
        if (!event.buttons) return;
        if (event.type === "pointerdown") curve.canvas.setPointerCapture(event.pointerId);
        this.seek(frameAt(this.run.time, curve.time(event.offsetX)));
      });
    for (const name of ["playing", "speed", "colour", "trails", "height"]) this.onTrait(name, () => this.refresh());
    this.onTrait("run", () => (this.load(), this.refresh()));
    this.onTrait("frame", () => {
      this.frame = clamp(this.model.get("frame"), 0, this.run.frames - 1);
      this.requestDraw();
    });
  }

  onTrait(name, handler) {
    this.model.on(`change:${name}`, handler);
    this.aborter.signal.addEventListener("abort", () => this.model.off(`change:${name}`, handler));
  }

  key(event, actions) {
    const action = !event.ctrlKey && !event.metaKey && !event.altKey && actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    this.requestDraw();
  }

  // one pointer rotates, two zoom
  pointerControls(canvas) {
    const pointers = new Map(), distance = () => {
      const [a, b] = [...pointers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    this.on(canvas, "pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    this.on(canvas, "pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY }, previous = pointers.size > 1 ? distance() : 0;
      pointers.set(event.pointerId, now);
      if (pointers.size === 1) this.sphere.rotate(-0.4 * (now.x - before.x), 0.4 * (now.y - before.y));
      else if (previous > 0) this.sphere.scale(distance() / previous);
      this.requestDraw();
    });
    this.on(canvas, "pointerup pointercancel", (event) => pointers.delete(event.pointerId));
  }

  observe() {
    const visibility = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      this.refresh(); // a host may insert the widget into its page later
    });
    const size = new ResizeObserver(() => this.requestDraw());
    const theme = new MutationObserver(() => {
      this.refresh();
      setTimeout(() => this.refresh(), 400); // style sheets may change after their attributes
    });
    visibility.observe(this.elements.root);
    size.observe(this.elements.root);
    for (const element of [document.documentElement, document.body]) theme.observe(element, { attributes: true });
    this.on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.refresh());
    this.on(document, "visibilitychange", () => this.requestDraw());
    this.aborter.signal.addEventListener("abort", () => [visibility, size, theme].forEach((observer) => observer.disconnect()));
  }

  // ---- clock

  // request one draw at the next animation frame
  requestDraw() {
    if (this.pendingFrame || this.aborter.signal.aborted) return;
    this.pendingFrame = requestAnimationFrame((now) => {
      this.pendingFrame = 0;
      this.tick(now);
    });
  }

  tick(now) {
    if (!this.visible || document.hidden) return void (this.lastTick = undefined); // a change of either requests a new draw
    const start = performance.now();
    if (this.model.get("playing")) this.advance(now);
    else this.lastTick = undefined;
    this.draw();
    this.drawTimes.push(performance.now() - start);
    if (this.drawTimes.length > 600) this.drawTimes.shift();
  }

  advance(now) {
    const { time, frames } = this.run, elapsed = Math.min(100, now - (this.lastTick ?? now)) / 1000;
    this.lastTick = now;
    const span = time[frames - 1] - time[0];
    this.frame = frameAt(time, between(time, this.frame) + (elapsed * this.model.get("speed") * span) / DURATION);
    if (this.frame >= frames - 1) return this.play(false);
    if (now - (this.lastAnnounced ?? 0) > ANNOUNCE_EVERY) {
      this.lastAnnounced = now;
      this.announce();
    }
    this.requestDraw();
  }

  draw() {
    const { run, frame, elements, theme } = this, ratio = Math.min(2, window.devicePixelRatio || 1);
    const style = { theme, ratio, colour: this.model.get("colour"), trails: this.model.get("trails") };
    this.sphere.resize(elements.sphere.clientWidth, ratio);
    this.sphere.draw(run, frame, style);
    for (const curve of this.curves) curve.draw(run, frame, style);
    const t = between(run.time, frame);
    elements.time.value = t;
    elements.clock.textContent = `t = ${t.toFixed(this.digits(run))}   R = ${between(run.order, frame).toFixed(3)}`;
  }

  // digits of a time: at least a tenth of the run's time step is resolved
  digits(run) {
    const step = (run.time[run.frames - 1] - run.time[0]) / Math.max(1, run.frames - 1);
    return clamp(Math.floor(1 - Math.log10(step || 1) + 1e-9), 0, 9);
  }

  describe() {
    const t = between(this.run.time, this.frame).toFixed(this.digits(this.run));
    const order = between(this.run.order, this.frame).toFixed(2);
    return `t = ${t}, order parameter ${order}, ${this.model.get("playing") ? "playing" : "paused"}.`;
  }

  announce() {
    const text = this.describe();
    this.elements.announcement.textContent = text;
    this.elements.sphere.setAttribute("aria-label", `${this.title}. ${text}`);
    this.elements.time.setAttribute("aria-valuetext", text);
  }

  dispose() {
    cancelAnimationFrame(this.pendingFrame);
    clearTimeout(this.seekTimer);
    this.aborter.abort();
    this.elements.root.remove();
  }
}

const widget = {
  render({ model, el }) {
    const player = new Player(model, el);
    player.elements.root.player = player; // for tests and benchmarks
    return () => player.dispose();
  },
};
export default widget;
