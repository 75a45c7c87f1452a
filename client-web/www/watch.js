// What happened between two frames. Comes in: the rows of this frame. Goes out: calls such as "a shot
// ended here", made by comparing with the rows of the frame before. It draws nothing and knows no
// rules: something that is gone from the middle of the screen before its time was hit.

import { IS, ME, PICKUP, SHIP, SHOT, VIEW } from './rows.js';

/** After a pause longer than this, seconds, comparing would tell of things long past: only note. */
const PAUSE_MAX = 0.35;
/** A shot with more than this left, ticks, that is gone has hit something. */
const SHOT_LEFT_TICKS = 2.2;
/** What vanishes this close to the view's edge, units, may just have left it. */
const EDGE = 40;
/** The camera moves by no more than this between frames, units, unless it cuts. */
const CUT = 250;

/** Compares frames. `on` has a function for each thing that is told, see `frame`. */
export class Watch {
  #on;
  #ships = new Map();
  #shots = new Map();
  #pickups = new Map();
  #me = null;
  #frame = 0;
  #x = 0;
  #y = 0;
  /** `SHOT_LEFT_TICKS` in seconds. */
  #shotLeft = 0.07;

  constructor(on) {
    this.#on = on;
  }

  /** Looks at one frame that came `seconds` after the last; what is known lies around `x`, `y`. */
  frame({ ships, shots, pickups, me }, seconds, x, y) {
    this.#frame += 1;
    const last = this.#me;
    const cut = last && Math.hypot(x - this.#x, y - this.#y) > CUT;
    const tell = last !== null && seconds < PAUSE_MAX && !cut;
    [this.#x, this.#y] = [x, y];
    this.#lookAtShips(ships, tell);
    this.#lookAtShots(shots, tell, ships);
    this.#lookAtPickups(pickups, tell);
    if (last && seconds < PAUSE_MAX) this.#lookAtMe(me, last);
    this.#me = me;
  }

  /** Tells how many ticks a second has. */
  set tickRate(rate) {
    this.#shotLeft = SHOT_LEFT_TICKS / Math.max(1, rate);
  }

  /** Forgets everything, as after a new connection. */
  clear() {
    this.#ships.clear();
    this.#shots.clear();
    this.#pickups.clear();
    this.#me = null;
  }

  #lookAtShips(rows, tell) {
    for (let i = 0; i < rows.length; i += SHIP.STRIDE) {
      const id = rows[i + SHIP.ID];
      let ship = this.#ships.get(id);
      if (!ship) {
        this.#ships.set(id, (ship = { hp: rows[i + SHIP.HP], hot: 0 }));
        const here = rows[i + SHIP.FLAGS] & IS.PROTECTED && this.#inView(rows[i + SHIP.X], rows[i + SHIP.Y]);
        if (tell && here) this.#on.arrived(rows, i);
      }
      if (tell && rows[i + SHIP.HP] < ship.hp - 0.004) this.#on.hurt(rows, i, ship.hp - rows[i + SHIP.HP]);
      ship.seen = this.#frame;
      ship.hp = rows[i + SHIP.HP];
      ship.x = rows[i + SHIP.X];
      ship.y = rows[i + SHIP.Y];
      ship.vx = rows[i + SHIP.VX];
      ship.vy = rows[i + SHIP.VY];
      ship.player = rows[i + SHIP.PLAYER];
      ship.own = (rows[i + SHIP.FLAGS] & IS.OWN) !== 0;
    }
    for (const [id, ship] of this.#ships) {
      if (ship.seen === this.#frame) continue;
      this.#ships.delete(id);
      if (tell && (ship.own || this.#inView(ship.x, ship.y))) this.#on.destroyed(ship);
    }
  }

  #lookAtShots(rows, tell, ships) {
    for (let i = 0; i < rows.length; i += SHOT.STRIDE) {
      const id = rows[i + SHOT.ID];
      let shot = this.#shots.get(id);
      if (!shot) {
        this.#shots.set(id, (shot = {}));
        if (tell && this.#inView(rows[i + SHOT.X], rows[i + SHOT.Y])) this.#on.fired(rows, i);
      }
      shot.seen = this.#frame;
      shot.x = rows[i + SHOT.X];
      shot.y = rows[i + SHOT.Y];
      shot.vx = rows[i + SHOT.VX];
      shot.vy = rows[i + SHOT.VY];
      shot.ttl = rows[i + SHOT.TTL];
      shot.player = rows[i + SHOT.PLAYER];
      shot.own = (rows[i + SHOT.FLAGS] & IS.OWN) !== 0;
    }
    for (const [id, shot] of this.#shots) {
      if (shot.seen === this.#frame) continue;
      this.#shots.delete(id);
      if (tell && shot.ttl > this.#shotLeft && this.#inView(shot.x, shot.y)) this.#on.struck(shot, ships);
    }
  }

  #lookAtPickups(rows, tell) {
    for (let i = 0; i < rows.length; i += PICKUP.STRIDE) {
      const id = rows[i + PICKUP.ID];
      let pickup = this.#pickups.get(id);
      if (!pickup) this.#pickups.set(id, (pickup = {}));
      pickup.seen = this.#frame;
      pickup.what = rows[i + PICKUP.WHAT];
      pickup.x = rows[i + PICKUP.X];
      pickup.y = rows[i + PICKUP.Y];
    }
    for (const [id, pickup] of this.#pickups) {
      if (pickup.seen === this.#frame) continue;
      this.#pickups.delete(id);
      if (tell && this.#inView(pickup.x, pickup.y)) this.#on.taken(pickup);
    }
  }

  #lookAtMe(me, last) {
    // The counters wrap round at 256.
    if (((me[ME.HITS] - last[ME.HITS]) & 255) > 0 && me[ME.PLAYER] === last[ME.PLAYER]) this.#on.landed();
    if (((me[ME.HURTS] - last[ME.HURTS]) & 255) > 0) this.#on.wounded(me[ME.HURT_FROM], last[ME.HP] - me[ME.HP]);
  }

  #inView(x, y) {
    return Math.abs(x - this.#x) < VIEW.WIDTH / 2 - EDGE && Math.abs(y - this.#y) < VIEW.HEIGHT / 2 - EDGE;
  }
}
