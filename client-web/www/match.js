// Rounds: the clock and the teams' points at the top, the last seconds counted, the screen with the result.
// Comes in: the module's news of phases and results, and its tick. Goes out: the page and sounds.

import { write } from './hud.js';
import { STATS } from './rows.js';
import { clockText, counted, isolated, teamName } from './words.js';

/** The last seconds of a round that are counted aloud, and those before one begins. */
const LAST_S = 10;
const BEFORE_S = 3;

const find = (id) => document.getElementById(id);
const cell = (text, tag = 'td') => Object.assign(document.createElement(tag), { textContent: String(text) });

/** The round that is being played. */
export class Match {
  #roster;
  #on;
  #counted = -1;
  #stay = false;
  /** Whether nothing was told yet since the welcome. */
  #isNew = true;
  /** 'endless', 'warm_up', 'play' or 'results', or null before anything was told; the round's number; the tick at which the phase ends. */
  phase = null;
  round = 0;
  ends = null;
  /** The teams' points, empty without teams. */
  teams = [];
  /** The last result as it was told, or null. */
  last = null;
  /** Seconds until the phase ends, or null. */
  secondsLeft = null;

  /** `on.sound(name)` plays, `on.callout(text)` says something large, `on.lobby()` leaves, `on.isReplay()` tells
   *  whether a recording is looked at, `on.replayOf(round)` gives the address of one. */
  constructor(roster, on) {
    this.#roster = roster;
    this.#on = on;
    find('results-stay').addEventListener('click', () => this.stay());
    find('results-lobby').addEventListener('click', () => on.lobby());
  }

  /** A connection, or a recording from some place on, has begun: what it tells first is no change. */
  welcome() {
    this.#isNew = true;
  }

  /** Takes a `phase` item of news, perhaps `quietly`. */
  takePhase({ phase, round, ends }, quietly) {
    const [before, last] = [this.phase, this.round];
    // Until the next tick is known it is not known how long another phase lasts.
    if (ends !== this.ends) this.secondsLeft = null;
    Object.assign(this, { phase, round, ends });
    this.#counted = -1;
    // Whoever comes into the middle of a round has not seen it begin. A host may begin the next one in the middle of the last.
    const begins = before === 'warm_up' || before === 'results' || (before === phase && last !== round);
    const isHeard = !quietly && !this.#isNew;
    this.#isNew = false;
    if (isHeard && begins && (phase === 'play' || phase === 'endless')) {
      this.#on.sound('begin');
      this.#on.callout(phase === 'play' ? `Round ${round}. Go!` : 'A new arena. Go!');
    }
    if (phase !== 'results') { this.#stay = false; this.last = null; }
    document.body.classList.toggle('resting', phase === 'results');
    this.#showResults();
  }

  /** Takes a `results` item of news, perhaps `quietly`. */
  takeResults(results, quietly) {
    this.last = results;
    this.#stay = false;
    const first = this.#winner();
    if (!quietly) this.#on.sound(first.mine ? 'won' : 'over');
    this.#fill(results, first.text);
    // In a page of its own: whoever looks at a round keeps the seat in the next.
    find('results-replay').href = this.#on.replayOf(results.round);
    find('results-replay').hidden = !results.recorded;
    this.#showResults();
  }

  /** Takes the teams' points from a `standings` item. */
  takeTeams(teams = []) {
    this.teams = teams;
    const box = find('clock-teams');
    while (box.children.length > teams.length) box.lastElementChild.remove();
    teams.forEach((points, at) => {
      const part = box.children[at] ?? box.appendChild(cell('', 'b'));
      part.dataset.team = at + 1;
      part.title = teamName(at + 1);
      part.classList.toggle('mine', this.#roster.myTeam === at + 1);
      write(part, String(points));
    });
  }

  /** Shows the clock of this frame. */
  show(client) {
    const rate = client.stats()[STATS.TICK_RATE] || 30;
    const tick = client.tick();
    // A new connection knows no tick before its first frame; until then the clock stands.
    if (tick && this.ends !== null) this.secondsLeft = Math.max(0, (this.ends - tick) / rate);
    const left = this.secondsLeft;
    const whole = left === null ? -1 : Math.ceil(left);
    const rests = this.phase === 'results';
    // In a recording there is none.
    const next = left === null || this.#on.isReplay() ? '' : `Next round in ${whole} s`;
    const box = find('clock');
    // Whoever has come since the round ended, or has put its result away, reads here how long to wait.
    box.hidden = (left === null && !this.teams.length && this.phase !== 'warm_up') || !find('results').hidden;
    box.classList.toggle('last', this.phase === 'play' && whole >= 0 && whole <= LAST_S);
    write(find('clock-time'), left === null || rests ? '' : clockText(left));
    const warmUp = this.ends === null ? 'Waiting for players' : 'Warm-up';
    write(find('clock-phase'), { warm_up: warmUp, play: `Round ${this.round}`, results: next }[this.phase] ?? '');
    write(find('results-stay'), this.#on.isReplay() ? 'Close' : 'Stay');
    if (rests) write(find('results-next'), next);
    if (whole !== this.#counted) this.#count(whole);
  }

  /** Puts the result away until the next round; false where none is shown. */
  stay() {
    if (find('results').hidden) return false;
    this.#stay = true;
    this.#showResults();
    return true;
  }

  /** Forgets all, as after leaving. */
  clear() {
    Object.assign(this, { phase: null, round: 0, ends: null, last: null, secondsLeft: null });
    this.takeTeams([]);
    document.body.classList.remove('resting');
    this.#showResults();
  }

  #count(whole) {
    const first = this.#counted < 0;
    this.#counted = whole;
    if (first || whole <= 0) return;
    if (this.phase === 'play' && whole <= LAST_S) this.#on.sound('tick');
    if ((this.phase === 'warm_up' || this.phase === 'results') && whole <= BEFORE_S) {
      this.#on.sound('tick');
      this.#on.callout(String(whole));
    }
  }

  #winner() {
    const { teams, lines } = this.last;
    if (teams?.length) {
      const most = Math.max(...teams);
      const best = teams.flatMap((points, at) => (points === most ? [at + 1] : []));
      if (best.length > 1) return { text: 'A draw', mine: false };
      return { text: `${teamName(best[0])} wins`, mine: this.#roster.myTeam === best[0] };
    }
    const [first, ...equal] = lines.filter((line) => line.place === 1);
    if (!first || first.score <= 0) return { text: 'Nobody scored', mine: false };
    if (equal.length) return { text: 'A draw', mine: [first, ...equal].some((line) => line.player === this.#roster.me) };
    const mine = first.player === this.#roster.me;
    return { text: mine ? 'You win' : `${isolated(this.#roster.nameOf(first.player))} wins`, mine };
  }

  #fill({ round, teams, lines }, winner) {
    const roster = this.#roster;
    write(find('results-title'), `Round ${round}`);
    write(find('results-winner'), winner);
    find('results-teams').replaceChildren(...(teams ?? []).map((points, at) => {
      const part = cell(`${teamName(at + 1)} ${points}`, 'b');
      part.dataset.team = at + 1;
      return part;
    }));
    find('results-table').tBodies[0].replaceChildren(...lines.map((line) => {
      const row = document.createElement('tr');
      const share = line.shots ? `${Math.round((100 * line.hits) / line.shots)} %` : '–';
      const name = cell(roster.nameOf(line.player), 'th');
      name.scope = 'row';
      row.append(cell(line.place), name, cell(line.score), cell(line.kills), cell(line.deaths), cell(share), cell(line.best_streak));
      row.classList.toggle('mine', line.player === roster.me);
      row.classList.toggle('first', line.place === 1);
      const { team } = roster.entry(line.player) ?? {};
      if (team) row.dataset.team = team;
      return row;
    }));
    const own = lines.find((line) => line.player === roster.me);
    if (own) find('results-table').setAttribute('aria-label', `You are number ${own.place} with ${counted(own.score, 'point')}`);
  }

  #showResults() {
    const shown = this.phase === 'results' && this.last !== null && !this.#stay;
    const box = find('results');
    if (box.hidden === !shown) return;
    box.hidden = !shown;
    if (shown) box.querySelector('tr.mine')?.scrollIntoView({ block: 'nearest' });
  }
}
