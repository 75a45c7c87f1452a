// Who leads and who shot whom: leaderboard and feed. Comes in: the module's news. Goes out: the page.
// Names come from strangers and are only ever set as text.

import { write } from './hud.js';

/** Lines of the leaderboard, the own one aside. */
const LINES = 8;
/** On small screens this many are shown. */
const LINES_SMALL = 4;
/** The most lines of the kill feed, and how long one stays, ms. */
const FEED_MAX = 5;
const FEED_MS = 6000;

const find = (id) => document.getElementById(id);

/** The leaderboard. The own line is always there: among the best, or below them with its rank. */
export class Board {
  #roster;
  #box = find('board');
  #list = find('board-rows');
  #own = -1;
  #last = null;
  /** The player who leads, or -1. */
  leader = -1;
  /** The player in the first line, whom the server shows to those who watch the leader; or -1. */
  first = -1;

  constructor(roster) {
    this.#roster = roster;
    // An empty box says nothing: it waits for the first standings.
    this.#box.hidden = true;
    for (let i = 0; i <= LINES; i++) {
      const line = document.createElement('li');
      for (let k = 0; k < 3; k++) line.append(document.createElement('span'));
      line.hidden = true;
      this.#list.append(line);
    }
  }

  /** Takes a `standings` item of news. */
  take(item) {
    this.#last = item;
    this.refresh();
  }

  /** Shows the newest standings with the names and teams of now. */
  refresh() {
    if (!this.#last) return;
    const { best, rank, score, players } = this.#last;
    const roster = this.#roster;
    this.#box.hidden = false;
    this.first = best[0]?.[0] ?? -1;
    this.leader = best.length && best[0][1] > 0 ? best[0][0] : -1;
    // Who has just left is still among the standings for a moment.
    const lines = best.map(([player, points], i) => ({ rank: i + 1, player, points }))
      .filter(({ player }) => roster.entry(player)).slice(0, LINES);
    if (roster.me >= 0 && !roster.watching && !lines.some((line) => line.player === roster.me)) {
      lines.push({ rank, player: roster.me, points: score });
    }
    [...this.#list.children].forEach((element, i) => {
      const line = lines[i];
      element.hidden = !line;
      if (!line) return;
      const [place, name, points] = element.children;
      write(place, line.rank > 0 ? String(line.rank) : '–');
      write(name, roster.nameOf(line.player));
      write(points, String(line.points));
      const mine = line.player === roster.me;
      element.classList.toggle('mine', mine);
      element.classList.toggle('computer', roster.isComputer(line.player));
      element.dataset.team = roster.entry(line.player)?.team || '';
      element.classList.toggle('far', i >= LINES_SMALL && !mine);
      element.classList.toggle('apart', mine && line.rank > i + 1);
    });
    this.#own = lines.findIndex((line) => line.player === roster.me);
    write(find('board-count'), players === 1 ? '1 ship' : `${players} ships`);
  }

  /** Empties it, as after leaving. */
  clear() {
    this.#box.hidden = true;
    this.leader = this.first = -1;
    this.#own = -1;
    this.#last = null;
  }

  /** Keeps the own line's points up to date between standings. */
  showOwn(points) {
    if (this.#own >= 0) write(this.#list.children[this.#own].lastElementChild, String(points));
  }
}

/** Who shot whom. */
export class Feed {
  #roster;
  #list = find('feed');

  constructor(roster) {
    this.#roster = roster;
  }

  /** Takes a `kill` item of news. */
  take({ killer, victim, streak }) {
    const line = document.createElement('li');
    if (killer !== null && killer !== victim) line.append(this.#name(killer), document.createElement('i'));
    line.append(this.#name(victim));
    if (killer === null || killer === victim) line.append(' was lost');
    if (streak > 2) {
      const run = document.createElement('em');
      run.textContent = `×${streak}`;
      line.append(run);
    }
    this.#add(line);
  }

  /** Says that somebody came or went. */
  say(name, what) {
    const line = document.createElement('li');
    const who = document.createElement('span');
    who.textContent = name;
    line.className = 'said';
    line.append(who, ` ${what}`);
    this.#add(line);
  }

  #add(line) {
    this.#list.append(line);
    while (this.#list.children.length > FEED_MAX) this.#list.firstElementChild.remove();
    setTimeout(() => line.classList.add('old'), FEED_MS);
    setTimeout(() => line.remove(), FEED_MS + 700);
  }

  #name(player) {
    const name = document.createElement('span');
    name.textContent = this.#roster.nameOf(player);
    if (player === this.#roster.me) name.className = 'mine';
    const { team } = this.#roster.entry(player) ?? {};
    if (team) name.dataset.team = team;
    return name;
  }
}
