// Linear and logarithmic axes of pictures: ticks, and where a value stands.

// the largest number below one that has a single digit other than zero
function largest(below) {
  const power = 10 ** Math.floor(Math.log10(below));
  return Math.floor(below / power + 1e-9) * power;
}

function linearTicks(low, high, room) {
  const rough = (high - low) / Math.max(2, room), power = 10 ** Math.floor(Math.log10(rough));
  const usual = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough * (1 - 1e-9)), half = (high - low) / 2;
  const step = usual <= half ? usual : largest(0.8 * half); // else a narrow axis about zero would have this one tick
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const written = (size) => (digits > 3 && size ? inPowers(size) : size.toFixed(digits > 3 ? 0 : digits));
  return found.map((value) => [value, `${value < 0 ? "−" : ""}${written(Math.abs(value))}`]);
}

// 10⁴, 2·10⁻³
function inPowers(value) {
  const [digits, power] = Number(value.toPrecision(9)).toExponential().split("e");
  const raised = [...String(Number(power))].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])).join("");
  return `${digits === "1" ? "" : `${digits}·`}10${raised}`;
}

// 0.1, 0.2, 0.5, 1, 2, 5, 10, ...; powers of ten alone where there is no room
function logarithmicTicks(low, high, room) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1)
    for (const k of [1, 2, 5]) found.push(Number(`${k}e${power}`));
  const inside = found.filter((v) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9));
  const kept = inside.length > 1.6 * room ? inside.filter((v) => Number.isInteger(Math.log10(v))) : inside;
  return kept.map((v) => [v, v >= 1e-2 && v < 1e4 ? String(v) : inPowers(v)]);
}

// [value, words] of the ticks of an axis, for about `room` of them
export const ticks = (axis, room) => (axis.scale === "log" ? logarithmicTicks : linearTicks)(axis.low, axis.high, room);

// the share of an axis below a value
export function share({ low, high, scale }, value) {
  return scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

// the value at a share of an axis
export function valueAt({ low, high, scale }, part) {
  const inside = Math.min(1, Math.max(0, part));
  return scale === "log" ? low * (high / low) ** inside : low + inside * (high - low);
}

// How many pixels of the screen one pixel of an element's layout takes. WebKit does not tell the zoom of an element; only the body
// has one (look.css).
export function pixelsOf(element) {
  const zoom = element.currentCSSZoom ?? (Number(getComputedStyle(document.body).zoom) || 1);
  return (devicePixelRatio || 1) * zoom;
}
