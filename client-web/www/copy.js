// The clipboard. Comes in: a text. Goes out: whether it is there.

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
