// What the player chose, kept in the browser's localStorage. Where that is denied or holds nonsense
// the defaults stand, and choices last as long as the page. Nothing else in the page keeps choices.

const KEY = 'gamekeeper.settings';
/** Letters of a text of settings that is read at all: a whole one has fewer than a thousand. */
const TEXT_MAX = 20_000;

/** Whether the player's system asks for little movement. Such players start with the calm choices
 *  and may still choose otherwise. */
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;

const flag = (value) => typeof value === 'boolean';
const between = (low, high) => (value) => Number.isFinite(value) && value >= low && value <= high;
const oneOf = (...words) => (value) => words.includes(value);
// Key codes as the browser spells them, per action; which actions there are is the business of keys.js.
const codes = (list) => Array.isArray(list) && list.length <= 2 && list.every((code) => /^\w{1,24}$/.test(code));
const bindings = (value) => value !== null && typeof value === 'object' && !Array.isArray(value)
  && Object.keys(value).length <= 40 && Object.values(value).every(codes);

/** What is usual, and what is taken, by name. */
const CHOICES = {
  name: ['', (value) => typeof value === 'string' && value.length <= 48],
  sound: [true, flag],
  volume: [0.6, between(0, 1)],
  effects: [1, between(0, 1)],
  shake: [!calm, flag],
  breathe: [!calm, flag],
  particles: [!calm, flag],
  names: [true, flag],
  meters: [true, flag],
  scale: [100, between(80, 130)],
  palette: ['usual', oneOf('usual', 'safe')],
  keys: [{}, bindings],
  stick: [100, between(70, 140)],
  swapped: [false, flag],
  rumble: [true, flag],
  warn: [true, flag],
};
const USUAL = Object.fromEntries(Object.entries(CHOICES).map(([key, [usual]]) => [key, usual]));

const listeners = new Set();

/** The choices, to be read only; change them with `choose`. */
export const settings = { ...USUAL, ...load() };

// What another tab chooses holds here as well.
addEventListener('storage', ({ key, newValue }) => { if (key === KEY && newValue) adopt(readable(newValue)); });

/** Sets one choice, keeps it and tells everybody who asked. What is out of its range changes nothing. */
export function choose(key, value) {
  if (!Object.hasOwn(CHOICES, key) || !CHOICES[key][1](value)) return;
  settings[key] = value;
  try {
    // Of the others that stays which another tab may have chosen a moment ago.
    localStorage.setItem(KEY, JSON.stringify({ ...settings, ...load(), [key]: value }));
  } catch {
    // Private windows and full disks: the choice still holds until the page is left.
  }
  listeners.forEach((tell) => tell(key, value));
}

/** Calls `tell(key, value)` after every change. */
export function onChange(tell) {
  listeners.add(tell);
}

/** Everything back to what is usual, but for the name. */
export function reset() {
  for (const key of Object.keys(CHOICES)) if (key !== 'name') choose(key, USUAL[key]);
}

/** All choices as a text to be kept or carried elsewhere. */
export function exported() {
  return JSON.stringify(settings, null, 2);
}

/** Takes what `exported` gave, here or elsewhere. What is unknown or out of its range is left out, as at
 *  loading. Returns how many choices were taken; none where the text is no JSON object. */
export function imported(text) {
  const known = Object.entries(readable(text));
  for (const [key, value] of known) choose(key, value);
  return known.length;
}

/** Keeps the boxes, sliders and lists that carry `data-setting` in step with the choices. */
export function bindControls(root) {
  for (const control of root.querySelectorAll('[data-setting]')) {
    const key = control.dataset.setting;
    const box = control.type === 'checkbox';
    const number = control.type === 'range';
    const said = control.parentElement.querySelector('output');
    const show = () => {
      if (box) control.checked = settings[key]; else control.value = settings[key];
      if (said) said.textContent = `${Math.round(settings[key] * (control.max > 1 ? 1 : 100))} %`;
    };
    show();
    control.addEventListener('input', () => choose(key, box ? control.checked : number ? Number(control.value) : control.value));
    onChange((changed) => { if (changed === key) show(); });
  }
}

/** A name for somebody who has not given one. */
export function guestName() {
  const first = ['Quiet', 'Swift', 'Amber', 'Lucky', 'Brave', 'Polar', 'Solar', 'Velvet', 'Drifting', 'Bold'];
  const second = ['Comet', 'Falcon', 'Otter', 'Kestrel', 'Lynx', 'Ember', 'Heron', 'Marlin', 'Raven', 'Fox'];
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  return `${pick(first)} ${pick(second)}`;
}

function adopt(kept) {
  for (const [key, value] of Object.entries(kept)) {
    if (JSON.stringify(value) === JSON.stringify(settings[key])) continue;
    settings[key] = value;
    listeners.forEach((tell) => tell(key, value));
  }
}

function load() {
  try {
    return readable(localStorage.getItem(KEY) ?? '{}');
  } catch {
    return {};
  }
}

// What of a text of settings is known and in range.
function readable(text) {
  try {
    const kept = text.length <= TEXT_MAX ? JSON.parse(text) ?? {} : {};
    return Object.fromEntries(Object.entries(kept).filter(([key, value]) => Object.hasOwn(CHOICES, key) && CHOICES[key][1](value)));
  } catch {
    return {};
  }
}
