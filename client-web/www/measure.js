// How long frames take. Comes in: when a frame's script began and ended, and what messages took between
// frames. Goes out: mean and maximum over the last frames, and frames per second. Nothing is allocated
// while measuring.

/** How many frames back the mean and maximum look: two seconds at 60 frames a second. */
const FRAMES = 120;

/** Rolling figures about drawn frames. */
export class Meter {
  #script = new Float64Array(FRAMES);
  #interval = new Float64Array(FRAMES);
  #next = 0;
  #count = 0;
  #lastStart = 0;
  #between = 0;
  /** What the last frame took, ms: its own script and what messages took since the frame before. */
  last = 0;

  /** Script ran between two frames for `ms`; it is counted with the frame to come. */
  addBetween(ms) {
    this.#between += ms;
  }

  /** A frame's script ran from `start` to `end` (`performance.now()`, ms). */
  add(start, end) {
    const gap = start - this.#lastStart;
    this.#lastStart = start;
    this.last = end - start + this.#between;
    this.#between = 0;
    // A pause is no frame: a tab that was hidden would spoil the rate for two seconds.
    if (gap > 1000) return;
    this.#script[this.#next] = this.last;
    this.#interval[this.#next] = gap;
    this.#next = (this.#next + 1) % FRAMES;
    this.#count = Math.min(this.#count + 1, FRAMES);
  }

  /** `{mean, max}` of script time per frame, ms. */
  script() {
    let sum = 0;
    let max = 0;
    for (let i = 0; i < this.#count; i++) {
      sum += this.#script[i];
      max = Math.max(max, this.#script[i]);
    }
    return { mean: this.#count ? sum / this.#count : 0, max };
  }

  /** Frames per second; 0 before the first. */
  rate() {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += this.#interval[i];
    return sum ? (1000 * this.#count) / sum : 0;
  }
}
