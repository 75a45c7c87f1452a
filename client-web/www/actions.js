// What keys do that are pressed, not held. Comes in: the name of an action, see keys.js. Goes out: calls of the
// page's parts.

import { closePanels, toggleFullScreen, togglePanel, toggleSound } from './panels.js';

/** A key for the scores held longer than this, ms, shows them only while it is held. */
const GLANCE_MS = 350;

/** What is of use to somebody with a seat only. */
const SEATED = new Set(['chat', 'emote', 'invite', 'session', 'network']);

/** Gives the function that `Input` tells what is pressed: `page` has the page's parts, and `isReplay()` tells whether
 *  there is a recording instead of a session. */
export function actionsFor({ chat, wheel, minimap, watching, match, roster, isReplay }) {
  let glanceAt = 0;
  const pressed = {
    chat: () => chat.open(),
    emote: (at) => { if (!roster.watching) wheel.toggle(at); },
    people: (at) => { glanceAt = at; togglePanel('people'); },
    map: () => minimap.toggle(),
    invite: () => togglePanel('invite'),
    session: () => togglePanel('session'),
    previous: () => watching.step(-1),
    next: () => watching.step(1),
    mute: toggleSound,
    help: () => togglePanel('help'),
    settings: () => togglePanel('settings'),
    network: () => togglePanel('network'),
    fullScreen: toggleFullScreen,
  };
  const released = {
    emote: (at) => wheel.released(at),
    people: (at) => { if (at - glanceAt > GLANCE_MS && !document.getElementById('people').hidden) closePanels(); },
  };
  return (action, down, at) => {
    if (action === 'leave') return wheel.close() || minimap.close() || closePanels() || match.stay();
    if (isReplay() && SEATED.has(action)) return false;
    const act = (down ? pressed : released)[action];
    act?.(at);
    return Boolean(act);
  };
}
