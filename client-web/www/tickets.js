// The way into a session. Comes in: which one, and whether to watch there. Goes out: a ticket, which a connection begins with:
// the server says which session has room, or that it is over.

import { ask } from './api.js';
import { keepHostSecret } from './here.js';

/** So many sessions are told to be avoided, the newest ones; the server takes no more. */
const AVOIDED_MAX = 16;

/** Asks for tickets. */
export class Tickets {
  #avoided = [];

  /** Somebody is not let into this session any more: quick play does not lead there again and again. */
  avoid(code) {
    this.#avoided = [...this.#avoided.filter((one) => one !== code), code].slice(-AVOIDED_MAX);
  }

  /** Asks for one into the session with a `code`, or with null wherever quick play leads. Where the session is gone it is
   *  quick play's, too, if that is `elsewhere`'s wish. Throws as `ask` does. */
  async get(code, watch, elsewhere) {
    const asked = (more) => ask('POST', '/tickets', { body: watch ? { watch, ...more } : more });
    const quick = () => asked(this.#avoided.length ? { not: this.#avoided } : {});
    if (!code) return quick();
    try {
      return await asked({ code });
    } catch (why) {
      if (why.status !== 404) throw why;
      // Nobody is host of a session that is over.
      keepHostSecret(code, null);
      if (!elsewhere) throw why;
      return quick();
    }
  }
}
