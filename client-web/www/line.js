// Holds messages back as a bad line would, for the network panel. Comes in: messages as they leave or
// come, and from the module (`Line`) when each arrives. Goes out: the same messages, in order, later.

/** One direction. */
class Way {
  #queue = [];
  #timer = 0;
  #arrival;
  #deliver;
  /** Bytes that are held back. */
  bytes = 0;

  /** `arrival(bytes, now)` says when that many bytes arrive; `deliver(message, now)` takes them then. */
  constructor(arrival, deliver) {
    this.#arrival = arrival;
    this.#deliver = deliver;
  }

  pass(message) {
    const now = performance.now();
    const at = this.#arrival(message.length, now);
    if (at <= now && !this.#queue.length) { this.#deliver(message, now); return; }
    this.#queue.push({ message, at });
    this.bytes += message.length;
    this.#timer ||= setTimeout(this.#due, at - now);
  }

  /** Forgets what is held back. */
  clear() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#queue = [];
    this.bytes = 0;
  }

  #due = () => {
    this.#timer = 0;
    // What takes a message may open a new connection, which empties the queue.
    while (this.#queue.length && this.#queue[0].at <= performance.now()) {
      const { message } = this.#queue.shift();
      this.bytes -= message.length;
      this.#deliver(message, performance.now());
    }
    if (this.#queue.length) this.#timer ||= setTimeout(this.#due, this.#queue[0].at - performance.now());
  };
}

/** Both directions between the page and its socket. Until `use` is called nothing is held back. */
export class HeldBack {
  #line = null;
  #outward;
  #inward;

  /** `send(message)` writes to the socket, `take(message, now)` is given what came. */
  constructor(send, take) {
    this.#outward = new Way((bytes, now) => this.#line?.outward(bytes, now) ?? now, send);
    this.#inward = new Way((bytes, now) => this.#line?.inward(bytes, now) ?? now, take);
  }

  /** From now on messages arrive when the module's `line` says so, with null at once. */
  use(line) {
    this.#line = line;
  }

  /** The connection is gone, and what was under way with it. */
  clear() {
    this.#outward.clear();
    this.#inward.clear();
    this.#line?.clear();
  }

  /** A message leaves the page. */
  send(message) {
    this.#outward.pass(message);
  }

  /** A message has come off the socket. */
  take(message) {
    this.#inward.pass(message);
  }

  /** Bytes that wait to be written to the socket. */
  get waiting() {
    return this.#outward.bytes;
  }
}
