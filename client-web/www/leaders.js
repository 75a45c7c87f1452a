// Leaderboard and recent results of the lobby. Comes in: the API's answers. Goes out: the page; names are
// only ever set as text.

import { ask } from './api.js';
import { write } from './hud.js';
import { modeName } from './words.js';

/** Places shown of each result. */
const PLACES = 3;

const find = (id) => document.getElementById(id);

/** Two tabs that are asked for when they are shown. */
export class Leaders {
  #period = 'day';
  #on;

  /** `on.replay(id)` looks at a recording. */
  constructor(on) {
    this.#on = on;
    for (const button of find('periods').children) {
      button.addEventListener('click', () => {
        this.#period = button.dataset.period;
        for (const other of find('periods').children) other.setAttribute('aria-pressed', String(other === button));
        this.#leaders();
      });
    }
  }

  /** Is told which panel is shown now. */
  show(panel) {
    if (panel === 'lobby-leaders') this.#leaders();
    if (panel === 'lobby-results') this.#results();
  }

  async #leaders() {
    const period = this.#period;
    try {
      const { rows } = await ask('GET', `/leaderboard?period=${period}`);
      if (period !== this.#period) return;
      find('leader-rows').replaceChildren(...rows.map((row) => line('tr', 'td',
        [row.place, row.name, row.score, row.figures.kills ?? 0, row.figures.deaths ?? 0, when(row.at)])));
      write(find('leaders-note'), rows.length ? '' : 'Nobody yet. A round of quick play counts that is played to its end.');
    } catch (why) {
      write(find('leaders-note'), why.message);
    }
  }

  async #results() {
    try {
      const { results } = await ask('GET', '/results');
      find('result-list').replaceChildren(...results.map((one) => result(one, this.#on)));
      write(find('results-note'), results.length ? '' : 'No round has ended yet.');
    } catch (why) {
      write(find('results-note'), why.message);
    }
  }
}

function result({ name, mode, round, at, recording, teams = [], places = [] }, on) {
  const item = document.createElement('li');
  const head = line('p', 'span', [name, `${modeName(mode)} · Round ${round} · ${when(at)}`]);
  item.append(head);
  if (mode === 'teams' && teams.length) {
    const points = document.createElement('p');
    points.className = 'teams';
    teams.forEach((score, team) => {
      const part = document.createElement('b');
      part.dataset.team = team + 1;
      part.textContent = String(score);
      points.append(part);
    });
    item.append(points);
  }
  const best = document.createElement('ol');
  best.append(...places.slice(0, PLACES).map((place) => {
    const row = line('li', 'span', [place.place, place.name, place.score]);
    row.classList.toggle('computer', Boolean(place.computer));
    return row;
  }));
  item.append(best);
  if (recording) {
    const replay = Object.assign(document.createElement('button'), { type: 'button', className: 'plain', textContent: 'Replay' });
    replay.setAttribute('aria-label', `Replay of ${name}, round ${round}`);
    replay.addEventListener('click', () => on.replay(recording));
    item.append(replay);
  }
  return item;
}

function line(tag, inner, texts) {
  const made = document.createElement(tag);
  made.append(...texts.map((text) => {
    const part = document.createElement(inner);
    part.textContent = String(text);
    return part;
  }));
  return made;
}

// A time as people say it: the clock today, the day before that.
function when(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }) : date.toLocaleDateString([], { day: 'numeric', month: 'short' });
}
