// Keyboard and mouse. Comes in: the browser's events. Goes out: what is held at this moment, and what was
// pressed. Which key does what says keys.js.

import { Held } from './held.js';
import { actionOf, isHeld } from './keys.js';

const MOVES = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };
const MOUSE_FIRE = 0;
const MOUSE_BOOST = 2;
/** What a control that has the keyboard does with keys: it is pressed, or left for the next one. */
const PRESSES = new Set(['Enter', 'NumpadEnter', 'Space', 'Tab']);

/** What keys and mouse hold. */
export class Input {
  #keys = new Held();
  #buttons = new Held();
  #enabled = false;

  /** Where the mouse is, CSS pixels, and whether it has ever been seen. */
  pointerX = 0;
  pointerY = 0;
  pointerSeen = false;
  /** When it was moved or pressed last, as of `performance.now()`. */
  pointerAt = -Infinity;
  /** Whether it is over the arena and not over a button or a panel. */
  pointerPlays = false;

  /** `canvas` is where the mouse plays; `onKey(action, down, at)` gets what is pressed and not held, by
   *  its name in keys.js or 'leave' for Escape, with the time of that as of `performance.now()`; it returns
   *  true when it used it. `onMouse()` is called when a mouse was moved. */
  constructor(canvas, onKey, onMouse) {
    addEventListener('keydown', (event) => {
      if (!this.#enabled || (isTyping(event) && event.code !== 'Escape') || isShortcut(event)) return;
      const action = event.code === 'Escape' ? 'leave' : actionOf(event.code);
      if (!action) return;
      if (isHeld(action)) {
        // Who flies is done with the page's controls. Shift may be the half of Shift+Tab, which goes on from one.
        if (!event.code.startsWith('Shift')) document.activeElement?.blur?.();
        this.#keys.press(event.code);
        event.preventDefault();
      } else if (event.repeat || onKey(action, true, event.timeStamp)) {
        event.preventDefault();
      }
    });
    addEventListener('keyup', (event) => {
      this.#keys.release(event.code);
      // macOS says nothing of a key that is let go while Cmd is down.
      if (/^Meta/.test(event.code)) this.#keys.clear();
      const action = actionOf(event.code);
      if (this.#enabled && action && !isHeld(action)) onKey(action, false, event.timeStamp);
    });
    addEventListener('blur', () => this.release());
    addEventListener('pointermove', (event) => {
      this.#point(event);
      this.pointerPlays = event.target === canvas;
      // Browsers tell of a resting mouse, too, as when a button of it is pressed.
      if (event.pointerType === 'mouse' && (event.movementX || event.movementY)) onMouse();
    });
    // A click does not give a control the keyboard, so that what has it was come to with the keyboard.
    addEventListener('mousedown', (event) => { if (isControl(event.target)) event.preventDefault(); });
    canvas.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'touch') return;
      this.#point(event);
      this.#buttons.press(event.button);
      canvas.setPointerCapture(event.pointerId);
      document.activeElement?.blur?.();
      event.preventDefault();
    });
    // A second button pressed or let go while one is down comes as a move, not as a down or an up.
    canvas.addEventListener('pointermove', (event) => { if (event.pointerType !== 'touch') this.#held(event.buttons); });
    canvas.addEventListener('pointerup', (event) => { if (event.pointerType !== 'touch') this.#held(event.buttons); });
    canvas.addEventListener('pointercancel', () => this.#buttons.clear());
    canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  /** Whether keys fly; while not, nothing is held. */
  set enabled(on) {
    this.#enabled = on;
    if (!on) this.release();
  }

  /** Lets go of everything, as when the window loses the keyboard. */
  release() {
    this.#keys.clear();
    this.#buttons.clear();
  }

  /** To be called before an input is given what is held; `stats` are the client's of `now`. */
  look(stats, now) {
    for (const held of [this.#keys, this.#buttons]) held.look(stats, now);
  }

  /** Where to, along each axis, -1 to 1. */
  get move() {
    let [x, y] = [0, 0];
    for (const code of this.#keys) {
      const step = MOVES[actionOf(code)];
      if (step) { x += step[0]; y += step[1]; }
    }
    return [Math.sign(x), Math.sign(y)];
  }

  /** Whether the trigger is held. */
  get fire() {
    return this.#enabled && (this.#buttons.has(MOUSE_FIRE) || this.#any('fire'));
  }

  /** Whether the boost is held. */
  get boost() {
    return this.#enabled && (this.#buttons.has(MOUSE_BOOST) || this.#any('boost'));
  }

  #any(action) {
    for (const code of this.#keys) if (actionOf(code) === action) return true;
    return false;
  }

  #held(mask) {
    // The bits of `buttons` stand in another order than the numbers of `button`.
    for (const [button, bit] of [[MOUSE_FIRE, 1], [MOUSE_BOOST, 2]]) {
      if (mask & bit) this.#buttons.press(button); else this.#buttons.release(button);
    }
  }

  #point(event) {
    if (event.pointerType === 'touch') return;
    const { type, clientX, clientY } = event;
    // A resting mouse "moves", too, when something below it does.
    if (type !== 'pointermove' || clientX !== this.pointerX || clientY !== this.pointerY) this.pointerAt = performance.now();
    [this.pointerX, this.pointerY, this.pointerSeen] = [clientX, clientY, true];
  }
}

// The browser keeps its own shortcuts, unless the player has given Ctrl or Alt something to do; and Tab backwards, or
// where a recording is looked at, so that the keyboard comes to the controls.
function isShortcut({ code, ctrlKey, altKey, metaKey, shiftKey }) {
  return metaKey || (ctrlKey && !actionOf('ControlLeft') && !actionOf('ControlRight'))
    || (altKey && !actionOf('AltLeft') && !actionOf('AltRight'))
    || (code === 'Tab' && (shiftKey || document.body.classList.contains('replay')));
}

// Whoever types, or moves through a panel's controls, does not fly; nor does who presses one of the game's.
function isTyping({ code, target }) {
  return target instanceof HTMLInputElement || target.closest?.('.panel, dialog') != null
    || (PRESSES.has(code) && isControl(target));
}

function isControl(target) {
  return target.closest?.('#game :is(button, a)') != null;
}
