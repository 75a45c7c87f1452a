// What is held, with presses in it that are shorter than the time from one input to the next. Comes in: what is pressed
// and let go, and how many inputs were sent. Goes out: what counts as held.

import { STATS } from './rows.js';

/** What was let go before an input had it waits for one at most so long, ms, beside the time between two: while a line is
 *  lost, none is made. */
const LATE_MS = 150;

/** Keys, or buttons, or fingers. */
export class Held {
  /** Of each whether no input has had it yet, whether the next one will, and when it was let go, ms, or null. */
  #held = new Map();
  #inputs = 0;

  /** It is pressed. */
  press(what) {
    const one = this.#held.get(what);
    if (one) one.upAt = null;
    else this.#held.set(what, { isFresh: true, isGiven: false, upAt: null });
  }

  /** It is let go; false where it was not held. What no input has had yet goes with the first that has. */
  release(what) {
    const one = this.#held.get(what);
    if (!one) return false;
    if (one.isFresh) one.upAt ??= performance.now();
    else this.#held.delete(what);
    return true;
  }

  /** To be called before an input is given what is held; `stats` are the client's of `now`. */
  look(stats, now) {
    const inputs = stats[STATS.INPUTS];
    const lateMs = LATE_MS + (stats[STATS.INPUT_EVERY] * 1000) / Math.max(1, stats[STATS.TICK_RATE]);
    const made = inputs !== this.#inputs;
    this.#inputs = inputs;
    for (const [what, one] of this.#held) {
      if (made && one.isGiven) one.isFresh = false;
      const isLate = one.isGiven && now - one.upAt > lateMs;
      if (one.upAt !== null && (!one.isFresh || isLate)) this.#held.delete(what);
      one.isGiven = true;
    }
  }

  /** Lets go of everything. */
  clear() {
    this.#held.clear();
  }

  has(what) {
    return this.#held.has(what);
  }

  get size() {
    return this.#held.size;
  }

  [Symbol.iterator]() {
    return this.#held.keys();
  }
}
