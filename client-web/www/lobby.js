// The lobby beneath the name: live list of sessions, creating one, joining by code; leaders.js and talk.js
// have the other tabs. Comes in: live.js, the API, what people type. Goes out: calls of `on`.

import { ask, measurePing } from './api.js';
import { SessionForm } from './form.js';
import { codeIn, keepHostSecret } from './here.js';
import { write } from './hud.js';
import { Leaders } from './leaders.js';
import { Live } from './live.js';
import { SessionList } from './session_list.js';
import { bindTabs } from './tabs.js';
import { Talk } from './talk.js';

/** How often round clocks count down, ms, and how often the way to the server is timed. */
const CLOCK_MS = 500;
const PING_MS = 15_000;

const find = (id) => document.getElementById(id);

/** The lobby. */
export class Lobby {
  #list;
  #clock = 0;
  #pinger = 0;
  #ping = null;
  #leaders;
  #talk;
  #form;
  #open = false;
  /** How often it was opened or closed: an answer may come when another screen is shown, or this one again. */
  #turns = 0;
  /** Where the list comes from. */
  live;

  /** `on.join(code, watch)` goes into a session, `on.created(code)` into one's own new one, `on.replay(id)` looks at a
   *  recording; `on.isReady()` says whether there is something to play with; `on.nameOf()` gives the name typed above;
   *  `on.sound(name)` plays; `on.game` is the game's part of the form, see form.js. */
  constructor(on) {
    this.#leaders = new Leaders(on);
    this.#talk = new Talk(on);
    this.#list = new SessionList(find('session-list'), on);
    this.live = new Live({
      sessions: ({ sessions }) => this.#show(sessions),
      chat: (lines, past) => this.#talk.take(lines, past),
      trouble: (sentence) => this.#trouble(sentence),
    });
    bindTabs(find('lobby').querySelector('[role="tablist"]'), (panel) => {
      this.#leaders.show(panel);
      this.#talk.shown = panel === 'lobby-talk';
    });
    this.#form = new SessionForm(find('create-form'), 'Create and play', async (settings) => {
      // Nobody should be host of a session that they cannot enter.
      if (!on.isReady()) return '';
      const turn = this.#turns;
      const made = await ask('POST', '/sessions', { body: settings });
      keepHostSecret(made.code, made.host_secret);
      // Whoever has gone in somewhere else meanwhile stays there.
      if (turn !== this.#turns) return `Your session is there. Its code is ${made.code}.`;
      on.created(made.code);
      return '';
    }, on.game);
    const byCode = (watch) => {
      const code = codeIn(find('code').value);
      // In a place of its own, where the next list leaves it until something else is typed.
      write(find('code-note'), code ? '' : 'That is neither a code nor a link to a session.');
      if (code) on.join(code, watch);
    };
    find('code-form').addEventListener('submit', (event) => { event.preventDefault(); byCode(false); });
    find('code').addEventListener('input', () => write(find('code-note'), ''));
    find('code-watch').addEventListener('click', () => byCode(true));
  }

  /** Shows it and keeps it up to date, or not. */
  set open(on) {
    if (this.#open === on) return;
    this.#open = on;
    this.#turns += 1;
    clearInterval(this.#clock);
    clearInterval(this.#pinger);
    if (!on) { this.live.stop(); return; }
    this.live.start();
    // Without an answer the form's own numbers stand, which the server may refuse with a sentence.
    ask('GET', '/settings').then((offer) => this.#form.offer(offer)).catch(() => {});
    this.#clock = setInterval(() => this.#count(), CLOCK_MS);
    const measure = async () => { this.#ping = await measurePing(); this.#count(); };
    this.#pinger = setInterval(measure, PING_MS);
    measure();
  }

  #trouble(sentence) {
    const empty = this.live.last?.sessions.length === 0;
    write(find('list-note'), sentence || (empty ? 'No public session runs at the moment. Play starts one.' : ''));
  }

  #show(sessions) {
    this.#list.show(sessions);
    write(find('list-count'), sessions.length ? String(sessions.length) : '');
    this.#trouble('');
    this.#count();
  }

  #count() {
    const passed = (performance.now() - this.live.at) / 1000;
    this.#list.count(passed, this.#ping);
  }
}
