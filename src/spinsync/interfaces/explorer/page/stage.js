// The stage: some hundred spins on the Bloch sphere that never stop. The motion is computed here (motion.js), so that it
// follows a slider at the next frame from its present state, and can be started anew, kicked and pulled. Traits of its model:
// kind, values, spins, seed (motion.js), start ("random" or "aligned"), rings and order (of limit cycles, from Python), turn, hands,
// plain (words of the story).

import { COLOURS, History } from "./history.js";
import { Hands } from "./hands.js";
import { Laps } from "./laps.js";
import { Motion, model as motionModel } from "./motion.js";
import { Pointers } from "./pointers.js";
import { pixelsOf } from "./scales.js";
import { Sphere, THEMES, themeOf } from "./sphere.js";
import { buildElements, explain, offer, wordsOf } from "./stage_elements.js";
import { commonStart, weakStart } from "./starts.js";
import { Strip } from "./strip.js";

const TURNING = 1; // the own frequency in the laboratory, slowed so that an eye can follow: one turn in 2 pi units of time
const ZOOM = 1.07; // there is little margin around this sphere
const TOGETHER = 0.06; // width of a cloud that looks like one dot
const DOTS = [8.5, 6]; // radii of the dots of two groups, in CSS pixels: both are seen where one lies on the other
const LONGEST = 100; // milliseconds of wall time that one frame may catch up with
const RECORD_EVERY = 38; // milliseconds between two points of a trail, of which sphere.js draws the last 40
const READ_EVERY = 150; // milliseconds between two readings of R, in digits that an eye can read
const DESCRIBE_EVERY = 5000; // milliseconds between two descriptions for a screen reader
const KEPT = 1200; // intervals of frames that tests can read

class Stage {
  constructor(model, el) {
    Object.assign(this, { model, aborter: new AbortController(), visible: true, speed: 1, frames: [], costs: [] });
    Object.assign(this, { seed: model.get("seed") ?? 0, recorded: -Infinity, read: -Infinity, described: -Infinity });
    this.words = wordsOf(Boolean(model.get("plain")));
    this.elements = buildElements(Boolean(model.get("plain")));
    el.append(this.elements.root);
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.sphere = new Sphere(this.elements.sphere);
    this.resetView();
    this.hands = new Hands(this.elements.hands);
    this.strip = new Strip(this.elements.strip);
    this.laps = new Laps();
    this.populate();
    this.pointers = new Pointers(this);
    this.listen();
    this.observe();
    this.look();
  }

  // as many spins as the model says, at a random start or all in line
  populate() {
    this.motion = new Motion(this.model.get("spins") ?? 400, this.rates(), this.seed);
    if (this.model.get("start") === "aligned") this.motion.lineUp();
    else this.scatter();
    this.history = new History(this.motion);
    this.strip.clear();
    this.laps.forget();
    this.face();
  }

  // random places; two groups get a weak start, as Python says what becomes of this
  scatter() {
    if (this.motion.groups === 2) weakStart(this.motion, this.seed);
    else this.motion.randomize(this.seed, this.flat());
  }

  // spins alone are clocks: their hands lie in the plane of the equator
  flat() {
    return this.model.get("kind") === "alone";
  }

  rates() {
    return motionModel(this.model.get("kind") ?? "one", this.model.get("values") ?? {});
  }

  // the frame from which the spins are seen; those of "alone" have the laboratory's frequency in their model
  face() {
    const inside = this.flat() ? TURNING : 0, turn = Boolean(this.model.get("turn"));
    this.motion.common = (turn ? 0 : TURNING) - inside;
  }

  resetView() {
    this.sphere.resetView();
    this.sphere.scale(ZOOM);
  }

  // ---- what one can do

  change() {
    const held = JSON.stringify(this.model.get("values"));
    if (held !== this.valuesHeld) this.laps.forget(); // Python repeats the values, which changes nothing
    this.valuesHeld = held;
    this.motion.set(this.rates());
    this.face();
    this.requestDraw();
  }

  randomize() {
    this.seed += 1;
    this.scatter();
    this.history.begin(this.motion);
    this.acted("new start");
  }

  // both groups together
  gather() {
    commonStart(this.motion);
    this.history.begin(this.motion);
    this.acted("strong start");
  }

  lineUp() {
    this.motion.lineUp();
    this.history.begin(this.motion);
    this.acted("line-up");
  }

  kick() {
    this.seed += 1;
    this.motion.kick(this.seed, this.flat());
    this.acted("kick");
  }

  // a mark in the strip, a word for a screen reader, and an event for the page around
  acted(name) {
    const word = name === "kick" ? this.words.kicked : name;
    this.laps.forget();
    this.strip.mark(this.motion.time, word);
    this.elements.said.textContent = `${word[0].toUpperCase()}${word.slice(1)}: R = ${this.motion.order.toFixed(2)}.`;
    this.tell(name);
    this.requestDraw();
  }

  tell(name) {
    this.elements.root.dispatchEvent(new CustomEvent("stage-act", { detail: name, bubbles: true }));
  }

  play(on) {
    this.playing = on;
    this.elements.play.textContent = on ? "Pause" : "Play";
    this.describe();
    this.requestDraw();
  }

  // ---- events

  on(target, names, handler, options = {}) {
    for (const name of names.split(" ")) target.addEventListener(name, handler, { signal: this.aborter.signal, ...options });
  }

  onTrait(names, handler) {
    for (const name of names.split(" ")) {
      this.model.on(`change:${name}`, handler);
      this.aborter.signal.addEventListener("abort", () => this.model.off(`change:${name}`, handler));
    }
  }

  listen() {
    const { sphere, play, start, common, kick, turn, speed, help, told } = this.elements;
    this.on(play, "click", () => this.play(!this.playing));
    this.on(start, "click", () => this.randomize());
    this.on(common, "click", () => this.gather());
    this.on(kick, "click", () => this.kick());
    this.on(speed, "change", () => (this.speed = Number(speed.value)));
    this.on(turn, "change", () => (this.model.set("turn", turn.checked), this.model.save_changes()));
    this.on(help, "toggle", () => help.open && told.scrollIntoView({ block: "nearest" }));
    const actions = {
      " ": () => this.play(!this.playing), n: () => this.randomize(), k: () => this.kick(), 0: () => this.resetView(),
      ArrowLeft: () => this.sphere.rotate(-6, 0), ArrowRight: () => this.sphere.rotate(6, 0),
      ArrowUp: () => this.sphere.rotate(0, 6), ArrowDown: () => this.sphere.rotate(0, -6),
      "+": () => this.sphere.scale(1.15), "=": () => this.sphere.scale(1.15), "-": () => this.sphere.scale(1 / 1.15),
    };
    this.on(sphere, "keydown", (event) => {
      const key = event.key.length > 1 ? event.key : event.key.toLowerCase();
      const action = !event.ctrlKey && !event.metaKey && !event.altKey && actions[key];
      if (!action) return;
      event.preventDefault();
      action();
      this.requestDraw();
    });
    this.onTrait("values", () => this.change());
    this.onTrait("kind", () => (this.change(), this.look()));
    this.onTrait("turn", () => (this.face(), this.look()));
    this.onTrait("spins seed", () => ((this.seed = this.model.get("seed") ?? this.seed), this.populate(), this.look()));
    this.onTrait("rings order hands", () => this.look());
  }

  observe() {
    const sight = new IntersectionObserver(([entry]) => ((this.visible = entry.isIntersecting), this.requestDraw()));
    const size = new ResizeObserver(() => this.requestDraw());
    sight.observe(this.elements.root);
    size.observe(this.elements.root);
    this.on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.look());
    this.on(document, "visibilitychange", () => this.requestDraw());
    this.aborter.signal.addEventListener("abort", () => [sight, size].forEach((observer) => observer.disconnect()));
  }

  // ---- look: everything that does not change from frame to frame

  look() {
    const { root, turn, play, legend, hands } = this.elements, scheme = themeOf(root), style = getComputedStyle(root);
    const page = style.getPropertyValue("--page").trim(), accent = style.getPropertyValue("--accent").trim();
    const known = this.theme?.scheme === scheme && this.theme.page === (page || this.theme.page); // a new object draws all anew
    if (!known) this.theme = { ...THEMES[scheme], scheme, ...(page && { page }), accent: accent || THEMES[scheme].text };
    const colours = COLOURS[scheme], groups = this.motion.groups;
    this.history.colour(colours);
    this.rings = (this.model.get("rings") ?? []).map(({ group, radius, height }) => ({
      radius, height, colour: colours[group], dash: group ? [6, 5] : [],
    }));
    turn.checked = Boolean(this.model.get("turn"));
    play.textContent = this.playing ? "Pause" : "Play";
    hands.hidden = !this.model.get("hands");
    root.dataset.hands = String(!hands.hidden);
    this.strip.look(groups, colours, this.theme, this.model.get("order") ?? null, this.words.order[groups - 1], this.words.unit);
    this.hands.look(this.motion, colours, this.theme, this.words.hands);
    offer(this.elements, this.words, groups);
    explain(legend, this.words, colours.slice(0, groups), this.theme.strong, this.rings.length > 0);
    this.describe();
    this.requestDraw();
  }

  describe() {
    const { count, groups, order } = this.motion, state = this.playing ? "moving" : "paused";
    const seen = `Bloch sphere with ${count} spins${groups > 1 ? " in two groups" : ""}, ${state}`;
    this.elements.sphere.setAttribute("aria-label", `${seen}. Order parameter R = ${order.toFixed(2)}.`);
  }

  // ---- clock

  requestDraw() {
    if (this.pending || this.aborter.signal.aborted) return;
    this.pending = requestAnimationFrame((now) => {
      this.pending = 0;
      this.tick(now);
    });
  }

  tick(now) {
    if (!this.visible || document.hidden) return void (this.last = undefined); // a change of either requests a new frame
    const begun = performance.now();
    if (this.playing) this.advance(now);
    else this.last = undefined;
    this.draw(now);
    this.costs.push(performance.now() - begun);
    if (this.costs.length > KEPT) this.costs.shift();
    if (this.playing) this.requestDraw();
  }

  advance(now) {
    if (this.last !== undefined) {
      const elapsed = now - this.last;
      this.motion.advance((Math.min(elapsed, LONGEST) / 1000) * this.speed);
      this.frames.push(elapsed);
      if (this.frames.length > KEPT) this.frames.shift();
    }
    this.last = now;
    this.strip.push(this.motion);
    if (this.motion.held >= 0) this.laps.forget();
    this.laps.push(this.motion);
  }

  draw(now) {
    const { sphere, strip, hands, motion, history, theme, elements } = this, ratio = Math.min(2, pixelsOf(elements.sphere));
    const commit = this.playing && now - this.recorded > RECORD_EVERY;
    if (commit) this.recorded = now;
    history.record(motion, commit);
    sphere.resize(elements.sphere.clientWidth, ratio);
    sphere.draw(history.run, history.run.frames - 1, { theme, colour: "group", trails: true, rings: this.rings });
    this.drawMeans(ratio);
    this.pointers.draw();
    strip.draw(motion, ratio);
    if (!elements.hands.hidden) hands.draw(motion, ratio);
    if (!this.playing || now - this.read > READ_EVERY) {
      this.read = now;
      strip.say(elements.reading, motion);
      this.saySeen();
    }
    if (now - this.described > DESCRIBE_EVERY) {
      this.described = now;
      this.describe();
    }
  }

  // what the groups do at present, or what is known of it before it is clear
  saySeen() {
    if (this.motion.groups < 2) return;
    const found = this.laps.seen(), seconds = Math.ceil((found.more ?? 0) / this.speed);
    const text = this.words.seen({ ...found, seconds, playing: this.playing });
    if (this.elements.seen.textContent !== text) this.elements.seen.textContent = text;
  }

  // where all spins of a group lie at one point, a dot that the arrow of the mean does not hide
  drawMeans(ratio) {
    const { motion, sphere, theme } = this, { context: c } = sphere, opacity = 1 - motion.width() / TOGETHER;
    if (opacity <= 0) return;
    for (let a = 0; a < motion.groups; a++) {
      const [x, y] = sphere.point(motion.meanX[a], motion.meanY[a], motion.meanZ[a]);
      Object.assign(c, { globalAlpha: opacity, fillStyle: this.history.run.colours[a], strokeStyle: theme.page, lineWidth: 1.5 * ratio });
      c.beginPath();
      c.arc(x, y, (motion.groups > 1 ? DOTS[a] : DOTS[1]) * ratio, 0, 2 * Math.PI);
      c.fill();
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  dispose() {
    cancelAnimationFrame(this.pending);
    this.aborter.abort();
    this.elements.root.remove();
  }
}

export default {
  render({ model, el }) {
    const stage = new Stage(model, el);
    stage.elements.root.stage = stage; // for tests: motion, randomize(), kick(), frames (intervals in ms), costs (script, ms)
    return () => stage.dispose();
  },
};
