// What a host may do about somebody, and how the API calls it. Comes in: an entry of the roster. Goes out: words for
// buttons, actions.

import { teamName } from './words.js';

/** What may be done about `entry` where there are so many teams: `[what, label, value]` each. */
export function hostActs(entry, teams) {
  const list = [];
  if (!entry.computer) {
    list.push(['kick', 'Kick', 0], ['ban', 'Ban', 0], ['mute', entry.muted ? 'Unmute for all' : 'Mute for all', 0], ['hand_over', 'Make host', 0]);
  }
  for (let team = 1; team <= teams && !entry.watching; team++) {
    if (team !== entry.team) list.push(['team', teamName(team), team]);
  }
  return list;
}

/** That as the API takes it. */
export function actionOf(what, { player, muted }, value) {
  if (what === 'team') return { action: 'move', player, team: value };
  if (what === 'mute') return { action: 'mute', player, muted: !muted };
  return { action: what, player };
}
