// What the player's hands do, whatever they hold: keys and mouse, thumbs, a gamepad. Comes in: these three.
// Goes out: where to aim and to thrust, and what is held.

import { isForgotten } from './forgotten.js';
import { IS, ME, SHIP } from './rows.js';

/** Hands. */
export class Hands {
  #input;
  #touch;
  #pad;
  /** When anything was held last, as of `performance.now()`. */
  #heldAt = -Infinity;
  /** Where to aim, radians from east towards south. */
  aim = 0;

  constructor(input, touch, pad) {
    [this.#input, this.#touch, this.#pad] = [input, touch, pad];
  }

  /** Looks at all of them; `frame` and `camera` say where the mouse points to, `frame` may be null. */
  look(now, frame, camera) {
    const [input, touch, pad] = [this.#input, this.#touch, this.#pad];
    pad.poll(now);
    if (this.fire || this.boost || this.move.some(Boolean)) this.#heldAt = now;
    const aims = this.#aims;
    if (aims === pad) this.aim = pad.aim;
    else if (aims === touch) this.aim = touch.aim ?? this.aim;
    else if (input.pointerSeen && frame && !isForgotten(Math.max(input.pointerAt, this.#heldAt), now)) {
      this.aim = aimAtPointer(input, frame, camera, this.aim);
    }
  }

  /** Where to, along each axis, -1 to 1. */
  get move() {
    const [keyX, keyY] = this.#input.move;
    const [stickX, stickY] = this.#touch.move;
    const [padX, padY] = this.#pad.move;
    return [keyX || stickX || padX, keyY || stickY || padY];
  }

  get fire() { return this.#input.fire || this.#touch.fire || this.#pad.fire; }
  get boost() { return this.#input.boost || this.#touch.boost || this.#pad.boost; }

  /** The mouse's place where it aims, else null. */
  get pointer() {
    const input = this.#input;
    return this.#aims === input && input.pointerPlays ? { x: input.pointerX, y: input.pointerY } : null;
  }

  // Whichever was used last; the mouse before anything was.
  get #aims() {
    const [input, touch, pad] = [this.#input, this.#touch, this.#pad];
    if (pad.usedAt > Math.max(input.pointerAt, touch.usedAt)) return pad;
    return touch.usedAt > input.pointerAt ? touch : input;
  }
}

/** The place of one's own ship in the rows, or -1. */
export function ownShip({ ships, me }) {
  if (!me[ME.ALIVE]) return -1;
  for (let i = 0; i < ships.length; i += SHIP.STRIDE) if (ships[i + SHIP.FLAGS] & IS.OWN) return i;
  return -1;
}

function aimAtPointer(input, frame, camera, before) {
  const own = ownShip(frame);
  if (own < 0) return before;
  const { ratio } = camera;
  const x = input.pointerX * ratio - camera.toX(frame.ships[own + SHIP.X]);
  const y = input.pointerY * ratio - camera.toY(frame.ships[own + SHIP.Y]);
  return Math.hypot(x, y) < 2 * ratio ? before : Math.atan2(y, x);
}
