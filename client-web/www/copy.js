// The clipboard. Comes in: a text. Goes out: whether it is there.

import { write } from './hud.js';

/** How long a button says what became of the text, ms. */
const SAID_MS = 2000;

/** Copies a text; where the browser does not let pages do that, marks it in `field` and gives false. */
export async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.focus();
    field.select();
    return false;
  }
}

/** Copies a text from a hidden `field`, which is shown where the browser does not let pages do that; `button`, which is
 *  called `label`, says what became of it. */
export async function shareText(text, field, button, label) {
  field.value = text;
  field.hidden = false;
  const copied = await copyText(text, field);
  if (copied) field.hidden = true;
  write(button, copied ? 'Copied' : 'Marked');
  setTimeout(() => write(button, label), SAID_MS);
}
