// The page around the game: first screen, settings, help, network, mute, the curtain over a lost connection.
// Comes in: the player's choices. Goes out: what the page shows.

import { bindControls, choose, guestName, onChange, settings } from './settings.js';
import { pickup } from './render/sprites.js';
import { write } from './hud.js';

const find = (id) => document.getElementById(id);
const PANELS = ['settings', 'help', 'network'];
/** Losing the connection for less than this, ms, is not worth a word. */
const CURTAIN_AFTER_MS = 350;

/** The first screen. */
export class Start {
  #screen = find('start');
  #suggested = guestName();

  /** `onPlay(name)` is called when the player has chosen. */
  constructor(onPlay) {
    const name = find('name');
    name.value = settings.name || this.#suggested;
    find('start-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const chosen = name.value.trim() || this.#suggested;
      // A suggested name is not kept: the next visit suggests another.
      choose('name', chosen === this.#suggested ? '' : chosen);
      onPlay(chosen);
    });
    // A phone's keyboard would cover the screen at once.
    if (!matchMedia('(pointer: coarse)').matches) name.select();
  }

  /** Shows the screen with a sentence, which may be empty; a `busy` one cannot be left. */
  show(sentence = '', busy = false) {
    this.#screen.classList.remove('gone');
    write(find('start-note'), sentence);
    find('play').disabled = busy;
  }

  /** Lets the game be seen. */
  hide() {
    this.#screen.classList.add('gone');
    document.activeElement?.blur?.();
  }
}

/** Binds the buttons and boxes; `onChat()` opens the chat. */
export function bindPanels(onChat) {
  bindControls(find('settings'));
  for (const id of PANELS) {
    find(`open-${id}`).addEventListener('click', () => togglePanel(id));
    find(id).querySelector('.close').addEventListener('click', closePanels);
  }
  find('open-chat').addEventListener('click', onChat);
  find('mute').addEventListener('click', toggleSound);
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
  for (const other of PANELS) find(other).hidden = other !== id || !find(id).hidden;
}

/** Closes all panels; true when one was open. */
export function closePanels() {
  const open = PANELS.some((id) => !find(id).hidden);
  for (const id of PANELS) find(id).hidden = true;
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
  const button = find('mute');
  button.setAttribute('aria-pressed', String(settings.sound));
  button.querySelector('use').setAttribute('href', settings.sound ? '#icon-sound' : '#icon-silent');
}

/** The curtain: says that the connection is lost and what comes next, and leaves the arena visible. */
export class Curtain {
  #box = find('curtain');
  #button = find('curtain-again');
  #since = 0;
  #act = null;

  constructor() {
    this.#button.addEventListener('click', () => this.#act?.());
  }

  /** Shows what `link` is doing; `actions.retry()` and `actions.leave()` are behind the button. */
  show(link, now, actions) {
    const whole = link.state === 'open';
    document.body.classList.toggle('lost', !whole);
    if (whole) {
      this.#since = 0;
      this.#box.hidden = true;
      return;
    }
    this.#since ||= now;
    if (now - this.#since < CURTAIN_AFTER_MS) return;
    this.#box.hidden = false;
    const wait = Math.max(1, Math.ceil((link.retryAt - now) / 1000));
    if (link.state === 'waiting') this.#say(`${link.sentence} Trying again in ${wait} s.`, 'Try now', actions.retry);
    else if (link.state === 'ended' && link.code === 4006) this.#say(link.sentence, 'Reload', () => location.reload());
    else if (link.state === 'ended') this.#say(link.sentence, 'Back', actions.leave);
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
    write(this.#button, label);
    this.#button.hidden = !label;
    this.#act = act;
  }
}
