// The settings' panel: its tabs, the keys, and settings as text. Comes in: the player's choices. Goes out:
// the same, into settings.js and keys.js.

import { ACTIONS, SLOTS, bind, codesOf, keyName, onRelabelled, showKeys, unbind, usualKeys } from './keys.js';
import { bindControls, exported, imported, onChange, reset, settings } from './settings.js';
import { copyText } from './copy.js';
import { write } from './hud.js';
import { bindTabs } from './tabs.js';

const find = (id) => document.getElementById(id);

/** The button that waits for a key: `{action, slot, button}`. */
let waiting = null;

/** Binds the panel and lets choices about the page's looks take effect. */
export function bindSettings() {
  bindControls(find('settings'));
  bindTabs(find('settings').querySelector('[role="tablist"]'), (panel) => {
    stop();
    if (panel === 'set-keep') showText();
  });
  for (const action of Object.keys(ACTIONS)) find('keys').append(...row(action));
  find('keys-usual').addEventListener('click', () => { usualKeys(); say('All keys are as usual.'); });
  addEventListener('keydown', onKey, true);
  bindKeep();
  onChange(apply);
  onRelabelled(showButtons);
  for (const key of ['scale', 'stick', 'swapped']) apply(key);
  showButtons();
  showKeys(document);
}

function apply(key) {
  const root = document.documentElement;
  if (key === 'scale') root.style.setProperty('--ui', settings.scale / 100);
  if (key === 'stick') root.style.setProperty('--stick', settings.stick / 100);
  if (key === 'swapped') document.body.classList.toggle('swapped', settings.swapped);
  if (key === 'keys') showButtons();
}

// --- keys -----------------------------------------------------------------------------------------

function row(action) {
  const [term, value] = [document.createElement('dt'), document.createElement('dd')];
  term.textContent = ACTIONS[action][0];
  for (let slot = 0; slot < SLOTS; slot++) {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.bind = `${action}:${slot}`;
    button.addEventListener('click', () => wait({ action, slot, button }));
    button.addEventListener('blur', () => { if (waiting?.button === button) stop(); });
    value.append(button);
  }
  return [term, value];
}

function wait(what) {
  stop();
  waiting = what;
  what.button.classList.add('waiting');
  what.button.textContent = '…';
  say(`Press the key for “${ACTIONS[what.action][0]}”.`);
}

function stop() {
  if (!waiting) return;
  waiting.button.classList.remove('waiting');
  waiting = null;
  showButtons();
}

function onKey(event) {
  if (!waiting || find('settings').hidden) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // The press that chose the button lasts a little.
  if (event.repeat) return;
  const { action, slot } = waiting;
  waiting.button.classList.remove('waiting');
  waiting = null;
  if (event.code === 'Escape') {
    say('');
    showButtons();
  } else if (event.code === 'Delete' || event.code === 'Backspace') {
    unbind(action, slot);
    say(`“${ACTIONS[action][0]}” has one key less.`);
  } else {
    const loser = bind(action, slot, event.code);
    if (loser === undefined) say('This key is not to be had.');
    else say(loser ? `${keyName(event.code)} was the key for “${ACTIONS[loser][0]}”, which has lost it.` : '');
  }
  showButtons();
}

function showButtons() {
  for (const button of find('keys').querySelectorAll('button')) {
    if (button === waiting?.button) continue;
    const [action, slot] = button.dataset.bind.split(':');
    const code = codesOf(action)[slot];
    write(button, code ? keyName(code) : '–');
    button.setAttribute('aria-label', `${ACTIONS[action][0]}, key ${Number(slot) + 1}: ${code ? keyName(code) : 'none'}`);
    button.classList.toggle('none', slot === '0' && !codesOf(action).length);
  }
}

function say(sentence) {
  write(find('keys-note'), sentence || 'Press a key’s button, then the new key. Esc leaves it, Delete empties it.');
}

// --- settings as text -----------------------------------------------------------------------------

function bindKeep() {
  const text = find('keep-text');
  const told = (sentence) => write(find('keep-note'), sentence);
  const take = () => {
    const count = imported(text.value);
    if (count) showText();
    told(count ? 'Done: these settings hold now.' : 'No settings can be read in this text.');
  };
  find('keep-take').addEventListener('click', take);
  find('keep-copy').addEventListener('click', async () => {
    told(await copyText(text.value, text) ? 'Copied.' : 'Marked: copy it with Ctrl+C.');
  });
  find('keep-save').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([exported()], { type: 'application/json' }));
    link.download = 'gamekeeper-settings.json';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  find('keep-open').addEventListener('click', () => find('keep-file').click());
  find('keep-file').addEventListener('change', async (event) => {
    const file = event.target.files[0];
    event.target.value = '';
    if (!file) return;
    text.value = await file.text().catch(() => '');
    take();
  });
  find('keep-reset').addEventListener('click', () => { reset(); showText(); told('Everything is as usual, but for your name.'); });
}

function showText() {
  find('keep-text').value = exported();
  write(find('keep-note'), '');
}
