// What a pilot asks of a ship that has too little energy for it. Comes in: what is held, and the rows. Goes out: whether
// something is asked in vain, and a click for a shot that is not fired.

import { IS, ME, SHIP } from './rows.js';

/** What a shot takes of the energy, half in overdrive, and about a tick of boost; a trigger that has less clicks as often
 *  as this, ms. */
const [SHOT_SHARE, BOOST_SHARE, DRY_MS] = [0.05, 0.013, 700];

export class Trigger {
  #sound;
  #clickedAt = 0;

  constructor(sound) {
    this.#sound = sound;
  }

  /** Whether the ship of the `frame` lacks what `fire` or `boost` takes, which are held. */
  lacks(frame, fire, boost, now) {
    const energy = frame.me[ME.ENERGY];
    const shoots = fire && energy < (isOverdriven(frame) ? SHOT_SHARE / 2 : SHOT_SHARE);
    if (shoots && now - this.#clickedAt >= DRY_MS) {
      this.#clickedAt = now;
      this.#sound.play('dry');
    }
    return shoots || (boost && energy < BOOST_SHARE);
  }
}

function isOverdriven({ ships }) {
  for (let i = 0; i < ships.length; i += SHIP.STRIDE) if (ships[i + SHIP.FLAGS] & IS.OWN) return (ships[i + SHIP.FLAGS] & IS.OVERDRIVEN) !== 0;
  return false;
}
