// The spins as clock hands: each face is one spin seen from above, its hand points to the azimuth of the Bloch vector and is as
// long as its part in the plane of the equator. The large face of each group is the mean of all its hands, of length R.

const FACES = 12; // small faces; of two groups half of them each
const REACH = 0.86; // length of the longest hand, in radii of its face
const GAP = 4;
const TEXT = 22; // height of a line of text with its distances
const LETTERS = 12, SMALLEST = 9; // size of its letters

export class Hands {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), background: document.createElement("canvas") });
  }

  // `caption`: the words before the digits of R below the face of the mean
  look(motion, colours, theme, caption) {
    Object.assign(this, { colours, theme, caption, owner: motion.owner, key: "" });
    this.shown = [];
    for (let a = 0; a < motion.groups; a++) {
      const many = Math.min(FACES / motion.groups, motion.first[a + 1] - motion.first[a]);
      for (let k = 0; k < many; k++) this.shown.push(motion.first[a] + k); // frequencies are dealt out in random order
    }
  }

  // faces as [x, y, radius, group, spin or group, large] in CSS pixels: large ones with a line of text below, a grid of small ones
  layout(width, height, groups) {
    const tall = height > 0.9 * width, many = this.shown.length, faces = [];
    const large = tall ? Math.min(width / groups, 0.42 * height, 150) : Math.min(width / 2, height / groups - TEXT, 150);
    this.room = tall && groups > 1 ? width / groups - 2 * GAP : width; // of a line of text
    for (let a = 0; a < groups; a++) {
      const x = tall ? (width / groups) * (a + 0.5) : large / 2, y = large / 2 + (tall ? 0 : (height / groups) * a);
      faces.push([x, y, Math.max(0, large / 2 - GAP), a, a, true]); // none where there is no room
    }
    const left = tall ? 0 : large + GAP, top = tall ? large + TEXT : 0;
    let columns = 1, side = 0;
    for (let n = 1; n <= many; n++) {
      const fits = Math.min((width - left) / n, (height - top) / Math.ceil(many / n), 72);
      if (fits > side) [columns, side] = [n, fits];
    }
    const inset = left + (width - left - columns * side) / 2;
    this.shown.forEach((spin, k) => {
      const x = inset + side * ((k % columns) + 0.5), y = top + side * (Math.floor(k / columns) + 0.5);
      faces.push([x, y, Math.max(0, side / 2 - GAP / 2), this.owner[spin], spin, false]);
    });
    return faces;
  }

  draw(motion, ratio) {
    const { canvas, context: c } = this, width = canvas.clientWidth, height = canvas.clientHeight;
    const key = `${width} ${height} ${ratio}`;
    if (!width || !height) return;
    if (key !== this.key) {
      this.key = key;
      for (const surface of [canvas, this.background])
        Object.assign(surface, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      this.faces = this.layout(width, height, motion.groups);
      this.drawBackground(width, height, ratio);
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.background, 0, 0);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.lineCap = "round";
    for (const [x, y, radius, group, of, large] of this.faces) {
      const u = large ? motion.meanX[of] : motion.x[of], v = large ? motion.meanY[of] : motion.y[of];
      const colour = large && motion.groups === 1 ? this.theme.strong : this.colours[group]; // as the arrow of the mean
      this.hand(x, y, REACH * radius * u, -REACH * radius * v, colour, large ? 4 : 2);
      if (!large) continue;
      const words = `${motion.groups > 1 ? "R =" : this.caption} ${motion.groupOrder(of).toFixed(2)}`;
      this.write(words, x, y + radius + GAP);
    }
  }

  // a line below a large face, smaller where it would come too near the line beside it
  write(words, x, y) {
    const c = this.context, say = (size) => (c.font = `${size}px system-ui, sans-serif`);
    Object.assign(c, { fillStyle: this.theme.text, textAlign: "center", textBaseline: "top" });
    say(LETTERS);
    const wide = c.measureText(words).width;
    if (wide > this.room) say(Math.max(SMALLEST, (LETTERS * this.room) / wide));
    c.fillText(words, x, y);
  }

  hand(x, y, u, v, colour, thick) {
    const c = this.context;
    Object.assign(c, { strokeStyle: colour, fillStyle: colour, lineWidth: thick });
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x + u, y + v);
    c.stroke();
    c.beginPath();
    c.arc(x + u, y + v, 0.9 * thick + 0.6, 0, 2 * Math.PI);
    c.fill();
  }

  drawBackground(width, height, ratio) {
    const c = this.background.getContext("2d"), { theme } = this;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = theme.page;
    c.fillRect(0, 0, width, height);
    Object.assign(c, { strokeStyle: theme.line, fillStyle: theme.ball });
    for (const [x, y, radius, , , large] of this.faces) {
      c.lineWidth = large ? 1.6 : 0.8;
      c.beginPath();
      c.arc(x, y, radius, 0, 2 * Math.PI);
      c.fill();
      c.stroke();
    }
  }
}
