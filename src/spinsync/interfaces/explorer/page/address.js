// Page and values in the address, so that they can be kept, sent on, reloaded, and gone back to.

const SETTLED = 250; // milliseconds without a change after which values count as chosen
const APART = 1000; // milliseconds between two entries of the browser's history

// a number as short as its control allows: whole, on a grid of steps, or with four digits on a logarithmic scale
export function rounded(control, value) {
  if (control.kind === "tick") return value ? 1 : 0;
  if (control.step % 1 === 0) return Math.round(value);
  if (control.scale === "log") return Number(value.toPrecision(4));
  return Number((Math.round(value / (control.step / 10)) * (control.step / 10)).toFixed(6));
}

export function clamped(control, value) {
  return Math.min(control.high, Math.max(control.low, value));
}

// the values of an address; what is missing, is no number, or is not known stays at its start
export function valuesOf(controls, parameters) {
  const values = {};
  for (const control of controls) {
    const text = parameters.get(control.name), number = Number(text);
    const usable = text !== null && text.trim() !== "" && Number.isFinite(number);
    values[control.name] = usable ? clamped(control, control.step % 1 === 0 ? Math.round(number) : number) : control.start;
  }
  return values;
}

// only what differs from the start
export function parametersOf(controls, values) {
  const parameters = new URLSearchParams();
  for (const control of controls) {
    const value = rounded(control, values[control.name]);
    if (value !== rounded(control, control.start)) parameters.set(control.name, value);
  }
  return parameters;
}

export class Address {
  // `now` gives the search parameters of what is on show; `restore` takes those of an entry of the history
  constructor(now, restore) {
    Object.assign(this, { now, next: null, entered: -Infinity, held: false });
    for (const [name, held] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]])
      addEventListener(name, () => (this.held = held), true);
    addEventListener("popstate", () => {
      this.next = null;
      this.entered = -Infinity; // what is changed after Back is an entry of its own
      restore(new URLSearchParams(location.search));
    });
  }

  // values are changing: an entry follows once they stay
  changing() {
    this.next = `?${this.now()}`;
    this.wait();
  }

  wait() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => (this.held ? this.wait() : this.settle()), SETTLED); // one entry for all that is dragged
  }

  settle() {
    if (this.next !== null) this.write(this.next, performance.now() - this.entered > APART);
    this.next = null;
  }

  // an entry of its own, at once, after what was still waiting for one
  enter() {
    this.settle();
    this.write(`?${this.now()}`, true);
  }

  write(address, own) {
    if (address === location.search) return;
    if (own) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    this.entered = performance.now();
  }
}
