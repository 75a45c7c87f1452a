// The palette for the canvas, read from palette.css so that there is one. Ships and shots are drawn
// in a tint: 0 is the player's own, 1 to 4 are others'.

const style = getComputedStyle(document.documentElement);
const read = (name) => style.getPropertyValue(`--${name}`).trim();

/** Colours by role, as CSS text of the form `#rrggbb`. */
export const palette = {
  void: read('void'), deep: read('deep'), nebulaA: read('nebula-a'), nebulaB: read('nebula-b'),
  star: read('star'), line: read('line'), ink: read('ink'), inkSoft: read('ink-soft'),
  own: read('own'), ownHot: read('own-hot'), otherHot: read('other-hot'), hurt: read('hurt'),
  crown: read('crown'), overdrive: read('overdrive'),
  rockLight: read('rock-light'), rockDark: read('rock-dark'),
};

/** Colour of a tint. */
export const TINTS = [palette.own, ...[1, 2, 3, 4].map((n) => read(`other-${n}`))];

/** The bright heart of something drawn in a tint. */
export const HOT = TINTS.map((_, tint) => (tint === 0 ? palette.ownHot : palette.otherHot));

/** Colours of the pickups, by what they are. */
export const PICKUP_COLOURS = [read('repair'), read('charge'), read('overdrive')];

/** Which tint a player is drawn in. */
export const tintOf = (player, own) => (own ? 0 : 1 + (player % (TINTS.length - 1)));

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
