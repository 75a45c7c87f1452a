// Everybody in the session, with what one may do about them. Comes in: roster and standings. Goes out: the
// table; mutes for oneself; for the host, actions through the API.

import { actionOf, hostActs } from './acts.js';
import { write } from './hud.js';
import { arrange } from './order.js';
import { enterPanel } from './panels.js';

const find = (id) => document.getElementById(id);

/** What is known before anything was told. */
const NOTHING = { best: [], rank: 0, score: 0 };

/** The scoreboard. */
export class People {
  #roster;
  #on;
  #standings = NOTHING;
  #rows = new Map();
  #open = -1;
  #stale = true;

  /** `on.act(action)` promises to do something as the host; `on.isHost()`; `on.teams()` how many there are. */
  constructor(roster, on) {
    this.#roster = roster;
    this.#on = on;
  }

  /** Takes a `standings` item of news. */
  take(standings) {
    this.#standings = standings;
    this.#stale = true;
  }

  /** Somebody came, went or changed. */
  changed() {
    this.#stale = true;
  }

  /** Forgets points and places, as when a round begins. */
  begin() {
    this.#standings = NOTHING;
    this.#stale = true;
  }

  /** Forgets the lines as well: with another connection the same numbers may be other people. */
  clear() {
    this.begin();
    this.#rows.clear();
    this.#open = -1;
  }

  /** Those who fly, best first. */
  flying() {
    return this.#sorted(this.#told()).filter(({ watching }) => !watching).map(({ player }) => player);
  }

  /** Shows the table where it is open and something changed. */
  show() {
    if (find('people').hidden || !this.#stale) return;
    this.#stale = false;
    const told = this.#told();
    const everybody = this.#sorted(told);
    const inside = find('people').contains(document.activeElement);
    const kept = this.#rows;
    this.#rows = new Map(everybody.map(({ player }) => [player, kept.get(player) ?? new Row(this)]));
    for (const entry of everybody) this.#rows.get(entry.player).show(entry, told.get(entry.player), this.#view(entry));
    arrange(find('people-rows'), [...this.#rows.values()].map(({ element }) => element));
    // A button that is gone leaves the keyboard to the panel, not to the ship.
    if (inside && !find('people').contains(document.activeElement)) enterPanel('people');
    const people = everybody.filter(({ computer }) => !computer);
    const watching = people.filter((entry) => entry.watching).length;
    write(find('people-count'), `${people.length - watching} playing, ${watching} watching, ${everybody.length - people.length} pilots`);
  }

  /** A row's button was pressed. */
  async press(what, entry, value) {
    const { player } = entry;
    if (what === 'silence') this.#roster.silence(player, !this.#roster.isSilenced(player));
    else if (what === 'more') this.#open = this.#open === player ? -1 : player;
    else await this.#on.act(actionOf(what, entry, value));
    this.#stale = true;
    this.show();
  }

  #view(entry) {
    const host = this.#on.isHost();
    const me = entry.player === this.#roster.me;
    return {
      me, host: host && !me, open: this.#open === entry.player, teams: this.#on.teams(),
      silenced: this.#roster.isSilenced(entry.player),
    };
  }

  // Places and points by player: the server tells those of the best, and one's own.
  #told() {
    const { best, rank, score } = this.#standings;
    const told = new Map(best.map(([player, points], at) => [player, { place: at + 1, points }]));
    if (rank > 0) told.set(this.#roster.me, { place: rank, points: score });
    return told;
  }

  #sorted(told) {
    const place = (entry) => told.get(entry.player)?.place ?? Infinity;
    return this.#roster.everybody()
      .sort((a, b) => a.watching - b.watching || place(a) - place(b) || a.computer - b.computer || a.player - b.player);
  }
}

class Row {
  element = document.createElement('tr');
  #place = document.createElement('td');
  #name = document.createElement('th');
  #points = document.createElement('td');
  #acts = document.createElement('td');
  #entry = null;
  #people;
  #made = '';

  constructor(people) {
    this.#people = people;
    this.#name.scope = 'row';
    this.element.append(this.#place, this.#name, this.#points, this.#acts);
  }

  show(entry, told, view) {
    this.#entry = entry;
    write(this.#place, entry.watching ? '' : String(told?.place ?? ''));
    write(this.#name, entry.name);
    const marks = [entry.host && 'host', entry.computer && 'pilot', entry.watching && 'watching', entry.muted && 'muted', view.silenced && 'muted by you'];
    this.#name.dataset.marks = marks.filter(Boolean).join(', ');
    write(this.#points, entry.watching ? '' : String(told?.points ?? '–'));
    this.element.classList.toggle('mine', view.me);
    this.element.classList.toggle('computer', entry.computer);
    this.element.dataset.team = entry.team || '';
    // Buttons are made anew only when there are others, so that a press is never lost.
    const made = JSON.stringify([view, entry.name, entry.computer, entry.muted, entry.team, entry.watching]);
    if (made === this.#made) return;
    this.#made = made;
    const focused = this.#acts.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    this.#acts.replaceChildren(...this.#buttons(entry, view));
    if (focused) this.#acts.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  #buttons(entry, { me, host, open, teams, silenced }) {
    const list = [];
    if (!me && !entry.computer) list.push(this.#button('silence', silenced ? 'Hear' : 'Mute', 'for you'));
    if (host && (!entry.computer || teams > 1)) list.push(this.#button('more', open ? 'Less' : 'More', 'as the host'));
    if (host && open) list.push(...hostActs(entry, teams).map(([what, label, value]) => this.#button(what, label, '', value)));
    return list;
  }

  #button(what, label, more = '', value = 0) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: label });
    button.dataset.act = what + (value || '');
    button.setAttribute('aria-label', `${label} ${this.#entry.name} ${more}`.trim());
    button.addEventListener('click', () => this.#people.press(what, this.#entry, value));
    return button;
  }
}
