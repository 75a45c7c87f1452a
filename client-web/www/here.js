// Which session this page is at, and what this browser may prove there. Comes in: the page's address and
// localStorage. Goes out: the same, kept up to date. It asks the server nothing.

const VISITOR = 'gamekeeper.visitor';
const HOST = (code) => `gamekeeper.host.${code}`;
/** A session's code: letters and digits, as typed by people with hyphens or blanks between. */
const CODE = /^[A-Za-z0-9_-]{3,32}$/;
const SECRET = /^[0-9a-f]{32}$/;
/** In the address of a recording: seconds from its beginning, and the player who is followed. */
const MOMENT = 't';
const FOLLOWED = 'player';

/** The path below which the server serves everything, without a slash at its end; mostly nothing. */
export const BASE = document.querySelector('meta[name=base]')?.content ?? '';

/** The code in the page's address, or null in the lobby. */
export function codeInAddress() {
  if (!location.pathname.startsWith(BASE)) return null;
  const found = /^\/s\/([^/]+)\/?$/.exec(location.pathname.slice(BASE.length));
  return found && CODE.test(found[1]) ? found[1] : null;
}

/** The code in what somebody typed or pasted: a code, or a link that has one. Null where there is none. */
export function codeIn(text) {
  const trimmed = text.trim();
  const link = /\/s\/([^/?#\s]+)/.exec(trimmed);
  const code = (link ? link[1] : trimmed).replace(/\s+/g, '');
  return CODE.test(code) ? code : null;
}

/** The link to a session, to be given to friends. */
export const linkTo = (code) => `${location.origin}${BASE}/s/${encodeURIComponent(code)}`;

/** Lets the address bar show a session, or with null the lobby; neither has anything of a recording's moment. */
export function showAddress(code) {
  show(code ? `${BASE}/s/${encodeURIComponent(code)}` : `${BASE}/`);
}

/** Which recording the page's address is of: `{id}`, or `{code, round}`; or null. With it, where the address names them,
 *  `seconds` from its beginning and the `player` to be followed, else NaN. */
export function replayInAddress() {
  if (!location.pathname.startsWith(BASE)) return null;
  const path = location.pathname.slice(BASE.length);
  const asked = new URLSearchParams(location.search);
  const number = (name) => (/^\d{1,9}$/.test(asked.get(name)) ? Number(asked.get(name)) : NaN);
  const moment = { seconds: number(MOMENT), player: number(FOLLOWED) };
  const [, id] = /^\/replay\/([0-9a-f]{16})\/?$/.exec(path) ?? [];
  if (id) return { id, ...moment };
  const [, code, round] = /^\/replay\/([^/]+)\/(\d{1,9})\/?$/.exec(path) ?? [];
  return code && CODE.test(code) ? { code, round: Number(round), ...moment } : null;
}

/** The link to a moment of the recording that the address bar shows, following that player, or null for whoever leads. */
export function linkToMoment(seconds, player) {
  const link = new URL(location.href);
  if (seconds > 0) link.searchParams.set(MOMENT, seconds);
  if (player !== null) link.searchParams.set(FOLLOWED, player);
  return link.href;
}

/** The address of the recording of a session's round, if there is one. */
export const replayOf = (code, round) => `${BASE}/replay/${encodeURIComponent(code)}/${round}`;

/** Lets the address bar show a recording, and no moment of it: time goes on. */
export function showReplay(id) {
  show(`${BASE}/replay/${id}`);
}

function show(path) {
  const link = new URL(location.href);
  link.pathname = path;
  for (const name of [MOMENT, FOLLOWED]) link.searchParams.delete(name);
  if (link.href !== location.href) history.replaceState(null, '', link);
}

/** A number that names this browser to sessions, so that a ban or a mute outlives a reload: 32 hex digits. */
export function visitor() {
  const kept = read(VISITOR);
  if (kept && SECRET.test(kept)) return kept;
  const fresh = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  write(VISITOR, fresh);
  return fresh;
}

/** The proof that this browser is a session's host, or null. */
export function hostSecret(code) {
  const kept = code && read(HOST(code));
  return kept && SECRET.test(kept) ? kept : null;
}

/** Keeps that proof; with null forgets it. */
export function keepHostSecret(code, secret) {
  if (secret && SECRET.test(secret)) write(HOST(code), secret);
  else write(HOST(code), null);
}

// Where localStorage is denied, things are known as long as the page lasts.
const memory = new Map();

function read(key) {
  try {
    return localStorage.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

function write(key, value) {
  if (value === null) memory.delete(key); else memory.set(key, value);
  try {
    if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value);
  } catch {
    // Denied or full: see above.
  }
}
