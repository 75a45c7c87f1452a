// Questions to the operator's part of the API, and its event stream. Comes in: the token, what to ask. Goes out: answers,
// events, or a `Refusal` with a sentence. The token is kept in this tab's session storage, where that is denied as
// long as the page lasts, and in no address.

/** Under which name the token is kept, for as long as the tab is open. */
const KEPT = 'gamekeeper.operator';
/** How long an answer may take, ms. */
const PATIENCE_MS = 10_000;
/** After how long without a byte a stream is taken for broken, ms; the server says something every 15 s. */
const SILENCE_MS = 40_000;
/** Waits before a stream is opened again after it failed, ms: the first, and the longest. */
const WAIT_MS = [500, 10_000];

/** Where the server lies, without a slash at the end: a proxy may have put it into a folder. */
const BASE = document.querySelector('meta[name=base]')?.content ?? '';

/** The server said no, or could not be asked. */
export class Refusal extends Error {
  /** `status` is HTTP's, 0 where the server was not reached. */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

let kept = stored();

/** The token of this tab; empty where nobody has signed in. */
export const token = () => kept;

/** Keeps a token, or with an empty one forgets it. */
export function keepToken(value) {
  kept = value;
  try {
    if (value) sessionStorage.setItem(KEPT, value); else sessionStorage.removeItem(KEPT);
  } catch {
    // Denied or full: it is not found again after a reload.
  }
}

function stored() {
  try {
    return sessionStorage.getItem(KEPT) ?? '';
  } catch {
    return '';
  }
}

/** Asks, and gives the JSON that was answered, or null. */
export async function ask(method, path, body) {
  const headers = { accept: 'application/json', authorization: `Bearer ${token()}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const request = { method, headers, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) };
  if (body !== undefined) request.body = JSON.stringify(body);
  let response;
  try {
    response = await fetch(`${BASE}/api/admin${path}`, request);
  } catch {
    throw new Refusal(0, 'The server cannot be reached.');
  }
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

/** Has the server do something. */
export const act = (action) => ask('POST', '/actions', action);

async function refusal(response) {
  const problem = await response.json().catch(() => null);
  return new Refusal(response.status, problem?.detail ?? `The server refused (${response.status}).`);
}

/** The event stream, opened again whenever it ends. */
export class Stream {
  #tell;
  #state;
  #abort = null;
  #wanted = '';
  #failures = 0;

  /** `tell(name, data)` hears events; `state(what, refusal)` hears `live`, `lost` and `refused`. */
  constructor(tell, state) {
    this.#tell = tell;
    this.#state = state;
  }

  /** Asks for what `query` says from now on, at once. */
  open(query) {
    this.close();
    this.#wanted = query;
    this.#failures = 0;
    const abort = new AbortController();
    this.#abort = abort;
    this.#keep(abort);
  }

  /** Asks for nothing any more. */
  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  async #keep(abort) {
    while (!abort.signal.aborted) {
      try {
        await this.#read(abort);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof Refusal && [401, 404].includes(error.status)) {
          this.#state('refused', error);
          return;
        }
        this.#state('lost', error);
        const most = Math.min(WAIT_MS[1], WAIT_MS[0] * 2 ** this.#failures++);
        await new Promise((resolve) => setTimeout(resolve, most * (0.5 + Math.random() / 2)));
      }
    }
  }

  /** Reads one stream to its end: after two minutes the server ends it, and the next one follows. */
  async #read(abort) {
    const own = new AbortController();
    const end = () => own.abort();
    abort.signal.addEventListener('abort', end);
    let silence = setTimeout(end, SILENCE_MS);
    try {
      const response = await fetch(`${BASE}/api/admin/events${this.#wanted}`, {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${token()}` }, cache: 'no-store', signal: own.signal,
      });
      if (!response.ok) throw await refusal(response);
      this.#state('live');
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        this.#failures = 0;
        clearTimeout(silence);
        silence = setTimeout(end, SILENCE_MS);
        const pieces = (rest + value).split('\n\n');
        rest = pieces.pop();
        for (const piece of pieces) this.#hear(piece);
      }
    } finally {
      clearTimeout(silence);
      abort.signal.removeEventListener('abort', end);
    }
  }

  #hear(piece) {
    const found = /^event: (.*)\ndata: (.*)$/.exec(piece);
    if (found) this.#tell(found[1], JSON.parse(found[2]));
  }
}
