// What was said to all, so that nobody reads it twice. Comes in: lines as they are heard, and the history that the
// server tells to everybody who comes, those who come back included. Goes out: what of a history is new.

/** The most lines of a history. */
const HISTORY_MAX = 20;

/** The last lines that were heard in a session. */
export class Said {
  #heard = [];

  /** Somebody's line to all was heard. */
  hear(name, text) {
    this.#heard = [...this.#heard, keyOf([name, text])].slice(-HISTORY_MAX);
  }

  /** The lines `[name, text]` of a history that come after the last one heard; now they are heard, too. */
  newIn(lines) {
    const keys = lines.map(keyOf);
    // Lines have no numbers. The last one heard is where the longest run ends that ends what was heard: a line that got
    // lost on a slow connection makes the run shorter, and the same words said twice do not deceive it.
    let [from, longest] = [0, 0];
    for (let end = 1; end <= keys.length; end++) {
      let run = 0;
      while (run < end && this.#heard.at(-1 - run) === keys[end - 1 - run]) run += 1;
      if (run > longest) [from, longest] = [end, run];
    }
    const fresh = lines.slice(from);
    for (const [name, text] of fresh) this.hear(name, text);
    return fresh;
  }
}

const keyOf = (line) => JSON.stringify(line);
