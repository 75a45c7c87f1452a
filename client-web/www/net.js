// The WebSocket to the server, and coming back when it goes. Comes in: whole binary messages, handed
// on untouched. Goes out: the same, and what state the connection is in. It knows nothing of what the
// messages mean but who speaks first. Between the socket and the game stands `line.js`, which can hold
// messages back as a bad line would.

import { BROKE } from './broken.js';
import { HeldBack } from './line.js';

/** Agreed at the handshake; the number counts up with the messages' layout. */
const SUBPROTOCOL = 'gamekeeper.7';
/** The first wait before trying again, ms; it doubles from try to try. */
const WAIT_FIRST_MS = 500;
/** The longest wait, ms, however often it failed. */
const WAIT_MAX_MS = 10_000;
/** Of everybody who was told that the server restarts (1001), nobody comes back before the first of these, ms, and
 *  everybody tries until the second: each at a moment of their own, and not all in the same instant. Where the session
 *  is on another server now (4015), that one is there already. */
const INTERRUPTED_MS = { 1001: [250, 750], 4015: [0, 300] };
/** A connection that lasted this long, ms, was a good one: the next wait starts small again. */
const STABLE_MS = 5_000;
/** A server sends frames all the time. After this long without any, ms, the connection is dead though
 *  nobody said so, and is given up. */
const SILENCE_MAX_MS = 8_000;
/** While the browser still holds more than this, bytes, inputs are left out: newer ones would only
 *  queue behind older. */
const BUFFERED_MAX = 4_096;

/** Codes of this page's own making: the session is gone, the server let nobody through, the module broke. */
export const GONE = 404;
export const REFUSED = 403;
export const BROKEN = 500;
/** The close code by which somebody learns that they are banned from a session. */
export const BANNED = 4010;
/** The page is older than the server. */
const OUTDATED = 4006;
/** Codes after which only a reload helps. */
export const RELOADS = new Set([BROKEN, OUTDATED]);

/** Close codes after which trying again by oneself would only fail again, and what to tell people
 *  where the server gave no reason. Others are tried again. */
const FINAL = {
  1000: 'The server ended the game.',
  1002: 'The browser and the server do not understand each other. Reload the page.',
  1003: 'The browser and the server do not understand each other. Reload the page.',
  1007: 'The server could not read what this page sent. Reload the page.',
  1008: 'This page sent too much at once, so the server hung up.',
  1009: 'This page sent too much at once, so the server hung up.',
  4002: 'The server could not read what this page sent. Reload the page.',
  4003: 'The server does not take this name.',
  4006: 'The game has been updated. Reload the page to go on.',
  4008: 'The host showed you out.',
  4009: 'The same seat was taken from another connection.',
  4010: 'The host has banned you from this session.',
  4011: 'This session is locked: its host lets nobody in.',
  4013: 'The host has ended this session.',
  4014: 'There is no seat left in this session.',
};

/** Why a connection that will be tried again was lost, by code. */
const PASSING = {
  1001: 'The server is restarting.',
  1011: 'The server had a problem.',
  1013: 'The server is full.',
  4001: 'The server waited too long for this page.',
  4012: 'The connection was too slow to follow.',
  4015: 'The session moves to another server.',
};

/** A connection that keeps coming back until it is told to stop. */
export class Link {
  #socket = null;
  #opened = 0;
  #heard = 0;
  #attempt = 0;
  #timer = 0;
  #on;
  #held;
  /** Whether the server told anything at all since `close()`: whoever never was in misses nothing. */
  #wasIn = false;
  /** The try for which the server is being asked, or null. */
  #asked = null;

  /** What to show: `idle`, `connecting`, `open`, `waiting` (until `retryAt`) or `ended`. */
  state = 'idle';
  /** Of the last loss: the close code, and a sentence for a person. */
  code = 0;
  sentence = '';
  /** When the next try starts, as of `performance.now()`; only while `waiting`. */
  retryAt = 0;
  /** Whether the server said to whoever was in that it stops or the session moves, and no connection has been open
   *  since. */
  restarting = false;
  /** How often a connection that had been open was lost and is sought again. */
  reconnects = 0;

  /** `on.address()` promises a ticket, whose `play` is the path to connect to, or throws with HTTP's `status` and a
   *  `message`; `on.admitted(ticket)` hears of the one that is used: for a try that was given up it comes too late;
   *  `on.hello()` gives the first message of a connection; `on.message(bytes, now)` takes what comes, and
   *  says whether that can go on;
   *  `on.change()` is called after every change of `state`. */
  constructor(on) {
    this.#on = on;
    this.#held = new HeldBack(
      // A socket that is closing complains of what it is given before it says that it is closed.
      (bytes) => { if (this.state === 'open' && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes); },
      (bytes, now) => {
        this.#heard = now;
        this.#wasIn = true;
        if (!on.message(bytes, now)) this.#outdated();
      },
    );
    addEventListener('online', () => this.retryNow());
    addEventListener('pagehide', () => this.#rest());
    addEventListener('pageshow', () => this.retryNow());
  }

  /** Connects, unless that is under way. */
  open() {
    if (this.#socket || this.#asked) return;
    clearTimeout(this.#timer);
    this.#become('connecting');
    this.#ask();
  }

  // Before every connection the server is asked for a way in.
  async #ask() {
    const asked = this.#asked = Symbol('a try');
    let ticket;
    try {
      ticket = await this.#on.address();
      if (asked !== this.#asked) return;
      this.#on.admitted(ticket);
    } catch (why) {
      if (asked !== this.#asked) return;
      this.#asked = null;
      // Too many, too busy or out of reach may pass; anything else would only be refused again.
      const passing = !(why.status >= 400) || why.status === 429 || why.status >= 500;
      this.#lost(passing ? 1013 : why.status === 404 ? GONE : REFUSED, why.message, !passing);
      return;
    }
    this.#asked = null;
    this.#connect(ticket.play);
  }

  #connect(path) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}${path}`, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heard = performance.now();
    socket.onopen = () => {
      this.#opened = this.#heard = performance.now();
      this.restarting = false;
      this.#become('open');
      this.#held.send(this.#on.hello());
    };
    socket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer) || socket !== this.#socket) return;
      this.#held.take(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => { if (socket === this.#socket) this.#lost(code, reason); };
  }

  /** Cuts a wait short. */
  retryNow() {
    if (this.state === 'waiting') this.open();
  }

  /** Time goes on; gives the client's, which is the page's. */
  advance(now) {
    return now;
  }

  /** How fast it goes. */
  speed = 1;

  /** Whether a message would leave soon. */
  get ready() {
    return this.state === 'open' && this.#socket.bufferedAmount + this.#held.waiting <= BUFFERED_MAX;
  }

  /** Sends one binary message. Without a connection it is dropped: what mattered is said again, and wishes
   *  are not taken then. */
  send(bytes) {
    if (this.state === 'open') this.#held.send(bytes);
  }

  /** From now on the line is as bad as the module's `line` says. */
  use(line) {
    this.#held.use(line);
  }

  /** Cuts the connection, as when a line is lost; it comes back by itself like any other. */
  drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost(1006, 'Connection dropped.');
    socket.close();
  }

  /** Leaves for good: nothing comes any more, and nothing is tried again. */
  close() {
    clearTimeout(this.#timer);
    this.#asked = null;
    const socket = this.#socket;
    this.#socket = null;
    this.#held.clear();
    socket?.close(1000);
    this.#attempt = 0;
    this.restarting = this.#wasIn = false;
    this.#become('idle');
  }

  /** The module broke: leaves for good and says so. */
  breakOff() {
    clearTimeout(this.#timer);
    this.#asked = null;
    // The line is the module's as well.
    this.#held.use(null);
    const socket = this.#socket;
    this.#lost(BROKEN, BROKE, true);
    socket?.close(1000);
  }

  /** To be called now and then: notices a connection that died without a word. */
  check(now) {
    if (!this.#socket || now - this.#heard < SILENCE_MAX_MS) return;
    const socket = this.#socket;
    this.#lost(1006, 'The server fell silent.');
    socket.close();
  }

  // The page is left, perhaps to be shown again by the back button: the server is told at once.
  #rest() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    this.#held.clear();
    socket.close(1000);
    this.sentence = 'Connection lost.';
    this.retryAt = performance.now();
    this.#become('waiting');
  }

  // The server would let this page in again and again, and tell it of a world that it cannot make.
  #outdated() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost(OUTDATED, '');
    socket.close(1000);
  }

  #lost(code, reason, final = code in FINAL) {
    const worked = this.state === 'open';
    // What was heard last counts: of a server that says nothing the line lived no time.
    const lived = worked ? this.#heard - this.#opened : 0;
    if (lived > STABLE_MS) this.#attempt = 0;
    this.#socket = null;
    this.#held.clear();
    this.code = code;
    if (final) {
      this.sentence = reason || FINAL[code];
      if (code === OUTDATED) this.sentence = FINAL[code];
      this.#become('ended');
      return;
    }
    this.sentence = reason || PASSING[code] || (worked ? 'Connection lost.' : 'The server cannot be reached.');
    // Otherwise half fixed, half by chance: those who lost their lines together do not return together.
    const longest = Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** this.#attempt);
    const interrupted = this.#wasIn && code in INTERRUPTED_MS;
    const [first, last] = interrupted ? INTERRUPTED_MS[code] : [longest / 2, longest];
    const wait = first + (last - first) * Math.random();
    this.restarting ||= interrupted;
    this.#attempt += 1;
    if (worked) this.reconnects += 1;
    this.retryAt = performance.now() + wait;
    this.#timer = setTimeout(() => this.open(), wait);
    this.#become('waiting');
  }

  #become(state) {
    this.state = state;
    this.#on.change();
  }
}
