// What one may do about somebody: hear them or not, and as the host all that a host may. Comes in: who was chosen among the people.
// Goes out: buttons beneath them, mutes for oneself, actions for the session.

import { actionOf, hostActs } from '../acts.js';
import { byId, made } from '../admin/words.js';
import { roster, teamCount } from './people.js';

/** The one who was chosen. */
export class Person {
  #session;
  #chosen = null;
  #shown = '';

  /** `session` says whether this browser is its host, and takes actions. */
  constructor(session) {
    this.#session = session;
  }

  /** Chooses a player, or nobody any more where it is the same again. */
  choose(player) {
    this.#chosen = this.#chosen === player ? null : player;
    this.show();
  }

  /** Who was chosen, or null. */
  get chosen() {
    return this.#chosen;
  }

  /** Shows the buttons, made anew only when there are others, so that a press is never lost. */
  show() {
    const entry = roster.entry(this.#chosen);
    const acts = entry && entry.player !== roster.me ? this.#acts(entry) : [];
    const state = JSON.stringify([entry?.name, acts]);
    if (state === this.#shown) return;
    this.#shown = state;
    const box = byId('person');
    const focused = box.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    box.hidden = !acts.length;
    box.setAttribute('aria-label', entry ? `What to do about ${entry.name}` : '');
    box.replaceChildren(...(acts.length ? [made('span', entry.name, 'soft')] : []), ...acts.map(([what, label, value]) => this.#button(what, label, value)));
    if (focused) box.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  #acts(entry) {
    const silence = entry.computer ? [] : [['silence', roster.isSilenced(entry.player) ? 'Hear' : 'Mute', 0]];
    return this.#session.isHost ? [...silence, ...hostActs(entry, teamCount())] : silence;
  }

  #button(what, label, value) {
    const button = Object.assign(made('button', label, 'plain'), { type: 'button' });
    button.dataset.act = what + (value || '');
    button.addEventListener('click', () => this.#press(what, value));
    return button;
  }

  #press(what, value) {
    const entry = roster.entry(this.#chosen);
    if (!entry) return;
    if (what === 'silence') roster.silence(entry.player, !roster.isSilenced(entry.player));
    else this.#session.act(actionOf(what, entry, value));
    this.show();
  }
}
