// Questions to the server's HTTP API. Comes in: a method, a path, a body. Goes out: what was answered, or a
// `Refusal` with a sentence for a person. It keeps nothing.

import { BASE } from './here.js';

/** How long an answer may take, ms; the server holds a long poll for at most 25 s. */
const PATIENCE_MS = 10_000;
/** How long bytes may take, ms: a recording has half a million as a rule, sixteen at most, and some lines are slow. */
const BYTES_PATIENCE_MS = 60_000;
/** How often in a row the way to the server is timed; the quickest counts, as the first one may have to
 *  open a connection. */
const PING_TRIES = 3;

/** The server said no, or could not be asked. */
export class Refusal extends Error {
  /** `status` is HTTP's, 0 where the server was not reached. */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Bytes of something large. */
export async function fetchBytes(path, signal) {
  const limit = AbortSignal.timeout(BYTES_PATIENCE_MS);
  const failed = (sentence) => { throw new Refusal(0, limit.aborted ? 'This took too long. Try again.' : sentence); };
  const response = await fetch(`${BASE}/api${path}`, { signal: AbortSignal.any([limit, signal]) })
    .catch(() => failed('The server cannot be reached.'));
  if (!response.ok) throw refused(response.status, parsed(await response.text().catch(() => '')));
  return new Uint8Array(await response.arrayBuffer().catch(() => failed('The connection was lost on the way.')));
}

/** Asks. `body` is sent as JSON, `secret` as the host's proof. Gives the JSON that was answered, or null. */
export async function ask(method, path, { body, secret, patience = PATIENCE_MS, signal } = {}) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (secret) headers.authorization = `Bearer ${secret}`;
  const limit = AbortSignal.timeout(patience);
  let response;
  try {
    response = await fetch(`${BASE}/api${path}`, {
      method, headers, cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
  } catch {
    throw new Refusal(0, 'The server cannot be reached.');
  }
  const text = await response.text().catch(() => '');
  const answer = parsed(text);
  if (response.ok) return answer;
  throw refused(response.status, answer);
}

function refused(status, answer) {
  return new Refusal(status, answer?.detail || answer?.title || USUAL[status] || `The server refused (${status}).`);
}

const USUAL = {
  401: 'Only the host may do that.',
  403: 'Only the host may do that.',
  404: 'This session is over, or its code is mistyped.',
  429: 'That was too often. Wait a moment.',
  503: 'The server is full at the moment.',
};

/** How long the way to the server and back takes, ms; null where it cannot be reached. */
export async function measurePing() {
  let best = null;
  for (let i = 0; i < PING_TRIES; i++) {
    const from = performance.now();
    try {
      await fetch(`${BASE}/healthz`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
      return best;
    }
    best = Math.min(best ?? Infinity, performance.now() - from);
  }
  return best;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
