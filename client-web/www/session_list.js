// A list of sessions, with ways into each. Comes in: sessions as the API tells them. Goes out: the page, and calls of
// `on`. Their names come from strangers and are only ever set as text.

import { hostSecret } from './here.js';
import { write } from './hud.js';
import { arrange } from './order.js';
import { clockText, modeName } from './words.js';

const PHASES = { warm_up: 'Warm-up', play: '', results: 'Results', endless: 'No rounds' };

/** The list in an element of the page. */
export class SessionList {
  #on;
  #list;
  #rows = new Map();

  /** `on.join(code, watch)` goes into a session. */
  constructor(list, on) {
    this.#list = list;
    this.#on = on;
  }

  /** Shows these. Rows are kept from one list to the next, so that nobody's focus or press is lost. */
  show(sessions) {
    const kept = this.#rows;
    this.#rows = new Map(sessions.map(({ code }) => [code, kept.get(code) ?? new Row(this.#on)]));
    for (const session of sessions) this.#rows.get(session.code).show(session);
    arrange(this.#list, [...this.#rows.values()].map(({ element }) => element));
  }

  /** Shows their clocks, of which so many seconds have passed since they were told, and the way to the server in ms, or
   *  null. */
  count(passed, ping) {
    for (const row of this.#rows.values()) row.count(passed, ping);
  }
}

class Row {
  element = document.createElement('li');
  #session = null;
  #parts = {};

  constructor(on) {
    const part = (name, tag = 'span') => {
      const made = document.createElement(tag);
      made.className = name;
      this.#parts[name] = made;
      return made;
    };
    const words = part('words', 'div');
    words.append(part('name', 'b'), part('mode'), part('clock'), part('ping'));
    const figures = part('figures', 'div');
    figures.append(part('seats'), part('pilots'));
    const button = (name, label, watch) => {
      const made = part(name, 'button');
      made.type = 'button';
      made.textContent = label;
      made.addEventListener('click', () => on.join(this.#session.code, watch));
      return made;
    };
    this.element.append(words, figures, button('join', 'Join', false), button('watch', 'Watch', true));
  }

  show(session) {
    this.#session = session;
    const { name, mode, players, max_players: most, pilots, spectators, max_spectators: mostWatch, locked, code } = session;
    const { join, watch } = this.#parts;
    write(this.#parts.name, name);
    write(this.#parts.mode, modeName(mode) + (locked ? ' · locked' : '') + (hostSecret(code) ? ' · yours' : ''));
    write(this.#parts.seats, `${players}/${most}`);
    write(this.#parts.pilots, [pilots && `${pilots} pilots`, spectators && `${spectators} watching`].filter(Boolean).join(' · '));
    join.disabled = locked || players >= most;
    watch.disabled = locked || spectators >= mostWatch;
    write(join, locked ? 'Locked' : players >= most ? 'Full' : 'Join');
    join.setAttribute('aria-label', `${join.textContent} ${name}`);
    watch.setAttribute('aria-label', `Watch ${name}`);
  }

  count(passed, ping) {
    const { phase, phase_left_s: left, round } = this.#session;
    const time = left === null || left === undefined ? '' : clockText(left - passed);
    write(this.#parts.clock, phase === 'endless' ? 'No rounds' : [round > 0 && `Round ${round}`, PHASES[phase], time].filter(Boolean).join(' · '));
    write(this.#parts.ping, ping === null ? '' : `${Math.max(1, Math.round(ping))} ms`);
  }
}
