// A module that broke. Comes in: errors that nobody caught. Goes out: one call. Rules that panic end in a trap in the
// middle of a call; what they said is told before that (client-web/src/panics.rs). Whatever the module holds is half
// changed then, so nothing may be asked of it any more.

/** What people are told, and what helps. */
export const BROKE = 'The game broke. Reload the page.';

/** Whether `why` is a trap. */
export const isBreak = (why) => typeof WebAssembly !== 'undefined' && why instanceof WebAssembly.RuntimeError;

/** Calls `then()` once, when the module has broken. */
export function onBreak(then) {
  let broken = false;
  const look = (why) => {
    if (broken || !isBreak(why)) return;
    broken = true;
    then();
  };
  addEventListener('error', ({ error }) => look(error));
  addEventListener('unhandledrejection', ({ reason }) => look(reason));
}
