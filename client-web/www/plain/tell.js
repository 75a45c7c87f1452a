// What the plain page tells tests and the curious. Comes in: the page's parts, to be read only. Goes out: `globalThis.gamekeeper`:
//   state, stats(), people(), code, watching, host, team, looksAt, replay, errors   as on the arena's page, see ../tell.js
//   game        the game's tables
//   rows(kind)  those of the picture, by the names of their fields, in units; with `id` and `own`
//   held()      the integers that were given last
//   look()      the middle of the view in units, and CSS pixels for each: {x, y, scale}
//   sessions()  the list on the first screen
//   log()       the lines of chat and events, as texts

import { caught, figuresOf } from '../tell.js';
import { view } from './draw.js';
import { everybody, logTexts, roster } from './people.js';

/** Sets `globalThis.gamekeeper`. `page` has the page's parts, and functions for what changes: `state()`, `game()`, `client()`,
 *  `session()`, `replay()`, `rows(kind)`, `held()`. */
export function tell(page) {
  const { start, watching } = page;
  globalThis.gamekeeper = {
    get state() { return page.state(); },
    get game() { return page.game(); },
    get replay() { return page.replay(); },
    get code() { return page.session()?.code ?? null; },
    get host() { return page.session()?.isHost ?? false; },
    get watching() { return roster.watching; },
    get looksAt() { return watching.looksAt; },
    get team() { return roster.myTeam; },
    get errors() { return caught(); },
    rows(name) {
      const fields = ({ kind, values }) => Object.fromEntries(kind.fields.map((field, at) => [field.name, values[at]]));
      return page.rows(name).map((row) => ({ ...fields(row), id: row.id, own: row.own }));
    },
    stats: () => figuresOf(page.client()),
    held: () => page.held(),
    look: () => ({ x: view.x, y: view.y, scale: view.scale }),
    sessions: () => start.live.last?.sessions ?? [],
    people: everybody,
    log: logTexts,
  };
}
