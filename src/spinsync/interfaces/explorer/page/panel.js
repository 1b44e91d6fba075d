// Presets, sliders, number fields and boxes. What somebody changes is told as a wish; what holds is what `values` says.

const POSITIONS = 200; // of a slider on a logarithmic scale

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// the number with the fewest digits between two others
function roundest(low, high) {
  for (let digits = 1; ; digits += 1) {
    const number = Number(Math.sqrt(low * high).toPrecision(digits));
    if ((low <= number && number <= high) || digits > 12) return number;
  }
}

// the values at the positions of a slider of whole numbers on a logarithmic scale: one by one, then in equal ratios
function wholeValues({ low, high }) {
  const ratio = (high / low) ** (1 / POSITIONS), found = [low];
  while (found.at(-1) < high) {
    const last = found.at(-1), next = Math.round(roundest(last * ratio ** 0.6, last * ratio ** 1.4));
    found.push(Math.min(high, Math.max(last + 1, next)));
  }
  return found;
}

// how the positions of a slider belong to values
function scaleOf({ low, high, step, scale }) {
  if (scale === "log" && step % 1 === 0) {
    const values = wholeValues({ low, high });
    const at = (v) => {
      const next = values.findIndex((value) => value >= v);
      return next > 0 && v - values[next - 1] < values[next] - v ? next - 1 : next;
    };
    return { min: 0, max: values.length - 1, step: 1, at, value: (position) => values[position] };
  }
  if (scale !== "log") return { min: low, max: high, step, at: (value) => value, value: (position) => position };
  const factor = high / low, value = (position) => low * factor ** (position / POSITIONS);
  return {
    min: 0, max: POSITIONS, step: 1,
    at: (v) => (POSITIONS * Math.log(v / low)) / Math.log(factor),
    value: (p) => (p <= 0 ? low : p >= POSITIONS ? high : roundest(value(p - 0.5), value(p + 0.5))),
  };
}

// a number as it is written into a field
function written({ step, scale }, value) {
  if (step % 1 === 0) return value;
  if (scale === "log") return Number(value.toPrecision(4));
  return Number(value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) + 2));
}

function tickRow(label, id, wish) {
  const box = make("input", { type: "checkbox", id });
  box.addEventListener("change", () => wish(Number(box.checked)));
  const root = make("div", { className: "row tick" }, box, make("label", { htmlFor: id, textContent: label }));
  return { root, inputs: [box], show: (value) => (box.checked = value === 1) };
}

function numberRow(control, label, id, wish) {
  const { min, max, step, at, value } = scaleOf(control);
  const slider = make("input", { type: "range", id, min, max, step });
  const field = make("input", { type: "number", step: control.scale === "log" && control.step % 1 ? "any" : control.step });
  field.setAttribute("aria-label", `${label}, as a number`);
  const root = make("div", { className: "row" }, make("label", { htmlFor: id, textContent: label }), field, slider);
  let typing = false; // what somebody types is left alone until it is entered
  field.addEventListener("input", () => (typing = true));
  field.addEventListener("change", () => ((typing = false), wish(field.value === "" ? null : Number(field.value))));
  field.addEventListener("blur", () => (typing = false));
  slider.addEventListener("input", () => wish(value(Number(slider.value))));
  const show = (v) => {
    slider.value = at(v);
    slider.style.setProperty("--share", `${(100 * (at(v) - min)) / (max - min)}%`); // of the track that is coloured
    if (control.scale === "log") slider.setAttribute("aria-valuetext", written(control, v));
    if (!typing) field.value = written(control, v);
  };
  return { root, inputs: [slider, field], show };
}

// `start` with the values of a preset
const withPreset = (controls, { values }) =>
  Object.fromEntries(controls.map((control) => [control.name, values[control.name] ?? control.start]));

function presetButtons(model, controls) {
  const all = [...(model.get("presets") ?? []), { name: "Reset", values: {}, reset: true }];
  const buttons = all.map((preset) => {
    const button = make("button", { type: "button", className: "button small", textContent: preset.name });
    button.addEventListener("click", () => (model.set("preset", withPreset(controls, preset)), model.save_changes()));
    if (preset.reset) button.title = "All values as they were at the start";
    return button;
  });
  const show = (values) => all.forEach((preset, i) => {
    const wanted = Object.entries(withPreset(controls, preset));
    const here = wanted.every(([name, value]) => Math.abs(values[name] - value) < 1e-9);
    if (preset.reset) buttons[i].disabled = here;
    else buttons[i].setAttribute("aria-pressed", here);
  });
  const root = make("div", { className: "presets" }, ...buttons);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Presets");
  return { root, show };
}

// the presets alone, for where they stand apart from the sliders (the trait `apart` of the panel says so)
export const presets = {
  render({ model, el }) {
    const { root, show } = presetButtons(model, model.get("controls")), follow = () => show(model.get("values"));
    el.append(root);
    model.on("change:values", follow);
    follow();
    return () => model.off("change:values", follow);
  },
};

let panels = 0;

export default {
  render({ model, el }) {
    const controls = model.get("controls"), name = `panel-${panels++}`;
    const rows = controls.map((control, i) => {
      const label = (model.get("plain") && control.plain) || control.label;
      const wish = (value) => (model.set("wish", { [control.name]: value }), model.save_changes());
      return control.kind === "tick" ? tickRow(label, `${name}-${i}`, wish) : numberRow(control, label, `${name}-${i}`, wish);
    });
    const inner = make("div", { className: "panel" }), said = make("p", { className: "said" });
    said.setAttribute("role", "status");
    const end = model.get("apart") ? () => {} : presets.render({ model, el: inner });
    inner.append(...rows.map((row) => row.root), said);
    el.append(inner);
    const show = () => {
      const values = model.get("values");
      controls.forEach((control, i) => {
        const idle = Boolean(control.follows && values.alike); // then the value that it follows is the one that holds
        rows[i].show(values[idle ? control.follows : control.name]);
        rows[i].root.classList.toggle("idle", idle);
        for (const input of rows[i].inputs) input.disabled = idle;
      });
    };
    const say = () => (said.textContent = model.get("said") ?? "");
    const followed = [["change:values", show], ["change:said", say]];
    for (const [event, handler] of followed) model.on(event, handler);
    show();
    say();
    return () => {
      end();
      for (const [event, handler] of followed) model.off(event, handler);
    };
  },
};
