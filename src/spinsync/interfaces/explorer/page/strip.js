// The order parameter R against time: the last units of time, with that of the limit cycle as a dashed line.

const SPAN = 30; // units of time that are shown
const EVERY = 0.05; // of time between two samples
const SAMPLES = SPAN / EVERY + 2;
const DASHES = [[], [], [4, 3]]; // of R, A and B: both groups are seen where one lies upon the other
const MARGIN = { left: 30, right: 8, top: 5, bottom: 18 };

const TITLE = MARGIN.left + 104; // where "order parameter R" ends, over which no other word may lie
const FONT = "11px system-ui, sans-serif";

const two = (value) => value.toFixed(2);

export class Strip {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), count: 0, next: 0, marks: [] });
    this.times = new Float64Array(SAMPLES);
    this.curves = [0, 1, 2].map(() => new Float32Array(SAMPLES)); // R of all spins, of group A, of group B
    this.background = document.createElement("canvas");
  }

  clear() {
    Object.assign(this, { count: 0, next: 0, marks: [] });
  }

  // `order`: R of the limit cycle, or null; `source`: what the legend calls it; `unit`: of time
  look(groups, colours, theme, order, source, unit) {
    Object.assign(this, { groups, colours, theme, order, source, unit, key: "", said: "" });
  }

  push(motion) {
    const last = this.times[(this.next + SAMPLES - 1) % SAMPLES];
    if (this.count && motion.time < last + EVERY) return;
    this.times[this.next] = motion.time;
    this.curves[0][this.next] = motion.order;
    for (let a = 0; a < motion.groups && a < 2; a++) this.curves[a + 1][this.next] = motion.groupOrder(a);
    this.next = (this.next + 1) % SAMPLES;
    this.count = Math.min(SAMPLES, this.count + 1);
  }

  // a word at a time: a kick, a new start
  mark(time, word) {
    this.marks.push({ time, word });
    if (this.marks.length > 12) this.marks.shift();
  }

  x(time, now) {
    return this.width - MARGIN.right - ((now - time) / SPAN) * (this.width - MARGIN.left - MARGIN.right);
  }

  y(value) {
    return this.height - MARGIN.bottom - Math.min(1, value) * (this.height - MARGIN.top - MARGIN.bottom);
  }

  draw(motion, ratio) {
    const { canvas, context: c, theme } = this, width = canvas.clientWidth, height = canvas.clientHeight;
    const key = `${width} ${height} ${ratio}`;
    if (!width || !height) return;
    if (key !== this.key) {
      Object.assign(this, { key, width, height });
      for (const surface of [canvas, this.background])
        Object.assign(surface, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      this.drawBackground(ratio);
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.background, 0, 0);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawMarks(motion.time);
    for (let a = 0; this.groups > 1 && a < 2; a++) this.curve(a + 1, motion.groupOrder(a), motion.time, this.colours[a]);
    this.curve(0, motion.order, motion.time, theme.strong);
    if (this.order !== null) this.limitCycle();
    c.fillStyle = theme.strong;
    c.beginPath();
    c.arc(this.x(0, 0), this.y(motion.order), 3, 0, 2 * Math.PI);
    c.fill();
  }

  curve(which, present, now, colour) {
    const c = this.context, values = this.curves[which];
    c.setLineDash(DASHES[which]);
    Object.assign(c, { strokeStyle: colour, lineWidth: which ? 1.4 : 1.8, lineJoin: "round" });
    c.beginPath();
    for (let k = 0; k < this.count; k++) {
      const at = (this.next + SAMPLES - this.count + k) % SAMPLES;
      if (this.times[at] >= now - SPAN) c.lineTo(this.x(this.times[at], now), this.y(values[at]));
    }
    c.lineTo(this.x(now, now), this.y(present));
    c.stroke();
    c.setLineDash([]);
  }

  drawMarks(now) {
    const c = this.context, { theme } = this;
    Object.assign(c, { strokeStyle: theme.line, fillStyle: theme.text, lineWidth: 1, font: FONT, textBaseline: "top" });
    let free = this.width; // a word that would lie over the next one is left out; its line stays
    for (const { time, word } of [...this.marks].reverse()) {
      const x = this.x(time, now);
      if (x < MARGIN.left) continue;
      c.beginPath();
      c.moveTo(x, MARGIN.top);
      c.lineTo(x, this.height - MARGIN.bottom);
      c.stroke();
      const wide = c.measureText(word).width + 8, left = x + wide > this.width - MARGIN.right ? x - wide : x;
      if (left + wide > free || left < TITLE) continue;
      free = left;
      c.textAlign = "left";
      c.fillText(word, left + 4, MARGIN.top + 1);
    }
  }

  // frame and ticks
  drawBackground(ratio) {
    const c = this.background.getContext("2d"), { theme, width, height } = this, bottom = height - MARGIN.bottom;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = theme.page;
    c.fillRect(0, 0, width, height);
    Object.assign(c, { strokeStyle: theme.line, lineWidth: 1, fillStyle: theme.text, font: FONT });
    c.globalAlpha = 0.5;
    c.strokeRect(MARGIN.left + 0.5, MARGIN.top + 0.5, width - MARGIN.left - MARGIN.right, bottom - MARGIN.top);
    c.globalAlpha = 1;
    Object.assign(c, { textAlign: "right", textBaseline: "middle" });
    for (const value of [0, 0.5, 1]) c.fillText(value, MARGIN.left - 5, this.y(value));
    Object.assign(c, { textAlign: "center", textBaseline: "top" });
    for (const ago of [30, 20, 10]) c.fillText(`−${ago}${ago === SPAN ? this.unit : ""}`, this.x(-ago, 0), bottom + 4);
    c.textAlign = "right";
    c.fillText("now", width - MARGIN.right, bottom + 4);
    Object.assign(c, { textAlign: "left", globalAlpha: 0.8 });
    c.fillText("order parameter R", MARGIN.left + 6, MARGIN.top + 4);
    c.globalAlpha = 1;
  }

  limitCycle() {
    const { context: c, theme, order } = this;
    Object.assign(c, { strokeStyle: theme.strong, lineWidth: 1.3 });
    c.setLineDash([6, 6]);
    c.beginPath();
    c.moveTo(MARGIN.left, this.y(order));
    c.lineTo(this.width - MARGIN.right, this.y(order));
    c.stroke();
    c.setLineDash([]);
  }

  // the legend with digits, of the same width for all digits
  say(element, motion) {
    const { theme, colours } = this, parts = [["now", `R = ${two(motion.order)}`, theme.strong]];
    for (let a = 0; motion.groups > 1 && a < 2; a++) parts.push([`group-${a}`, `${"AB"[a]} ${two(motion.groupOrder(a))}`, colours[a]]);
    if (this.order !== null) parts.push(["cycle", `${this.source} ${two(this.order)}`, theme.strong]);
    const kinds = parts.map(([kind]) => kind).join();
    if (kinds !== this.said) {
      this.said = kinds;
      element.replaceChildren(...parts.map(([kind, , colour]) => {
        const made = Object.assign(document.createElement("span"), { className: `stage-line-${kind}` });
        made.style.setProperty("--mark", colour);
        return made;
      }));
    }
    parts.forEach(([, text], k) => {
      if (element.children[k].textContent !== text) element.children[k].textContent = text;
    });
  }
}
