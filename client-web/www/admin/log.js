// The log as it is written. Comes in: lines. Goes out: those that were asked for, the newest at the bottom.

import { firstNew, keyOf } from '../said.js';
import { act } from './api.js';
import { byId, made, timeText, toast } from './words.js';

/** Lines that are kept; the oldest make room. */
const LINES_MAX = 1000;
const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'];
const lines = [];
const state = { paused: false, missed: 0, filter: '', again: false };

/** Begins anew: the stream tells the newest lines first. */
export function clearLog() {
  lines.length = 0;
  state.missed = 0;
  byId('log-lines').replaceChildren();
}

/** A stream begins: it tells the newest lines first, whether they were told by the last one or not. */
export function resumeLog() {
  state.again = true;
}

/** Takes lines, oldest first. */
export function addLines(told) {
  const more = state.again ? told.slice(firstNew(lines.map(keyOf), told.map(keyOf))) : told;
  state.again = false;
  lines.push(...more);
  if (lines.length > LINES_MAX) lines.splice(0, lines.length - LINES_MAX);
  if (!state.paused) append(more);
}

/** So many lines did not come through. */
export function missedLines(count) {
  state.missed += count;
  say();
}

/** Takes what is logged, from an overview. */
export function updateLogFilter({ log_filter: filter }) {
  if (filter == null || filter === state.filter) return;
  state.filter = filter;
  const field = byId('log-level-set');
  if (document.activeElement !== field) field.value = filter;
}

function isWanted(line) {
  const words = byId('log-filter').value.trim().toLowerCase();
  return LEVELS.indexOf(line.level) <= LEVELS.indexOf(byId('log-level').value) && (!words || textOf(line).toLowerCase().includes(words));
}

const pairs = (fields) => Object.entries(fields ?? {}).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ');
const spansOf = (line) => (line.spans ?? []).map(({ name, ...fields }) => `${name}{${pairs(fields)}}`).join(' ');
const textOf = (line) => `${line.target} ${line.message} ${pairs(line.fields)} ${spansOf(line)}`;

function item(line) {
  const entry = made('li');
  entry.dataset.level = line.level;
  const text = made('span', `${line.message} `);
  text.append(made('i', [pairs(line.fields), spansOf(line), line.target].filter(Boolean).join('  ')));
  entry.append(made('time', timeText(line.at)), made('b', line.level), text);
  return entry;
}

function append(more) {
  const [list, box] = [byId('log-lines'), byId('log-scroll')];
  const wanted = more.filter(isWanted);
  if (!wanted.length) return;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  list.append(...wanted.map(item));
  while (list.children.length > LINES_MAX) list.firstChild.remove();
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function showAll() {
  byId('log-lines').replaceChildren();
  append(lines);
  byId('log-scroll').scrollTop = byId('log-scroll').scrollHeight;
  say();
}

function say() {
  const words = [state.paused ? 'Paused: new lines are kept and shown when you go on.' : '', state.missed ? `${state.missed} lines came too fast to be shown.` : ''];
  byId('log-said').textContent = words.filter(Boolean).join(' ');
}

byId('log-level').addEventListener('change', showAll);
byId('log-filter').addEventListener('input', showAll);
byId('log-pause').addEventListener('click', () => {
  state.paused = !state.paused;
  byId('log-pause').setAttribute('aria-pressed', String(state.paused));
  if (state.paused) say(); else showAll();
});
byId('log-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    await act({ action: 'log_filter', filter: byId('log-level-set').value.trim() });
    toast('What is logged has changed.');
  } catch (error) {
    toast(error.message, true);
  }
});
