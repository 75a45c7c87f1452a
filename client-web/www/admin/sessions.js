// The table of all sessions. Comes in: overviews. Goes out: a table to sort and to filter.

import { SPARED } from './health.js';
import { Table } from './table.js';
import { byId, msText, rateText, shareText } from './words.js';

const PHASES = { endless: 'endless', warm_up: 'warm-up', play: 'round', results: 'results' };
let last = [];

const table = new Table(byId('sessions'), {
  caption: 'All sessions',
  keyOf: (s) => s.code,
  sort: [2, -1],
  columns: [
    { title: 'Name', text: (s) => s.name, link: (s) => `#session/${s.code}` },
    { title: 'Code', text: (s) => s.code },
    { title: 'Players', number: true, text: (s) => `${s.players} / ${s.max_players}`, value: (s) => s.players },
    { title: 'Watching', number: true, text: (s) => String(s.spectators), value: (s) => s.spectators },
    { title: 'Pilots', number: true, text: (s) => String(s.pilots), value: (s) => s.pilots },
    { title: 'Tick', number: true, text: (s) => msText(s.tick_median_us), value: (s) => s.tick_median_us },
    { title: 'Longest', number: true, text: (s) => msText(s.tick_longest_us), value: (s) => s.tick_longest_us, tone: (s) => (s.tick_longest_us > 1e6 / s.tick_rate ? 'bad' : '') },
    { title: 'At work', number: true, text: (s) => shareText(s.busy_permille), value: (s) => s.busy_permille, tone: (s) => (s.busy_permille > 700 ? 'bad' : s.busy_permille > 400 ? 'warn' : '') },
    { title: 'Late', number: true, text: (s) => String(s.late), value: (s) => s.late, tone: (s) => (s.late ? 'warn' : '') },
    { title: 'Dropped', number: true, text: (s) => String(s.dropped), value: (s) => s.dropped, tone: (s) => (s.dropped ? 'bad' : '') },
    { title: 'Sends', number: true, text: (s) => rateText(s.bytes_per_s), value: (s) => s.bytes_per_s },
    { title: 'Is', text: (s) => [s.public ? 'public' : 'private', s.locked ? 'locked' : '', PHASES[s.phase], SPARED[s.overload]].filter(Boolean).join(', ') },
  ],
});

/** Takes an overview. */
export function updateSessions(overview) {
  last = overview.sessions;
  show();
}

function show() {
  const wanted = byId('sessions-filter').value.trim().toLowerCase();
  table.update(last.filter((s) => !wanted || s.name.toLowerCase().includes(wanted) || s.code.toLowerCase().includes(wanted)));
  byId('sessions-none').hidden = last.length > 0;
}

byId('sessions-filter').addEventListener('input', show);
