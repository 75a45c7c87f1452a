// The wheel of emotes. Comes in: a key or a button, and then a direction of the mouse, a digit, arrows and
// Enter, or a touch. Goes out: the number of an emote. While it is open the ship flies on.

import { EMOTES, emoteSvg } from './emotes.js';

/** A mouse that is nearer to the wheel's middle than this, CSS pixels, chooses nothing. */
const DEAD = 26;
/** A key held shorter than this, ms, leaves the wheel open when it is let go. */
const TAP_MS = 260;

const find = (id) => document.getElementById(id);

/** The wheel. */
export class Wheel {
  #box = find('wheel');
  #name = find('wheel-name');
  #choose;
  #items;
  #at = -1;
  #since = 0;

  /** `onChoose(emote)` is called with what was chosen. */
  constructor(onChoose) {
    this.#choose = onChoose;
    this.#items = EMOTES.map(({ name }, emote) => {
      const item = document.createElement('button');
      item.type = 'button';
      item.tabIndex = -1;
      item.setAttribute('aria-label', `${emote + 1}: ${name}`);
      const angle = angleOf(emote);
      item.style.left = `${50 + 37 * Math.cos(angle)}%`;
      item.style.top = `${50 + 37 * Math.sin(angle)}%`;
      const digit = document.createElement('span');
      digit.textContent = String(emote + 1);
      item.append(emoteSvg(emote), digit);
      item.addEventListener('click', () => this.#take(emote));
      item.addEventListener('pointerenter', () => this.#point(emote));
      this.#box.append(item);
      return item;
    });
    addEventListener('pointermove', (event) => { if (this.open && event.pointerType === 'mouse') this.#follow(event); });
    addEventListener('pointerdown', (event) => {
      // The thumbs' button opens and closes it by itself.
      if (!this.open || this.#box.contains(event.target) || event.target.closest?.('#touch-emote')) return;
      if (this.#at >= 0 && event.pointerType === 'mouse') this.#take(this.#at); else this.close();
      event.preventDefault();
      event.stopPropagation();
    }, true);
    addEventListener('keydown', (event) => this.#key(event), true);
  }

  /** Whether it is on the screen. */
  get open() { return !this.#box.hidden; }

  /** Opens it, or closes it; `at` is when that was asked for. */
  toggle(at = performance.now()) {
    if (this.open) { this.close(); return; }
    this.#box.hidden = false;
    document.body.classList.add('choosing');
    this.#since = at;
    this.#point(-1);
  }

  /** The key was let go: held long enough, that chooses what the mouse points at. */
  released(at) {
    if (!this.open || at - this.#since < TAP_MS) return;
    if (this.#at >= 0) this.#take(this.#at); else this.close();
  }

  /** Away with it; true when it was open. */
  close() {
    const was = this.open;
    this.#box.hidden = true;
    document.body.classList.remove('choosing');
    return was;
  }

  #take(emote) {
    this.close();
    this.#choose(emote);
  }

  #follow({ clientX, clientY }) {
    const box = this.#box.getBoundingClientRect();
    const [x, y] = [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
    if (Math.hypot(x, y) < DEAD) { this.#point(-1); return; }
    const turn = (Math.atan2(y, x) - angleOf(0)) / (Math.PI * 2);
    this.#point((Math.round(turn * EMOTES.length) + EMOTES.length) % EMOTES.length);
  }

  #key(event) {
    if (!this.open || event.target instanceof HTMLInputElement) return;
    const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
    const count = EMOTES.length;
    if (digit) this.#take(Number(digit[1]) - 1);
    else if (event.code === 'ArrowRight' || event.code === 'ArrowDown') this.#point((this.#at + 1) % count);
    else if (event.code === 'ArrowLeft' || event.code === 'ArrowUp') this.#point((Math.max(this.#at, 0) + count - 1) % count);
    else if (/Enter$/.test(event.code) && this.#at >= 0) this.#take(this.#at);
    else if (event.code === 'Escape') this.close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #point(emote) {
    this.#at = emote;
    this.#items.forEach((item, at) => item.classList.toggle('on', at === emote));
    this.#name.textContent = emote >= 0 ? EMOTES[emote].name : 'Emotes';
  }
}

// The first stands at the top, the others follow clockwise.
function angleOf(emote) {
  return ((emote / EMOTES.length) * 2 - 0.5) * Math.PI;
}
