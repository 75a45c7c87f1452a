// Who is there. Comes in: when somebody last did anything. Goes out: whether the page was left alone. An input that stays the same tells
// the server that nobody plays, and it frees the seat; but what a resting mouse points at changes as the world moves below it.

/** After this long without a hand on anything, ms, a mouse that rests aims at nothing: who plays does something sooner. */
const FORGOTTEN_MS = 30_000;

/** Whether a page whose player last did something at `last` is left alone at `now`, both as of `performance.now()`. */
export const isForgotten = (last, now) => now - last > FORGOTTEN_MS;
