// The list of public sessions as it changes, and the lobby's chat. Comes in: Server-Sent Events, or where
// these fail long polls, or short ones where too many listen. Goes out: calls of `on`. It runs only while the
// lobby is on the screen, and in a tab that is in front.

import { Refusal, ask } from './api.js';
import { BASE } from './here.js';

/** A stream that fails so often before its first event is given up for polling. */
const TRIES = 2;
/** How long the server may hold a poll, seconds. */
const HOLD_S = 25;
/** The wait after a poll that failed, and between two that the server does not hold, ms. */
const PAUSE_MS = 3_000;
/** Two polls are this far apart, ms, also where each is answered at once: behind a proxy every other one may come to another
 *  server of the site, whose list is always news. */
const ROUND_MS = 1_000;
/** Answers of a server that holds no more polls, for all or for this address. */
const FULL = new Set([429, 503]);
/** The server ends a stream after two minutes and says something at the beginning of the next one. After this long without
 *  anything, ms, a stream's line is dead though nobody said so. */
const SILENCE_MS = 150_000;
/** While polling, the chat is asked for so often, ms. */
const CHAT_MS = 4_000;

/** Listens to the lobby. */
export class Live {
  #on;
  #stream = null;
  #failures = 0;
  #heard = false;
  #wanted = false;
  /** Whether the chat was asked for once. */
  #caughtUp = false;
  #stop = null;
  #retry = 0;
  #silence = 0;
  /** What was told last: `{version, sessions}`, or null; and when, as of `performance.now()`. */
  last = null;
  at = 0;
  /** How it comes: 'sse' or 'poll'. */
  via = 'sse';

  /** `on.sessions({version, sessions})`, `on.chat(lines, past)` with lines of the lobby's chat, again and again the
   *  same ones and older ones behind newer ones, `past` where these were said before one came, and
   *  `on.trouble(sentence)` with '' when it is over. */
  constructor(on) {
    this.#on = on;
    // A tab that nobody looks at takes no place among those who listen.
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.#rest(); else this.#run(); });
  }

  /** Starts, unless it runs. */
  start() {
    this.#wanted = true;
    this.#run();
  }

  /** Stops. */
  stop() {
    this.#wanted = false;
    this.#rest();
  }

  #run() {
    if (this.#stop || !this.#wanted || document.hidden) return;
    this.#stop = new AbortController();
    if (this.via === 'poll' || !globalThis.EventSource) this.#poll(this.#stop.signal);
    else this.#listen();
  }

  #rest() {
    this.#stop?.abort();
    this.#stop = null;
    this.#stream?.close();
    this.#stream = null;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
  }

  #listen() {
    const stream = new EventSource(`${BASE}/api/sessions/events`);
    this.#stream = stream;
    this.#isAlive();
    // The server ends every stream after a while: what was said until the next one came is asked for.
    stream.onopen = () => { this.#isAlive(); this.#chat(); };
    stream.addEventListener('sessions', ({ data }) => {
      this.#heard = true;
      this.#failures = 0;
      this.#isAlive();
      this.#take(data);
    });
    stream.addEventListener('chat', ({ data }) => {
      this.#isAlive();
      const line = read(data);
      if (line) this.#on.chat([line], false);
    });
    stream.onerror = () => {
      this.#failures += 1;
      this.#isAlive();
      if (!this.#heard && this.#failures >= TRIES) {
        stream.close();
        this.#stream = null;
        clearTimeout(this.#silence);
        this.#poll(this.#stop.signal);
      } else if (stream.readyState === EventSource.CLOSED) {
        // An answer that is no stream ends it for good: the browser does not try again by itself.
        this.#retry = setTimeout(() => this.#listen(), this.#heard ? PAUSE_MS : 0);
        // Until there is room again among those who listen.
        if (this.#heard) { this.#look('', this.#stop.signal); this.#chat(); }
      } else if (this.#heard) {
        this.#on.trouble('The list is not live at the moment: the server cannot be reached.');
      }
    };
  }

  // The stream's line is not dead yet.
  #isAlive() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => { this.#rest(); this.#run(); }, SILENCE_MS);
  }

  async #poll(signal) {
    this.via = 'poll';
    this.#chat();
    const chat = setInterval(() => this.#chat(), CHAT_MS);
    signal.addEventListener('abort', () => clearInterval(chat));
    let held = true;
    while (!signal.aborted) {
      const first = !this.last;
      const asked = performance.now();
      const why = await this.#look(held && !first ? `?after=${this.last.version}&wait=${HOLD_S}` : '', signal);
      if (FULL.has(why?.status)) held = false;
      const pause = why || !(held || first) ? PAUSE_MS : first ? 0 : asked + ROUND_MS - performance.now();
      if (pause > 0) await new Promise((done) => { setTimeout(done, pause); });
    }
  }

  // Asks for the list; gives what went wrong, or null.
  async #look(query, signal) {
    try {
      const told = await ask('GET', `/sessions${query}`, { signal, patience: (HOLD_S + 10) * 1000 });
      // Something between here and the server may answer with pages of its own, and at once.
      if (!this.#take(told, true)) throw new Error('no list');
      return null;
    } catch (why) {
      // A poll that is not held is no news to anybody: the list goes on coming.
      const silent = signal.aborted || (query && FULL.has(why.status));
      if (!silent) this.#on.trouble(why instanceof Refusal ? why.message : 'The list cannot be read.');
      return why;
    }
  }

  // Whether it was a list.
  #take(data, parsed = false) {
    const told = parsed ? data : read(data);
    if (!Array.isArray(told?.sessions)) return false;
    this.last = told;
    this.at = performance.now();
    this.#on.trouble('');
    this.#on.sessions(told);
    return true;
  }

  async #chat() {
    try {
      const { lines } = await ask('GET', '/chat');
      this.#on.chat(lines, !this.#caughtUp);
      this.#caughtUp = true;
    } catch {
      // The list says that the server is gone; no need to say it twice.
    }
  }
}

function read(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
