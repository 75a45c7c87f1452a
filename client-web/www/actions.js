// What keys do that are pressed, not held. Comes in: the name of an action, see keys.js. Goes out: calls of the
// page's parts.

import { closePanels, enterPanel, toggleFullScreen, togglePanel, toggleSound } from './panels.js';

/** A key for the scores held longer than this, ms, shows them only while it is held; else they stay, and have the
 *  keyboard. */
const GLANCE_MS = 350;

/** What is of use to somebody with a seat only. */
const SEATED = new Set(['chat', 'emote', 'invite', 'session', 'network']);

/** Gives the function that `Input` tells what is pressed: `page` has the page's parts, `isReplay()` tells whether there
 *  is a recording instead of a session, and `giveUp()` leaves what does not come up; false where it has. */
export function actionsFor({ chat, wheel, minimap, watching, match, roster, isReplay, giveUp }) {
  /** Since when the key is held that showed the scores; null while none is. */
  let glanceAt = null;
  const pressed = {
    chat: () => chat.open(),
    emote: (at) => { if (!roster.watching) wheel.toggle(at); },
    people: (at) => { togglePanel('people'); glanceAt = at; },
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
    people(at) {
      // The browser's own Tab, as from one button to the next, is let go here as well.
      if (glanceAt === null) return;
      if (at - glanceAt <= GLANCE_MS) enterPanel('people');
      else if (!document.getElementById('people').hidden) closePanels();
      glanceAt = null;
    },
  };
  return (action, down, at) => {
    if (action === 'leave') return wheel.close() || minimap.close() || closePanels() || match.stay() || giveUp();
    if (isReplay() && SEATED.has(action)) return false;
    const act = (down ? pressed : released)[action];
    act?.(at);
    return Boolean(act);
  };
}
