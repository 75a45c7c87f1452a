// Two thumb sticks and a boost button. Comes in: touches. Goes out: where each stick points and how
// far. A stick is wherever its thumb came down in its half of the screen, so that nobody has to look.

import { settings } from './settings.js';

/** How far a thumb can push, CSS pixels at the usual size; a thumb that goes farther drags the stick along. */
const REACH_USUAL = 52;
const reach = () => (REACH_USUAL * settings.stick) / 100;
/** Below this share of the reach a stick is at rest. */
const DEAD = 0.18;
/** From this share of the reach on, the aiming thumb also fires. */
const FIRE_FROM = 0.55;

class Stick {
  #element;
  #knob;
  #pointer = null;
  #baseX = 0;
  #baseY = 0;
  x = 0;
  y = 0;

  constructor(element) {
    this.#element = element;
    this.#knob = element.firstElementChild;
  }

  get held() { return this.#pointer !== null; }
  get push() { return Math.hypot(this.x, this.y); }

  /** Whether the finger of this number holds it. */
  isHeldBy(pointerId) { return pointerId === this.#pointer; }

  down(event) {
    // A spectator has one stick only, and a recording none.
    if (this.held || getComputedStyle(this.#element).display === 'none') return;
    this.#pointer = event.pointerId;
    this.#baseX = event.clientX;
    this.#baseY = event.clientY;
    this.move(event);
  }

  move(event) {
    if (!this.isHeldBy(event.pointerId)) return;
    let dx = event.clientX - this.#baseX;
    let dy = event.clientY - this.#baseY;
    const far = Math.hypot(dx, dy) / reach();
    if (far > 1) {
      this.#baseX += dx - dx / far;
      this.#baseY += dy - dy / far;
      dx /= far;
      dy /= far;
    }
    this.x = dx / reach();
    this.y = dy / reach();
    this.#show();
  }

  up(event) {
    if (this.isHeldBy(event.pointerId)) this.release();
  }

  release() {
    this.#pointer = null;
    this.x = this.y = 0;
    this.#show();
  }

  #show() {
    this.#element.classList.toggle('held', this.held);
    this.#knob.style.transform = `translate(${this.x * reach()}px, ${this.y * reach()}px)`;
    if (!this.held) { this.#element.style.transform = ''; return; }
    // Measured without the shift that the line below gives it.
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.#element;
    const x = this.#baseX - offsetLeft - offsetWidth / 2;
    const y = this.#baseY - offsetTop - offsetHeight / 2;
    this.#element.style.transform = `translate(${x}px, ${y}px)`;
  }
}

/** The sticks. */
export class Touch {
  #root = document.getElementById('touch');
  #left = new Stick(document.getElementById('stick-move'));
  #right = new Stick(document.getElementById('stick-aim'));
  #boost = false;
  /** When a thumb came down or moved a stick last, as of `performance.now()`. */
  usedAt = -Infinity;

  /** `canvas` is where thumbs come down; `onThumb()` is called at each of them, `onEmote()` when its button
   *  is pressed. */
  constructor(canvas, onThumb, onEmote) {
    const thumb = (event) => event.pointerType === 'touch';
    canvas.addEventListener('pointerdown', (event) => {
      if (!thumb(event)) return;
      onThumb();
      this.usedAt = performance.now();
      document.activeElement?.blur?.();
      ((event.clientX < innerWidth / 2) !== settings.swapped ? this.#left : this.#right).down(event);
      event.preventDefault();
    });
    addEventListener('pointermove', (event) => {
      if (this.isHeldBy(event.pointerId)) this.usedAt = performance.now();
      this.#left.move(event);
      this.#right.move(event);
    });
    for (const end of ['pointerup', 'pointercancel']) {
      addEventListener(end, (event) => { this.#left.up(event); this.#right.up(event); });
    }
    // Some browsers scroll or zoom in spite of `touch-action` unless told so here as well.
    canvas.addEventListener('touchstart', (event) => event.preventDefault(), { passive: false });
    const button = document.getElementById('touch-boost');
    const hold = (on) => (event) => {
      this.#boost = on;
      button.classList.toggle('held', on);
      event.preventDefault();
    };
    button.addEventListener('pointerdown', hold(true));
    for (const end of ['pointerup', 'pointercancel', 'pointerleave']) button.addEventListener(end, hold(false));
    document.getElementById('touch-emote').addEventListener('click', onEmote);
    addEventListener('blur', () => this.release());
  }

  /** Whether a thumb has ever come down. */
  get used() { return this.usedAt > -Infinity; }

  /** Whether the finger of this number holds a stick. */
  isHeldBy(pointerId) { return this.#left.isHeldBy(pointerId) || this.#right.isHeldBy(pointerId); }

  /** Shows or hides the sticks. */
  set shown(on) {
    if (this.#root.hidden === !on) return;
    this.#root.hidden = !on;
    if (!on) this.release();
  }

  release() {
    this.#left.release();
    this.#right.release();
    this.#boost = false;
  }

  /** Where to, along each axis, -1 to 1. */
  get move() {
    return this.#left.push > DEAD ? [this.#left.x, this.#left.y] : [0, 0];
  }

  /** Where the nose should point, radians: the right thumb says, else the left one, else nobody: null. */
  get aim() {
    const stick = this.#right.push > DEAD ? this.#right : this.#left;
    return stick.push > DEAD ? Math.atan2(stick.y, stick.x) : null;
  }

  /** Whether the trigger is held. */
  get fire() { return this.#right.push > FIRE_FROM; }

  /** Whether the boost is held. */
  get boost() { return this.#boost; }
}
