// What the player chose, kept in the browser's localStorage. Where that is denied or holds nonsense
// the defaults stand, and choices last as long as the page.

const KEY = 'gamekeeper.settings';

/** Whether the player's system asks for little movement. Such players start with the calm choices
 *  and may still choose otherwise. */
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;

const DEFAULTS = {
  name: '',
  sound: true,
  volume: 0.6,
  shake: !calm,
  breathe: !calm,
  particles: !calm,
  names: true,
  meters: true,
  rumble: true,
};

const listeners = new Set();

/** The choices, to be read only; change them with `choose`. */
export const settings = { ...DEFAULTS, ...load() };

/** Sets one choice, keeps it and tells everybody who asked. */
export function choose(key, value) {
  if (!(key in DEFAULTS) || typeof value !== typeof DEFAULTS[key]) return;
  settings[key] = value;
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Private windows and full disks: the choice still holds until the page is left.
  }
  listeners.forEach((tell) => tell(key, value));
}

/** Calls `tell(key, value)` after every change. */
export function onChange(tell) {
  listeners.add(tell);
}

/** Keeps the boxes and sliders that carry `data-setting` in step with the choices. */
export function bindControls(root) {
  for (const control of root.querySelectorAll('[data-setting]')) {
    const key = control.dataset.setting;
    const box = control.type === 'checkbox';
    const show = () => { if (box) control.checked = settings[key]; else control.value = settings[key]; };
    show();
    control.addEventListener('input', () => choose(key, box ? control.checked : Number(control.value)));
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

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
    const known = Object.entries(kept)
      .filter(([key, value]) => key in DEFAULTS && typeof value === typeof DEFAULTS[key]);
    return Object.fromEntries(known);
  } catch {
    return {};
  }
}
