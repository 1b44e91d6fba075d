// The story: one step at a time fills the page. Beside the live stage stand a short text, a few things to try, and the answer,
// which unfolds some seconds after one has begun to try. Texts are fixed sentences of the catalogue or made in Python of numbers.

import { below, whileMatches } from "./below.js";
import { LocalModel } from "./model.js";
import { presets } from "./panel.js";

const WATCH = 12000; // milliseconds from the first try to the answer: time to guess, and for a rhythm to be born or to die
const ASKED = "What happens?", TOLD = "What happened";
const ACTS = { "new start": "randomize", "line-up": "lineUp", kick: "kick" }; // names of the stage's events
const STILL = "Press Play, or try something, to see it move.";
const STATES = { open: ["○", "not yet"], shown: ["◐", "shown"], reached: ["✓", "solved by you"] }; // of a goal
const HINTS = { before: "Try one of these, and guess first.", watching: "Watch. The answer unfolds by itself, or here." };

const make = (tag, className = "", properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), { className, ...properties });
  element.append(...children);
  return element;
};
const html = (tag, className, text) => make(tag, className, { innerHTML: text });
const button = (className, text, click) => {
  const element = make("button", className, { type: "button", textContent: text });
  element.addEventListener("click", click);
  return element;
};

const stageIn = (el) => el.querySelector(".stage")?.stage;

// ---- what a step consists of; each function adds to `ends` what must be undone when the step is left

// sliders of some controls in plain words
function sliders(view, controls, parts, el, ends) {
  const of = (name) => view.models.panel.get(name);
  const state = { controls, presets: [], values: of("values"), said: "", plain: true, apart: true };
  const model = new LocalModel(state, (changes) => {
    if (changes.preset) view.ask(changes.preset);
    if (changes.wish) view.ask(changes.wish, { quiet: true });
  });
  const followed = ["values", "said"].map((name) => [`change:${name}`, () => model.set(name, of(name))]);
  for (const [event, handler] of followed) view.models.panel.on(event, handler);
  const end = parts.panel.render({ model, el });
  ends.push(() => (followed.forEach(([event, handler]) => view.models.panel.off(event, handler)), end()));
}

// what a button does: to the stage, or to the values
function act(view, stage, { stage: method, put, flip, invert }) {
  if (method) stage()?.[method]();
  if (put) view.ask(put);
  if (flip) view.ask({ [flip]: -view.values[flip] });
  if (invert) view.ask({ [invert]: 1 / view.values[invert] });
}

function trialOf(trial, view, parts, stage, busy, tried, ends) {
  const item = make("li", "story-trial"), does = () => {
    busy.acting = true;
    if (!stage()?.playing) stage()?.play(true); // who tries something wants to see it, also where motion is not liked
    for (const one of trial.acts) act(view, stage, one);
    busy.acting = false;
    tried(trial, item);
  };
  item.append(html("p", "", trial.words));
  if (trial.button) item.append(button("button strong", trial.button, does));
  if (trial.control) {
    const box = make("div", "story-slider"), own = view.controls.filter(({ name }) => name === trial.control);
    sliders(view, own, parts, box, ends);
    box.addEventListener("change", () => (trial.button ? tried(trial, item) : does())); // let go, or a number entered
    item.append(box);
  }
  return item;
}

// the question, and under it the answer to what was tried last
function answerBox(view, ends) {
  const asked = make("b"), hint = make("span", "story-hint"), text = make("p", "story-answer");
  const fold = make("details", "story-what", {}, make("summary", "", {}, asked, hint), text);
  let trial = null, wait;
  const show = () => {
    const answer = trial && view.models.words.get("answers")?.[trial.key];
    if (answer) text.innerHTML = answer;
    else text.textContent = trial ? "…" : "Nothing yet.";
    asked.textContent = fold.open && trial ? TOLD : ASKED;
    hint.textContent = fold.open && trial ? "" : trial ? HINTS.watching : HINTS.before;
  };
  text.setAttribute("aria-live", "polite");
  fold.addEventListener("toggle", () => (fold.open && clearTimeout(wait), show()));
  view.models.words.on("change:answers", show);
  show();
  ends.push(() => (clearTimeout(wait), view.models.words.off("change:answers", show)));
  const tried = (one) => {
    if (one === trial) return; // who goes on with it waits no longer, and what was folded by hand stays so
    clearTimeout(wait);
    fold.open = false;
    trial = one;
    show();
    wait = setTimeout(() => (fold.open = true), WATCH);
  };
  return { root: fold, tried };
}

function trials(step, view, parts, stageBox, begun, ends) {
  const answer = answerBox(view, ends), busy = { acting: false }, stage = () => stageIn(stageBox);
  const tried = (trial, item) => {
    item.classList.add("tried");
    answer.tried(trial);
    begun();
  };
  const items = step.tries.map((trial) => trialOf(trial, view, parts, stage, busy, tried, ends));
  // what is done on the stage itself, such as to pull a dot, counts as well
  const own = ({ detail }) => {
    const method = ACTS[detail] ?? "kick"; // a pull disturbs as a kick does
    const at = step.tries.findIndex(({ acts }) => acts.length === 1 && acts[0].stage === method);
    if (at >= 0 && !busy.acting) tried(step.tries[at], items[at]);
  };
  stageBox.addEventListener("stage-act", own);
  const map = step.tries.findIndex(({ key }) => key === "map");
  if (map >= 0) {
    const model = view.models[step.pictures[0].part], clicked = () => tried(step.tries[map], items[map]);
    model.on("change:chosen", clicked);
    ends.push(() => model.off("change:chosen", clicked));
  }
  return [make("h3", "", { textContent: "Try this" }), make("ol", "story-trials", {}, ...items), answer.root];
}

// Which goals of the sandbox are reached. A goal that was reached once stays so until the step is left; what the values of
// "Show me" reach does not count as the reader's own, before other values have missed it.
class Reached {
  constructor(goals, starts) {
    Object.assign(this, { goals, starts, own: new Set(), shown: new Set(), showing: null });
    this.given = this.all; // what a page reaches as it opens, nobody has found
  }

  get all() {
    return new Set(this.goals.map(({ key }) => key));
  }

  values(goal) {
    return { ...this.starts, ...goal.values };
  }

  show(goal) {
    this.showing = goal;
    this.given = this.all;
  }

  moved(values) {
    const wanted = this.showing && Object.entries(this.values(this.showing));
    if (wanted?.some(([name, value]) => Math.abs(values[name] - value) > 1e-9)) this.showing = null;
  }

  met(solved) {
    if (!Object.keys(solved).length) return; // not answered yet
    const met = this.goals.map(({ key }) => key).filter((key) => solved[key]);
    if (this.showing) {
      if (!solved[this.showing.key]) return; // the answer to earlier values
      this.given = new Set(met);
      this.shown.add(this.showing.key);
    } else {
      this.given = new Set(met.filter((key) => this.given.has(key)));
      for (const key of met) if (!this.given.has(key)) this.own.add(key);
    }
  }

  state(key) {
    return this.own.has(key) ? "reached" : this.shown.has(key) ? "shown" : "open";
  }
}

function goals(step, view, ends) {
  const reached = new Reached(step.challenges, view.starts());
  const rows = step.challenges.map((goal) => {
    const state = make("span", "story-state", { role: "img" }), words = html("span", "", `… ${goal.words}`), item = make("li", "", {}, state, words);
    const show = button("button small", "Show me", () => (reached.show(goal), view.ask(reached.values(goal))));
    show.setAttribute("aria-label", `Show me: ${words.textContent}`);
    item.append(show);
    return { key: goal.key, item, state };
  });
  const show = () => {
    const solved = view.models.words.get("solved") ?? {};
    reached.met(solved);
    for (const { key, item, state } of rows) {
      const name = reached.state(key), [mark, says] = STATES[name];
      item.classList.toggle("reached", name === "reached");
      item.classList.toggle("shown", name === "shown");
      item.classList.toggle("here", Boolean(solved[key]) && name !== "open");
      if (state.title !== says) Object.assign(state, { textContent: mark, title: says });
      state.setAttribute("aria-label", says);
    }
  };
  const moved = () => reached.moved(view.values), followed = [[view.models.words, "change:solved", show], [view.models.panel, "change:values", moved]];
  for (const [model, event, handler] of followed) model.on(event, handler);
  ends.push(() => followed.forEach(([model, event, handler]) => model.off(event, handler)));
  show();
  const list = make("ol", "story-goals", {}, ...rows.map(({ item }) => item));
  list.setAttribute("aria-live", "polite");
  return list;
}

// what the marks of the goals say, and a button that brings back the first values
function key(view, ends) {
  const marks = Object.values(STATES).map(([mark, says]) => make("span", "", { textContent: `${mark} ${says}` }));
  const row = make("div", "story-key", {}, ...marks);
  ends.push(presets.render({ model: view.models.panel, el: row }));
  return row;
}

function onward({ words, button: name, ...to }, parts) {
  return [html("p", "story-onward", words), button("button strong", name, () => parts.leave(to))];
}

// who does not like motion finds a stage at rest, and is told how it moves
function resting(left) {
  const hint = make("p", "story-still", { textContent: STILL, hidden: Boolean(stageIn(left)?.playing) });
  const look = () => stageIn(left)?.playing && (hint.hidden = true); // for good
  for (const name of ["click", "keydown", "stage-act"]) left.addEventListener(name, look);
  left.append(hint);
  return look;
}

// ---- a step

// the sentence on the present: not before something was tried, as it tells what happens; its place is kept
function present(view, guessed, el, parts, ends) {
  if (!guessed) return ends.push(parts.words.render({ model: view.models.words, el })), () => {};
  const model = new LocalModel({ text: "" }), follow = () => model.set("text", view.models.words.get("text"));
  let begun = false;
  ends.push(parts.words.render({ model, el }), () => view.models.words.off("change:text", follow));
  return () => {
    if (!begun) view.models.words.on("change:text", follow);
    begun = true;
    follow();
  };
}

function scene(step, view, parts, turn, el) {
  const ends = [], left = make("div", "story-left"), right = make("div", "story-right"), last = make("div", "story-last");
  const legend = make("div", "stage-below"), body = make("div", `story-body ${step.key}`, {}, left, legend, right);
  el.append(body); // parts measure themselves, so they stand in the page first
  ends.push(parts.stage.render({ model: view.models.stage, el: left }), below(left, legend));
  const moves = resting(left), now = make("div", "story-now"), status = make("div", "story-status");
  const tell = present(view, step.tries.length > 0, now, parts, ends), text = html("p", "story-text", step.text);
  right.append(text);
  if (step.tries.length) right.append(...trials(step, view, parts, left, () => (tell(), moves()), ends));
  if (step.challenges.length) {
    const knobs = make("div", "story-knobs");
    right.append(goals(step, view, ends), key(view, ends), now, knobs); // the present beside the goals, not below the knobs
    sliders(view, view.controls, parts, knobs, ends);
  }
  if (step.pictures.length) body.classList.add("with-map"); // in a column of its own, with the last lines below it
  (step.pictures.length ? body : right).append(last);
  for (const { part, title } of step.pictures) {
    const figure = make("figure", "picture", {}, make("figcaption", "", { textContent: title }));
    figure.dataset.part = part;
    last.append(figure);
    ends.push(parts.plot.render({ model: view.models[part], el: figure }));
    ends.push(whileMatches("(max-width: 1099px), (max-height: 520px)", () => text.after(figure), () => last.prepend(figure))); // what the text tells of
  }
  if (step.tries.length) last.append(now);
  turn.prepend(status);
  if (step.onward) {
    const [words, to] = onward(step.onward, parts);
    last.append(words);
    turn.append(to);
  }
  last.append(turn);
  ends.push(parts.status.render({ model: view.models.status, el: status }));
  return () => (ends.forEach((end) => end?.()), body.remove());
}

// ---- from step to step

// what was said when the step was left held for other values
function forget({ models }) {
  for (const [name, nothing] of [["text", ""], ["answers", {}], ["solved", {}]]) models.words.set(name, nothing);
}

export default {
  render({ model, el, parts }) {
    const steps = model.get("steps"), root = make("div", "story-root"), place = make("div", "story-place");
    const title = make("h2", "story-title", { tabIndex: -1 });
    // who goes to a step finds the values that its text tells of; Back, Forward and a reload of the browser keep those of the address
    const go = (key) => {
      parts.view(key).begin();
      if (key === model.get("step")) anew();
      else model.set("step", key);
      parts.turn();
      title.focus({ preventScroll: true });
    };
    const marks = steps.map((step, i) => {
      const number = i + 1 < steps.length ? String(i + 1) : "", mark = button("story-mark", "", () => go(step.key));
      mark.append(make("b", "", { textContent: number || step.name }), make("span", "", { textContent: number && ` ${step.name}` }));
      mark.setAttribute("aria-label", `${number} ${step.name}`.trim()); // on a phone only the number is seen
      return mark;
    });
    const nav = make("nav", "story-nav", {}, make("ol", "", {}, ...marks.map((mark) => make("li", "", {}, mark))));
    nav.setAttribute("aria-label", "Steps of the story");
    let end = null;
    const open = () => {
      const at = Math.max(0, steps.findIndex(({ key }) => key === model.get("step"))), step = steps[at];
      end?.();
      marks.forEach((mark, i) => (i === at ? mark.setAttribute("aria-current", "step") : mark.removeAttribute("aria-current")));
      title.textContent = step.title;
      const turn = make("div", "story-turn");
      if (at > 0) turn.append(button("button", "Back", () => go(steps[at - 1].key)));
      if (at < steps.length - 1) turn.append(button("button strong", "Next", () => go(steps[at + 1].key)));
      end = scene(step, parts.view(step.key), parts, turn, place);
    };
    root.append(nav, title, place);
    el.append(root);
    const anew = () => (forget(parts.view(model.get("step"))), open());
    model.on("change:step", anew);
    open(); // of the first step Python may have told before this module was there
    return () => (model.off("change:step", anew), end?.(), root.remove());
  },
};
