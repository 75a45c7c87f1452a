// One session: its last ten minutes, its map, its people. Comes in: overviews, and what the server tells of its inside.
// Goes out: plots, a table, and what the operator does to somebody.

import { act, ask } from './api.js';
import { question } from './dialog.js';
import { clearMap, follow, followed, nameOnMap } from './map.js';
import { Past, Plot, colour } from './plot.js';
import { Table } from './table.js';
import { byId, counted, made, msText, rateText, shareText, toast } from './words.js';

/** Flags of a line. */
const COMPUTER = 1;
const HOST = 2;
const WATCHING = 4;
const MUTED = 8;
/** Lines that are shown unless all are asked for: a thousand that change places each second cost a phone its breath. */
const LINES_MAX = 200;
/** A ping from which on it is shown as a warning, and as bad, ms. */
const PING_WARN = 150;
const PING_BAD = 300;

const past = new Past();
const plots = [];
const now = { code: null, people: [], name: '', gone: false };

const PLOTS = [
  { title: 'Tick time', text: msText, least: 500, series: [{ index: 3, colour: colour('own'), label: 'longest' }, { index: 2, colour: colour('other-1'), label: 'median', fill: true }] },
  { title: 'People', text: (n) => String(Math.round(n * 10) / 10), least: 4, series: [{ index: 1, colour: colour('other-4'), fill: true }] },
  { title: 'Frames sent', text: rateText, least: 1000, series: [{ index: 7, colour: colour('other-2'), fill: true }] },
];

const person = (columns) => ({
  columns,
  number: columns[0], name: columns[1], flags: columns[2], team: columns[3], score: columns[4], ping: columns[5] ?? null, age: columns[6] ?? null, bytes: columns[7] ?? null,
  resyncs: columns[8] ?? null, mismatches: columns[9] ?? null, keyframes: columns[10] ?? null, ease: columns[11] ?? null, address: columns[12] ?? null, away: columns[13] ?? false,
});
const isComputer = (p) => (p.flags & COMPUTER) > 0;
const shown = (value) => (value == null ? '' : String(value));

function stateOf(p) {
  if (isComputer(p)) return 'computer';
  const words = [p.away ? 'away' : p.flags & WATCHING ? 'watching' : 'playing'];
  if (p.flags & HOST) words.push('host');
  if (p.flags & MUTED) words.push('muted');
  return words.join(', ');
}

/** What may be done to somebody: beside the name, so that it is at hand on a phone too. */
const DO = { title: 'Do', buttons: [
  { text: () => 'Follow', label: (p) => `Follow ${p.name}`, press: (p) => { follow(followed() === p.number ? null : p.number); show(); }, shown: (p) => !(p.flags & WATCHING) },
  { text: (p) => (p.flags & MUTED ? 'Unmute' : 'Mute'), label: (p) => `${p.flags & MUTED ? 'Unmute' : 'Mute'} ${p.name}`, press: mute, shown: (p) => !isComputer(p) },
  { text: () => 'Kick', label: (p) => `Kick ${p.name}`, press: kick, danger: true, shown: (p) => !isComputer(p) },
  { text: () => 'Ban', label: (p) => `Ban ${p.name}`, press: ban, danger: true, shown: (p) => !isComputer(p) },
] };

const table = new Table(byId('players'), {
  caption: 'Players of the session',
  keyOf: (p) => p.number,
  same: (a, b) => a.columns.length === b.columns.length && a.columns.every((value, index) => value === b.columns[index]),
  sort: [3, -1],
  rowClass: (p) => (p.number === followed() ? 'followed' : isComputer(p) || p.away ? 'faint' : ''),
  columns: [
    { title: 'No.', number: true, text: (p) => String(p.number), value: (p) => p.number },
    { title: 'Name', text: (p) => p.name },
    DO,
    { title: 'Is', text: stateOf, value: (p) => (isComputer(p) ? 0 : p.away ? 1 : 2) },
    { title: 'Points', number: true, text: (p) => (p.flags & WATCHING ? '' : String(p.score)), value: (p) => p.score },
    { title: 'Ping', number: true, text: (p) => (p.ping == null ? '' : `${p.ping} ms`), value: (p) => p.ping, tone: (p) => (p.ping > PING_BAD ? 'bad' : p.ping > PING_WARN ? 'warn' : '') },
    { title: 'Frame age', number: true, text: (p) => (p.age == null ? '' : `${p.age} ms`), value: (p) => p.age },
    { title: 'Gets', number: true, text: (p) => (p.bytes == null ? '' : rateText(p.bytes)), value: (p) => p.bytes },
    { title: 'Corrections', number: true, text: (p) => (p.resyncs == null ? '' : `${p.mismatches} / ${p.resyncs}`), value: (p) => p.resyncs, tone: (p) => (p.mismatches ? 'warn' : '') },
    { title: 'Keyframes', number: true, text: (p) => shown(p.keyframes), value: (p) => p.keyframes },
    { title: 'Eased', number: true, text: (p) => (p.ease == null ? '' : p.ease === 0 ? 'no' : `step ${p.ease}`), value: (p) => p.ease, tone: (p) => (p.ease > 0 ? 'warn' : '') },
    { title: 'Address', text: (p) => p.address ?? '' },
  ],
});

/** Builds the plots. */
export function buildSession() {
  for (const { title, ...plot } of PLOTS) {
    const box = made('div', '', 'plot');
    const head = made('h2', '');
    const value = made('output', '–');
    const canvas = made('canvas');
    head.append(made('span', title), value);
    box.append(head, canvas);
    byId('session-plots').append(box);
    plots.push(new Plot(canvas, past, { ...plot, label: title, say: (text) => { if (value.textContent !== text) value.textContent = text; } }));
  }
}

/** Shows another session; `null` for none. */
export async function openSession(code) {
  if (now.code === code) return;
  Object.assign(now, { code, people: [], name: '', gone: false });
  past.fill([]);
  table.most = LINES_MAX;
  table.clear();
  clearMap();
  byId('session-title').textContent = 'Session';
  byId('session-code').textContent = code ?? '';
  byId('session-facts').textContent = '';
  setGone(false);
  plots.forEach((plot) => plot.draw());
  if (code === null) return;
  try {
    const { samples } = await ask('GET', `/history?session=${encodeURIComponent(code)}`);
    if (now.code === code) past.fill(samples);
  } catch {
    // One that has just opened has no past yet.
  }
}

/** Takes an overview, for the plots. */
export function updatePulse({ at, sessions, ways_out: waysOut }) {
  byId('session-move').hidden = !waysOut;
  const s = sessions.find(({ code }) => code === now.code);
  if (!s) return;
  past.add([at, s.players + s.spectators, s.tick_median_us, s.tick_longest_us, s.busy_permille, s.late, s.dropped, s.bytes_per_s]);
  plots.forEach((plot) => plot.draw());
  now.pulse = s;
}

/** Takes what is in it. */
export function updateInside(inside) {
  if (inside.code !== now.code) return;
  now.name = inside.name;
  now.people = inside.people.map(person);
  nameOnMap(new Map(now.people.map((p) => [p.number, p.name])));
  byId('session-title').textContent = inside.name;
  const facts = [
    `${inside.tick_rate} ticks a second`, now.pulse ? `${shareText(now.pulse.busy_permille)} at work` : '', counted(inside.players, 'player'), counted(inside.spectators, 'spectator'),
    counted(inside.pilots, 'computer pilot'), inside.host ? `host ${inside.host}` : 'no host', inside.round ? `round ${inside.round}` : '', counted(inside.mismatches, 'mismatch').replace('mismatchs', 'mismatches'),
  ];
  byId('session-facts').textContent = facts.filter(Boolean).join('  ·  ');
  show();
}

/** It is over. */
export function sessionOver() {
  setGone(true);
  byId('session-facts').textContent = 'This session is over.';
  now.people = [];
  show();
}

function setGone(gone) {
  now.gone = gone;
  byId('session-end').disabled = byId('session-announce').disabled = byId('session-move').disabled = gone;
}

function show() {
  const wanted = byId('players-filter').value.trim().toLowerCase();
  const computers = byId('players-computers').checked;
  const fits = (p) => !wanted || p.name.toLowerCase().includes(wanted) || String(p.number) === wanted || (p.address ?? '').includes(wanted);
  const found = now.people.filter((p) => (computers || !isComputer(p)) && fits(p));
  table.update(found);
  const more = Math.max(0, found.length - table.most);
  byId('players-more').hidden = more === 0;
  const text = `${counted(more, 'further line')}: sort or filter to see them, or`;
  if (more && byId('players-more-text').textContent !== text) byId('players-more-text').textContent = text;
  byId('players-none').hidden = now.people.length > 0;
}

async function mute(p) {
  try {
    await act({ action: 'mute', session: now.code, player: p.number, muted: !(p.flags & MUTED) });
    toast(`${p.name} is ${p.flags & MUTED ? 'heard again' : 'heard by nobody'}.`);
  } catch (error) {
    toast(error.message, true);
  }
}

async function kick(p) {
  const session = now.code;
  const press = ({ words }) => act({ action: 'kick', session, player: p.number, reason: words });
  const done = await question({ title: `Kick ${p.name}?`, text: 'They are shown out and may come back.', yes: 'Kick', danger: true, words: 'What they are told (may be empty)', press });
  if (done) toast(`${p.name} was shown out.`);
}

async function ban(p) {
  const session = now.code;
  const press = ({ words, minutes }) => act({ action: 'ban_player', session, player: p.number, minutes, reason: words });
  const text = `Everybody at ${p.address ?? 'their address'} is shown out and not let in again until the time is over.`;
  const done = await question({ title: `Ban ${p.name}?`, text, yes: 'Ban', danger: true, words: 'Reason (may be empty)', minutes: true, press });
  if (done) toast(`${p.name} is banned.`);
}

byId('players-filter').addEventListener('input', show);
byId('players-all').addEventListener('click', () => {
  table.most = Infinity;
  show();
});
byId('players-computers').addEventListener('change', show);
byId('session-announce').addEventListener('click', async () => {
  const session = now.code;
  const done = await question({ title: `Announce in ${now.name}`, yes: 'Announce', words: 'Everybody in this session reads', needed: true, press: ({ words }) => act({ action: 'announce', session, text: words }) });
  if (done) toast('Announced.');
});
byId('session-move').addEventListener('click', async () => {
  const session = now.code;
  const done = await question({ title: `Move ${now.name}?`, text: 'It goes on on another server of the site, under the same link. Everybody in it stands still for a moment.', yes: 'Move session', press: () => act({ action: 'move_session', session }) });
  if (done) toast('The session has moved.');
});
byId('session-end').addEventListener('click', async () => {
  const session = now.code;
  const done = await question({ title: `End ${now.name}?`, text: 'Everybody in it is sent away, and what they were doing is lost.', yes: 'End session', danger: true, press: () => act({ action: 'end_session', session }) });
  if (done) toast('The session is over.');
});
