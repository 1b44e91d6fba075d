// One view: its values, the models of its parts, and what changes when somebody wishes something. A page of the tabs has one
// view, and so has each step of the story.

import { clamped } from "./address.js";
import { LocalModel, decoded } from "./model.js";

const shown = (number) => {
  const digits = Number.isInteger(number) ? 7 : Math.abs(number) < 0.1 ? 2 : 4;
  return String(Number(number.toPrecision(digits))).replace("-", "−");
};

// a whole number on the other side of which `here` is, so that a small step is one to the next number
const beyond = (value, here) => (value > here ? Math.ceil(value) : Math.floor(value));

// the allowed value nearest to a wish (null: it is no number), and a sentence on what was wrong with it
function allowed(control, wish) {
  if (typeof wish !== "number" || !Number.isFinite(wish)) return [null, `${control.label} must be a number.`];
  const number = control.step % 1 === 0 ? Math.round(wish) : wish, value = clamped(control, number);
  if (Math.abs(value - number) <= 1e-3 * Math.abs(number)) return [value, ""]; // an end that was written with few digits
  return [value, `${control.label}: ${shown(number)} is outside ${shown(control.low)} to ${shown(control.high)}; ${shown(value)} is used.`];
}

export class View {
  // `wished`: what is called after a wish, with the view and whether it is to be an entry of the history
  constructor(described, wished) {
    Object.assign(this, described, { wished, presets: described.presets ?? [], pictures: described.pictures ?? [] });
    const values = this.starts();
    const panel = new LocalModel({ controls: this.controls, presets: this.presets, values, said: "" }, (changes) => {
      if (changes.preset) this.ask(changes.preset);
      if (changes.wish) this.ask(changes.wish, { quiet: true });
    });
    const text = () => new LocalModel({ text: "" });
    this.models = { panel, words: text(), code: text(), status: text() };
    if (this.stage) this.models.stage = new LocalModel({ ...this.stage, values, rings: [], order: null });
    for (const picture of this.pictures)
      this.models[picture.part] = new LocalModel({ figure: {}, place: [], says: "", busy: false, ...picture }, (changes) => {
        if (changes.chosen) this.choose(picture.part, changes.chosen);
      });
  }

  get values() {
    return this.models.panel.get("values");
  }

  starts() {
    return Object.fromEntries(this.controls.map((control) => [control.name, control.start]));
  }

  // what a page or a step opens with
  begin(values = this.starts()) {
    this.hold(values);
    this.models.panel.set("said", "");
  }

  // `quiet`: no entry of the history at once, as for a slider that is dragged
  ask(changes, { quiet = false } = {}) {
    const values = { ...this.values }, sentences = [];
    for (const control of this.controls) {
      if (!(control.name in changes)) continue;
      const [value, sentence] = allowed(control, changes[control.name]);
      if (value !== null) values[control.name] = value;
      sentences.push(sentence);
    }
    this.follow(values, changes);
    this.hold(values);
    this.models.panel.set("said", sentences.filter(Boolean).join(" "));
    this.wished(this, !quiet);
  }

  // where the box `alike` was unticked, what followed another control goes on from its value; where it was ticked, a value of
  // its own is forgotten, as nobody would see it any more
  follow(values, changes) {
    if (values.alike === this.values.alike) return;
    for (const control of this.controls) {
      if (!control.follows || control.name in changes) continue;
      values[control.name] = values.alike ? control.start : clamped(control, values[control.follows]);
    }
  }

  // these values hold from now on: what the browser can show of them is shown at once
  hold(values) {
    this.models.panel.set("values", values);
    this.models.stage?.set("values", values);
    for (const { part } of this.pictures) {
      const model = this.models[part], { x, y } = model.get("figure"), place = model.get("place");
      if (!x?.control || !place.length || (place.length > 1 && !y.control)) continue;
      model.set("place", place.length > 1 ? [values[x.control], values[y.control]] : [values[x.control]]);
    }
  }

  // a click in a picture: as round as the sliders
  choose(part, { x, y }) {
    const figure = this.models[part].get("figure"), changes = {};
    for (const [axis, value] of [[figure.x, x], [figure.y, y]]) {
      const control = this.controls.find(({ name }) => name === axis?.control);
      if (!control) continue;
      const round = Number(control.scale === "log" ? value.toPrecision(3) : value.toFixed(2));
      changes[control.name] = control.step % 1 === 0 ? beyond(round, this.values[control.name]) : round;
    }
    this.ask(changes, { quiet: true });
  }

  // changed parts from Python; `newest`: they answer the last wish
  receive(parts, newest) {
    for (const [part, traits] of Object.entries(decoded(parts))) {
      const model = this.models[part];
      if (!model) continue;
      for (const [name, value] of Object.entries(traits)) {
        if (part !== "panel") model.set(name, value);
        else if (name === "values" && newest) this.hold({ ...this.values, ...value });
        else if (name === "said" && newest && value) model.set("said", value);
      }
    }
  }
}
