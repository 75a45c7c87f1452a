// The form of a session's settings, for whoever creates one and for its host. Comes in: settings as the
// API spells them, and the game's own fields. Goes out: settings. Ranges are the server's; it has the last
// word. It knows no game: a setting of the game's for which the page gave no field gets one by its name.

const NUMBER = 'number';
const RANGE = 'range';
const BOX = 'checkbox';
/** In front of the names of the game's own settings. */
const GAME = 'game.';

const minutes = (seconds) => (seconds ? [seconds, seconds % 60 ? `${seconds} s` : `${seconds / 60} min`] : [0, 'No rounds']);

/** The fields that every session has: where its value stands in the settings, its label, what kind of control it is and
 *  what that takes. These are shown, behind them those of the game that are. */
const SHOWN = [
  ['name', 'Name', 'text', { max: 24, usual: '' }],
  ['mode', 'Mode', 'list', { options: [['free_for_all', 'Free for all'], ['teams', 'Teams']], usual: 'free_for_all' }],
  ['teams', 'Teams', 'list', { options: [[2, 'Two'], [3, 'Three'], [4, 'Four']], usual: 2, only: 'teams' }],
  ['round_s', 'Round', 'list', { options: [120, 180, 300, 600, 900, 0].map(minutes), usual: 300 }],
  ['max_players', 'Most players', NUMBER, { min: 1, max: 200, usual: 64 }],
  ['pilots.kind', 'Computer pilots', 'list', { options: [['fill_up_to', 'Fill up to'], ['always', 'Always']], usual: 'fill_up_to' }],
  ['pilots.n', '… so many', NUMBER, { min: 0, max: 64, usual: 8 }],
  ['public', 'In the public list', BOX, { usual: true }],
];
/** These are folded away; those of the game that are stand behind the first. */
const FOLDED = [
  ['switch_teams', 'Players may change teams', BOX, { usual: true, only: 'teams' }],
  ['max_spectators', 'Most spectators', NUMBER, { min: 0, max: 200, usual: 32 }],
  ['spectator_delay_s', 'Delay for spectators, s', NUMBER, { min: 0, max: 30, usual: 0 }],
  ['tick_rate', 'Ticks a second', NUMBER, { min: 10, max: 128, usual: 30 }],
  ['rewind_ms', 'Lag compensation, ms', NUMBER, { min: 0, max: 500, usual: 200 }],
  ['seed', 'Seed', 'text', { max: 10, pattern: '[0-9]*', usual: '', hint: 'by chance' }],
];
/** What the kinds of JSON's values become that a field can show. */
const KINDS = { boolean: BOX, number: NUMBER, string: 'text' };

let forms = 0;

/** One form. */
export class SessionForm {
  #controls = new Map();
  #box;
  #note;
  #shown = element('div', 'fields');
  #name;
  /** The game's settings as they were shown last: what has no field keeps its value. */
  #game = {};
  /** By path what was filled in, and what a control made of it: a slider rounds to its steps. */
  #filled = new Map();
  /** Whether somebody has chosen something. */
  #touched = false;

  /** Fills `box`, a form element; `onSubmit(settings)` may promise, and what it throws is shown. Of the game: `name` is
   *  what a session without one is called, `seed` the label of what its terrain follows from; `shown` and `folded` are
   *  its fields, spelled as those above with `game.` before their names. */
  constructor(box, label, onSubmit, { name, seed = 'Seed', shown = [], folded: away = [] }) {
    this.#box = box;
    this.#name = name;
    forms += 1;
    const folded = element('details', 'more');
    const summary = element('summary');
    summary.textContent = 'More';
    const inner = element('div', 'fields');
    folded.append(summary, inner);
    const [first, ...rest] = FOLDED;
    for (const field of [...SHOWN, ...shown]) this.#shown.append(this.#field(...field));
    for (const field of [first, ...away, ...rest]) inner.append(this.#field(...field));
    this.#controls.get('name')[0].value = name;
    this.#controls.get('seed')[0].previousElementSibling.textContent = seed;
    const button = element('button', 'main');
    button.type = 'submit';
    button.textContent = label;
    this.#note = element('p', 'note');
    this.#note.setAttribute('role', 'status');
    box.append(this.#shown, folded, button, this.#note);
    box.addEventListener('input', () => { this.#touched = true; });
    box.addEventListener('submit', async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        this.#note.textContent = (await onSubmit(this.values)) ?? '';
      } catch (why) {
        this.#note.textContent = why.message;
      }
      button.disabled = false;
    });
    // A closed fold would hide a field that the browser wants mended.
    box.addEventListener('invalid', () => { folded.open = true; }, true);
    this.#showTeams();
  }

  /** The settings as they stand in the form. */
  get values() {
    const value = (path) => {
      const [control, kind] = this.#controls.get(path);
      if (kind === BOX) return control.checked;
      if (kind !== NUMBER && kind !== RANGE) return control.value;
      // What nobody has touched is as it was.
      const { value, shown } = this.#filled.get(path) ?? {};
      return control.value === shown ? value : Number(control.value);
    };
    const settings = {
      name: value('name').trim() || this.#name, mode: value('mode'), teams: Number(value('teams')), round_s: Number(value('round_s')),
      max_players: value('max_players'), public: value('public'), switch_teams: value('switch_teams'),
      max_spectators: value('max_spectators'), spectator_delay_s: value('spectator_delay_s'),
      tick_rate: value('tick_rate'), rewind_ms: value('rewind_ms'),
      pilots: { [value('pilots.kind')]: value('pilots.n') },
      game: { ...this.#game },
    };
    for (const path of this.#controls.keys()) if (path.startsWith(GAME)) settings.game[path.slice(GAME.length)] = value(path);
    // What is left out stays as it was.
    settings.seed = value('seed') ? Number(value('seed')) : null;
    return settings;
  }

  /** Takes what the server offers: the most that it allows, and, until somebody chooses, what is usual. */
  offer({ usual, most }) {
    this.bounds = most;
    if (!this.#touched) this.fill(usual);
  }

  /** The most that the server allows. */
  set bounds({ pilots, ...most }) {
    for (const [path, max] of Object.entries({ ...most, 'pilots.n': pilots })) this.#controls.get(path)[0].max = max;
  }

  /** Shows settings as the API gave them; what is missing keeps its place. */
  fill(settings) {
    const [kind, n] = Object.entries(settings.pilots ?? {})[0] ?? [];
    const flat = { ...settings, 'pilots.kind': kind, 'pilots.n': n, seed: settings.seed ?? '' };
    this.#game = { ...this.#game, ...settings.game };
    for (const [key, value] of Object.entries(this.#game)) {
      flat[GAME + key] = value;
      if (!this.#controls.has(GAME + key) && typeof value in KINDS) this.#shown.append(this.#named(key, value));
    }
    for (const [path, [control, type]] of this.#controls) {
      const value = flat[path];
      if (value === undefined) continue;
      if (type === BOX) control.checked = value;
      else {
        if (type === 'list' && ![...control.options].some((option) => option.value === String(value))) {
          control.append(path === 'round_s' ? new Option(minutes(value)[1], value) : new Option(value, value));
        }
        control.value = value;
        this.#filled.set(path, { value, shown: control.value });
      }
    }
    this.#showTeams();
  }

  // A field for a setting of which nothing but its name and value is known; nested ones get none.
  #named(key, value) {
    const words = key.replaceAll('_', ' ');
    return this.#field(GAME + key, words.charAt(0).toUpperCase() + words.slice(1), KINDS[typeof value], { step: 'any', usual: value });
  }

  #field(path, text, kind, { options, min, max, step, pattern, hint, only, usual }) {
    const row = element('label', 'field');
    const words = element('span');
    words.textContent = text;
    const control = element(kind === 'list' ? 'select' : 'input');
    if (kind === 'list') control.append(...options.map(([value, name]) => new Option(name, value)));
    else control.type = kind;
    if (kind === 'text') {
      if (max) control.maxLength = max;
      control.spellcheck = false;
      if (pattern) control.pattern = pattern;
      if (hint) control.placeholder = hint;
    } else if (kind === NUMBER || kind === RANGE) {
      Object.assign(control, { min: min ?? '', max: max ?? '', step: step ?? 1 });
      if (kind === NUMBER) control.required = true;
    }
    if (kind === BOX) control.checked = usual; else control.value = usual;
    control.id = `form${forms}-${path.replace('.', '-')}`;
    if (only) row.dataset.only = only;
    if (path === 'mode') control.addEventListener('change', () => this.#showTeams());
    if (kind === BOX) row.classList.add('tick');
    row.append(words, control);
    this.#controls.set(path, [control, kind]);
    return row;
  }

  #showTeams() {
    const mode = this.#controls.get('mode')[0].value;
    for (const row of this.#box.querySelectorAll('[data-only]')) row.hidden = row.dataset.only !== mode;
  }
}

function element(tag, name = '') {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}
