// Order parameter and phases against time, with a cursor at the current time.

// tick positions and labels in steps of 1, 2 or 5 times a power of ten, about `count` of them
function ticks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power, digits = clamp(-Math.floor(Math.log10(step)), 0, 12);
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step)
    out.push([v, (Math.abs(v) < 1e-9 * step ? 0 : v).toFixed(digits).replace("-", "−")]);
  return out;
}

class Curves {
  // `series`: run -> [{values(k), colour, dash}], `range`: run -> [low, high]; curves are interrupted at jumps larger than `wrap`
  constructor(canvas, { label, series, range, marks, wrap = Infinity }) {
    Object.assign(this, { canvas, label, series, range, marks, wrap, context: canvas.getContext("2d") });
    this.background = document.createElement("canvas");
  }

  draw(run, frame, { theme, ratio }) {
    const { canvas, context: c } = this, width = canvas.clientWidth, height = canvas.clientHeight;
    const key = [width, height, ratio, theme.page].join();
    if (key !== this.key || run !== this.run) {
      Object.assign(this, { key, run, width, height, inner: { left: 46, right: width - 12, top: 24, bottom: height - 36 } });
      for (const surface of [canvas, this.background])
        Object.assign(surface, { width: Math.max(1, width * ratio), height: Math.max(1, height * ratio) });
      this.drawBackground(run, theme, ratio);
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.background, 0, 0);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    const x = this.x(between(run.time, frame));
    Object.assign(c, { strokeStyle: theme.strong, lineWidth: 1 });
    c.beginPath();
    c.moveTo(x, this.inner.top);
    c.lineTo(x, this.inner.bottom);
    c.stroke();
    for (const { values, colour } of this.lines) {
      const y = this.y(values(Math.round(frame)));
      if (Number.isNaN(y)) continue;
      c.fillStyle = colour;
      c.beginPath();
      c.arc(x, this.wrap < Infinity ? y : this.y(interpolate(values, frame)), 3.2, 0, 2 * Math.PI);
      c.fill();
    }
  }

  x(t) {
    const { time } = this.run, { left, right } = this.inner, span = time[time.length - 1] - time[0];
    return left + (span ? (t - time[0]) / span : 0) * (right - left);
  }

  time(x) {
    const { time } = this.run, { left, right } = this.inner;
    return time[0] + clamp((x - left) / (right - left), 0, 1) * (time[time.length - 1] - time[0]);
  }

  y(v) {
    return this.inner.bottom - ((v - this.low) / (this.high - this.low)) * (this.inner.bottom - this.inner.top);
  }

  drawBackground(run, theme, ratio) {
    const c = this.background.getContext("2d"), { left, right, top, bottom } = this.inner;
    [this.low, this.high] = this.range(run);
    this.lines = this.series(run, theme);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = theme.page;
    c.fillRect(0, 0, this.width, this.height);
    Object.assign(c, { fillStyle: theme.text, strokeStyle: theme.line, lineWidth: 1, font: "12px system-ui, sans-serif" });
    c.fillText(this.label(run), left, 14);
    Object.assign(c, { textAlign: "right", textBaseline: "bottom" });
    c.fillText("time t (1/rate)", right, this.height - 1);
    c.strokeRect(left, top, right - left, bottom - top);
    Object.assign(c, { textAlign: "center", textBaseline: "top", font: "11px system-ui, sans-serif" });
    const [begin, end] = [run.time[0], run.time[run.frames - 1]];
    for (const [t, name] of ticks(begin, end, clamp(this.width / 70, 2, 6))) c.fillText(name, this.x(t), bottom + 5);
    Object.assign(c, { textAlign: "right", textBaseline: "middle" });
    for (const [v, name] of this.marks ?? ticks(this.low, this.high, 4)) c.fillText(name, left - 6, this.y(v));
    for (const { values, colour, dash = [] } of this.lines) {
      Object.assign(c, { strokeStyle: colour, lineWidth: 1.6, lineJoin: "round" });
      c.setLineDash(dash);
      c.beginPath();
      for (let k = 0, last = NaN; k < run.frames; last = values(k), k++) {
        const v = values(k);
        if (Number.isNaN(v)) continue;
        if (Math.abs(v - last) < this.wrap) c.lineTo(this.x(run.time[k]), this.y(v));
        else c.moveTo(this.x(run.time[k]), this.y(v)); // also after NaN, for which the comparison is false
      }
      c.stroke();
    }
  }
}

const interpolate = (values, frame) => {
  const k = Math.floor(frame), v = values(k), f = frame - k;
  return f ? v + f * (values(k + 1) - v) : v;
};

