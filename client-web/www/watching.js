// Watching: where the camera is while one has no ship of one's own. A spectator follows a player, the
// leader or a place moved freely; who waits for the next ship watches who shot them. Comes in: the rows,
// who leads, what keys and thumbs hold. Goes out: a place for the camera, and what the server is asked to
// show.

import { write } from './hud.js';
import { Look } from './look.js';
import { ME, SHIP } from './rows.js';

/** How fast the free place moves, units per second, and how fast with boost. */
const SPEED = 900;
const SPEED_BOOST = 2200;
/** After one's own end the camera stays so long, seconds, before it looks for the killer. */
const MOURN_S = 0.9;

const find = (id) => document.getElementById(id);

/** Who and what is watched. */
export class Watching {
  #on;
  #box = find('watching');
  #mode = 'leader';
  #player = -1;
  #x = 0;
  #y = 0;
  #look = new Look();
  /** What moves the free place, with where it was last: `{pointerId, x, y}`, CSS pixels; or null. */
  #drag = null;
  #dead = 0;
  #killer = -1;

  /** `on.players()` gives the numbers of those who fly, best first; `on.leader()` who leads, or -1;
   *  `on.nameOf(player)`; `on.client()`; `on.play()` asks for a seat; `on.steers(pointerId)` whether that finger
   *  holds a stick. */
  constructor(canvas, on) {
    this.#on = on;
    find('watch-previous').addEventListener('click', () => this.step(-1));
    find('watch-next').addEventListener('click', () => this.step(1));
    find('watch-leader').addEventListener('click', () => { this.#mode = 'leader'; });
    find('watch-free').addEventListener('click', () => { this.#mode = 'free'; });
    find('watch-play').addEventListener('click', () => on.play());
    // Heard here once the canvas's own listeners know whether a stick has the finger. Of several the last one drags.
    addEventListener('pointerdown', ({ target, pointerId, clientX, clientY }) => {
      if (target === canvas && !on.steers(pointerId)) this.#drag = { pointerId, x: clientX, y: clientY };
    });
    addEventListener('pointermove', ({ pointerId, clientX, clientY, buttons }) => {
      const drag = this.#drag;
      if (pointerId !== drag?.pointerId || this.#box.hidden || !buttons) return;
      const [dx, dy] = [clientX - drag.x, clientY - drag.y];
      if (this.#mode !== 'free' && Math.hypot(dx, dy) < 12) return;
      this.#mode = 'free';
      this.#x -= dx / this.scale;
      this.#y -= dy / this.scale;
      Object.assign(drag, { x: clientX, y: clientY });
    });
    for (const end of ['pointerup', 'pointercancel']) {
      addEventListener(end, ({ pointerId }) => { if (pointerId === this.#drag?.pointerId) this.#drag = null; });
    }
  }

  /** CSS pixels per unit, for dragging. */
  scale = 1;

  /** Whose ship is looked at, or null. */
  looksAt = null;

  /** With whom a new connection starts, once; null is the leader. */
  begins = null;

  /** Whether the spectators' bar is shown. */
  set shown(on) {
    if (this.#box.hidden === !on) return;
    this.#box.hidden = !on;
    this.forget();
    if (!on) return;
    this.#mode = 'leader';
    if (this.begins !== null) this.follow(this.begins);
    this.begins = null;
  }

  /** Forgets what the server was asked to show: a new seat looks at the leader. */
  forget() {
    this.#look.forget();
  }

  /** Who is followed whoever leads, or null. */
  get follows() {
    return this.#mode === 'player' ? this.#player : null;
  }

  /** The next of those who fly, or the one before. */
  step(by) {
    if (this.#box.hidden) return;
    const players = this.#on.players();
    if (!players.length) return;
    const at = players.indexOf(this.looksAt ?? this.#player);
    this.#player = players[(at + by + players.length) % players.length];
    this.#mode = 'player';
  }

  /** Follows one player. */
  follow(player) {
    this.#player = player;
    this.#mode = 'player';
  }

  /** Where a spectator's camera is now: `[source, x, y]`. `move` is what keys and thumbs hold, `half` the
   *  arena's half width, 0 while it is not known. */
  place({ ships }, move, boost, half, now, seconds) {
    if (this.#mode !== 'free' && (move[0] || move[1])) this.#mode = 'free';
    let at = -1;
    if (this.#mode !== 'free') {
      if (this.#mode === 'player' && !this.#on.players().includes(this.#player)) this.#mode = 'leader';
      const wanted = this.#mode === 'leader' ? this.#on.leader() : this.#player;
      at = shipOf(ships, wanted);
      this.looksAt = wanted >= 0 ? wanted : null;
    } else {
      this.looksAt = null;
      const speed = (boost ? SPEED_BOOST : SPEED) * seconds;
      this.#x += move[0] * speed;
      this.#y += move[1] * speed;
    }
    if (at >= 0) [this.#x, this.#y] = [ships[at + SHIP.X], ships[at + SHIP.Y]];
    // Until a new world is known the old picture stays, with the place that it shows.
    if (half) {
      this.#x = Math.max(-half, Math.min(half, this.#x));
      this.#y = Math.max(-half, Math.min(half, this.#y));
    }
    // The server sends what is around the place that is watched.
    if (half) this.#look.tell(this.#on.client(), { mode: this.#mode, player: this.#player, x: this.#x, y: this.#y }, now);
    this.#show();
    return [`watch ${this.looksAt}`, this.#x, this.#y];
  }

  /** Where the camera of somebody without a ship is who waits for the next one. */
  afterwards({ ships, me }, seconds) {
    if (me[ME.KILLER] !== this.#killer) [this.#killer, this.#dead] = [me[ME.KILLER], 0];
    this.#dead += seconds;
    const others = this.#killer >= 0 && this.#killer !== me[ME.PLAYER] && this.#dead > MOURN_S;
    const at = others ? shipOf(ships, this.#killer) : -1;
    this.looksAt = at >= 0 ? this.#killer : null;
    if (at < 0) return ['place', me[ME.X], me[ME.Y]];
    return [`watch ${this.#killer}`, ships[at + SHIP.X], ships[at + SHIP.Y]];
  }

  /** The own ship is there again. */
  alive() {
    this.#dead = 0;
    this.#killer = -1;
    this.looksAt = null;
  }

  #show() {
    write(find('watch-who'), this.#mode === 'free' ? 'a free place' : this.looksAt === null ? 'nobody yet' : this.#on.nameOf(this.looksAt));
    find('watch-leader').setAttribute('aria-pressed', String(this.#mode === 'leader'));
    find('watch-free').setAttribute('aria-pressed', String(this.#mode === 'free'));
  }
}

function shipOf(ships, player) {
  for (let i = 0; i < ships.length; i += SHIP.STRIDE) if (ships[i + SHIP.PLAYER] === player) return i;
  return -1;
}
