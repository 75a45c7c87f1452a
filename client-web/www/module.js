// The game's module in WebAssembly, on its way to the page. Comes in: where it is. Goes out: an answer for wasm-bindgen's
// `init`, or why there is none, in words.

import { Refusal } from './api.js';
import { BROKE, isBreak } from './broken.js';

/** Asks for the module at `url`. */
export async function fetchModule(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Refusal(response.status, '');
  return response;
}

/** Why the module did not load, and what to do about it. Browsers that do not know WebAssembly, or not all of it, are rare;
 *  lines that break on the way are not, nor are servers that have another build by the time that a slow line asks. */
export function notLoaded(why) {
  const lacks = typeof WebAssembly === 'undefined' || why instanceof WebAssembly.CompileError;
  if (lacks) return 'This browser cannot run the game: it needs WebAssembly.';
  if (isBreak(why)) return BROKE;
  if (why.status === 404) return 'The game has been updated. Reload the page.';
  return 'The game could not be loaded. Press Play to try again.';
}
