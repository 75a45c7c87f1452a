// The first screen: a name and ways into a session, an own new one, the public ones, the best rounds. Comes in: what is typed and
// pressed, and the API's answers. Goes out: calls of `on`. Names come from strangers and are only ever set as text.

import { byId, made } from '../admin/words.js';
import { ask } from '../api.js';
import { SessionForm } from '../form.js';
import { codeInAddress, keepHostSecret, showAddress } from '../here.js';
import { write } from '../hud.js';
import { Live } from '../live.js';
import { SessionList } from '../session_list.js';
import { choose, guestName, settings } from '../settings.js';
import { fill, holding } from './tables.js';

/** Lines of the list, and of the best rounds. */
const [SESSIONS_MAX, LEADERS_MAX] = [8, 5];
/** How often the clocks of the list count down, ms. */
const CLOCK_MS = 500;

/** The first screen. */
export class Start {
  #on;
  #suggested = guestName();
  #code = codeInAddress();
  #form = null;
  #list;
  #clock = 0;
  #open = false;
  /** How often it was shown or left: an answer may come when the game is on the screen, or this one again. */
  #turns = 0;
  /** Where the list comes from. */
  live = new Live({ sessions: ({ sessions }) => this.#show(sessions), chat() {}, trouble() {} });

  /** `on.enter(code, watch)` goes into a session, with null for whichever public one has room. */
  constructor(on) {
    this.#on = on;
    this.#list = new SessionList(byId('session-list'), { join: (code, watch) => on.enter(code, watch) });
    // On a slow line one may have been typed before this runs.
    byId('name').value ||= settings.name || this.#suggested;
    byId('start-form').addEventListener('submit', (event) => { event.preventDefault(); on.enter(this.#code, false); });
    byId('watch').addEventListener('click', () => on.enter(this.#code, true));
    byId('start-any').addEventListener('click', () => { this.code = null; byId('play').focus(); });
  }

  /** The module is there: one can play `game`. */
  ready(game) {
    for (const id of ['play', 'watch']) byId(id).disabled = false;
    write(byId('game-name'), game.name);
    this.#form = new SessionForm(byId('create-form'), 'Create and play', (chosen) => this.#create(chosen), { name: game.name });
    // The game's own settings are what the server says they are: without its answer the form has none of them.
    const offer = () => ask('GET', '/settings').then((offered) => this.#form.offer(offered)).catch(() => {});
    const asked = () => { if (byId('create').open) offer(); };
    byId('create').addEventListener('toggle', asked);
    asked();
  }

  /** The module did not come, for the reason that `sentence` says: whoever presses Play has it tried again. */
  failed(sentence) {
    byId('play').disabled = false;
    write(byId('start-note'), sentence);
  }

  /** The session that Play goes into, or null. */
  set code(code) {
    this.#code = code;
    showAddress(code);
    this.#showCode();
  }

  /** The name that was chosen; it is kept unless it was only suggested, as the next visit suggests another. */
  takeName() {
    const chosen = byId('name').value.trim() || this.#suggested;
    choose('name', chosen === this.#suggested ? '' : chosen);
    return chosen;
  }

  /** Shows it with a sentence, and keeps it up to date. */
  show(sentence) {
    byId('start').hidden = false;
    write(byId('start-note'), sentence);
    this.#showCode();
    // A phone's keyboard would cover the screen at once; who is typing there goes on.
    if (!matchMedia('(pointer: coarse)').matches && document.activeElement !== byId('name')) byId('name').select();
    if (this.#open) return;
    this.#open = true;
    this.#turns += 1;
    this.live.start();
    this.#clock = setInterval(() => this.#list.count((performance.now() - this.live.at) / 1000, null), CLOCK_MS);
    this.#leaders();
  }

  /** Lets the game be seen. */
  hide() {
    byId('start').hidden = true;
    this.#open = false;
    this.#turns += 1;
    this.live.stop();
    clearInterval(this.#clock);
  }

  #showCode() {
    byId('start-session').hidden = this.#code === null;
    write(byId('start-code'), this.#code ? `Session ${this.#code}` : '');
  }

  async #create(chosen) {
    const turn = this.#turns;
    const { code, host_secret: secret } = await ask('POST', '/sessions', { body: chosen });
    keepHostSecret(code, secret);
    // Whoever has gone in somewhere else meanwhile stays there.
    if (turn !== this.#turns) return `Your session is there. Its code is ${code}.`;
    this.#on.enter(code, false);
    return '';
  }

  #show(sessions) {
    byId('list-box').hidden = !sessions.length;
    this.#list.show(sessions.slice(0, SESSIONS_MAX));
    this.#list.count(0, null);
  }

  // Of no importance to whoever wants to play: where the server does not tell, nothing is shown.
  async #leaders() {
    const { rows } = await ask('GET', '/leaderboard?period=day').catch(() => ({ rows: [] }));
    const best = rows.slice(0, LEADERS_MAX);
    byId('leaders-box').hidden = !best.length;
    const names = [...new Set(best.flatMap(({ figures }) => Object.keys(figures)))];
    fill(byId('leader-head'), ['#', 'name', 'points', ...names], () => Object.assign(made('th'), { scope: 'col' }), write);
    fill(byId('leader-rows'), best, holding('tr'), (line, { place, name, score, figures }) => {
      fill(line, [place, name, score, ...names.map((figure) => figures[figure] ?? '–')].map(String), holding('td'), write);
    });
  }
}
