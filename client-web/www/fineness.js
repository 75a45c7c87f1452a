// How finely is drawn. Comes in: when frames are drawn. Goes out: a share of the screen's own pixels, smaller where frames
// come slowly and fewer pixels make them come faster. On a display of thirty pictures a second, or while a battery is
// spared, they do not: then all stay. How long the script takes says nothing of it, as others do the painting.

/** Frames before this, ms since the page was opened, tell of its loading. */
const LOADED_MS = 2000;
/** A longer wait for a frame, ms, is a tab that was hidden. */
const PAUSE_MS = 1000;
/** How often it is looked at how many frames there were, ms. */
const LOOK_MS = 3000;
/** Below this many frames a second a dense screen is drawn more coarsely, step by step. */
const RATE_LOW = 42;
const COARSER = 0.8;
/** A step stays if there are so many times as many frames then. */
const HELPED = 1.1;
/** After so many looks that found enough frames a step is taken back, the next one after twice as many: the pictures of
 *  everything are made anew each time. */
const GOOD_LOOKS = 20;

/** How finely. */
export class Fineness {
  #last = 0;
  #from = LOADED_MS;
  #frames = 0;
  /** Frames a second before the step that is being tried, or 0. */
  #before = 0;
  /** Where a step did not help, or 0: nor will it but for fewer frames. */
  #vain = 0;
  #good = 0;
  #patience = GOOD_LOOKS;
  /** The share, along each axis. */
  share = 1;

  /** A frame is drawn at `now`; `dense` where it could be more coarsely. True when the share has changed. */
  frame(now, dense) {
    if (now - this.#last > PAUSE_MS) [this.#from, this.#frames] = [Math.max(now, LOADED_MS), 0];
    this.#last = now;
    const passed = now - this.#from;
    if (passed > 0) this.#frames += 1;
    if (passed < LOOK_MS) return false;
    const rate = (1000 * this.#frames) / passed;
    [this.#from, this.#frames] = [now, 0];
    return this.#look(rate, dense);
  }

  #look(rate, dense) {
    const before = this.#before;
    this.#before = 0;
    if (before && rate < before * HELPED) {
      this.#vain = before;
      return this.#become(this.share / COARSER);
    }
    if (rate >= RATE_LOW) {
      this.#good += 1;
      if (this.#good < this.#patience) return false;
      [this.#good, this.#vain] = [0, 0];
      if (this.share === 1) return false;
      this.#patience *= 2;
      return this.#become(this.share / COARSER);
    }
    this.#good = 0;
    if (!dense || (this.#vain && rate * HELPED > this.#vain)) return false;
    this.#before = rate;
    return this.#become(this.share * COARSER);
  }

  #become(share) {
    // Steps up and down are to meet at the whole.
    this.share = share > 0.99 ? 1 : share;
    return true;
  }
}
