// The state of a widget on a page without a notebook: the part of anywidget's `model` that the widget uses.

// state written as JSON -> values: an object {"base64": text} becomes the DataView that anywidget makes of Python's bytes
export function decoded(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value.base64 !== "string") return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, decoded(v)]));
  const text = atob(value.base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new DataView(bytes.buffer);
}

export class LocalModel {
  // `send` is called by save_changes with the changed values by name, if there are any
  constructor(state, send = () => {}) {
    Object.assign(this, { state, send, unsent: {}, handlers: new Map() });
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.unsent[name] = this.state[name] = value;
    for (const event of [`change:${name}`, "change"]) for (const handler of [...(this.handlers.get(event) ?? [])]) handler();
  }

  save_changes() {
    const changes = this.unsent;
    this.unsent = {};
    if (Object.keys(changes).length) this.send(changes);
  }

  // `event`: "change:NAME" or "change"
  on(event, handler) {
    if (!this.handlers.has(event)) this.handlers.set(event, new Set());
    this.handlers.get(event).add(handler);
  }

  // without a handler, all those of the event; without an event, all
  off(event, handler) {
    for (const [name, handlers] of event ? [[event, this.handlers.get(event)]] : this.handlers)
      if (handler) handlers?.delete(handler);
      else this.handlers.delete(name);
  }
}
