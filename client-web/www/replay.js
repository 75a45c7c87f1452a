// A recording in place of a connection. Comes in: a recording's name, what the bar's controls say, the page's clock. Goes
// out: the recording's messages when they are due, on a clock of its own, which stands, runs or hurries, and never goes
// back. To a client it is a spectator's connection; looking for another place is a new one.

import { ask, fetchBytes } from './api.js';
import { BROKE, isBreak } from './broken.js';
import { shareText } from './copy.js';
import { linkToMoment, showReplay } from './here.js';
import { write } from './hud.js';
import { BROKEN } from './net.js';
import { clockText } from './words.js';

/** How many times as fast as it was one can look. */
const SPEEDS = [0.25, 0.5, 1, 2, 4];
/** The clock goes on by at most this between two frames, ms: a page that slept goes on where it was. */
const STEP_MAX_MS = 250;

const find = (id) => document.getElementById(id);

/** What main.js needs of a `Link`, and the bar. */
export class Playback {
  #on;
  #replay = null;
  #asked = null;
  /** The client's clock, ms, the page's of when it was looked at, and the client's of when tick 0 was due. */
  #clock = 0;
  #looked = 0;
  #start = 0;
  #speed = 1;
  #paused = false;
  /** What the button last showed. */
  #goes = null;
  #dragging = false;
  #box = find('replay');
  #place = find('replay-place');

  /** As of a `Link`: `idle`, `connecting`, `open` or `ended` with a sentence. */
  state = 'idle';
  sentence = '';
  code = 0;
  reconnects = 0;
  /** Whatever a client says is heard at once, by nobody. */
  ready = true;

  /** `on.read(bytes)` gives the module's `Replay`; `on.begin(now)` makes the client new; `on.message(bytes, now)` takes
   *  what comes; `on.pass(now)` lets the client's time go on unseen; `on.change()` is called after every change of
   *  `state`; `on.follows()` gives the number of whoever is followed by name, or null. */
  constructor(on) {
    this.#on = on;
    find('replay-pause').addEventListener('click', () => this.toggle());
    find('replay-speed').addEventListener('click', () => this.#hurry());
    find('replay-link').addEventListener('click', () => this.#share());
    // While the thumb is held the picture follows it.
    this.#place.addEventListener('input', () => { this.#dragging = true; this.seek(Number(this.#place.value)); });
    this.#place.addEventListener('change', () => { this.#dragging = false; });
    // The keys are the page's again, wherever the pointer is let go; who came with the keyboard goes on with it.
    addEventListener('pointerup', () => this.#place.blur());
    addEventListener('keydown', (event) => {
      if (this.#box.hidden || event.code !== 'Space' || event.target.closest?.('input, button, select, textarea')) return;
      event.preventDefault();
      this.toggle();
    });
  }

  /** Looks at the recording with this `id`, or that of a `round` of the session with this `code`, from its beginning or
   *  from so many `seconds` on. */
  async look(which) {
    const asked = this.#asked = new AbortController();
    this.#become('connecting');
    let id;
    try {
      id = which.id ?? await named(which, asked.signal);
      const bytes = await fetchBytes(`/recordings/${encodeURIComponent(id)}`, asked.signal);
      if (asked !== this.#asked) return;
      this.#replay = this.#on.read(bytes);
    } catch (why) {
      if (isBreak(why)) throw why;
      if (asked !== this.#asked) return;
      // What else is thrown by the module is a sentence.
      this.sentence = why.message ?? String(why);
      this.#become('ended');
      return;
    }
    showReplay(id);
    [this.#speed, this.#paused] = [1, false];
    this.#looked = performance.now();
    this.#clock = Math.max(this.#clock, this.#looked);
    this.#place.max = String(this.#replay.ticks());
    this.#box.hidden = false;
    this.#become('open');
    this.seek(Math.min(Math.round((which.seconds || 0) * this.#replay.tickRate()), this.#replay.ticks() - 1));
  }

  /** Away with it. */
  close() {
    this.#asked?.abort();
    this.#asked = null;
    this.#replay?.free();
    this.#replay = null;
    this.#box.hidden = true;
    this.#become('idle');
  }

  /** The module broke: away with it, and nothing that is the module's is given back. */
  breakOff() {
    this.#asked?.abort();
    [this.#asked, this.#replay] = [null, null];
    this.#box.hidden = true;
    [this.code, this.sentence] = [BROKEN, BROKE];
    this.#become('ended');
  }

  /** Time goes on; gives the client's. What is due by then is handed over. */
  advance(now) {
    const passed = Math.max(0, Math.min(STEP_MAX_MS, now - this.#looked));
    this.#looked = now;
    if (!this.#replay) return this.#clock;
    this.#clock += passed * this.speed;
    while (this.#due(this.#replay.position()) <= this.#clock && this.#give(this.#clock));
    this.#show();
    return this.#clock;
  }

  /** How fast time goes, in times of the usual. */
  get speed() {
    return this.#paused || this.#atEnd ? 0 : this.#speed;
  }

  /** Stands still, or goes on; from its end from the beginning. */
  toggle() {
    if (!this.#replay) return;
    if (this.#atEnd) {
      this.seek(0);
      this.#paused = false;
    } else {
      this.#paused = !this.#paused;
    }
  }

  /** Goes to a tick. */
  seek(tick) {
    const replay = this.#replay;
    if (!replay) return;
    replay.seek(tick);
    this.#start = this.#clock - replay.position() * this.#tickMs;
    this.#on.begin(this.#clock);
    const goal = Math.min(tick, replay.ticks() - 1);
    while (replay.position() <= goal) {
      const [before, now] = [replay.position(), this.#due(replay.position())];
      if (!this.#give(now)) break;
      if (replay.position() > before) this.#on.pass(now);
    }
    this.#clock = Math.max(this.#clock, this.#due(replay.position() - 1));
  }

  /** For whoever wants to know: ticks given and in all, and how fast it goes; null where nothing is looked at. */
  get told() {
    return this.#replay && { position: this.#replay.position(), ticks: this.#replay.ticks(), speed: this.speed };
  }

  // As a link has them: nobody falls silent, and nobody listens.
  check() {}
  send() {}

  get #atEnd() {
    return this.#replay.position() >= this.#replay.ticks();
  }

  get #tickMs() {
    return 1000 / this.#replay.tickRate();
  }

  #due(tick) {
    return this.#start + tick * this.#tickMs;
  }

  #give(now) {
    const message = this.#replay.message();
    if (message) this.#on.message(message, now);
    return message !== undefined;
  }

  #hurry() {
    this.#speed = SPEEDS[(SPEEDS.indexOf(this.#speed) + 1) % SPEEDS.length];
  }

  #share() {
    const link = linkToMoment(Math.floor(this.#replay.position() * this.#tickMs / 1000), this.#on.follows());
    shareText(link, find('replay-address'), find('replay-link'), 'Link');
  }

  #show() {
    const [position, all] = [this.#replay.position(), this.#replay.ticks()];
    if (!this.#dragging) this.#place.value = String(position);
    const [at, of] = [position, all].map((ticks) => clockText(Math.floor(ticks * this.#tickMs / 1000)));
    this.#place.setAttribute('aria-valuetext', `${at} of ${of}`);
    write(find('replay-time'), `${at} / ${of}`);
    write(find('replay-speed'), `${this.#speed}×`);
    const goes = this.speed > 0;
    if (goes === this.#goes) return;
    this.#goes = goes;
    const pause = find('replay-pause');
    pause.setAttribute('aria-label', goes ? 'Pause' : 'Play');
    pause.querySelector('use').setAttribute('href', goes ? '#icon-pause' : '#icon-go');
  }

  #become(state) {
    this.state = state;
    this.#on.change();
  }
}

// The newest of that number: a session that lost its rounds begins to count anew.
async function named({ code, round }, signal) {
  const path = `/sessions/${encodeURIComponent(code)}/results?round=${round}`;
  const { results } = await ask('GET', path, { signal });
  const found = results.find((result) => result.recording);
  if (!found) throw new Error('Nothing is kept of this round, or nothing yet.');
  return found.recording;
}
