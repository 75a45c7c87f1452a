// Which key does what. Comes in: the player's own bindings, from settings.js. Goes out: the action of a
// key and the keys of an action. Keys are taken by their place on the keyboard (`event.code`), so that
// WASD stays a cross on every layout. One key does one thing: who takes a key from another action leaves
// that one without it.

import { choose, onChange, settings } from './settings.js';

/** Keys per action. */
export const SLOTS = 2;
/** What keeps its meaning: leaving things, and the wheel's digits. */
const FIXED = new Set(['Escape']);

/** Every action: its name for people and its usual keys. The first six are held, the others pressed. */
export const ACTIONS = {
  up: ['Fly up', 'KeyW', 'ArrowUp'],
  left: ['Fly left', 'KeyA', 'ArrowLeft'],
  down: ['Fly down', 'KeyS', 'ArrowDown'],
  right: ['Fly right', 'KeyD', 'ArrowRight'],
  fire: ['Fire', 'Space'],
  boost: ['Boost', 'ShiftLeft', 'ShiftRight'],
  chat: ['Chat', 'Enter', 'KeyT'],
  emote: ['Emotes', 'KeyC'],
  people: ['Everybody here', 'Tab'],
  map: ['Large map', 'KeyG'],
  invite: ['Invite', 'KeyI'],
  session: ['Session and teams', 'KeyP'],
  previous: ['Watch the one before', 'KeyQ'],
  next: ['Watch the next', 'KeyE'],
  mute: ['Sound on or off', 'KeyM'],
  help: ['Help', 'KeyH'],
  settings: ['Settings', 'KeyO'],
  network: ['Network', 'KeyN'],
  fullScreen: ['Full screen', 'KeyF'],
};
const HELD = new Set(['up', 'left', 'down', 'right', 'fire', 'boost']);

let byCode = read();
onChange((key) => {
  if (key !== 'keys') return;
  byCode = read();
  showKeys(document);
});

/** The action of a key, or undefined. */
export const actionOf = (code) => byCode.get(code);

/** Whether an action lasts as long as its key is held. */
export const isHeld = (action) => HELD.has(action);

/** The keys of an action: up to `SLOTS`. */
export function codesOf(action) {
  return settings.keys[action] ?? ACTIONS[action].slice(1);
}

/** Gives a key to an action, in place of the one in `slot`. Returns the action that lost it, if any;
 *  undefined where the key is not to be had. */
export function bind(action, slot, code) {
  if (FIXED.has(code)) return undefined;
  const loser = actionOf(code);
  const keys = { ...settings.keys };
  if (loser && loser !== action) keys[loser] = codesOf(loser).filter((other) => other !== code);
  const own = codesOf(action).filter((other, at) => other !== code && at !== slot);
  own.splice(Math.min(slot, own.length), 0, code);
  keys[action] = own;
  choose('keys', keys);
  return loser && loser !== action ? loser : null;
}

/** Leaves a slot of an action empty. */
export function unbind(action, slot) {
  choose('keys', { ...settings.keys, [action]: codesOf(action).filter((_, at) => at !== slot) });
}

/** All keys as they usually are. */
export function usualKeys() {
  choose('keys', {});
}

const NAMES = {
  ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', ShiftLeft: 'Shift', ShiftRight: 'R Shift',
  ControlLeft: 'Ctrl', ControlRight: 'R Ctrl', AltLeft: 'Alt', AltRight: 'R Alt', NumpadEnter: 'Num Enter',
  Minus: '-', Equal: '=', BracketLeft: '[', BracketRight: ']', Semicolon: ';', Quote: "'", Comma: ',',
  Period: '.', Slash: '/', Backslash: '\\', Backquote: '`', IntlBackslash: '<', CapsLock: 'Caps',
};

/** What is printed on the keys here, by their code, as far as it is known. */
const printed = new Map();
/** Keys on which there is another letter or sign on another layout. Digits are called digits on all of them. */
const VARIES = /^(Key|Minus|Equal|Bracket|Semicolon|Quote|Comma|Period|Slash|Backslash|Backquote|IntlBackslash)/;
/** What is learned from a press: what Latin keyboards have. Others have two signs on a key, of which these are one. */
const LATIN = /^[!-~]$/;
const relabelled = new Set();

/** Calls `tell()` when keys turn out to be called otherwise. */
export function onRelabelled(tell) {
  relabelled.add(tell);
}

// Browsers that know the layout tell it; with others it is learned from what is pressed.
navigator.keyboard?.getLayoutMap?.().then((layout) => print([...layout]), () => {});
addEventListener('keydown', ({ code, key, shiftKey, ctrlKey, altKey, metaKey }) => {
  if (LATIN.test(key) && !shiftKey && !ctrlKey && !altKey && !metaKey) print([[code, key]]);
}, true);

function print(keys) {
  const news = keys.filter(([code, sign]) => VARIES.test(code) && keyName(code) !== sign.toUpperCase());
  if (!news.length) return;
  for (const [code, sign] of news) printed.set(code, sign.toUpperCase());
  showKeys(document);
  relabelled.forEach((tell) => tell());
}

/** What a key is called: what is printed on it, or, before that is known, what an English keyboard has there. */
export function keyName(code) {
  return printed.get(code) ?? NAMES[code] ?? code.replace(/^(Key|Digit)/, '').replace(/^Numpad/, 'Num ');
}

/** Writes the keys of today into every `<kbd data-key="action">`; with a number behind a colon, of that
 *  slot. One without a key is hidden. */
export function showKeys(root) {
  for (const box of root.querySelectorAll('kbd[data-key]')) {
    const [action, slot] = box.dataset.key.split(':');
    const code = codesOf(action)[Number(slot ?? 0)];
    box.hidden = !code;
    box.textContent = code ? keyName(code) : '';
  }
}

function read() {
  const map = new Map();
  for (const action of Object.keys(ACTIONS)) for (const code of codesOf(action)) if (!map.has(code)) map.set(code, action);
  return map;
}
