// The page around the game: its panels, mute, full screen, the curtain over a lost connection. Comes in: the
// player's choices. Goes out: what the page shows.

import { choose, onChange, settings } from './settings.js';
import { bindSettings } from './settings_panel.js';
import { pickup } from './render/sprites.js';
import { write } from './hud.js';

/** The buttons that mute. */
const MUTES = ['mute', 'start-mute'];

const find = (id) => document.getElementById(id);
const PANELS = ['settings', 'help', 'network', 'people', 'session', 'invite'];
/** Panels that are read while flying: they do not take the keyboard by being opened. */
const GLANCES = new Set(['network', 'people']);
/** Losing the connection for less than this, ms, is not worth a word. */
const CURTAIN_AFTER_MS = 350;

/** What had the keyboard before a panel was opened. */
let before = null;
let onToggle = () => {};

/** Binds the buttons and boxes; `onChat()` opens the chat, `onOpen(id)` is told which panel was opened. */
export function bindPanels(onChat, onOpen) {
  onToggle = onOpen;
  bindSettings();
  for (const id of PANELS) {
    find(id).tabIndex = -1;
    find(`open-${id}`).addEventListener('click', () => togglePanel(id));
    find(id).querySelector('.close').addEventListener('click', closePanels);
  }
  for (const id of ['settings', 'help']) find(`start-${id}`).addEventListener('click', () => togglePanel(id));
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && document.activeElement?.closest('.panel') && closePanels()) event.preventDefault();
  });
  find('open-chat').addEventListener('click', onChat);
  for (const id of MUTES) find(id).addEventListener('click', toggleSound);
  const fill = find('full-screen');
  fill.hidden = !document.fullscreenEnabled;
  fill.addEventListener('click', toggleFullScreen);
  document.addEventListener('fullscreenchange', () => write(fill, document.fullscreenElement ? 'Leave full screen' : 'Full screen'));
  onChange(showSound);
  showSound();
  for (const canvas of document.querySelectorAll('[data-pickup]')) {
    const picture = pickup(Number(canvas.dataset.pickup), 2);
    Object.assign(canvas, { width: picture.width, height: picture.height });
    canvas.getContext('2d').drawImage(picture, 0, 0);
  }
}

/** Opens a panel and closes the others, or closes it. */
export function togglePanel(id) {
  const open = find(id).hidden;
  closePanels();
  if (!open) return;
  before = document.activeElement;
  find(id).hidden = false;
  onToggle(id);
  if (!GLANCES.has(id)) enterPanel(id);
}

/** Gives the keyboard to a panel, if it is open. */
export function enterPanel(id) {
  if (!find(id).hidden) find(id).focus();
}

/** Closes all panels; true when one was open. */
export function closePanels() {
  const open = PANELS.some((id) => !find(id).hidden);
  const inside = document.activeElement?.closest('.panel');
  for (const id of PANELS) find(id).hidden = true;
  // The keyboard goes back to where it was, as far as that can still be seen.
  if (inside) document.activeElement?.blur?.();
  if (inside && before?.isConnected && before.offsetParent !== null && before.closest('#start')) before.focus();
  return open;
}

/** Mutes, or not. */
export function toggleSound() {
  choose('sound', !settings.sound);
}

/** Fills the screen with the game, or gives it back. */
export function toggleFullScreen() {
  // Refused where the browser or a page around this one says so: then nothing changes.
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  else document.documentElement.requestFullscreen?.({ navigationUI: 'hide' }).catch(() => {});
}

function showSound() {
  for (const button of MUTES.map(find)) {
    button.setAttribute('aria-pressed', String(settings.sound));
    button.querySelector('use').setAttribute('href', settings.sound ? '#icon-sound' : '#icon-silent');
  }
}

/** The curtain: says that the connection is lost and what comes next, and leaves the arena visible. */
export class Curtain {
  #box = find('curtain');
  #button = find('curtain-again');
  #since = 0;
  #act = null;
  #leave = null;

  constructor() {
    this.#button.addEventListener('click', () => this.#act?.());
    find('curtain-leave').addEventListener('click', () => this.#leave?.());
  }

  /** Shows what `link` is doing; `actions.retry()` and `actions.leave()` are behind the buttons. */
  show(link, now, actions) {
    if (link.state === 'open') {
      if (this.#since) this.hide();
      return;
    }
    this.#since ||= now;
    if (now - this.#since < CURTAIN_AFTER_MS) return;
    document.body.classList.add('lost');
    this.#box.hidden = false;
    this.#leave = actions.leave;
    const wait = Math.max(1, Math.ceil((link.retryAt - now) / 1000));
    // Beside the sentence, which would be read anew every second.
    write(find('curtain-wait'), link.state === 'waiting' ? `Trying again in ${wait} s.` : '');
    if (link.state === 'waiting') this.#say(link.sentence, 'Try now', actions.retry);
    // Of what has ended only what a reload helps stays on the screen.
    else if (link.state === 'ended') this.#say(link.sentence, 'Reload', () => location.reload());
    else this.#say('Connecting…', '', null);
  }

  /** Away with it. */
  hide() {
    this.#since = 0;
    this.#box.hidden = true;
    document.body.classList.remove('lost');
  }

  #say(text, label, act) {
    write(find('curtain-text'), text);
    if (label) write(this.#button, label);
    // It keeps its place, so that the one beside it does not move away from under a finger.
    this.#button.hidden = false;
    this.#button.style.visibility = label ? '' : 'hidden';
    this.#act = act;
  }
}
