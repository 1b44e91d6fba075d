// One picture with two axes: an image made of numbers, lines, points, the current place. Text and axes take the page's colour.

const SPACE = "http://www.w3.org/2000/svg";
const draw = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const EDGE = { left: 52, right: 14, top: 10, bottom: 42 };

function ticks(low, high, room) {
  const rough = (high - low) / Math.max(2, room), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return found.map((value) => [value, value.toFixed(digits).replace("-", "−")]);
}

// the image as a data URL; row 0 of the numbers is at the bottom
function painted({ bytes, width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d"), picture = context.createImageData(width, height);
  for (let k = 0; k < width * height; k += 1) {
    const from = 4 * ((height - 1 - Math.floor(k / width)) * width + (k % width));
    for (let c = 0; c < 4; c += 1) picture.data[4 * k + c] = bytes.getUint8(from + c);
  }
  context.putImageData(picture, 0, 0);
  return canvas.toDataURL();
}

class Plot {
  constructor(model, el) {
    Object.assign(this, { model, number: 0 });
    this.root = Object.assign(document.createElement("div"), { className: "ex-plot" });
    this.svg = draw("svg");
    this.legend = Object.assign(document.createElement("div"), { className: "ex-legend" });
    this.root.append(this.svg, this.legend);
    el.append(this.root);
    this.watch = new ResizeObserver(() => this.all());
    this.watch.observe(this.root);
    this.all = this.all.bind(this);
    this.place = this.place.bind(this);
    model.on("change:figure", this.all);
    model.on("change:place", this.place);
    if (model.get("clickable")) this.listen();
  }

  end() {
    this.watch.disconnect();
    this.model.off("change:figure", this.all);
    this.model.off("change:place", this.place);
  }

  listen() {
    this.svg.setAttribute("tabindex", "0");
    this.svg.classList.add("ex-clickable");
    // a finger that moves scrolls the page; one that taps chooses
    const mouse = (event) => event.pointerType !== "touch" && event.buttons === 1 && this.point(event);
    for (const name of ["pointerdown", "pointermove"]) this.svg.addEventListener(name, mouse);
    this.svg.addEventListener("click", (event) => event.pointerType === "touch" && this.point(event));
    this.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const { x, y } = this.model.get("figure"), [at, up] = this.model.get("place"), fine = event.shiftKey ? 4 : 1;
      this.go(at + (step[0] * fine * (x.high - x.low)) / 100, up + (step[1] * fine * (y.high - y.low)) / 100);
    });
  }

  point(event) {
    const box = this.svg.getBoundingClientRect(), { x, y } = this.model.get("figure");
    const across = (event.clientX - box.left - EDGE.left) / this.wide, up = 1 - (event.clientY - box.top - EDGE.top) / this.tall;
    this.go(x.low + across * (x.high - x.low), y.low + up * (y.high - y.low));
  }

  go(x, y) {
    const { x: a, y: b } = this.model.get("figure"), within = (v, axis) => Math.min(axis.high, Math.max(axis.low, v));
    this.model.set("chosen", { number: (this.number += 1), x: within(x, a), y: within(y, b) });
    this.model.save_changes();
  }

  all() {
    const figure = this.model.get("figure"), width = this.root.clientWidth;
    if (!width || !figure.x) return;
    const height = Math.round(Math.min(340, Math.max(220, 0.72 * width)));
    Object.assign(this, { wide: width - EDGE.left - EDGE.right, tall: height - EDGE.top - EDGE.bottom });
    const { x, y } = figure;
    this.across = (v) => EDGE.left + ((v - x.low) / (x.high - x.low)) * this.wide;
    this.up = (v) => EDGE.top + (1 - (v - y.low) / (y.high - y.low)) * this.tall;
    const frame = { x: EDGE.left, y: EDGE.top, width: this.wide, height: this.tall };
    this.mark = draw("g", { class: "ex-place" });
    const parts = [draw("clipPath", { id: "inside" }, draw("rect", frame))];
    const inside = draw("g", { "clip-path": "url(#inside)" }), lines = figure.lines ?? [];
    if (figure.image) inside.append(this.image(figure.image));
    inside.append(...lines.filter((line) => !line.points).flatMap((line) => this.line(line)));
    parts.push(inside, ...lines.filter((line) => line.points).flatMap((line) => this.dots(line)));
    parts.push(this.mark, ...this.axes(figure));
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`, role: "img" }))
      this.svg.setAttribute(name, value);
    this.svg.replaceChildren(...parts);
    this.explain(figure);
    this.place();
  }

  axes({ x, y }) {
    const low = EDGE.top + this.tall, middle = EDGE.top + this.tall / 2;
    const line = { stroke: "currentColor", fill: "none", "stroke-width": 1 };
    const text = (words, place) => draw("text", { fill: "currentColor", "text-anchor": "middle", ...place }, words);
    return [
      draw("path", { ...line, d: `M${EDGE.left} ${EDGE.top}V${low}H${EDGE.left + this.wide}` }),
      ...ticks(x.low, x.high, this.wide / 70).flatMap(([v, words]) => [
        draw("path", { ...line, d: `M${this.across(v)} ${low}v4` }), text(words, { x: this.across(v), y: low + 16 }),
      ]),
      ...ticks(y.low, y.high, this.tall / 45).flatMap(([v, words]) => [
        draw("path", { ...line, d: `M${EDGE.left} ${this.up(v)}h-4` }),
        text(words, { x: EDGE.left - 7, y: this.up(v) + 4, "text-anchor": "end" }),
      ]),
      text(x.label, { x: EDGE.left + this.wide / 2, y: low + 34 }),
      text(y.label, { x: 12, y: middle, transform: `rotate(-90 12 ${middle})` }),
    ];
  }

  // the outermost numbers belong to the ends of the axes: half of their cells is outside
  image(image) {
    const width = (this.wide * image.width) / (image.width - 1), height = (this.tall * image.height) / (image.height - 1);
    const place = { x: EDGE.left - (width - this.wide) / 2, y: EDGE.top - (height - this.tall) / 2, width, height };
    return draw("image", { ...place, href: painted(image), preserveAspectRatio: "none", style: "image-rendering: pixelated" });
  }

  dots({ x, y, colour }) {
    const known = x.map((v, k) => [v, y[k]]).filter(([v, w]) => v !== null && w !== null);
    return known.map(([v, w]) => draw("circle", { cx: this.across(v), cy: this.up(w), r: 3, fill: "none", stroke: colour, "stroke-width": 1.4 }));
  }

  line({ x, y, colour, dash, halo }) {
    let d = "", pen = "M";
    x.forEach((v, k) => {
      if (v === null || y[k] === null) pen = "M";
      else {
        d += `${pen}${this.across(v).toFixed(1)} ${this.up(y[k]).toFixed(1)}`;
        pen = "L";
      }
    });
    const look = { d, fill: "none", "stroke-width": 1.6, "stroke-dasharray": dash ?? "none" };
    return [...(halo ? [draw("path", { ...look, stroke: "#fff", "stroke-width": 4 })] : []), draw("path", { ...look, stroke: colour })];
  }

  explain({ legend, bar, image, busy }) {
    const entries = (legend ?? []).map(([colour, words, kind]) => {
      const swatch = document.createElement("i");
      swatch.className = `ex-${kind ?? "area"}`;
      swatch.style.setProperty("--mark", colour);
      const entry = document.createElement("span");
      entry.append(swatch, words);
      return entry;
    });
    if (bar && image) {
      const ramp = document.createElement("i");
      ramp.className = "ex-ramp";
      ramp.style.background = `linear-gradient(to right, ${bar.colours.join(",")})`;
      const entry = document.createElement("span");
      entry.append(`${bar.label}: ${bar.low}`, ramp, bar.high);
      entries.unshift(entry);
    }
    if (busy) entries.push("computing…");
    this.legend.replaceChildren(...entries);
  }

  place() {
    this.svg.setAttribute("aria-label", this.model.get("says"));
    const [x, y] = this.model.get("place");
    if (!this.mark || x === undefined) return;
    const at = this.across(x), { left, top } = EDGE;
    if (y === undefined)
      return this.mark.replaceChildren(draw("path", { d: `M${at} ${top}V${top + this.tall}`, stroke: "currentColor", "stroke-dasharray": "2 3" }));
    const circle = (r, stroke, wide) => draw("circle", { cx: at, cy: this.up(y), r, fill: "none", stroke, "stroke-width": wide });
    this.mark.replaceChildren(circle(7, "#fff", 5), circle(7, "#e0303c", 2.4), draw("circle", { cx: at, cy: this.up(y), r: 1.8, fill: "#e0303c" }));
    if (left > at) this.mark.replaceChildren();
  }
}

export default {
  render({ model, el }) {
    const plot = new Plot(model, el);
    model.on("change:says", plot.place);
    return () => {
      model.off("change:says", plot.place);
      plot.end();
    };
  },
};
