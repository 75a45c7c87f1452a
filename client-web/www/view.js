// What the camera looks at. Comes in: the rows, who one is, what hands hold. Goes out: the camera moved, and the
// place around which the rows are.

import { ownShip } from './hands.js';
import { ME, SHIP } from './rows.js';

/** Looks after the camera: at the own ship, at its killer's, or wherever a spectator looks. */
export class View {
  #camera;
  #watching;
  #roster;
  #hands;

  constructor({ camera, watching, roster, hands }) {
    [this.#camera, this.#watching, this.#roster, this.#hands] = [camera, watching, roster, hands];
  }

  /** Moves the camera for a frame of an arena of half width `half`; gives the place `[x, y]` around which
   *  the server sends what there is. */
  follow(frame, half, now, seconds) {
    const [camera, watching, hands] = [this.#camera, this.#watching, this.#hands];
    const { ships, me } = frame;
    const spectator = this.#roster.watching;
    watching.shown = spectator;
    const own = ownShip(frame);
    if (own >= 0 && !spectator) {
      watching.alive();
      const speed = Math.hypot(ships[own + SHIP.VX], ships[own + SHIP.VY]);
      camera.follow('ship', ships[own + SHIP.X], ships[own + SHIP.Y], speed, hands.aim, seconds);
      return [me[ME.X], me[ME.Y]];
    }
    watching.scale = camera.scale / camera.ratio;
    const [source, x, y] = spectator
      ? watching.place(frame, hands.move, hands.boost, half, now, seconds)
      : watching.afterwards(frame, seconds);
    camera.follow(source, x, y, 0, hands.aim, seconds);
    return spectator ? [x, y] : [me[ME.X], me[ME.Y]];
  }
}

/** Where a player's ship is in `frame`, as `[x, y]`; empty where it is not in view. */
export function placeOf(player, frame) {
  const ships = frame?.ships ?? [];
  for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
    if (ships[i + SHIP.PLAYER] === player) return [ships[i + SHIP.X], ships[i + SHIP.Y]];
  }
  return [];
}
