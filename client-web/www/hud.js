// The player's own figures and fate: bars, tally, meters, toast, death. Comes in: the one row about
// oneself, every frame. Goes out: the page, touched only where something changed.

import { ME, STATS } from './rows.js';
import { settings } from './settings.js';
import { isolated } from './words.js';

/** Below this share of the hull the bar warns. */
const HULL_LOW = 0.3;
/** A round trip longer than this, ms, or fewer frames a second than that, is shown as bad. */
const PING_BAD_MS = 150;
const RATE_BAD = 45;
/** How often meters are written, ms: faster nobody can read. */
const METERS_MS = 500;
/** How long a toast stays, ms. */
const TOAST_MS = 2200;
/** How long a notice of the server's stays, ms, and how much longer for each of its letters. */
const NOTICE_MS = 4000;
const NOTICE_LETTER_MS = 60;

const find = (id) => document.getElementById(id);

/** Writes text only when it differs from what stands there. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

class Bar {
  #fill;
  #ghost;
  #number;
  #element;
  #shown = -1;

  constructor(id) {
    this.#element = find(id);
    this.#fill = this.#element.querySelector('.fill');
    this.#ghost = this.#element.querySelector('.ghost');
    this.#number = this.#element.querySelector('output');
  }

  /** `calm` where an empty bar is no alarm. */
  set(share, calm = false) {
    this.#element.classList.toggle('low', !calm && share < HULL_LOW && this.#ghost !== null);
    const percent = Math.ceil(Math.max(0, Math.min(1, share)) * 100);
    if (percent === this.#shown) return;
    this.#shown = percent;
    const scale = `scaleX(${percent / 100})`;
    this.#fill.style.transform = scale;
    if (this.#ghost) this.#ghost.style.transform = scale;
    write(this.#number, String(percent));
  }
}

/** Everything of the HUD but leaderboard, kill feed, map and chat. */
export class Hud {
  #hull = new Bar('hull');
  #energy = new Bar('energy');
  #vignette = find('vignette');
  #strength = 0;
  #pain = 0;
  #metersAt = 0;
  #respawn = 0;
  #toastTimer = 0;
  #noticeTimer = 0;

  /** Shows one frame. `nameOf(player)` gives text, `watched` is who is looked at meanwhile, or null; for a
   *  spectator there is nothing of one's own to show. */
  show(me, nameOf, seconds, watched, spectator) {
    const alive = me[ME.ALIVE] > 0;
    this.#hull.set(alive ? me[ME.HP] : 0, !alive);
    this.#energy.set(alive ? me[ME.ENERGY] : 0);
    write(find('score'), String(me[ME.SCORE]));
    write(find('kills'), String(me[ME.KILLS]));
    write(find('kills-word'), me[ME.KILLS] === 1 ? 'kill' : 'kills');
    write(find('streak'), String(me[ME.STREAK]));
    find('streak-part').classList.toggle('none', me[ME.STREAK] < 2);
    find('vitals').hidden = spectator;
    this.#showDeath(me, alive || spectator, nameOf, watched);
    this.#pain = Math.max(0, this.#pain - seconds * 1.8);
    const fear = alive && me[ME.HP] < HULL_LOW ? 0.28 : 0;
    const strength = Math.round(Math.min(0.75, fear + this.#pain) * 50) / 50;
    if (strength !== this.#strength) {
      this.#strength = strength;
      this.#vignette.style.opacity = strength;
    }
  }

  /** Somebody wants what there is no energy for, or no more. */
  set dry(on) {
    find('energy').classList.toggle('dry', on);
  }

  /** The edge of the screen flashes: a blow was taken. */
  flash() {
    this.#pain = 0.5;
  }

  /** Writes ping and frame rate, twice a second: `client` and `meter` are asked only then. */
  meters(now, client, meter) {
    if (now - this.#metersAt < METERS_MS) return;
    this.#metersAt = now;
    const box = find('meters');
    if (box.hidden === settings.meters) box.hidden = !settings.meters;
    if (!settings.meters) return;
    const [ping, fps] = [client.stats()[STATS.PING], Math.round(meter.rate())];
    write(find('ping'), ping > 0 ? `${Math.round(ping)} ms` : '– ms');
    write(find('fps'), `${fps} fps`);
    find('ping').classList.toggle('bad', ping > PING_BAD_MS);
    find('fps').classList.toggle('bad', fps > 0 && fps < RATE_BAD);
  }

  /** What the server says to everybody here: long enough to be read in the middle of a fight. */
  notice(text) {
    const notice = find('notice');
    write(notice, text);
    notice.classList.add('shown');
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => notice.classList.remove('shown'), NOTICE_MS + NOTICE_LETTER_MS * text.length);
  }

  /** Says something short in the middle of the screen. */
  toast(text) {
    const toast = find('toast');
    write(toast, text);
    toast.classList.add('shown');
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => toast.classList.remove('shown'), TOAST_MS);
  }

  #showDeath(me, alive, nameOf, watched) {
    const panel = find('death');
    // Before the first ship there is nobody to mourn.
    const dead = !alive && me[ME.DEATHS] > 0;
    if (panel.hidden === dead) {
      panel.hidden = !dead;
      this.#respawn = me[ME.RESPAWN];
    }
    if (!dead) return;
    const killer = me[ME.KILLER];
    const byOther = killer >= 0 && killer !== me[ME.PLAYER];
    write(find('death-how'), byOther ? 'Destroyed by' : 'Your ship is lost');
    write(find('death-who'), byOther ? nameOf(killer) : 'No one else to blame');
    write(find('death-watch'), watched === null ? '' : `watching ${isolated(nameOf(watched))}`);
    this.#respawn = Math.max(this.#respawn, me[ME.RESPAWN]);
    const left = me[ME.RESPAWN];
    find('death-wait').firstElementChild.style.transform = `scaleX(${this.#respawn ? 1 - left / this.#respawn : 1})`;
    write(find('death-when'), left > 0.05 ? `Back in ${Math.ceil(left)}` : 'Back now');
  }
}
