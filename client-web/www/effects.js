// What one sees and hears of what happened. Comes in: the calls of watch.js. Goes out: particles,
// shakes and sounds.

import { IS, SHIP, SHIP_RADIUS, SHOT } from './rows.js';
import { tintOf } from './palette.js';
import { settings } from './settings.js';
import { LOOK, Particles } from './render/particles.js';

/** A shot may have been drawn this much too far, seconds, before its end became known. */
const BEHIND_S = 0.2;
/** With more particles than this alive, each event throws fewer: in a crowd nobody counts sparks. */
const PLENTY = 320;
const TURN = Math.PI * 2;
const spread = (amount) => (Math.random() - 0.5) * 2 * amount;

/** Throws particles. */
export class Effects {
  #camera;
  #sound;
  #scene;
  particles = new Particles();
  /** Ships that were just hit, by id: seconds for which their hull still flashes. */
  flashes = new Map();
  /** Seconds since the last own hit landed, and blows taken: `{from, age}`, newest last. */
  landedAge = 9;
  blows = [];

  /** `scene.sprites` are the pictures; they change with the screen's size. */
  constructor(camera, sound, scene) {
    this.#camera = camera;
    this.#sound = sound;
    this.#scene = scene;
  }

  get #sprites() { return this.#scene.sprites; }

  /** How many of `count` particles to throw. */
  #some(count) {
    return settings.particles && this.particles.alive < PLENTY ? count : Math.ceil(count / 3);
  }

  /** Lets `seconds` pass. */
  step(seconds) {
    this.particles.step(seconds);
    this.landedAge += seconds;
    for (const [id, left] of this.flashes) {
      if (left > seconds) this.flashes.set(id, left - seconds); else this.flashes.delete(id);
    }
    for (const blow of this.blows) blow.age += seconds;
    while (this.blows.length && this.blows[0].age > 1.1) this.blows.shift();
  }

  /** Embers behind engines, for one frame. */
  exhaust(ships, seconds) {
    if (!settings.particles) return;
    for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
      const flags = ships[i + SHIP.FLAGS];
      const thrust = ships[i + SHIP.THRUST];
      if (thrust < 0 || flags & IS.WAITING) continue;
      const rate = flags & (IS.BOOSTING | IS.OVERDRIVEN) ? 34 : flags & IS.OWN ? 16 : 5;
      if (Math.random() > rate * seconds) continue;
      const [x, y] = [ships[i + SHIP.X], ships[i + SHIP.Y]];
      if (!this.#camera.sees(x, y, 40)) continue;
      const tint = tintOf(ships[i + SHIP.PLAYER], flags & IS.OWN);
      const angle = thrust + Math.PI + spread(0.4);
      const speed = 90 + Math.random() * 110;
      this.particles.add(LOOK.BALL, this.#sprites.glows[tint],
        x + Math.cos(angle) * 16, y + Math.sin(angle) * 16,
        ships[i + SHIP.VX] * 0.5 + Math.cos(angle) * speed, ships[i + SHIP.VY] * 0.5 + Math.sin(angle) * speed,
        0.3 + Math.random() * 0.35, 5, { grow: -7, drag: 2 });
    }
  }

  fired(shots, i) {
    const tint = tintOf(shots[i + SHOT.PLAYER], shots[i + SHOT.FLAGS] & IS.OWN);
    const [x, y] = [shots[i + SHOT.X], shots[i + SHOT.Y]];
    const [vx, vy] = [shots[i + SHOT.VX], shots[i + SHOT.VY]];
    this.particles.add(LOOK.BALL, this.#sprites.glows[tint], x, y, vx * 0.3, vy * 0.3, 0.09, 15, { grow: -60 });
    this.#sound.play(shots[i + SHOT.FLAGS] & IS.OWN ? 'shot' : 'otherShot', x, y);
  }

  struck(shot, ships) {
    const { vx, vy, player, own } = shot;
    const [x, y] = whereStruck(shot, ships);
    const tint = tintOf(player, own);
    const back = Math.atan2(-vy, -vx);
    for (let n = this.#some(8); n > 0; n--) {
      const angle = back + spread(1.1);
      const speed = 120 + Math.random() * 300;
      this.particles.add(LOOK.STREAK, this.#sprites.streaks[tint], x, y,
        Math.cos(angle) * speed, Math.sin(angle) * speed, 0.16 + Math.random() * 0.24, 3.4, { drag: 3.4 });
    }
    this.particles.add(LOOK.BALL, this.#sprites.glows[tint], x, y, 0, 0, 0.16, 24, { grow: -60 });
    this.#sound.play('spark', x, y);
  }

  hurt(ships, i, share) {
    this.flashes.set(ships[i + SHIP.ID], 0.13);
    const tint = tintOf(ships[i + SHIP.PLAYER], ships[i + SHIP.FLAGS] & IS.OWN);
    const [x, y] = [ships[i + SHIP.X], ships[i + SHIP.Y]];
    for (let n = this.#some(3 + share * 12); n > 0; n--) {
      const angle = Math.random() * TURN;
      const speed = 60 + Math.random() * 160;
      this.particles.add(LOOK.SOLID, this.#sprites.shards[tint], x, y,
        ships[i + SHIP.VX] + Math.cos(angle) * speed, ships[i + SHIP.VY] + Math.sin(angle) * speed,
        0.35 + Math.random() * 0.4, 2.2 + Math.random() * 2.2, { spin: spread(14), angle, drag: 1.6 });
    }
  }

  destroyed({ x, y, vx, vy, player, own }) {
    const s = this.#sprites;
    const tint = tintOf(player, own);
    const add = (look, sprite, speed, life, size, extra) => {
      const angle = Math.random() * TURN;
      this.particles.add(look, sprite, x + Math.cos(angle) * 6, y + Math.sin(angle) * 6,
        vx * 0.35 + Math.cos(angle) * speed, vy * 0.35 + Math.sin(angle) * speed, life, size, { angle, ...extra });
    };
    add(LOOK.BALL, s.white, 0, 0.16, settings.particles ? 95 : 40, { grow: -250 });
    add(LOOK.BALL, s.glows[tint], 0, 0.55, 105, { grow: -70 });
    add(LOOK.BALL, s.rings[tint], 0, 0.55, 14, { grow: 260, drag: 0 });
    for (let n = this.#some(26); n > 0; n--) add(LOOK.STREAK, s.streaks[tint], 140 + Math.random() * 460, 0.3 + Math.random() * 0.5, 4.4, { drag: 2.4 });
    for (let n = this.#some(12); n > 0; n--) add(LOOK.SOLID, s.shards[tint], 40 + Math.random() * 190, 0.7 + Math.random() * 0.8, 3 + Math.random() * 5, { spin: spread(10), drag: 1 });
    for (let n = this.#some(16); n > 0; n--) add(LOOK.BALL, s.glows[tint], 20 + Math.random() * 130, 0.5 + Math.random() * 0.9, 6 + Math.random() * 9, { grow: -6, drag: 1.4 });
    const far = Math.hypot(x - this.#camera.x, y - this.#camera.y);
    this.#camera.shake(own ? 0.9 : Math.max(0, 0.5 - far / 1400));
    this.#sound.play('explosion', x, y);
  }

  taken({ x, y, what }) {
    const s = this.#sprites;
    for (let n = this.#some(14); n > 0; n--) {
      const angle = Math.random() * TURN;
      const speed = 60 + Math.random() * 150;
      this.particles.add(LOOK.BALL, s.pickupGlows[what], x, y, Math.cos(angle) * speed, Math.sin(angle) * speed,
        0.4 + Math.random() * 0.3, 6, { grow: -8, drag: 3 });
    }
    this.particles.add(LOOK.BALL, s.pickupGlows[what], x, y, 0, 0, 0.3, 44, { grow: -70 });
    this.#sound.play('pickup', x, y);
  }

  arrived(ships, i) {
    const own = ships[i + SHIP.FLAGS] & IS.OWN;
    const [x, y] = [ships[i + SHIP.X], ships[i + SHIP.Y]];
    this.particles.add(LOOK.BALL, this.#sprites.rings[tintOf(ships[i + SHIP.PLAYER], own)], x, y, 0, 0, 0.4, 64, { grow: -120, drag: 0 });
    if (own) this.#sound.play('arrive', x, y);
  }

  landed() {
    this.landedAge = 0;
    this.#sound.play('landed');
  }

  wounded(from, share) {
    this.blows.push({ from, age: 0 });
    if (this.blows.length > 4) this.blows.shift();
    this.#camera.shake(Math.min(0.55, 0.3 + Math.max(0, share)));
    this.#sound.play('wounded');
  }

  /** Forgets all, as after a new connection. */
  clear() {
    this.particles.clear();
    this.flashes.clear();
    this.blows.length = 0;
  }
}

// Shots are drawn where they are now, ships of others where they were a moment ago, and the server's
// word that they met comes later still: by then the shot has been drawn past the ship. So the sparks
// fly where a ship is drawn that lies on the shot's way, if there is one.
function whereStruck({ x, y, vx, vy, player }, ships) {
  const speed = Math.hypot(vx, vy) || 1;
  const [ux, uy] = [vx / speed, vy / speed];
  const [behind, ahead] = [speed * BEHIND_S, 2 * SHIP_RADIUS];
  let best = null;
  for (let i = 0; i < ships.length; i += SHIP.STRIDE) {
    if (ships[i + SHIP.PLAYER] === player) continue;
    const [dx, dy] = [ships[i + SHIP.X] - x, ships[i + SHIP.Y] - y];
    const along = dx * ux + dy * uy;
    const aside = Math.abs(dx * uy - dy * ux);
    if (along < -behind || along > ahead || aside > 1.8 * SHIP_RADIUS) continue;
    if (!best || aside < best.aside) best = { aside, x: ships[i + SHIP.X], y: ships[i + SHIP.Y] };
  }
  return best ? [best.x - ux * SHIP_RADIUS, best.y - uy * SHIP_RADIUS] : [x, y];
}
