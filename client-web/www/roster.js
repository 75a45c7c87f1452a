// Who is in the session. Comes in: the module's news. Goes out: what to call a player, and what is known of
// each. Names come from strangers and are only ever set as text.

import { clearTeams, setTeam } from './palette.js';

/** The number of whoever only looks at a recording. */
const NOBODY = 65_535;

/** Names kept of those who left: who shot one down may be gone while one still waits for the next ship, and who watches with a
 *  delay sees ships of people who are. The oldest make room. */
const LEFT_MAX = 64;

/** Everybody. */
export class Roster {
  #players = new Map();
  /** The names of the last who left, by number. */
  #left = new Map();
  #silenced = new Set();
  /** Their names: who comes back, as after a reload, has another number. */
  #silencedNames = new Set();
  #whole = false;
  /** One's own number; -1 before the welcome. */
  me = -1;

  /** Takes a `roster` item of news. Gives who came and who went, as names, where that is worth a line: not
   *  for pilots and not for those who were there before. */
  take({ everybody, joined, left }) {
    const tell = this.#whole;
    const before = new Map(this.#players);
    if (everybody) {
      this.#players.clear();
      this.#left.clear();
      clearTeams();
      this.#whole = true;
    }
    for (const player of left) {
      this.#left.set(player, this.nameOf(player));
      this.#players.delete(player);
      this.#silenced.delete(player);
      setTeam(player, 0);
    }
    for (const player of this.#left.keys()) if (this.#left.size > LEFT_MAX) this.#left.delete(player);
    for (const entry of joined) {
      this.#players.set(entry.player, { team: 0, watching: false, host: false, muted: false, ...entry });
      const isNew = before.get(entry.player)?.name !== entry.name && entry.player !== this.me;
      // In another session, as after a restart, the same number is somebody else.
      if (isNew) this.#silenced[this.#silencedNames.has(entry.name) ? 'add' : 'delete'](entry.player);
      setTeam(entry.player, entry.team ?? 0);
    }
    const named = (players, known) => players.map((player) => known.get(player))
      .filter((entry) => entry && !entry.computer && entry.player !== this.me).map(({ name }) => name);
    if (!tell || everybody) return { came: [], went: [] };
    return {
      came: named(joined.map(({ player }) => player).filter((player) => !before.has(player)), this.#players),
      went: named(left, before),
    };
  }

  /** What to call a player. */
  nameOf = (player) => this.#players.get(player)?.name ?? this.#left.get(player) ?? 'somebody';

  /** What is known of a player: `{player, name, computer, team, watching, host, muted}`, or undefined. */
  entry(player) {
    return this.#players.get(player);
  }

  /** All of these. */
  everybody() {
    return [...this.#players.values()];
  }

  /** Whether the server's own pilot flies. */
  isComputer(player) {
    return this.#players.get(player)?.computer ?? false;
  }

  /** Whether one only watches. */
  get watching() {
    return this.me === NOBODY || (this.#players.get(this.me)?.watching ?? false);
  }

  /** One's own team, or 0. */
  get myTeam() {
    return this.#players.get(this.me)?.team ?? 0;
  }

  /** Shows or hides what somebody says, for oneself alone and until one leaves. */
  silence(player, on) {
    const change = on ? 'add' : 'delete';
    this.#silenced[change](player);
    this.#silencedNames[change](this.nameOf(player));
  }

  /** Whether somebody's words are hidden. */
  isSilenced(player) {
    return this.#silenced.has(player);
  }

  /** The same, where only a name is known. */
  isNameSilenced(name) {
    return this.#silencedNames.has(name);
  }

  /** Forgets everybody, as after leaving. */
  clear() {
    this.#players.clear();
    this.#left.clear();
    this.#silenced.clear();
    this.#silencedNames.clear();
    this.#whole = false;
    this.me = -1;
    clearTeams();
  }
}
