// The tiles at the top: how the whole server is doing. Comes in: overviews, once a second. Goes out: six numbers, each with
// its last ten minutes.

import { Past, Plot, colour } from './plot.js';
import { byId, bytesText, counted, made, msText, rateText, shareText, spanText } from './words.js';

const past = new Past();
const plots = [];

/** Of a server's sample: at, players, median and longest tick, busy, late, dropped, bytes, cpu, memory; and here connections. */
const AT = 0;
const [PLAYERS, , LONGEST, BUSY, , , BYTES, CPU, MEMORY] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

const TILES = [
  { title: 'Longest tick', series: [{ index: LONGEST, colour: colour('own'), fill: true }], text: msText, least: 1000 },
  { title: 'Loops at work', series: [{ index: BUSY, colour: colour('crown'), fill: true }], text: shareText, least: 20 },
  { title: 'Processor', series: [{ index: CPU, colour: colour('other-1'), fill: true }], text: shareText, least: 100 },
  { title: 'Memory', series: [{ index: MEMORY, colour: colour('other-3'), fill: true }], text: bytesText, least: 1e7 },
  { title: 'People', series: [{ index: PLAYERS, colour: colour('other-4'), fill: true }], text: (n) => String(Math.round(n)), least: 4 },
  { title: 'Frames sent', series: [{ index: BYTES, colour: colour('other-2'), fill: true }], text: rateText, least: 1000 },
];

/** What is given up at which kind of step, in words; each goes on with those before it. */
export const SPARED = {
  rate: 'several ticks share a message',
  reach: 'everybody sees less far',
  spectators: 'spectators get few messages',
  admission: 'nobody new is let in',
};

/** How many more people fit, in words. */
// Nobody foresees more than ten times those who were seen: with few people that is where it ends, not where room does.
const roomText = (room, people) => {
  if (room == null) return 'room for more not known yet';
  if (!room) return 'no room for more';
  return `room for ${room + people >= 10 * people ? 'at least' : 'about'} ${room} more`;
};

/** Builds the tiles. */
export function buildHealth() {
  for (const { title, ...plot } of TILES) {
    const tile = made('div', '', 'tile');
    const value = made('p', '–');
    const canvas = made('canvas');
    tile.append(made('h2', title), value, canvas);
    byId('health').append(tile);
    plots.push(new Plot(canvas, past, { ...plot, small: true, label: title, say: (text) => { if (value.textContent !== text) value.textContent = text; } }));
  }
}

/** Takes the server's last ten minutes. */
export function fillHealth({ samples }) {
  past.fill(samples);
  plots.forEach((plot) => plot.draw());
}

/** Takes an overview. */
export function updateHealth(o) {
  const tick = Math.min(...o.sessions.map((s) => 1e6 / s.tick_rate), Infinity);
  past.add([o.at, o.players + o.spectators, o.tick_median_us, o.tick_longest_us, o.busy_permille, o.late, o.dropped, o.bytes_per_s, o.cpu_permille ?? 0, o.memory_bytes ?? 0]);
  plots.forEach((plot) => plot.draw());
  byId('health').children[0].classList.toggle('bad', o.tick_longest_us > tick || o.dropped > 0);
  byId('health').children[1].classList.toggle('bad', o.busy_permille > 900 * Math.max(1, o.cores));
  const facts = [
    `Up ${spanText(o.uptime_s)}`, counted(o.sessions.length, 'session'), `${counted(o.players, 'player')}, ${counted(o.spectators, 'spectator')}, ${counted(o.pilots, 'computer pilot')}`,
    `${o.connections} of ${o.connections_max} connections`, `${counted(o.cores, 'core')} (100 % each)`, roomText(o.room, o.players + o.spectators), `version ${o.version}`,
  ];
  byId('facts').textContent = facts.join('  ·  ');
  byId('draining').hidden = o.draining_s == null;
  const stopping = o.draining_s == null ? '' : 'The server is stopping: nobody new is let in.';
  if (byId('draining-said').textContent !== stopping) byId('draining-said').textContent = stopping;
  // Outside the alert, which would be read anew every second.
  if (o.draining_s != null) byId('draining-left').textContent = `What goes on ends in ${spanText(o.draining_s)} at the latest.`;
  const spared = byId('spared');
  spared.hidden = o.overload == null;
  const words = o.overload == null ? '' : `There is more to do than there is time for, so detail is given up (step ${o.overload_steps} of ${o.overload_steps_max}): ${SPARED[o.overload]}.`;
  if (spared.textContent !== words) spared.textContent = words;
  byId('bans-count').textContent = o.bans ? String(o.bans) : '';
}

/** How many samples there are, for tests. */
export const healthSamples = () => past.samples.length;
/** When the newest was made, ms since 1970. */
export const healthAt = () => past.samples[past.samples.length - 1]?.[AT] ?? 0;
