// The first screen: a name and Play; and what a link invites to. Comes in: the player's choices, the session
// of the page's address. Goes out: calls of `on`.

import { ask } from './api.js';
import { codeInAddress, showAddress } from './here.js';
import { write } from './hud.js';
import { choose, guestName, settings } from './settings.js';
import { clockText, counted, isolated, modeName } from './words.js';

const find = (id) => document.getElementById(id);

/** The first screen. */
export class Start {
  #screen = find('start');
  #suggested = guestName();
  #on;
  #code = null;
  /** What was wrong with the page's link: said also if it is known before the page can be used. */
  #refusal = '';

  /** `on.play(code, watch)` is called when the player has chosen, with null for the fullest public session;
   *  `on.lobby(open)` when the lobby beneath is shown or not. */
  constructor(on) {
    this.#on = on;
    const name = find('name');
    find('start-form').addEventListener('submit', (event) => {
      event.preventDefault();
      on.play(this.#code, false);
    });
    find('watch').addEventListener('click', () => on.play(this.#code, true));
    find('to-lobby').addEventListener('click', () => { this.invite(null); this.show(); });
    // On a slow line a name may have been typed before this runs.
    if (name.value) return;
    name.value = settings.name || this.#suggested;
    // A phone's keyboard would cover the screen at once.
    if (!matchMedia('(pointer: coarse)').matches) name.select();
  }

  /** The name that was chosen; it is kept unless it was only suggested, as the next visit suggests another. */
  takeName() {
    const chosen = find('name').value.trim() || this.#suggested;
    choose('name', chosen === this.#suggested ? '' : chosen);
    return chosen;
  }

  /** Takes the invitation of the page's address, if there is one. */
  fromAddress() {
    this.invite(codeInAddress());
  }

  /** Shows the session of a link above the name, with null none; so does the address bar, unless it `stays` as it is. */
  async invite(code, stays = false) {
    this.#code = code;
    this.#refusal = '';
    if (!stays) showAddress(code);
    document.body.classList.toggle('invited', code !== null);
    find('invited').hidden = find('to-lobby').hidden = find('watch').hidden = code === null;
    if (code === null) return;
    write(find('invited-name'), 'Looking for the session…');
    write(find('invited-who'), '');
    try {
      const { session } = await ask('GET', `/sessions/${encodeURIComponent(code)}`);
      if (this.#code !== code) return;
      write(find('invited-name'), session.name);
      write(find('invited-who'), describe(session));
    } catch (why) {
      if (this.#code !== code) return;
      // Out of reach for a moment is no reason to forget the link.
      if (why.status === 404 || why.status === 403 || why.status === 400) {
        this.invite(null);
        this.#refusal = why.message;
        this.show();
      } else {
        write(find('invited-name'), 'You are invited');
        write(find('invited-who'), why.message);
      }
    }
  }

  /** Shows the screen with a sentence, which may be empty. */
  show(sentence = this.#refusal) {
    this.#screen.classList.remove('gone');
    write(find('start-note'), sentence);
    // Until there was somebody to hear it, pressing it would have loaded the page anew.
    find('play').disabled = false;
    this.#on.lobby(this.#code === null);
  }

  /** Lets the game be seen. */
  hide() {
    this.#screen.classList.add('gone');
    this.#on.lobby(false);
    document.activeElement?.blur?.();
  }
}

function describe({ mode, players, max_players: most, pilots, host, phase, phase_left_s: left, round, locked }) {
  const time = phase === 'play' && left !== null && left !== undefined ? `round ${round}, ${clockText(left)} left` : '';
  return [modeName(mode), host && `host ${isolated(host)}`, `${players} of ${most} here`, pilots && counted(pilots, 'pilot'), time, locked && 'locked']
    .filter(Boolean).join(' · ');
}
