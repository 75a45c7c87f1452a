// Which part of the arena is on the screen. Comes in: where the player is and how fast. Goes out: a
// place, a scale and a shake. The screen covers at most VIEW, whatever its shape, so that nobody sees
// farther than others; the breathing only ever zooms in from there.

import { settings } from './settings.js';
import { VIEW } from './rows.js';

/** How much closer the camera is when the ship rests. */
const REST_ZOOM = 1.1;
/** The speed, units per second, from which on the camera is farthest away. */
const FAST = 520;
/** How fast zoom and lead follow, per second. */
const EASE = 2.2;
/** How fast the camera slides over to somebody else's place, per second. */
const SLIDE = 5;
/** Beyond this many units it does not slide but cuts. */
const CUT = 1500;
/** The largest shake, units. */
const SHAKE_MAX = 13;
/** How fast a shake dies, per second. */
const CALM = 1.7;
/** On screens lower than this, CSS pixels, everything is drawn so much larger. */
const SMALL = 480;
const SMALL_ZOOM = 1.16;
/** The most pixels of the canvas: beyond, sharpness costs more than it shows. */
const PIXELS_MAX = 3_700_000;
/** The most canvas pixels per CSS pixel. */
const RATIO_MAX = 2;

/** The camera; `x`, `y` in units, `scale` in canvas pixels per unit. */
export class Camera {
  x = 0;
  y = 0;
  scale = 1;
  ratio = 1;
  width = 1;
  height = 1;
  /** `scale` without the breathing. */
  base = 1;
  /** The share of a dense screen's pixels, along each axis, that is drawn; what changes it has the canvas fitted anew. */
  fineness = 1;
  #zoom = 1;
  #leadX = 0;
  #leadY = 0;
  #carryX = 0;
  #carryY = 0;
  #source = null;
  #fromX = 0;
  #fromY = 0;
  #trauma = 0;
  #time = 0;

  /** Fits `canvas` to its element; true when its size changed. Asking the page for sizes is dear: to be
   *  called when they may have changed. */
  fit(canvas) {
    const { clientWidth, clientHeight } = canvas;
    const dense = Math.min(devicePixelRatio || 1, RATIO_MAX);
    const wanted = Math.max(Math.min(1, dense), dense * this.fineness);
    const ratio = Math.min(wanted, Math.sqrt(PIXELS_MAX / Math.max(1, clientWidth * clientHeight)));
    const width = Math.max(1, Math.round(clientWidth * ratio));
    const height = Math.max(1, Math.round(clientHeight * ratio));
    if (width === canvas.width && height === canvas.height && ratio === this.ratio) return false;
    Object.assign(canvas, { width, height });
    Object.assign(this, { width, height, ratio });
    this.base = Math.max(width / VIEW.WIDTH, height / VIEW.HEIGHT) * (clientHeight < SMALL ? SMALL_ZOOM : 1);
    this.scale = this.base * this.#zoom;
    return true;
  }

  /** Follows. `source` names what is followed: when it changes, the camera slides instead of jumping.
   *  `aim` in radians says where the player looks. */
  follow(source, x, y, speed, aim, seconds) {
    this.#time += seconds;
    if (source !== this.#source) {
      const [dx, dy] = [this.#fromX + this.#carryX - x, this.#fromY + this.#carryY - y];
      const near = this.#source !== null && Math.hypot(dx, dy) < CUT;
      [this.#carryX, this.#carryY] = near ? [dx, dy] : [0, 0];
      this.#source = source;
    }
    const slide = Math.exp(-SLIDE * seconds);
    this.#carryX *= slide;
    this.#carryY *= slide;
    [this.#fromX, this.#fromY] = [x, y];

    const still = settings.breathe ? 1 - Math.min(1, speed / FAST) : 0.35;
    const ease = 1 - Math.exp(-EASE * seconds);
    this.#zoom += (1 + (REST_ZOOM - 1) * still - this.#zoom) * ease;
    this.scale = this.base * this.#zoom;
    // What the zoom and the screen's shape leave of the view is room to look ahead.
    const roomX = Math.max(0, VIEW.WIDTH - this.width / this.scale) / 2;
    const roomY = Math.max(0, VIEW.HEIGHT - this.height / this.scale) / 2;
    const lead = settings.breathe ? 70 : 0;
    this.#leadX += (Math.cos(aim) * Math.min(lead, roomX) - this.#leadX) * ease;
    this.#leadY += (Math.sin(aim) * Math.min(lead, roomY) - this.#leadY) * ease;

    this.#trauma = Math.max(0, this.#trauma - CALM * seconds);
    const shake = settings.shake ? this.#trauma ** 2 * SHAKE_MAX : 0;
    const wave = (rate, phase) => Math.sin(this.#time * rate + phase) + Math.sin(this.#time * rate * 1.7 + phase * 2);
    this.x = x + this.#carryX + this.#leadX + (shake ? shake * 0.6 * wave(47, 0.3) : 0);
    this.y = y + this.#carryY + this.#leadY + (shake ? shake * 0.6 * wave(41, 1.9) : 0);
  }

  /** Drifts by itself, for the first screen. */
  drift(seconds) {
    this.#time += seconds;
    if (settings.breathe) this.x += 22 * seconds;
    this.scale = this.base;
  }

  /** Shakes, from 0 to 1; shakes add up to 1. */
  shake(amount) {
    this.#trauma = Math.min(1, this.#trauma + amount);
  }

  /** Canvas pixels of a place in units. */
  toX(x) { return (x - this.x) * this.scale + this.width / 2; }
  toY(y) { return (y - this.y) * this.scale + this.height / 2; }

  /** Whether a circle in units touches the screen. */
  sees(x, y, radius) {
    return Math.abs(x - this.x) < this.width / 2 / this.scale + radius
      && Math.abs(y - this.y) < this.height / 2 / this.scale + radius;
  }

  /** Makes units the drawing's measure. */
  world(context) {
    const { scale } = this;
    context.setTransform(scale, 0, 0, scale, this.width / 2 - this.x * scale, this.height / 2 - this.y * scale);
  }

  /** Puts a sprite's middle at a place in units, turned, at `size` of its own units. */
  place(context, x, y, angle, size = 1) {
    const scale = this.scale * size;
    const c = Math.cos(angle) * scale;
    const s = Math.sin(angle) * scale;
    context.setTransform(c, s, -s, c, this.toX(x), this.toY(y));
  }
}
