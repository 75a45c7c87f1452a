// Elements in another order, under the hands of whoever presses one. Comes in: a parent and the elements that it is to have.
// Goes out: the same, moved as little as is simple. It makes nothing and fills nothing.

/** Gives `parent` these `elements` in this order, and none beside. What is pressed at the moment, or else what has the
 *  keyboard, stays where it is and the others move around it: an element that is moved loses both. */
export function arrange(parent, elements) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const held = parent.querySelector(':scope > :active') ?? parent.querySelector(':scope > :focus-within');
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const element of elements) {
    // What has gone down is put back when it is its turn, instead of all others being moved up.
    while (next && next !== element && (element === held || (next !== held && element === next.nextElementSibling))) {
      const later = next;
      next = next.nextElementSibling;
      later.remove();
    }
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
