// One picture of the game. Comes in: the rows of a frame, and the clock. Goes out: the scene, the minimap, and what
// flies, shines and is heard in between.

import { SHIP_RADIUS } from './rows.js';
import { placeOf } from './view.js';

export class Picture {
  #parts;
  #frame = null;

  /** What draws, and who says where to look and whom to point at. */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Draws the rows of `frame`, which are of this moment where it is `live`; `gap` seconds after the last time, of which
   *  `seconds` count for what moves by itself. */
  draw(frame, live, now, gap, seconds) {
    const { scene, effects, minimap, watch, view, whereabouts, roster, board, hands } = this.#parts;
    this.#frame = frame;
    const [x, y] = view.follow(frame, scene.half, now, seconds);
    if (live) watch.frame(frame, gap, x, y);
    effects.exhaust(frame.ships, seconds);
    effects.step(seconds);
    scene.trails.follow(frame.ships, seconds);
    const pointer = roster.watching ? null : hands.pointer;
    document.body.classList.toggle('crosshair', pointer !== null);
    const away = whereabouts.outOfView(this.#isSeen, now);
    const friends = whereabouts.outOfView(this.#needsNoArrow, now).map(this.#exactly);
    scene.draw(frame, effects, { nameOf: roster.nameOf, leader: board.leader, pointer, away: friends }, seconds);
    minimap.draw(frame, away, x, y, board.leader, now);
  }

  /** The sky, where there is no game to see. */
  drawSky(seconds) {
    this.#parts.camera.drift(seconds);
    this.#parts.scene.drawSky(seconds);
  }

  /** Takes the world that does not move. */
  takeArena(rocks, half) {
    const { scene, minimap } = this.#parts;
    scene.half = half;
    scene.rocks.rows = rocks;
    minimap.setArena(rocks, half);
  }

  #isSeen = (player) => placeOf(player, this.#frame).length > 0;

  /** Rows cover more than a screen does, above all a phone's. */
  #needsNoArrow = (player) => {
    if (this.#parts.roster.isComputer(player)) return true;
    const [x, y] = placeOf(player, this.#frame);
    return this.#parts.camera.sees(x, y, SHIP_RADIUS);
  };

  /** One of those who are pointed to, at the place of the rows where these have it. */
  #exactly = (one) => {
    const [x = one.x, y = one.y] = placeOf(one.player, this.#frame);
    return { ...one, x, y };
  };
}
