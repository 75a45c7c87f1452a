// Input methods, by which letters are composed that no keyboard has. Comes in: the keys of a composition. Goes out:
// nothing. Escape, Tab and Enter are for the input method then, and the page must not take them.

/** Keeps the keys of a composition from everything in the page that listens for keys. */
export function leaveComposing() {
  addEventListener('keydown', (event) => {
    // 229 is a key that the input method has taken; Safari sends the one that ends a composition after its end.
    const composing = event.isComposing || event.keyCode === 229;
    if (composing && event.target.closest?.('input, textarea')) event.stopImmediatePropagation();
  }, true);
}
