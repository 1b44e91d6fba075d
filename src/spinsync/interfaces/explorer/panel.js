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
  let typing = false; // what somebody types is left alone until it is entered
  field.addEventListener("input", () => (typing = true));
  for (const end of ["change", "blur"]) field.addEventListener(end, () => (typing = false));
  const show = (v) => {
    slider.value = v;
    if (!typing) field.value = Number(v.toFixed(digits + 2));
  };
  return { root, inputs: [slider, field], read: (input) => (input.value === "" ? null : Number(input.value)), show };
}

const PATIENCE = 15000; // milliseconds until an answer counts as lost, as when the connection broke
let panels = 0;

export default {
  render({ model, el }) {
    const controls = model.get("controls"), name = `ex-panel-${panels++}`;
    const rows = controls.map((control, i) => row(control, `${name}-${i}`));
    const said = make("p", { className: "ex-said" });
    said.setAttribute("role", "status");
    el.append(make("div", { className: "ex-panel" }, ...rows.map((r) => r.root), said));
    let wish = null, waiting = null, ended = false;
    const send = (values) => {
      const key = (waiting = `${Date.now()}-${Math.random()}`); // never twice, so that Python always hears of it
      model.set("request", { key, values });
      model.save_changes();
      setTimeout(() => {
        if (waiting !== key) return;
        waiting = null;
        if (values && !wish) wish = values; // what was asked for is asked for again
        go();
      }, PATIENCE);
    };
    const go = () => {
      if (ended || waiting) return;
      if (wish) {
        const values = wish;
        wish = null;
        send(values);
      } else if (model.get("answer").more) send(null);
    };
    const ask = (changes) => {
      wish = { ...model.get("values"), ...wish, ...changes };
      go();
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
      if (model.get("answer").key === waiting) waiting = null;
      look();
      if (wish) go();
      else setTimeout(go, 20);
    };
    rows.forEach((r, i) => {
      for (const input of r.inputs)
        input.addEventListener(input.type === "range" ? "input" : "change", () => ask({ [controls[i].name]: r.read(input) }));
    });
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
