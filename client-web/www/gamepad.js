// A gamepad. Comes in: the browser's pads, looked at once per drawn frame, as they tell nothing by
// themselves. Goes out: where the sticks point, what is held, and rumbling where the pad has it.

/** Below this share of its way a stick is at rest: worn ones never come back to the middle. */
const DEAD = 0.2;
/** From this share of its way on, a trigger counts as pressed. */
const PRESSED = 0.35;
/** Places in the standard layout (W3C Gamepad, "Remapping"): buttons of the right hand's fingers and
 *  thumb fire, those of the left hand's and the right thumb's second boost. */
const FIRE = [7, 5, 0];
const BOOST = [6, 4, 1];
const CROSS = { 12: [0, -1], 13: [0, 1], 14: [-1, 0], 15: [1, 0] };

/** The first pad of which the browser knows what is where. */
export class Gamepad {
  #pad = null;
  #x = 0;
  #y = 0;

  /** Where the right stick pointed last, radians from east towards south. */
  aim = 0;
  /** When anything on the pad was moved or held last, as of `performance.now()`. */
  usedAt = -Infinity;
  fire = false;
  boost = false;

  /** Looks at the pads. */
  poll(now) {
    // Where a page may not have pads at all, asking throws.
    let pads = [];
    try { pads = navigator.getGamepads?.() ?? []; } catch { /* None, then. */ }
    // A wheel's pedals, say, rest far from the middle: it would fly and aim for ever.
    this.#pad = [...pads].find((pad) => pad?.connected && pad.mapping === 'standard') ?? null;
    if (!this.#pad) {
      this.#x = this.#y = 0;
      this.fire = this.boost = false;
      return;
    }
    const { axes, buttons } = this.#pad;
    const held = (places) => places.some((place) => (buttons[place]?.value ?? 0) > PRESSED);
    [this.#x, this.#y] = stick(axes[0], axes[1]);
    for (const [place, [x, y]] of Object.entries(CROSS)) {
      if (held([place])) [this.#x, this.#y] = [this.#x + x, this.#y + y];
    }
    const [aimX, aimY] = stick(axes[2], axes[3]);
    if (aimX || aimY) this.aim = Math.atan2(aimY, aimX);
    this.fire = held(FIRE);
    this.boost = held(BOOST);
    if (this.#x || this.#y || aimX || aimY || this.fire || this.boost) this.usedAt = now;
  }

  /** Where to, along each axis, -1 to 1. */
  get move() {
    return [clamp(this.#x), clamp(this.#y)];
  }

  /** Rumbles for so many ms, `strength` from 0 to 1. */
  rumble(ms, strength) {
    const motor = this.#pad?.vibrationActuator;
    // A pad that was just unplugged, or has no motor of this kind, need not be told of.
    motor?.playEffect?.('dual-rumble', { duration: ms, strongMagnitude: strength, weakMagnitude: strength }).catch(() => {});
  }
}

function stick(x = 0, y = 0) {
  const far = Math.hypot(x, y);
  return far < DEAD ? [0, 0] : [x, y];
}

function clamp(value) {
  return Math.max(-1, Math.min(1, value));
}
