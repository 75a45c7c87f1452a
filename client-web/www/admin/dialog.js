// Questions before something is done. Comes in: what is about to be done. Goes out: the words and the time that were
// given, once it was done; what the server refuses is said in the dialog, which stays. While the server is asked nothing can
// be called back, so that the dialog stays then, too.

import { byId, toast } from './words.js';

/** The question in the dialog: `{ press, resolve, pending }`; null while there is none. */
let asked = null;

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
  wait(false);
  byId('ask').showModal();
  (words ? byId('ask-words') : byId('ask-no')).focus();
  return new Promise((resolve) => { asked = { press, resolve, pending: false }; });
}

function wait(on) {
  byId('ask-yes').disabled = byId('ask-no').disabled = on;
}

function done(one, was) {
  one.resolve(was);
  if (one !== asked) return;
  asked = null;
  byId('ask').close();
}

byId('ask-no').addEventListener('click', () => { if (asked) done(asked, false); });
byId('ask').addEventListener('cancel', (event) => { if (asked?.pending) event.preventDefault(); });
// The news that it closed comes later, and may find the next question open.
byId('ask').addEventListener('close', () => {
  if (byId('ask').open || !asked) return;
  // Who presses Escape twice closes it in spite of all: what came of it is still told.
  if (asked.pending) asked = null; else done(asked, false);
});
byId('ask-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const one = asked;
  if (!one || one.pending) return;
  one.pending = true;
  wait(true);
  try {
    await one.press({ words: byId('ask-words').value.trim(), minutes: Number(byId('ask-minutes').value) });
    done(one, true);
  } catch (error) {
    one.pending = false;
    if (one === asked) {
      byId('ask-said').textContent = error.message;
      wait(false);
    } else {
      toast(error.message, true);
      done(one, false);
    }
  }
});
