// What rows say, as names and values. Comes in: the game's field tables, the rows of a picture, what is known of the connection.
// Goes out: text in the panel. It draws nothing, and knows fields by their roles only. Text from others is only ever set as text.

import { byId, made, rateText } from '../admin/words.js';
import { write } from '../hud.js';
import { PICKUP_COLOURS, TINTS, palette } from '../palette.js';
import { STATS } from '../rows.js';

/** Numbers in front of a row's fields: its id, and 1 where it is one's own. */
const HEAD = 2;
/** Rows of a kind that are listed; how many there are stands among the kinds. */
const ROWS_MAX = 8;
/** The most decimals of a value. */
const DECIMALS_MAX = 6;
/** Over how long the rate of bytes is measured, ms. */
const RATE_MS = 1000;
/** Colours of the kinds, in their order; a game has no more than these. The warm one is for what is one's own. */
const COLOURS = [TINTS[1], TINTS[3], TINTS[4], PICKUP_COLOURS[2], TINTS[7], TINTS[2], PICKUP_COLOURS[1], PICKUP_COLOURS[0]];

const rate = { at: 0, bytes: 0, perSecond: 0 };

/** The kinds of a game, each with its `index`, where in its fields `x`, `y`, `angle` and `owner` stand (-1 where it has none), and the
 *  `shape` that it is drawn in. */
export function kindsOf(game) {
  return game.kinds.map((kind, index) => {
    const [x, y, angle, owner] = ['x', 'y', 'angle', 'owner'].map((role) => kind.fields.findIndex((field) => field.role === role));
    const shape = angle >= 0 ? 'triangle' : { static: 'square', ballistic: 'dot' }[kind.treatment] ?? 'circle';
    return { ...kind, index, x, y, angle, owner, placed: x >= 0 && y >= 0, shape };
  });
}

/** What a kind's entities are drawn in. */
export const colourOf = (kind, own) => (own ? palette.own : COLOURS[kind.index % COLOURS.length]);

/** The rows of a kind: `{kind, id, own, values, x, y}`, all in units. */
export function rowsOf(kind, frame) {
  const [numbers, stride] = [frame[kind.index], HEAD + kind.fields.length];
  return Array.from({ length: numbers.length / stride }, (_, n) => {
    const values = numbers.subarray(n * stride + HEAD, (n + 1) * stride);
    return { kind, id: numbers[n * stride], own: numbers[n * stride + 1] === 1, values, x: values[kind.x], y: values[kind.y] };
  });
}

/** Gives `parent` one child for each item: `make()` makes one, `show(child, item, at)` writes into it. */
export function fill(parent, items, make, show) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, at) => show(parent.children[at] ?? parent.appendChild(make()), item, at));
}

/** Gives a function that makes an element with these inside. */
export const holding = (tag, ...parts) => () => {
  const element = made(tag);
  element.append(...parts.map((part) => made(part)));
  return element;
};

/** Shows kinds, rows and what is looked at; `view` is the picture's. */
export function showTables(kinds, frame, view, roster) {
  fill(byId('kinds'), kinds, holding('li', 'i', 'b', 'span', 'span'), (line, kind) => {
    const [mark, name, what, count] = line.children;
    mark.className = `mark ${kind.shape}`;
    mark.style.background = colourOf(kind, false);
    write(name, kind.name);
    write(what, [kind.treatment, kind.private && 'private', !kind.placed && 'no place'].filter(Boolean).join(', '));
    write(count, String(rowsOf(kind, frame).length));
  });
  const listed = kinds.filter((kind) => !kind.placed || kind.private).flatMap((kind) => rowsOf(kind, frame).slice(0, ROWS_MAX));
  byId('rows-box').hidden = !listed.length;
  showRows(byId('rows'), listed, roster);
  const looked = view.pinned ?? view.hovered;
  const row = looked && rowsOf(looked.kind, frame).find(({ id }) => id === looked.id);
  showRows(byId('looked'), row ? [row] : [], roster);
  const hint = row ? 'Kept; another tap or Esc lets go.' : `${looked?.kind.name} ${looked?.id} is not in view.`;
  write(byId('looked-hint'), view.pinned ? hint : row ? '' : 'Point at something; a tap keeps it here.');
}

function showRows(box, rows, roster) {
  fill(box, rows, holding('div', 'h3', 'dl'), (element, { kind, id, own, values }) => {
    const [title, list] = element.children;
    write(title, `${kind.name} ${id}`);
    title.classList.toggle('own', own);
    fill(list, kind.fields, holding('div', 'dt', 'dd'), (line, field, at) => {
      write(line.firstElementChild, field.name);
      write(line.lastElementChild, valueText(field, values[at], roster));
    });
  });
}

/** A value as exact as its step; angles also in degrees, owners also by name. */
function valueText({ role, step }, value, roster) {
  if (role === 'owner') return roster.entry(value) ? `${roster.nameOf(value)} (${value})` : String(value);
  const text = value.toFixed(Number.isInteger(step) ? 0 : Math.min(DECIMALS_MAX, Math.max(1, 1 + Math.ceil(-Math.log10(step)))));
  return role === 'angle' ? `${text} (${Math.round((value * 180) / Math.PI)}°)` : text;
}

/** Shows what is known of the connection. */
export function showFigures(client, now) {
  const stats = client.stats();
  const [bytes, passed] = [stats[STATS.BYTES], now - rate.at];
  // A client that was made anew counts from 0.
  if (passed >= RATE_MS) Object.assign(rate, { at: now, bytes, perSecond: (1000 * Math.max(0, bytes - rate.bytes)) / passed });
  const figures = [
    ['ping', `${Math.round(stats[STATS.PING])} ms`], ['age', `${Math.round(stats[STATS.FRAME_AGE])} ms`], ['in', rateText(rate.perSecond)],
    ['corrections', stats[STATS.CORRECTIONS]], ['mismatches', stats[STATS.MISMATCHES], stats[STATS.MISMATCHES] > 0], ['tick', client.tick()],
  ];
  fill(byId('figures'), figures, holding('li', 'span', 'b'), (line, [name, value, bad]) => {
    write(line.firstElementChild, name);
    write(line.lastElementChild, String(value));
    line.classList.toggle('bad', bad === true);
  });
}
