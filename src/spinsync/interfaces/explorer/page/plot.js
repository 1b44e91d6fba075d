// One picture with two axes: an image made of numbers, lines, points, the current place. Text and axes take the page's colour.

import { pixelsOf, share, ticks, valueAt } from "./scales.js";

const SPACE = "http://www.w3.org/2000/svg";
const EDGE = { left: 64, right: 10, top: 8, bottom: 42 };
const HERE = "#e0303c";
const GROUPS = { "#0072b2": "var(--group-a)", "#d55e00": "var(--group-b)" }; // ss.plot.COLOURS, lighter in the dark theme
const inTheme = (colour, halo) => (halo ? colour : (GROUPS[colour.toLowerCase()] ?? colour));
const draw = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const box = (className, ...children) => {
  const element = Object.assign(document.createElement("div"), { className });
  element.append(...children);
  return element;
};

// an image of numbers as a canvas, with row 0 at the bottom
function painted({ bytes, width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d"), picture = context.createImageData(width, height);
  const from = new Uint8Array(bytes.buffer, bytes.byteOffset, 4 * width * height);
  for (let row = 0; row < height; row += 1)
    picture.data.set(from.subarray(4 * row * width, 4 * (row + 1) * width), 4 * (height - 1 - row) * width);
  context.putImageData(picture, 0, 0);
  return canvas;
}

const sameAxis = (a, b) => a && ["low", "high", "scale", "control"].every((name) => a[name] === b?.[name]);
const sameAxes = (a, b) => sameAxis(a?.x, b.x) && sameAxis(a?.y, b.y);

let plots = 0;

class Plot {
  constructor(model, el) {
    this.model = model;
    this.name = `plot-inside-${plots++}`;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.svg = draw("svg", { role: "img" });
    this.note = Object.assign(box("plot-note"), { textContent: "computing…" });
    this.legend = box("plot-legend");
    this.frame = box("plot-frame", this.canvas, this.svg, this.note);
    this.root = box("plot", this.frame, this.legend);
    el.append(this.root);
    this.followed = Object.entries({
      figure: () => this.all(), place: () => this.place(), says: () => this.say(), busy: () => this.busy(),
    });
    for (const [name, handler] of this.followed) model.on(`change:${name}`, handler);
    this.watch = new ResizeObserver(() => this.all());
    this.watch.observe(this.legend); // as wide as all, and of a height that nothing drawn here changes
    if (model.get("clickable")) this.listen();
    this.busy();
    this.say();
  }

  end() {
    this.watch.disconnect();
    for (const [name, handler] of this.followed) this.model.off(`change:${name}`, handler);
  }

  listen() {
    this.svg.setAttribute("tabindex", "0");
    this.svg.classList.add("clickable");
    // a finger that moves scrolls the page; one that taps chooses
    const mouse = (event) => event.pointerType !== "touch" && event.buttons === 1 && this.point(event);
    for (const name of ["pointerdown", "pointermove"]) this.svg.addEventListener(name, mouse);
    this.svg.addEventListener("click", (event) => event.pointerType === "touch" && this.point(event));
    this.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
      const figure = this.model.get("figure"), [at, up] = this.model.get("place") ?? [];
      if (!step || !figure?.x || at === undefined) return;
      event.preventDefault();
      const far = event.shiftKey ? 0.04 : 0.01;
      this.go(share(figure.x, at) + step[0] * far, share(figure.y, up ?? figure.y.low) + step[1] * far);
    });
  }

  point(event) {
    if (!this.model.get("figure")?.x) return;
    const { left, top, width } = this.svg.getBoundingClientRect(), larger = width / (this.wide + EDGE.left + EDGE.right);
    const x = (event.clientX - left) / larger, y = (event.clientY - top) / larger; // a projector shows the page larger
    this.go((x - EDGE.left) / this.wide, 1 - (y - EDGE.top) / this.tall);
  }

  go(across, up) {
    const { x, y } = this.model.get("figure");
    this.model.set("chosen", { x: valueAt(x, across), y: valueAt(y, up) });
    this.model.save_changes();
  }

  across(value) {
    return EDGE.left + share(this.shown.x, value) * this.wide;
  }

  up(value) {
    return EDGE.top + (1 - share(this.shown.y, value)) * this.tall;
  }

  all() {
    const figure = this.model.get("figure"), width = this.root.clientWidth;
    if (!width) return;
    const height = Math.round(Math.min(360, Math.max(230, 0.72 * width)));
    Object.assign(this, { wide: width - EDGE.left - EDGE.right, tall: height - EDGE.top - EDGE.bottom });
    this.frame.style.height = `${height}px`;
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
      this.svg.setAttribute(name, value);
    if (!figure?.x) return;
    const images = [figure.image, figure.over].filter(Boolean);
    // while a new image is computed the old one stays, dimmed
    if (images.length || !sameAxes(this.shown, figure) || !this.model.get("busy")) this.images = images.map(painted);
    this.shown = figure;
    this.paint();
    const frame = { x: EDGE.left, y: EDGE.top, width: this.wide, height: this.tall };
    const clip = draw("clipPath", { id: this.name }, draw("rect", frame));
    const inside = draw("g", { "clip-path": `url(#${this.name})` }), lines = figure.lines ?? [];
    inside.append(...lines.filter((line) => !line.points).flatMap((line) => this.line(line)));
    const dots = lines.filter((line) => line.points).flatMap((line) => this.dots(line));
    this.drawn = draw("g", { class: "plot-lines" }, inside, ...dots);
    this.mark = draw("g", { class: "plot-place" });
    this.svg.replaceChildren(clip, this.drawn, this.mark, ...this.axes(figure));
    this.explain(figure);
    this.place();
  }

  // the points of an image are the middles of equal parts of the axes
  paint() {
    const { canvas } = this, ratio = pixelsOf(canvas);
    const box = { left: EDGE.left, top: EDGE.top, width: this.wide, height: this.tall };
    for (const [name, pixels] of Object.entries(box)) canvas.style[name] = `${pixels}px`;
    canvas.width = Math.round(this.wide * ratio);
    canvas.height = Math.round(this.tall * ratio);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    for (const image of this.images) context.drawImage(image, 0, 0, canvas.width, canvas.height);
  }

  axes({ x, y }) {
    const low = EDGE.top + this.tall, middle = EDGE.top + this.tall / 2;
    const line = { stroke: "currentColor", fill: "none", "stroke-width": 1 };
    const text = (words, place) => draw("text", { fill: "currentColor", "text-anchor": "middle", ...place }, words);
    return [
      draw("path", { ...line, d: `M${EDGE.left} ${EDGE.top}V${low}H${EDGE.left + this.wide}` }),
      ...ticks(x, this.wide / 70).flatMap(([v, words]) => [
        draw("path", { ...line, d: `M${this.across(v)} ${low}v4` }), text(words, { x: this.across(v), y: low + 17 }),
      ]),
      ...ticks(y, this.tall / 45).flatMap(([v, words]) => [
        draw("path", { ...line, d: `M${EDGE.left} ${this.up(v)}h-4` }),
        text(words, { x: EDGE.left - 8, y: this.up(v) + 4, "text-anchor": "end" }),
      ]),
      text(x.label, { x: EDGE.left + this.wide / 2, y: low + 36, class: "plot-label" }),
      text(y.label, { x: 13, y: middle, transform: `rotate(-90 13 ${middle})`, class: "plot-label" }),
    ];
  }

  dots({ x, y, colour: given, size, open }) {
    const colour = inTheme(given), look = open ? { fill: "none", stroke: colour, "stroke-width": 1.5 } : { fill: colour };
    const known = x.map((v, k) => [v, y[k]]).filter(([v, w]) => v !== null && w !== null);
    return known.map(([v, w]) => draw("circle", { cx: this.across(v), cy: this.up(w), r: size ?? 3, ...look }));
  }

  line({ x, y, colour, dash, halo, wide }) {
    let d = "", pen = "M";
    x.forEach((v, k) => {
      if (v === null || y[k] === null) pen = "M";
      else {
        d += `${pen}${this.across(v).toFixed(1)} ${this.up(y[k]).toFixed(1)}`;
        pen = "L";
      }
    });
    const look = { d, fill: "none", "stroke-width": wide ? 4 : 1.7, "stroke-dasharray": dash ?? "none" };
    const solid = { ...look, stroke: "#fff", "stroke-width": 4, "stroke-dasharray": "none", "stroke-opacity": 0.85 };
    return [...(halo ? [draw("path", solid)] : []), draw("path", { ...look, stroke: inTheme(colour, halo) })];
  }

  explain({ legend, bar, lines }) {
    const haloed = new Set(["#000000", ...(lines ?? []).filter((line) => line.halo).map((line) => line.colour)]);
    const entries = [...(legend ?? [])];
    const place = this.model.get("place") ?? [];
    if (place.length) entries.push([HERE, "here", place.length > 1 ? "ring" : "upright"]);
    const rows = entries.map(([colour, words, kind]) => {
      const swatch = document.createElement("i");
      swatch.className = `mark-${kind ?? "area"}${haloed.has(colour) ? " haloed" : ""}`;
      swatch.style.setProperty("--mark", inTheme(colour, haloed.has(colour)));
      const entry = document.createElement("span");
      entry.append(swatch, words);
      return entry;
    });
    if (bar) {
      const ramp = document.createElement("i"), entry = document.createElement("span");
      ramp.className = "mark-ramp";
      ramp.style.background = `linear-gradient(to right, ${bar.colours.join(",")})`;
      entry.append(`${bar.label}: ${bar.low}`, ramp, bar.high);
      rows.unshift(entry);
    }
    this.legend.replaceChildren(...rows);
  }

  busy() {
    const busy = Boolean(this.model.get("busy"));
    if (!busy && this.shown) this.all(); // an image that was only kept goes
    this.root.classList.toggle("busy", busy);
  }

  say() {
    this.svg.setAttribute("aria-label", this.model.get("says") || this.model.get("title") || "");
  }

  place() {
    const [x, y] = this.model.get("place") ?? [];
    if (!this.shown?.x || !this.mark) return;
    if (Boolean(x === undefined) === Boolean(this.legend.querySelector(".mark-ring, .mark-upright"))) this.explain(this.shown);
    const part = x === undefined ? NaN : share(this.shown.x, x);
    if (!(part >= -1e-6 && part <= 1 + 1e-6)) return this.mark.replaceChildren();
    const at = this.across(x), { top } = EDGE, low = top + this.tall;
    if (y === undefined)
      return this.mark.replaceChildren(
        draw("path", { d: `M${at} ${top}V${low}`, stroke: HERE, "stroke-width": 1.6 }),
        draw("path", { d: `M${at - 6} ${top}h12l-6 8z`, fill: HERE }),
      );
    const round = { cx: at, cy: this.up(y), r: 7, fill: "none" };
    this.mark.replaceChildren(
      draw("circle", { ...round, stroke: "#fff", "stroke-width": 5, "stroke-opacity": 0.85 }),
      draw("circle", { ...round, stroke: HERE, "stroke-width": 2.4 }),
      draw("circle", { ...round, r: 1.8, fill: HERE }),
    );
  }
}

export default {
  render({ model, el }) {
    const plot = new Plot(model, el);
    return () => plot.end();
  },
};
