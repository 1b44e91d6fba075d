// Sliders, number fields and boxes. Python owns the values: a change is asked for, Python answers with what it took. While an
// answer is out only the newest wish is kept, so a dragged slider never leaves a queue behind it. While the answer says that
// more is to be computed, the panel asks for it, piece by piece, unless there is a new wish.

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function row(control, id) {
  const label = make("label", { htmlFor: id, textContent: control.label });
  if (control.kind === "tick") {
    const box = make("input", { type: "checkbox", id });
    const root = make("div", { className: "ex-tick" }, box, label);
    return { root, inputs: [box], read: () => Number(box.checked), show: (v) => (box.checked = v === 1) };
  }
  const limits = { min: control.low, max: control.high, step: control.step };
  const slider = make("input", { type: "range", id, ...limits }), field = make("input", { type: "number", ...limits });
  field.setAttribute("aria-label", `${control.label}, as a number`);
  const digits = Math.max(0, -Math.floor(Math.log10(control.step) + 1e-9));
  const root = make("div", { className: "ex-row" }, label, slider, field);
  const show = (v) => {
    slider.value = v;
    if (!field.matches(":focus-visible") || Number(field.value) !== v) field.value = Number(v.toFixed(digits + 2));
  };
  return { root, inputs: [slider, field], read: (input) => (input.value === "" ? null : Number(input.value)), show };
}

let panels = 0;

export default {
  render({ model, el }) {
    const controls = model.get("controls"), name = `ex-panel-${panels++}`;
    const rows = controls.map((control, i) => row(control, `${name}-${i}`));
    const said = make("p", { className: "ex-said" });
    said.setAttribute("role", "status");
    el.append(make("div", { className: "ex-panel" }, ...rows.map((r) => r.root), said));
    let wish = null, sent = 0, answered = 0, ended = false;
    const send = (values) => {
      model.set("request", { number: (sent += 1), values });
      model.save_changes();
    };
    const ask = (changes) => {
      wish = { ...model.get("values"), ...wish, ...changes };
      if (sent === answered) {
        const values = wish;
        wish = null;
        send(values);
      }
    };
    const look = () => {
      const values = model.get("values");
      controls.forEach((control, i) => {
        if (wish?.[control.name] === undefined || wish[control.name] === values[control.name]) rows[i].show(values[control.name]);
        for (const input of rows[i].inputs) input.disabled = model.get("idle").includes(control.name);
      });
      said.textContent = model.get("said");
    };
    const answer = () => {
      answered = Math.max(answered, model.get("answer").number);
      look();
      if (ended || sent !== answered) return;
      if (wish) ask({});
      else if (model.get("answer").more) setTimeout(() => !ended && sent === answered && !wish && send(null), 20);
    };
    rows.forEach((r, i) => {
      for (const input of r.inputs)
        input.addEventListener(input.type === "range" ? "input" : "change", () => ask({ [controls[i].name]: r.read(input) }));
    });
    sent = answered = model.get("answer").number;
    model.on("change:answer", answer);
    model.on("change:values", look);
    look();
    answer();
    return () => {
      ended = true;
      model.off("change:answer", answer);
      model.off("change:values", look);
    };
  },
};
