// Questions before something is done. Comes in: what is about to be done. Goes out: the words and the time that were
// given, once it was done; what the server refuses is said in the dialog, which stays.

import { byId } from './words.js';

const open = { resolve: null, press: null };

/** Asks, and when the answer is yes calls `press({ words, minutes })`, whose refusal is shown. `words` names a line of text
 *  to write, `needed` says that it may not be empty; `minutes` asks for how long. Gives whether it was done. */
export function question({ title, text = '', yes, danger = false, words = '', needed = false, minutes = false, press }) {
  byId('ask-title').textContent = title;
  byId('ask-text').textContent = text;
  byId('ask-text').hidden = !text;
  byId('ask-words-label').hidden = !words;
  byId('ask-words-name').textContent = words;
  Object.assign(byId('ask-words'), { value: '', required: needed });
  byId('ask-minutes-label').hidden = !minutes;
  byId('ask-said').textContent = '';
  const button = byId('ask-yes');
  button.textContent = yes;
  button.className = danger ? 'main danger' : 'main';
  button.disabled = false;
  byId('ask').showModal();
  (words ? byId('ask-words') : byId('ask-no')).focus();
  open.press = press;
  return new Promise((resolve) => { open.resolve = resolve; });
}

function done(was) {
  open.resolve?.(was);
  open.resolve = null;
  if (byId('ask').open) byId('ask').close();
}

byId('ask-no').addEventListener('click', () => done(false));
// The news that it closed comes later, and may find the next question open.
byId('ask').addEventListener('close', () => { if (!byId('ask').open) done(false); });
byId('ask-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = byId('ask-yes');
  if (button.disabled) return;
  button.disabled = true;
  try {
    await open.press({ words: byId('ask-words').value.trim(), minutes: Number(byId('ask-minutes').value) });
    done(true);
  } catch (error) {
    byId('ask-said').textContent = error.message;
  } finally {
    button.disabled = false;
  }
});
