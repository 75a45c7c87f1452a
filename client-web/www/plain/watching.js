// Watching: whom the view follows while one does not play. Comes in: who leads, who is chosen, a view that is moved by hand. Goes out:
// whose entity draw.js follows, and what the server is asked to show; a bar that says so.

import { byId } from '../admin/words.js';
import { write } from '../hud.js';
import { Look } from '../look.js';
import { view } from './draw.js';
import { leader, roster } from './people.js';

/** Who and what is watched. */
export class Watching {
  #on;
  #look = new Look();
  /** Who is followed whoever leads, or null. */
  #chosen = null;
  /** With whom a recording starts, once; null is the leader. */
  begins = null;

  /** `on.client()`; `on.play()` asks for a seat. */
  constructor(on) {
    this.#on = on;
    byId('watch-leader').addEventListener('click', () => this.follow(null));
    byId('watch-play').addEventListener('click', () => on.play());
  }

  /** Follows a player, with null whoever leads. */
  follow(player) {
    this.#chosen = player;
    view.free = false;
  }

  /** Another session or a recording: nobody of the last one is followed, nor any place of it looked at. */
  clear() {
    this.#become(false);
    this.follow(null);
    this.forget();
  }

  /** Another world, or another seat: the server is told again. */
  forget() {
    this.#look.forget();
  }

  /** Who is followed whoever leads, or null. */
  get follows() {
    return view.free ? null : this.#chosen;
  }

  /** The player who is looked at, or null. */
  get looksAt() {
    if (!view.watches || view.free) return null;
    const player = this.#chosen ?? leader();
    return player < 0 ? null : player;
  }

  /** To be called before a frame is drawn; where a recording is looked at nobody is asked to show anything. */
  show(now, recorded) {
    if (view.watches !== roster.watching) this.#change();
    if (!view.watches) return;
    // Who is gone, or watches as well, is followed no more; of a recording nobody is known at first.
    const entry = roster.entry(this.#chosen);
    if (this.#chosen !== null && roster.everybody().length && (!entry || entry.watching)) this.#chosen = null;
    view.player = this.looksAt ?? -1;
    const mode = view.free ? 'free' : this.#chosen === null ? 'leader' : 'player';
    if (!recorded) this.#look.tell(this.#on.client(), { mode, player: this.#chosen, x: view.x, y: view.y }, now);
    write(byId('watch-who'), view.free ? 'a free place' : view.player < 0 ? 'nobody yet' : roster.nameOf(view.player));
    byId('watch-leader').setAttribute('aria-pressed', String(mode === 'leader'));
  }

  #change() {
    this.#become(roster.watching);
    this.follow(roster.watching ? this.begins : null);
    this.begins = null;
    this.forget();
  }

  #become(on) {
    view.watches = on;
    document.body.classList.toggle('watching', on);
    byId('watching').hidden = !on;
  }
}
