// The connection to Python: wishes go out, changed parts come back. Of the wishes that wait only the newest is kept, and the
// next one goes out when the one before has begun to be answered, so a dragged slider never leaves a queue behind it.

const PATIENCE = 8000; // milliseconds without a word after which a connection counts as lost
const PAUSES = [300, 1000, 2000, 4000, 8000]; // milliseconds before each new attempt to connect
const FULL = 1013; // close code: too many pages; the reason says so
const GONE =
  "There is no answer from spinsync. If it was ended or started anew, open the address that it prints; trying again meanwhile.";

export class Socket {
  // `receive`: what is called with each message; `report`: with a sentence on the connection, "" when all is well
  constructor(receive, report) {
    Object.assign(this, { receive, report, number: 0, wish: null, unanswered: 0, attempts: 0 });
    this.connect = this.connect.bind(this);
    addEventListener("online", () => this.again(0));
    addEventListener("pageshow", (event) => event.persisted && this.again(0));
    this.connect();
  }

  ask(page, values) {
    this.wish = { number: (this.number += 1), page, values };
    this.sent = false;
    this.send();
  }

  connect() {
    clearTimeout(this.pause);
    this.pause = 0;
    const socket = (this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`));
    const mine = (handler) => (event) => socket === this.socket && handler(event);
    socket.onopen = mine(() => this.send());
    socket.onmessage = mine((event) => this.message(JSON.parse(event.data)));
    socket.onclose = mine((event) => this.closed(event));
  }

  // leave the present connection, whatever its state, and make a new one
  again(pause) {
    clearTimeout(this.patience);
    const old = this.socket;
    this.socket = null;
    old?.close();
    this.unanswered = 0;
    this.sent = false; // what was asked for is asked for again
    clearTimeout(this.pause);
    this.pause = setTimeout(this.connect, pause);
  }

  send() {
    if (this.sent || !this.wish || this.unanswered || this.socket?.readyState !== WebSocket.OPEN) return;
    this.sent = true;
    this.unanswered = this.wish.number;
    this.socket.send(JSON.stringify(this.wish));
    this.wait();
  }

  wait() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.again(0), PATIENCE);
  }

  message(message) {
    clearTimeout(this.patience);
    this.attempts = 0;
    this.report("");
    if (message.number === this.unanswered) this.unanswered = 0;
    if (this.unanswered) this.wait();
    this.receive(message, message.number === this.number);
    this.send();
  }

  closed(event) {
    const pause = PAUSES[Math.min(this.attempts, PAUSES.length - 1)];
    this.attempts += 1;
    if (event.reason) this.report(event.reason);
    else if (this.attempts > 2) this.lost();
    this.again(event.code === FULL ? PAUSES.at(-1) : pause);
  }

  // no connection can be made: either nothing runs there, or it does not know this browser any more and asks for the token
  async lost() {
    this.report(GONE);
    const answer = await fetch("/assets/main.js", { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401) location.reload();
  }
}
