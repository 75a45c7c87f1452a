// The palette for the canvas, read from palette.css so that there is one. Ships and shots are drawn
// in a tint: 0 is the player's own, 1 to 4 are others', 5 to 8 those of the teams 1 to 4.

import { onChange, settings } from './settings.js';

const OTHERS = 4;
const NAMES = {
  void: 'void', deep: 'deep', nebulaA: 'nebula-a', nebulaB: 'nebula-b', star: 'star', line: 'line',
  ink: 'ink', inkSoft: 'ink-soft', own: 'own', ownHot: 'own-hot', otherHot: 'other-hot', hurt: 'hurt',
  crown: 'crown', overdrive: 'overdrive', rockLight: 'rock-light', rockDark: 'rock-dark',
};
const listeners = new Set();
const teams = new Map();

/** Colours by role, as CSS text of the form `#rrggbb`. This and the lists below keep their identity when
 *  the player chooses another palette; see `onRedraw`. */
export const palette = {};
/** Colour of a tint. */
export const TINTS = [];
/** The bright heart of something drawn in a tint. */
export const HOT = [];
/** Colours of the pickups, by what they are. */
export const PICKUP_COLOURS = [];

read();
onChange((key) => {
  if (key !== 'palette') return;
  read();
  redraw();
});

/** Calls `tell()` when everything that is drawn once and kept is to be drawn anew: the colours changed, or the pictures
 *  are lost. */
export function onRedraw(tell) {
  listeners.add(tell);
}

/** Has everything that is kept drawn anew. */
export function redraw() {
  listeners.forEach((tell) => tell());
}

/** Says of which team a player is, 1 to 4; 0 for none. */
export function setTeam(player, team) {
  if (team > 0) teams.set(player, team); else teams.delete(player);
}

/** Forgets all teams. */
export function clearTeams() {
  teams.clear();
}

/** The team of a player, 1 to 4, or 0. */
export const teamOf = (player) => teams.get(player) ?? 0;

/** Which tint a player is drawn in. */
export function tintOf(player, own) {
  if (own) return 0;
  const team = teams.get(player);
  return team ? OTHERS + team : 1 + (player % OTHERS);
}

/** The tint of a team, 1 to 4. */
export const tintOfTeam = (team) => OTHERS + team;

function read() {
  document.documentElement.dataset.palette = settings.palette;
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  for (const [role, name] of Object.entries(NAMES)) palette[role] = value(name);
  const numbers = [1, 2, 3, 4];
  fill(TINTS, [palette.own, ...numbers.map((n) => value(`other-${n}`)), ...numbers.map((n) => value(`team-${n}`))]);
  fill(HOT, TINTS.map((_, tint) => (tint === 0 ? palette.ownHot : palette.otherHot)));
  fill(PICKUP_COLOURS, ['repair', 'charge', 'overdrive'].map(value));
}

function fill(list, values) {
  list.splice(0, list.length, ...values);
}

/** Red, green and blue of `#rrggbb`, 0 to 255 each. */
export function channels(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** `hex` with an opacity from 0 to 1, as CSS text. */
export const alpha = (hex, opacity) => `rgb(${channels(hex).join(' ')} / ${opacity})`;

/** A colour between two, `share` of the second. */
export function mix(a, b, share) {
  const [from, to] = [channels(a), channels(b)];
  const parts = from.map((c, i) => Math.round(c + (to[i] - c) * share));
  return `#${parts.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
}
